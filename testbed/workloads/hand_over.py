"""The step by which a row gets another home, where rows have one."""

from __future__ import annotations

HAND_OVER = "hand-over"
"""Its value is the region that is to be the row's home. Refused anywhere but at the home."""
