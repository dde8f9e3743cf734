"""The Toxiproxy server of the wan's network namespace, through the toxiproxy client library.

The library keeps the server's address in a class, one server a process. That suits it here: a
process in the wan's network namespace finds exactly one server, at 127.0.0.1:8474.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests
from toxiproxy import Toxiproxy
from toxiproxy.api import APIConsumer
from toxiproxy.exceptions import InvalidToxic, NotFound, ProxyExists
from toxiproxy.proxy import Proxy

from testbed.world.addressing import Listener
from testbed.world.placing import Placed
from testbed.world.protocol import WorldError
from testbed.world.toxics import from_attributes

_CALLS_AT_ONCE = 8


class Proxies:
    """Listeners and toxics of the wan's Toxiproxy."""

    def __init__(self) -> None:
        self._server = Toxiproxy()

    def agree(self, listeners: Iterable[Listener], *, check: bool = False) -> list[str]:
        """Make exactly these listeners exist; their connections survive where nothing changes.

        Args:
            listeners: All that shall exist.
            check: Only find out.

        Returns:
            What had to be changed, in sentences.

        Raises:
            WorldError: Toxiproxy does not answer or refused.
        """
        wanted = {one.name: one for one in listeners}
        with _explained():
            present = self._server.proxies()
            lacking = [one for one in wanted.values() if not _same(present.get(one.name), one)]
            surplus = sorted(present.keys() - wanted.keys())
            if not check:
                # The server would keep a listener that is right but disabled: make it anew.
                for name in (*surplus, *(one.name for one in lacking if one.name in present)):
                    present[name].destroy()
                if lacking:
                    described = [_described(one) for one in lacking]
                    _require(APIConsumer.post("/populate", json=described))
        return [f"remove listener {name}" for name in surplus] + [
            f"create listener {one.name}" for one in lacking
        ]

    def toxics(self) -> tuple[Placed, ...]:
        """Every toxic on every listener.

        Raises:
            WorldError: Toxiproxy does not answer.
        """
        with _explained():
            described: Mapping[str, Any] = APIConsumer.get("/proxies").json()
        return tuple(
            _placed(name, toxic)
            for name, proxy in described.items()
            for toxic in proxy.get("toxics") or ()
        )

    def add(self, places: Iterable[Placed]) -> None:
        """Put toxics where they are said to sit.

        Raises:
            WorldError: One of that name is there already, or Toxiproxy refused.
        """
        self._each(_add, places)

    def remove(self, places: Iterable[Placed]) -> None:
        """Take toxics away; one that is not there needs nothing.

        Raises:
            WorldError: Toxiproxy refused.
        """
        self._each(_remove, places)

    def _each(self, action: Any, places: Iterable[Placed]) -> None:
        with _explained(), ThreadPoolExecutor(_CALLS_AT_ONCE) as pool:
            for _ in pool.map(action, places):
                pass


def _add(place: Placed) -> None:
    _proxy(place.listener).add_toxic(
        name=_full_name(place),
        type=place.toxic.kind,
        stream=place.stream,
        toxicity=place.toxic.toxicity,
        attributes=place.toxic.attributes(),
    )


def _remove(place: Placed) -> None:
    with contextlib.suppress(NotFound):
        _proxy(place.listener).destroy_toxic(_full_name(place))


def _proxy(name: str) -> Proxy:
    """The library's object for a listener, without asking the server for all of them first."""
    return Proxy(name=name, upstream="", listen="", enabled=True)


def _full_name(place: Placed) -> str:
    # Two directed links share a listener, one a stream; a name is unique on a listener.
    return f"{place.toxic.name}.{place.stream}"


def _placed(listener: str, described: Mapping[str, Any]) -> Placed:
    name = str(described["name"]).removesuffix(f".{described['stream']}")
    toxic = from_attributes(name, described["type"], described["attributes"], described["toxicity"])
    return Placed(listener, described["stream"], toxic)


def _same(proxy: Proxy | None, listener: Listener) -> bool:
    described = _described(listener)
    return (
        proxy is not None
        and proxy.enabled
        and (proxy.listen, proxy.upstream) == (described["listen"], described["upstream"])
    )


def _described(listener: Listener) -> dict[str, Any]:
    return {
        "name": listener.name,
        "listen": f"{listener.gateway}:{listener.port}",
        "upstream": f"{listener.alias}:{listener.node_port}",
        "enabled": True,
    }


def _require(answer: requests.Response) -> None:
    if not answer.ok:
        raise WorldError(f"Toxiproxy refused the listeners: {answer.text.strip()[:300]}")


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """Turn the library's errors into ones that say what to do."""
    try:
        yield
    except requests.RequestException as error:
        raise WorldError(
            f"Toxiproxy does not answer on {APIConsumer.host}:{APIConsumer.port} "
            f"({type(error).__name__}): is the wan of this world provisioned, and does this run "
            f"in its network? Its log is toxiproxy.log in the logs of wan"
        ) from error
    except (ProxyExists, InvalidToxic, NotFound) as error:
        said = error.args[0] if error.args else error
        text = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
        raise WorldError(f"Toxiproxy refused: {text.strip()[:300]}") from error
