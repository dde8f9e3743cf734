"""A world that no run drives shows its roles, links and replication."""

from __future__ import annotations

import re
import signal
import time
import urllib.request
from pathlib import Path

import pytest

from tests.live.experiments.command import LIMIT_S, Command

pytestmark = pytest.mark.live


def values(url: str, name: str) -> list[float]:
    with urllib.request.urlopen(url, timeout=10) as answer:
        text = answer.read().decode()
    return [float(one) for one in re.findall(rf"^{name}{{.*}} (\S+)$", text, re.MULTILINE)]


def test_a_world_is_shown_until_it_ends(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    command = Command(state)
    process = command.start("up", "--name", "shown", "--metrics-port", "0")
    try:
        assert process.stdout is not None
        url = ""
        while not url:
            line = process.stdout.readline()
            assert line, "it ended before it served anything"
            found = re.search(r"http://\S+/metrics", line)
            url = found[0] if found else ""
        deadline = time.monotonic() + LIMIT_S
        while len(values(url, "testbed_link_up")) < 6:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert sum(values(url, "testbed_node_role")) == 3
        assert len(values(url, "testbed_replication_lag_seconds")) == 2
        code, output = command.run("down", "shown")
        assert code == 0, output
        assert process.wait(timeout=60) == 0
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate()
        command.run("down", "--all")
    assert command.left_behind() == []
