"""What a run tells while it works: events, one JSON object a line, for a live view or a log.

A line is ``{"time": SECONDS, "lane": NUMBER, "event": KIND, ...the fields of the event}``.
A reader skips kinds and fields that it does not know, so a newer runner never breaks an older view.
"""

from __future__ import annotations

import types
import typing
from dataclasses import MISSING, dataclass, fields
from typing import Any, ClassVar, get_type_hints

import orjson

EVERY_LANE = -1
"""The lane of what concerns all worlds together, such as an estimate."""


class ProgressError(ValueError):
    """A line is not an event; the message says why."""


@dataclass(frozen=True, slots=True)
class Phase:
    """A lane entered a phase, or got further in it.

    Args:
        name: ``provision``, ``start``, ``steady``, ``load``, ``heal``, ``final-reads``, ``judge``.
        done: 0 to 1, or None when nobody can tell.
        remaining_s: Estimated seconds to the end of the phase, or None.
        detail: A few words, for example the schedule of the example.
    """

    kind: ClassVar[str] = "phase"
    name: str
    done: float | None = None
    remaining_s: float | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Rate:
    """What the clients of a region got since its last rate, in operations a second."""

    kind: ClassVar[str] = "rate"
    region: str
    acknowledged_ops_s: float
    failed_ops_s: float = 0.0
    unknown_ops_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Role:
    """A node was seen in another role.

    Args:
        region: Where the node stands.
        node: Its name.
        role: ``primary``, ``replica``, or what else the probe saw.
    """

    kind: ClassVar[str] = "role"
    region: str
    node: str
    role: str


@dataclass(frozen=True, slots=True)
class FaultPhase:
    """A fault went one step further.

    Args:
        title: Kind and target, as ``Fault.title`` gives it.
        phase: ``inject``, ``effect``, ``heal`` or ``absence``.
        shown: For ``effect`` and ``absence``: whether the evidence shows it.
        detail: What the target resolved to, or the observation.
    """

    kind: ClassVar[str] = "fault"
    title: str
    phase: str
    shown: bool | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """An example was judged, or one promise of it.

    Args:
        validity: ``valid``, ``violation``, ``unknown`` or ``error``.
        reason: One sentence.
        promise: The promise's short name; empty for the example as a whole.
        example: The example's number, or None.
        run: The run folder.
    """

    kind: ClassVar[str] = "verdict"
    validity: str
    reason: str = ""
    promise: str = ""
    example: int | None = None
    run: str = ""


@dataclass(frozen=True, slots=True)
class Log:
    """A sentence for people; ``level`` is ``info``, ``warning`` or ``error``."""

    kind: ClassVar[str] = "log"
    message: str
    level: str = "info"


@dataclass(frozen=True, slots=True)
class Example:
    """A lane took up an example.

    Args:
        number: Of the example in this suite, from 1.
        title: Its schedule in a few words.
        run: The run folder.
    """

    kind: ClassVar[str] = "example"
    number: int
    title: str = ""
    run: str = ""


@dataclass(frozen=True, slots=True)
class Estimate:
    """How far all lanes together are.

    Args:
        examples_done: Judged so far.
        examples_planned: How many there will be, or None when the budget decides.
        budget_s: Seconds that the suite may take in all, or None.
        budget_left_s: Seconds that are left of it, or None.
        remaining_s: Estimated seconds to the end, or None.
    """

    kind: ClassVar[str] = "estimate"
    examples_done: int
    examples_planned: int | None = None
    budget_s: float | None = None
    budget_left_s: float | None = None
    remaining_s: float | None = None


Payload = Phase | Rate | Role | FaultPhase | Judged | Log | Example | Estimate

_KINDS: dict[str, type[Payload]] = {kind.kind: kind for kind in typing.get_args(Payload)}


@dataclass(frozen=True, slots=True)
class Event:
    """One line of progress.

    Args:
        time: Wall clock in seconds since the epoch; shown to people, never judged.
        lane: The world that it comes from, from 0; ``EVERY_LANE`` for all together.
        payload: What happened.
    """

    time: float
    lane: int
    payload: Payload


def encode(event: Event) -> bytes:
    """The event as one line of JSON, its line end included."""
    document: dict[str, Any] = {
        "time": event.time,
        "lane": event.lane,
        "event": event.payload.kind,
    }
    for field in fields(event.payload):
        value = getattr(event.payload, field.name)
        if isinstance(value, str):
            # Output of other programs may hold lone surrogates, which are not JSON.
            value = value.encode("utf-8", "replace").decode("utf-8")
        if value is not None and (field.default is MISSING or value != field.default):
            document[field.name] = value
    return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)


def decode(line: bytes | str) -> Event | None:
    """The event of a line; None for a kind that this version does not know.

    Raises:
        ProgressError: The line is not JSON, or a field is missing or of the wrong type.
    """
    try:
        document = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise ProgressError(f"not a line of progress: {error}") from error
    if not isinstance(document, dict):
        raise ProgressError("not a line of progress: expected an object")
    payload_type = _KINDS.get(str(document.get("event")))
    if payload_type is None:
        return None
    problems: list[str] = []
    time = _field(document, "time", float, problems)
    lane = _field(document, "lane", int, problems)
    known = {
        name: _field(document, name, hint, problems)
        for name, hint in get_type_hints(payload_type).items()
        if name in document and name != "kind"
    }
    required = [field.name for field in fields(payload_type) if field.default is MISSING]
    problems += [f"'{name}' is missing" for name in required if name not in known]
    if problems:
        raise ProgressError(f"{payload_type.kind} event: " + "; ".join(problems))
    return Event(time, lane, payload_type(**known))


def _field(document: dict[str, Any], name: str, hint: Any, problems: list[str]) -> Any:
    """The field's value, checked against its type; a wrong one is added to the problems."""
    value = document.get(name)
    choices = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if float in choices and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) not in choices:
        problems.append(f"'{name}' is {value!r}")
    return value
