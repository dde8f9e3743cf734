"""Where the real programs are, as the variables that the roles expect."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping
from pathlib import Path

from testbed.toolchain.error import ToolchainError
from testbed.toolchain.programs import locate


def program_variables() -> Mapping[str, str]:
    """Find every program that the roles start; Valkey only where it is to be had.

    Raises:
        ToolchainError: One is missing; the message says how to get it.
    """
    patroni = locate("patroni")
    optional: dict[str, str] = {}
    with contextlib.suppress(ToolchainError):
        optional["valkey_program"] = str(locate("valkey-server").path)
    return {
        **optional,
        "consul_program": str(locate("consul").path),
        "toxiproxy_program": str(locate("toxiproxy-server").path),
        "haproxy_program": str(locate("haproxy").path),
        "postgres_bin_dir": str(locate("postgres").folder),
        "patroni_python": str(interpreter(patroni.path)),
    }


def interpreter(script: Path) -> Path:
    """The Python that a script names in its first line; this one when it names none."""
    first = script.read_bytes().partition(b"\n")[0].decode(errors="replace")
    words = first.removeprefix("#!").split()
    if first.startswith("#!") and len(words) == 1 and Path(words[0]).exists():
        return Path(words[0])
    return Path(sys.executable)
