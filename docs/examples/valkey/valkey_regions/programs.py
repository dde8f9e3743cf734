"""The programs that a fault may kill or pause."""

from __future__ import annotations

from faults.program import Program
from testbed.topology.model import Node
from valkey_regions.wire import ask_once


async def _valkey_answers(node: Node) -> bool:
    return bool(await ask_once(node.address, 6379, 1.0, "PING") == "PONG")


async def _sentinel_answers(node: Node) -> bool:
    return bool(await ask_once(node.address, 26379, 1.0, "PING") == "PONG")


VALKEY = Program("valkey", "valkey", _valkey_answers)
SENTINEL = Program("sentinel", "valkey", _sentinel_answers)
