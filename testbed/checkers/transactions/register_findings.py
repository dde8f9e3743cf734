"""Anomalies of register histories that are no cycles, told to people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from testbed.checkers.transactions.contradictions import contradictions
from testbed.checkers.transactions.explain import micro_operation, short
from testbed.checkers.transactions.finding import Finding
from testbed.checkers.transactions.read_committed import forced_by_reads
from testbed.checkers.transactions.register_cursor import cursor_circle
from testbed.checkers.transactions.register_order import (
    REASONS,
    VersionOrder,
    written_after_read,
)
from testbed.checkers.transactions.register_versions import Ids, RegisterVersions
from testbed.checkers.transactions.resolved import (
    ABORTED,
    FUTURE,
    INITIAL,
    INTERMEDIATE,
    Resolved,
)
from testbed.history.transaction_table import Access, Outcome


@dataclass(frozen=True)
class RegisterFindings:
    """Looks at single reads and pairs of transactions.

    Args:
        resolved: The history.
        versions: Its versions.
        order: What is known of their order.
    """

    resolved: Resolved
    versions: RegisterVersions
    order: VersionOrder

    def all(self) -> list[Finding]:
        """One finding for each anomaly."""
        found = [
            self._aborted(),
            self._dirty_update(),
            self._intermediate(),
            self._internal(),
            self._future(),
            self._lost_update(),
            self._vanished(),
            self._circle(),
        ]
        return [finding for finding in found if finding is not None]

    def cursor(self) -> tuple[list[Finding], bool]:
        """A G-cursor, if there is one; and whether the search for it was given up."""
        ops, given_up = cursor_circle(self.versions, self.order)
        if ops is None:
            return [], given_up
        return [self._make("G-cursor", ops, "{0}; {1} next; only then {2}", 1)], given_up

    def _ops(self, code: int) -> Ids:
        return self.resolved.misreads(code)

    def _say(self, op: int) -> str:
        access, key, value = micro_operation(self.resolved.table, op)
        if access == "r":
            return f"read key {short(key)} as {'nil' if value is None else short(value)}"
        return f"set key {short(key)} to {short(value)}"

    def _make(self, anomaly: str, ops: tuple[int, ...], words: str, count: int) -> Finding:
        """A finding about micro-operations; ``words`` has a place for each as ``{0}``, ``{1}``."""
        rows = tuple(self.resolved.row_of(op) for op in ops)
        names = {row: f"T{number}" for number, row in enumerate(dict.fromkeys(rows), 1)}
        says = [f"{names[row]} {self._say(op)}" for row, op in zip(rows, ops, strict=True)]
        text = [words.format(*says)]
        if count > 1:
            text.append(f"(the first of {count:,} cases)")
        table = self.resolved.table
        key = table.keys[int(table.key[ops[0]])]
        return Finding(anomaly, tuple(text), rows, {"key": key, "count": count})

    def _writes_of(self, op: int, row: int | None = None) -> list[int]:
        """Writes of what a read saw by others, or all writes to its key of one transaction."""
        table = self.resolved.table
        same = (table.access == Access.WRITE) & (table.key == table.key[op])
        if row is None:
            same &= table.value == table.value[op]
        return [
            int(write)
            for write in np.flatnonzero(same)
            if row is None or self.resolved.row_of(int(write)) == row
        ]

    def _aborted(self) -> Finding | None:
        ops = self._ops(ABORTED)
        if not len(ops):
            return None
        outcome = self.resolved.table.outcome
        write = next(
            each
            for each in self._writes_of(int(ops[0]))
            if outcome[self.resolved.row_of(each)] == Outcome.FAIL
        )
        return self._make("G1a", (int(ops[0]), write), "{0}, but {1} and failed", len(ops))

    def _dirty_update(self) -> Finding | None:
        """A committed transaction read an aborted write and replaced it."""
        pairs = [
            (read, later)
            for read in self._ops(ABORTED).tolist()
            for later in self._writes_of(read, self.resolved.row_of(read))
            if later > read
        ]
        if not pairs:
            return None
        words = "{0}, which was aborted, and {1}"
        return self._make("dirty-update", pairs[0], words, len(pairs))

    def _intermediate(self) -> Finding | None:
        ops = self._ops(INTERMEDIATE)
        if not len(ops):
            return None
        read = int(ops[0])
        write = self._writes_of(read)[0]
        last = self._writes_of(read, self.resolved.row_of(write))[-1]
        return self._make("G1b", (read, write, last), "{0}, but {1} and then {2}", len(ops))

    def _internal(self) -> Finding | None:
        earlier, later = contradictions(self.resolved)
        if not len(later):
            return None
        ops = (int(earlier[0]), int(later[0]))
        return self._make("internal", ops, "{0} and then {1}", len(later))

    def _future(self) -> Finding | None:
        ops = self._ops(FUTURE)
        if not len(ops):
            return None
        read = int(ops[0])
        write = next(op for op in self._writes_of(read) if op > read)
        return self._make("future-read", (read, write), "{0} and only then {1}", len(ops))

    def _lost_update(self) -> Finding | None:
        """Two transactions read the same version, one that is no misread, and both replaced it."""
        versions = self.versions
        read, wrote = written_after_read(versions)
        good = (versions.writer[read] >= 0) | np.isin(read, versions.initial)
        read, wrote = read[good], wrote[good]
        order = np.lexsort((versions.writer[wrote], read))
        twice = np.flatnonzero(np.diff(read[order]) == 0)
        if not len(twice):
            return None
        pair = order[twice[0] : twice[0] + 2]
        one, two = (
            versions.read_of(row, version)
            for row, version in zip(versions.writer[wrote[pair]], read[pair], strict=True)
        )
        return self._make("lost-update", (one, two), "{0}, {1}, and both set it anew", 1)

    def _vanished(self) -> Finding | None:
        """A transaction saw another one's write, and then an older version than it left behind."""
        resolved, versions, order = self.resolved, self.versions, self.order
        forced = forced_by_reads(resolved)
        if not len(forced.before):
            return None
        keys = len(versions.initial)
        wrote = versions.wrote_row * keys + versions.key[versions.wrote_version]
        by_code = np.argsort(wrote)

        def version(row: NDArray[np.int32], key: NDArray[np.int32]) -> Ids:
            code = row.astype(np.int64) * keys + key
            found: Ids = versions.wrote_version[by_code[np.searchsorted(wrote[by_code], code)]]
            return found

        key = resolved.read_key[forced.read]
        newer = version(forced.before, key)
        initial = forced.after == INITIAL
        older = versions.initial[key].copy()
        older[~initial] = version(forced.after[~initial], key[~initial])
        known = np.sort(order.before * len(versions) + order.after)
        wanted = older * len(versions) + newer
        at = np.minimum(np.searchsorted(known, wanted), max(len(known) - 1, 0))
        hits = np.flatnonzero(known[at] == wanted) if len(known) else np.zeros(0, np.int64)
        if not len(hits):
            return None
        hit = int(hits[0])
        read = int(resolved.read_op[forced.read[hit]])
        row, writer = resolved.row_of(read), int(forced.before[hit])
        first = next(
            int(resolved.read_op[at])
            for at in range(resolved.read_first[row], resolved.read_first[row + 1])
            if resolved.read_source[at] == writer
        )
        missed = int(versions.write_op[newer[hit]])
        words = "{2}, and {0}, of the same transaction; after that {1}, an older version"
        return self._make("observed-transaction-vanishes", (first, read, missed), words, len(hits))

    def _circle(self) -> Finding | None:
        if not self.order.circles:
            return None
        name, core = self.order.circles[0]
        ids = np.unique(core.original)
        key = int(self.versions.key[ids[0]])
        ids = ids[self.versions.key[ids] == key][:12]
        table = self.resolved.table
        shown = [self._value(int(version)) for version in ids]
        writers = self.versions.writer[ids]
        text = f"{' and '.join(shown)} of key {short(table.keys[key])} each come before the other"
        why = "what is known already" if name == "initial" else f"{name} ({REASONS[name]})"
        return Finding(
            "cyclic-versions",
            (f"{text}, by {why}",),
            tuple(int(row) for row in writers if row >= 0),
            {"key": table.keys[key], "count": len(self.order.circles), "source": name},
        )

    def _value(self, version: int) -> str:
        versions, table = self.versions, self.resolved.table
        if version in versions.initial:
            return "the initial value"
        op = int(versions.write_op[version])
        if op < 0:
            op = int(versions.read_op[versions.read_version == version][0])
        return short(table.values[int(table.value[op])])
