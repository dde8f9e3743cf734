"""Runs Patroni as its own command does; when a world is started from a snapshot, in better time.

Loading Patroni takes longer than anything that it does at its start. So this script loads it
first, then waits until the URL in ``PATRONI_START_WHEN`` answers with 200, if there is one, and
then runs it. What runs is Patroni's own ``main``, unchanged.
"""

# ruff: noqa: INP001 - a script that is copied to the nodes

from __future__ import annotations

import importlib
import os
import time
import urllib.error
import urllib.request

# In the order in which Patroni itself loads them: another one runs into a circle.
MODULES = ("patroni.__main__", "patroni.api", "patroni.ha", "patroni.dcs.consul")
POLL_S = 0.05
WAIT_S_MAX = 20.0


def load() -> None:
    """Load Patroni, whose tables of PostgreSQL's settings are YAML: with PyYAML's parser in C."""
    yaml = importlib.import_module("yaml")
    yaml.SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for module in MODULES:
        importlib.import_module(module)


def run() -> None:
    """Load Patroni, wait, run it."""
    when = os.environ.pop("PATRONI_START_WHEN", "")
    load()
    deadline = time.monotonic() + WAIT_S_MAX
    while when and not answers(when) and time.monotonic() < deadline:
        time.sleep(POLL_S)
    importlib.import_module("patroni.__main__").main()


def answers(url: str) -> bool:
    """True when a URL answers with 200."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - Consul, by HTTP
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


if __name__ == "__main__":
    run()
