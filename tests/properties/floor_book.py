"""The checks of the book and a fingerprint of every table, each as one prepared statement.

A step of the floor machine looks at everything there is, several times. Planning some thirty
statements anew each time would take most of a long run.
"""

from __future__ import annotations

from itertools import count

import psycopg
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory.queries.integrity import CHECKS, check_book
from tenancy.models import AuditEvent, IdempotencyKey
from tests import engines

numbers = count()


class PreparedBook:
    """``check_book`` of the active tenant: the same statements, planned once, counted together."""

    def __init__(self) -> None:
        self.name = f"book_{next(numbers)}"
        with CaptureQueriesContext(
            connection,
        ) as captured:
            check_book()
        statements = [query["sql"] for query in captured.captured_queries]
        assert len(statements) == len(CHECKS)
        counts = " + ".join(f"(SELECT count(*) FROM ({sql}) AS found)" for sql in statements)
        _run(f"PREPARE {self.name} AS SELECT {counts}")

    def is_in_disorder(self) -> bool:
        """Tell whether any check finds anything."""
        [differences] = _row(f"EXECUTE {self.name}")
        return bool(differences)


class Fingerprint:
    """A digest of every row of every table of the tenant, its audit trail and keys included."""

    def __init__(self) -> None:
        self.name = f"fingerprint_{next(numbers)}"
        models = [*apps.get_app_config("inventory").get_models(), AuditEvent, IdempotencyKey]
        self.tables = [model._meta.db_table for model in models]
        digests = ", ".join(
            f"(SELECT md5(string_agg(row::text, '|' ORDER BY row::text)) FROM {table} AS row)"
            for table in self.tables
        )
        _run(f"PREPARE {self.name} AS SELECT {digests}")

    def take(self) -> dict[str, str | None]:
        """Return the digest of each table."""
        return dict(zip(self.tables, _row(f"EXECUTE {self.name}"), strict=True))


def tidy_up() -> None:
    """Remove what rolled back runs left in the tables, as autovacuum would in time."""
    address = engines.superuser_url(engines.database_name())
    with psycopg.connect(address, autocommit=True) as admin:
        admin.execute("VACUUM (ANALYZE)")


def _run(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def _row(sql: str) -> tuple[str | None, ...]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        row: tuple[str | None, ...] = cursor.fetchone()
        return row
