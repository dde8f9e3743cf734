"""A world in steady state, for tests that look at it themselves."""

from __future__ import annotations

import time
from collections.abc import Sequence

from experiments.arena import Arena
from experiments.outcomes import EnvironmentFailedError
from testbed.probes.status import status
from testbed.provision.error import ProvisionError
from testbed.toolchain.error import ToolchainError
from testbed.world.finding import find
from testbed.world.namespaces import NamespaceWorld
from testbed.world.protocol import WorldError

_LIMIT_S = 90.0


def disturbances(world: NamespaceWorld) -> Sequence[str]:
    """What is not as it should be in a world, a sentence each: cuts, toxics, missing programs."""
    if not world.alive():
        return ("it has ended",)
    found = status(find(world.name))
    toxics = [
        f"{link.source}->{link.target} has {toxic}" for link in found.links for toxic in link.toxics
    ]
    return (*found.problems, *toxics)


def steady_world(arena: Arena) -> NamespaceWorld:
    """The arena's world once nothing disturbs it any more.

    Raises:
        EnvironmentFailedError: It could not be made, or did not come to rest in time.
    """
    try:
        world = arena.ready_world()
        deadline = time.monotonic() + _LIMIT_S
        # Each look takes a second by itself.
        while found := disturbances(world):
            if time.monotonic() > deadline:
                arena.discard_world()
                raise EnvironmentFailedError(
                    f"the world was not in steady state after {_LIMIT_S:.0f} s: {'; '.join(found)}"
                )
    except (WorldError, ProvisionError, ToolchainError) as error:
        raise EnvironmentFailedError(str(error)) from None
    return world
