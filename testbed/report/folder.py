"""Reading a run folder whole: what is there is kept, what is missing is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from faults.protocol import Evidence
from testbed.history.history import REFUSED
from testbed.history.operation import FAULTS_PROCESS
from testbed.report.kinds import READ, WRITE, kinds_of
from testbed.report.log_lines import LogLine, read_logs
from testbed.report.reading import Fields, Problem
from testbed.report.recorded import Call, FaultMark, RecordedRun, RoleSample, StreamLook
from testbed.report.verdict_file import parse_judgement
from testbed.runner.plan import PLAN_VERSION, Load, Plan, Step

NS_PER_S = 1e9


class RunFolderError(Exception):
    """There is no run to show at all; the message says what to do."""

    exit_code = 64


def read_run(folder: Path, *, operations: bool = True) -> RecordedRun:
    """Reads a run folder.

    Args:
        folder: The run folder.
        operations: False leaves out the history, roles, streams and logs, which only figures need:
            a suite of hundreds of runs is summed up from the rest.

    Raises:
        RunFolderError: It is no folder, or holds no file of a run.
    """
    if not folder.is_dir():
        raise RunFolderError(f"{folder}: no such folder; give the folder of a run")
    names = ("plan.json", "verdict.json", "history.jsonl")
    if not any((folder / name).exists() for name in names):
        raise RunFolderError(f"{folder}: not a run: none of {', '.join(names)} is in it")
    problems: list[Problem] = []
    plan = _document(folder / "plan.json", "the run cannot be replayed without it", problems)
    verdict = _document(folder / "verdict.json", f"judge it with: testbed judge {folder}", problems)
    found = None if plan is None else _plan(plan, problems)
    kind_of = kinds_of(found.load.workload if found else "")
    history = folder / "history.jsonl"
    calls, marks = _history(history, kind_of, problems) if operations else ((), ())
    return RecordedRun(
        folder=folder,
        plan=found,
        judgement=None if verdict is None else parse_judgement(verdict, problems),
        calls=calls,
        marks=marks,
        roles=_roles(folder / "roles.jsonl", problems) if operations else (),
        streams=_streams(folder / "metrics" / "streams.jsonl", problems) if operations else (),
        evidence=_evidence(folder / "evidence.jsonl", problems),
        logs=_logs(folder, problems) if operations else (),
        problems=tuple(problems),
    )


def _document(path: Path, remedy: str, problems: list[Problem]) -> Mapping[str, Any] | None:
    """A JSON file with one object, or None with the problem noted."""
    try:
        document = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        problems.append(Problem(path.name, "is missing", remedy))
        return None
    except (OSError, orjson.JSONDecodeError) as error:
        problems.append(Problem(path.name, f"cannot be read: {error}", remedy))
        return None
    if isinstance(document, dict):
        return document
    problems.append(Problem(path.name, "holds no JSON object", remedy))
    return None


def _logs(folder: Path, problems: list[Problem]) -> tuple[LogLine, ...]:
    """The logs, where the run says at which time of day its clock began."""
    if not (folder / "logs").is_dir():
        return ()
    ending = _document(folder / "ending.json", "the logs are left out without it", problems)
    fields = Fields(ending or {}, "ending.json", "", problems)
    zero_s = fields.number("clock_zero_s")
    # Runs of before say only when their process began, a moment earlier.
    zero_s = fields.number("started") if zero_s is None else zero_s
    return () if zero_s is None else read_logs(folder / "logs", zero_s, problems)


def _lines(path: Path, problems: list[Problem]) -> Iterator[Fields]:
    """Each object of a JSON lines file; a line that is none is counted and passed over.

    A last line without its end is what a killed writer leaves: it is passed over as well.
    """
    bad: list[int] = []
    name = path.name
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                try:
                    values = orjson.loads(line)
                except orjson.JSONDecodeError:
                    values = None
                if isinstance(values, dict):
                    yield Fields(values, name, f"line {number}", problems)
                elif line.strip():
                    bad.append(number)
    except FileNotFoundError:
        problems.append(Problem(path.name, "is missing", "what it would show is left out"))
    except OSError as error:
        problems.append(Problem(path.name, f"cannot be read: {error}"))
    if bad:
        count = f"{len(bad)} of its lines are" if len(bad) > 1 else "one of its lines is"
        what = f"{count} no JSON object, the first is line {bad[0]}"
        problems.append(Problem(path.name, what, "left out; a run that was killed may leave one"))


def _history(
    path: Path, kind_of: Callable[[str], str], problems: list[Problem]
) -> tuple[tuple[Call, ...], tuple[FaultMark, ...]]:
    """Invocations matched with their completions by process, and the steps of faults."""
    calls: list[Call] = []
    marks: list[FaultMark] = []
    invoked: dict[str, Call] = {}
    # Only the first invocation of a process says its region.
    regions: dict[str, str] = {}
    # A million operations share a few names.
    names: dict[str, str] = {}
    for line in _lines(path, problems):
        time_s = (line.number("time") or 0.0) / NS_PER_S
        process = line.text("process")
        process = names.setdefault(process, process)
        if process == FAULTS_PROCESS:
            marks.append(_mark(line, time_s))
        elif line.text("type") == "invoke":
            if process in invoked:
                calls.append(invoked[process])
            region = line.text("region") or regions.get(process, "")
            regions[process] = region
            invoked[process] = _invoked(line, region, process, kind_of, time_s)
        elif process in invoked:
            found = invoked.pop(process)
            kind, outcome = found.kind, line.text("type")
            if outcome == "fail" and line.text("error").startswith(REFUSED):
                # The system worked and the operation's own rule said no: an answered read.
                kind, outcome = (READ if kind == WRITE else kind), "ok"
            node = line.text("node")
            node = names.setdefault(node, node)
            # Built by hand: a million _replace calls are seconds.
            calls.append(Call(*found[:3], kind, *found[4:6], time_s, outcome, node))
    calls += invoked.values()
    calls.sort(key=lambda call: call.invoked_s)
    return tuple(calls), tuple(marks)


def _invoked(
    line: Fields, region: str, process: str, kind_of: Callable[[str], str], time_s: float
) -> Call:
    """An operation without an end so far: its outcome is unknown since it was sent."""
    due, f = line.number("due"), line.text("f")
    due_s = time_s if due is None else due / NS_PER_S
    return Call(region, process, f, kind_of(f), time_s, due_s, time_s, "info", "")


def _mark(line: Fields, time_s: float) -> FaultMark:
    value = line.mapping("value")
    return FaultMark(
        time_s=time_s,
        kind=line.text("f"),
        title=value.text("title") or line.text("f"),
        phase=value.text("phase"),
        resolved=value.text("resolved"),
        shown=value.values.get("shown") is not False,
    )


def _roles(path: Path, problems: list[Problem]) -> tuple[RoleSample, ...]:
    samples = [
        RoleSample(
            time_s=(line.number("time") or 0.0) / NS_PER_S,
            node=line.text("node"),
            role=line.text("role", "unknown"),
            timeline=line.text("term") or line.text("timeline"),
            leader=line.text("leader"),
            cluster=line.text("cluster"),
        )
        for line in _lines(path, problems)
    ]
    return tuple(sorted(samples, key=lambda sample: sample.time_s))


def _streams(path: Path, problems: list[Problem]) -> tuple[StreamLook, ...]:
    """Looks at the streams of replication, which runs of before and of other systems lack."""
    if not path.exists():
        return ()
    looks = [
        StreamLook(
            time_s=(line.number("time") or 0.0) / NS_PER_S,
            sender=line.text("sender"),
            receiver=line.text("receiver"),
            running=line.truth("running") is True,
            lag_ms=line.number("lag_ms"),
        )
        for line in _lines(path, problems)
    ]
    return tuple(sorted(looks, key=lambda look: look.time_s))


def _evidence(path: Path, problems: list[Problem]) -> tuple[Evidence, ...]:
    found = [
        Evidence(
            fault=line.text("fault"),
            phase=line.text("phase"),
            shown=line.truth("shown") is True,
            observation=line.text("observation"),
            readings=dict(line.mapping("readings").values),
            time=line.whole("time") or 0,
        )
        for line in _lines(path, problems)
    ]
    return tuple(sorted(found, key=lambda evidence: evidence.time))


def _plan(document: Mapping[str, Any], problems: list[Problem]) -> Plan:
    """Reads ``plan.json`` to show it; whether it can be run is for the runner to say."""
    top = Fields(document, "plan.json", "", problems)
    version = top.whole("version") or PLAN_VERSION
    if version > PLAN_VERSION:
        what = f"version {version} is newer than {PLAN_VERSION}, which this testbed knows"
        problems.append(Problem("plan.json", what, "it cannot be replayed here: upgrade"))
    load = top.mapping("load")
    return Plan(
        deployment=top.text("deployment"),
        load=Load(
            workload=load.text("workload"),
            rate_ops_s=load.number("rate_ops_s") or 0.0,
            processes=load.whole("processes") or 0,
            timeout_ms=load.whole("timeout_ms") or 0,
            parameters=load.mapping("parameters").values,
        ),
        schedule=tuple(
            Step(
                kind=step.text("kind"),
                target=step.text("target"),
                at_s=step.number("at_s") or 0.0,
                duration_s=step.number("duration_s"),
                parameters=step.mapping("parameters").values,
            )
            for step in top.objects("schedule")
        ),
        seed=top.whole("seed") or 0,
        duration_s=top.number("duration_s") or 0.0,
        variables=top.mapping("variables").values,
        # Older plans had no experiment but one.
        experiment=top.text("experiment") or "failover",
        inspections=tuple(one for one in top.items("inspections") if isinstance(one, str)),
        version=version,
    )
