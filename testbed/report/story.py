"""A run in words: the headline, what happened when, and what to be careful about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from testbed.checkers.counted import counted
from testbed.report.judgement import Judgement, Outcome, Promise
from testbed.report.lanes import fault_spans, overlaps, role_spans
from testbed.report.loss import check_loss
from testbed.report.recorded import RecordedRun
from testbed.report.timeline import span
from testbed.report.wording import moment, seconds

_GAP_S_MIN = 1.0
"""Shorter times without an acknowledgement are measured, but no event worth telling."""

_UNJUDGED = "There is no verdict for this run."


@dataclass(frozen=True, slots=True)
class Headline:
    """The verdict in words: one line, and the sentence below it."""

    outcome: Outcome
    line: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened; ``kind`` is ``fault``, ``role``, ``service`` or ``loss``."""

    time_s: float
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Caveat:
    """Something to be careful about: ``inconclusive``, ``failed``, ``missing`` or ``note``."""

    kind: str
    text: str


def outcome_of(run: RecordedRun) -> Outcome:
    """How the run ended; a run that was not judged is unknown."""
    return run.judgement.outcome if run.judgement else Outcome.UNKNOWN


def headline(run: RecordedRun) -> Headline:
    """The verdict in words."""
    judged = run.judgement
    if judged is None:
        return Headline(Outcome.UNKNOWN, "Not judged", _UNJUDGED)
    total = len(judged.promises)
    broken = [found for found in judged.promises if found.outcome is Outcome.VIOLATION]
    reason = judged.reasons[0] if judged.reasons else ""
    if judged.outcome is Outcome.VALID:
        line = f"All {total} promises held" if total != 1 else "The promise held"
        return Headline(Outcome.VALID, line, fault_sentence(run))
    if judged.outcome is Outcome.VIOLATION:
        reason = reason or "The verdict does not say which promise."
        first = f"“{promise_words(broken[0])}”: {broken[0].reason}" if broken else reason
        line = f"Broken: {len(broken)} of {counted(total, 'promise')}" if broken else "Broken"
        return Headline(Outcome.VIOLATION, line, first)
    if judged.outcome is Outcome.ERROR:
        sentence = reason or "The run says no more; look at the logs in its folder."
        return Headline(Outcome.ERROR, "The environment failed: nothing was judged", sentence)
    return Headline(Outcome.UNKNOWN, "Inconclusive: not a pass", reason or _first_unknown(judged))


def _first_unknown(judged: Judgement) -> str:
    for found in judged.promises:
        if found.outcome is not Outcome.VALID:
            return f"{promise_words(found)}: {found.reason}"
    return "No promise was judged." if not judged.promises else "The run gives no reason."


def promise_words(promise: Promise) -> str:
    """The promise as the beginning of a sentence."""
    return (promise.promise or promise.name).strip().removesuffix(".")


def fault_sentence(run: RecordedRun) -> str:
    """What was broken, and how long service was away, in one sentence."""
    spans = fault_spans(run, span(run)[1])
    if not spans:
        return "No fault was injected."
    counts = Counter(fault.title for fault in spans)
    faults = ", ".join(title if n == 1 else f"{title} ({n} times)" for title, n in counts.items())
    return " ".join([f"Injected: {faults}.", *_recovery_sentences(run)])


def _recovery_sentences(run: RecordedRun) -> Iterator[str]:
    """How long service was away: where a bound was promised, elsewhere, and where for good."""
    recoveries = run.judgement.recoveries if run.judgement else ()
    known = [found for found in recoveries if found.rto_s is not None]
    for found, where in (
        ([each for each in known if each.bound_s is not None], "where that was promised"),
        ([each for each in known if each.bound_s is None], "with no bound promised"),
    ):
        if found:
            longest = max(found, key=lambda each: each.rto_s or 0.0)
            yield f"Longest time without service: {seconds(longest.rto_s)} {where}"
            yield f"({longest.region})."
    stuck = sorted({each.region for each in recoveries if each.rto_s is None})
    if stuck:
        yield f"Service did not come back in {', '.join(stuck)}."


def moments(run: RecordedRun) -> list[Moment]:
    """What happened, in order of time."""
    found = [*_fault_moments(run), *_role_moments(run), *_service_moments(run), *_loss_moment(run)]
    return sorted(found, key=lambda item: item.time_s)


