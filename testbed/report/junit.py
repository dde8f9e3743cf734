"""A suite as JUnit XML, for CI servers: a test suite a run, a test case a promise.

A broken promise is a ``failure``. What could not be decided is an ``error`` of type
``inconclusive`` and a failed environment one of type ``environment``: neither may look like a pass,
and ``skipped``, which most servers colour green, is never used.

The shape is that of Jenkins' schema, which GitLab, GitHub's actions and most others read as well.
"""

from __future__ import annotations

import datetime as dt
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from testbed.report.counterexample import counterexample_text
from testbed.report.judgement import Outcome, Promise
from testbed.report.recorded import RecordedRun
from testbed.report.story import caveats, headline, outcome_of
from testbed.report.suite import Suite, run_faults, run_name
from testbed.report.visible import compact, visible, visible_lines

_TYPES = {
    Outcome.VIOLATION: ("failure", "violation"),
    Outcome.UNKNOWN: ("error", "inconclusive"),
    Outcome.ERROR: ("error", "environment"),
}
RUN_CASE = "the run is conclusive"
"""The test case of every run that says whether anything could be judged at all."""


@dataclass(frozen=True, slots=True)
class _Case:
    name: str
    outcome: Outcome
    message: str
    text: str


def render_junit(suite: Suite) -> str:
    """The document as text, its XML declaration included."""
    root = ET.Element("testsuites", {"name": visible(suite.experiment, 200)})
    elements = [_test_suite(suite, run, number) for number, run in enumerate(suite.runs)]
    if suite.problem or not suite.runs:
        elements.append(_problem_suite(suite, len(elements)))
    root.extend(elements)
    for total in ("tests", "failures", "errors"):
        root.set(total, str(sum(int(element.get(total, "0")) for element in elements)))
    root.set("time", f"{suite.duration_s or 0.0:.3f}")
    ET.indent(root)
    declaration = '<?xml version="1.0" encoding="UTF-8"?>'
    return f"{declaration}\n{ET.tostring(root, encoding='unicode')}\n"


def _test_suite(suite: Suite, run: RecordedRun, number: int) -> ET.Element:
    took_s = run.plan.duration_s if run.plan else 0.0
    name = f"{suite.experiment}: {run_name(run)}: {run_faults(run)}"
    element = _suite_element(
        suite, name, number, list(_cases(run)), took_s=took_s, short=run_name(run)
    )
    if run.judgement and (started := _timestamp(run.judgement.started)):
        element.set("timestamp", started)
    properties = ET.Element("properties")
    for key, value in _properties(run):
        ET.SubElement(properties, "property", {"name": visible(key, 200), "value": visible(value)})
    element.insert(0, properties)
    replay = f"testbed replay {shlex.quote(str(run.folder))}"
    ET.SubElement(element, "system-out").text = f"{visible(headline(run).line)}\n{visible(replay)}"
    return element


def _problem_suite(suite: Suite, number: int) -> ET.Element:
    """Stands for what failed outside of any run, so that it is not lost."""
    message = suite.problem or "no run was judged"
    outcome = Outcome.ERROR if suite.problem else Outcome.UNKNOWN
    case = _Case("the suite ran", outcome, message, message)
    return _suite_element(
        suite, f"{suite.experiment}: suite", number, [case], took_s=0.0, short="suite"
    )


def _suite_element(
    suite: Suite, name: str, number: int, cases: list[_Case], *, took_s: float, short: str
) -> ET.Element:
    kinds = [_TYPES.get(case.outcome, ("", ""))[0] for case in cases]
    attributes = {
        "name": visible(name, 300),
        "package": visible(suite.experiment, 200),
        "id": str(number),
        "hostname": "localhost",
        "tests": str(len(cases)),
        "failures": str(kinds.count("failure")),
        "errors": str(kinds.count("error")),
        "time": f"{took_s:.3f}",
    }
    element = ET.Element("testsuite", attributes)
    for case in cases:
        # Servers add the cases' times up: each gets its share of the run's. They read what stands
        # before the last dot of a class name as its package.
        attributes = {
            "classname": visible(f"{suite.experiment}.{short.replace(' ', '-')}", 200),
            "name": case.name,
            "time": f"{took_s / len(cases):.3f}",
        }
        _add_outcome(ET.SubElement(element, "testcase", attributes), case)
    return element


def _add_outcome(element: ET.Element, case: _Case) -> None:
    if case.outcome in _TYPES:
        tag, kind = _TYPES[case.outcome]
        found = ET.SubElement(element, tag, {"type": kind, "message": visible(case.message)})
        found.text = visible_lines(case.text, 20_000)


def _cases(run: RecordedRun) -> Iterator[_Case]:
    """A case for the run as a whole, then one a promise."""
    outcome = outcome_of(run)
    judged = run.judgement
    # A violation is a conclusion; a doubt about the run as a whole is none.
    whole = Outcome.VALID if outcome is Outcome.VIOLATION else outcome
    head = headline(run)
    doubts = [f"{caveat.kind}: {caveat.text}" for caveat in caveats(run)]
    yield _Case(RUN_CASE, whole, head.sentence, "\n".join([head.line, head.sentence, *doubts]))
    promises = judged.promises if judged else ()
    doubtful = whole is not Outcome.VALID and judged is not None and bool(judged.reasons)
    for promise in promises:
        yield _promise_case(promise, doubtful=doubtful)
    broken = any(promise.outcome is Outcome.VIOLATION for promise in promises)
    if outcome is Outcome.VIOLATION and not broken:
        yield _Case("all promises", outcome, head.sentence, head.sentence)


def _promise_case(promise: Promise, *, doubtful: bool) -> _Case:
    """The case of a promise; in a run that shows nothing, a promise that held shows nothing."""
    outcome, reason = promise.outcome, promise.reason or promise.promise
    if doubtful and outcome is Outcome.VALID:
        outcome, reason = Outcome.UNKNOWN, f"the run is not conclusive; in it: {reason}"
    numbers = [f"{name} = {value:g}" for name, value in promise.numbers.items()]
    lines = [promise.promise, reason, *numbers]
    if promise.counterexample:
        lines += ["counterexample:", counterexample_text(promise.counterexample)]
    name = visible(promise.name or promise.promise or "unnamed promise", 200)
    return _Case(name, outcome, reason, "\n".join(lines))


def _properties(run: RecordedRun) -> Iterator[tuple[str, str]]:
    yield "run", str(run.folder)
    yield "outcome", outcome_of(run).value
    if run.plan:
        yield "deployment", run.plan.deployment
        yield "seed", str(run.plan.seed)
        for name, value in run.plan.variables.items():
            yield f"variable.{name}", compact(value)
    if run.judgement and isinstance(programs := run.judgement.environment.get("programs"), dict):
        for name, version in programs.items():
            yield f"version.{name}", compact(version)


def _timestamp(started: str) -> str:
    """The time without its zone, as the schemas want it, in UTC; empty if it is no time."""
    try:
        time = dt.datetime.fromisoformat(started)
        moment = time if time.tzinfo is None else time.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return ""
    return moment.strftime("%Y-%m-%dT%H:%M:%S")
