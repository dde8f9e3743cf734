"""Names of operations can be read on whatever bar they stand."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

import testbed.report
from testbed.report.acts import Act
from testbed.report.figures.act_style import bar_style, name_style

CSS = (Path(testbed.report.__file__).parent / "templates" / "report.css").read_text()
LIGHT, DARK = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)[:2]
LEAST = 4.5
"""Of text of normal size: Web Content Accessibility Guidelines 2.2, 1.4.3."""


def colour(theme: str, name: str) -> tuple[float, float, float]:
    (digits,) = re.findall(rf"--{name}: #([0-9a-f]+);", theme)
    whole = digits if len(digits) == 6 else "".join(digit * 2 for digit in digits)
    red, green, blue = (int(whole[at : at + 2], 16) / 255 for at in (0, 2, 4))
    return red, green, blue


def luminance(of: tuple[float, float, float]) -> float:
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in of]
    return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(theme: str, text: str, ground: str) -> float:
    darker, lighter = sorted(luminance(colour(theme, name)) for name in (text, ground))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("text", "ground"),
    [
        ("ink", "card"),
        ("ink", "page"),
        ("soft", "card"),
        ("soft", "page"),
        ("writes", "card"),
        ("writes", "page"),
        ("lost", "card"),
        ("page", "lost"),
        ("page", "fault"),
        ("page", "ink"),
        ("valid", "valid-bg"),
        ("violation", "violation-bg"),
        ("unknown", "unknown-bg"),
        ("error", "error-bg"),
    ],
)
def test_what_is_written_can_be_read(theme: str, text: str, ground: str) -> None:
    assert contrast(theme, text, ground) >= LEAST


def test_only_a_full_bar_has_a_light_name() -> None:
    for outcome, telling in itertools.product(("ok", "fail", "info"), (False, True)):
        act = Act("1", "eu-west", "", "write 1", outcome, 0.0, 1.0, telling=telling)
        assert (name_style(act) == "on-act") is (bar_style(act) == "act ok telling")
