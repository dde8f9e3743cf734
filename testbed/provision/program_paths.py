"""Where the real programs are, as the variables that the roles expect."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping
from pathlib import Path

from testbed.clients.catalogue import SYSTEMS, system_of
from testbed.toolchain.error import ToolchainError
from testbed.toolchain.programs import locate
from testbed.topology.model import Topology


def program_variables(topology: Topology) -> Mapping[str, str]:
    """Find every program that the roles start; Valkey only where it is to be had.

    Args:
        topology: Whose system's own programs are ``NAME_program``.

    Raises:
        ToolchainError: One is missing; the message says how to get it.
    """
    patroni = locate("patroni")
    optional: dict[str, str] = {}
    with contextlib.suppress(ToolchainError):
        optional["valkey_program"] = str(locate("valkey-server").path)
    own = {
        f"{program.name.replace('-', '_')}_program": str(program.path)
        for program in SYSTEMS[system_of(topology)].programs()
    }
    return {
        **own,
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
