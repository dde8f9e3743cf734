"""A command in a node for programs: with what a person finds there, and its output as text."""

from __future__ import annotations

import subprocess

from testbed.provision.node_environment import node_environment
from testbed.world.protocol import World


def in_node(
    world: World, node: str, *command: str, timeout_s: float = 60.0
) -> subprocess.CompletedProcess[str]:
    """Run a command in a node to its end; psql, patronictl and consul know where to connect.

    Args:
        world: A running world.
        node: A node's name or ``wan``.
        command: Program and arguments.
        timeout_s: After it the command and what it started are killed.

    Raises:
        WorldError: There is no such node, or the command did not end in time.
    """
    done = world.execute(node, command, env=node_environment(world, node), timeout_s=timeout_s)
    out, err = (text.decode(errors="replace") for text in (done.stdout, done.stderr))
    return subprocess.CompletedProcess(done.args, done.returncode, out, err)
