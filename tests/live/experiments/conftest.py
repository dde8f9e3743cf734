"""What the tests of experiments have in common."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.live.experiments.command import Command


@pytest.fixture
def command(tmp_path: Path) -> Command:
    state = tmp_path / "state"
    state.mkdir()
    return Command(state)
