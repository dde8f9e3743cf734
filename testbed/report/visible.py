r"""Text from elsewhere made safe to show: names, errors and values may hold anything.

What a terminal would obey, what XML forbids and what turns text around is spelled out as an
escape (``\x1b``), so that it can be seen and does nothing.
"""

from __future__ import annotations

import re
from typing import Any

import orjson

# Controls (C0, DEL, C1), surrogates, line separators, zero-width and direction marks, the byte
# order mark, interlinear marks, and the two non-characters that XML 1.0 forbids.
_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ufffe\uffff\ud800-\udfff]"
)

TEXT_CHARACTERS_MAX = 2000
"""Longer text is cut: a report stays small whatever a program printed."""


def visible(text: str, limit: int = TEXT_CHARACTERS_MAX) -> str:
    """The text on one line, with everything that is hidden or active spelled out.

    Args:
        text: Anything.
        limit: Characters to keep; the rest is replaced by ``…``.
    """
    if len(text) > limit:
        text = text[: max(limit - 1, 0)] + "…"
    return _HIDDEN.sub(_spelled, text)


def _spelled(match: re.Match[str]) -> str:
    """One hidden character as the escape that Python would print."""
    code = ord(match[0])
    names = {0x09: "\\t", 0x0A: "\\n", 0x0D: "\\r"}
    return names.get(code) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


def visible_lines(text: str, limit: int = TEXT_CHARACTERS_MAX) -> str:
    """As ``visible``, but line ends stay line ends."""
    cut = text if len(text) <= limit else text[: max(limit - 1, 0)] + "…"
    return "\n".join(visible(line, limit) for line in cut.splitlines())


def compact(value: Any, limit: int = 400) -> str:
    """Plain JSON on one line, made visible; what is not JSON is shown as Python would."""
    if isinstance(value, str):
        return visible(value, limit)
    try:
        text = orjson.dumps(value).decode()
    except (TypeError, ValueError):
        text = repr(value)
    return visible(text, limit)
