"""What every page shares: its style, and templates in which nothing that was recorded can act."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from importlib import resources
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from testbed.report.visible import visible
from testbed.report.wording import SIGNS

_SHARED = "testbed.report"


@functools.cache
def style() -> Markup:
    """The style of every page."""
    text = (resources.files(_SHARED) / "templates" / "report.css").read_text("utf-8")
    return Markup(text)  # noqa: S704 - our own file


def page_environment(
    filters: Mapping[str, Callable[..., Any]], package: str = _SHARED
) -> Environment:
    """Jinja2 with everything escaped, and what is hidden in a text spelled out before that.

    Args:
        filters: What the templates of a page call, by name.
        package: Whose folder ``templates`` they are in, beside those that every page shares.
    """
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(name) for name in (package, _SHARED)]),
        autoescape=True,
        finalize=_shown,
        undefined=StrictUndefined,
    )
    environment.filters |= filters
    environment.globals |= {"style": style, "signs": SIGNS}
    return environment


def _shown(value: Any) -> Any:
    """What Jinja2 prints: markup of our own as it is, all other text made visible."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return visible(value)
    return value
