"""A person in a node: one command, or a shell whose prompt says where it is."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from testbed.provision.node_environment import node_environment
from testbed.world.attached import leashed, run_attached
from testbed.world.finding import find_running


def visit(name: str | None, node: str, command: Sequence[str] | None) -> int:
    """Run a command in a node in the caller's place, or an interactive shell.

    Args:
        name: The world's; None for the only one there is.
        node: A node's name or ``wan``.
        command: Program and arguments; None for a shell.

    Returns:
        The exit code of the command or the shell.

    Raises:
        WorldError: There is no such world or node, or it has ended.
    """
    world = find_running(name)
    env = node_environment(world, node)
    if command is None:
        command, prompt = _shell(node, world.name)
        env |= {"PS1": prompt}
    return run_attached(world.argv(node, leashed(command)), env)


def _shell(node: str, world: str) -> tuple[list[str], str]:
    """The command line of a shell that reads nobody's start-up files, and its prompt."""
    bash = shutil.which("bash")
    if bash is None:
        return ["/bin/sh", "-i"], f"{node} ({world}) # "
    # The marks keep bash from counting what is not shown.
    return [bash, "--noprofile", "--norc", "-i"], rf"\[\e[1m\]{node}\[\e[0m\] ({world}) \w # "
