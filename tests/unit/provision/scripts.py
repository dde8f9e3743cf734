"""Loads the scripts that the roles copy to the nodes."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from testbed.topology.shipped import playbooks


def script(role: str, name: str) -> Path:
    return playbooks() / "roles" / role / "files" / name


def loaded(role: str, name: str) -> ModuleType:
    """A script as a module, without running it."""
    path = script(role, name)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module
