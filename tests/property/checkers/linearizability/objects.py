"""Sequential objects: what their operations do, for drawing histories and for judging them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.unit.checkers.linearizability.oracle import Operation

Perform = Callable[[Any, str, Any], tuple[Any, Any] | None]
"""State, function and argument to the state after it and the result; None if it fails."""


@dataclass(frozen=True)
class Object:
    """A sequential object.

    Args:
        name: The model.
        ask: A function and an argument from two small numbers and the count of operations.
        perform: What happens.
        initial: The state at the beginning.
        sees: Functions whose value is what they saw.
        lie: Another result than the true one, from a small number.
        init: The initial value as the checker takes it.
        failed_counts: Whether a failure is informative.
    """

    name: str
    ask: Callable[[int, int, int], tuple[str, Any]]
    perform: Perform
    initial: Any
    sees: frozenset[str]
    lie: Callable[[int, int], Any]
    init: Any = None
    failed_counts: bool = False

    @property
    def module(self) -> str:
        return f"testbed.checkers.linearizability.{self.name.replace('-', '_')}"

    def states_after(self, state: Any, operation: Operation) -> list[Any]:
        """For the oracle."""
        if operation.end is None and operation.f in self.sees:
            done = self.perform(state, operation.f, None)
            return [state] if done is None else [done[0]]
        value = operation.value
        if operation.end is None and operation.f == "txn":
            # What it was to read when it was invoked is not what it read.
            value = [[f, key, None if f == "r" else written] for f, key, written in value]
        done = self.perform(state, operation.f, value)
        if operation.failed:
            return [state] if done is None or not self.failed_counts else []
        if done is None or (operation.f in self.sees and done[1] != operation.value):
            return []
        return [done[0]]


def _register(state: Any, f: str, argument: Any) -> tuple[Any, Any] | None:
    if f == "write":
        return argument, argument
    if f == "cas":
        old, new = argument
        return (new, argument) if state == old else None
    return state, state


def _mutex(state: bool, f: str, argument: Any) -> tuple[Any, Any] | None:
    return ((not state), argument) if state == (f == "release") else None


def _container(last: bool) -> Perform:
    def perform(state: tuple[int, ...], f: str, argument: Any) -> tuple[Any, Any] | None:
        if f in ("enqueue", "push"):
            return (*state, argument), argument
        if not state:
            return state, None
        return (state[:-1], state[-1]) if last else (state[1:], state[0])

    return perform


def _text(state: str, f: str, argument: Any) -> tuple[Any, Any] | None:
    return (state + argument, argument) if f == "append" else (state, state)


def _txn(state: tuple[int, int], f: str, argument: Any) -> tuple[Any, Any] | None:
    registers = dict(zip("xy", state, strict=True))
    for access, key, value in argument:
        if access == "w":
            registers[key] = value
        elif value is not None and registers[key] != value:
            return None
    return tuple(registers.values()), argument


def _ask_txn(a: int, b: int, count: int) -> tuple[str, Any]:
    steps = [
        [["r", "x", b % 2]],
        [["r", "x", b % 2], ["r", "y", a % 2]],
        [["w", "x", b % 2]],
        [["w", "x", 1], ["w", "y", b % 2]],
        [["r", "y", b % 2], ["w", "x", a % 2]],
        [["w", "y", 0], ["r", "y", 0]],
    ]
    return "txn", steps[a % len(steps)]


def _ask_container(put: str, get: str, values: int | None) -> Callable[[int, int, int], Any]:
    def ask(a: int, b: int, count: int) -> tuple[str, Any]:
        return (put, b % values if values else count) if a % 2 else (get, None)

    return ask


def _ask_register(unique: bool) -> Callable[[int, int, int], Any]:
    def ask(a: int, b: int, count: int) -> tuple[str, Any]:
        return ("write", count + 1 if unique else b % 3) if a % 2 else ("read", None)

    return ask


def _ask_cas(a: int, b: int, count: int) -> tuple[str, Any]:
    if a % 3 == 0:
        return "read", None
    return ("write", b % 2) if a % 3 == 1 else ("cas", [b % 3, b // 2 % 3])


READ = frozenset(["read"])
OBJECTS = {
    "register, unique": Object(
        "register", _ask_register(True), _register, 0, READ, lambda c, n: c % (n + 2), 0
    ),
    "register, null at first": Object(
        "register", _ask_register(True), _register, None, READ, lambda c, n: c or None
    ),
    "register, repeated": Object(
        "register", _ask_register(False), _register, 0, READ, lambda c, n: c % 3, 0
    ),
    "cas-register": Object("cas-register", _ask_cas, _register, 0, READ, lambda c, n: c % 3, 0),
    "etcd-cas-register": Object(
        "etcd-cas-register", _ask_cas, _register, 0, READ, lambda c, n: c % 3, 0, True
    ),
    "mutex": Object(
        "mutex",
        lambda a, b, n: (("acquire", "release")[a % 2], None),
        _mutex,
        False,
        frozenset(),
        lambda c, n: None,
        False,
    ),
    "multi-register": Object(
        "multi-register",
        _ask_txn,
        _txn,
        (0, 0),
        frozenset(),
        lambda c, n: None,
        {"x": 0, "y": 0},
    ),
    "queue, unique": Object(
        "queue",
        _ask_container("enqueue", "dequeue", None),
        _container(last=False),
        (),
        frozenset(["dequeue"]),
        lambda c, n: c % (n + 1) or None,
    ),
    "queue, repeated": Object(
        "queue",
        _ask_container("enqueue", "dequeue", 2),
        _container(last=False),
        (7, 8),
        frozenset(["dequeue"]),
        lambda c, n: c % 2 or None,
        [7, 8],
    ),
    "queue, not empty at first": Object(
        "queue",
        _ask_container("enqueue", "dequeue", None),
        _container(last=False),
        (91, 92),
        frozenset(["dequeue"]),
        lambda c, n: 90 + c % 3,
        [91, 92],
    ),
    "stack, unique": Object(
        "stack",
        _ask_container("push", "pop", None),
        _container(last=True),
        (),
        frozenset(["pop"]),
        lambda c, n: c % (n + 1) or None,
    ),
    "stack, repeated": Object(
        "stack",
        _ask_container("push", "pop", 2),
        _container(last=True),
        (),
        frozenset(["pop"]),
        lambda c, n: c % 2 or None,
    ),
    "stack, not empty at first": Object(
        "stack",
        _ask_container("push", "pop", None),
        _container(last=True),
        (91, 92),
        frozenset(["pop"]),
        lambda c, n: 90 + c % 3,
        [91, 92],
    ),
    "kv-append, unique": Object(
        "kv-append",
        lambda a, b, n: ("append", f"{n};") if a % 2 else ("read", None),
        _text,
        "",
        READ,
        lambda c, n: "".join(f"{i};" for i in range(c % 4)),
    ),
    "kv-append, repeated": Object(
        "kv-append",
        lambda a, b, n: ("append", ["a", "b", "ab"][b % 3]) if a % 2 else ("read", None),
        _text,
        "b",
        READ,
        lambda c, n: "b" + ["", "a", "ab", "abb"][c % 4],
        "b",
    ),
    "kv-append, alike": Object(
        "kv-append",
        lambda a, b, n: ("append", "" if a == 11 else "aac"[b % 3]) if a % 2 else ("read", None),
        _text,
        "",
        READ,
        lambda c, n: "ac"[: c % 3],
    ),
}
