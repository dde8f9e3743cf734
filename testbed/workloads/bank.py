"""The bank: money moves between accounts, and none is made or lost."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

from testbed.clients.protocol import Invocation
from testbed.topology.model import Region
from testbed.workloads.marker import MARK
from testbed.workloads.parameter import Parameter, check_shares, resolved


class BankWorkload:
    """Finds broken transactions: whoever reads all balances at once sees the same total.

    Functions: ``open-accounts`` (value: ``accounts`` and ``balance`` of each), ``transfer``
    (value: ``from``, ``to``, ``amount``; ``fail`` when the balance is too small), ``read``
    (balances by account, at the writer's endpoint) and ``read-replica`` (the same at the
    reader's, and of every node at the end).

    Args:
        given: Parameters by name.
        regions: The regions whose clients take part, in the topology's order.
        space: Number of the run; its rows are told from other runs' by the clients.

    Raises:
        WorkloadError: With every problem of the parameters.
    """

    name: ClassVar[str] = "bank"
    parameters: ClassVar[Mapping[str, Parameter]] = MappingProxyType(
        {
            "accounts": Parameter(32, 2, 1000),
            "balance": Parameter(100, 1, 1_000_000),
            "amount_max": Parameter(5, 1, 1_000_000),
            "reads_percent": Parameter(20, 0, 90),
            "replica_reads_percent": Parameter(20, 0, 90),
        }
    )
    writes: ClassVar[frozenset[str]] = frozenset({"transfer", MARK})
    reads: ClassVar[frozenset[str]] = frozenset({"read"})
    replica_reads: ClassVar[frozenset[str]] = frozenset({"read-replica"})

    def __init__(self, given: Mapping[str, Any], regions: Sequence[Region], space: int = 0) -> None:
        values = resolved(given, self.parameters)
        check_shares(values, ("reads_percent", "replica_reads_percent"))
        self._accounts = values["accounts"]
        self._balance = values["balance"]
        self._amount_max = values["amount_max"]
        self._reads = values["reads_percent"]
        self._replica_reads = values["replica_reads_percent"]
        self._regions = tuple(region.name for region in regions)

    @property
    def total(self) -> int:
        """What all balances add up to, at any moment."""
        return self._accounts * self._balance

    def setup(self) -> tuple[Invocation, ...]:
        """Open the accounts."""
        value = {"accounts": self._accounts, "balance": self._balance}
        return (Invocation("schema"), Invocation("open-accounts", value))

    def stream(self, region: str, random: random.Random) -> Iterator[Invocation]:
        """Transfers between two different accounts, and reads of all."""
        if region not in self._regions:
            raise KeyError(region)
        while True:
            draw = random.random() * 100
            if draw < self._reads:
                yield Invocation("read")
            elif draw < self._reads + self._replica_reads:
                yield Invocation("read-replica", endpoint="reader")
            else:
                source, target = random.sample(range(self._accounts), 2)
                amount = random.randint(1, self._amount_max)
                yield Invocation("transfer", {"from": source, "to": target, "amount": amount})

    def final(self) -> tuple[Invocation, ...]:
        """All balances."""
        return (Invocation("read-replica", endpoint="reader"),)
