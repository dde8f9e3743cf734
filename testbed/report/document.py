"""A suite as one JSON document, for programs: what ``testbed run --json`` prints.

The format is stable: within a version fields are only added. ``document_schema.json`` beside this
file describes it.
"""

from __future__ import annotations

from dataclasses import asdict
from importlib import resources
from typing import Any

import orjson

from testbed.report.loss import check_loss
from testbed.report.recorded import RecordedRun
from testbed.report.story import caveats, headline, outcome_of
from testbed.report.suite import Suite
from testbed.runner.plan import Plan

DOCUMENT_VERSION = 1
DOCUMENT_FORMAT = "testbed.suite"


def render_document(suite: Suite) -> str:
    """The document as text, one line, with a line end."""
    document = _encodable(suite_document(suite))
    return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE).decode()


def document_schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    text = (resources.files("testbed.report") / "document_schema.json").read_bytes()
    schema: dict[str, Any] = orjson.loads(text)
    return schema


def suite_document(suite: Suite) -> dict[str, Any]:
    """The document as plain data."""
    return {
        "format": DOCUMENT_FORMAT,
        "version": DOCUMENT_VERSION,
        "experiment": suite.experiment,
        "outcome": suite.outcome.value,
        "exit_code": suite.outcome.exit_code,
        "problem": suite.problem,
        "duration_s": suite.duration_s,
        "counts": {outcome.value: count for outcome, count in suite.counts.items()},
        "runs": [_run(run) for run in suite.runs],
    }


def _run(run: RecordedRun) -> dict[str, Any]:
    judged = run.judgement
    found = headline(run)
    check = check_loss(run)
    return {
        "run": str(run.folder),
        "example": judged.example if judged else "",
        "outcome": outcome_of(run).value,
        "headline": found.line,
        "reason": found.sentence,
        "plan": _plan(run.plan) if run.plan else None,
        "promises": [
            {
                "name": promise.name,
                "promise": promise.promise,
                "outcome": promise.outcome.value,
                "reason": promise.reason,
                "counterexample": list(promise.counterexample),
                "numbers": dict(promise.numbers),
                "causes": [asdict(cause) for cause in promise.causes],
            }
            for promise in (judged.promises if judged else ())
        ],
        "rto": [asdict(recovery) for recovery in (judged.recoveries if judged else ())],
        "rpo": None
        if judged is None or judged.loss is None
        else {
            "lost": [asdict(write) for write in judged.loss.lost],
            "acknowledged": judged.loss.acknowledged,
            "rate_ops_s": check.rate_ops_s if check else None,
            "window_s": check.window_s if check else None,
            "expected": check.expected if check else None,
            "fits": check.fits if check else None,
        },
        "availability": dict(judged.availability) if judged else {},
        "faults": [asdict(fault) for fault in run.schedule],
        "caveats": [asdict(caveat) for caveat in caveats(run)],
        "problems": [asdict(problem) for problem in run.problems],
        "replay": ["testbed", "replay", str(run.folder)],
    }


def _plan(plan: Plan) -> dict[str, Any]:
    return {
        "deployment": plan.deployment,
        "variables": dict(plan.variables),
        "workload": plan.load.workload,
        "rate_ops_s": plan.load.rate_ops_s,
        "seed": plan.seed,
        "duration_s": plan.duration_s,
        "schedule": [
            {
                "kind": step.kind,
                "target": step.target,
                "at_s": step.at_s,
                "duration_s": step.duration_s,
                "parameters": dict(step.parameters),
            }
            for step in plan.schedule
        ],
    }


def _encodable(value: Any) -> Any:
    """The same with every text valid Unicode: a folder's name may hold any byte."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {_encodable(key): _encodable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_encodable(item) for item in value]
    return value
