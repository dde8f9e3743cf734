"""What a person finds in a node: the programs on PATH, and where they connect to."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from testbed.clients.postgres_entry import NODE_PORT, WRITER_PORT
from testbed.toolchain.error import ToolchainError
from testbed.toolchain.programs import locate
from testbed.world.protocol import World, WorldError

HOME = "/run/testbed"
"""A folder of the node itself, so that no file of the user's steers a program there."""

_SPECS = "cat /srv/testbed/programs/*.json 2>/dev/null || true"
_SYSTEM = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
_KEPT = ("TERM", "COLORTERM", "NO_COLOR", "LANG", "LC_ALL", "TZ")


def node_environment(
    world: World, node: str, environ: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The whole environment of a command that a person runs in a node.

    Nothing of the caller's own gets in but how its terminal is: an address of another cluster
    among its variables must not lead a command there.

    Args:
        world: A running world.
        node: A node's name or ``wan``.
        environ: The caller's environment; that of the process by default.

    Raises:
        WorldError: There is no such node, or it has ended.
    """
    caller = os.environ if environ is None else environ
    specs = _specs(world, node)
    programs = (folder for folder in _program_folders(specs) if folder not in _SYSTEM)
    path = dict.fromkeys([*programs, *_client_folders(), *_SYSTEM])
    return {
        "LANG": "C.UTF-8",
        **{name: caller[name] for name in _KEPT if name in caller},
        "HOME": HOME,
        "PATH": ":".join(path),
        "TESTBED_WORLD": world.name,
        "TESTBED_NODE": node,
        **_connections(world, node),
    }


def _specs(world: World, node: str) -> list[dict[str, Any]]:
    """What was provisioned on a node, as it is stored there."""
    done = world.execute(node, ["sh", "-c", _SPECS], timeout_s=20)
    if done.returncode != 0:
        problem = done.stderr.decode(errors="replace").strip()
        raise WorldError(f"node {node!r} of world {world.name!r} cannot be entered: {problem}")
    decoder, text = json.JSONDecoder(), done.stdout.decode().strip()
    specs = []
    while text:
        spec, end = decoder.raw_decode(text)
        specs.append(spec)
        text = text[end:].strip()
    return specs


def _program_folders(specs: list[dict[str, Any]]) -> Iterator[str]:
    """The folders of the programs that run on the node, and of those that they call."""
    for spec in specs:
        for word in spec["argv"]:
            if word.startswith("/") and Path(word).is_file() and os.access(word, os.X_OK):
                yield str(Path(word).parent)
        yield from filter(None, spec.get("env", {}).get("PATH", "").split(":"))


def _client_folders() -> Iterator[str]:
    """The folders of psql and patronictl, for nodes that run neither PostgreSQL nor Patroni."""
    for program in ("postgres", "patronictl"):
        try:
            yield str(locate(program).folder)
        except ToolchainError:
            continue  # The nodes that run them name them themselves.


def _connections(world: World, node: str) -> dict[str, str]:
    """Where psql and patronictl connect to when they are not told."""
    found = [each for each in world.topology.nodes if each.name == node]
    groups = found[0].groups if found else frozenset()
    settings: dict[str, str] = {}
    if "postgres" in groups:
        settings |= {"PGHOST": "127.0.0.1", "PGPORT": str(NODE_PORT)}
        settings |= {"PATRONICTL_CONFIG_FILE": "/srv/patroni/patroni.yml"}
    elif "haproxy" in groups:
        settings |= {"PGHOST": found[0].address, "PGPORT": str(WRITER_PORT)}
    if settings:
        settings |= {"PGUSER": "testbed", "PGDATABASE": "testbed"}
    return settings
