"""A suite's folder: which runs are in it, and what it says of itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from testbed.report.comparison import Compared
from testbed.report.folder import RunFolderError, read_run
from testbed.report.recorded import RecordedRun
from testbed.report.suite import Suite


def runs_below(folder: Path) -> Iterator[RecordedRun]:
    """The runs of a suite without their operations, in the order of their names.

    Only the last try of a plan counts: the earlier one was inconclusive.
    """
    for run in sorted((folder / "runs").glob("*")):
        if run.with_name(f"{run.name}-again").exists():
            continue
        try:
            yield read_run(run, operations=False)
        except RunFolderError:
            continue


def is_suite(folder: Path) -> bool:
    """Whether a folder holds a suite, or suites under each value of a variable."""
    return not (folder / "plan.json").exists() and bool(_folders(folder))


def read_suites(folder: Path) -> tuple[Compared, ...]:
    """What became of the suites of a folder: one with no value, or one a value.

    Raises:
        RunFolderError: There is no suite in it.
    """
    found = _folders(folder)
    if not found:
        raise RunFolderError(f"{folder}: neither a run nor a suite: no {folder.name}/runs is in it")
    return tuple(Compared(value, _suite(path)) for value, path in found)


def _folders(folder: Path) -> list[tuple[str, Path]]:
    if (folder / "runs").is_dir():
        return [("", folder)]
    below = sorted(path.parent for path in folder.glob("*/runs") if path.is_dir())
    return [(path.name, path) for path in below]


def _suite(folder: Path) -> Suite:
    """As ``suite.json`` has it; without one, as its runs are."""
    document = _document(folder / "suite.json")
    runs = tuple(runs_below(folder))
    named = [run.judgement.experiment for run in runs if run.judgement]
    duration = document.get("duration_s")
    return Suite(
        experiment=str(document.get("experiment") or next(filter(None, named), "suite")),
        runs=runs,
        duration_s=duration if isinstance(duration, int | float) else None,
        problem=str(document.get("problem") or ""),
    )


def _document(path: Path) -> dict[str, Any]:
    """What the suite says of itself; where that is damaged, that it may have failed."""
    try:
        document = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, orjson.JSONDecodeError) as error:
        return {"problem": f"{path.name} cannot be read, whether all was run is unknown: {error}"}
    if isinstance(document, dict):
        return document
    return {"problem": f"{path.name} holds no JSON object: whether all was run is unknown"}
