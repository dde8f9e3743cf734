"""A responder sees what an operator of a production system sees, and no more."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from testbed.drill.channel import Person
from testbed.drill.picture import seen_by
from tests.unit.drill.scene import scene


def test_a_responder_is_shown_nothing_that_was_injected(tmp_path: Path) -> None:
    shown = json.dumps(seen_by(Person("ann", "responder"), scene(tmp_path)))
    for secret in ("Loss of the primary", "is injected", "toxic", "delay_ms 250", ": cut"):
        assert secret not in shown.replace('"toxics"', "")
    assert '"cut": true' not in shown


def test_a_responder_sees_nodes_clients_and_silence(tmp_path: Path) -> None:
    shown = seen_by(Person("ann", "responder"), scene(tmp_path))
    assert shown["regions"][0]["nodes"][0]["role"] == "silent"
    assert shown["regions"][0]["success_ratio"] == 0.0
    assert any(link["silent_ms"] > 1000 for link in shown["links"])
    assert [one["what"] for one in shown["log"]] == ["playing", "detected"]
    assert shown["problems"] == ["eu-west-db1: Patroni does not answer"]
    assert shown["briefing"]


@pytest.mark.parametrize("role", ["facilitator", "observer"])
def test_others_see_everything(role: str, tmp_path: Path) -> None:
    whole = scene(tmp_path)
    shown = seen_by(Person("bob", role), whole)
    assert {name: shown[name] for name in whole} == whole
    assert shown["stops"][0]["broken_s"] == 10.0
