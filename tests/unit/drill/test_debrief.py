"""The debrief says what was injected, seen and done; nothing that was recorded can act in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from testbed.checkers.verdict import Validity, Verdict
from testbed.drill.book import Entry
from testbed.drill.debrief import Debrief, Injected, Moment
from testbed.drill.debrief_html import render_html
from testbed.drill.debrief_markdown import render_markdown
from testbed.drill.drill import Bound
from testbed.drill.outcome import Outcome
from testbed.drill.scorecard import Time
from testbed.drill.worst import Worst
from tests.unit.drill.scene import shipped

EVIL = "<script>alert(1)</script> | **bold** `code` \u202e"
PROMISES = (
    Verdict("durability", "Nothing is lost.", Validity.VALID, "nothing was"),
    Verdict("rto", "It is served again.", Validity.VIOLATION, EVIL),
)
DEBRIEF = Debrief(
    drill=shipped()[0],
    outcome=Outcome(Validity.VIOLATION, "rto: too late", PROMISES),
    started="2026-01-02T03:04:05+00:00",
    auto=False,
    control=True,
    source="my drills/first.yml",
    injected=(
        Injected("it breaks", "region-cut eu-west", "4.0 s", "18.0 s", True, EVIL, True, "", False),
    ),
    skipped=("not this one",),
    times=(
        Time("machine", 2.0, "testbed", "success"),
        Time("detect", 3.0, "ann", EVIL, "region-cut eu-west began", True),
        Time("mitigate", 5.0, "ann", "", "served again", False),
        Time("recover", None),
    ),
    false_alarms=(Entry(0, "declare", "ann", "detected"),),
    rto=(("us-east", "region-cut", 9.7, 38.0), ("eu-west", "heal", None, 20.0)),
    lost=(3, 1200),
    worst=(Worst(Bound("success_ratio", "min", 0.9), 0.2, 12.0, 9.0),),
    preflight=(Entry(0, "preflight", "testbed", "the world is healthy", "6 nodes", good=True),),
    story=(Moment(1.0, "people", f"ann notes: {EVIL}"), Moment(2.0, "halt", "halted by bob")),
    halt=Entry(9, "halt", "bob", "halted", "aborted"),
    healed="every fault was healed 0.04 s after the wish to stop",
)


def test_the_page_is_well_formed_and_nothing_recorded_can_act() -> None:
    page = render_html(DEBRIEF)
    ET.fromstring(page.replace("<!DOCTYPE html>", ""))
    assert "<script" not in page
    assert "alert(1)" in page
    assert "\u202e" not in page


@pytest.mark.parametrize("render", [render_html, render_markdown])
def test_everything_that_matters_is_said(render: object) -> None:
    assert callable(render)
    page = render(DEBRIEF)
    for expected in (
        "the objective was missed", "negative control", "region-cut eu-west", "not this one",
        "healed 0.04 s after", "aborted", "9.0 s", "Nothing is lost.", "not served again", "bound",
        *DEBRIEF.drill.questions,
    ):  # fmt: skip
        assert expected in page, expected


def test_markdown_takes_nothing_recorded_for_its_own() -> None:
    page = render_markdown(DEBRIEF)
    assert "<script>" not in page
    assert "\\*\\*bold\\*\\*" in page
    rows = [line for line in page.splitlines() if line.startswith("| to detect")]
    assert rows[0].replace("\\|", "").count("|") == 6


def test_the_longest_outage_is_the_one_that_did_not_end() -> None:
    assert DEBRIEF.worst_rto == ("eu-west", "heal", None, 20.0)
    plain = replace(DEBRIEF, rto=DEBRIEF.rto[:1]).plain()
    assert (plain["rto_s"], plain["rto_bound_s"], plain["lost_writes"]) == (9.7, 38.0, 3)
    assert (plain["outcome"], plain["exit_code"], plain["halted"]) == ("missed", 1, "aborted")


def test_the_worst_promise_stands_first(tmp_path: Path) -> None:
    assert [one.name for one in DEBRIEF.verdicts] == ["rto", "durability"]
