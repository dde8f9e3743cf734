"""Replication lag on the page: read from the verdict, drawn by link, with the floor."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from testbed.report.figures.canvas import VARIANTS, WIDE
from testbed.report.figures.frame import frame
from testbed.report.figures.lag import drawn_links, lag_figure
from testbed.report.folder import read_run
from testbed.report.html import render_html
from testbed.report.judgement import LagPoint, LinkLag
from testbed.report.recorded import RecordedRun
from tests.unit.report.recording import Recording, Story, link_lag


def run_with(folder: Path, *links: dict[str, Any]) -> RecordedRun:
    recording = Recording(Story(rate_ops_s=5.0))
    recording.verdict["measures"]["lag"] = {"worst_ms": 4321.5, "links": list(links)}
    return read_run(recording.write(folder))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RecordedRun:
    return run_with(
        tmp_path_factory.mktemp("lag"),
        link_lag("servers", "eu-west", "us-east", 38.0),
        link_lag("heartbeats", "eu-west", "us-east", 38.0),
        link_lag("heartbeats", "eu-west", "eu-central", 12.0),
    )


def links_of(run: RecordedRun) -> list[LinkLag]:
    assert run.judgement is not None
    assert run.judgement.lag is not None
    return drawn_links(run.judgement.lag.links)


def test_one_measurement_of_each_link_is_drawn(run: RecordedRun) -> None:
    drawn = links_of(run)
    assert [(one.link, one.measurement) for one in drawn] == [
        ("eu-west->eu-central", "heartbeats"),
        ("eu-west->us-east", "heartbeats"),
    ]
    assert len(drawn[0].series) == 60


def test_what_is_damaged_is_left_out_and_not_drawn(tmp_path: Path) -> None:
    bad = link_lag("heartbeats", "a", "b", 1.0) | {
        "p50_ms": "much",
        "p99_ms": [1, True],
        "series": [[1, 2, 3], [1, 2, 3, 4, None], [1, 2, 3, 4, 1e300], [9, 1, 2, 3, 4]],
    }
    run = run_with(tmp_path, bad)
    (link,) = links_of(run)
    assert link.series == (LagPoint(9.0, 1.0, 2.0, 3.0, 4.0),)
    assert link.quantiles_ms[0] is None
    assert link.quantiles_ms[2] is None
    assert any("p50_ms" in problem.what for problem in run.problems)


def test_the_floor_is_a_line_below_every_lag(run: RecordedRun) -> None:
    for variant in VARIANTS:
        root = ET.fromstring(lag_figure(frame(run, variant), links_of(run)))
        floors = [float(one.get("y1", "")) for one in root.iter("line")
                  if one.get("class") == "asked"]  # fmt: skip
        assert len(floors) == 2
        medians = [one.get("d", "") for one in root.iter("path") if one.get("class") == "latency"]
        for floor, path in zip(floors, medians, strict=True):
            heights = [float(part.split()[1].split("H")[0]) for part in path.split("M")[1:]]
            assert heights
            assert max(heights) < floor


def test_a_lag_ten_times_as_long_stands_as_much_higher(run: RecordedRun) -> None:
    (one, *_) = links_of(run)
    series = (LagPoint(10, 10, 10, 10, 10), LagPoint(11, 100, 100, 100, 1000))
    root = ET.fromstring(lag_figure(frame(run, WIDE), [replace(one, series=series)]))
    (path,) = (each.get("d", "") for each in root.iter("path") if each.get("class") == "latency")
    low, high = (float(part.split()[1].split("H")[0]) for part in path.split("M")[1:])
    assert low - high == pytest.approx(72 / 3, abs=0.2)


def test_many_hours_are_no_more_than_a_figure_can_show(run: RecordedRun) -> None:
    (one, *_) = links_of(run)
    points = (LagPoint(second, 20, 30, 40, 50 + second % 7) for second in range(36_000))
    long = replace(one, series=tuple(points))
    wide = replace(frame(run, WIDE), start_s=0.0, end_s=36_000.0)
    figure = lag_figure(wide, [long])
    assert len(figure) < 60_000
    assert math.isclose(max(point.max_ms for point in long.series), 56)


def test_the_page_has_figure_and_table(run: RecordedRun) -> None:
    page = render_html(run)
    root = ET.fromstring(page.removeprefix("<!DOCTYPE html>\n"))
    labels = [svg.get("aria-label") for svg in root.iter("svg")]
    assert labels.count("Replication lag of each link over time") == len(VARIANTS)
    text = " ".join("".join(root.itertext()).split())
    assert "The longest lag that surely was: 4,321.5 ms." in text
    assert "38.1 to 41" in text


def test_a_run_without_lag_has_no_such_part(broken: RecordedRun) -> None:
    assert "Replication lag" not in render_html(broken)


def test_the_page_says_how_old_reads_were_at_each_node(tmp_path: Path) -> None:
    recording = Recording(Story(rate_ops_s=5.0))
    recording.verdict["measures"]["staleness"] = [
        {"node": "us-east-db1", "reads": 120, "stale": 7, "p99_ms": 91.5, "max_ms": 93},
        {"node": "eu-west-db1", "reads": "many"},
    ]
    run = read_run(recording.write(tmp_path))
    assert run.judgement is not None
    first, second = run.judgement.staleness
    assert (first.node, first.stale, first.p99_ms) == ("us-east-db1", 7, 91.5)
    assert second.reads is None
    page = render_html(run)
    assert 'id="staleness"' in page
    assert "91.5" in page[page.index('id="staleness"') :]
