"""What is missing, absurd or mixed up ends in a suggestion with its reason or in a refusal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from forecasting.models import BlockedNeed, ReorderSuggestion, RiskWarning, SeriesForecast
from forecasting.queries.forecasts import latest_run
from forecasting.queries.planning import read_world
from forecasting.queries.series import business_today
from forecasting.queries.suggestions import SuggestionFilter
from forecasting.services.budget import budget_table
from forecasting.services.reorder_record import sentences
from forecasting.services.what_if import Scenario, compare_scenario
from inventory.models import (
    LeadTimeObservation,
    Product,
    PurchaseOrder,
    StockPolicy,
    Supplier,
    SupplierItem,
    TransferOrder,
)
from inventory.services.suppliers import Offer, SupplierFields, create_supplier, set_offer
from inventory.services.transfers import AskedLine, create_transfer
from tenancy.errors import Invalid
from tenancy.services.jobs import run_job_here
from tests.cast import House
from tests.forecasting.test_replenishment import only_open, suggest, world_of
from tests.forecasting.test_sources import second_warehouse
from tests.forecasting.world import build_world, flat_forecast, sell, stock

pytestmark = pytest.mark.django_db(transaction=True)


def items(**changes: Any) -> Callable[[], Any]:
    return lambda: SupplierItem.objects.update(**changes)


def suppliers(**changes: Any) -> Callable[[], Any]:
    return lambda: Supplier.objects.update(**changes)


def test_what_lacks_something_is_not_ordered_and_says_what(north: House) -> None:
    """Each is put right again before the next; then 20 are ordered."""
    world_of(north)
    for change, mend, reason, said in (
        (items(is_active=False), items(is_active=True), "no_supplier", "No supplier is set"),
        (suppliers(lead_time_days=None), suppliers(lead_time_days=5), "no_lead_time", "unknown"),
        (
            suppliers(lead_time_days=400),
            suppliers(lead_time_days=5),
            "no_lead_time",
            "above a year",
        ),
        (suppliers(currency="JPY"), suppliers(currency=""), "currency_mixed", "in JPY"),
        (
            items(minimum_order_quantity=1826),  # 5 a day are 1,825 a year
            items(minimum_order_quantity=1),
            "minimum_above_year",
            "above the demand of a year (1,825)",
        ),
    ):
        with north.scope():
            change()
        assert suggest(north)["blocked"] == {reason: 1}
        with north.scope("viewer"):
            assert not ReorderSuggestion.objects.filter(state="new").exists()
            [row] = BlockedNeed.objects.all()
            assert said in " ".join(one["text"] for one in sentences({"steps": row.steps}))
            nothing = compare_scenario(Scenario(service_level=0.9))
            assert (nothing.before.blocked, nothing.after.blocked, nothing.after.orders) == (
                1,
                1,
                0,
            )
        with north.scope():
            mend()
    assert suggest(north)["blocked"] == {}
    with north.scope():
        assert only_open().quantity == 20


def test_what_is_doubtful_is_ordered_with_the_doubt_beside_it(north: House) -> None:
    world_of(north)
    with north.scope():
        SupplierItem.objects.update(price=0)
        StockPolicy.objects.update(target="cost", lost_sale_cost=0, holding_cost_per_year=0)
        SeriesForecast.objects.update(reason="short_history")
    suggest(north)
    with north.scope("viewer"):
        row = only_open()
        assert (row.quantity, row.reason_code) == (20, "confirm")
        said = " ".join(step["text"] for step in sentences(row.inputs))
        assert "price is missing: the value of the order is unknown" in said
        assert (row.unit_price, row.order_value) == (None, None)
        assert "a service level of 95.0% was used" in said
        assert "comes from a simple method" in said
        [excluded] = budget_table(Decimal(1000), SuggestionFilter()).excluded
        assert excluded.pk == row.pk
        short = compare_scenario(Scenario(budget=Decimal(1000)))
        assert (short.before.unpriced, short.before.blocked) == (1, 0)
        assert (short.after.orders, short.after.unpriced, short.after.blocked) == (0, 0, 1)
        [line] = short.lines
        assert (line.before, line.after, line.value_change) == (20, 0, None)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"price": Decimal(-1)}, "price"),
        ({"price": Decimal(1), "transport_cost_per_unit": Decimal(-1)}, "transport_cost_per_unit"),
        ({"price": Decimal(1), "lead_time_days": 366}, "lead_time_days"),
    ],
)
def test_negative_costs_and_absurd_lead_times_never_get_in(
    north: House, wrong: dict[str, Any], field: str
) -> None:
    world = world_of(north)
    with north.scope("planner"):
        with pytest.raises(Invalid) as refused:
            set_offer(
                supplier_id=world.supplier.pk,
                product_id=world.products[0].pk,
                offer=Offer(**wrong),
            )
        assert [one.field for one in refused.value.problems] == [field]
        with pytest.raises(Invalid):
            create_supplier(fields=SupplierFields(code="S9", name="S9", lead_time_days=366))
        assert SupplierItem.objects.get().price == 4
        assert not Supplier.objects.filter(code="S9").exists()


def test_an_order_that_took_years_does_not_end_the_planning_of_everything(north: House) -> None:
    world = world_of(north)
    with north.scope():
        LeadTimeObservation.objects.create(
            supplier=world.supplier,
            product=world.products[0],
            placed_on=date(2020, 1, 1),
            received_on=date(2021, 12, 31),
            lead_time_days=730,
            promised_days=None,
        )
    suggest(north)
    with north.scope():
        assert only_open().quantity > 20  # it may come late again: a year counts for what took two


def test_what_the_forecast_does_not_know_yet_is_listed_unless_it_is_not_stocked(
    north: House,
) -> None:
    world = world_of(north)
    with north.scope():
        new, unwanted = (
            Product.objects.create(sku=sku, name=sku, unit_cost=1, unit_price=2)
            for sku in ("NEW", "NOT")
        )
        sell([new, unwanted], world.warehouse, days=3, mean=4, last=world.last_day)
        SupplierItem.objects.create(supplier=world.supplier, product=new, price=1)
        StockPolicy.objects.create(product=unwanted, do_not_stock=True)
    result = suggest(north)
    assert (result["suggestions_new"], result["blocked"]) == (1, {"no_forecast": 1})
    with north.scope():
        row = BlockedNeed.objects.get()
        assert (row.product_id, row.warehouse_id) == (new.pk, world.warehouse.pk)
    page = north.client("planner").get(north.path("suggestions/blocked/")).content.decode()
    assert "run a forecast first" in page


def test_a_forecast_of_some_days_ago_is_read_from_today_on(north: House) -> None:
    """100 a day for the four days that have passed, 5 from today on: 12 x 5 - 40 = 20."""
    world = world_of(north)
    with north.scope():
        flat_forecast(world, 5.0, origin=world.last_day - timedelta(days=4))
        series = SeriesForecast.objects.order_by("-id")[0]
        series.mean[:4] = [100.0] * 4
        series.quantile_values[: 4 * 19] = [100.0] * 4 * 19
        series.save()
    suggest(north)
    run_job_here(tenant=north.tenant, kind="make_warnings", payload={})
    with north.scope():
        assert (only_open().quantity, only_open().reason_code) == (20, "below_reorder_point")
        # 40 last for eight days: not a warning within the five an order takes
        assert not RiskWarning.objects.filter(kind="stockout").exists()
        series.mean[:24] = [20.0] * 24
        series.quantile_values[: 24 * 19] = [20.0] * 24 * 19
        series.save()
    run_job_here(tenant=north.tenant, kind="make_warnings", payload={})
    with north.scope():
        # 40 at 20 a day from today on: the third day lacks
        warning = RiskWarning.objects.get(kind="stockout")
        assert warning.happens_on == business_today() + timedelta(days=2)


def test_a_stale_forecast_says_so_beside_the_number_and_beside_the_what_if(north: House) -> None:
    world = world_of(north)
    with north.scope():
        flat_forecast(world, 5.0, origin=world.last_day - timedelta(days=400))
    suggest(north)
    with north.scope("viewer"):
        assert any(step["code"] == "stale_forecast" for step in only_open().inputs["steps"])
        assert compare_scenario(Scenario(uplift=0.1)).is_stale
    page = north.client("planner").get(north.path("what-if/"), {"uplift": "10"}).content.decode()
    assert "out of date" in page


def test_two_warehouses_in_need_send_each_other_nothing(north: House) -> None:
    """Each lacks what the other has on its way to it; both buy, and drafts do not feed a circle."""
    world = world_of(north)
    with north.scope():
        other = second_warehouse(world, units=40, per_day=5.0)
        for origin, to in ((world.warehouse.pk, other.pk), (other.pk, world.warehouse.pk)):
            create_transfer(
                from_warehouse_id=origin,
                to_warehouse_id=to,
                lines=[AskedLine(world.products[0].pk, Decimal(10))],
            )
    suggest(north)
    with north.scope():
        rows = ReorderSuggestion.objects.filter(state="new")
        assert {row.source for row in rows} == {"buy"}
        assert rows.count() == 2
        for row in rows:
            assert [one["kind"] for one in row.inputs["sources"]] == ["buy"]
        assert TransferOrder.objects.count() == 2


def test_a_price_in_another_currency_is_no_cost_here(north: House) -> None:
    world = world_of(north)
    with north.scope():
        Product.objects.update(unit_cost=None)
        Supplier.objects.update(currency="JPY")
        SupplierItem.objects.update(price=4000)
        run = latest_run()
        assert run is not None
        found = read_world(run)
        assert found is not None
        assert found.unit_costs().tolist() == [0]
        assert found.unit_margins().tolist() == [3]  # the usual share of its price of 10
        Supplier.objects.update(currency=north.tenant.currency)
        again = read_world(run)
        assert again is not None
        assert again.unit_costs().tolist() == [4000]
        assert world.products


def test_a_price_that_nobody_filled_in_does_not_beat_one_that_is_asked(north: House) -> None:
    world = world_of(north)
    with north.scope():
        SupplierItem.objects.update(is_preferred=False)
        second = Supplier.objects.create(code="S2", name="Second", lead_time_days=5)
        SupplierItem.objects.create(supplier=second, product=world.products[0], price=0)
    suggest(north)
    with north.scope():
        row = only_open()
        assert row.supplier_item.supplier_id == world.supplier.pk
        assert [one["obstacle"] for one in row.inputs["sources"]] == ["", "no_price"]


def test_what_is_moved_sells_in_time_as_what_is_bought_does(north: House) -> None:
    """10 days of season at 5 a day sell 50, 40 are there: 10 are moved although 20 are short."""
    world = world_of(north)
    with north.scope():
        second_warehouse(world, units=500, per_day=0.1)
        StockPolicy.objects.create(
            warehouse=world.warehouse, season_ends_on=business_today() + timedelta(days=10)
        )
    suggest(north)
    with north.scope():
        row = only_open()
        assert (row.source, row.quantity) == ("transfer", 10)


def test_what_is_moved_does_not_leave_the_rest_of_an_order_below_its_least(north: House) -> None:
    """20 and 30 at 4 are 200, the supplier's least. The 20 are moved, so 50 of the other come."""
    with north.scope():
        world = build_world(products=2, days=30)
        stock(world, {"P-001": 40, "P-002": 30})
        flat_forecast(world, 5.0)
        second_warehouse(world, units=500, per_day=0.1)
        Supplier.objects.update(minimum_order_value=200)
    suggest(north)
    with north.scope("planner"):
        moved, bought = ReorderSuggestion.objects.filter(state="new").order_by("product__sku")
        assert (moved.source, moved.quantity) == ("transfer", 20)
        assert (bought.source, bought.quantity, bought.order_value) == ("buy", 50, 200)
        assert bought.binding_constraint == "minimum_order_value"
        assert bought.inputs["sources"][0]["quantity"] == 50
        assert not PurchaseOrder.objects.exists()


def test_a_changed_price_is_said_anew(north: House) -> None:
    world_of(north)
    suggest(north)
    with north.scope():
        SupplierItem.objects.update(price=5)
    assert suggest(north)["suggestions_superseded"] == 1
    with north.scope():
        assert (only_open().unit_price, only_open().order_value) == (5, 100)
