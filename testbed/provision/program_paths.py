"""Where the real programs are, as the variables that the roles expect."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from testbed.toolchain.programs import locate


def program_variables() -> Mapping[str, str]:
    """Find every program that the roles start.

    Raises:
        ToolchainError: One is missing; the message says how to get it.
    """
    return {
        "consul_program": str(locate("consul").path),
        "toxiproxy_program": str(locate("toxiproxy-server").path),
        "haproxy_program": str(locate("haproxy").path),
        "postgres_bin_dir": str(locate("postgres").folder),
        "patroni_program": str(locate("patroni").path),
        "patroni_python": sys.executable,
    }
