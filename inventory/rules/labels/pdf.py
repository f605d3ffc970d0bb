"""Labels as PDF: text that fits, bars and squares as filled rectangles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import segno
from reportlab.pdfgen.canvas import Canvas

from inventory.rules.labels.code128 import QUIET, bar_widths, bars
from inventory.rules.labels.contents import ENGLISH, Face, Label, LabelWords, Symbol
from inventory.rules.labels.fonts import BOX, Fonts, run_width, text_width
from inventory.rules.labels.sizes import LabelSize

POINTS = 72 / 254
"""Points in a tenth of a millimetre."""
MARGIN = 25
GAP = 12
THINNEST_MODULE = 19
"""Hundredths of a millimetre: 7.5 mil, the least that common scanners read off thermal paper."""
WIDEST_MODULE = 50
HEAD_SIZES = (34, 28, 24, 20, 17, 14, 12, 10, 9, 8)
LINE_SIZES = (18, 16, 14, 12, 11, 10, 9, 8, 7, 6)
WRAPPED_BELOW = 16
"""A head that would be smaller than this in one line is written in two."""
LOWEST_BARS, HIGHEST_BARS = 80, 250
QR_QUIET = 4
LINE_HEIGHT = 125
"""Percent of the font size."""


def labels_pdf(
    labels: Sequence[Label],
    *,
    size: LabelSize,
    copies: int = 1,
    skip: int = 0,
    fonts: Fonts | None = None,
    words: LabelWords = ENGLISH,
) -> bytes:
    """Draw each label ``copies`` times; ``skip`` leaves the used cells of the first sheet empty."""
    out = BytesIO()
    width, height = size.page
    # invariant: the same labels are the same bytes, and no clock is asked
    canvas = Canvas(out, pagesize=(width * POINTS, height * POINTS), invariant=1)
    canvas.setTitle(f"{len(labels)} labels {size.name}")
    cells = size.columns * size.rows
    pen = Pen(canvas, height, fonts or Fonts())
    cell = skip % cells
    faces = [label.face(words) for label in labels for _copy in range(copies)]
    for number, face in enumerate(faces):
        if number and cell == 0:
            canvas.showPage()
        left, top = size.corner(cell)
        draw_face(pen, face, Area(left, top, size.width, size.height))
        cell = (cell + 1) % cells
    canvas.showPage()
    canvas.save()
    return out.getvalue()


@dataclass(frozen=True)
class Area:
    """A rectangle in tenths of a millimetre, from the top left of the page."""

    left: int
    top: int
    width: int
    height: int

    def inside(self, margin: int) -> Area:
        """Return the area within a margin."""
        return Area(
            self.left + margin, self.top + margin, self.width - 2 * margin, self.height - 2 * margin
        )


class Pen:
    """Draws in tenths of a millimetre from the top left."""

    def __init__(self, canvas: Canvas, page_height: int, fonts: Fonts) -> None:
        self.canvas: Any = canvas
        self.page_height = page_height
        self.fonts = fonts

    def text(self, left: int, top: int, text: str, size: int, *, is_bold: bool = False) -> None:
        """Write one line whose top is at ``top``."""
        x = left * POINTS
        y = (self.page_height - top) * POINTS - size
        for name, run in self.fonts.runs(text, is_bold=is_bold):
            if name == BOX:
                for number in range(len(run)):
                    self.canvas.rect(x + number * size + size / 8, y, size * 3 / 4, size * 3 / 4)
            else:
                self.canvas.setFont(name, size)
                self.canvas.drawString(x, y, run)
            x += run_width(name, run, size)

    def rectangles(self, found: Sequence[tuple[int, int, int, int]], unit: int) -> None:
        """Fill rectangles given in hundredths of a millimetre times ``unit``, as one path."""
        scale = POINTS / 10 * unit
        path = self.canvas.beginPath()
        top = self.page_height * POINTS
        for left, down, width, height in found:
            path.rect(left * scale, top - (down + height) * scale, width * scale, height * scale)
        self.canvas.drawPath(path, stroke=0, fill=1)

    def width(self, text: str, size: int, *, is_bold: bool = False) -> int:
        """Return how wide the text is, in tenths of a millimetre, rounded up."""
        return int(text_width(self.fonts, text, size, is_bold=is_bold) / POINTS) + 1

    def fitting(self, text: str, sizes: Sequence[int], room: int, *, is_bold: bool) -> int:
        """Return the largest of the sizes in which the text fits, or the smallest."""
        return next(
            (size for size in sizes if self.width(text, size, is_bold=is_bold) <= room), sizes[-1]
        )

    def cut(self, text: str, size: int, room: int, *, is_bold: bool) -> str:
        """Return the text, or as much of its start as fits, with an ellipsis."""
        if self.width(text, size, is_bold=is_bold) <= room:
            return text
        while text and self.width(f"{text}…", size, is_bold=is_bold) > room:
            text = text[:-1]
        return f"{text.rstrip()}…"


def draw_face(pen: Pen, face: Face, area: Area) -> None:
    """Draw text above the bars, or beside the square where bars would be too fine."""
    room = area.inside(MARGIN)
    widths = readable_bars(face.symbol, room.width)
    if widths is None:
        side = min(room.height, room.width * 2 // 5)
        _draw_square(pen, face.symbol, room.left + room.width - side, room.top, side)
        _draw_text(pen, face, Area(room.left, room.top, room.width - side - GAP, room.height))
        return
    below = _line(8)
    high = _bars_height(face, room.height - below - GAP)
    text = Area(room.left, room.top, room.width, room.height - high - below - GAP)
    _draw_text(pen, face, text)
    draw_bars(pen, widths, Area(room.left, text.top + text.height + GAP, room.width, high))
    size = pen.fitting(face.symbol.readable, (8, 7, 6), room.width, is_bold=False)
    readable = pen.cut(face.symbol.readable, size, room.width, is_bold=False)
    left = room.left + (room.width - pen.width(readable, size)) // 2
    pen.text(left, room.top + room.height - below + 4, readable, size)


def _bars_height(face: Face, room: int) -> int:
    """Return as much as the text leaves when it is small, within what scans well."""
    needed = _line(WRAPPED_BELOW) + _line(8) * (len(face.lines) + len(face.facts))
    return max(LOWEST_BARS, min(room - needed, room * 2 // 5, HIGHEST_BARS))


def _draw_text(pen: Pen, face: Face, room: Area) -> None:
    """Write the head as large as it fits, then lines and facts while there is room."""
    heads = [size for size in HEAD_SIZES if _line(size) * 2 <= room.height] or HEAD_SIZES[-1:]
    size, head = _wrapped(pen, face.head, heads, room)
    top = room.top
    for line in head:
        shown = pen.cut(line, size, room.width, is_bold=True)
        pen.text(room.left, top, shown, size, is_bold=True)
        top += _line(size)
    rest = [*face.lines, *(f"{word}: {value}" for word, value in face.facts)]
    bottom = room.top + room.height
    sizes = [s for s in LINE_SIZES if s <= max(size, LINE_SIZES[-1])]
    most = next((s for s in sizes if _line(s) * len(rest) <= bottom - top), sizes[-1])
    for line in rest:
        if top + _line(LINE_SIZES[-1]) > bottom:
            return
        fitted = pen.fitting(line, [s for s in sizes if s <= most], room.width, is_bold=False)
        pen.text(room.left, top, pen.cut(line, fitted, room.width, is_bold=False), fitted)
        top += _line(most)


def _wrapped(pen: Pen, head: str, heads: Sequence[int], room: Area) -> tuple[int, list[str]]:
    """Return the head in one line, or in two where that makes it larger, with its size."""
    size = pen.fitting(head, heads, room.width, is_bold=True)
    words = head.split()
    if size >= WRAPPED_BELOW or len(words) == 1:
        return size, [head]
    for smaller in [s for s in heads if s <= WRAPPED_BELOW and _line(s) * 3 <= room.height]:
        for count in range(len(words) - 1, 0, -1):
            first, second = " ".join(words[:count]), " ".join(words[count:])
            if pen.width(first, smaller, is_bold=True) <= room.width:
                if pen.width(second, smaller, is_bold=True) <= room.width:
                    return smaller, [first, second]
                break
    return size, [head]


def readable_bars(symbol: Symbol, room: int) -> list[int] | None:
    """Return the widths of the bars, or None when they would be too fine for the room."""
    try:
        widths = bar_widths(symbol.data, is_gs1=symbol.is_gs1)
    except ValueError:
        return None
    return widths if room * 10 >= (sum(widths) + 2 * QUIET) * THINNEST_MODULE else None


def draw_bars(pen: Pen, widths: list[int], area: Area) -> None:
    modules = sum(widths) + 2 * QUIET
    module = min(area.width * 10 // modules, WIDEST_MODULE)
    left = area.left * 10 + (area.width * 10 - modules * module) // 2 + QUIET * module
    pen.rectangles(
        [
            (left + start * module, area.top * 10, width * module, area.height * 10)
            for start, width in bars(widths)
        ],
        unit=1,
    )


def _draw_square(pen: Pen, symbol: Symbol, left: int, top: int, side: int) -> None:
    matrix = [bytes(row) for row in segno.make_qr(symbol.data, error="m").matrix]
    module = side * 10 // (len(matrix) + 2 * QR_QUIET)
    first = QR_QUIET * module
    pen.rectangles(
        [
            (
                left * 10 + first + start * module,
                top * 10 + first + y * module,
                width * module,
                module,
            )
            for y, row in enumerate(matrix)
            for start, width in _dark_runs(row)
        ],
        unit=1,
    )


def _dark_runs(row: bytes) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    start = None
    for x, dark in enumerate([*row, 0]):
        if dark and start is None:
            start = x
        elif not dark and start is not None:
            runs.append((start, x - start))
            start = None
    return runs


def _line(size: int) -> int:
    """Return the height of a line of that font size, in tenths of a millimetre."""
    return size * LINE_HEIGHT * 254 // 7200
