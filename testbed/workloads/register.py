"""Registers: read, write and compare-and-set over a few keys, every written value unique."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

from testbed.clients.protocol import Invocation
from testbed.topology.model import Region
from testbed.workloads.marker import MARK
from testbed.workloads.parameter import Parameter, check_shares, resolved
from testbed.workloads.unique import unique_values

_SHARES = ("reads_percent", "replica_reads_percent", "cas_percent")


class RegisterWorkload:
    """Finds stale reads and lost updates: each key is one linearizable register.

    Functions, each with a key from 0: ``write`` (value: a number), ``cas`` (value: old and new;
    ``fail`` when the old one was not there), ``read`` (at the writer's endpoint), and
    ``read-replica`` (at the reader's, and of every node at the end). A key that was never
    written reads as null. Every new value is unique, which makes linearizability quick to
    decide.

    Args:
        given: Parameters by name.
        regions: The regions whose clients take part, in the topology's order.
        space: Number of the run; its rows are told from other runs' by the clients.

    Raises:
        WorkloadError: With every problem of the parameters.
    """

    name: ClassVar[str] = "register"
    parameters: ClassVar[Mapping[str, Parameter]] = MappingProxyType(
        {
            "keys": Parameter(8, 1, 100_000),
            "reads_percent": Parameter(30, 0, 100),
            "replica_reads_percent": Parameter(20, 0, 100),
            "cas_percent": Parameter(20, 0, 100),
        }
    )
    writes: ClassVar[frozenset[str]] = frozenset({"write", "cas", MARK})
    reads: ClassVar[frozenset[str]] = frozenset({"read"})
    replica_reads: ClassVar[frozenset[str]] = frozenset({"read-replica"})

    def __init__(self, given: Mapping[str, Any], regions: Sequence[Region], space: int = 0) -> None:
        values = resolved(given, self.parameters)
        check_shares(values, _SHARES)
        self._keys = values["keys"]
        self._shares = tuple(values[name] for name in _SHARES)
        self._regions = tuple(region.name for region in regions)

    def setup(self) -> tuple[Invocation, ...]:
        """Make room for the registers."""
        return (Invocation("schema"),)

    def stream(self, region: str, random: random.Random) -> Iterator[Invocation]:
        """A mix by the given shares.

        A compare-and-set expects the last value that this region itself wrote to the key: it
        succeeds unless another region came between.
        """
        reads, replica_reads, swaps = self._shares
        last: dict[int, int] = {}
        for value in unique_values(self._regions, region):
            wrote = False
            while not wrote:
                key, draw = random.randrange(self._keys), random.random() * 100
                if draw < reads:
                    yield Invocation("read", key=key)
                elif draw < reads + replica_reads:
                    yield Invocation("read-replica", key=key, endpoint="reader")
                elif draw < reads + replica_reads + swaps and key in last:
                    wrote = True
                    yield Invocation("cas", [last[key], value], key)
                else:
                    wrote = True
                    yield Invocation("write", value, key)
                if wrote:
                    last[key] = value

    def final(self) -> tuple[Invocation, ...]:
        """Every key."""
        return tuple(
            Invocation("read-replica", key=key, endpoint="reader") for key in range(self._keys)
        )
