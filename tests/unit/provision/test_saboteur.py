"""The saboteur takes every way out of Patroni's own class."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import patroni.api  # noqa: F401 - first, or Patroni runs into its own circle of imports
import pytest
from patroni.ha import Ha

from tests.unit.provision.scripts import loaded


@pytest.fixture
def sabotaged() -> type[Ha]:
    """A subclass of Patroni's real class, so that the class itself stays as it is."""

    class Victim(Ha):  # type: ignore[misc]
        demoted: Any = None

        def __init__(self, *, primary: bool) -> None:
            self.state_handler = Mock()
            self.state_handler.is_running.return_value = True
            self.state_handler.is_primary.return_value = primary
            self._leader_expiry = 0.0

        def demote(self, mode: str) -> None:
            self.demoted = mode

        def follow(self, *args: Any, **kwargs: Any) -> str:
            return "followed"

        def _handle_dcs_error(self) -> str:
            return "demoted self"

        def is_leader(self) -> bool:
            return False

    loaded("postgres", "patroni_without_fencing.py").sabotage(Victim)
    return Victim


def test_what_it_replaces_exists_in_this_patroni() -> None:
    for name in ("demote", "follow", "is_leader", "_handle_dcs_error"):
        assert callable(getattr(Ha, name))


@pytest.mark.parametrize("mode", ["offline", "immediate", "immediate-nolock"])
def test_a_primary_never_demotes_itself(sabotaged: type[Ha], mode: str) -> None:
    primary = sabotaged(primary=True)
    primary.demote(mode)
    assert primary.demoted is None
    assert "fencing is disabled" in primary.follow("demoting self", "following")
    assert "fencing is disabled" in primary._handle_dcs_error()
    assert primary.is_leader()


def test_people_may_still_demote_it(sabotaged: type[Ha]) -> None:
    primary = sabotaged(primary=True)
    primary.demote("graceful")
    assert primary.demoted == "graceful"


def test_a_standby_is_left_as_it_is(sabotaged: type[Ha]) -> None:
    standby = sabotaged(primary=False)
    standby.demote("immediate")
    assert standby.demoted == "immediate"
    assert standby.follow("demoting self", "following") == "followed"
    assert standby._handle_dcs_error() == "demoted self"
    assert not standby.is_leader()
