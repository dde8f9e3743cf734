"""Where a directed link's toxics sit: which listener, which stream."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from testbed.world.addressing import Listener
from testbed.world.toxics import Toxic

UPSTREAM = "upstream"
"""From the client, who opened the connection, to the server."""
DOWNSTREAM = "downstream"
"""From the server back to the client."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A toxic where it sits.

    Args:
        listener: The listener's name.
        stream: ``UPSTREAM`` or ``DOWNSTREAM``.
        toxic: What is there.
    """

    listener: str
    stream: str
    toxic: Toxic


def streams(listeners: Iterable[Listener], pair: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """The listeners' streams that carry what a directed link carries.

    Args:
        listeners: All of the wan.
        pair: The region that sends and the one that receives.

    Returns:
        Listener's name and stream: upstream of the connections that the sender opened,
        downstream of those that the receiver opened.
    """
    found = []
    for one in listeners:
        if (one.source, one.target) == pair:
            found.append((one.name, UPSTREAM))
        elif (one.target, one.source) == pair:
            found.append((one.name, DOWNSTREAM))
    return tuple(found)


def places(
    listeners: Iterable[Listener], pair: tuple[str, str], toxic: Toxic, port: int | None = None
) -> tuple[Placed, ...]:
    """Every place that a toxic of a directed link takes.

    Args:
        listeners: All of the wan.
        pair: The region that sends and the one that receives.
        toxic: What is to be there.
        port: Only connections to this port of a node, whoever opened them; None for all.
    """
    chosen = [one for one in listeners if port in (None, one.node_port)]
    return tuple(Placed(name, stream, toxic) for name, stream in streams(chosen, pair))


def on_link(
    listeners: Iterable[Listener], pair: tuple[str, str], placed: Iterable[Placed]
) -> tuple[Placed, ...]:
    """Those of all placed toxics that belong to a directed link."""
    mine = set(streams(listeners, pair))
    return tuple(place for place in placed if (place.listener, place.stream) in mine)
