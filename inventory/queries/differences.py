"""What a check of the book returns, and how it asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection

from tenancy.scope import active_tenant_id


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that must not be: which check found it, about what, with the numbers."""

    check: str
    data: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.check}: " + ", ".join(f"{key}={value}" for key, value in self.data.items())


Check = Callable[[], list[Difference]]


def find_differences(name: str, sql: str) -> list[Difference]:
    """Return the rows of ``sql``, which has one parameter ``tenant``, as differences."""
    with connection.cursor() as cursor:
        cursor.execute(sql, {"tenant": active_tenant_id()})
        columns = [column.name for column in cursor.description]
        return [Difference(name, dict(zip(columns, row, strict=True))) for row in cursor.fetchall()]
