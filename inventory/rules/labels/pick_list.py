"""The pick list on paper: A4, in walking order, with room to tick and to note what was short."""

from __future__ import annotations

from io import BytesIO

from reportlab.pdfgen.canvas import Canvas

from inventory.rules.labels.contents import ENGLISH, LabelWords, PickLine, PickList, Symbol
from inventory.rules.labels.fonts import Fonts
from inventory.rules.labels.pdf import POINTS, Area, Pen, draw_bars, readable_bars

PAGE_WIDTH, PAGE_HEIGHT, MARGIN = 2100, 2970, 150
ROW = 110
HEAD_HIGH = 380
FOOT = 120
COLUMNS = (("tick", 0, 90), ("location", 90, 380), ("product", 470, 900), ("quantity", 1390, 410))
"""Name, start and width of each column, from the margin."""


def pick_list_pdf(
    pick_list: PickList, *, fonts: Fonts | None = None, words: LabelWords = ENGLISH
) -> bytes:
    """Draw the list; the head stands on every page, with the document's number as bars."""
    out = BytesIO()
    canvas = Canvas(out, pagesize=(PAGE_WIDTH * POINTS, PAGE_HEIGHT * POINTS), invariant=1)
    canvas.setTitle(pick_list.number)
    pen = Pen(canvas, PAGE_HEIGHT, fonts or Fonts())
    per_page = (PAGE_HEIGHT - 2 * MARGIN - HEAD_HIGH - FOOT) // ROW
    lines = pick_list.lines
    pages = [lines[start : start + per_page] for start in range(0, len(lines), per_page)] or [()]
    for number, rows in enumerate(pages, 1):
        _draw_head(pen, pick_list, words)
        for row, line in enumerate(rows):
            _draw_row(pen, line, MARGIN + HEAD_HIGH + row * ROW, words)
        footer = f"{pick_list.number} · {words.page} {number}/{len(pages)}"
        pen.text(MARGIN, PAGE_HEIGHT - MARGIN - 40, footer, 8)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def _draw_head(pen: Pen, pick_list: PickList, words: LabelWords) -> None:
    half = (PAGE_WIDTH - 2 * MARGIN) // 2
    pen.text(MARGIN, MARGIN, pen.cut(pick_list.title, 18, half, is_bold=True), 18, is_bold=True)
    top = MARGIN + 90
    for word, value in pick_list.facts[:4]:
        pen.text(MARGIN, top, pen.cut(f"{word}: {value}", 10, half, is_bold=False), 10)
        top += 48
    widths = readable_bars(Symbol(pick_list.number, pick_list.number), half)
    if widths is not None:
        draw_bars(pen, widths, Area(MARGIN + half, MARGIN, half, 130))
    left = MARGIN + half + (half - pen.width(pick_list.number, 12, is_bold=True)) // 2
    pen.text(left, MARGIN + 145, pick_list.number, 12, is_bold=True)
    titles = {"location": words.location, "product": words.product, "quantity": words.quantity}
    for name, start, width in COLUMNS[1:]:
        title = pen.cut(titles[name], 8, width, is_bold=True)
        pen.text(MARGIN + start, MARGIN + HEAD_HIGH - 60, title, 8, is_bold=True)
    _rule(pen, MARGIN + HEAD_HIGH - 15)


def _draw_row(pen: Pen, line: PickLine, top: int, words: LabelWords) -> None:
    pen.canvas.rect(
        (MARGIN + 10) * POINTS, (PAGE_HEIGHT - top - 62) * POINTS, 50 * POINTS, 50 * POINTS
    )
    below = " · ".join(
        part for part in (line.sku, f"{words.lot} {line.lot}" if line.lot else "") if part
    )
    cells = {
        "location": (line.location, ""),
        "product": (line.name, below),
        "quantity": (line.quantity, line.order_number),
    }
    for name, start, width in COLUMNS[1:]:
        upper, lower = cells[name]
        is_bold = name != "product"
        pen.text(
            MARGIN + start, top + 8, pen.cut(upper, 11, width, is_bold=is_bold), 11, is_bold=is_bold
        )
        pen.text(MARGIN + start, top + 54, pen.cut(lower, 8, width, is_bold=False), 8)
    _rule(pen, top + ROW - 10)


def _rule(pen: Pen, top: int) -> None:
    y = (PAGE_HEIGHT - top) * POINTS
    pen.canvas.setLineWidth(1 / 2)
    pen.canvas.line(MARGIN * POINTS, y, (PAGE_WIDTH - MARGIN) * POINTS, y)
