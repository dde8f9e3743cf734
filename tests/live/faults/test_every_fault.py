"""Every kind of the catalogue: injected, shown, healed, shown to be gone, in a real cluster."""

from __future__ import annotations

from typing import Any

import pytest

from faults.catalogue import CATALOGUE
from tests.live.faults.conftest import Cluster

LINK = "eu-west->us-east"

FAULTS: list[tuple[str, str, dict[str, Any]]] = [
    ("link-latency", LINK, {"added_ms": 100}),
    ("link-latency", "us-east->eu-central", {"added_ms": 300, "direction": "both"}),
    ("link-jitter", LINK, {"jitter_ms": 80}),
    ("link-bandwidth", LINK, {"kbytes_s": 256}),
    ("link-reset", LINK, {"timeout_ms": 100}),
    ("link-slow-close", LINK, {"delay_ms": 700}),
    ("link-limit-data", LINK, {"limit_bytes": 100_000}),
    ("link-slicer", LINK, {"average_size_bytes": 512, "delay_us": 5000}),
    ("link-timeout", LINK, {}),
    ("link-cut", LINK, {}),
    ("link-cut", "eu-central->us-east", {"direction": "both"}),
    ("region-cut", "us-east", {}),
    ("process-pause", "eu-west-lb1/haproxy", {}),
    ("process-kill", "eu-west-lb1/haproxy", {}),
    ("process-kill", "us-east-db1/observer", {}),
    ("process-kill", "role:primary/postgres", {}),
    ("dcs-leader-loss", "role:dcs-leader", {"mode": "kill"}),
    ("dcs-leader-loss", "role:dcs-leader", {"mode": "pause"}),
    ("dcs-leader-loss", "role:dcs-leader", {"mode": "region-cut"}),
    ("node-pause", "role:dcs-leader", {}),
    ("node-kill", "us-east-db1", {}),
    ("switchover", "role:primary", {}),
]


def test_the_list_has_every_kind() -> None:
    # Those of a mesh: tests/live/experiments/test_conflict_resolution.py; those of a policy:
    # tests/live/experiments/test_data_placement.py.
    elsewhere = {"clock-skew", "slot-loss", "maintenance", "slot-drop"}
    assert {kind for kind, _, _ in FAULTS} == set(CATALOGUE) - elsewhere


@pytest.mark.parametrize(
    ("kind", "target", "parameters"), FAULTS, ids=lambda value: str(value).replace(" ", "")
)
def test_shown_and_shown_to_be_gone(
    cluster: Cluster, kind: str, target: str, parameters: dict[str, Any]
) -> None:
    steady, inject, effect, heal, again, absence = cluster.play(
        [(kind, target, parameters)],
        [
            ("steady", None),
            ("inject", 0),
            ("effect", 0),
            ("heal", 0),
            ("heal", 0),
            ("absence", 0),
        ],
    )
    assert steady["problems"] == []
    assert "error" not in inject, inject
    assert effect["shown"], effect["observation"]
    assert "error" not in heal, heal
    assert "error" not in again, again
    assert absence["shown"], absence["observation"]
    assert any(character.isdigit() for character in effect["observation"])
