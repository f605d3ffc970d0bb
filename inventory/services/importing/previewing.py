"""A first look at an uploaded file: its header, its first rows, and what the columns seem to be."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from inventory.models import ImportedFile
from inventory.rules.importing.columns import (
    FIELDS,
    Field,
    mapping_by_content,
    mapping_by_header,
)
from inventory.rules.importing.sales import HAS_A_DIGIT, usual_goods_pattern
from inventory.services.importing.files import stored_upload
from inventory.services.importing.reading import open_table
from tenancy.permissions import Permission, require

SHOWN_ROWS = 20
SAMPLED_ROWS = 500


@dataclass(frozen=True)
class Preview:
    """``mapping`` is field -> column; those in ``guessed`` come from the content alone."""

    header: tuple[str, ...]
    rows: list[tuple[int, list[str]]]
    fields: tuple[Field, ...]
    mapping: dict[str, str]
    guessed: frozenset[str]
    encoding: str
    delimiter: str
    goods_pattern: str

    def heading(self) -> list[tuple[str, str]]:
        """Return (column, field or nothing) for each column."""
        by_column = {column: name for name, column in self.mapping.items()}
        return [(column, by_column.get(column, "")) for column in self.header]


def preview_upload(record: ImportedFile) -> Preview:
    """Read the head of an upload; raise ``ImportRefused``, ``FileNotFoundError``."""
    require(Permission.IMPORT)
    with stored_upload(record) as path:
        table = open_table(path)
        sample = list(islice(table.rows(), SAMPLED_ROWS))
    by_header = mapping_by_header(record.kind, table.header)
    guessed = mapping_by_content(record.kind, table.header, [row for _, row in sample], by_header)
    mapping = by_header | guessed
    sku_at = table.header.index(mapping["sku"]) if "sku" in mapping else -1
    codes = [row[sku_at] for _, row in sample] if sku_at >= 0 else []
    return Preview(
        header=table.header,
        rows=[(number, cells[: len(table.header)]) for number, cells in sample[:SHOWN_ROWS]],
        fields=FIELDS[record.kind],
        mapping=mapping,
        guessed=frozenset(guessed),
        encoding=table.encoding,
        delimiter=table.delimiter,
        goods_pattern=usual_goods_pattern(codes) if codes else HAS_A_DIGIT,
    )
