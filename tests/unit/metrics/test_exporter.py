"""Metrics over HTTP, on loopback only."""

from __future__ import annotations

import json
import socket
import threading
import time
import urllib.request
from pathlib import Path

import pytest

from testbed.metrics.exporter import Exporter, MetricsError, served
from testbed.runner.progress import Event, Example, Phase
from tests.unit.metrics.recording import add, done, invoke, made, role


def scraped(exporter: Exporter) -> str:
    with urllib.request.urlopen(exporter.url, timeout=10) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        return str(answer.read().decode())


def test_every_run_of_a_suite_is_shown_as_it_goes(tmp_path: Path) -> None:
    with served(0) as exporter:
        exporter.feed(Event(0.0, 0, Phase("start")))
        exporter.feed(Event(0.0, 0, Example(1, "no fault", str(tmp_path / "run"))))
        assert "testbed_run_info{" not in scraped(exporter)
        folder = made(tmp_path / "run")
        add(folder.history, [invoke(0, 1.0, "eu-west"), done(0, 1.1)])
        add(folder.roles, [role(1.0, "eu-west-db1", "primary")])
        text = scraped(exporter)
        assert 'kind="write",outcome="ok",region="eu-west",world="run-1-lane0"} 1.0' in text
        assert 'role="primary",world="run-1-lane0"} 1.0' in text
        folder.ending.write_text("{}")
        verdict = {"validity": "valid", "verdicts": [{"name": "rto", "validity": "valid"}]}
        folder.verdict.write_text(json.dumps(verdict))
        text = scraped(exporter)
        assert 'testbed_verdict{promise="rto",validity="valid",world="run-1-lane0"} 1.0' in text
        assert "testbed_node_role{" not in text
        # The next run of the same world is there before anybody asks again.
        exporter.feed(Event(0.0, 0, Example(2, "no fault", str(tmp_path / "next"))))
        add(made(tmp_path / "next").roles, [role(1.0, "eu-west-db1", "replica")])
        text = scraped(exporter)
        assert 'role="replica",world="run-1-lane0"} 1.0' in text
        assert "testbed_verdict{" not in text


def test_a_port_that_is_taken_is_said_so() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with (
            pytest.raises(MetricsError, match=rf"127.0.0.1:{port}: .*in use.*--metrics-port"),
            served(port),
        ):
            pass


def test_nobody_else_is_listened_to() -> None:
    with served(0) as exporter, socket.socket() as other:
        other.bind(("127.0.0.2", exporter.port))


def test_who_scrapes_sees_how_it_ended(tmp_path: Path) -> None:
    texts = []
    ended = threading.Event()

    def scrape(exporter: Exporter) -> None:
        while not ended.is_set():
            texts.append(scraped(exporter))
            ended.wait(0.05)

    with served(0) as exporter:
        exporter.follow(made(tmp_path / "run"))
        thread = threading.Thread(target=scrape, args=(exporter,))
        thread.start()
        while len(texts) < 3:
            time.sleep(0.01)
        seen = len(texts)
        exporter.linger()
        assert len(texts) > seen
        ended.set()
        thread.join()


def test_nobody_is_waited_for_who_never_came() -> None:
    began = time.monotonic()
    with served(0):
        pass
    assert time.monotonic() - began < 2
