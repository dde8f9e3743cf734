"""Makes every program ready: finds it, or builds it once."""

from __future__ import annotations

import shutil
from collections.abc import Iterable

from testbed.toolchain.build import Builder
from testbed.toolchain.error import ProgramMissingError, ToolchainError
from testbed.toolchain.go import Go, bring_go, find_go
from testbed.toolchain.programs import Program, Toolchain
from testbed.toolchain.progress import Progress
from testbed.toolchain.versions import REQUIREMENTS, requirement


def prepare(
    progress: Progress,
    names: Iterable[str] | None = None,
    toolchain: Toolchain | None = None,
) -> tuple[Program, ...]:
    """Find every program, building what has to be built.

    Args:
        progress: Where to show how far it is.
        names: Which programs; all of them by default.
        toolchain: Where to look; this process's environment by default.

    Returns:
        The programs, in the order asked for; none that is not to be had and only needed for
        something in particular, unless it was asked for.

    Raises:
        ToolchainError: Some cannot be had; the message lists every one of them.
    """
    tools = toolchain if toolchain is not None else Toolchain()
    wanted = tuple(names) if names is not None else tuple(one.name for one in REQUIREMENTS)
    found: dict[str, Program] = {}
    problems: list[str] = []
    to_build: list[str] = []
    for name in wanted:
        try:
            found[name] = tools.locate(name)
        except ProgramMissingError:
            to_build.append(name)
        except ToolchainError as error:
            if names is not None or not requirement(name).only_for:
                problems.append(str(error))
    if problems:
        # Nothing is built for minutes only to say then that something else is missing.
        raise ToolchainError("\n".join(problems))
    if to_build:
        found |= _build_all(to_build, tools, progress)
    return tuple(found[name] for name in wanted if name in found)


def _build_all(names: list[str], tools: Toolchain, progress: Progress) -> dict[str, Program]:
    scratch = tools.cache.folder.parent / "go"
    with tools.cache.lock(
        "build", lambda: progress.say("Another process is building programs; waiting for it.")
    ):
        go: Go | None = None
        built: dict[str, Program] = {}
        for name in names:
            try:
                # The one that held the lock before us may have built it.
                built[name] = tools.locate(name)
            except ProgramMissingError as missing:
                go = go or find_go(tools.environ, scratch) or bring_go(scratch, progress)
                built[name] = _build(name, tools, go, progress, missing)
        if go is not None and go.own:
            # Gigabytes that only serve the next build, which may never come.
            shutil.rmtree(scratch, ignore_errors=True)
    return built


def _build(
    name: str, tools: Toolchain, go: Go, progress: Progress, missing: ProgramMissingError
) -> Program:
    entry = tools.entry(requirement(name))
    if entry.folder.exists():
        progress.say(f"{name} {entry.problem()} ({entry.folder}): building it again.")
    Builder(go, tools.cache, progress, tools.environ).build(requirement(name), entry)
    try:
        return tools.locate(name)
    except ProgramMissingError as error:
        raise ToolchainError(f"{name} was built, but {error}") from missing
