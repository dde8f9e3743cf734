"""Drawing: SVG elements with every text and attribute escaped."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

from testbed.report.visible import visible

_EM_A_CHARACTER = 0.59
"""Of common sans-serif fonts, on the wide side."""


def coordinate(value: float) -> str:
    """A length in pixels with at most one digit after the point: figures stay small."""
    return f"{value:.1f}".removesuffix(".0")


class Drawing:
    """An SVG that grows; colours come from the page's style by class.

    Args:
        width: In pixels.
        label: What it shows, for those who cannot see it.
        variant: A class that the style chooses by, such as ``wide``.
    """

    def __init__(self, width: float, label: str, variant: str) -> None:
        self.width = width
        self.height = 0.0
        self._label = label
        self._variant = variant
        self._under: list[str] = []
        self._parts: list[str] = []

    def rect(
        self, x: float, y: float, width: float, height: float, *, style: str, title: str = ""
    ) -> None:
        """A rectangle; ``title`` is shown when a pointer rests on it."""
        numbers = (coordinate(value) for value in (x, y, max(width, 0.5), height))
        geometry = 'x="{}" y="{}" width="{}" height="{}"'.format(*numbers)
        self._shape("rect", geometry, style, title)

    def line(self, x1: float, y1: float, x2: float, y2: float, *, style: str) -> None:
        """A straight line."""
        self._parts.append(self._line(x1, y1, x2, y2, style))

    def line_under(self, x1: float, y1: float, x2: float, y2: float, *, style: str) -> None:
        """A straight line below everything else, whenever it is drawn."""
        self._under.append(self._line(x1, y1, x2, y2, style))

    def path(self, commands: Sequence[str], style: str) -> None:
        """A path of SVG commands; nothing for none."""
        if commands:
            self._shape("path", f'd="{"".join(commands)}"', style)

    def text(
        self, x: float, y: float, text: str, style: str, *, anchor: str = "start", whole: str = ""
    ) -> None:
        """One line of text; ``y`` is its base line. ``whole`` is what it was before it was cut."""
        at = f'x="{coordinate(x)}" y="{coordinate(y)}" text-anchor="{anchor}"'
        shown = escape(visible(text, 200))
        title = f"<title>{escape(visible(whole, 300))}</title>" if whole not in {"", text} else ""
        self._parts.append(f'<text {at} class="{escape(style)}">{title}{shown}</text>')

    @staticmethod
    def _line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
        numbers = (coordinate(value) for value in (x1, y1, x2, y2))
        return '<line x1="{}" y1="{}" x2="{}" y2="{}" class="{}"/>'.format(*numbers, escape(style))

    def _shape(self, tag: str, geometry: str, style: str, title: str = "") -> None:
        inside = f"<title>{escape(visible(title, 300))}</title>" if title else ""
        self._parts.append(f'<{tag} {geometry} class="{escape(style)}">{inside}</{tag}>')

    def markup(self) -> Markup:
        """The whole element."""
        size = f"0 0 {coordinate(self.width)} {coordinate(self.height)}"
        head = (
            f'<svg viewBox="{size}" role="img" class="figure {escape(self._variant)}" '
            f'aria-label="{escape(visible(self._label))}">'
        )
        return Markup("".join((head, *self._under, *self._parts, "</svg>")))  # noqa: S704 - every part is escaped


def text_width(text: str, size: float) -> float:
    """About how wide a text is, in pixels, in a font of that size."""
    return len(text) * size * _EM_A_CHARACTER


def fitting(text: str, width: float, size: float) -> str:
    """The text cut to a width; empty when hardly anything would be left."""
    room = int(width / (size * _EM_A_CHARACTER))
    if len(text) <= room:
        return text
    return text[: room - 1] + "…" if room >= 4 else ""
