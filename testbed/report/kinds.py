"""Which operations of a history write, which read, and which are no part of the load."""

from __future__ import annotations

import functools
from collections.abc import Callable

from testbed.workloads.catalogue import WORKLOADS
from testbed.workloads.marker import MARK

WRITE, READ, OTHER = "write", "read", "other"

_READS = ("read", "count", "get", "marked")
"""How functions that change nothing begin, in a history of a workload that is not known here."""


def kinds_of(workload: str) -> Callable[[str], str]:
    """What a function of the workload does: ``write``, ``read`` or ``other``.

    Args:
        workload: As in the plan; for one that is not in the catalogue the name of the function
            decides, and nothing is left out.
    """
    if workload not in WORKLOADS:
        return functools.cache(lambda f: READ if f.startswith(_READS) else WRITE)
    known = WORKLOADS[workload]
    kinds = dict.fromkeys(known.reads | known.replica_reads, READ)
    kinds |= dict.fromkeys(known.writes - {MARK}, WRITE)
    return lambda f: kinds.get(f, OTHER)
