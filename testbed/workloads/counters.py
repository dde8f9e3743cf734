"""Counters: a few numbers that every region adds to."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

from testbed.clients.protocol import Invocation
from testbed.topology.model import Region
from testbed.workloads.hand_over import HAND_OVER
from testbed.workloads.marker import MARK
from testbed.workloads.parameter import Parameter, check_shares, resolved


class CountersWorkload:
    """Finds increments that were acknowledged and lost, or done twice.

    Functions, each with a key from 0: ``increment`` (value: 1 to 9), ``read`` (in the client's own
    region), ``hand-over`` (value: the region that is to be the counter's home, where counters have
    one), and ``total`` (of every node at the end).

    Args:
        given: Parameters by name.
        regions: The regions whose clients take part, in the topology's order.
        space: Number of the run; its rows are told from other runs' by the clients.

    Raises:
        WorkloadError: With every problem of the parameters.
    """

    name: ClassVar[str] = "counters"
    parameters: ClassVar[Mapping[str, Parameter]] = MappingProxyType(
        {
            "keys": Parameter(3, 1, 100_000),
            "reads_percent": Parameter(10, 0, 90),
            "hand_overs_percent": Parameter(0, 0, 50),
        }
    )
    writes: ClassVar[frozenset[str]] = frozenset({"increment", MARK})
    reads: ClassVar[frozenset[str]] = frozenset()
    replica_reads: ClassVar[frozenset[str]] = frozenset({"read"})

    def __init__(self, given: Mapping[str, Any], regions: Sequence[Region], space: int = 0) -> None:
        values = resolved(given, self.parameters)
        self._keys = values["keys"]
        check_shares(values, ("reads_percent", "hand_overs_percent"))
        self._reads = values["reads_percent"]
        self._hand_overs = values["hand_overs_percent"]
        self._regions = tuple(region.name for region in regions)

    def setup(self) -> tuple[Invocation, ...]:
        """Nothing: the counters' table belongs to the deployment."""
        return ()

    def stream(self, region: str, random: random.Random) -> Iterator[Invocation]:
        """Increments, with reads between them."""
        if self._regions and region not in self._regions:
            raise KeyError(region)
        while True:
            key = random.randrange(self._keys)
            draw = random.random() * 100
            if draw < self._reads:
                yield Invocation("read", key=key, endpoint="reader")
            elif draw < self._reads + self._hand_overs:
                yield Invocation(HAND_OVER, random.choice(self._regions or (region,)), key=key)
            else:
                yield Invocation("increment", random.randint(1, 9), key)

    def final(self) -> tuple[Invocation, ...]:
        """Every counter."""
        return tuple(Invocation("total", key=key, endpoint="reader") for key in range(self._keys))
