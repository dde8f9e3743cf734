"""The wan's packet rules as one nft ruleset.

Every packet that crosses the wan is given its link's mark, whichever leg of a proxied connection
it belongs to; one lookup of the mark in the set ``cut`` then drops it. So a cut is one element:
it holds for new and open connections, on both sides of Toxiproxy, for every protocol, in exactly
one direction, and what Toxiproxy already holds stays where it is.
"""

from __future__ import annotations

from collections.abc import Iterable

from testbed.topology.model import Topology
from testbed.world import addressing

TABLE = "wan"

_CHAINS = """
  chain arrive {
    type filter hook prerouting priority raw; policy accept;
    meta mark set ip saddr . ip daddr map @legs
    meta mark @cut drop
    meta mark @sent
  }
  chain depart {
    type filter hook output priority raw; policy accept;
    meta mark set ip daddr map @aliases
    meta mark set tcp sport map @listeners
    meta mark @cut drop
    meta mark @delivered
  }
  chain intercept {
    type nat hook prerouting priority dstnat; policy accept;
    dnat ip to ip saddr . ip daddr . tcp dport map @listened
  }
  chain unalias {
    type nat hook output priority -100; policy accept;
    dnat to ip daddr map @aliased
  }
  chain enter {
    type filter hook input priority filter; policy accept;
    meta mark != 0 ct state new ct status ! dnat reject
  }
  chain transit {
    type filter hook forward priority filter; policy accept;
    meta mark != 0 ct state invalid drop
    meta mark != 0 meta l4proto tcp reject with tcp reset
    meta mark @delivered
  }
"""


def ruleset(topology: Topology) -> str:
    """The table ``wan``, ready for ``nft -f``.

    Args:
        topology: Its links and wan ports decide the content.
    """
    networks = {region.name: region.network for region in topology.regions}
    links = addressing.marks(topology)
    listeners = addressing.listeners(topology)
    back = {
        (link.source, link.target): addressing.mark(topology, link.target, link.source)
        for link in topology.links
    }
    parts = [
        _map(
            "legs",
            "ipv4_addr . ipv4_addr : mark",
            (
                f"{networks[link.source]} . {networks[link.target]} : {mark}"
                for mark, link in links.items()
            ),
        ),
        _map("aliases", "ipv4_addr : mark", (f"10.78.{mark}.0/24 : {mark}" for mark in links)),
        # What leaves a listener towards its client travels against the listener's own link.
        _map(
            "listeners",
            "inet_service : mark",
            (f"{one.port} : {back[one.source, one.target]}" for one in listeners),
            interval=False,
        ),
        _map(
            "listened",
            "ipv4_addr . ipv4_addr . inet_service : ipv4_addr . inet_service",
            (
                f"{networks[one.source]} . {one.node_address} . {one.node_port}"
                f" : {one.gateway} . {one.port}"
                for one in listeners
            ),
        ),
        _map(
            "aliased",
            "ipv4_addr : ipv4_addr",
            sorted({f"{one.alias} : {one.node_address}" for one in listeners}),
            interval=False,
        ),
        *(_set(name, (str(mark) for mark in links)) for name in ("sent", "delivered")),
        _set("cut", ()),
    ]
    return f"table ip {TABLE} {{\n{''.join(parts)}{_CHAINS}}}\n"


def _map(name: str, kind: str, elements: Iterable[str], *, interval: bool = True) -> str:
    flags = "    flags interval;\n" if interval else ""
    return f"  map {name} {{\n    type {kind};\n{flags}{_elements(elements)}  }}\n"


def _set(name: str, elements: Iterable[str]) -> str:
    return f"  set {name} {{\n    type mark;\n    counter;\n{_elements(elements)}  }}\n"


def _elements(elements: Iterable[str]) -> str:
    listed = ",\n      ".join(elements)
    return f"    elements = {{\n      {listed}\n    }}\n" if listed else ""