def _fault_moments(run: RecordedRun) -> Iterator[Moment]:
    for fault in fault_spans(run, span(run)[1]):
        yield Moment(fault.start_s, "fault", f"{fault.title} injected")
        if fault.effect_s is not None:
            yield Moment(fault.effect_s, "fault", f"{fault.title} shown to bite")
        if fault.healed and not fault.momentary:
            yield Moment(fault.end_s, "fault", f"{fault.title} healed")
        if fault.absence_s is not None:
            yield Moment(fault.absence_s, "fault", f"{fault.title} shown to be gone")


def _role_moments(run: RecordedRun) -> Iterator[Moment]:
    start_s, end_s = span(run)
    for claim in role_spans(run.roles, start_s, end_s):
        if not claim.primary:
            continue
        timeline = f" (timeline {claim.timeline})" if claim.timeline else ""
        if claim.start_s > start_s:
            yield Moment(claim.start_s, "role", f"{claim.node} claims to be primary{timeline}")
        if claim.end_s < end_s:
            yield Moment(claim.end_s, "role", f"{claim.node} no longer claims to be primary")


def _service_moments(run: RecordedRun) -> Iterator[Moment]:
    for found in run.judgement.recoveries if run.judgement else ():
        if found.rto_s is not None and found.rto_s < _GAP_S_MIN:
            continue
        if found.from_s is not None:
            yield Moment(
                found.from_s, "service", f"{found.region}: writes are no longer acknowledged"
            )
        if found.until_s is not None:
            text = f"{found.region}: writes are acknowledged again, after {seconds(found.rto_s)}"
            yield Moment(found.until_s, "service", text)


def _loss_moment(run: RecordedRun) -> Iterator[Moment]:
    loss = run.judgement.loss if run.judgement else None
    times = (
        [lost.acknowledged_s for lost in loss.lost if lost.acknowledged_s is not None]
        if loss
        else []
    )
    if loss and times:
        nodes = ", ".join(sorted({lost.node for lost in loss.lost if lost.node}))
        by = f" by {nodes}" if nodes else ""
        lost = counted(len(loss.lost), "write")
        are = "that is" if len(loss.lost) == 1 else "that are"
        text = f"{lost} acknowledged{by} from here to {moment(max(times))} {are} in no final read"
        yield Moment(min(times), "loss", text)


def caveats(run: RecordedRun) -> list[Caveat]:
    """What to be careful about: first what makes the run inconclusive, then what is missing."""
    found = [
        *_inconclusive(run),
        *(Caveat("missing", str(problem)) for problem in run.problems),
        *_notes(run),
    ]
    return list(dict.fromkeys(found))


def _inconclusive(run: RecordedRun) -> Iterator[Caveat]:
    if run.judgement is None:
        yield Caveat("inconclusive", "The run was not judged, so it shows nothing yet.")
    else:
        failed = run.judgement.outcome is Outcome.ERROR
        # The first reason of a failure is the headline already.
        for reason in run.judgement.reasons[1 if failed else 0 :]:
            yield Caveat("failed" if failed else "inconclusive", reason)
        for promise in run.judgement.promises:
            undecided = promise.outcome in {Outcome.UNKNOWN, Outcome.ERROR}
            # The reasons of the run as a whole may name the promise's already.
            if undecided and not any(
                promise.reason and promise.reason in reason for reason in run.judgement.reasons
            ):
                yield Caveat("inconclusive", f"{promise_words(promise)}: {promise.reason}")
    for evidence in run.evidence:
        if not evidence.shown:
            what = "to bite" if evidence.phase == "effect" else "to be gone"
            text = f"{evidence.fault} was not shown {what}: {evidence.observation}"
            yield Caveat("inconclusive", text)
    judged_faults = {(evidence.fault, evidence.phase) for evidence in run.evidence}
    for fault in run.schedule:
        if fault.inject_s is None:
            yield Caveat("inconclusive", f"{fault.title} was never injected.")
        elif fault.effect_s is None and (fault.title, "effect") not in judged_faults:
            text = f"{fault.title}: no evidence that it took effect is recorded."
            yield Caveat("inconclusive", text)


def _notes(run: RecordedRun) -> Iterator[Caveat]:
    start_s, end_s = span(run)
    for fault in fault_spans(run, end_s):
        if not fault.healed:
            yield Caveat("note", f"{fault.title} has no recorded heal.")
    for first, second, since_s, until_s in overlaps(role_spans(run.roles, start_s, end_s)):
        text = (
            f"{first.node} and {second.node} both claimed to be primary from {moment(since_s)} to "
            f"{moment(until_s)}. This is what they said of themselves; whether both acknowledged "
            "writes is judged from the clients' history alone."
        )
        yield Caveat("note", text)
    check = check_loss(run)
    if check and check.fits is False:
        yield Caveat("note", check.sentence)
