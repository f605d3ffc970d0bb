"""XLSX workbooks, read row by row. The zip directory is judged before anything is unpacked."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import datetime, time
from pathlib import Path
from typing import Any

from defusedxml.ElementTree import iterparse

from inventory.services.importing.errors import ImportRefused

MEGABYTE = 1024 * 1024
MOST_UNPACKED_BYTES = 1024 * MEGABYTE
MOST_PART_IN_MEMORY_BYTES = 192 * MEGABYTE  # shared strings and styles are read whole
MOST_ENTRIES = 2_000
MOST_RATIO = 150
SMALL_ENOUGH_BYTES = 10 * MEGABYTE  # below this no ratio matters


def is_workbook(path: Path) -> bool:
    """Tell whether the file is a zip archive, which XLSX is."""
    with path.open("rb") as raw:
        return raw.read(4) == b"PK\x03\x04"


def check_directory(path: Path) -> None:
    """Refuse a workbook that would unpack to far more than it is."""
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise ImportRefused("broken_workbook") from error
    unpacked = sum(part.file_size for part in parts)
    ratio = unpacked // max(path.stat().st_size, 1)
    whole = max(
        (p.file_size for p in parts if not p.filename.startswith("xl/worksheets/")), default=0
    )
    if (
        len(parts) > MOST_ENTRIES
        or unpacked > MOST_UNPACKED_BYTES
        or whole > MOST_PART_IN_MEMORY_BYTES
        or (unpacked > SMALL_ENOUGH_BYTES and ratio > MOST_RATIO)
    ):
        raise ImportRefused(
            "workbook_bomb", megabytes=unpacked // MEGABYTE, entries=len(parts), ratio=ratio
        )


def _refuse_document_types(path: Path) -> None:
    """Refuse a workbook whose XML declares entities: no program that writes workbooks does."""
    with zipfile.ZipFile(path) as archive:
        for part in archive.infolist():
            if part.filename.endswith((".xml", ".rels")):
                with archive.open(part) as raw:
                    # a declaration can only stand before the root element
                    next(iterparse(raw, events=("start",), forbid_dtd=True), None)


def workbook_rows(path: Path) -> Iterator[list[str]]:
    """Yield the rows of the first sheet as text, as a CSV export would write them."""
    from openpyxl import load_workbook

    check_directory(path)
    try:
        _refuse_document_types(path)
        # opened here: of a path, openpyxl judges the name, and uploads are stored under no name
        with path.open("rb") as raw:
            book = load_workbook(raw, read_only=True, data_only=True, keep_links=False)
            sheet = book.worksheets[0]
            sheet.reset_dimensions()  # what a file says about its own size is not believed
            for cells in sheet.iter_rows(values_only=True):
                row = [_text(cell) for cell in cells]
                while row and not row[-1]:
                    row.pop()
                yield row
            book.close()
    except ImportRefused:
        raise
    except Exception as error:  # a parser of foreign files fails in many ways, all meaning the same
        raise ImportRefused("broken_workbook") from error


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, datetime | time):
        return cell.isoformat(sep=" ") if isinstance(cell, datetime) else cell.isoformat()
    return str(cell)
