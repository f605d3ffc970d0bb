"""Open CSV (also .gz) or XLSX as a header and a stream of rows. Hostile files end here."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from django.conf import settings

from inventory.rules.importing.columns import duplicated_headers
from inventory.services.importing.errors import ImportRefused
from inventory.services.importing.workbook import is_workbook, workbook_rows

MEGABYTE = 1024 * 1024
MOST_TEXT_BYTES = 2048 * MEGABYTE
MOST_ROWS = 5_000_000
MOST_LINE = 256 * 1024
MOST_COLUMNS = 200
SAMPLE_BYTES = MEGABYTE
SAMPLE_LINES = 50
DELIMITERS = ",;\t|"
BINARY = bytes(set(range(32)) - set(b"\t\n\r\f\x1a\x1b\0"))


@dataclass(frozen=True)
class Table:
    """A file whose form is known. ``encoding`` and ``delimiter`` are empty for a workbook."""

    path: Path
    header: tuple[str, ...]
    encoding: str = ""
    delimiter: str = ""

    @property
    def form(self) -> str:
        """Return ``csv`` or ``xlsx``."""
        return "csv" if self.encoding else "xlsx"

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield (row number as in a spreadsheet, cells); rows without any text are left out."""
        source = self.csv_rows() if self.encoding else workbook_rows(self.path)
        width, found = len(self.header), 0
        for number, cells in enumerate(source, start=1):
            if number == 1 or not any(cells):
                continue
            found += 1
            if found > MOST_ROWS:
                raise ImportRefused("too_many_rows", most=MOST_ROWS)
            if len(cells) < width:
                yield number, cells + [""] * (width - len(cells))
            else:
                yield number, cells

    def csv_rows(self) -> Iterator[list[str]]:
        """Yield every row of a CSV file, the header first."""
        with _open_bytes(self.path) as raw:
            lines = _Lines(raw, self.encoding)
            try:
                yield from csv.reader(lines, delimiter=self.delimiter)
            except csv.Error as error:
                raise ImportRefused("line_too_long", row=lines.number, most=MOST_LINE) from error


def open_table(path: Path) -> Table:
    """Find out the form of a file and read its header; raise ``ImportRefused``."""
    size = path.stat().st_size
    if size == 0:
        raise ImportRefused("empty_file")
    check_size(size)
    table = _workbook_table(path) if is_workbook(path) else _csv_table(path)
    again = duplicated_headers(table.header)
    if again:
        raise ImportRefused("duplicate_columns", columns=", ".join(again))
    return table


def check_size(size: int) -> None:
    """Refuse a file above the upload limit."""
    if size > settings.UPLOAD_MOST_BYTES:
        raise ImportRefused(
            "too_large",
            megabytes=-(-size // MEGABYTE),
            most_megabytes=settings.UPLOAD_MOST_BYTES // MEGABYTE,
        )


def _workbook_table(path: Path) -> Table:
    header = next(workbook_rows(path), None)
    if header is None or not any(header):
        raise ImportRefused("empty_file")
    return Table(path, tuple(name.strip() for name in header[:MOST_COLUMNS]))


def _csv_table(path: Path) -> Table:
    with _open_bytes(path) as raw:
        sample = raw.read(SAMPLE_BYTES)
    if not sample.strip():
        raise ImportRefused("empty_file")
    encoding = _encoding(path, sample)
    text = sample.decode(encoding, errors="ignore")
    delimiter = _delimiter(text)
    table = Table(path, (), encoding, delimiter)
    header = next(table.csv_rows(), [])
    if not any(header):
        raise ImportRefused("empty_file")
    return replace(table, header=tuple(name.strip() for name in header[:MOST_COLUMNS]))


def _encoding(path: Path, sample: bytes) -> str:
    """Name the encoding: by its marks, else UTF-8 or Windows-1252 if valid to the end."""
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if sample.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    head = sample[:4096]
    if b"\0" in head:
        even, odd = head[0::2].count(0), head[1::2].count(0)
        if max(even, odd) < 0.3 * len(head) / 2 or min(even, odd) > 0:
            raise ImportRefused("not_text")
        return "utf-16-le" if odd > even else "utf-16-be"
    if head.translate(None, BINARY) != head:
        raise ImportRefused("not_text")
    position = _first_undecodable(path, "utf-8")
    if position is None:
        return "utf-8"
    if _first_undecodable(path, "cp1252") is None:
        return "cp1252"
    raise ImportRefused("encoding", position=position)


def _first_undecodable(path: Path, encoding: str) -> int | None:
    """Return where the file stops being text of that encoding, or None; reads it to its end."""
    import codecs

    decoder, position = codecs.getincrementaldecoder(encoding)(), 0
    with _open_bytes(path) as raw:
        while True:
            block = raw.read(MEGABYTE)
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                return position + error.start
            if not block:
                return None
            position += len(block)


def _delimiter(text: str) -> str:
    """Choose the sign that cuts the first lines into the most and equally many columns."""
    lines = [line for line in text.splitlines()[:SAMPLE_LINES] if line.strip()]

    def score(sign: str) -> tuple[float, int]:
        widths = [len(row) for row in csv.reader(lines, delimiter=sign) if row]
        wide = widths[0] if widths else 1
        if wide < 2:
            return (0.0, 0)
        return (sum(width == wide for width in widths) / len(widths), wide)

    try:
        best = max(DELIMITERS, key=lambda sign: (score(sign)[0] > 0.7, score(sign)[1]))
        return best if score(best)[1] > 1 else ","
    except csv.Error as error:
        raise ImportRefused("line_too_long", row=1, most=MOST_LINE) from error


@contextmanager
def _open_bytes(path: Path) -> Iterator[IO[bytes]]:
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        if not packed:
            yield raw
            return
        try:
            with gzip.GzipFile(fileobj=raw) as unpacked:
                yield io.BufferedReader(_Limited(unpacked), buffer_size=MEGABYTE)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise ImportRefused("broken_gzip") from error


class _Limited(io.RawIOBase):
    """A stream that refuses to unpack for ever."""

    def __init__(self, source: gzip.GzipFile) -> None:
        self._source = source
        self._read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        found = self._source.readinto(buffer)
        self._read += found
        if self._read > MOST_TEXT_BYTES:
            raise ImportRefused("too_much_text", most_megabytes=MOST_TEXT_BYTES // MEGABYTE)
        return found


class _Lines:
    """Lines, none longer than ``MOST_LINE``: a file without line ends stays out of memory."""

    def __init__(self, raw: IO[bytes], encoding: str) -> None:
        self._text = io.TextIOWrapper(raw, encoding=encoding, newline="")
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        self.number += 1
        try:
            line = self._text.readline(MOST_LINE)
        except UnicodeDecodeError as error:
            raise ImportRefused("encoding", position=error.start) from error
        if not line:
            self._text.detach()
            raise StopIteration
        if len(line) >= MOST_LINE:
            raise ImportRefused("line_too_long", row=self.number, most=MOST_LINE)
        return line.replace("\0", "") if "\0" in line else line
