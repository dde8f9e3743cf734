"""Sessions: clients that write a few rows, and read them wherever their routing leads."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

from testbed.clients.protocol import Invocation
from testbed.clients.session_entry import SESSION
from testbed.workloads.marker import MARK
from testbed.workloads.parameter import Parameter, check_shares, resolved
from testbed.workloads.unique import unique_values


class SessionsWorkload:
    """Finds reads that contradict what their own client did or saw before.

    Functions, each with a key from 0: ``write`` (value: a number that is written once in a run),
    ``read`` (null for a row that is not there), and ``row`` (the same of every node directly, at
    the end). A session writes and reads: all of it goes to one endpoint. With ``bulk_rows`` above 0
    every ``bulk_every``-th write is a ``bulk`` (value: a number of its own, and how many rows one
    long transaction adds to a table that nobody reads), by a client of its own.

    Args:
        given: Parameters by name. ``again_percent`` of the reads ask for the row that the region
            wrote last.
        regions: The regions whose clients take part, in the topology's order.

    Raises:
        WorkloadError: With every problem of the parameters.
    """

    name: ClassVar[str] = "sessions"
    parameters: ClassVar[Mapping[str, Parameter]] = MappingProxyType(
        {
            "keys": Parameter(8, 1, 100_000),
            "reads_percent": Parameter(65, 0, 90),
            "again_percent": Parameter(60, 0, 100),
            "bulk_rows": Parameter(0, 0, 100_000),
            "bulk_every": Parameter(40, 1, 100_000),
        }
    )
    writes: ClassVar[frozenset[str]] = frozenset({"write", "bulk", MARK})
    reads: ClassVar[frozenset[str]] = frozenset()
    replica_reads: ClassVar[frozenset[str]] = frozenset({"read"})

    def __init__(self, given: Mapping[str, Any], regions: Sequence[str]) -> None:
        values = resolved(given, self.parameters)
        check_shares(values, ("reads_percent",))
        self._keys = values["keys"]
        self._reads = values["reads_percent"]
        self._again = values["again_percent"]
        self._bulk_rows = values["bulk_rows"]
        self._bulk_every = values["bulk_every"]
        self._regions = tuple(regions)

    def setup(self) -> tuple[Invocation, ...]:
        """Make room for the rows, where the deployment has none."""
        return (Invocation("schema"),)

    def stream(self, region: str, random: random.Random) -> Iterator[Invocation]:
        """Writes, with reads between them."""
        last = 0
        for number, value in enumerate(unique_values(self._regions, region), 1):
            while random.random() * 100 < self._reads:
                again = random.random() * 100 < self._again
                key = last if again else random.randrange(self._keys)
                yield Invocation("read", key=key, endpoint=SESSION)
            if self._bulk_rows and number % self._bulk_every == 0:
                yield Invocation("bulk", [value, self._bulk_rows])
            last = random.randrange(self._keys)
            yield Invocation("write", value, key=last, endpoint=SESSION)

    def final(self) -> tuple[Invocation, ...]:
        """Every row."""
        return tuple(Invocation("row", key=key, endpoint="reader") for key in range(self._keys))
