"""How Hypothesis searches a space of plans: every experiment alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, Verbosity, settings
from hypothesis.database import DirectoryBasedExampleDatabase, ExampleDatabase
from hypothesis.errors import InvalidArgument

from experiments.options import Options

USERS_EXAMPLE_S_MIN = 10.0
"""No example of a user's test is expected to take less."""


def search_settings(
    options: Options, example_s_min: float, database: ExampleDatabase | None = None
) -> settings:
    """Settings for a search whose budget the arena keeps.

    A run takes many seconds: no deadline, and no health check of the generation's speed. The budget
    bounds the search and the shrinking alike. Hypothesis has no way to end a search early; what it
    draws when the budget is spent passes unseen, and only costs the drawing.

    Args:
        options: Of the lane.
        example_s_min: No example takes less.
        database: Of the examples that failed, which are tried first; None for none.
    """
    draws = min(options.examples, 1 + int(options.budget_s / example_s_min))
    reuse = () if database is None else (Phase.reuse,)
    return settings(
        max_examples=max(1, draws),
        deadline=None,
        database=database,
        phases=(Phase.explicit, *reuse, Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet if database is None else Verbosity.normal,
        report_multiple_bugs=False,
    )


def fit_searches(tests: Iterable[tuple[Callable[..., Any], Options]], folder: Path) -> None:
    """Give tests of users the settings of a search, where they have none of their own.

    Args:
        tests: Decorated with ``given``, each with its options.
        folder: Of the examples that failed: shared by processes, and kept by who keeps it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ignored = folder.parent / ".gitignore"
    if folder.parent.name == ".testbed" and not ignored.exists():
        ignored.write_text("*\n", encoding="utf-8")
    database = DirectoryBasedExampleDatabase(folder)
    for test, options in tests:
        try:
            search_settings(options, USERS_EXAMPLE_S_MIN, database)(
                # A method of a class takes no settings, its function does.
                getattr(test, "__func__", test)
            )
        except InvalidArgument:
            # Decorated with settings of its own, or with ours for another of its parameters.
            continue
