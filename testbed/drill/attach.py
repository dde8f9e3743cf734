"""Joins a drill that is being played."""

from __future__ import annotations

from pathlib import Path

from testbed.drill.channel import RUN, SOCKET, Caller, Person


class NoDrillError(Exception):
    """There is no drill to join; the message says where one was looked for."""


def find_drill(given: Path | None) -> Path:
    """The run folder of a drill that is being played.

    Args:
        given: A drill's folder; None for the only one below ``runs/``.

    Raises:
        NoDrillError: There is none, or without a folder several.
    """
    if given is not None:
        for candidate in (given / RUN, given):
            if (candidate / SOCKET).exists():
                return candidate.absolute()
        raise NoDrillError(
            f"{given} is no drill that is being played: it has no {RUN}/{SOCKET}. It has one from "
            "the beginning of preflight to the end of the drill"
        )
    found = sorted(Path("runs").glob(f"*/{RUN}/{SOCKET}"))
    if not found:
        raise NoDrillError("no drill below runs/ is being played: name its folder")
    if len(found) > 1:
        listed = ", ".join(str(one.parent.parent) for one in found)
        raise NoDrillError(f"several drills are being played, name one of them: {listed}")
    return found[0].parent.absolute()


async def joined(run: Path, person: Person) -> Caller:
    """Join a drill.

    Raises:
        NoDrillError: It has ended, or refuses.
    """
    caller = Caller(run, person)
    try:
        await caller.connect()
    except OSError as error:
        raise NoDrillError(f"the drill of {run.parent} does not answer: it has ended") from error
    answer = await caller.receive()
    if answer is None or answer.get("answer"):
        raise NoDrillError(f"the drill refuses: {answer and answer['answer']}")
    return caller


async def watch(run: Path, person: Person) -> None:
    """Show a drill on this terminal.

    Raises:
        NoDrillError: It can't be joined.
    """
    # Textual takes a while to import: only who opens a console pays for it.
    from testbed.drill.console.run import run_console  # noqa: PLC0415

    await run_console(await joined(run, person))


async def abort(run: Path, name: str) -> str:
    """Abort a drill, and wait until it says that everything is healed.

    Returns:
        What it said.

    Raises:
        NoDrillError: It can't be joined, or ended without a word.
    """
    caller = await joined(run, Person(name, "facilitator"))
    caller.send({"do": "abort"})
    while (message := await caller.receive()) is not None:
        for one in message.get("log", ()):
            if (one["kind"], one["what"]) == ("healed", "halt"):
                caller.close()
                return str(one["text"])
    raise NoDrillError("the drill ended without saying that everything is healed: see its debrief")
