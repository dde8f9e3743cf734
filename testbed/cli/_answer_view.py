"""The answer of a check: as text for people, or as one JSON object."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from testbed.checkers.brief import bounded
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.problem import HistoryError

WORDS = {Validity.VALID: "valid", Validity.VIOLATION: "violation", Validity.UNKNOWN: "unknown"}


def answer_document(model: str, source: str, asked: tuple[str, ...], verdict: Verdict) -> Any:
    """The answer as plain JSON."""
    levels = verdict.levels
    return {
        "verdict": WORDS[verdict.validity],
        "model": model,
        "history": source,
        "asked": list(asked),
        "promise": verdict.promise or None,
        "reason": bounded(verdict.reason),
        "levels": None
        if levels is None
        else {"violated": list(levels.violated), "allowed": list(levels.allowed)},
        "counterexample": [bounded(one) for one in verdict.counterexample],
        "numbers": {name: _counted(number) for name, number in verdict.numbers.items()},
    }


def refusal_document(model: str, source: str, error: HistoryError) -> Any:
    """A refused history as plain JSON."""
    return {
        "verdict": "malformed",
        "model": model,
        "history": source,
        "problems": [
            {"line": problem.line, "column": problem.column, "expected": problem.expected}
            for problem in error.problems
        ],
        "problems_total": error.total,
    }


def as_json(document: Any) -> str:
    """One line of JSON, in ASCII: valid whatever the encoding of the output is."""
    return json.dumps(document, default=_plain) + "\n"


def as_text(document: Any) -> str:
    """The answer for people: the verdict first, then why, then the smallest explanation."""
    return "\n".join(_lines(document)) + "\n"


def _lines(document: Any) -> Iterator[str]:
    yield f"{document['verdict']}: {document['reason']}"
    asked = f", asked for {', '.join(document['asked'])}" if document["asked"] else ""
    yield f"  model     {document['model']}{asked}"
    if document["promise"] is not None:
        yield f"  promise   {document['promise']}"
    if document["levels"] is not None:
        yield f"  violated  {', '.join(document['levels']['violated']) or 'no level'}"
        yield f"  allowed   {', '.join(document['levels']['allowed']) or 'no level'}"
    for name, number in document["numbers"].items():
        yield f"  {name.replace('_', ' ')}: {number:,.10g}"
    for example in document["counterexample"]:
        yield ""
        yield from _example(example)


def _example(example: Any) -> Iterator[str]:
    if not isinstance(example, dict):
        yield json.dumps(example, ensure_ascii=False, default=_plain)
        return
    where = f" of key {example['key']!r}" if "key" in example else ""
    yield f"{example.get('anomaly', 'counterexample')}{where}:"
    for line in example.get("text", ()):
        yield f"  {line}"


def _counted(number: float) -> float:
    """A count as a whole number, whoever counted it."""
    return int(number) if number == number // 1 else number


def _plain(value: Any) -> Any:
    """Numbers of numpy as plain ones."""
    return value.item()
