"""``testbed check``: a recorded history against a model, with no cluster needed."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from testbed.checkers.budget import Budget
    from testbed.checkers.models import Model
    from testbed.checkers.request import Request
    from testbed.checkers.verdict import Verdict
    from testbed.cli._watchdog import Watchdog

BAD_USAGE = 64
MALFORMED = 65
EXIT_CODES = {"valid": 0, "violation": 1, "unknown": 2}
_ANOMALIES = "anomalies:"
_UNJUDGED = "nothing was judged yet"
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb to the command."""
    parser = subparsers.add_parser(
        "check",
        help="check a recorded history against a model, with no cluster",
        description="Reads a history and says whether it keeps the promise of a model. "
        "Exit code: 0 valid, 1 violation, 2 unknown, 64 bad usage, 65 malformed history.",
    )
    parser.add_argument("history", metavar="FILE", help="the history, may be gzipped; - for stdin")
    parser.add_argument("--model", required=True, help="register, list-append, bank, ...")
    parser.add_argument(
        "--level",
        metavar="LEVEL,...",
        help="levels of isolation, or anomalies:NAME,...; for models of transactions",
    )
    parser.add_argument("--init", metavar="JSON", help="the initial value")
    parser.add_argument("--params", metavar="JSON", help="an object with parameters of the model")
    parser.add_argument(
        "--format",
        choices=("jsonl", "sessions", "edn"),
        help="by default told by the file's name",
    )
    parser.add_argument("--timeout", metavar="SECONDS", help="then the answer is unknown")
    parser.add_argument(
        "--memory",
        metavar="BYTES",
        help="as 500M or 2G, then the answer is unknown; by default nine tenths of what is free",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


@dataclass(frozen=True)
class _Wish:
    """The command line, understood."""

    model: Model
    form: str
    level: str | None
    init: Any
    params: dict[str, Any]
    timeout_s: float | None
    memory_bytes: int


def run(arguments: argparse.Namespace) -> int:
    """Returns the exit code of the answer."""
    # No check multiplies matrices: threads that wait for that would cost more than a small check.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from testbed.checkers.budget import Budget
    from testbed.checkers.request import RequestError
    from testbed.cli._answer_view import as_json, as_text, refusal_document
    from testbed.history.problem import HistoryError
    from testbed.history.source import SourceError

    shown = as_json if arguments.json else as_text
    try:
        wish = _understood(arguments)
        budget = Budget(wish.timeout_s, "nothing was read yet")
        watchdog = _watched(wish, budget, arguments)
        try:
            document = _answer(wish, budget, arguments.history)
        finally:
            watchdog.stop()
    except (RequestError, SourceError) as error:
        lines = "\n".join(f"testbed check: {line}" for line in str(error).splitlines())
        print(f"{lines}\nTry 'testbed check --help'.", file=sys.stderr)
        return BAD_USAGE
    except HistoryError as error:
        print(error, file=sys.stderr)
        if arguments.json:
            refusal = refusal_document(arguments.model, arguments.history, error)
            print(as_json(refusal), end="")
        return MALFORMED
    print(shown(document), end="")
    return EXIT_CODES[document["verdict"]]


def _answer(wish: _Wish, budget: Budget, path: str) -> Any:
    """The answer, also when the budget does not suffice for one."""
    from testbed.checkers.budget import OutOfBudgetError
    from testbed.cli._answer_view import answer_document

    try:
        asked, verdict = _checked(wish, budget, path)
    except OutOfBudgetError as error:
        return _unknown(wish, path, f"the time of {wish.timeout_s:g} s is over: {error.reached}")
    except MemoryError:
        return _unknown(wish, path, f"the machine's memory does not suffice: {budget.reached}")
    return answer_document(wish.model.name, path, asked, verdict)


def _checked(wish: _Wish, budget: Budget, path: str) -> tuple[tuple[str, ...], Verdict]:
    from testbed.checkers.partition import check_by_key
    from testbed.history.reading import read_operations, read_transactions
    from testbed.history.source import open_source

    check: Any = wish.model.checker()
    request = _request(wish, budget, timed=wish.form != "sessions")

    def progress(lines: int) -> None:
        budget.note(f"{lines:,} lines were read, {_UNJUDGED}")

    with open_source(path) as source:
        if wish.model.table == "transactions":
            transactions = read_transactions(
                source, wish.form, lists=wish.model.lists, progress=progress
            )
            budget.note(f"{len(transactions.process):,} transactions were read, {_UNJUDGED}")
            if not transactions.timed:
                request = _request(wish, budget, timed=False)
            return (*request.levels, *request.anomalies), check(transactions, request)
        by_key = "partition_by" in wish.params
        operations = read_operations(source, wish.form, split_values=by_key, progress=progress)
    budget.note(f"{len(operations.process):,} lines were read, {_UNJUDGED}")
    if by_key and not wish.model.keyed:
        return (), check_by_key(check, operations, request)
    return (), check(operations, request)


def _request(wish: _Wish, budget: Budget, *, timed: bool) -> Request:
    from testbed.checkers.request import Request

    levels: tuple[str, ...] = ()
    anomalies: tuple[str, ...] = ()
    default = wish.model.default_level(timed=timed)
    if wish.level is None:
        levels = () if default is None else (default,)
    elif wish.level.lstrip().lower().startswith(_ANOMALIES):
        from testbed.checkers.transactions.anomaly import canonical_anomalies

        anomalies = canonical_anomalies(wish.level.lstrip()[len(_ANOMALIES) :])
    else:
        from testbed.checkers.transactions.level import canonical_levels

        levels = canonical_levels(wish.level)
    return Request(levels, anomalies, wish.init, wish.params, budget)


def _understood(arguments: argparse.Namespace) -> _Wish:
    """The command line, or everything that is wrong with it.

    Raises:
        RequestError: With all of it.
    """
    from testbed.checkers.models import model_named
    from testbed.checkers.request import RequestError
    from testbed.cli._watchdog import free_bytes
    from testbed.history.formats import format_by_name

    problems: list[str] = []

    def tried(read: Any, *values: Any) -> Any:
        try:
            return read(*values)
        except RequestError as error:
            problems.extend(error.problems)
            return None

    model: Model | None = tried(model_named, arguments.model)
    init = tried(_json, "--init", arguments.init)
    params = tried(_params, model, arguments.params)
    form = arguments.format or format_by_name(arguments.history)
    timeout_s = tried(_seconds, arguments.timeout)
    memory_bytes = tried(_bytes, arguments.memory)
    if form is None:
        problems.append("expected --format, for the name of the file does not say it")
    if model is not None:
        problems += _unfit(model, arguments, form)
    if problems:
        raise RequestError(problems)
    assert model is not None
    assert form is not None
    limit = free_bytes() * 9 // 10 if memory_bytes is None else memory_bytes
    return _Wish(model, form, arguments.level, init, params, timeout_s, limit)


def _unfit(model: Model, arguments: argparse.Namespace, form: str | None) -> list[str]:
    """What does not go with the model."""
    problems = []
    if arguments.level is not None and not model.leveled:
        problems.append(f"model '{model.name}' has no levels")
    if arguments.init is not None and not model.init:
        problems.append(f"model '{model.name}' has no initial value")
    if form == "sessions" and (not model.leveled or model.lists):
        needs = "appends and lists" if model.lists else "operations in an order of time"
        problems.append(
            f"model '{model.name}' needs {needs}, 'sessions' holds reads and writes of registers"
        )
    return problems


def _params(model: Model | None, text: str | None) -> Any:
    from testbed.checkers.models import params_of

    given = {} if text is None else _json("--params", text)
    return given if model is None else params_of(model, given)


def _json(name: str, text: str | None) -> Any:
    from testbed.checkers.request import RequestError
    from testbed.history.strict_json import JsonError, loads

    if text is None:
        return None
    try:
        return loads(text.encode(errors="surrogateescape"))
    except JsonError as error:
        raise RequestError([f"{name}: {error.why} (column {error.column})"]) from error


def _seconds(text: str | None) -> float | None:
    from testbed.checkers.request import RequestError

    if text is None:
        return None
    try:
        seconds = float(text.removesuffix("s"))
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < float("inf"):
        raise RequestError([f"expected --timeout as seconds above 0, not '{text}'"])
    return seconds


def _bytes(text: str | None) -> int | None:
    from testbed.checkers.request import RequestError

    if text is None:
        return None
    plain = text.lower().removesuffix("b").removesuffix("i")
    unit = plain[-1:] if plain[-1:] in ("k", "m", "g") else ""
    digits = plain.removesuffix(unit)
    if not digits.isascii() or not digits.isdigit() or len(digits) > 15 or not int(digits):
        raise RequestError([f"expected --memory as 500M or 2G, not '{text}'"])
    return int(digits) * _UNITS[unit]


def _unknown(wish: _Wish, path: str, reason: str) -> Any:
    from testbed.checkers.verdict import Validity, Verdict
    from testbed.cli._answer_view import answer_document

    verdict = Verdict(wish.model.name, "", Validity.UNKNOWN, reason)
    return answer_document(wish.model.name, path, (), verdict)


def _watched(wish: _Wish, budget: Budget, arguments: argparse.Namespace) -> Watchdog:
    from testbed.cli._answer_view import as_json, as_text
    from testbed.cli._watchdog import Watchdog

    shown = as_json if arguments.json else as_text

    def bark(why: str) -> None:
        document = _unknown(wish, arguments.history, f"{why}: {budget.reached}")
        os.write(sys.stdout.fileno(), shown(document).encode(errors="backslashreplace"))

    return Watchdog(wish.timeout_s, wish.memory_bytes, bark)
