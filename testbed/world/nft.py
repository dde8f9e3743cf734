"""The packet filter of the wan's network namespace, through the ``nft`` program."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from typing import Any

from testbed.toolchain.error import ToolchainError
from testbed.toolchain.programs import locate
from testbed.world.count import Count
from testbed.world.protocol import WorldError
from testbed.world.ruleset import TABLE


class Nft:
    """The table ``wan`` of the network namespace that the caller runs in.

    Raises:
        WorldError: There is no ``nft`` program.
    """

    def __init__(self) -> None:
        try:
            self._program = str(locate("nft").path)
        except ToolchainError as error:
            raise WorldError(str(error)) from error

    def agree(self, wanted: str, *, check: bool = False) -> bool:
        """Make the table be the wanted one.

        Cuts in force survive when nothing else changes.

        Args:
            wanted: The text of the whole table.
            check: Only find out.

        Returns:
            True when something had to be changed.

        Raises:
            WorldError: The kernel refused the rules.
        """
        if self._listing() == self._rehearsed(wanted):
            return False
        if not check:
            self._run(["-f", "-"], f"table ip {TABLE}\ndelete table ip {TABLE}\n{wanted}")
        return True

    def add(self, name: str, marks: Iterable[int]) -> None:
        """Add marks to a set in one transaction; those that are in it stay.

        Raises:
            WorldError: There is no such table: the wan has not been provisioned.
        """
        self._change("add", name, marks)

    def delete(self, name: str, marks: Iterable[int]) -> None:
        """Delete marks that are in a set, in one transaction.

        Raises:
            WorldError: One of them is not in it.
        """
        self._change("delete", name, marks)

    def counts(self, name: str) -> dict[int, Count]:
        """What the counters of a set's elements have seen, by mark.

        Raises:
            WorldError: There is no such table: the wan has not been provisioned.
        """
        document = json.loads(self._run(["-j", "list", "set", "ip", TABLE, name], ""))
        elements: list[Any] = next(
            (item["set"].get("elem", []) for item in document["nftables"] if "set" in item), []
        )
        counted = (element["elem"] for element in elements)
        return {
            one["val"]: Count(one["counter"]["packets"], one["counter"]["bytes"]) for one in counted
        }

    def _change(self, verb: str, name: str, marks: Iterable[int]) -> None:
        listed = ", ".join(str(mark) for mark in sorted(marks))
        if listed:
            self._run(["-f", "-"], f"{verb} element ip {TABLE} {name} {{ {listed} }}\n")

    def _listing(self) -> Any:
        done = subprocess.run(
            [self._program, "-j", "list", "table", "ip", TABLE],
            capture_output=True,
            text=True,
            check=False,
        )
        return _plain(done.stdout) if done.returncode == 0 else None

    def _rehearsed(self, wanted: str) -> Any:
        """How this very nft lists the wanted table, tried in a network namespace of its own."""
        script = f'"$1" -f - && exec "$1" -j list table ip {TABLE}'
        done = subprocess.run(
            ["unshare", "--net", "--", "sh", "-c", script, "sh", self._program],
            input=wanted,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise WorldError(f"the kernel refused the wan's rules: {_said(done.stderr)}")
        return _plain(done.stdout)

    def _run(self, arguments: list[str], text: str) -> str:
        done = subprocess.run(
            [self._program, *arguments], input=text, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise WorldError(
                f"nft refused ({' '.join(arguments)}): {_said(done.stderr)}; "
                f"is the wan of this world provisioned, and does this run in its network?"
            )
        return done.stdout


def _said(text: str) -> str:
    return " ".join(text.split())[:400] or "no reason given"


def _plain(listing: str) -> Any:
    """A listing without handles, counts and cuts in force, in an order that does not vary."""
    items = [item for item in json.loads(listing)["nftables"] if "metainfo" not in item]
    plain = [_without_noise(item) for item in items]
    for item in plain:
        if item.get("set", {}).get("name") == "cut":
            item["set"].pop("elem", None)
    return plain


def _without_noise(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {key: _without_noise(inner) for key, inner in value.items() if key != "handle"}
        if "elem" in kept and isinstance(kept["elem"], list):
            kept["elem"].sort(key=json.dumps)
        return {**kept, "counter": None} if "counter" in kept else kept
    if isinstance(value, list):
        return [_without_noise(inner) for inner in value]
    return value
