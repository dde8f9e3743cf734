"""What a suite of examples is run with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Options:
    """The options of one lane of a suite; the same from ``testbed run`` and from pytest.

    Args:
        deployment: Folder name below ``inventory/``, or None for the experiment's own choice.
        settings: ``NAME=VALUE`` of each ``--set``.
        out: Folder of the suite; run folders are made below it.
        budget_s: No further example is begun after it.
        examples: At most so many examples.
        seed: Of all that is drawn.
        lane: Number of this lane, from 0; every lane has a world of its own.
        progress: File that progress events are added to, or None.
        plan: File of a single plan to run instead of a search, or None.
        fresh: Provision by Ansible even where a golden snapshot is there.
    """

    deployment: str | None
    settings: tuple[str, ...]
    out: Path
    budget_s: float
    examples: int
    seed: int
    lane: int
    progress: Path | None
    plan: Path | None = None
    fresh: bool = False
