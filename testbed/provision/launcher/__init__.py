"""Starts, watches and stops the programs of one node; runs in the node.

The modules of this package are sent to the node with each request and run there by whatever
Python it has: they need the standard library and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_MODULES = ("files", "health", "process", "verbs")

BOOTSTRAP = """\
import sys, types
data = sys.stdin.buffer
for _ in range(int(data.readline())):
    name, size = data.readline().split()
    module = types.ModuleType(name.decode())
    sys.modules[module.__name__] = module
    exec(compile(data.read(int(size)), module.__name__, 'exec'), module.__dict__)
sys.exit(module.main())
"""
"""Python code for a node: loads the modules that :func:`framed` sends and runs the last one."""


def framed(request: Mapping[str, Any]) -> bytes:
    """Standard input for :data:`BOOTSTRAP`: the modules and behind them a request.

    Args:
        request: Plain JSON, as :mod:`testbed.provision.launcher.verbs` describes it.
    """
    frames = [b"%d\n" % len(_MODULES)]
    for name in _MODULES:
        code = (Path(__file__).parent / f"{name}.py").read_bytes()
        frames.append(f"{__name__}.{name} {len(code)}\n".encode() + code)
    return b"".join(frames) + json.dumps(request).encode()
