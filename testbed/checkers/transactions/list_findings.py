"""Anomalies of histories over lists that are no cycles, told to people."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from testbed.checkers.transactions.explain import micro_operation, short
from testbed.checkers.transactions.finding import Finding
from testbed.checkers.transactions.list_examine import Case
from testbed.checkers.transactions.list_versions import AGAIN, NOBODY, Versions
from testbed.history.operation_table import Integers
from testbed.history.transaction_table import Access, Outcome, TransactionTable

STRAYS_MAX = 1000
"""Of so many reads that are no prefixes of the longest the smallest is shown."""


@dataclass(frozen=True)
class Findings:
    """Turns what was found into words.

    Args:
        table: The transactions.
        versions: The version orders.
        cases: See :func:`testbed.checkers.transactions.list_examine.examine`.
    """

    table: TransactionTable
    versions: Versions
    cases: Integers

    def all(self) -> list[Finding]:
        """One finding for each anomaly."""
        elements = [*self._elements(), *self._elements_of_strays()]
        found = [*elements, self._dirty_update(), *self._orders(), *self._cases()]
        named: dict[str, Finding] = {}
        for finding in found:
            if finding is not None:
                named.setdefault(finding.anomaly, finding)
        return list(named.values())

    def _row(self, at: int) -> int:
        return int(np.searchsorted(self.table.first, at, side="right")) - 1

    def _say(self, at: int) -> str:
        access, key, value = micro_operation(self.table, at)
        if access == "r":
            return f"read key {short(key)} as {short(value)}"
        return f"appended {short(value)} to key {short(key)}"

    def _make(self, anomaly: str, ats: tuple[int, ...], words: str, count: int) -> Finding:
        """A finding about micro-operations; ``words`` has a place for each as ``{0}``, ``{1}``."""
        rows = tuple(self._row(at) for at in ats)
        names = {row: f"T{number}" for number, row in enumerate(dict.fromkeys(rows), 1)}
        says = [f"{names[row]} {self._say(at)}" for row, at in zip(rows, ats, strict=True)]
        text = [words.format(*says)]
        if count > 1:
            text.append(f"(the first of {count:,} cases)")
        key = self.table.keys[int(self.table.key[ats[0]])]
        return Finding(anomaly, tuple(text), rows, {"key": key, "count": count})

    def _reader_of(self, place: int) -> int:
        """The read with the fewest elements that shows an element."""
        versions, table = self.versions, self.table
        key = int(np.searchsorted(versions.base, place, side="right")) - 1
        reads = np.flatnonzero((table.access == Access.READ) & (table.key == key))
        sizes = versions.place[reads]
        sizes = np.where(sizes > place - versions.base[key], sizes, np.iinfo(np.int32).max)
        return int(reads[int(np.argmin(sizes))])

    def _elements(self) -> list[Finding]:
        """Elements that should not be there: of nobody, of the aborted, and the same again."""
        versions, table = self.versions, self.table
        writer = versions.writer
        real = np.ones(len(writer), np.bool_)
        real[versions.base + versions.length] = False
        aborted = writer >= 0
        aborted[aborted] = table.outcome[writer[aborted]] == Outcome.FAIL
        nobody = np.flatnonzero(real & (writer == NOBODY))
        again = np.flatnonzero(writer == AGAIN)
        failed = np.flatnonzero(aborted)
        found = [
            self._element("garbage-read", nobody, "no transaction appended"),
            self._element("duplicate-elements", again, "this is the second time of"),
            self._aborted(failed),
        ]
        return [finding for finding in found if finding is not None]

    def _elements_of_strays(self) -> list[Finding]:
        """The same of reads that are no prefixes of the longest: the first of each kind."""
        found: dict[str, Finding] = {}
        judged: dict[int, set[int]] = defaultdict(set)
        for at in self.versions.strays.tolist():
            start, after = self._items(at)
            items = self.table.list_items[start:after].tolist()
            key = int(self.table.key[at])
            distinct = set(items)
            fresh = distinct - judged[key]
            judged[key] |= fresh
            for item in (item for item in items if item in fresh):
                owner = self.versions.owner_of(self.table, key, item)
                value = short(self.table.values[item])
                if owner < 0 and "garbage-read" not in found:
                    words = "no transaction appended"
                    found["garbage-read"] = self._seen("garbage-read", at, words, value)
                if owner >= 0 and self.table.outcome[owner] == Outcome.FAIL and "G1a" not in found:
                    words = f"the transaction in line {self.table.line[owner]} that appended"
                    found["G1a"] = self._seen("G1a", at, words, f"{value} did not commit")
            if len(distinct) < len(items) and "duplicate-elements" not in found:
                repeated = self._repeated(at, key, items)
                found |= {} if repeated is None else {repeated.anomaly: repeated}
        return list(found.values())

    def _repeated(self, at: int, key: int, items: list[int]) -> Finding | None:
        """The first element that a read shows twice and somebody appended."""
        seen: set[int] = set()
        for item in items:
            if item in seen and self.versions.owner_of(self.table, key, item) >= 0:
                value = short(self.table.values[item])
                return self._seen("duplicate-elements", at, "this is the second time of", value)
            seen.add(item)
        return None

    def _seen(self, anomaly: str, reader: int, words: str, value: str, count: int = 1) -> Finding:
        text = f"{words} {value}".replace("{", "{{").replace("}", "}}")
        return self._make(anomaly, (reader,), f"{{0}}; {text}", count)

    def _element(self, anomaly: str, places: Integers, words: str) -> Finding | None:
        if len(places) == 0:
            return None
        reader = self._reader_of(int(places[0]))
        key = int(self.table.key[reader])
        number = int(places[0] - self.versions.base[key])
        start = int(self.table.list_starts[self.table.value[reader]])
        value = short(self.table.values[int(self.table.list_items[start + number])])
        return self._seen(anomaly, reader, words, value, len(places))

    def _aborted(self, places: Integers) -> Finding | None:
        if len(places) == 0:
            return None
        ats = (self._reader_of(int(places[0])), int(self.versions.append[places[0]]))
        return self._make("G1a", ats, "{0}; {1}, but did not commit", len(places))

    def _dirty_update(self) -> Finding | None:
        """An aborted element with a committed one after it."""
        versions, outcome = self.versions, self.table.outcome
        writer = versions.writer
        kind = np.where(writer >= 0, outcome[np.maximum(writer, 0)], 0)
        if not np.any(kind == Outcome.FAIL):
            return None
        key = np.repeat(np.arange(len(versions.base)), versions.length + 1)
        places = np.arange(len(writer))
        last_ok = np.full(len(versions.base), -1, np.int64)
        good = kind == Outcome.OK
        np.maximum.at(last_ok, key[good], places[good])
        bad = np.flatnonzero((kind == Outcome.FAIL) & (places < last_ok[key]))
        if len(bad) == 0:
            return None
        place = int(bad[0])
        after = place + 1 + int(np.argmax(good[place + 1 :]))
        ats = (int(versions.append[place]), int(versions.append[after]))
        words = "{0}, but did not commit; {1} on top of that"
        return self._make("dirty-update", ats, words, len(bad))

    def _orders(self) -> list[Finding | None]:
        """Reads that are no prefixes of the longest read."""
        strays = self.versions.strays
        if len(strays) == 0:
            return []
        spans = [self._items(at) for at in strays[:STRAYS_MAX].tolist()]
        sizes = [after - start for start, after in spans]
        stray = int(strays[int(np.argmin(sizes))])
        longest = int(self.versions.longest[int(self.table.key[stray])])
        words = "{0}; {1}: neither is the beginning of the other"
        return [self._make("incompatible-order", (stray, longest), words, len(strays))]

    def _items(self, at: int) -> tuple[int, int]:
        """Where the elements of a read stand."""
        value = int(self.table.value[at])
        start, after = self.table.list_starts[value : value + 2].tolist()
        return start, after

    def _cases(self) -> list[Finding | None]:
        words = {
            Case.INTERNAL: ("internal", "{0}, against what it had read or appended before"),
            Case.FUTURE_READ: ("future-read", "{0} before {1}"),
            Case.INTERMEDIATE: ("G1b", "{0}; {1}, and then appended to the key again"),
            Case.LOST_UPDATE: ("lost-update", "{0}; {1}; both then appended to the key"),
            Case.CURSOR: ("G-cursor", "{0}; {1} next; only then the first one appended"),
            Case.VANISHED: (
                "observed-transaction-vanishes",
                "{1}; something of that transaction had been seen when {0}",
            ),
            Case.OWN_ORDER: ("incompatible-order", "{0} and then {1}; reads show another order"),
        }
        found: list[Finding | None] = []
        for case, (anomaly, text) in words.items():
            count, first, second = self.cases[case].tolist()
            ats = (first,) if first == second else (first, second)
            if count:
                found.append(self._make(anomaly, ats, text, count))
        return found
