"""Opens the console that belongs to a role."""

from __future__ import annotations

from testbed.drill.channel import Caller
from testbed.drill.console.console import Console
from testbed.drill.console.facilitator import FacilitatorConsole
from testbed.drill.console.responder import ResponderConsole


async def run_console(caller: Caller) -> str:
    """Show a drill until it or whoever sits here ends it.

    Returns:
        ``ended`` with the drill, or ``left``.
    """
    consoles: dict[str, type[Console]] = {"responder": ResponderConsole}
    console = consoles.get(caller.person.role, FacilitatorConsole)(caller)
    how = await console.run_async()
    caller.close()
    return how or "left"
