"""What observers measured of links, and that a busy machine breaks no promise of time."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from experiments.failover_promises import _believed
from experiments.link_delays import busy, undisturbed_ms
from testbed.checkers.verdict import Validity, Verdict
from testbed.runner.recorded import RecordedRun
from testbed.topology.inventory import find, load

DEPLOYMENT = load(find("active-passive"))
LINKS = DEPLOYMENT.topology.links


def run(folder: Path, late_ms: float, *windows: tuple[float, float], readings: int = 40) -> Any:
    """Every link is read once a second; one reading in ten is this late."""
    (folder / "metrics").mkdir(exist_ok=True)
    lines = [
        json.dumps({"time": int(second * 1e9), "source": link.source, "target": link.target,
                    "delay_ms": link.delay_ms + (late_ms if second % 10 == 0 else 1.0)})
        for second in range(readings)
        for link in LINKS
    ]  # fmt: skip
    (folder / "metrics" / "links.jsonl").write_text("\n".join([*lines, '{"time": 1']))
    held = [
        SimpleNamespace(inject_ns=int(since * 1e9), healed_ns=int(until * 1e9))
        for since, until in windows
    ]
    return cast(
        "RecordedRun",
        SimpleNamespace(
            folder=SimpleNamespace(metrics=folder / "metrics"),
            windows=held,
            deployment=DEPLOYMENT,
        ),
    )


def busy_on(of: RecordedRun) -> str:
    return busy(DEPLOYMENT.topology, undisturbed_ms(of))


@pytest.mark.parametrize(("late_ms", "why"), [(20.0, ""), (58.0, ""), (90.0, "messages between")])
def test_a_machine_is_busy_when_messages_come_late(
    tmp_path: Path, late_ms: float, why: str
) -> None:
    assert busy_on(run(tmp_path, late_ms)).startswith(why)
    assert bool(busy_on(run(tmp_path, late_ms))) is bool(why)


def test_what_a_fault_holds_back_and_few_readings_say_nothing(tmp_path: Path) -> None:
    assert len(undisturbed_ms(run(tmp_path, 90.0, (5.0, 12.0)))[LINKS[0].name]) == 40 - 13
    assert busy_on(run(tmp_path, 900.0, (0.0, 40.0))) == ""
    assert busy_on(run(tmp_path, 900.0, readings=19)) == ""
    (tmp_path / "metrics" / "links.jsonl").unlink()
    missing = run(tmp_path, 1.0)
    (tmp_path / "metrics" / "links.jsonl").unlink()
    assert busy_on(missing) == ""


def test_a_doubt_makes_late_service_unknown_and_nothing_else() -> None:
    late = Verdict("rto", "served in time", Validity.VIOLATION, "42 s, bound 38 s")
    found = _believed(late, ["the machine was busy"])
    assert found.validity is Validity.UNKNOWN
    assert "the machine was busy" in found.reason
    assert "42 s" in found.reason
    assert _believed(late, []) is late
    held = Verdict("rto", "served in time", Validity.VALID, "3 s")
    assert _believed(held, ["the machine was busy"]) is held
