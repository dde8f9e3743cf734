"""What a workload is: a pure generator of operations."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import ClassVar, Protocol

from testbed.clients.protocol import Invocation
from testbed.workloads.parameter import Parameter


class Workload(Protocol):
    """A pure generator of invocations; the same seed gives the same ones.

    The classes of its functions are what measures and checkers are asked with: ``writes`` are
    acknowledged by a primary, ``reads`` go to the primary and are linearizable, and
    ``replica_reads`` go to a region's replica and may be old.
    """

    name: ClassVar[str]
    parameters: ClassVar[Mapping[str, Parameter]]
    writes: ClassVar[frozenset[str]]
    reads: ClassVar[frozenset[str]]
    replica_reads: ClassVar[frozenset[str]]

    def setup(self) -> tuple[Invocation, ...]:
        """What is performed in this order on one client, before the load."""

    def stream(self, region: str, random: random.Random) -> Iterator[Invocation]:
        """An endless stream for all clients of one region together: ask once a region and run.

        Raises:
            KeyError: The workload was not made for that region.
        """

    def final(self) -> tuple[Invocation, ...]:
        """What is read at the end from every node directly, after the heal."""
