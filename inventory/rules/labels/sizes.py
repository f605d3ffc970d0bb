"""The label stocks that can be printed on: rolls with one label a page, and A4 sheets."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LabelSize:
    """A label in tenths of a millimetre; a sheet has several, from its first corner on."""

    name: str
    width: int
    height: int
    columns: int = 1
    rows: int = 1
    page_width: int = 0
    page_height: int = 0
    left: int = 0
    top: int = 0
    column_step: int = 0
    row_step: int = 0

    @property
    def is_sheet(self) -> bool:
        return self.columns * self.rows > 1

    @property
    def page(self) -> tuple[int, int]:
        """Return width and height of the page."""
        return (self.page_width or self.width, self.page_height or self.height)

    def corner(self, cell: int) -> tuple[int, int]:
        """Return the top left corner of a cell of the sheet, counted along the rows."""
        row, column = divmod(cell, self.columns)
        return (self.left + column * self.column_step, self.top + row * self.row_step)


SIZES: dict[str, LabelSize] = {
    size.name: size
    for size in (
        LabelSize("100x50", 1000, 500),
        LabelSize("57x32", 570, 320),
        LabelSize("76x51", 760, 510),
        LabelSize("100x150", 1000, 1500),
        LabelSize("a4-3x8", 700, 370, 3, 8, 2100, 2970, 0, 5, 700, 370),
        LabelSize("a4-2x7", 991, 381, 2, 7, 2100, 2970, 46, 151, 1017, 381),
        LabelSize("a4-2x4", 991, 677, 2, 4, 2100, 2970, 46, 131, 1017, 677),
    )
}
"""By name: millimetres of a roll, or columns and rows of an A4 sheet."""
