"""``--metrics-port``, the same for every verb that serves metrics."""

from __future__ import annotations

import argparse


def add_metrics_port(parser: argparse.ArgumentParser) -> None:
    """Add the option to a verb."""
    parser.add_argument(
        "--metrics-port",
        type=_port,
        metavar="PORT",
        help="serve metrics for Prometheus at http://127.0.0.1:PORT/metrics meanwhile; 0 takes "
        "any that is free",
    )


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"'{text}' is no port: a whole number up to 65535")
    return int(text)
