"""How a command gets into a world's namespaces from outside."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def into_room(pid: int, command: Sequence[str]) -> list[str]:
    """The command line that runs a command as a process of a node.

    Args:
        pid: The node's process 1, as the caller sees it.
        command: Program and arguments, found on the node's PATH.
    """
    return _enter(pid, ["--mount", "--net", "--pid", "--ipc", "--uts"], command)


def into_network(pid: int, command: Sequence[str]) -> list[str]:
    """The command line that runs a command with only the network of a node, or of the wan.

    Its files, its process ids and its parent stay the caller's.

    Args:
        pid: Process 1 of the node or of the world, as the caller sees it.
        command: Program and arguments.
    """
    return _enter(pid, ["--net"], command)


def _enter(pid: int, namespaces: Sequence[str], command: Sequence[str]) -> list[str]:
    user = []
    if namespace("self", "user") != namespace(pid, "user"):
        user = ["--user", "--preserve-credentials"]
    return ["nsenter", "-t", str(pid), *user, *namespaces, "--", *command]


def namespace(pid: int | str, kind: str) -> str:
    """The identity of a process's namespace, for example ``net:[4026531840]``; empty if gone.

    Args:
        pid: A process id, or ``self``.
        kind: As in ``/proc/PID/ns``: ``net``, ``pid``, ``user``, ...
    """
    try:
        return str(Path(f"/proc/{pid}/ns/{kind}").readlink())
    except OSError:
        return ""
