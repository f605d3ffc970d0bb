"""New products of a tenant: forecast like similar ones, with their names; embeddings supplied."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from forecasting.models import ProductEmbedding, SeriesForecast
from forecasting.services.embeddings import (
    EmbeddingLength,
    EmbeddingOf,
    remove_embeddings,
    set_embeddings,
)
from inventory.models import Product
from tenancy.errors import Invalid
from tenancy.permissions import PermissionRefused
from tenancy.services.jobs import run_job_here
from tests.api.calls import by_key
from tests.cast import House
from tests.forecasting.world import World, build_world, sell, stock

pytestmark = pytest.mark.django_db(transaction=True)


def build_launches(house: House) -> tuple[World, Product, Product]:
    """Twelve products that began in the last half year; one to come next week, one that is old."""
    with house.scope():
        world = build_world(products=2, days=200)
        rows = []
        for number in range(12):
            big = number % 2 == 0
            rows.append(
                Product(
                    sku=f"L-{number:02d}",
                    name=f"{'Picnic basket' if big else 'Brass lantern'} {number}",
                    unit_price=Decimal(30 if big else 90),
                )
            )
        Product.objects.bulk_create(rows)
        for number, row in enumerate(rows):
            level = 12.0 if number % 2 == 0 else 2.0
            sell([row], world.warehouse, days=60 + number, mean=level, last=world.last_day)
        new = Product.objects.create(
            sku="NEW",
            name="Picnic basket with a lid",
            unit_price=Decimal(30),
            introduced_on=world.last_day + timedelta(days=6),
        )
        old = Product.objects.create(
            sku="OLD", name="Picnic table", introduced_on=world.last_day - timedelta(days=400)
        )
        world.products.append(old)
        stock(world, {"OLD": 5})
    return world, new, old


def test_a_new_product_is_forecast_and_its_page_names_what_it_is_like(north: House) -> None:
    world, new, old = build_launches(north)
    assert run_job_here(tenant=north.tenant, kind="make_forecasts", payload={}).state == "done"
    with north.scope():
        rows = {row.product_id: row for row in SeriesForecast.objects.all()}
        made = rows[new.pk]
        assert (made.method, made.reason) == ("cold_start", "new_product")
        # sold from next week on: five days of nothing, then like the baskets
        assert made.mean[:5] == [0] * 5
        assert 5 < sum(made.mean[5:]) / 23 < 15
        assert made.basis["neighbours"]
        assert rows[old.pk].reason == "all_zero"
        assert rows[old.pk].total_mean == 0
        assert rows[old.pk].basis is None
    client = north.client("viewer")
    page = client.get(north.path(f"forecasts/{new.pk}/{world.warehouse.pk}/")).content.decode()
    assert "Similar products" in page
    assert "“Picnic basket" in page
    assert "in their first weeks" in page
    assert "Kind of demand" not in page  # it has not sold, so it is of no kind,
    assert "Error in the backtest" not in page  # and no backtest had it
    told = by_key(north, "viewer").get(f"forecasts/{new.pk}/{world.warehouse.pk}").json()
    assert told["similar_products"][0]["name"].startswith("Picnic basket")
    assert sum(told["told_by"].values()) == pytest.approx(1, abs=0.01)


def test_embeddings_are_set_by_the_api_and_reach_the_panel(north: House) -> None:
    build_launches(north)
    api = by_key(north, "planner")
    sent = [{"sku": f"L-{k:02d}", "values": [1.0, k % 2]} for k in range(12)]
    assert api.post("product-embeddings", {"embeddings": sent}).json() == {"products": 12}
    again = api.post("product-embeddings", {"embeddings": sent[:1]})
    assert again.status_code == 200
    listed = api.get("product-embeddings", sku="L-03").json()["items"]
    assert [one["values"] for one in listed] == [[1.0, 1.0]]
    from forecasting.queries.series import load_panel

    with north.scope():
        assert ProductEmbedding.objects.count() == 12
        demand = load_panel()
        assert demand is not None
        assert demand.panel.descriptions is not None
        found = demand.panel.descriptions.embedding
        assert found is not None
        assert found.shape[1] == 2
    assert api.post("product-embeddings/remove", {}).json() == {"products": 12}


@pytest.mark.parametrize(
    ("embeddings", "codes"),
    [
        ([], ["required"]),
        ([("P-001", (1.0,)), ("nobody", (1.0,))], ["unknown"]),
        ([("P-001", (1.0,)), ("P-001", (2.0,))], ["repeated"]),
        ([("P-001", (1.0, 2.0)), ("P-002", (1.0,))], ["length"]),
        ([("P-001", ())], ["length"]),
        ([("P-001", (float("nan"),)), ("P-002", (float("inf"),))], ["not_finite", "not_finite"]),
        ([("P-001", (0.0, 0.0)), ("P-002", (0.0, 1.0))], ["nothing_said"]),
    ],
)
def test_embeddings_that_cannot_be_compared_are_refused_and_none_is_set(
    north: House, embeddings: list[tuple[str, tuple[float, ...]]], codes: list[str]
) -> None:
    with north.scope():
        build_world(products=2, days=3)
    with north.scope("planner"), pytest.raises(Invalid) as refused:
        set_embeddings(embeddings=[EmbeddingOf(*one) for one in embeddings])
    assert [problem.code for problem in refused.value.problems] == codes
    with north.scope():
        assert not ProductEmbedding.objects.exists()


def test_another_length_is_refused_until_the_old_ones_are_removed(north: House) -> None:
    with north.scope():
        build_world(products=2, days=3)
    with north.scope("planner"):
        set_embeddings(embeddings=[EmbeddingOf("P-001", (1.0, 2.0))])
        with pytest.raises(EmbeddingLength) as refused:
            set_embeddings(embeddings=[EmbeddingOf("P-002", (1.0,))])
        assert refused.value.data == {"stored": 2, "given": 1}
        assert ProductEmbedding.objects.count() == 1
        assert remove_embeddings() == 1
        set_embeddings(embeddings=[EmbeddingOf("P-002", (1.0,))])
    with north.scope("viewer"), pytest.raises(PermissionRefused):
        remove_embeddings()
