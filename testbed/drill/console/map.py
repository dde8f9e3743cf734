"""The map of a world: regions as boxes, links as lines between them, each with its state."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from testbed.drill.console.canvas import Box, Canvas

GOOD, POOR, BAD, QUIET = "green", "yellow", "bold red", "dim"
BOX_WIDTH = 29

SILENT_MS = 1000.0
"""Observers send every 50 ms: what has been silent for so long carries nothing."""

_GLYPHS = {"primary": "★", "replica": "●", "standby_leader": "◆"}
_ORDER = {"good": 0, "slow": 1, "silent": 2, "cut": 3}
STYLES = {"good": GOOD, "slow": POOR, "silent": BAD, "cut": BAD}
_MARKS = {"good": "·", "slow": "~", "silent": "x", "cut": "x"}


def draw(picture: Mapping[str, Any], width: int, height: int) -> Text:
    """The map of a picture.

    Args:
        picture: As ``testbed.drill.picture`` makes it.
        width: Columns.
        height: Rows.
    """
    canvas = Canvas(max(width, BOX_WIDTH), max(height, 8))
    regions: Sequence[Mapping[str, Any]] = picture["regions"]
    spots = places(regions, canvas.width, canvas.height)
    boxes = {one["name"]: spot for one, spot in zip(regions, spots, strict=True)}
    pairs = link_pairs(picture)
    for pair in pairs:
        ends, state = _ends(pair, boxes), worst_state(pair)
        canvas.line(*ends, STYLES[state], _MARKS[state])
    for region in regions:
        _draw_region(canvas, boxes[region["name"]], region)
    for pair in pairs:
        _label(canvas, boxes, pair)
    return canvas.text()


def fits(regions: Sequence[Mapping[str, Any]], width: int, height: int) -> bool:
    """Whether every box has its place, with a line's room to the next one."""
    boxes = places(regions, width, height)
    inside = all(box.left >= 0 and box.top >= 0 for box in boxes)
    return inside and not any(
        abs(one.left - other.left) < BOX_WIDTH + 2
        and one.top <= other.top < one.top + one.height + 2
        for one, other in itertools.permutations(boxes, 2)
    )


def link_pairs(picture: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], ...]]:
    """The links of each two regions: one direction, then the other where there is one."""
    links = {(one["source"], one["target"]): one for one in picture["links"]}
    return [
        tuple(links[one] for one in ((a, b), (b, a)) if one in links)
        for a, b in links
        if a < b or (b, a) not in links
    ]


def worst_state(links: Sequence[Mapping[str, Any]]) -> str:
    """The worst of their states."""
    return max((link_state(one) for one in links), key=lambda state: _ORDER[state])


def places(regions: Sequence[Mapping[str, Any]], width: int, height: int) -> list[Box]:
    """Where each region's box is: in a row for two, in a triangle or on a ring for more."""
    count = len(regions)
    found = []
    for number, region in enumerate(regions):
        tall = 3 + 2 * len(region["nodes"])
        # The first at the top, the others around.
        angle = -math.pi / 2 + 2 * math.pi * number / max(count, 1)
        if count == 2:
            angle = math.pi * (1 - number)
        across = (math.cos(angle) / math.cos(math.pi / 6) if count == 3 else math.cos(angle)) + 1
        down = (math.sin(angle) if count != 3 else (-1.0 if number == 0 else 1.0)) + 1
        if count == 3 and number:
            # Clockwise would put the second one to the right: people read from the left.
            across = 2 - across
        left = round((width - BOX_WIDTH) * min(max(across / 2, 0), 1))
        top = round((height - tall) * min(max(down / 2, 0), 1))
        found.append(Box(left, top, BOX_WIDTH, tall))
    return found


def link_state(link: Mapping[str, Any]) -> str:
    """``good``, ``slow``, ``silent`` or ``cut``."""
    if link["cut"]:
        return "cut"
    if link["silent_ms"] is None or link["silent_ms"] > SILENT_MS:
        return "silent"
    delay = link["delay_ms"]
    slow = delay is not None and delay > link["asked_delay_ms"] * 1.5 + 15
    return "slow" if slow or link["toxics"] else "good"


