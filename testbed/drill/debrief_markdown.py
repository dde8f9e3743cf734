"""The debrief as Markdown, for a wiki or an incident review."""

from __future__ import annotations

import re
from collections.abc import Iterator

from testbed.drill.debrief import NAMES, Debrief, loss_line
from testbed.report.visible import visible
from testbed.report.wording import number, seconds


def render_markdown(debrief: Debrief) -> str:
    """The whole page."""
    return "\n".join(_lines(debrief)) + "\n"


def _lines(debrief: Debrief) -> Iterator[str]:
    drill, outcome = debrief.drill, debrief.outcome
    yield f"# {drill.title}: the objective was {outcome.word}"
    yield ""
    yield f"> {_safe(drill.objective.says)}"
    yield ""
    yield f"{_safe(outcome.reason)}."
    if debrief.control:
        yield ""
        yield "**This was the negative control: it must miss the objective.**"
    if debrief.halt is not None:
        yield ""
        yield f"**Halted**: {_safe(debrief.halt.text)}; {_safe(debrief.healed)}."
    yield from _scorecard(debrief)
    yield from _injects(debrief)
    yield "\n## How far from healthy\n"
    yield from _table(
        ("healthy", "worst", "at", "broken for"),
        (
            (
                str(one.bound),
                "no reading" if one.value is None else number(one.value),
                seconds(one.at_s),
                seconds(one.broken_s),
            )
            for one in debrief.worst
        ),
    )
    yield "\n## Promises\n"
    yield from _table(
        ("promise", "verdict", "why"),
        ((one.promise, one.validity.name.lower(), one.reason) for one in debrief.verdicts),
    )
    yield "\n## What happened\n"
    for moment in debrief.story:
        yield f"- {moment.time_s:.1f} s: {_safe(moment.text)}"
    yield "\n## Preflight\n"
    yield from _table(
        ("item", "", "what was found"),
        ((one.what, "ok" if one.good else "NO", one.text) for one in debrief.preflight),
    )
    yield "\n## Questions\n"
    for question in drill.questions:
        yield f"- [ ] {_safe(question)}"


def _scorecard(debrief: Debrief) -> Iterator[str]:
    yield "\n## Scorecard\n"
    yield from _table(
        ("from the first inject", "time", "who", "said", "measured against"),
        (
            (
                NAMES[one.name],
                seconds(one.seconds) + (" (wrong)" if one.good is False else ""),
                one.who or "nobody",
                one.said,
                one.truth,
            )
            for one in debrief.times
        ),
    )
    worst = debrief.worst_rto
    yield ""
    if worst is not None:
        region, fault, rto_s, bound_s = worst
        told = seconds(rto_s) if rto_s is not None else "not served again in time"
        yield f"- RTO: {told} in {region} after {fault} (bound {seconds(bound_s)})"
    yield f"- RPO: {loss_line(debrief.lost)}"
    yield f"- False alarms: {len(debrief.false_alarms)}"


def _injects(debrief: Debrief) -> Iterator[str]:
    yield "\n## What was injected\n"
    yield from _table(
        ("inject", "fault", "at", "lasted", "hidden", "shown to"),
        (
            (
                one.name,
                one.fault,
                one.began,
                one.lasted,
                "yes" if one.hidden else "no",
                f"{'bite' if one.shown else 'NOT bite'}: {one.effect}",
            )
            for one in debrief.injected
        ),
    )
    for name in debrief.skipped:
        yield f"\nNot injected: {_safe(name)}"


def _table(titles: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    yield "| " + " | ".join(titles) + " |"
    yield "|" + "---|" * len(titles)
    for row in rows:
        yield "| " + " | ".join(_safe(cell) for cell in row) + " |"


def _safe(text: str) -> str:
    """Text that Markdown takes for nothing else."""
    cleaned = visible(" ".join(text.split())).replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\|`*_\[\]])", r"\\\1", cleaned)
