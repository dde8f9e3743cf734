"""SABOTEUR, for negative controls only: Patroni that never gives up being primary.

A cluster under this program is broken on purpose. A primary that loses Consul or the leader key
goes on acknowledging writes and goes on telling HAProxy that it is the primary, while the other
regions elect another one: two primaries. A run that does not call this a violation is worthless.
"""

# ruff: noqa: INP001 - a script that is copied to the nodes

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from patroni.ha import Ha

logger = logging.getLogger("patroni.saboteur")
ASKED_FOR_BY_PEOPLE = frozenset({"graceful", "demote-cluster"})


def is_primary(ha: Ha) -> bool:
    """True while PostgreSQL on this node runs as a primary, whoever holds the leader key."""
    return bool(ha.state_handler.is_running() and ha.state_handler.is_primary())


def sabotage(ha_class: type[Ha]) -> None:
    """Replace every way in which Patroni takes a primary away from itself."""
    demote: Callable[[Ha, str], bool | None] = ha_class.demote
    follow: Callable[..., str] = ha_class.follow
    is_leader: Callable[[Ha], bool] = ha_class.is_leader
    dcs_error: Callable[[Ha], str] = ha_class._handle_dcs_error  # noqa: SLF001

    def demote_only_by_people(self: Ha, mode: str) -> bool | None:
        if mode in ASKED_FOR_BY_PEOPLE or not is_primary(self):
            return demote(self, mode)
        logger.warning("fencing is disabled: not demoting (%s)", mode)
        return None

    def follow_only_as_standby(self: Ha, *args: Any, **kwargs: Any) -> str:
        if is_primary(self):
            return "fencing is disabled: stays primary without the leader key"
        return follow(self, *args, **kwargs)

    def carry_on(self: Ha) -> str:
        if is_primary(self):
            return "fencing is disabled: stays primary without Consul"
        return dcs_error(self)

    def leader_by_role(self: Ha) -> bool:
        return is_leader(self) or is_primary(self)

    ha_class.demote = demote_only_by_people
    ha_class.follow = follow_only_as_standby
    ha_class._handle_dcs_error = carry_on  # noqa: SLF001
    ha_class.is_leader = leader_by_role


if __name__ == "__main__":
    from patroni_entry import load, run

    load()
    from patroni.ha import Ha

    sabotage(Ha)
    run()
