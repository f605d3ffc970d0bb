"""Thousands of rows with long documents, written as one document per statement.

Django sends many rows as one array per column, in which every quote of every JSON value is escaped
once more by a regular expression. For 20,000 suggestions that took longer than deciding them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import partial
from json import dumps
from typing import Any

from django.db import connection, models

from tenancy.managers import adopt

BATCH = 1000


def insert_rows(rows: Sequence[models.Model]) -> None:
    """Insert unsaved rows of one model for the active tenant; they do not learn their keys."""
    if not rows:
        return
    options = type(rows[0])._meta
    fields = [one for one in options.concrete_fields if not one.primary_key]
    # most fields write what the row holds: asking each of them doubles the time of a large batch
    plain = [one for one in fields if type(one).pre_save is models.Field.pre_save]
    asked = [one for one in fields if one not in plain]
    quote = connection.ops.quote_name
    table = quote(options.db_table)
    columns = ", ".join(quote(str(one.column)) for one in fields)
    statement = (
        f"INSERT INTO {table} ({columns}) SELECT {columns}"  # noqa: S608 - names of the model
        f" FROM jsonb_populate_recordset(NULL::{table}, %s::jsonb)"
    )
    write = partial(dumps, default=_exact_text, allow_nan=False)
    with connection.cursor() as cursor:
        for start in range(0, len(rows), BATCH):
            document = [_values(row, plain, asked) for row in rows[start : start + BATCH]]
            cursor.execute(statement, [write(document)])


def _values(row: models.Model, plain: Sequence[Any], asked: Sequence[Any]) -> dict[str, Any]:
    adopt(row)
    held = row.__dict__
    values = {one.column: held[one.attname] for one in plain}
    return values | {one.column: one.pre_save(row, add=True) for one in asked}


def _exact_text(value: Any) -> str:
    if isinstance(value, Decimal | date):
        return str(value)
    raise TypeError(f"{type(value).__name__} does not belong into a row")
