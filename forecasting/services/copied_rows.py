"""Rows with long arrays written by the thousand: packed by numpy, sent by COPY, inserted at once.

A forecast holds some 560 numbers. Written one by one as text they cost most of a large tenant's
forecast; in PostgreSQL's binary form they cost a second. COPY cannot write to a table under row
level security, so the rows go to a temporary table first and are inserted from there, where every
fence and constraint of the real table holds. The statements are as many for one row as for 10,000.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any

import numpy as np
from django.contrib.postgres.fields import ArrayField
from django.db import connection, models

from tenancy.models import TenantOwned
from tenancy.scope import active_tenant_id

_FLOAT8_OID = 701
_ELEMENT = np.dtype([("size", ">i4"), ("value", ">f8")])
_HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
_TRAILER = struct.pack(">h", -1)
_JSONB_VERSION = b"\1"
_ROWS_AT_ONCE = 500

Packer = Callable[[Any], bytes]


class CannotPack(TypeError):
    """No binary form is known here for a model's field; ``field`` names it."""

    def __init__(self, field: models.Field[Any, Any]) -> None:
        self.field = field
        super().__init__(f"{field} cannot be sent by COPY yet: add its packer")


def insert_copied(rows: Iterable[TenantOwned]) -> None:
    """Insert rows of one model for the active tenant, arrays given as numpy or lists.

    Values are stored as they are: what a field's ``clean`` would refuse is for the caller to know.
    Raises ``CannotPack``.
    """
    remaining = iter(rows)
    first = next(remaining, None)
    if first is None:
        return
    meta = type(first)._meta
    fields = [one for one in meta.concrete_fields if one.name not in ("id", "tenant")]
    packers = [_packer_of(one) for one in fields]
    columns = ", ".join(str(one.column) for one in fields)
    temporary = f"new_{meta.db_table}"
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMPORARY TABLE {temporary} ON COMMIT DROP"  # noqa: S608  our own names
            f" AS SELECT {columns} FROM {meta.db_table} WITH NO DATA"
        )
        with cursor.copy(f"COPY {temporary} ({columns}) FROM STDIN (FORMAT BINARY)") as copy:
            copy.write(_HEADER)
            block: list[bytes] = []
            for row in chain([first], remaining):
                block.append(_packed_row(row, fields, packers))
                if len(block) >= _ROWS_AT_ONCE:
                    copy.write(b"".join(block))
                    block.clear()
            copy.write(b"".join(block) + _TRAILER)
        cursor.execute(
            f"INSERT INTO {meta.db_table} (tenant_id, {columns})"  # noqa: S608  our own names
            f" SELECT %s, {columns} FROM {temporary}",
            [active_tenant_id()],
        )
        cursor.execute(f"DROP TABLE {temporary}")


def _packed_row(row: TenantOwned, fields: list[Any], packers: list[Packer]) -> bytes:
    parts = [struct.pack(">h", len(fields))]
    for field, pack in zip(fields, packers, strict=True):
        value = getattr(row, field.attname)
        if value is None:
            parts.append(struct.pack(">i", -1))
        else:
            packed = pack(value)
            parts += [struct.pack(">i", len(packed)), packed]
    return b"".join(parts)


def _packer_of(field: models.Field[Any, Any]) -> Packer:
    if isinstance(field, ArrayField) and isinstance(field.base_field, models.FloatField):
        return _pack_floats
    if isinstance(field, models.ForeignKey):
        return _pack_bigint
    if isinstance(field, models.FloatField):
        return lambda value: struct.pack(">d", value)
    if isinstance(field, models.CharField):
        return lambda value: str(value).encode()
    if isinstance(field, models.JSONField):
        return lambda value: _JSONB_VERSION + json.dumps(value).encode()
    raise CannotPack(field)


def _pack_bigint(value: int) -> bytes:
    return struct.pack(">q", value)


def _pack_floats(values: Any) -> bytes:
    """Return PostgreSQL's binary form of a float8 array: its dimensions, then size and value."""
    flat = np.asarray(values, dtype=np.float64).reshape(-1)
    packed = np.empty(len(flat), dtype=_ELEMENT)
    packed["size"], packed["value"] = 8, flat
    return struct.pack(">iiIii", 1, 0, _FLOAT8_OID, len(flat), 1) + packed.tobytes()
