"""What a workload is: a pure generator of operations, and how to judge their history."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Protocol

from testbed.clients.protocol import Invocation


class Workload(Protocol):
    """A pure generator of invocations; the same seed gives the same ones."""

    name: ClassVar[str]

    def setup(self) -> tuple[Invocation, ...]:
        """What is performed once, on one client, before the load."""

    def stream(self, region: str, random: random.Random) -> Iterator[Invocation]:
        """An endless stream for the clients of one region."""

    def final(self) -> tuple[Invocation, ...]:
        """What is read at the end from every node, after the heal."""


def check_parameters(given: Mapping[str, Any], known: Mapping[str, type]) -> list[str]:
    """Every problem of a workload's parameters, each as one sentence."""
    problems = [f"unknown parameter '{name}'" for name in sorted(set(given) - set(known))]
    for name, kind in known.items():
        if name in given and (not isinstance(given[name], kind) or isinstance(given[name], bool)):
            problems.append(f"parameter '{name}' must be {kind.__name__}, not {given[name]!r}")
    return problems
