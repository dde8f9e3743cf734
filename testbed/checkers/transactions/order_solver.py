"""A search over orders of versions: clauses learned from cycles.

Each variable orders two chains of versions of a key; either way adds edges to a graph that must
stay without cycles. The search is that of a SAT solver (conflict-driven clause learning,
Marques-Silva and Sakallah 1996) with acyclicity as its theory, as in Cobra (OSDI 2020), PolySI
(VLDB 2023) and Viper (EuroSys 2023): everything that is forced is set before anything is guessed,
what led to a cycle is learned, and guesses follow an order that would be natural. The transitive
closure of the graph is kept as one set of bits a node, forwards and backwards, and undone on
backtracking.
"""

from __future__ import annotations

from collections.abc import Callable

from testbed.checkers.transactions.activity import Activity
from testbed.checkers.transactions.orders import Contradiction, Orders
from testbed.checkers.transactions.reachability import BASE, Pair, Reachability, bits

LOOK_EVERY = 16


class Exhausted(Exception):  # noqa: N818 - no error, an end
    """The effort is spent: neither an order nor a contradiction was found."""


class OrderSolver:
    """Looks for a choice of literals without cycle and without forbidden path.

    Args:
        orders: What is to be ordered.
        look: Called now and then with the conflicts so far and the pairs that are in order: it may
            end the search by raising.
    """

    def __init__(
        self, orders: Orders, look: Callable[[int, int], None] = lambda conflicts, ordered: None
    ) -> None:
        self.orders = orders
        self._look = look
        self.reach = Reachability(orders.nodes, orders.edges)
        count = len(orders.added)
        self.value = [0] * count  # 1 true, -1 false
        self.reason: list[list[int] | Pair | None] = [None] * (count // 2)
        self.level = [0] * (count // 2)
        self.place = [0] * (count // 2)
        self.trail: list[int] = []
        self.conflicts = 0
        self.refuted = False
        self.core: Contradiction | None = None
        self._marks: list[tuple[int, int]] = []
        self._taken = 0
        self._clauses: list[list[list[int]]] = [[] for _ in range(count)]
        self._activity = Activity(count // 2)
        self._at: dict[Pair, list[int]] = {}
        self._watched = [0] * orders.nodes
        for literal in range(count):
            for pair in (*orders.added[literal], *orders.missed[literal]):
                self._watch(pair, literal)
        for pair in orders.forbidden:
            self._watch(pair, BASE)

    def _watch(self, pair: Pair, literal: int) -> None:
        self._at.setdefault(pair, []).append(literal)
        self._watched[pair[1]] |= 1 << pair[0]

    def solve(self, effort: int | None = None) -> None:
        """Search.

        It ends when an order was found (``value`` is complete) or none exists (``refuted``).

        Raises:
            Exhausted: More than ``effort`` conflicts.
        """
        conflict = self._begin()
        if conflict is None:
            conflict = self._propagate()
        while True:
            if conflict is not None:
                self.conflicts += 1
                if not self._learn(conflict):
                    return
                if effort is not None and self.conflicts > effort:
                    raise Exhausted
            elif (literal := self._pick()) is None:
                return
            else:
                self._marks.append((len(self.trail), self.reach.mark()))
                self._set(literal, None)
            conflict = self._propagate()

    @property
    def solved(self) -> bool:
        """Whether an order was found."""
        return not self.refuted and len(self.trail) == len(self.reason)

    def _begin(self) -> list[int] | None:
        """Set what the first edges force."""
        for pair, literals in self._at.items():
            if self.reach.leads(pair[1], pair[0]):
                conflict = self._exclude(pair, literals)
                if conflict is not None:
                    return conflict
        return None

    def _exclude(self, pair: Pair, literals: list[int]) -> list[int] | None:
        """A path leads from ``pair[1]`` to ``pair[0]``: these literals are false."""
        for literal in literals:
            if literal == BASE or self.value[literal] > 0:
                return self._closed(pair, literal)
            if self.value[literal] == 0:
                self._set(literal ^ 1, pair)
        return None

    def _closed(self, pair: Pair, literal: int) -> list[int]:
        """The literals of a cycle that an edge or a forbidden pair closes."""
        found = self._path_literals(pair, len(self.trail))
        if not self._marks:
            path = self.reach.path(pair[1], pair[0], len(self.trail))
            self.core = Contradiction(path, (*pair, literal))
        return found if literal == BASE else [*found, literal]

    def _path_literals(self, pair: Pair, stamp: int) -> list[int]:
        steps = self.reach.path(pair[1], pair[0], stamp)
        return list(dict.fromkeys(literal for _, _, literal in steps if literal != BASE))

    def _set(self, literal: int, reason: list[int] | Pair | None) -> None:
        self.value[literal] = 1
        self.value[literal ^ 1] = -1
        var = literal >> 1
        self.reason[var] = reason
        self.level[var] = len(self._marks)
        self.place[var] = len(self.trail)
        self.trail.append(literal)

    def _propagate(self) -> list[int] | None:
        """Draw all conclusions; the literals that contradict each other, or None."""
        while self._taken < len(self.trail):
            if self._taken % LOOK_EVERY == 0:
                self._look(self.conflicts, self._taken)
            literal = self.trail[self._taken]
            self._taken += 1
            conflict = self._add_edges(literal)
            if conflict is None:
                conflict = self._visit_clauses(literal ^ 1)
            if conflict is not None:
                return conflict
        return None

    def _add_edges(self, literal: int) -> list[int] | None:
        for edge in self.orders.added[literal]:
            if self.reach.leads(edge[1], edge[0]):
                return self._closed(edge, literal)
            changes = list(self.reach.insert(edge, literal, self.place[literal >> 1]))
            for node, gained in changes:
                hit = gained & self._watched[node]
                for source in bits(hit) if hit else ():
                    conflict = self._exclude((source, node), self._at[source, node])
                    if conflict is not None:
                        return conflict
        return None

    def _visit_clauses(self, false: int) -> list[int] | None:
        """Clauses that watch a literal which has become false."""
        watching = self._clauses[false]
        kept: list[list[int]] = []
        self._clauses[false] = kept
        for index, clause in enumerate(watching):
            if clause[0] == false:
                clause[0], clause[1] = clause[1], clause[0]
            if self.value[clause[0]] > 0:
                kept.append(clause)
                continue
            for at in range(2, len(clause)):
                if self.value[clause[at]] >= 0:
                    clause[1], clause[at] = clause[at], clause[1]
                    self._clauses[clause[1]].append(clause)
                    break
            else:
                kept.append(clause)
                if self.value[clause[0]] < 0:
                    kept.extend(watching[index + 1 :])
                    return [literal ^ 1 for literal in clause]
                self._set(clause[0], [literal ^ 1 for literal in clause[1:]])
        return None

    def _learn(self, conflict: list[int]) -> bool:
        """Learn the first unique implication point and jump back; False if nothing is left."""
        depth = max((self.level[literal >> 1] for literal in conflict), default=0)
        if depth == 0:
            self.refuted = True
            return False
        self._back(depth)
        learned: list[int] = []
        seen: set[int] = set()
        waiting = 0
        at = len(self.trail)
        reasons = conflict
        while True:
            for literal in reasons:
                var = literal >> 1
                if var not in seen and self.level[var] > 0:
                    seen.add(var)
                    self._activity.bump(var)
                    if self.level[var] == depth:
                        waiting += 1
                    else:
                        learned.append(literal ^ 1)
            at -= 1
            while self.trail[at] >> 1 not in seen:
                at -= 1
            waiting -= 1
            if not waiting:
                break
            reasons = self._why(self.trail[at] >> 1)
        self._activity.decay()
        literal = self.trail[at] ^ 1
        learned.sort(key=lambda other: -self.level[other >> 1])
        self._back(self.level[learned[0] >> 1] if learned else 0)
        clause = [literal, *learned]
        if learned:
            self._clauses[literal].append(clause)
            self._clauses[learned[0]].append(clause)
        self._set(literal, [other ^ 1 for other in learned])
        return True

    def _why(self, var: int) -> list[int]:
        reason = self.reason[var]
        if isinstance(reason, tuple):
            return self._path_literals(reason, self.place[var])
        assert reason is not None
        return reason

    def _back(self, depth: int) -> None:
        if len(self._marks) <= depth:
            return
        length, mark = self._marks[depth]
        del self._marks[depth:]
        for literal in self.trail[length:]:
            self.value[literal] = self.value[literal ^ 1] = 0
            self._activity.free(literal >> 1)
        del self.trail[length:]
        self._taken = min(self._taken, length)
        self.reach.back_to(mark)

    def _pick(self) -> int | None:
        var = self._activity.next(lambda var: self.value[2 * var] != 0)
        return None if var is None else 2 * var
