"""PostgreSQL counts every table after any change: what it does not know it guesses, and badly."""

from __future__ import annotations

import pytest
from django.db import connection

from tenancy.database import as_owner, watch_small_tables

NOT_WATCHED = """
    SELECT relname FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
        AND NOT coalesce(reloptions, '{}') @> '{autovacuum_analyze_threshold=0}'
"""


def not_watched() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(NOT_WATCHED)
        return {name for (name,) in cursor.fetchall()}


@pytest.mark.django_db(transaction=True)
def test_every_table_is_counted_after_any_change() -> None:
    assert not_watched() == set()


@pytest.mark.django_db(transaction=True)
def test_a_table_that_is_new_or_was_left_out_is_found_at_the_next_migrate() -> None:
    with as_owner():
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE inventory_zone RESET (autovacuum_analyze_threshold)")
        assert not_watched() == {"inventory_zone"}
        watch_small_tables()
        assert not_watched() == set()
