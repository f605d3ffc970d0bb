"""Codes to ids: what a file names, looked up by the chunk and created if allowed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection

from tenancy.scope import active_tenant_id


@dataclass(frozen=True)
class Kind:
    """A table with a code. ``defaults``: the columns a new row needs, with values in SQL."""

    table: str
    code: str
    name: str
    defaults: dict[str, str]


PRODUCTS = Kind(
    "inventory_product",
    "sku",
    "name",
    {
        "description": "''",
        "base_unit": "'pcs'",
        "whole_units": "true",
        "lot_tracking": "'none'",
        "attributes": "'{}'",
        "is_active": "true",
        "version": "1",
        "created_at": "now()",
    },
)
CUSTOMERS = Kind("inventory_customer", "code", "name", {"is_active": "true"})
# a new channel is online where its name says so; the page of channels changes it
IS_ONLINE = r"\m(web($|[^a-z]|shop|store|site)|online|internet|e-?commerce|e-?shop|amazon|ebay)"
CHANNELS = Kind(
    "inventory_channel",
    "code",
    "name",
    {
        "kind": f"CASE WHEN x.code ~* '{IS_ONLINE}' THEN 'online' ELSE 'offline' END",
        "is_active": "true",
    },
)
SEGMENTS = Kind("inventory_customersegment", "code", "name", {})


class Register:
    """The ids of one kind of code, without regard to capitals; the exact spelling wins."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.created = 0
        self._ids: dict[str, int] = {}
        self._missing: set[str] = set()

    def id_of(self, code: str) -> int | None:
        """Return the id of a code that ``learn`` has seen, or None."""
        return self._ids.get(code.casefold())

    def learn(self, codes: Iterable[str]) -> set[str]:
        """Look up codes not seen before; return those the tenant does not have."""
        asked = {code for code in codes if code and code.casefold() not in self._ids}
        new = asked - self._missing
        if new:
            self._fetch(new)
            self._missing |= {code for code in new if code.casefold() not in self._ids}
        return asked & self._missing

    def create(self, names: dict[str, str], extra: dict[str, dict[str, str]] | None = None) -> None:
        """Create rows code -> name; ``extra`` has further text columns, by column and code."""
        first = {code.casefold(): code for code in reversed(names)}
        codes = sorted(first.values())
        extra = extra or {}
        columns = [self.kind.code, self.kind.name, *self.kind.defaults, *extra]
        values = [
            "x.code",
            "x.name",
            *self.kind.defaults.values(),
            *(f"x.{name}" for name in extra),
        ]
        arrays = [codes, [names[code] or code for code in codes]]
        arrays += [[by_code.get(code, "") for code in codes] for by_code in extra.values()]
        unnested = ", ".join(["%s::text[]"] * len(arrays))
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {self.kind.table} (tenant_id, {', '.join(columns)}) "  # noqa: S608
                f"SELECT %s, {', '.join(values)} "
                f"FROM unnest({unnested}) AS x(code, name{''.join(f', {n}' for n in extra)}) "
                f"ON CONFLICT (tenant_id, {self.kind.code}) DO NOTHING",
                [active_tenant_id(), *arrays],
            )
            self.created += cursor.rowcount
        self._missing -= set(names)
        self._fetch(names)

    def _fetch(self, codes: Iterable[str]) -> None:
        wanted = sorted(set(codes))
        self._remember(f"{self.kind.code} = ANY(%s::text[])", wanted)
        others = sorted({code.lower() for code in wanted if code.casefold() not in self._ids})
        if others:
            self._remember(f"lower({self.kind.code}) = ANY(%s::text[])", others)

    def _remember(self, condition: str, codes: list[str]) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {self.kind.code}, id FROM {self.kind.table} "  # noqa: S608
                f"WHERE tenant_id = %s AND {condition} ORDER BY id DESC",
                [active_tenant_id(), codes],
            )
            rows: list[tuple[Any, ...]] = cursor.fetchall()
        for code, row_id in rows:
            self._ids[code.casefold()] = row_id
