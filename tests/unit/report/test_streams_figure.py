"""Streams of replication on the page of a run that does not measure lag itself."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import orjson
import pytest

from testbed.report.figures.canvas import VARIANTS
from testbed.report.figures.frame import frame
from testbed.report.figures.streams import observed_streams, streams_figure
from testbed.report.folder import read_run
from testbed.report.html import render_html
from testbed.report.recorded import StreamLook
from tests.unit.report.recording import NS, Recording, Story, link_lag

OLD, NEW = "eu-west-db1", "eu-central-db1"


def look(time_s: float, sender: str, receiver: str, lag_ms: float | None = 0.0) -> StreamLook:
    return StreamLook(time_s, sender, receiver, running=bool(sender), lag_ms=lag_ms)


LOOKS = (
    look(1.0, "", OLD),  # a receiver that never had a sender
    look(1.0, OLD, NEW),
    look(2.0, OLD, NEW, 12.0),
    look(3.0, "", NEW, 900.0),
    look(4.0, NEW, OLD, None),
)


def folder_with(folder: Path, looks: tuple[StreamLook, ...], **lag: object) -> Path:
    recording = Recording(Story(rate_ops_s=5.0))
    recording.verdict["measures"] |= lag
    made = recording.write(folder)
    (made / "metrics").mkdir()
    lines = (one._asdict() | {"time": int(one.time_s * NS)} for one in looks)
    (made / "metrics" / "streams.jsonl").write_bytes(b"\n".join(map(orjson.dumps, lines)))
    return made


def test_a_receiver_without_a_sender_counts_for_its_last_one() -> None:
    second, first = observed_streams(LOOKS)
    assert (first.title, second.title) == (f"{OLD}->{NEW}", f"{NEW}->{OLD}")
    assert first.lags_ms == [0.0, 12.0, 900.0]
    assert first.longest_ms == 900.0
    assert first.p50_ms == 12.0
    assert first.streaming == pytest.approx(2 / 3)
    # Nobody could tell: no number, and no zero either.
    assert second.longest_ms is None


def test_what_was_looked_at_is_drawn_and_what_did_not_stream_is_marked(tmp_path: Path) -> None:
    run = read_run(folder_with(tmp_path, LOOKS))
    assert run.streams == LOOKS
    streams = observed_streams(run.streams)
    for variant in VARIANTS:
        root = ET.fromstring(streams_figure(frame(run, variant), streams))
        lines = [one.get("d", "") for one in root.iter("path") if one.get("class") == "latency"]
        assert sum(line.count("M") for line in lines) == 3
        assert len([one for one in root.iter("rect") if one.get("class") == "failed"]) == 1


def test_a_run_that_measures_lag_shows_that_instead(tmp_path: Path) -> None:
    plain = render_html(read_run(folder_with(tmp_path / "plain", LOOKS)))
    assert 'id="streams"' in plain
    assert 'href="#streams"' in plain
    assert f"{OLD}-&gt;{NEW}" in plain
    lag = {"worst_ms": 1.0, "links": [link_lag("servers", "eu-west", "us-east", 38.0)]}
    measured = render_html(read_run(folder_with(tmp_path / "lag", LOOKS, lag=lag)))
    assert 'id="streams"' not in measured
    assert 'id="lag"' in measured


def test_runs_without_looks_have_neither_the_part_nor_a_complaint(tmp_path: Path) -> None:
    run = read_run(Recording(Story(rate_ops_s=5.0)).write(tmp_path))
    assert run.streams == ()
    assert not any("streams" in problem.file for problem in run.problems)
    assert 'id="streams"' not in render_html(run)


def test_damaged_looks_are_named_and_left_out(tmp_path: Path) -> None:
    made = folder_with(tmp_path, LOOKS)
    with (made / "metrics" / "streams.jsonl").open("ab") as file:
        file.write(b"\nnot json")
    run = read_run(made)
    assert run.streams == LOOKS
    assert any(problem.file == "streams.jsonl" for problem in run.problems)


def test_many_streams_are_bounded(tmp_path: Path) -> None:
    looks = tuple(look(1.0, f"a{at}", f"b{at}") for at in range(40))
    run = read_run(folder_with(tmp_path, looks))
    text = streams_figure(frame(run, VARIANTS[0]), observed_streams(run.streams))
    assert "and 24 streams more" in text
