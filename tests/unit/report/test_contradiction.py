"""Counterexamples in words and as figures: nothing a checker gives is lost or drawn wrongly."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from testbed.cli.main import main
from testbed.report.contradiction import Contradiction, contradictions
from testbed.report.figures.canvas import NARROW, VARIANTS, WIDE
from testbed.report.figures.contradiction import contradiction_figure, figures
from testbed.report.figures.frame import frame
from testbed.report.html import render_html
from testbed.report.judgement import Outcome, Promise
from testbed.report.recorded import Call, RecordedRun

NS = 1_000_000_000


def operation(process: Any, start_s: float, end_s: float | None, **more: Any) -> dict[str, Any]:
    end_ns = None if end_s is None else round(end_s * NS)
    found = {"process": process, "region": "eu-west", "node": "eu-west-db1", "f": "add", "value": 7}
    return found | {"outcome": "ok", "start_ns": round(start_s * NS), "end_ns": end_ns} | more


def test_a_lost_write_is_spelled_out() -> None:
    lost = operation(
        3, 10.0, 10.5, kind="lost", missing_at=["a", "b"], last_fault="region-cut x",
        after_fault_ms=500.2,
    )  # fmt: skip
    (found,) = contradictions([lost])
    (words,) = found.words
    assert words == (
        "eu-west-db1 acknowledged add 7 of process 3 in eu-west at 10.500 s, 500 ms after "
        "region-cut x; the final read of a, b lacks it"
    )


def test_operations_that_stand_alone_are_one_contradiction() -> None:
    items = [operation(n, 10 + n, 10.1 + n, kind="lost") for n in range(20)]
    (found,) = contradictions(items)
    assert len(found.acts) == 20
    assert found.words[-1] == "… and 16 more in verdict.json"


def test_the_words_of_a_checker_stay_and_its_operations_are_drawn() -> None:
    item = {"text": ["a:", "  b"], "operations": [operation(1, 5.0, 5.1), operation(1, 4.0, 4.1)]}
    (found,) = contradictions([item])
    assert found.words == ("a:", "  b")
    assert [act.start_s for act in found.acts] == [4.0, 5.0]


def test_long_words_are_cut_and_say_so() -> None:
    (found,) = contradictions([{"text": [f"line {n}" for n in range(30)]}])
    assert len(found.words) == 13
    assert found.words[-1] == "  … and 18 lines more below"


def test_operations_under_names_keep_their_part_and_the_length() -> None:
    item = {
        "old": "a (term 1)", "from_ns": 2 * NS, "to_ns": 5 * NS, "dual_ms": 3000.0,
        "new_had_begun": operation(1, 2.0, 2.1), "old_was_ongoing": operation(2, 5.0, 5.1),
    }  # fmt: skip
    (found,) = contradictions([item])
    assert found.words[0] == "old a (term 1), from 2.000 s, to 5.000 s, dual 3,000 ms"
    assert found.words[1].startswith("new had begun: process 1 in eu-west: add 7, acknowledged by")
    assert (found.since_s, found.until_s) == (2.0, 5.0)


def test_of_a_row_that_differs_the_writes_that_stayed_tell() -> None:
    item = {
        "text": ["row 0:"],
        "versions": {"a": 7, "b": None},
        "operations": [operation(1, 1.0, 1.1, value=6), operation(2, 2.0, 2.1, value=7)],
    }
    (found,) = contradictions([item])
    assert [act.telling for act in found.acts] == [False, True]


@pytest.mark.parametrize(
    "item",
    [
        "a sentence",
        {"region": "x", "rto_ms": 12.5},
        [1, 2],
        {"f": "add"},
        {"f": "add", "start_ns": float("nan")},
        {"f": "add", "start_ns": True},
    ],
)
def test_whatever_has_another_shape_is_told_and_not_drawn(item: Any) -> None:
    (found,) = contradictions([item])
    assert found.words
    assert found.acts == ()
    assert figures([], found) == []


def bars(figure: str, style: str) -> list[ET.Element]:
    found = ET.fromstring(figure).iter("rect")
    return [rect for rect in found if style in rect.get("class", "").split()]


def texts(figure: str) -> list[str]:
    return ["".join(text.itertext()) for text in ET.fromstring(figure).iter("text")]


def test_every_operation_is_a_bar_in_its_process_s_lane(broken: RecordedRun) -> None:
    acts = [operation(1, 10.0, 10.2), operation(2, 10.1, 10.4, outcome="info"),
            operation(1, 10.5, None, outcome="info")]  # fmt: skip
    (found,) = contradictions([{"text": ["x"], "operations": acts}])
    for variant in VARIANTS:
        figure = contradiction_figure(frame(broken, variant), found)
        assert len(bars(figure, "act")) == 3
        assert len(bars(figure, "info")) == 2
        assert any("process 2, eu-west" in text for text in texts(figure))
        assert any("region-cut" in text for text in texts(figure))


def test_names_never_cover_another_operation(broken: RecordedRun) -> None:
    acts = [operation(1, 10 + n * 0.2, 10.05 + n * 0.2, value=1000 + n) for n in range(6)]
    (found,) = contradictions([{"text": ["x"], "operations": acts}])
    for variant in VARIANTS:
        root = ET.fromstring(contradiction_figure(frame(broken, variant), found))
        rects = [one for one in root.iter("rect") if "act" in one.get("class", "").split()]
        for text in root.iter("text"):
            if text.get("class") != "act-label":
                continue
            x, y = float(text.get("x", "")), float(text.get("y", ""))
            width = len(text.text or "") * variant.font * 0.55
            left = x if text.get("text-anchor") == "start" else x - width
            for rect in rects:
                top = float(rect.get("y", ""))
                if top <= y <= top + 12:
                    x1 = float(rect.get("x", ""))
                    x2 = x1 + float(rect.get("width", ""))
                    assert left + width <= x1 + 0.2 or x2 <= left + 0.2


def test_too_many_operations_are_bars_without_names(broken: RecordedRun) -> None:
    acts = [operation(1, 10 + n * 0.02, 10.01 + n * 0.02, kind="lost") for n in range(60)]
    (found,) = contradictions(acts)
    figure = contradiction_figure(frame(broken, NARROW), found)
    assert len(bars(figure, "act")) == 60
    assert "act-label" not in figure


def test_where_there_is_no_room_for_all_names_the_telling_ones_have_theirs(
    broken: RecordedRun,
) -> None:
    acts = [operation(1, 10 + n * 0.02, 10.01 + n * 0.02, value=n) for n in range(60)]
    item = {"text": ["row"], "versions": {"a": 7, "b": 59}, "operations": acts}
    (found,) = contradictions([item])
    figure = contradiction_figure(frame(broken, NARROW), found)
    assert [text for text in texts(figure) if text.startswith("add")] == ["add 7", "add 59"]
    telling = bars(figure, "telling")
    assert len(telling) == 2
    heights = [one.get("y") for one in bars(figure, "act")]
    assert len(heights) == 60
    assert heights.count(telling[0].get("y")) == 2


def test_what_a_process_did_beside_is_shown(broken: RecordedRun) -> None:
    calls = (
        Call("eu-west", "1", "add", "write", 9.0, 9.0, 10.3, "ok", "n"),
        Call("eu-west", "1", "add", "write", 10.4, 10.4, 10.45, "ok", "n"),
        Call("eu-west", "2", "add", "write", 10.4, 10.4, 10.45, "ok", "n"),
        Call("eu-west", "1", "add", "write", 30.0, 30.0, 30.1, "ok", "n"),
    )
    (found,) = contradictions([operation(1, 10.0, 10.5)])
    figure = contradiction_figure(frame(replace(broken, calls=calls), WIDE), found)
    assert len(bars(figure, "beside")) == 2


def test_how_long_it_lasted_has_a_lane(broken: RecordedRun) -> None:
    found = Contradiction(("x",), contradictions([operation(1, 10.0, 10.5)])[0].acts, 10.0, 13.5)
    assert "3.5 s" in texts(contradiction_figure(frame(broken, WIDE), found))


def test_the_table_of_promises_links_to_what_contradicts_them(broken: RecordedRun) -> None:
    assert broken.judgement is not None
    unclear = Promise("rto", "Back in time", Outcome.UNKNOWN, "?", ({"region": "x"},))
    bare = Promise("bare", "Nothing shown", Outcome.VIOLATION, "no counterexample")
    promises = (bare, *broken.judgement.promises, unclear)
    page = render_html(replace(broken, judgement=replace(broken.judgement, promises=promises)))
    root = ET.fromstring(page.removeprefix("<!DOCTYPE html>\n"))
    sections = {one.get("id"): one for one in root.iter("section") if one.get("id")}
    for row in root.iter("tr"):
        for link in row.iter("a"):
            section = sections[link.get("href", "").removeprefix("#")]
            assert section.findtext("header/h3") == row.findtext("td/strong")
    assert len(sections) == 2


def test_many_broken_promises_stay_a_small_page(broken: RecordedRun) -> None:
    assert broken.judgement is not None
    operations = [operation(n % 12, 10 + n / 9, 10.1 + n / 9) for n in range(300)]
    item = {"text": ["x" * 300] * 40, "operations": operations}
    promises = tuple(
        Promise(f"p{n}", f"Promise {n}", Outcome.VIOLATION, "x", (item,) * 20) for n in range(12)
    )
    page = render_html(replace(broken, judgement=replace(broken.judgement, promises=promises)))
    assert len(page.encode()) < 1_000_000
    root = ET.fromstring(page.removeprefix("<!DOCTYPE html>\n"))
    labels = [one.get("aria-label", "") for one in root.iter("svg")]
    assert sum("counterexample" in label for label in labels) == 8 * len(VARIANTS)
    assert len([one for one in root.iter("section") if one.get("id", "").startswith("why")]) == 12


CIRCLE = [
    (0, "invoke", [["append", "x", 1], ["r", "y", None]]),
    (1, "invoke", [["append", "y", 1], ["r", "x", None]]),
    (0, "ok", [["append", "x", 1], ["r", "y", []]]),
    (1, "ok", [["append", "y", 1], ["r", "x", []]]),
    (1, "invoke", [["r", "x", None], ["r", "y", None]]),
    (1, "ok", [["r", "x", [1]], ["r", "y", [1]]]),
]


def test_a_circle_of_transactions_is_spelled_out_and_drawn(
    broken: RecordedRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As the checker of list-append gives it: each missed what the other one wrote."""
    lines = [
        {"index": at, "time": at * NS, "process": process, "type": kind, "f": "txn", "value": value}
        for at, (process, kind, value) in enumerate(CIRCLE)
    ]
    path = tmp_path / "history.jsonl"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    assert main(["check", "--model", "list-append", "--json", str(path)]) == 1
    (shown,) = json.loads(capsys.readouterr().out)["counterexample"]
    assert shown["names"] == ["G-update", "write-skew"], "one circle, told once"
    (found,) = contradictions([shown])
    assert "that is a circle" in found.words[-1]
    assert {(edge.source, edge.target, edge.kind) for edge in found.edges} == {
        (0, 1, "rw"),
        (1, 0, "rw"),
    }
    for variant in VARIANTS:
        figure = contradiction_figure(frame(broken, variant), found)
        assert len(bars(figure, "telling")) == 2
        assert figure.count('class="edge"') == figure.count('class="edge-head"') == 2
        assert {"T1", "T2", "rw"} <= set(texts(figure))


def test_where_something_lies_is_told_in_words() -> None:
    where = {"node": "us-east-db1", "file": "/srv/raft.db", "offset": 7, "inside": []}
    (found,) = contradictions([{"canary": "A1", "where": where}])
    assert found.words == ("canary A1, where (node us-east-db1, file /srv/raft.db, offset 7)",)
