"""Rows sent as documents: what was given is what is stored, under the fences of any other write."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from forecasting.models import ReorderSuggestion
from forecasting.queries.forecasts import latest_run
from forecasting.services.row_documents import insert_rows
from tests.cast import House
from tests.forecasting.world import World, world_with_a_run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(north: House) -> World:
    return world_with_a_run(north)


def rows(world: World, **changes: Any) -> list[ReorderSuggestion]:
    run = latest_run()
    assert run is not None
    known: dict[str, Any] = {
        "run": run, "warehouse": world.warehouse, "source": "buy",
        "quantity": Decimal("12345678.000001"), "unit_price": None, "order_by_on": date(2026, 2, 28),
        "stockout_probability": 1 / 3, "reorder_point": 1e-7, "order_up_to": 2.0,
        "safety_stock": 0.1, "inventory_position": Decimal("-0.5"), "priority": 1e300,
        "inputs": {"quote": 'a "b" \\ \' ümlaut', "none": None, "deep": [[1.5, True]]},
    }  # fmt: skip
    return [ReorderSuggestion(product=one, **known | changes) for one in world.products]


def test_every_value_comes_back_and_what_the_database_is_not_told_is_filled_in(
    world: World, north: House
) -> None:
    with north.scope():
        given = rows(world)
        insert_rows(given)
        stored = list(ReorderSuggestion.objects.order_by("id"))
    fields = [one.attname for one in ReorderSuggestion._meta.concrete_fields if one.name != "id"]
    assert len(stored) == 3
    for one, other in zip(given, stored, strict=True):
        for name in fields:
            assert getattr(other, name) == getattr(one, name), name
        assert (other.tenant_id, other.state) == (north.tenant.pk, "new")
        assert other.created_at is not None


def test_one_statement_for_three_rows_as_for_one_and_none_for_none(
    world: World, north: House
) -> None:
    for some in (0, 1, 3):
        with north.scope():
            ReorderSuggestion.objects.all().delete()
            given = rows(world)[:some]
            with CaptureQueriesContext(connection) as asked:
                insert_rows(given)
        assert len(asked) == min(some, 1)


def test_constraints_and_fences_of_the_table_hold(world: World, north: House, south: House) -> None:
    with north.scope():
        given = rows(world)
        with pytest.raises(IntegrityError), transaction.atomic():
            insert_rows(rows(world, quantity=Decimal(-1)))
        with pytest.raises(ValueError, match="not JSON compliant"):
            insert_rows(rows(world, priority=float("nan")))
    for one in given:
        one._state.fields_cache.clear()  # ids only: nothing but the database can tell
    with pytest.raises(DatabaseError), south.scope():
        insert_rows(given)  # a run of another tenant: refused at the commit
    with north.scope():
        assert not ReorderSuggestion.objects.exists()
