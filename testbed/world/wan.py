"""The network between the regions: cuts, toxics and readings of each directed link.

Everything here runs in the wan's network namespace (``NamespaceWorld.network_argv("wan", ...)``),
where nft and Toxiproxy of the world are reached.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from testbed.topology.model import Topology
from testbed.world import addressing, toxics
from testbed.world.count import Count
from testbed.world.nft import Nft
from testbed.world.placing import Placed, on_link, places
from testbed.world.protocol import WorldError
from testbed.world.proxies import Proxies
from testbed.world.ruleset import ruleset
from testbed.world.toxics import Toxic

Pair: TypeAlias = tuple[str, str]
"""A directed link: the region that sends and the region that receives."""


@dataclass(frozen=True, slots=True)
class LinkCount:
    """What the kernel counted on one directed link since the wan was provisioned.

    Args:
        source: Region that sends.
        target: Region that receives.
        sent: Packets that the source's nodes sent into the link and that were not dropped.
        delivered: Packets that left the wan towards the target's nodes.
        dropped: Packets that the cut now in force swallowed; None when the link is not cut.
        toxics: What is on the link, the inventory's own latency and bandwidth included.
    """

    source: str
    target: str
    sent: Count
    delivered: Count
    dropped: Count | None
    toxics: tuple[Toxic, ...]


class Wan:
    """Cuts, toxics and readings of the links of one world.

    Args:
        topology: What the world was built from.

    Raises:
        WorldError: There is no nft program.
    """

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self._nft = Nft()
        self._proxies = Proxies()
        self._listeners = addressing.listeners(topology)

    def cut(self, pairs: Iterable[Pair]) -> None:
        """Drop every packet of these directed links from now on, in one transaction.

        Holds for every protocol, for new and open connections, and for what Toxiproxy holds.
        A link that is cut already stays so, with its counter.

        Raises:
            WorldError: An unknown link, or the wan is not provisioned.
        """
        self._nft.add("cut", self._marks(pairs))

    def heal(self, pairs: Iterable[Pair]) -> dict[Pair, Count]:
        """Let packets pass again; connections that survived go on by retransmission.

        Returns:
            What the cut had dropped on each link that was cut. A link that was not is left out.

        Raises:
            WorldError: An unknown link, or the wan is not provisioned.
        """
        wanted = self._marks(pairs)
        dropped = {mark: count for mark, count in self._nft.counts("cut").items() if mark in wanted}
        self._nft.delete("cut", dropped)
        links = addressing.marks(self._topology)
        return {(links[mark].source, links[mark].target): dropped[mark] for mark in dropped}

    def cuts(self) -> tuple[Pair, ...]:
        """The links that are cut now."""
        links = addressing.marks(self._topology)
        return tuple((links[m].source, links[m].target) for m in self._nft.counts("cut"))

    def dropped(self, pair: Pair) -> Count:
        """What the cut of a link has dropped so far; zero when it is not cut.

        Raises:
            WorldError: An unknown link, or the wan is not provisioned.
        """
        (mark,) = self._marks([pair])
        return self._nft.counts("cut").get(mark, Count())

    def add_toxic(self, pair: Pair, toxic: Toxic, port: int | None = None) -> None:
        """Put a toxic on a directed link, whoever opened the connections that cross it.

        It applies to open connections at once. Only ``reset_peer`` differs: it resets the
        connections opened after it, and closes open ones at their next bytes.

        Args:
            pair: The link.
            toxic: What to put on it.
            port: Only on connections to this port of a node; None for all.

        Raises:
            WorldError: An unknown link, a port that nothing on it leads to, a name that the
                inventory's own toxics use, one that is on the link already, or Toxiproxy refused.
                Nothing is left half done.
        """
        if toxic.name.startswith(f"{toxics.BASE}-"):
            raise WorldError(
                f"toxic {toxic.name!r}: names that begin with {toxics.BASE}- "
                f"belong to the inventory"
            )
        if any(present.name == toxic.name for present in self.toxics(pair)):
            raise WorldError(
                f"toxic {toxic.name!r} is on {'->'.join(pair)} already: remove it first"
            )
        wanted = places(self._listeners, pair, toxic, port)
        if port is not None and not wanted:
            raise WorldError(f"nothing leads to a port {port} over {'->'.join(pair)}")
        try:
            self._proxies.add(wanted)
        except WorldError:
            self._proxies.remove(wanted)
            raise

    def remove_toxic(self, pair: Pair, name: str) -> bool:
        """Take a toxic off a directed link; False when it was not there.

        Toxiproxy closes the link's connections when a ``timeout`` toxic is removed.

        Raises:
            WorldError: An unknown link, or Toxiproxy does not answer.
        """
        here = [place for place in self._on(pair) if place.toxic.name == name]
        self._proxies.remove(here)
        return bool(here)

    def toxics(self, pair: Pair) -> tuple[Toxic, ...]:
        """The toxics on a directed link, in order of name.

        Raises:
            WorldError: An unknown link, or Toxiproxy does not answer.
        """
        return _by_name(self._on(pair))

    def readings(self) -> tuple[LinkCount, ...]:
        """What the kernel counted on each link and what is on it, in the topology's order.

        Raises:
            WorldError: The wan is not provisioned.
        """
        sent, delivered, cut = (self._nft.counts(name) for name in ("sent", "delivered", "cut"))
        placed = self._proxies.toxics()
        return tuple(
            LinkCount(
                source=link.source,
                target=link.target,
                sent=sent.get(mark, Count()),
                delivered=delivered.get(mark, Count()),
                dropped=cut.get(mark),
                toxics=_by_name(on_link(self._listeners, (link.source, link.target), placed)),
            )
            for mark, link in addressing.marks(self._topology).items()
        )

    def agree(self, *, check: bool = False) -> list[str]:
        """Bring rules, listeners and toxics to what the topology says, with nothing cut.

        Args:
            check: Only find out what would be changed.

        Returns:
            What had to be changed, in sentences; nothing on a second call.

        Raises:
            WorldError: The kernel or Toxiproxy refused.
        """
        # The rules last: what they let in has its link's latency from the first byte on.
        changes = self._proxies.agree(self._listeners, check=check)
        changes += self._agree_toxics(check=check)
        if self._nft.agree(ruleset(self._topology), check=check):
            return [*changes, "load the packet rules"]
        cuts = self.cuts()
        if not check:
            self.heal(cuts)
        return changes + [f"heal {source}->{target}" for source, target in cuts]

    def _agree_toxics(self, *, check: bool) -> list[str]:
        wanted = [
            place
            for link in self._topology.links
            for toxic in toxics.base_toxics(link)
            for place in places(self._listeners, (link.source, link.target), toxic)
        ]
        present = self._proxies.toxics()
        surplus = [place for place in present if place not in wanted]
        lacking = [place for place in wanted if place not in present]
        if not check:
            self._proxies.remove(surplus)
            self._proxies.add(lacking)
        return [f"remove toxic {place.toxic.name} of {place.listener}" for place in surplus] + [
            f"add toxic {place.toxic.name} to {place.listener}" for place in lacking
        ]

    def _marks(self, pairs: Iterable[Pair]) -> set[int]:
        """The marks of links, refused whole when one of them does not exist."""
        known = {(one.source, one.target): m for m, one in addressing.marks(self._topology).items()}
        asked = list(pairs)
        unknown = sorted("->".join(pair) for pair in asked if pair not in known)
        if unknown:
            existing = ", ".join("->".join(pair) for pair in known)
            raise WorldError(f"no such link: {', '.join(unknown)}; the topology has: {existing}")
        return {known[pair] for pair in asked}

    def _on(self, pair: Pair) -> tuple[Placed, ...]:
        self._marks([pair])
        return on_link(self._listeners, pair, self._proxies.toxics())


def _by_name(placed: Iterable[Placed]) -> tuple[Toxic, ...]:
    """One toxic a name, in order of name: the same one sits on every listener of a link."""
    named = {place.toxic.name: place.toxic for place in placed}
    return tuple(named[name] for name in sorted(named))
