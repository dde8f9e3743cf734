"""What one test is run with: the command line's options, then its marker's, then the defaults."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from experiments.chaos_marker import MARKER, Asked, asked
from experiments.options import Options
from experiments.outcomes import MisuseError

OPTIONS = pytest.StashKey[Options]()
"""Where a session keeps its options."""


def asked_of(item: pytest.Item) -> Asked:
    """What the marker of a test says; nothing where it has none.

    Raises:
        MisuseError: It can't be meant; with every problem.
    """
    marker = item.get_closest_marker(MARKER)
    if marker is None:
        return Asked()
    try:
        return asked(marker.args, marker.kwargs)
    except ValueError as error:
        raise MisuseError(f"{item.nodeid}: {error}") from None


def options_of(item: pytest.Item) -> Options:
    """The options of one test: the command line's, then its marker's, then the defaults."""
    try:
        wish = asked_of(item)
    except pytest.fail.Exception:
        # Told by the fixture, as the failure of that test.
        wish = Asked()
    config = item.config
    options = config.stash[OPTIONS]
    if wish.budget_s is not None and config.getoption("testbed_budget") is None:
        options = replace(options, budget_s=wish.budget_s)
    if wish.examples is not None and config.getoption("testbed_examples") is None:
        options = replace(options, examples=wish.examples)
    return options


def teller(config: pytest.Config) -> Callable[[str], None] | None:
    """Writes a line to the terminal, where there is one and it is not to be quiet."""
    terminal: Any = config.pluginmanager.get_plugin("terminalreporter")
    if terminal is None or config.get_verbosity() < 0:
        return None

    def say(text: str) -> None:
        terminal.ensure_newline()
        terminal.write_line(f"  {text}")

    return say
