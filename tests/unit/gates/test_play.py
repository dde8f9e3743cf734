"""A live gate: refused whole before it runs, shown while it runs, summed up after it."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from testbed.gates import play as module
from testbed.gates.gate import Gate, GateSuite
from testbed.gates.play import play
from testbed.report.suite import Suite
from testbed.topology.problem import InventoryError


class Silent(contextlib.AbstractContextManager["Silent"]):
    def __exit__(self, *_error):
        return None

    def feed(self, event):
        raise AssertionError


def test_every_suite_is_checked_before_the_first_one_runs(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "conduct", lambda *_: pytest.fail("it ran"))
    monkeypatch.setattr("experiments.conduct.prepare", lambda _progress: ())
    suites = (
        GateSuite("one", "failover", "active-passive"),
        GateSuite("two", "failover", "active-passiv"),
    )
    with pytest.raises(InventoryError, match="active-passiv"):
        play(Gate("g", suites), tmp_path / "out", lanes=1, seed=0, view=Silent, say=print)


def test_suites_run_in_order_with_their_settings_and_what_is_left(monkeypatch, tmp_path):
    ran: list[tuple[Any, ...]] = []
    said: list[str] = []

    def conduct(experiment, options, lanes, watch):
        ran.append((experiment.name, options.settings, options.seed, lanes, options.out))
        return Suite(experiment.name, (), 1.0, "a lane died" if options.settings else "")

    monkeypatch.setattr(module, "conduct", conduct)
    monkeypatch.setattr(module, "check", lambda *_: None)
    suites = (
        GateSuite("one", "failover", "active-passive", budget_s=75.0),
        GateSuite("two", "failover", "active-passive", ("patroni_ttl_s=30",), budget_s=15.0),
    )
    gate = Gate("g", suites)
    problems = play(gate, tmp_path, lanes=2, seed=7, view=Silent, say=said.append)
    assert problems == {"one": "", "two": "a lane died"}
    assert ran == [
        ("failover", (), 7, 2, tmp_path / "one"),
        ("failover", ("patroni_ttl_s=30",), 7, 2, tmp_path / "two"),
    ]
    assert "suite 1 of 2: one" in said[0]
    assert said[0].endswith("3 min 0 s")
    assert said[1].endswith("60.0 s")
