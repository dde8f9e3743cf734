"""Moving the primary on purpose, as operators do."""

from __future__ import annotations

from faults.answer import Answer
from testbed.topology.model import Node
from valkey_regions.wire import LOST, NAME, ask, opened

_TIMEOUT_S = 5.0


async def switch_over(primary: Node, candidate: str | None) -> Answer:
    """Ask the primary's own sentinel for a coordinated failover.

    The primary then stops taking writes until a replica has all of them. A plain ``SENTINEL
    FAILOVER`` promotes one while the primary goes on, which loses what it acknowledges meanwhile.

    Args:
        primary: Its node.
        candidate: Must be None: sentinels choose by themselves.
    """
    if candidate is not None:
        return Answer(accepted=False, text="sentinels choose the candidate by themselves")
    try:
        connection = await opened(primary.address, 26379, _TIMEOUT_S)
    except LOST as error:
        return Answer(accepted=False, text=f"the sentinel of {primary.name} is silent: {error}")
    try:
        said = await ask(connection, "SENTINEL", "FAILOVER", NAME, "COORDINATED")
        return Answer(accepted=True, text=str(said))
    except LOST as error:
        return Answer(accepted=False, text=f"the sentinel of {primary.name} says: {error}")
    finally:
        await connection.disconnect(nowait=True)