def link_words(link: Mapping[str, Any]) -> str:
    """What a link does, in a few words."""
    state = link_state(link)
    if state in ("cut", "silent"):
        silent_ms = link["silent_ms"]
        since = "" if silent_ms is None else f" {silent_ms / 1000:.0f} s"
        return f"CUT{since}" if state == "cut" else f"silent{since}"
    return "no reading" if link["delay_ms"] is None else f"{link['delay_ms']:.0f} ms"


def node_words(node: Mapping[str, Any]) -> tuple[str, str, str]:
    """What a node is, what else there is to say of it, and the style of both."""
    role = str(node["role"])
    if role in ("silent", "unknown"):
        return f"○ {node['name']}", "  does not answer" if role == "silent" else "  ...", BAD
    lag = node.get("lag_bytes")
    bad = node.get("state") not in ("running", "streaming")
    more = []
    if node.get("synchronous") in ("sync", "quorum"):
        more.append("sync")
    if lag is not None and lag > 0:
        more.append(f"{size(lag)} behind")
    if bad or not more:
        more.insert(0, str(node.get("state")))
    style = BAD if bad else "bold cyan" if role == "primary" else POOR if lag else ""
    return f"{_GLYPHS.get(role, '?')} {node['name']}  {role}", f"  {', '.join(more)}", style


def client_words(region: Mapping[str, Any]) -> tuple[str, str]:
    """What the clients of a region get, and the style of that."""
    ratio = region["success_ratio"]
    if ratio is None:
        return "clients: nothing", QUIET
    latency = region["latency_ms_p99"]
    shown = "-" if latency is None else f"{latency:.0f} ms"
    style = GOOD if ratio >= 0.95 else POOR if ratio > 0.2 else BAD
    return f"{region['ok_ops_s']:.0f}/s  {ratio:.0%}  p99 {shown}", style


def size(count: float) -> str:
    """Bytes as people say them."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count:.0f} B"


def _draw_region(canvas: Canvas, box: Box, region: Mapping[str, Any]) -> None:
    words, style = client_words(region)
    canvas.box(box, f"{region['name']} · {region['jurisdiction']}", style)
    for number, node in enumerate(region["nodes"]):
        *lines, own = node_words(node)
        for offset, line in enumerate(lines, 1):
            canvas.put(box.left + 2, box.top + 2 * number + offset, line[: box.width - 4], own)
    canvas.put(box.left + 2, box.top + box.height - 2, words[: box.width - 4], style)


def _label(
    canvas: Canvas,
    boxes: Mapping[str, Box],
    pair: Sequence[Mapping[str, Any]],
) -> None:
    """Both directions, where the line between the boxes is free."""
    (x0, y0), (x1, y1) = _ends(pair, boxes)
    free = [
        (x0 + (x1 - x0) * step / 40, y0 + (y1 - y0) * step / 40)
        for step in range(41)
        if not any(
            box.holds(round(x0 + (x1 - x0) * step / 40), round(y0 + (y1 - y0) * step / 40))
            for box in boxes.values()
        )
    ]
    column, row = free[len(free) // 2] if free else ((x0 + x1) / 2, (y0 + y1) / 2)
    flat = abs(y1 - y0) <= 1
    away, back = ("→", "←") if x1 > x0 else ("←", "→")
    if not flat:
        away, back = ("↓", "↑") if y1 > y0 else ("↑", "↓")
    for offset, (link, arrow) in enumerate(zip(pair, (away, back), strict=False)):
        words = f" {arrow} {link_words(link)} "
        style = STYLES[link_state(link)]
        canvas.put(round(column) - len(words) // 2, round(row) + offset - 1, words, style)


def _ends(
    pair: Sequence[Mapping[str, Any]], boxes: Mapping[str, Box]
) -> tuple[tuple[int, int], tuple[int, int]]:
    return boxes[pair[0]["source"]].middle, boxes[pair[0]["target"]].middle
