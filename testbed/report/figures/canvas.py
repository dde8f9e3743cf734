"""What all figures share: a time axis, lanes below one another, labels that never collide."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from testbed.report.figures.svg import Drawing, fitting, text_width


@dataclass(frozen=True, slots=True)
class Variant:
    """A size that figures are drawn in.

    Args:
        name: The class that the page's style shows or hides.
        width: Of the figure, in pixels.
        gutter: Left of the time axis, in pixels, where labels or the numbers of a plot stand there.
        margin: The same in a figure without plots.
        font: Size of its text, in pixels.
        bins_max: How many bins are told apart.
        ticks: About how many labels the time axis gets.
        labels_above: Lanes have their labels above instead of in the gutter.
    """

    name: str
    width: float
    gutter: float
    margin: float
    font: float
    bins_max: int
    ticks: int
    labels_above: bool


WIDE = Variant("wide", 1040.0, 252.0, 252.0, 12.0, 320, 10, labels_above=False)
MIDDLE = Variant("middle", 660.0, 196.0, 196.0, 12.0, 200, 7, labels_above=False)
NARROW = Variant("narrow", 346.0, 32.0, 2.0, 11.0, 130, 5, labels_above=True)
VARIANTS = (WIDE, MIDDLE, NARROW)

_RIGHT = 14.0
_GAP = 5.0
_PLOT_GAP = 14.0


class Canvas:
    """A drawing with a time axis; each lane goes below the ones before it.

    Args:
        label: What the figure shows, for those who cannot see it.
        variant: Its size.
        start_s: Time at the left end.
        end_s: Time at the right end.
        plots: It will hold plots, whose numbers need room.
    """

    def __init__(
        self, label: str, variant: Variant, start_s: float, end_s: float, *, plots: bool
    ) -> None:
        self.variant = variant
        self.start_s = start_s
        self.end_s = max(end_s, start_s + 0.001)
        self.left = variant.gutter if plots else variant.margin
        self.right = variant.width - _RIGHT
        self.y = 4.0
        self.drawing = Drawing(variant.width, label, variant.name)

    def x(self, time_s: float) -> float:
        """Where a time stands; a time outside stands at the nearer end."""
        share = (time_s - self.start_s) / (self.end_s - self.start_s)
        return self.left + min(max(share, 0.0), 1.0) * (self.right - self.left)

    def lane(
        self,
        label: str,
        height: float,
        *,
        plot: bool = False,
        headroom: float = 0.0,
        style: str = "label",
    ) -> float:
        """Room for a lane; its upper edge. The label stands beside or above it.

        Args:
            label: What the lane shows.
            height: Of the lane itself, in pixels.
            plot: Leave room for the numbers of an axis of its own.
            headroom: Pixels to leave free just above the lane.
            style: Of the label.
        """
        font = self.variant.font
        if self.variant.labels_above:
            shown = fitting(label, self.right - self.left, font)
            self.drawing.text(self.left, self.y + font, shown, style, whole=label)
            self.y += font + 5
        self.y += headroom
        if not self.variant.labels_above:
            room = self.left - (36 if plot else 10)
            base = self.y + height / 2 + font * 0.36
            shown = fitting(label, room, font)
            self.drawing.text(room, base, shown, style, anchor="end", whole=label)
        top = self.y
        self.y += height + (_PLOT_GAP if plot else _GAP)
        return top

    def heading(self, text: str) -> None:
        """A small heading for the lanes that follow."""
        font = self.variant.font
        x = self.left if self.variant.labels_above else self.left - 10
        anchor = "start" if self.variant.labels_above else "end"
        self.drawing.text(x, self.y + font, text, "heading", anchor=anchor)
        self.y += font + 5

    def text_in(
        self, text: str, x1: float, x2: float, base: float, *, style: str, short: str = ""
    ) -> None:
        """Text inside a bar: whole, else its short form, else nothing. A cut number would lie."""
        font, room = self.variant.font - 1, x2 - x1 - 8
        shown = next((each for each in (text, short) if text_width(each, font) <= room), "")
        if shown:
            self.drawing.text(x1 + 4, base, shown, style)

    def text_on_plate(self, text: str, x1: float, x2: float, top: float, height: float) -> None:
        """Text in the middle of a patterned bar, on a plate of its own; left out if too long."""
        font = self.variant.font - 1
        width = text_width(text, font) + 6
        if width <= x2 - x1 - 4:
            middle = (x1 + x2) / 2
            self.drawing.rect(middle - width / 2, top + 2, width, height - 4, style="plate")
            self.drawing.text(middle, top + height - 4, text, "on-plate", anchor="middle")

    def text_at(self, text: str, x1: float, x2: float, base: float, style: str) -> None:
        """Text in the middle of a stretch, or beside it on the side that has room."""
        width = text_width(text, self.variant.font)
        middle = (x1 + x2) / 2
        if width <= x2 - x1 or (x2 + 4 + width > self.right and x1 - 4 - width < self.left):
            middle = min(max(middle, self.left + width / 2), self.right - width / 2)
            self.drawing.text(middle, base, text, style, anchor="middle")
        elif x2 + 4 + width <= self.right:
            self.drawing.text(x2 + 4, base, text, style)
        else:
            self.drawing.text(x1 - 4, base, text, style, anchor="end")

    def guides(self, times_s: Iterable[float], top: float) -> None:
        """Vertical lines at some times, from a height down to here."""
        for time_s in times_s:
            x = self.x(time_s)
            self.drawing.line_under(x, top, x, self.y, style="guide")

    def place_axis(self, top: float, name: str) -> None:
        """An axis without numbers, for places in an order instead of times; ends the drawing."""
        font = self.variant.font
        self.drawing.line(self.left, self.y, self.right, self.y, style="axis")
        self.drawing.text(self.left, self.y + font + 6, name, "tick")
        self.drawing.line_under(self.left, top, self.left, self.y, style="grid")
        self.drawing.height = self.y + font + 12

    def time_axis(self, top: float) -> None:
        """The axis below everything, with faint lines up to a height; ends the drawing."""
        font = self.variant.font
        self.drawing.line(self.left, self.y, self.right, self.y, style="axis")
        for time_s, label in time_ticks(self.start_s, self.end_s, self.variant.ticks):
            x = self.x(time_s)
            self.drawing.line_under(x, top, x, self.y + 4, style="grid")
            width = text_width(label, font)
            middle = min(max(x, width / 2 + 1), self.variant.width - width / 2 - 1)
            self.drawing.text(middle, self.y + font + 6, label, "tick", anchor="middle")
        self.drawing.height = self.y + font + 12


def time_ticks(start_s: float, end_s: float, count: int) -> Iterator[tuple[float, str]]:
    """Round times between two, about so many, each with its label."""
    step = round_up((end_s - start_s) / count)
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    first = math.ceil(start_s / step - 1e-9)
    for number in range(first, math.floor(end_s / step + 1e-9) + 1):
        time_s = number * step
        yield time_s, f"{time_s:g} s" if step >= 1 else f"{time_s:.{digits}f} s"


def round_up(value: float) -> float:
    """The next of 1, 2, 5 times a power of ten."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(base * power for base in (1, 2, 5, 10) if base * power >= value * 0.999)
