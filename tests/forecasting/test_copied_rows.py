"""Rows sent by COPY: what was given is what is stored, under the same fences as any other write."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from forecasting.models import ComputeCost, SeriesForecast
from forecasting.queries.forecasts import latest_run
from forecasting.services.copied_rows import CannotPack, insert_copied
from tests.cast import House
from tests.forecasting.world import World, world_with_a_run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(north: House) -> World:
    world = world_with_a_run(north)
    with north.scope():
        SeriesForecast.objects.all().delete()
    return world


def rows(world: World, **changes: Any) -> list[SeriesForecast]:
    run = latest_run()
    rng = np.random.default_rng(3)
    return [
        SeriesForecast(
            **{
                "run": run, "product": product, "warehouse": world.warehouse,
                "mean": rng.gamma(1, 2, 28), "quantile_values": rng.gamma(1, 2, 28 * 19).round(4),
                "method": "blend:lstm+2", "reason": "ümlaut", "demand_class": "",
                "total_mean": 1e-7, **changes,
            }
        )
        for product in world.products
    ]  # fmt: skip


def test_every_value_comes_back_to_the_last_bit(world: World, north: House) -> None:
    with north.scope():
        given = rows(world)
        insert_copied(iter(given))
        stored = list(SeriesForecast.objects.order_by("id"))
    fields = [one.attname for one in SeriesForecast._meta.concrete_fields if one.name != "id"]
    assert len(stored) == 3
    for one, other in zip(given, stored, strict=True):
        for name in fields:
            expected = getattr(one, name) if name != "tenant_id" else north.tenant.pk
            assert np.array_equal(getattr(other, name), expected), name


def test_as_many_statements_for_three_rows_as_for_one_and_none_for_none(
    world: World, north: House
) -> None:
    counts = []
    for some in (0, 1, 3):
        with north.scope():
            SeriesForecast.objects.all().delete()
            given = rows(world)[:some]
            with CaptureQueriesContext(connection) as asked:
                insert_copied(given)
        counts.append(len(asked))
    assert counts[0] == 0
    assert counts[1] == counts[2]


def test_constraints_and_fences_of_the_table_hold(world: World, north: House, south: House) -> None:
    with north.scope():
        given = rows(world)
        with pytest.raises(IntegrityError), transaction.atomic():
            insert_copied([*rows(world), *rows(world)])
    with pytest.raises(DatabaseError), south.scope():
        insert_copied(given)  # a run of another tenant: refused at the commit
    with north.scope():
        assert not SeriesForecast.objects.exists()


def test_a_field_without_a_binary_form_is_named(north: House) -> None:
    with north.scope(), pytest.raises(CannotPack, match="spent_at"):
        insert_copied([ComputeCost(kind="x", cpu_seconds=1.0)])
