"""The debrief: what was injected, seen and done, how long it took, and what was to be shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from experiments.setting import setting_of
from testbed.checkers.counted import counted
from testbed.checkers.verdict import Verdict
from testbed.drill.book import Entry, read_book
from testbed.drill.cut_short import halt_of, left_out
from testbed.drill.drill import Drill
from testbed.drill.outcome import Outcome
from testbed.drill.scorecard import Time, document, false_alarms, times
from testbed.drill.served import served_again_ns
from testbed.drill.worst import Worst, read_signals, worst
from testbed.history.fault_window import FaultWindow
from testbed.report.wording import moment, seconds
from testbed.runner.folder import FolderError, RunFolder, read_json
from testbed.runner.recorded import RecordedRun, read_run

NAMES = {
    "machine": "the machine would have said so",
    "detect": "to detect",
    "diagnose": "to diagnose",
    "mitigate": "to mitigate",
    "recover": "to recover",
}


@dataclass(frozen=True, slots=True)
class Injected:
    """An inject as it came to be, for people."""

    name: str
    fault: str
    began: str
    lasted: str
    hidden: bool
    effect: str
    shown: bool
    absence: str
    gone: bool


@dataclass(frozen=True, slots=True)
class Moment:
    """A line of the story.

    Args:
        time_s: On the run's clock.
        kind: ``fault``, ``people``, ``machine``, ``drill`` or ``halt``.
        text: What happened.
    """

    time_s: float
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Debrief:
    """Everything that a debrief page says.

    Args:
        drill: What was played.
        outcome: What it came to.
        started: When it began, in ISO 8601; empty if nobody knows.
        auto: Whether it was played without people.
        control: Whether it was its negative control.
        source: The drill file as it was given.
        injected: What was injected, in order.
        skipped: The names of injects that were left out.
        times: The scorecard.
        false_alarms: Declared before anything was injected.
        rto: The system's own: region, fault, seconds (None: not served again), bound in seconds.
        lost: Acknowledged writes that were lost, and acknowledged in all; None if not counted.
        worst: How far the signals of the steady state went from what is healthy.
        preflight: Its items.
        story: What happened, in order.
        halt: What halted it; None for a drill that came to its end.
        healed: What was said of healing after a halt; empty without one.
    """

    drill: Drill
    outcome: Outcome
    started: str
    auto: bool
    control: bool
    source: str
    injected: tuple[Injected, ...]
    skipped: tuple[str, ...]
    times: tuple[Time, ...]
    false_alarms: tuple[Entry, ...]
    rto: tuple[tuple[str, str, float | None, float], ...]
    lost: tuple[int, int] | None
    worst: tuple[Worst, ...]
    preflight: tuple[Entry, ...]
    story: tuple[Moment, ...]
    halt: Entry | None
    healed: str

    @property
    def worst_rto(self) -> tuple[str, str, float | None, float] | None:
        """The longest outage; one that did not end is the longest."""
        return max(self.rto, key=lambda one: (one[2] is None, one[2] or 0.0), default=None)

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """Every promise, the worst first."""
        return tuple(sorted(self.outcome.verdicts, key=lambda one: -one.validity))

    def plain(self) -> dict[str, Any]:
        """The scorecard as plain JSON."""
        worst = self.worst_rto
        return {
            "drill": self.drill.name,
            "outcome": self.outcome.word,
            "reason": self.outcome.reason,
            "exit_code": self.outcome.exit_code,
            "auto": self.auto,
            "control": self.control,
            "times": document(self.times),
            "false_alarms": len(self.false_alarms),
            "rto_s": None if worst is None else worst[2],
            "rto_bound_s": None if worst is None else worst[3],
            "lost_writes": None if self.lost is None else self.lost[0],
            "halted": "" if self.halt is None else self.halt.text,
        }


def debrief_of(
    folder: RunFolder, drill: Drill, outcome: Outcome, *, auto: bool, control: bool, source: str
) -> Debrief:
    """The debrief of a run folder.

    Raises:
        FolderError: The folder is incomplete or damaged.
        HistoryError: Its history is.
    """
    run, book = read_run(folder), read_book(folder.path)
    measures = _measures(folder)
    rto = tuple(
        (str(one["region"]), str(one["fault"]), one["rto_s"], float(one["bound_s"]))
        for one in measures.get("rto", ())
    )
    said = [one for one in book if (one.kind, one.what) == ("healed", "halt")]
    return Debrief(
        drill=drill,
        outcome=outcome,
        started=run.started,
        auto=auto,
        control=control,
        source=source,
        injected=_injected(drill, book, run.windows, run.evidence),
        skipped=left_out(book, drill),
        times=times(book, run.windows, _served_ns(run)),
        false_alarms=false_alarms(book, run.windows),
        rto=rto,
        lost=_lost(measures),
        worst=worst(
            drill.steady_state.bounds,
            read_signals(folder.metrics),
            min((window.inject_ns for window in run.windows), default=0),
        ),
        preflight=tuple(one for one in book if one.kind == "preflight"),
        story=_story(book),
        halt=halt_of(book),
        healed=said[0].text if said else "",
    )


def _served_ns(run: RecordedRun) -> int | None:
    setting = setting_of(run)
    return served_again_ns(
        run.history,
        setting.writes,
        setting.regions,
        from_ns=min((window.inject_ns for window in run.windows), default=0),
        end_ns=setting.end_ns,
    )


def _measures(folder: RunFolder) -> dict[str, Any]:
    try:
        found = read_json(folder.verdict)["measures"]
    except (FolderError, KeyError, TypeError):
        return {}
    return dict(found)


def _lost(measures: dict[str, Any]) -> tuple[int, int] | None:
    rpo = measures.get("rpo")
    return None if rpo is None else (len(rpo["lost"]), int(rpo["acknowledged"]))


def _injected(
    drill: Drill,
    book: Sequence[Entry],
    windows: Sequence[FaultWindow],
    evidence: Sequence[Any],
) -> tuple[Injected, ...]:
    order = list(
        dict.fromkeys(
            one.what for one in book if one.kind == "inject" and one.text.startswith("is injected")
        )
    )
    hidden = {one.name: one.hidden for one in drill.injects}
    found = []
    for name, window in zip(order, windows, strict=False):
        about = {
            one.phase: one.observation
            for one in evidence
            if one.fault == window.title and window.inject_ns <= one.time
        }
        ended_ns = window.healed_ns or window.heal_ns
        found.append(
            Injected(
                name=name,
                fault=f"{window.kind} {window.details.get('resolved') or ''}".strip(),
                began=moment(window.inject_ns / 1e9),
                lasted=seconds(None if ended_ns is None else (ended_ns - window.inject_ns) / 1e9),
                hidden=hidden.get(name, True),
                effect=about.get("effect", "was not looked for"),
                shown=window.effect_shown,
                absence=about.get("absence", "was not looked for"),
                gone=window.absence_shown,
            )
        )
    return tuple(found)


_KINDS = {
    "inject": "fault",
    "declare": "people",
    "note": "people",
    "command": "people",
    "joined": "people",
    "left": "people",
    "machine": "machine",
    "halt": "halt",
}


def _story(book: Sequence[Entry]) -> tuple[Moment, ...]:
    """The book in words."""
    return tuple(
        Moment(one.time_ns / 1e9, _KINDS.get(one.kind, "drill"), _said(one))
        for one in book
        if one.kind != "preflight"
    )


_SAID = {
    "declare": "{who} declares {what}: {text}",
    "note": "{who} notes: {text}",
    "command": "{who}: {what}",
    "joined": "{who} {text}",
    "left": "{who} {text}",
    "inject": "“{what}” {text}",
    "machine": "the machine: {text}",
    "halt": "halted by {who}: {text}",
    "phase": "{what}: {text}",
}


def _said(entry: Entry) -> str:
    form = _SAID.get(entry.kind, "{text}")
    return form.format(who=entry.who, what=entry.what, text=entry.text).removesuffix(": ")


def loss_line(lost: tuple[int, int] | None) -> str:
    """What was lost, in words."""
    if lost is None:
        return "not counted by this workload"
    return f"{counted(lost[0], 'write')} of {lost[1]:,} acknowledged"
