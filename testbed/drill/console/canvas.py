"""A canvas of characters with a style each: boxes, lines between them, and text."""

from __future__ import annotations

from dataclasses import dataclass

from rich.text import Text


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of whole cells.

    Args:
        left: Its first column.
        top: Its first row.
        width: Columns, borders included.
        height: Rows, borders included.
    """

    left: int
    top: int
    width: int
    height: int

    @property
    def middle(self) -> tuple[int, int]:
        """Column and row of its centre."""
        return self.left + self.width // 2, self.top + self.height // 2

    def holds(self, column: int, row: int) -> bool:
        """Whether a cell is inside."""
        inside = self.left <= column < self.left + self.width
        return inside and self.top <= row < self.top + self.height


class Canvas:
    """Cells that are drawn over one another.

    Args:
        width: Columns.
        height: Rows.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._cells = [[(" ", "")] * width for _ in range(height)]

    def put(self, column: int, row: int, text: str, style: str = "") -> None:
        """Write text from a cell on; what falls outside is left out."""
        for offset, character in enumerate(text):
            if 0 <= row < self.height and 0 <= column + offset < self.width:
                self._cells[row][column + offset] = (character, style)

    def line(self, start: tuple[int, int], end: tuple[int, int], style: str, mark: str) -> None:
        """Draw a line of marks from cell to cell; cells are twice as high as they are wide."""
        (x0, y0), (x1, y1) = start, end
        steps = max(abs(x1 - x0), abs(y1 - y0) * 2, 1)
        for step in range(steps + 1):
            x = round(x0 + (x1 - x0) * step / steps)
            y = round(y0 + (y1 - y0) * step / steps)
            self.put(x, y, mark, style)

    def box(self, box: Box, title: str, style: str) -> None:
        """Draw an empty box with a title in its border."""
        inner = box.width - 2
        label = f" {title} "[:inner]
        self.put(box.left, box.top, f"╭{label}{'─' * (inner - len(label))}╮", style)
        for row in range(box.top + 1, box.top + box.height - 1):
            self.put(box.left, row, f"│{' ' * inner}│", style)
        self.put(box.left, box.top + box.height - 1, f"╰{'─' * inner}╯", style)

    def text(self) -> Text:
        """Everything as styled lines."""
        found = Text(no_wrap=True)
        for number, row in enumerate(self._cells):
            if number:
                found.append("\n")
            run, style = "", row[0][1] if row else ""
            for character, own in row:
                if own != style:
                    found.append(run, style)
                    run, style = "", own
                run += character
            found.append(run, style)
        return found
