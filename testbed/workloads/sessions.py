"""Sessions: clients that write a few rows, and read them wherever their routing leads."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

from testbed.clients.protocol import Invocation
from testbed.clients.session_entry import SESSION
from testbed.topology.model import Region
from testbed.workloads.marker import MARK
from testbed.workloads.parameter import Parameter, check_shares, resolved
from testbed.workloads.unique import unique_values

PULSES = 1_000_000
"""The key of the first region's pulse; above all rows of sessions."""


class SessionsWorkload:
    """Finds reads that contradict what their own client did or saw before, and measures lag.

    Functions of sessions, each with a key from 0: ``write`` (value: a number that is written once
    in a run) and ``read`` (null for a row that is not there). A session writes and reads: all of
    it goes to one endpoint. Every ``row`` is read of every node directly at the end.

    Functions of others: ``pulse`` (a write of the region's own row, key ``PULSES`` and up, at the
    writer), ``watch`` (the pulses of all regions at the reader: value by key), and, with
    ``bulk_rows`` or ``bulk_open_ms`` above 0, at every ``bulk_every``-th write a ``bulk`` (value: a
    number of its own, how many rows one long transaction adds to a table that nobody reads, and how
    many ms it stays open then).

    Args:
        given: Parameters by name. ``again_percent`` of the reads ask for the row that the region
            wrote last; ``reads_percent`` is of what sessions do.
        regions: The regions whose clients take part, in the topology's order.
        space: Number of the run; its rows are told from other runs' by the clients.

    Raises:
        WorkloadError: With every problem of the parameters.
    """

    name: ClassVar[str] = "sessions"
    parameters: ClassVar[Mapping[str, Parameter]] = MappingProxyType(
        {
            "keys": Parameter(8, 1, 100_000),
            "reads_percent": Parameter(65, 0, 90),
            "again_percent": Parameter(60, 0, 100),
            "watch_percent": Parameter(44, 0, 90),
            "pulse_percent": Parameter(6, 0, 90),
            "bulk_rows": Parameter(0, 0, 100_000),
            "bulk_open_ms": Parameter(0, 0, 60_000),
            "bulk_every": Parameter(40, 1, 100_000),
        }
    )
    writes: ClassVar[frozenset[str]] = frozenset({"write", "pulse", "bulk", MARK})
    reads: ClassVar[frozenset[str]] = frozenset()
    replica_reads: ClassVar[frozenset[str]] = frozenset({"read", "watch"})

    def __init__(self, given: Mapping[str, Any], regions: Sequence[Region], space: int = 0) -> None:
        self._values = resolved(given, self.parameters)
        check_shares(self._values, ("reads_percent",))
        check_shares(self._values, ("watch_percent", "pulse_percent"))
        self._regions = tuple(region.name for region in regions)

    def setup(self) -> tuple[Invocation, ...]:
        """Make room for the rows, where the deployment has none."""
        return (Invocation("schema"),)

    def stream(self, region: str, random: random.Random) -> Iterator[Invocation]:
        """What sessions do, with pulses and watches between it."""
        given, last, wrote = self._values, 0, 0
        long = (given["bulk_rows"], given["bulk_open_ms"])
        shares = (given["watch_percent"], given["pulse_percent"])
        values = unique_values(self._regions, region)
        own = PULSES + self._regions.index(region)
        while True:
            draw = random.random() * 100
            if draw < shares[0]:
                yield Invocation("watch", endpoint="reader")
            elif draw < sum(shares):
                yield Invocation("pulse", next(values), key=own)
            elif random.random() * 100 < given["reads_percent"]:
                again = random.random() * 100 < given["again_percent"]
                key = last if again else random.randrange(given["keys"])
                yield Invocation("read", key=key, endpoint=SESSION)
            else:
                wrote += 1
                if any(long) and wrote % given["bulk_every"] == 0:
                    yield Invocation("bulk", [next(values), *long])
                last = random.randrange(given["keys"])
                yield Invocation("write", next(values), key=last, endpoint=SESSION)

    def final(self) -> tuple[Invocation, ...]:
        """Every row."""
        return tuple(
            Invocation("row", key=key, endpoint="reader") for key in range(self._values["keys"])
        )
