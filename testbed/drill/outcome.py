"""The outcome of a drill: its objective judged from what clients saw."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from experiments.judging import judge
from experiments.setting import setting_of
from testbed.checkers.verdict import Validity, Verdict, merge
from testbed.drill.book import read_book
from testbed.drill.cut_short import cut_short, unfinished
from testbed.drill.drill import Drill
from testbed.metrics.alarms import fired
from testbed.metrics.prometheus import Firing
from testbed.runner.folder import RunFolder
from testbed.runner.recorded import RecordedRun, read_run


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a drill came to.

    Args:
        validity: Of the objective; None when the environment failed.
        reason: One sentence.
        verdicts: The promises of the experiment, then what the drill asks besides.
    """

    validity: Validity | None
    reason: str
    verdicts: tuple[Verdict, ...]

    @property
    def exit_code(self) -> int:
        """0 the objective held, 1 it was missed, 2 inconclusive, 3 the environment failed."""
        codes = {None: 3, Validity.VALID: 0, Validity.VIOLATION: 1, Validity.UNKNOWN: 2}
        return codes[self.validity]

    @property
    def word(self) -> str:
        """``held``, ``missed``, ``inconclusive`` or ``not played``."""
        words = {
            None: "not played",
            Validity.VALID: "held",
            Validity.VIOLATION: "missed",
            Validity.UNKNOWN: "inconclusive",
        }
        return words[self.validity]


def outcome_of(folder: RunFolder, drill: Drill) -> Outcome:
    """Judge a drill from its folder, and write ``verdict.json``.

    Raises:
        FolderError: The folder is incomplete or damaged.
    """
    judged = judge(folder)
    run = read_run(folder)
    book = read_book(folder.path)
    verdicts = (*judged.verdicts, *_asked(run, drill, cut_short(book, drill)))
    merged = merge(verdicts)
    if judged.validity is None and merged is not Validity.VIOLATION:
        return Outcome(None, run.ending.problem, verdicts)
    missing = unfinished(book, drill)
    if merged is not Validity.VIOLATION and missing:
        # What was cut short may have broken its promise a second later.
        return Outcome(Validity.UNKNOWN, missing, verdicts)
    telling = [one for one in verdicts if one.validity is merged]
    if merged is Validity.VALID:
        return Outcome(merged, f"{len(verdicts)} promises held", verdicts)
    return Outcome(merged, "; ".join(f"{one.name}: {one.reason}" for one in telling), verdicts)


def _asked(run: RecordedRun, drill: Drill, short: str) -> Iterator[Verdict]:
    """What the objective asks beside the experiment's promises.

    Args:
        run: What was recorded.
        drill: What was played.
        short: Why what was to happen may have had no time to; empty if it had.
    """
    setting = setting_of(run)
    injected_ns = min((window.inject_ns for window in run.windows), default=None)
    before, after = set[str](), list[str]()
    for pair in run.history.of(setting.writes, "ok"):
        if pair.node is None or pair.end_ns is None:
            continue
        if injected_ns is None or pair.end_ns <= injected_ns:
            before.add(pair.node)
        else:
            after.append(pair.node)
    if drill.objective.primary != "anywhere":
        yield _moved(drill.objective.primary, before, after, short)
    if drill.objective.jurisdiction:
        yield _jurisdiction(run, drill.objective.jurisdiction, [*before, *after])
    firings = fired(run.folder)
    if drill.objective.alerts and firings is not None:
        yield _alerted(drill.objective.alerts, firings, injected_ns, short)


def _alerted(
    wanted: tuple[str, ...], firings: tuple[Firing, ...], injected_ns: int | None, short: str
) -> Verdict:
    """Whether each alert fired after the first inject."""
    promise = "The alerts that belong to what is injected fire."
    if injected_ns is None:
        return Verdict("alerts", promise, Validity.UNKNOWN, "nothing was injected")
    since_s = injected_ns / 1e9
    first: dict[str, float] = {}
    for firing in firings:
        if firing.from_s >= since_s:
            first.setdefault(firing.name, firing.from_s - since_s)
    missing = [name for name in wanted if name not in first]
    if missing:
        said = f"{', '.join(missing)} did not fire; what did: {', '.join(first) or 'nothing'}"
        return _missed("alerts", promise, said, short)
    said = ", ".join(f"{name} after {first[name]:.1f} s" for name in wanted)
    numbers = {"first_alert_s": min(first.values())}
    return Verdict("alerts", promise, Validity.VALID, said, numbers=numbers)


def _missed(name: str, promise: str, said: str, short: str) -> Verdict:
    """What was to happen did not; no violation if it had no time to."""
    if short:
        return Verdict(name, promise, Validity.UNKNOWN, f"{said}; but {short}")
    return Verdict(name, promise, Validity.VIOLATION, said)


def _moved(wanted: str, before: set[str], after: list[str], short: str) -> Verdict:
    promise = f"The primary {wanted}: who acknowledges writes before the fault, and after it."
    if not before or not after:
        return Verdict("primary", promise, Validity.UNKNOWN, "too few writes to say")
    last = after[-1]
    moved = last not in before
    strangers = sorted(set(after) - before)
    said = f"{', '.join(sorted(before))} before, {last} in the end"
    if strangers and wanted == "stays":
        said += f"; {', '.join(strangers)} meanwhile"
    if wanted == "moves" and not moved:
        return _missed("primary", promise, said, short)
    good = wanted == "moves" or not strangers
    return Verdict("primary", promise, Validity.VALID if good else Validity.VIOLATION, said)


def _jurisdiction(run: RecordedRun, wanted: str, nodes: list[str]) -> Verdict:
    promise = f"Only nodes in {wanted} acknowledge writes."
    areas = {region.name: region.jurisdiction for region in run.deployment.topology.regions}
    outside = [node for node in nodes if areas[run.region_of[node]] != wanted]
    if not nodes:
        return Verdict("jurisdiction", promise, Validity.UNKNOWN, "no write was acknowledged")
    if outside:
        where = ", ".join(f"{one} ({areas[run.region_of[one]]})" for one in sorted(set(outside)))
        said = f"{len(outside)} of {len(nodes)} writes were acknowledged by {where}"
        return Verdict("jurisdiction", promise, Validity.VIOLATION, said)
    who = ", ".join(sorted(set(nodes)))
    return Verdict("jurisdiction", promise, Validity.VALID, f"{len(nodes)} writes, all by {who}")
