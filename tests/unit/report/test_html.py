from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from testbed.report.folder import read_run
from testbed.report.html import render_html
from testbed.report.recorded import RecordedRun
from tests.unit.report.recording import Recording, Story

RUNS = ["broken", "valid", "unknown", "failed", "unjudged"]


@pytest.fixture(scope="module")
def page(broken: RecordedRun) -> str:
    return render_html(broken)


def parse(page: str) -> ET.Element:
    """The page as XML: every element closed, every attribute quoted, no stray character."""
    assert page.startswith("<!DOCTYPE html>\n")
    return ET.fromstring(page.removeprefix("<!DOCTYPE html>\n"))


def texts(element: ET.Element) -> str:
    return " ".join("".join(element.itertext()).split())


@pytest.mark.parametrize("name", RUNS)
def test_every_kind_of_run_gives_a_well_formed_page(
    name: str, request: pytest.FixtureRequest
) -> None:
    parse(render_html(request.getfixturevalue(name)))


@pytest.mark.parametrize(
    ("name", "symbol", "words"),
    [
        ("broken", "✗", "Broken: 1 of 6 promises"),
        ("valid", "✓", "All 6 promises held"),
        ("unknown", "?", "Inconclusive: not a pass"),
        ("failed", "!", "The environment failed"),
        ("unjudged", "?", "Not judged"),
    ],
)
def test_the_verdict_has_a_symbol_and_words(
    name: str, symbol: str, words: str, request: pytest.FixtureRequest
) -> None:
    page = parse(render_html(request.getfixturevalue(name)))
    banner = page.find(".//header/div[@class='sign']/..")
    assert banner is not None
    assert texts(banner).startswith(f"{symbol} {words}")


def test_nothing_is_fetched_and_no_script_runs(page: str) -> None:
    assert not re.search(r"<(script|link|img|iframe|object|embed|audio|video)\b", page)
    assert not re.search(
        r"""(src|action)\s*=|href="(?!#)|url\((?!#)|@import|https?:|\bon\w+=""", page
    )
    assert "default-src 'none'" in page


def test_the_page_has_all_that_a_reader_looks_for(page: str) -> None:
    found = texts(parse(page))
    for wanted in (
        "testbed replay ",
        "No acknowledged write is lost",
        "acknowledged adds are in no final read",
        "RTO 9.1 s",
        "50 acknowledged writes a second x 3.65 s = 182",
        "no byte passed eu-west->eu-central",
        "eu-central->us-east 45 45.31 46.9 +0.31 1,180",
        "postgres18.6",
        "replication=asynchronous",
        "20240817",
        "pressure lateness p99",
        "14.2 ms",
        "eu-west-db1 eu-central-db1",
    ):
        assert wanted.replace(" ", "") in found.replace(" ", ""), wanted


def test_lost_writes_are_listed_with_time_region_and_node(page: str, broken: RecordedRun) -> None:
    assert broken.judgement is not None
    assert broken.judgement.loss is not None
    first = broken.judgement.loss.lost[0]
    rows = [texts(row) for row in parse(page).iter("tr")]
    wanted = f"{first.value} - {first.acknowledged_s:.3f} s {first.region} {first.node}"
    assert any(row.replace(" ", "").startswith(wanted.replace(" ", "")) for row in rows)


def test_each_region_has_its_figure_in_each_size(page: str) -> None:
    figures = parse(page).findall(".//section//svg[@role='img']")
    labels = [
        label
        for figure in figures
        if (label := figure.get("aria-label", "")).startswith("Operations of the clients")
    ]
    assert labels == [
        f"Operations of the clients in {region} over time"
        for region in ("eu-west", "eu-central", "us-east")
        for _size in ("wide", "middle", "narrow")
    ]


def test_the_rto_is_a_span_in_the_regions_figure(page: str) -> None:
    label = "Operations of the clients in eu-central over time"
    figure = parse(page).find(f".//section/svg[@aria-label='{label}']")
    assert figure is not None
    (rect,) = figure.findall("rect[@class='rto']")
    (axis,) = figure.findall("line[@class='axis']")
    left, right = float(axis.get("x1", "")), float(axis.get("x2", ""))
    share = float(rect.get("width", "")) / (right - left)
    assert share == pytest.approx(9.1 / 61.9, rel=0.02)


def test_a_hundred_thousand_operations_stay_small_and_readable(broken: RecordedRun) -> None:
    calls = tuple(
        call._replace(completed_s=call.completed_s + copy / 100)
        for copy in range(12)
        for call in broken.calls
    )
    assert len(calls) > 100_000
    page = render_html(replace(broken, calls=calls))
    assert len(page.encode()) < 1_000_000
    parse(page)


def test_huge_texts_and_long_lists_stay_small(tmp_path: Path) -> None:
    recording = Recording(Story(rate_ops_s=5.0))
    long = "x" * 20_000
    recording.verdict["reasons"] = [long] * 10
    recording.verdict["verdicts"][0] |= {"reason": long, "counterexample": [long] * 100}
    recording.verdict["measures"]["rpo"]["lost"] = [{"value": n} for n in range(5_000)]
    recording.evidence = [recording.evidence[0] | {"readings": {"all": long}}] * 200
    page = render_html(read_run(recording.write(tmp_path)))
    assert len(page.encode()) < 1_000_000
    assert "4700 more in verdict.json" in page


def test_names_are_escaped_everywhere(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>\"'&\x1b[31m"
    story = Story(rate_ops_s=5.0, regions=(evil, f"{evil}2", "us-east"), variables={evil: evil})
    recording = Recording(story)
    recording.verdict["verdicts"][0] |= {"name": evil, "promise": evil, "counterexample": [evil]}
    recording.verdict["environment"] = {evil: evil, "programs": {evil: evil}}
    page = render_html(read_run(recording.write(tmp_path / "x<y>&")))
    parse(page)
    assert "<script" not in page
    assert "\x1b" not in page
    assert "&lt;script&gt;" in page


def test_a_run_of_reads_alone_and_one_without_regions_are_shown(broken: RecordedRun) -> None:
    reads = tuple(call._replace(f="count", kind="read") for call in broken.calls)
    parse(render_html(replace(broken, calls=reads)))
    nowhere = tuple(call._replace(region="") for call in broken.calls)
    parse(render_html(replace(broken, calls=nowhere, judgement=None)))


def test_a_run_that_is_part_of_a_drill_links_to_its_debrief(tmp_path: Path) -> None:
    folder = Recording(Story(rate_ops_s=5.0)).write(tmp_path / "run")
    link = 'href="../debrief.html"'
    assert link not in render_html(read_run(folder))
    (tmp_path / "debrief.html").write_text("")
    assert link in render_html(read_run(folder))
