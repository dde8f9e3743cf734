"""Where a suite stands: progress events added up, with nothing drawn yet."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from testbed.report.judgement import Outcome
from testbed.runner.progress import (
    Estimate,
    Event,
    Example,
    FaultPhase,
    Judged,
    Log,
    Phase,
    Rate,
    Role,
)

_RATES_KEPT = 120
_VERDICTS_KEPT = 8
_MESSAGES_KEPT = 4


@dataclass(slots=True)
class ActiveFault:
    """A fault that was injected and is not known to be gone.

    Args:
        title: Kind and target.
        since: Wall clock of its injection.
        phase: The last step that was told.
        shown: Whether evidence shows that it bites; None while nobody knows.
    """

    title: str
    since: float
    phase: str
    shown: bool | None = None


@dataclass(slots=True)
class Lane:
    """One world: its example, phase, roles, rates and faults."""

    example: Example | None = None
    phase: Phase | None = None
    phase_since: float = 0.0
    primaries: dict[str, str] = field(default_factory=dict)
    rates: dict[str, deque[Rate]] = field(default_factory=dict)
    faults: dict[str, ActiveFault] = field(default_factory=dict)

    def begin(self, example: Example) -> None:
        """Forgets what belonged to the example before."""
        self.example = example
        self.phase = None
        self.rates.clear()
        self.faults.clear()


class Standing:
    """All lanes and the suite as a whole, as the events have it.

    Args:
        started: Wall clock at which the suite began.
    """

    def __init__(self, started: float) -> None:
        self.started = started
        self.lanes: dict[int, Lane] = {}
        self.estimate: Estimate | None = None
        self.estimate_since = started
        self.counts: dict[Outcome, int] = dict.fromkeys(Outcome, 0)
        self.verdicts: deque[Judged] = deque(maxlen=_VERDICTS_KEPT)
        self.messages: deque[Log] = deque(maxlen=_MESSAGES_KEPT)

    @property
    def examples_done(self) -> int:
        """How many examples were judged."""
        return sum(self.counts.values())

    def add(self, event: Event) -> None:
        """Takes one event into account."""
        payload = event.payload
        if isinstance(payload, Estimate):
            self.estimate, self.estimate_since = payload, event.time
        elif isinstance(payload, Log):
            self.messages.append(payload)
        elif isinstance(payload, Judged):
            self._judged(payload)
        else:
            self._in_lane(self.lanes.setdefault(event.lane, Lane()), payload, event.time)

    def _judged(self, judged: Judged) -> None:
        if judged.promise:
            # Of a promise only what is not green is worth a line; the example counts once.
            if judged.validity != Outcome.VALID:
                self.verdicts.append(judged)
            return
        self.verdicts.append(judged)
        self.counts[outcome(judged)] += 1

    @staticmethod
    def _in_lane(
        lane: Lane, payload: Example | Phase | Rate | Role | FaultPhase, at: float
    ) -> None:
        if isinstance(payload, Example):
            lane.begin(payload)
        elif isinstance(payload, Phase):
            if lane.phase is None or lane.phase.name != payload.name:
                lane.phase_since = at
            lane.phase = payload
        elif isinstance(payload, Rate):
            lane.rates.setdefault(payload.region, deque(maxlen=_RATES_KEPT)).append(payload)
        elif isinstance(payload, Role):
            _role(lane, payload)
        else:
            _fault(lane, payload, at)


def _role(lane: Lane, role: Role) -> None:
    lane.rates.setdefault(role.region, deque(maxlen=_RATES_KEPT))
    if role.role == "primary":
        lane.primaries[role.node] = role.region
    else:
        lane.primaries.pop(role.node, None)


def _fault(lane: Lane, fault: FaultPhase, at: float) -> None:
    """A fault ages from its injection and goes when it is shown to be gone."""
    if fault.phase == "absence" and fault.shown is not False:
        lane.faults.pop(fault.title, None)
        return
    active = lane.faults.setdefault(fault.title, ActiveFault(fault.title, at, fault.phase))
    active.phase = fault.phase
    if fault.phase == "effect":
        active.shown = fault.shown


def outcome(judged: Judged) -> Outcome:
    """The outcome that a verdict event tells; one that is unheard of is unknown."""
    return Outcome(judged.validity) if judged.validity in set(Outcome) else Outcome.UNKNOWN
