"""Markers and Hypothesis profiles of all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

_HERE = Path(__file__).parent

# A shared machine stalls now and then; an example's time says nothing about the code.
settings.register_profile(
    "default",
    deadline=None,
    max_examples=20,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
)
settings.register_profile("thorough", settings.get_profile("default"), max_examples=1000)
settings.register_profile("full", settings.get_profile("default"), max_examples=10_000)
settings.register_profile("ci", settings.get_profile("default"), derandomize=True)
settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "default")
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what lies below tests/live and tests/property, so that no file can forget to."""
    for item in items:
        for kind in ("live", "property"):
            if (_HERE / kind) in item.path.parents:
                item.add_marker(kind)
