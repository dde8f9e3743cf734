"""The set: numbers are added once each, counted at replicas meanwhile, read whole at the end."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

from testbed.clients.protocol import Invocation
from testbed.topology.model import Region
from testbed.workloads.marker import MARK
from testbed.workloads.parameter import Parameter, resolved
from testbed.workloads.unique import unique_values


class SetWorkload:
    """Finds lost writes: what was acknowledged must be there at the end, at every node.

    Functions: ``add`` (value: a number; at the writer), ``count`` (how many there are; at the
    reader, never fewer than before within a connection), ``read`` (all of them; at every node
    at the end).

    Args:
        given: Parameters by name.
        regions: The regions whose clients take part, in the topology's order.
        space: Number of the run; its rows are told from other runs' by the clients.

    Raises:
        WorkloadError: With every problem of the parameters.
    """

    name: ClassVar[str] = "set"
    parameters: ClassVar[Mapping[str, Parameter]] = MappingProxyType(
        {"replica_reads_percent": Parameter(20, 0, 90)}
    )
    writes: ClassVar[frozenset[str]] = frozenset({"add", MARK})
    reads: ClassVar[frozenset[str]] = frozenset()
    replica_reads: ClassVar[frozenset[str]] = frozenset({"count"})

    def __init__(self, given: Mapping[str, Any], regions: Sequence[Region], space: int = 0) -> None:
        self._replica_reads = resolved(given, self.parameters)["replica_reads_percent"]
        self._regions = tuple(region.name for region in regions)

    def setup(self) -> tuple[Invocation, ...]:
        """Make room for the elements."""
        return (Invocation("schema"),)

    def stream(self, region: str, random: random.Random) -> Iterator[Invocation]:
        """Adds of numbers of the region's own, with counts between them."""
        for value in unique_values(self._regions, region):
            while random.random() * 100 < self._replica_reads:
                yield Invocation("count", endpoint="reader")
            yield Invocation("add", value)

    def final(self) -> tuple[Invocation, ...]:
        """Everything that is there."""
        return (Invocation("read", endpoint="reader"),)
