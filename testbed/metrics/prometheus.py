"""A real Prometheus that watches the testbed: its configuration, and one that runs for a while."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from testbed.metrics.alerts import render_alerts
from testbed.metrics.exporter import ADDRESS, MetricsError

PROGRAM = "prometheus"
_START_S_MAX = 30.0
_STOP_S_MAX = 10.0
_ANSWER_S_MAX = 10.0
_POLL_S = 0.05
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""It is on this machine, whatever proxy the environment names."""


@dataclass(frozen=True, slots=True)
class Firing:
    """One alert that fired.

    Args:
        name: Of the alert.
        labels: Its labels, besides its name.
        from_s: Wall clock of the first evaluation at which it fired.
        to_s: Of the last one.
    """

    name: str
    labels: dict[str, str]
    from_s: float
    to_s: float


def configuration(port: int, scrape_s: float = 1.0) -> str:
    """``prometheus.yml`` for an exporter on a port of this machine, with ``alerts.yml`` beside."""
    interval = f"{round(scrape_s * 1000)}ms"
    document: dict[str, Any] = {
        "global": {
            "scrape_interval": interval,
            "scrape_timeout": interval,
            "evaluation_interval": interval,
        },
        "rule_files": ["alerts.yml"],
        "scrape_configs": [
            {"job_name": "testbed", "static_configs": [{"targets": [f"{ADDRESS}:{port}"]}]}
        ],
    }
    return yaml.safe_dump(document, sort_keys=False)


class Prometheus:
    """One that runs.

    Args:
        address: Where it answers.
        scrape_s: Seconds between two scrapes, and two evaluations of the rules.
    """

    def __init__(self, address: str, scrape_s: float) -> None:
        self.address = address
        self._scrape_s = scrape_s

    def query_range(self, query: str, from_s: float, to_s: float) -> list[dict[str, Any]]:
        """The series of a query between two moments of the wall clock.

        Raises:
            MetricsError: Prometheus did not answer, or refused the query.
        """
        given = {"query": query, "start": from_s, "end": to_s, "step": self._scrape_s}
        return list(self._ask("query_range", given)["result"])

    def query(self, query: str) -> list[dict[str, Any]]:
        """The series of a query now. Raises as ``query_range``."""
        return list(self._ask("query", {"query": query})["result"])

    def _ask(self, what: str, given: dict[str, Any]) -> dict[str, Any]:
        url = f"http://{self.address}/api/v1/{what}?{urllib.parse.urlencode(given)}"
        try:
            with _OPENER.open(url, timeout=_ANSWER_S_MAX) as answer:
                data: dict[str, Any] = json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise MetricsError(f"Prometheus refused {given}: {error.read().decode()}") from error
        except (OSError, ValueError, KeyError) as error:
            raise MetricsError(f"Prometheus on {self.address} did not answer: {error}") from error
        return data

    def firings(self, from_s: float, to_s: float) -> tuple[Firing, ...]:
        """Every alert that fired between two moments, in the order of their beginnings.

        One that stopped and fired again is there twice.
        """
        found = []
        for series in self.query_range('ALERTS{alertstate="firing"}', from_s, to_s):
            labels = dict(series["metric"])
            labels.pop("__name__", None)
            labels.pop("alertstate", None)
            name = labels.pop("alertname")
            for first, last in _runs([at for at, _ in series["values"]], 1.5 * self._scrape_s):
                found.append(Firing(name, labels, first, last))
        return tuple(sorted(found, key=lambda each: (each.from_s, each.name)))


def _runs(moments: list[float], gap_s: float) -> Iterator[tuple[float, float]]:
    """First and last of each group of moments with no gap between them."""
    first = last = None
    for moment in moments:
        if first is None or last is None:
            first = moment
        elif moment - last > gap_s:
            yield first, last
            first = moment
        last = moment
    if first is not None and last is not None:
        yield first, last


def found_program() -> str:
    """The path of Prometheus.

    Raises:
        MetricsError: It is not installed.
    """
    program = shutil.which(PROGRAM)
    if program is None:
        raise MetricsError(
            "Prometheus is not installed: install it (Debian's package is `prometheus`), or leave"
            " its alerts out. Metrics are served without it."
        )
    return program


@contextlib.contextmanager
def watching(port: int, scrape_s: float = 1.0) -> Iterator[Prometheus]:
    """Run Prometheus with the alert rules inside; what it stored goes with it.

    Args:
        port: Where the exporter serves; it need not be there yet.
        scrape_s: Seconds between two scrapes, and two evaluations of the rules.

    Raises:
        MetricsError: Prometheus is not installed, or does not start.
    """
    program = found_program()
    with tempfile.TemporaryDirectory(prefix="testbed-prometheus-") as name:
        folder = Path(name)
        (folder / "prometheus.yml").write_text(configuration(port, scrape_s), encoding="utf-8")
        (folder / "alerts.yml").write_text(render_alerts(scrape_s), encoding="utf-8")
        address = f"{ADDRESS}:{free_port()}"
        # Whatever becomes of this process, Prometheus ends with it.
        command = ["setpriv", "--pdeathsig", "TERM", program]
        command += [f"--config.file={folder / 'prometheus.yml'}"]
        command += [f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address={address}"]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        try:
            _await_ready(process, address, folder / "log")
            yield Prometheus(address, scrape_s)
        finally:
            process.terminate()
            try:
                process.wait(_STOP_S_MAX)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        return int(probe.getsockname()[1])


def _await_ready(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    deadline = time.monotonic() + _START_S_MAX
    while True:
        with contextlib.suppress(OSError):
            url = f"http://{address}/-/ready"
            with _OPENER.open(url, timeout=1):
                return
        if process.poll() is not None or time.monotonic() > deadline:
            said = " | ".join(log.read_text(errors="replace").splitlines()[-3:])
            raise MetricsError(f"Prometheus does not start: {said}")
        time.sleep(_POLL_S)
