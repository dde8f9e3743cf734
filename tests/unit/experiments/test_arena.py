"""How many examples fit into a budget, which does not pay for the making of the first world."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from experiments.arena import Arena, Judgement
from experiments.data_placement import plan
from experiments.options import Options
from testbed.checkers.verdict import Validity
from testbed.runner.folder import RunFolder
from testbed.runner.plan import Plan
from testbed.topology.inventory import find, load

MADE_S, EXAMPLE_S = 100.0, 30.0


def test_a_budget_does_not_pay_for_the_first_world(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    now_s = [0.0]

    def brought_up(*_: Any, **__: Any) -> Any:
        now_s[0] += MADE_S
        return SimpleNamespace(alive=lambda: True, down=lambda: None)

    class Quick(Arena):
        def run(self, plan: Plan) -> Judgement:
            self.ready_world()
            now_s[0] += EXAMPLE_S
            return Judgement(RunFolder(tmp_path), Validity.VALID, "")

    monkeypatch.setattr("experiments.arena.bring_up", brought_up)
    monkeypatch.setattr("experiments.arena.time", SimpleNamespace(monotonic=lambda: now_s[0]))
    deployment = load(find("data-placement"))
    options = Options(None, (), tmp_path, 2.5 * EXAMPLE_S, 9, 1, 0, None)
    first = plan(deployment, options, (), {}, erase=False)
    arena = Quick(deployment, options)
    assert arena.examine(first) is not None
    assert not arena.exhausted()
    assert arena.examine(replace(first, seed=2)) is not None
    assert arena.exhausted()
    arena.close()
