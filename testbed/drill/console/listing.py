"""What the map shows, in lines: for terminals that are too small for a map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.text import Text

from testbed.drill.console.map import (
    STYLES,
    client_words,
    link_pairs,
    link_words,
    node_words,
    worst_state,
)


def draw(picture: Mapping[str, Any]) -> Text:
    """Regions with their nodes, then links with both their directions.

    Args:
        picture: As ``testbed.drill.picture`` makes it.
    """
    lines = []
    for region in picture["regions"]:
        words, style = client_words(region)
        lines.append(Text(f"{region['name']} · {region['jurisdiction']}  {words}", style))
        for node in region["nodes"]:
            name, more, own = node_words(node)
            lines.append(Text(f"  {name}  {more.strip()}", own))
    for pair in link_pairs(picture):
        said = " ".join(
            f"{arrow} {link_words(link)}" for arrow, link in zip("→←", pair, strict=False)
        )
        ends = f"{pair[0]['source']}/{pair[0]['target']}"
        lines.append(Text(f"{ends} {said}", STYLES[worst_state(pair)]))
    return Text("\n", no_wrap=True, overflow="ellipsis").join(lines)
