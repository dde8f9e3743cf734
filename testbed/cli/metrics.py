"""``testbed metrics``: what Prometheus and Grafana need to watch the testbed."""

from __future__ import annotations

import argparse
from pathlib import Path

DEFAULT_PORT = 9464


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb to the command."""
    parser = subparsers.add_parser(
        "metrics",
        help="write the configuration, alert rules and dashboard for Prometheus and Grafana",
        description="Writes prometheus.yml, alerts.yml and dashboard.json into a folder: a "
        "Prometheus that scrapes the metrics of --metrics-port, its alert rules, and a dashboard "
        "for Grafana to import.",
        epilog="Exit code: 0 written, 3 the folder can't be written, 64 bad usage.",
    )
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="made if it is not there")
    parser.add_argument(
        "--port",
        type=int,
        default=DEFAULT_PORT,
        metavar="PORT",
        help="the --metrics-port that will be served (default: %(default)s)",
    )
    parser.add_argument(
        "--scrape",
        type=_interval,
        default=1.0,
        metavar="TIME",
        help="between two scrapes, 100ms to 5m; the rules' windows grow with it (default: 1s)",
    )


def _interval(text: str) -> float:
    number, unit = text.rstrip("ms"), text.lstrip("0123456789.")
    factors = {"ms": 0.001, "s": 1.0, "m": 60.0}
    try:
        interval_s = float(number) * factors[unit]
    except (ValueError, KeyError):
        interval_s = 0.0
    if not 0.1 <= interval_s <= 300:
        raise argparse.ArgumentTypeError(f"'{text}' is no time from 100ms to 5m, such as 1s")
    return interval_s


def run(arguments: argparse.Namespace) -> int:
    """Returns 0; raises MetricsError when the folder can't be written."""
    from testbed.history.whole_file import write_whole
    from testbed.metrics.alerts import render_alerts
    from testbed.metrics.dashboard import render_dashboard
    from testbed.metrics.exporter import MetricsError
    from testbed.metrics.prometheus import configuration

    folder: Path = arguments.folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / "prometheus.yml", configuration(arguments.port, arguments.scrape))
        write_whole(folder / "alerts.yml", render_alerts(arguments.scrape))
        write_whole(folder / "dashboard.json", render_dashboard())
    except OSError as error:
        raise MetricsError(f"{folder} cannot be written: {error.strerror}") from error
    print(
        f"Serve metrics:    testbed run failover --metrics-port {arguments.port}\n"
        f"Watch them:       prometheus --config.file={folder}/prometheus.yml"
        f" --storage.tsdb.path={folder}/data --web.listen-address=127.0.0.1:9090\n"
        f"Grafana, import:  {folder}/dashboard.json"
    )
    return 0
