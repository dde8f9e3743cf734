"""The stopwatch and its estimates."""

from __future__ import annotations

from pathlib import Path

from testbed.provision.progress import Progress, Stopwatch


def marks(record: Path, *names: str) -> list[Progress]:
    seen: list[Progress] = []
    stopwatch = Stopwatch(record, seen.append)
    for name in names:
        stopwatch.mark(name)
    stopwatch.finish()
    return seen


def test_the_first_time_knows_no_estimate_and_the_next_one_does(tmp_path: Path) -> None:
    record = tmp_path / "durations" / "one.json"
    first = marks(record, "Run Consul")
    assert first[0].remaining_s is None
    second = marks(record, "Run Consul", "a task that is new")
    assert second[0].remaining_s is not None
    assert second[0].remaining_s >= 0
    assert second[1].remaining_s is None


def test_an_unreadable_record_is_no_record(tmp_path: Path) -> None:
    record = tmp_path / "one.json"
    for text in ("", "[]", '{"total": "soon"}', "\x00"):
        record.write_text(text)
        assert marks(record, "Run Consul")[0].remaining_s is None


def test_a_provisioning_that_failed_leaves_the_record_alone(tmp_path: Path) -> None:
    record = tmp_path / "one.json"
    marks(record, "Run Consul")
    before = record.read_text()
    Stopwatch(record, None).mark("Run HAProxy")
    assert record.read_text() == before
