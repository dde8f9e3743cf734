"""What observers measured of links, and what it says of the machine."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from experiments.link_delays import busy, undisturbed_ms
from testbed.history.fault_window import FaultWindow
from testbed.runner.folder import FolderError
from testbed.runner.recorded import RecordedRun
from testbed.topology.inventory import find, load
from tests.unit.experiments.link_readings import read_links

DEPLOYMENT = load(find("active-passive"))
TOPOLOGY = DEPLOYMENT.topology
LINKS = [link.name for link in TOPOLOGY.links]
OF_WEST = {name for name in LINKS if "eu-west" in name}
EVERY = set(LINKS)


def run(folder: Path, late_ms: float, *windows: Any, looks: int = 40) -> RecordedRun:
    """Every link is read once a second; one reading in ten is this late."""
    read_links(folder, TOPOLOGY, late_ms, looks=looks)
    made = SimpleNamespace(
        folder=SimpleNamespace(metrics=folder / "metrics"), windows=windows, deployment=DEPLOYMENT
    )
    return cast("RecordedRun", made)


def window(kind: str, resolved: str, since_s: float, until_s: float) -> FaultWindow:
    return FaultWindow(
        kind,
        f"{kind} {resolved}",
        inject_ns=int(since_s * 1e9),
        healed_ns=int(until_s * 1e9),
        details={"resolved": resolved},
    )


def busy_on(of: RecordedRun) -> str:
    return busy(TOPOLOGY, undisturbed_ms(of))


@pytest.mark.parametrize(("late_ms", "why"), [(20.0, ""), (58.0, ""), (90.0, "messages between")])
def test_a_machine_is_busy_when_messages_come_late(
    tmp_path: Path, late_ms: float, why: str
) -> None:
    assert busy_on(run(tmp_path, late_ms)).startswith(why)
    assert bool(busy_on(run(tmp_path, late_ms))) is bool(why)


@pytest.mark.parametrize(
    ("kind", "resolved", "disturbed"),
    [
        ("node-kill", "eu-west-db1", EVERY),
        ("switchover", "", EVERY),
        ("region-cut", "eu-west", OF_WEST),
        ("link-latency", "eu-west->us-east", {"eu-west->us-east", "us-east->eu-west"}),
        ("link-cut", "us-east->eu-west", {"eu-west->us-east", "us-east->eu-west"}),
        # It was not injected: what it would have held is not known.
        ("region-cut", "", EVERY),
        ("link-cut", "", EVERY),
        ("clock-skew", "eu-west-db1", set()),
    ],
)
def test_what_a_fault_may_hold_back_does_not_count(
    tmp_path: Path, kind: str, resolved: str, disturbed: set[str]
) -> None:
    found = undisturbed_ms(run(tmp_path, 90.0, window(kind, resolved, 5.0, 12.0)))
    assert {name for name in LINKS if len(found[name]) == 40 - 13} == disturbed
    assert {name for name in LINKS if len(found[name]) == 40} == EVERY - disturbed


def test_a_link_that_alone_is_late_is_no_busy_machine(tmp_path: Path) -> None:
    found = undisturbed_ms(run(tmp_path, 1.0))
    found[LINKS[0]] = [each + 500 for each in found[LINKS[0]]]
    assert busy(TOPOLOGY, found) == ""


def test_few_readings_say_nothing_and_those_of_a_short_run_suffice(tmp_path: Path) -> None:
    assert busy_on(run(tmp_path, 900.0, looks=1)) == ""
    assert busy_on(run(tmp_path, 900.0, looks=2))
    assert busy_on(run(tmp_path, 900.0, window("node-kill", "eu-west-db1", 0.0, 40.0))) == ""
    # The two links that a cut leaves alone are read for as long as it holds.
    assert busy_on(run(tmp_path, 900.0, window("region-cut", "eu-west", 1.0, 4.0), looks=8))
    (tmp_path / "metrics" / "links.jsonl").unlink()
    missing = run(tmp_path, 900.0)
    (tmp_path / "metrics" / "links.jsonl").unlink()
    assert busy_on(missing) == ""


@pytest.mark.parametrize(
    "line",
    [
        "null",
        "[1]",
        "{}",
        '{"time": 1, "source": "eu-w',
        '{"time": "1", "source": "eu-west", "target": "us-east", "delay_ms": 90}',
        '{"time": 1, "source": "eu-west", "target": "us-east", "delay_ms": "90"}',
        '{"time": 1, "source": "eu-west", "target": "mars", "delay_ms": 90}',
    ],
)
def test_what_is_damaged_before_its_end_does_not_make_a_machine_fast(
    tmp_path: Path, line: str
) -> None:
    of = run(tmp_path, 90.0)
    path = tmp_path / "metrics" / "links.jsonl"
    path.write_text(line + "\n" + path.read_text())
    with pytest.raises(FolderError, match=r"links\.jsonl:1: damaged: "):
        undisturbed_ms(of)
