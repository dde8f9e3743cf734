"""Items: a few rows that every region writes, deletes and reads, so that writes conflict."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

from testbed.clients.protocol import Invocation
from testbed.topology.model import Region
from testbed.workloads.hand_over import HAND_OVER, TAKE_OVER
from testbed.workloads.marker import MARK
from testbed.workloads.parameter import Parameter, check_shares, resolved
from testbed.workloads.unique import unique_values

_SHARES = ("reads_percent", "deletes_percent", "hand_overs_percent", "take_overs_percent")


class ItemsWorkload:
    """Finds replicas that differ in the end, and winners that should have lost.

    Functions, each with a key from 0: ``write`` (value: a number that is written once in a run),
    ``delete``, ``read`` (in the client's own region; null for a row that is not there),
    ``hand-over`` (value: the region that is to be the row's home, where rows have one),
    ``take-over`` (the client's region becomes the row's home without the old one), and ``row`` (as
    ``read``, of every node directly, at the end).

    Args:
        given: Parameters by name.
        regions: The regions whose clients take part, in the topology's order.
        space: Number of the run; its rows are told from other runs' by the clients.

    Raises:
        WorkloadError: With every problem of the parameters.
    """

    name: ClassVar[str] = "items"
    parameters: ClassVar[Mapping[str, Parameter]] = MappingProxyType(
        {
            "keys": Parameter(6, 1, 100_000),
            "reads_percent": Parameter(20, 0, 90),
            "deletes_percent": Parameter(15, 0, 90),
            "hand_overs_percent": Parameter(0, 0, 50),
            "take_overs_percent": Parameter(0, 0, 50),
        }
    )
    writes: ClassVar[frozenset[str]] = frozenset({"write", "delete", MARK})
    reads: ClassVar[frozenset[str]] = frozenset()
    replica_reads: ClassVar[frozenset[str]] = frozenset({"read"})

    def __init__(self, given: Mapping[str, Any], regions: Sequence[Region], space: int = 0) -> None:
        values = resolved(given, self.parameters)
        check_shares(values, _SHARES)
        self._keys = values["keys"]
        self._reads = values["reads_percent"]
        self._deletes = values["deletes_percent"]
        self._hand_overs = values["hand_overs_percent"]
        self._take_overs = values["take_overs_percent"]
        self._regions = tuple(region.name for region in regions)

    def setup(self) -> tuple[Invocation, ...]:
        """Nothing: the rows' table belongs to the deployment."""
        return ()

    def stream(self, region: str, random: random.Random) -> Iterator[Invocation]:
        """A mix by the given shares."""
        for value in unique_values(self._regions, region):
            draw = 0.0
            moves = self._reads + self._deletes
            others = moves + self._hand_overs + self._take_overs
            while (draw := random.random() * 100) < others:
                key = random.randrange(self._keys)
                if draw < self._reads:
                    yield Invocation("read", key=key, endpoint="reader")
                elif draw < moves:
                    yield Invocation("delete", key=key)
                elif draw < moves + self._take_overs:
                    yield Invocation(TAKE_OVER, key=key)
                else:
                    yield Invocation(HAND_OVER, random.choice(self._regions or (region,)), key=key)
            yield Invocation("write", value, key=random.randrange(self._keys))

    def final(self) -> tuple[Invocation, ...]:
        """Every row."""
        return tuple(Invocation("row", key=key, endpoint="reader") for key in range(self._keys))
