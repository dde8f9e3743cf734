"""The steps by which a row gets another home, where rows have one."""

from __future__ import annotations

HAND_OVER = "hand-over"
"""Its value is the region that is to be the row's home. Refused anywhere but at the home."""

TAKE_OVER = "take-over"
"""The client's region becomes the row's home, whatever the old one knows of it."""
