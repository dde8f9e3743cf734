"""Runs the shell steps of a workflow as its server would, exactly as they are written."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

SHELL = ("bash", "--noprofile", "--norc", "-eo", "pipefail")


def github(job: Mapping[str, Any], folder: Path, env: Mapping[str, str], **matrix: str) -> int:
    """Every step of a job that runs a command, each in a shell of its own.

    After one that failed only those are run that say ``if: always()``.

    Args:
        job: Of the workflow.
        folder: The checkout.
        env: The whole environment.
        matrix: What the job's matrix holds.

    Returns:
        Exit code of the first step that failed; 0 where none did.
    """
    failed = 0
    for step in job["steps"]:
        if "run" not in step or (failed and step.get("if") != "always()"):
            continue
        text = step["run"]
        for name, value in matrix.items():
            text = text.replace("${{ matrix." + name + " }}", value)
        code = _shell(text, folder, env)
        failed = failed or code
    return failed


def gitlab(job: Mapping[str, Any], folder: Path, env: Mapping[str, str]) -> int:
    """Every line of a job, in one shell that ends with the first that fails."""
    variables = {
        name: value.replace("$CI_PROJECT_DIR", str(folder))
        for name, value in job.get("variables", {}).items()
    }
    lines = [*job.get("before_script", ()), *job["script"]]
    return _shell("\n".join(lines), folder, {**env, **variables})


def uploaded(job: Mapping[str, Any]) -> Iterator[str]:
    """What the server keeps of a job of either kind."""
    if "artifacts" in job:
        yield from (*job["artifacts"]["paths"], *job["artifacts"]["reports"].values())
    for step in job.get("steps", ()):
        if step.get("uses", "").startswith("actions/upload-artifact"):
            yield from step["with"]["path"].split()


def _shell(text: str, folder: Path, env: Mapping[str, str]) -> int:
    argv = [*SHELL, "-c", text]
    return subprocess.run(argv, cwd=folder, env=dict(env), check=False).returncode
