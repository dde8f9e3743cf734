"""Elements: a set that every region adds to and removes from, so that adds and removals meet."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

from testbed.clients.protocol import Invocation
from testbed.topology.model import Region
from testbed.workloads.marker import MARK
from testbed.workloads.parameter import Parameter, check_shares, resolved


class ElementsWorkload:
    """Finds elements that were added and lost, and removed ones that are there again.

    Functions, each with the element as key, from 0: ``include`` (add it), ``exclude`` (remove it
    as far as the client's region has seen it added), ``read`` (whether it is there, in the
    client's own region), and ``member`` (the same of every node directly, at the end).

    Args:
        given: Parameters by name.
        regions: The regions whose clients take part, in the topology's order.
        space: Number of the run; its rows are told from other runs' by the clients.

    Raises:
        WorkloadError: With every problem of the parameters.
    """

    name: ClassVar[str] = "elements"
    parameters: ClassVar[Mapping[str, Parameter]] = MappingProxyType(
        {
            "keys": Parameter(12, 1, 100_000),
            "reads_percent": Parameter(10, 0, 90),
            "removals_percent": Parameter(35, 0, 90),
        }
    )
    writes: ClassVar[frozenset[str]] = frozenset({"include", "exclude", MARK})
    reads: ClassVar[frozenset[str]] = frozenset()
    replica_reads: ClassVar[frozenset[str]] = frozenset({"read"})

    def __init__(self, given: Mapping[str, Any], regions: Sequence[Region], space: int = 0) -> None:
        values = resolved(given, self.parameters)
        check_shares(values, ("reads_percent", "removals_percent"))
        self._keys = values["keys"]
        self._reads = values["reads_percent"]
        self._removals = values["removals_percent"]
        self._regions = tuple(region.name for region in regions)

    def setup(self) -> tuple[Invocation, ...]:
        """Nothing: the set's table belongs to the deployment."""
        return ()

    def stream(self, region: str, random: random.Random) -> Iterator[Invocation]:
        """A mix by the given shares."""
        if self._regions and region not in self._regions:
            raise KeyError(region)
        while True:
            key, draw = random.randrange(self._keys), random.random() * 100
            if draw < self._reads:
                yield Invocation("read", key=key, endpoint="reader")
            elif draw < self._reads + self._removals:
                yield Invocation("exclude", key=key)
            else:
                yield Invocation("include", key=key)

    def final(self) -> tuple[Invocation, ...]:
        """Every element that there may be."""
        return tuple(Invocation("member", key=key, endpoint="reader") for key in range(self._keys))
