"""Why one transaction over registers must come before another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from testbed.checkers.transactions.explain import micro_operation, short
from testbed.checkers.transactions.graph import Edge
from testbed.checkers.transactions.register_order import REASONS, SOURCES, VersionOrder
from testbed.checkers.transactions.register_versions import Ids, RegisterVersions


@dataclass(frozen=True)
class RegisterReasons:
    """Says for an edge which micro-operations make it.

    Args:
        versions: The versions.
        order: What is known of their order.
    """

    versions: RegisterVersions
    order: VersionOrder

    def __call__(self, row: int, after: int, kind: Edge, first: str, second: str) -> str:
        """See :data:`testbed.checkers.transactions.explain.ExplainEdge`."""
        if kind == Edge.WR:
            return self._read(row, after, first, second)
        versions = self.versions
        mine = np.flatnonzero(
            versions.wrote_row == row if kind == Edge.WW else versions.read_row == row
        )
        held = versions.wrote_version if kind == Edge.WW else versions.read_version
        theirs = versions.wrote_version[versions.wrote_row == after]
        for at in mine.tolist():
            why = self._why(int(held[at]), theirs)
            if why is not None:
                op = versions.write_op[held[at]] if kind == Edge.WW else versions.read_op[at]
                later, reason = why
                return (
                    f"{first} {self._say(int(op))}, {second}"
                    f" {self._say(int(versions.write_op[later]))}, a later version: {reason}"
                )
        return f"{second} wrote a later version than {first} knew"

    def _read(self, row: int, after: int, first: str, second: str) -> str:
        versions = self.versions
        mine = (versions.read_row == after) & (versions.writer[versions.read_version] == row)
        at = int(np.flatnonzero(mine)[0])
        write = int(versions.write_op[versions.read_version[at]])
        return f"{first} {self._say(write)}, {second} {self._say(int(versions.read_op[at]))}"

    def _why(self, version: int, later: Ids) -> tuple[int, str] | None:
        """A later version among those given, and how that is known; by steps if need be."""
        order = self.order
        wanted = set(later.tolist()) - {version}
        seen, waiting, direct = {version}, [version], True
        while waiting:
            following: list[int] = []
            for one in waiting:
                for edge in np.flatnonzero(order.before == one).tolist():
                    two = int(order.after[edge])
                    if two in wanted:
                        reason = REASONS[SOURCES[order.source[edge]]]
                        return two, reason if direct else "others come between"
                    if two not in seen:
                        seen.add(two)
                        following.append(two)
            waiting, direct = following, False
        return None

    def _say(self, op: int) -> str:
        access, key, value = micro_operation(self.versions.resolved.table, op)
        if access == "r":
            return f"read key {short(key)} as {'nil' if value is None else short(value)}"
        return f"set key {short(key)} to {short(value)}"
