"""Which lines of the logs a page shows: those around what happened, the telling ones first."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace

from testbed.report.html import render_html
from testbed.report.log_lines import LogLine
from testbed.report.log_story import ROWS_MAX, LogRow, log_rows
from testbed.report.recorded import RecordedRun
from testbed.report.story import Moment, moments

CUT = Moment(10.0, "fault", "region-cut injected")


def rows(run: RecordedRun, *lines: tuple[float, str], happened: Moment = CUT) -> list[LogRow]:
    logs = tuple(LogLine(time_s, "a-db1", "patroni", text) for time_s, text in lines)
    return log_rows(replace(run, logs=logs), [happened])


def test_only_lines_around_a_moment_are_shown(broken: RecordedRun) -> None:
    found = rows(broken, (2.0, "early"), (9.0, "just before"), (12.0, "after"), (14.0, "late"))
    assert [row.text for row in found] == ["just before", "region-cut injected", "after"]


def test_what_is_said_again_stands_once(broken: RecordedRun) -> None:
    found = rows(broken, *((9.0 + n / 10, f"try {n} of pid {n}") for n in range(20)))
    told = [row for row in found if row.node]
    assert len(told) == 1
    assert (told[0].text, told[0].repeats, told[0].until_s) == ("try 0 of pid 0", 19, 10.9)


def test_routine_is_left_out_before_what_tells(broken: RecordedRun) -> None:
    names = [f"{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(ROWS_MAX * 2)]
    routine = [(9.0 + n / 100, f"no action. {name}") for n, name in enumerate(names)]
    found = rows(broken, *routine, (12.9, "promoted self to leader"), (12.8, "ERROR: x"))
    assert len(found) <= ROWS_MAX
    assert {"promoted self to leader", "ERROR: x"} <= {row.text for row in found}
    assert [row.time_s for row in found] == sorted(row.time_s for row in found)


def test_without_lines_there_is_nothing_to_show(broken: RecordedRun) -> None:
    assert rows(broken, (30.0, "elsewhere")) == []
    assert log_rows(broken, moments(broken)) == []


def test_the_page_marks_each_line_in_its_node_s_lane(broken: RecordedRun) -> None:
    logs = (
        LogLine(9.9, "a-db1", "consul", "[WARN] suspect <b>"),
        LogLine(10.4, "b-db1", "postgres", "promoted \x1b[31m"),
    )
    root = ET.fromstring(render_html(replace(broken, logs=logs)).removeprefix("<!DOCTYPE html>\n"))
    (part,) = (one for one in root.iter("div") if one.get("class") == "logs")
    lanes = [
        [dot.get("class") for dot in dots]
        for row in part
        if row.get("class", "").split() != ["row", "names"]
        for dots in row.findall("span[@class='dots']")
    ]
    assert lanes == [["on", None], [None, "on"]]
    text = "".join(part.itertext())
    assert "[WARN] suspect <b>" in text
    assert "promoted \\x1b[31m" in text
    assert "region-cut eu-west" in text
