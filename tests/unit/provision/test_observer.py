"""Two observers on this machine's loopback, each a region."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.provision.scripts import script

ADDRESSES = {"eu-west": "127.77.1.10", "us-east": "127.77.3.10"}


def start(region: str, folder: Path) -> subprocess.Popen[bytes]:
    settings = {
        "region": region,
        "address": ADDRESSES[region],
        "peers": {name: address for name, address in ADDRESSES.items() if name != region},
        "interval_ms": 10,
        "reconnect_ms": 500,
    }
    path = folder / f"{region}.json"
    path.write_text(json.dumps(settings))
    program = [sys.executable, "-I", "-S", str(script("observers", "observer.py")), str(path)]
    with (folder / f"{region}.log").open("wb") as log:
        return subprocess.Popen(program, stdout=log, stderr=log)


def readings(region: str) -> dict[tuple[str, str, str], dict[str, Any]]:
    url = f"http://{ADDRESSES[region]}:7401/"
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            report = json.load(answer)
    except OSError:
        return {}
    assert report["region"] == region
    return {(one["link"], one["protocol"], one["opened_by"]): one for one in report["readings"]}


def eventually(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


@pytest.fixture
def observers(tmp_path: Path) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    started = {region: start(region, tmp_path) for region in ADDRESSES}
    yield started
    for process in started.values():
        process.kill()
        process.wait()


LINK = "us-east->eu-west"
WAYS = {(LINK, "tcp", "eu-west"), (LINK, "tcp", "us-east"), (LINK, "udp", "us-east")}


def test_every_way_over_a_link_is_measured_and_falls_silent(
    observers: dict[str, subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    eventually(
        lambda: (
            readings("eu-west").keys() == WAYS
            and all(one["received"] > 5 for one in readings("eu-west").values())
        ),
        "all ways of the link are measured",
    )
    for one in readings("eu-west").values():
        assert 0 <= one["delay_ms_median"] < 1000
        assert one["sent_ns"] <= one["received_ns"]
    observers["us-east"].kill()
    observers["us-east"].wait()
    eventually(
        lambda: all(one["silent_ms"] > 300 for one in readings("eu-west").values()),
        "a dead peer is silent",
    )
    observers["us-east"] = start("us-east", tmp_path)
    eventually(
        lambda: all(one["silent_ms"] < 200 for one in readings("eu-west").values()),
        "a peer that is back is heard again",
    )
    assert (tmp_path / "eu-west.log").read_bytes() == b""
