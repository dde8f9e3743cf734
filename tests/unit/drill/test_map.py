"""The map: regions as boxes that do not cover each other, links with their state between them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.drill.console.map import draw, link_state, places
from tests.unit.drill.scene import scene


def test_regions_links_and_states_are_there(tmp_path: Path) -> None:
    text = draw(scene(tmp_path), 90, 20).plain
    for expected in (
        "eu-west · EU",
        "us-east · US",
        "★ eu-central-db1  primary",
        "does not answer",
    ):
        assert expected in text
    assert "CUT 3 s" in text
    assert "120.0 kB behind" in text
    assert len(text.splitlines()) == 20


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "good"),
        ({"delay_ms": 300.0}, "slow"),
        ({"silent_ms": 1500.0}, "silent"),
        ({"silent_ms": None}, "silent"),
        ({"cut": True}, "cut"),
        ({"toxics": ["latency"]}, "slow"),
    ],
)
def test_the_state_of_a_link(changes: dict[str, Any], state: str) -> None:
    link = {"cut": False, "silent_ms": 40.0, "delay_ms": 13.0, "asked_delay_ms": 13.0, "toxics": []}
    assert link_state({**link, **changes}) == state


@given(count=st.integers(1, 6), width=st.integers(100, 200), height=st.integers(26, 60))
def test_boxes_stay_on_the_map_and_apart(count: int, width: int, height: int) -> None:
    boxes = places([{"nodes": [{}]}] * count, width, height)
    cells = [
        (column, row)
        for box in boxes
        for column in range(box.left, box.left + box.width)
        for row in range(box.top, box.top + box.height)
    ]
    assert len(cells) == len(set(cells))
    assert all(0 <= column < width and 0 <= row < height for column, row in cells)
