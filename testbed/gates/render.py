"""A gate's result as Markdown, JUnit XML and JSON."""

from __future__ import annotations

from dataclasses import asdict
from xml.etree import ElementTree as ET

import orjson

from testbed.gates.gate import GateResult
from testbed.report.judgement import Outcome
from testbed.report.visible import visible

_WORDS = {
    Outcome.VALID: "✅ passed",
    Outcome.VIOLATION: "❌ failed",
    Outcome.UNKNOWN: "⚠️ inconclusive",
    Outcome.ERROR: "🛑 environment failed",
}
_TYPES = {
    Outcome.VIOLATION: ("failure", "violation"),
    Outcome.UNKNOWN: ("error", "inconclusive"),
    Outcome.ERROR: ("error", "environment"),
}


def render_markdown(result: GateResult) -> str:
    """A table, as GitHub's step summary and GitLab's comments show it."""
    lines = [
        f"## Gate {_cell(result.gate)}: {_WORDS[result.outcome]}",
        "",
        "| suite | promise | measured | threshold | outcome | why |",
        "|---|---|---|---|---|---|",
    ]
    for one in result.findings:
        cells = [one.suite, one.promise, one.measured, one.threshold]
        shown = [_cell(cell) for cell in cells]
        lines.append(f"| {' | '.join(shown)} | {_WORDS[one.outcome]} | {_cell(one.reason)} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    shown = " ".join(visible(text).split())
    for raw, escaped in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("|", "\\|")):
        shown = shown.replace(raw, escaped)
    return shown


def render_json(result: GateResult) -> str:
    """The result as one JSON document."""
    document = {
        "format": "testbed.gate",
        "version": 1,
        "gate": result.gate,
        "outcome": result.outcome.value,
        "exit_code": result.outcome.exit_code,
        "findings": [{**asdict(one), "outcome": one.outcome.value} for one in result.findings],
    }
    return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_INDENT_2).decode()


def render_junit(result: GateResult) -> str:
    """A test case a finding; what is inconclusive is an error, never skipped.

    Findings take no time: what ran has its own file, with the time of each run.
    """
    kinds = [_TYPES.get(one.outcome, ("", ""))[0] for one in result.findings]
    totals = {
        "tests": str(len(kinds)),
        "failures": str(kinds.count("failure")),
        "errors": str(kinds.count("error")),
    }
    head = {"name": visible(result.gate, 200), **totals, "time": "0"}
    root = ET.Element("testsuites", head)
    suite = ET.SubElement(root, "testsuite", head)
    for one in result.findings:
        names = {"classname": visible(f"gate.{one.suite}", 200), "name": visible(one.promise, 200)}
        case = ET.SubElement(suite, "testcase", {**names, "time": "0"})
        if one.outcome in _TYPES:
            tag, kind = _TYPES[one.outcome]
            said = visible(f"{one.measured}, threshold {one.threshold}: {one.reason}")
            ET.SubElement(case, tag, {"type": kind, "message": said}).text = said
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'
