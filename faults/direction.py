"""The direction of a fault on a link: as the arrow points, or both ways."""

from __future__ import annotations

from typing import Literal

from faults.parameter import Parameter
from faults.protocol import Context, Fault, FaultError
from faults.target import resolve_link

OneWayOrBoth = Literal["one-way", "both"]

DIRECTION = Parameter(
    name="direction",
    description="`one-way`: as the arrow points; `both`: the opposite link as well.",
    choices=("one-way", "both"),
    default="one-way",
)


async def directed_pairs(
    fault: Fault, direction: OneWayOrBoth, context: Context
) -> tuple[tuple[str, str], ...]:
    """The directed links that a fault on a link means now.

    Raises:
        FaultError: Both ends of its target are one region now.
    """
    link = await resolve_link(fault.target, context.resolve)
    if link is None:
        raise FaultError(
            f"{fault.title} could not be injected: both its ends are one region at this moment; "
            f"name a region where the plan names a role"
        )
    pair = (link.source, link.target)
    return (pair, (link.target, link.source)) if direction == "both" else (pair,)
