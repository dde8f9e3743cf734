"""How Hypothesis searches a space of plans: every experiment alike."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, Verbosity, settings

from experiments.options import Options


def search_settings(options: Options, example_s_min: float) -> settings:
    """Settings for a search whose budget the arena keeps.

    A run takes many seconds: no deadline, and no health check of the generation's speed. The budget
    bounds the search and the shrinking alike. Hypothesis has no way to end a search early; what it
    draws when the budget is spent passes unseen, and only costs the drawing.

    Args:
        options: Of the lane.
        example_s_min: No example takes less.
    """
    draws = min(options.examples, 1 + int(options.budget_s / example_s_min))
    return settings(
        max_examples=max(1, draws),
        deadline=None,
        database=None,
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
        report_multiple_bugs=False,
    )
