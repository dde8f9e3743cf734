from __future__ import annotations

import pytest

from testbed.topology.quantity import in_unit


@pytest.mark.parametrize(
    ("text", "unit", "number"),
    [
        ("50ms", "ms", "50"),
        ("0.05 s", "ms", "50"),
        ("1h", "s", "3600"),
        ("-3 ms", "ms", "-3"),
        ("500us", "ms", "0.5"),
        ("1KiB", "bytes", "1024"),
        ("2 MB", "bytes", "2000000"),
        ("100Mbit/s", "kbytes/s", "12500"),
        ("1 MB/s", "kbytes/s", "1000"),
        ("50", "ms", None),
        ("fast", "ms", None),
        ("50 parsecs", "ms", None),
        ("50 MB", "ms", None),
        ("ms", "ms", None),
    ],
)
def test_in_unit(text: str, unit: str, number: str | None) -> None:
    assert in_unit(text, unit) == number
