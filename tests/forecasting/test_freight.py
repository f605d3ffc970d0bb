"""Freight and lead times learned from the tenant's own orders, in suggestions, page and API."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
from django.utils import timezone

from forecasting.models import ReorderSuggestion
from forecasting.queries.forecasts import latest_run
from forecasting.queries.freight import read_freight
from forecasting.queries.planning import read_world
from forecasting.queries.series import business_today
from inventory.models import (
    LeadTimeObservation,
    Product,
    PurchaseOrder,
    PurchaseOrderLine,
    PurchaseOrderState,
    Supplier,
    SupplierItem,
)
from tests.api.calls import by_key
from tests.cast import House
from tests.forecasting.test_replenishment import only_open, suggest, world_of
from tests.forecasting.world import World

pytestmark = pytest.mark.django_db(transaction=True)


def ship(world: World, count: int, *, mode: str = "ocean", state: str = "received") -> None:
    """Receive orders of 25 to 100 pieces of 4 kg; moving w kg costs 2 x w ^ 0.5."""
    product = world.products[0]
    Product.objects.filter(pk=product.pk).update(weight_kg=Decimal(4))
    orders = []
    for number in range(count):
        units = 25 + (number * 37) % 76
        orders.append(
            PurchaseOrder(
                number=f"{mode}-{number}",
                supplier=world.supplier,
                warehouse=world.warehouse,
                state=state,
                transport_mode=mode,
                transport_cost=Decimal(round(2 * np.sqrt(units * 4), 2)).quantize(Decimal("0.01")),
                placed_at=timezone.now() - timedelta(days=7 * number + 1),
            )
        )
    PurchaseOrder.objects.bulk_create(orders)
    PurchaseOrderLine.objects.bulk_create(
        PurchaseOrderLine(
            order=order,
            product=product,
            quantity=25 + (number * 37) % 76,
            quantity_received=25 + (number * 37) % 76,
            unit_price=Decimal(4),
        )
        for number, order in enumerate(orders)
    )


def test_a_suggestion_says_what_freight_was_learned_and_from_how_much(north: House) -> None:
    """20 x 4 kg are 80 kg of the usual 250 kg, 62 or 63 pieces: 2 x 250 ^ 0.5 x 80 / 250 = 10.12
    for 20 pieces, about half a euro each."""
    world = world_of(north)
    with north.scope():
        SupplierItem.objects.update(transport_mode="ocean")
        Supplier.objects.update(transport_cost=Decimal(9))
        ship(world, 12)
    suggest(north)
    with north.scope():
        [few] = only_open().inputs["sources"]
        assert (few["freight"]["basis"], few["freight"]["deliveries"]) == ("few_deliveries", 12)
        usual = read_freight(business_today()).usual[str(world.supplier.pk)][1]
        assert few["moving"] == pytest.approx(9 * 80 / usual / 20, abs=1e-5)
        PurchaseOrder.objects.all().delete()
        ReorderSuggestion.objects.all().delete()
        ship(world, 40)
    suggest(north)
    with north.scope():
        row = only_open()
        [way] = row.inputs["sources"]
        assert (way["freight"]["basis"], way["freight"]["mode"]) == ("learned", "ocean")
        weight = way["freight"]["delivery_weight"]
        assert way["moving"] == pytest.approx(2 * weight**0.5 * 80 / weight / 20, rel=0.05)
    page = north.client("planner").get(north.path(f"suggestions/{row.pk}/"))
    assert b"Ocean" in page.content
    assert b"freight learned from 40 orders" in page.content
    [shown] = by_key(north).get(f"suggestions/{row.pk}").json()["ways"]
    assert (shown["freight_basis"], shown["transport_mode"]) == ("learned", "ocean")
    assert shown["name"] == "Supplier One"


def test_orders_without_cost_weight_or_own_currency_teach_nothing(north: House) -> None:
    world = world_of(north)
    with north.scope():
        ship(world, 40)
        assert read_freight(business_today()).deliveries == 40
        PurchaseOrder.objects.filter(number="ocean-3").update(transport_cost=None)
        PurchaseOrder.objects.filter(number="ocean-4").update(state=PurchaseOrderState.PLACED)
        assert read_freight(business_today()).deliveries == 38
        Supplier.objects.update(currency="USD")
        assert read_freight(business_today()).deliveries == 0
        Supplier.objects.update(currency="")
        Product.objects.update(weight_kg=None)
        assert read_freight(business_today()).deliveries == 0


def test_a_supplier_by_air_is_faster_than_by_sea_and_the_unsaid_counts_for_both(
    north: House,
) -> None:
    """Ten by sea took 30 days, ten by air 4: half of each is what it took when nobody says how."""
    world = world_of(north)
    with north.scope():
        today = business_today()
        for mode, days in (("ocean", 30), ("air", 4)):
            LeadTimeObservation.objects.bulk_create(
                LeadTimeObservation(
                    supplier=world.supplier,
                    product=world.products[0],
                    placed_on=today - timedelta(days=days + number),
                    received_on=today - timedelta(days=number),
                    lead_time_days=days,
                    transport_mode=mode,
                )
                for number in range(10)
            )
        mean = {}
        for mode in ("ocean", "air", ""):
            SupplierItem.objects.update(transport_mode=mode)
            forecast = latest_run()
            assert forecast is not None
            world_now = read_world(forecast)
            assert world_now is not None
            row = world_now.lead_time_rows[world.items[0].pk]
            mean[mode] = float(world_now.lead_times.mean_days[row])
        assert mean["air"] < 8 < mean[""] < 22 < mean["ocean"]
    page = north.client().get(north.path(f"suppliers/{world.supplier.pk}/"))
    assert b"By transport mode" in page.content
