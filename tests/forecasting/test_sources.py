"""What a suggestion chooses between: policies by class, several suppliers, moving, budget, limits."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from forecasting.models import BlockedNeed, PlanningSettings, ReorderSuggestion, SeriesForecast
from forecasting.queries.series import business_today
from forecasting.queries.suggestions import SuggestionFilter
from forecasting.services.budget import budget_table
from forecasting.services.reorder_record import decide_again
from forecasting.services.suggestions import accept_suggestions
from inventory.models import (
    DailyDemand,
    PurchaseOrder,
    StockPolicy,
    Supplier,
    SupplierItem,
    TransferOrder,
)
from inventory.services.opening_stock import OpeningLine, post_opening_stock
from inventory.services.places import create_warehouse
from inventory.services.policies import (
    PolicyFields,
    PolicyScope,
    add_class_policies,
    remove_policy,
    set_policy,
)
from tenancy.errors import Invalid, StaleVersion
from tenancy.permissions import PermissionRefused
from tests.api.calls import by_key
from tests.cast import House
from tests.forecasting.test_replenishment import only_open, suggest, world_of
from tests.forecasting.world import World, build_world, flat_forecast, stock

pytestmark = pytest.mark.django_db(transaction=True)


def second_warehouse(world: World, *, units: int, per_day: float) -> Any:
    """Another warehouse with stock of the first product, which sells there at its own pace."""
    other = create_warehouse(code="W2", name="Outlet", country="DE")
    product = world.products[0]
    post_opening_stock(
        warehouse_id=other.pk, lines=[OpeningLine(product_id=product.pk, quantity=Decimal(units))]
    )
    DailyDemand.objects.create(
        product=product, warehouse=other, business_day=world.last_day, quantity=Decimal(1)
    )
    run = flat_forecast(world, 5.0)
    series = SeriesForecast.objects.get(run=run, product=product)
    series.pk, series.warehouse = None, other
    series.mean = [per_day] * 28
    series.quantile_values = [per_day] * len(series.quantile_values)
    series.total_mean = per_day * 28
    series.save()
    return other


def test_moving_what_another_warehouse_has_too_much_of_beats_buying(north: House) -> None:
    """20 are needed here; 500 lie in the outlet, which sells one in ten days: its 2 of target stay.

    Moving 20: 25 / 20 = 1.25 a unit for the ride, and what lies for years is worth nothing there.
    Buying costs 4. So 20 are moved, into a draft transfer, and nothing is suggested again.
    """
    world = world_of(north)
    with north.scope():
        other = second_warehouse(world, units=500, per_day=0.1)
    suggest(north)
    with north.scope("planner"):
        row = only_open()
        assert (row.source, row.from_warehouse_id, row.quantity) == ("transfer", other.pk, 20)
        table = row.inputs["sources"]
        assert [one["kind"] for one in table] == ["transfer", "buy"]
        assert table[0]["moving"] == pytest.approx(1.25)
        assert table[0]["goods"] == 0
        assert table[1]["goods"] == 4
        drafts = accept_suggestions(suggestion_ids=[row.pk])
        assert drafts.orders == []
        [transfer] = drafts.transfers
        assert (transfer.from_warehouse_id, transfer.to_warehouse_id) == (
            other.pk,
            world.warehouse.pk,
        )
        row.refresh_from_db()
        assert row.transfer_line.order_id == transfer.pk
    assert suggest(north)["suggestions_new"] == 0
    with north.scope():
        assert TransferOrder.objects.count() == 1


def test_a_part_is_moved_and_the_rest_bought_where_that_is_cheaper(north: House) -> None:
    """8 of the 20 lie in the outlet: 25 / 8 = 3.125 for the ride instead of 4 for a new one.

    8 are moved and 12 bought for 48; 48 + 25 = 73. Both drafts are made of the one suggestion, and
    together they count as coming, so that nothing is suggested again.
    """
    world = world_of(north)
    with north.scope():
        other = second_warehouse(world, units=9, per_day=0.001)
    suggest(north)
    with north.scope("planner"):
        row = only_open()
        assert (row.source, row.from_warehouse_id) == ("both", other.pk)
        assert (row.quantity, row.transfer_quantity) == (20, 8)
        assert (row.unit_price, row.order_value) == (4, 73)
        kinds = [one["kind"] for one in row.inputs["sources"]]
        assert kinds == ["both", "buy", "transfer"]
    client = north.client("planner")
    page = client.get(north.path(f"suggestions/{row.pk}/")).content
    assert b"Transfer 8 and order 12" in page
    assert b"8 from Outlet, the rest from Supplier One" in page
    checked = client.get(north.path(f"suggestions/{row.pk}/"), {"check": "yes"}).content
    assert b"as they did then. How that is got was chosen among the ways below" in checked
    assert (
        b"8 from Outlet, the rest from Supplier One"
        in client.get(north.path("suggestions/")).content
    )
    with north.scope("planner"):
        drafts = accept_suggestions(suggestion_ids=[row.pk])
        [order], [transfer] = drafts.orders, drafts.transfers
        assert [line.quantity for line in order.lines.all()] == [12]
        assert [line.quantity for line in transfer.lines.all()] == [8]
        row.refresh_from_db()
        assert (row.state, row.quantity_accepted) == ("accepted", 20)
        assert (row.order_line.order_id, row.transfer_line.order_id) == (order.pk, transfer.pk)
    assert suggest(north)["suggestions_new"] == 0


def test_of_a_part_and_a_rest_the_rest_competes_for_a_budget(north: House) -> None:
    """12 of the 20 are bought at 4; a budget of 24 buys 6 of them beside the 8 that are moved."""
    world = world_of(north)
    with north.scope():
        second_warehouse(world, units=9, per_day=0.001)
    suggest(north)
    with north.scope():
        table = budget_table(Decimal(24), SuggestionFilter())
        [row] = table.rows
        assert (table.wanted, table.spent, row.line.wanted) == (48, 24, 12)
        assert (row.moved, row.line.granted, row.accepted, row.line.cut) == (8, 6, 14, True)
        nothing = budget_table(Decimal(0), SuggestionFilter())
        assert (nothing.takes_any, nothing.rows[0].accepted) == (True, 8)
        [whole] = budget_table(Decimal(48), SuggestionFilter()).rows
        assert (whole.accepted, whole.line.cut) == (20, False)
    page = north.client("planner").get(north.path("suggestions/budget/"), {"budget": "24"})
    assert "from Outlet" in page.content.decode()
    page = north.client("planner").get(north.path("suggestions/budget/"), {"budget": "0"})
    assert "only what is moved" in page.content.decode()
    [shown] = by_key(north).get("suggestions/budget", budget="24").json()["rows"]
    assert (shown["granted"], shown["moved"]) == ("6", "8")


def test_of_a_part_and_a_rest_less_is_accepted_by_buying_less(north: House) -> None:
    """15 of 20: 8 are moved, 7 bought; 6 of 20: all of it is moved."""
    world = world_of(north)
    with north.scope():
        second_warehouse(world, units=9, per_day=0.001)
    for quantity, bought in ((Decimal(15), [7]), (Decimal(6), [])):
        with north.scope():
            PurchaseOrder.objects.all().delete()
            ReorderSuggestion.objects.all().delete()
            TransferOrder.objects.all().delete()
        suggest(north)
        with north.scope("planner"):
            row = only_open()
            drafts = accept_suggestions(
                suggestion_ids=[row.pk], quantities={row.pk: quantity}, reason="less is enough"
            )
            assert [line.quantity for o in drafts.orders for line in o.lines.all()] == bought
            moved = [line.quantity for o in drafts.transfers for line in o.lines.all()]
            assert moved == [min(quantity, 8)]


@pytest.mark.parametrize(
    ("change", "obstacle"),
    [
        (lambda: PlanningSettings.objects.create(transfer_cost=500), ""),
        (lambda: SupplierItem.objects.update(minimum_order_quantity=15), "rest_too_small"),
        (lambda: Supplier.objects.update(minimum_order_value=80), "below_order_value"),
    ],
)
def test_where_moving_a_part_does_not_pay_or_spoils_the_order_all_is_bought(
    north: House, change: Any, obstacle: str
) -> None:
    """A ride of 500; 8 + 15 are more than 20; 12 x 4 = 48 are below a least order of 80."""
    world = world_of(north)
    with north.scope():
        second_warehouse(world, units=9, per_day=0.001)
        change()
    suggest(north)
    with north.scope():
        row = only_open()
        assert (row.source, row.quantity, row.from_warehouse_id) == ("buy", 20, None)
        table = {one["kind"]: one for one in row.inputs["sources"]}
        assert table["both"]["obstacle"] == obstacle
        assert (table["transfer"]["obstacle"], table["transfer"]["quantity"]) == ("covers_part", 8)


def test_without_a_preference_the_supplier_cheapest_once_landed_is_ordered_from(
    north: House,
) -> None:
    """One asks 4.00, the other 3.90 and 0.50 for transport: the first; the second where preferred."""
    world = world_of(north)
    with north.scope():
        SupplierItem.objects.update(is_preferred=False)
        far = Supplier.objects.create(code="S2", name="Far", lead_time_days=5)
        item = SupplierItem.objects.create(
            supplier=far,
            product=world.products[0],
            price=Decimal("3.9"),
            transport_cost_per_unit=Decimal("0.5"),
        )
    suggest(north)
    with north.scope():
        row = only_open()
        assert row.supplier_item.supplier.code == "S1"
        assert len(row.inputs["sources"]) == 2
        SupplierItem.objects.filter(pk=item.pk).update(is_preferred=True)
    suggest(north)
    with north.scope():
        assert only_open().supplier_item_id == item.pk


def test_an_order_below_the_suppliers_least_value_is_raised_and_says_so(north: House) -> None:
    """20 x 4 = 80 of a least of 100: five more, in a step that no limit refuses."""
    world_of(north)
    with north.scope():
        Supplier.objects.update(minimum_order_value=100)
    suggest(north)
    with north.scope():
        row = only_open()
        assert row.order_value == 100
        assert row.quantity == 25
        assert row.binding_constraint == "minimum_order_value"
        assert decide_again(row.inputs).quantity == 25
        Supplier.objects.update(minimum_order_value=1_000_000)
    suggest(north)
    with north.scope():
        row = only_open()
        assert (row.quantity, row.reason_code) == (20, "confirm")
        assert any(step["code"] == "below_order_value" for step in row.inputs["steps"])


def test_nothing_is_bought_for_after_the_season(north: House) -> None:
    """8 days of season at 5 a day sell 40, and 40 are there; with 10 days, 10 more are."""
    world_of(north)
    with north.scope():
        StockPolicy.objects.update(season_ends_on=business_today() + timedelta(days=8))
    assert suggest(north)["suggestions_new"] == 0
    with north.scope():
        StockPolicy.objects.update(season_ends_on=business_today() + timedelta(days=10))
    suggest(north)
    with north.scope():
        assert (only_open().quantity, only_open().binding_constraint) == (10, "season_end")
        StockPolicy.objects.update(season_ends_on=business_today() - timedelta(days=1))
    assert suggest(north)["suggestions_superseded"] == 1


def test_what_is_blocked_is_listed_with_what_to_do(north: House) -> None:
    """A foreign currency, a minimum above a year's demand: no number, but a row that says why."""
    world = world_of(north)
    with north.scope():
        Supplier.objects.update(currency="JPY")
    assert suggest(north)["blocked"] == {"currency_mixed": 1}
    with north.scope():
        row = BlockedNeed.objects.get()
        assert row.steps[-1]["data"]["price_currency"] == "JPY"
        Supplier.objects.update(currency="")
        SupplierItem.objects.update(minimum_order_quantity=5000)
    suggest(north)
    with north.scope():
        assert BlockedNeed.objects.get().reason == "minimum_above_year"
        SupplierItem.objects.update(minimum_order_quantity=1)
        Supplier.objects.update(lead_time_days=None)
    suggest(north)
    with north.scope():
        assert BlockedNeed.objects.get().reason == "no_lead_time"
        assert not ReorderSuggestion.objects.filter(state="new").exists()
        assert world.products


def test_a_cost_of_a_lost_sale_decides_when_the_policy_says_so(north: House) -> None:
    """Too little 6, too much 4 x 0.2 x 7 / 365 = 0.0153: a ratio of 0.9974."""
    world_of(north)
    with north.scope():
        StockPolicy.objects.update(target="cost", lost_sale_cost=6)
    suggest(north)
    with north.scope():
        row = only_open()
        assert row.inputs["quantile"] == pytest.approx(6 / (6 + 4 * 0.2 * 7 / 365))
        assert row.inputs["cost_of_too_little"] == 6


def test_a_changed_quantity_needs_a_reason_and_keeps_it(north: House) -> None:
    world_of(north)
    suggest(north)
    with north.scope("planner"):
        row = only_open()
        with pytest.raises(Invalid, match="Say why"):
            accept_suggestions(suggestion_ids=[row.pk], quantities={row.pk: Decimal(30)})
        assert not PurchaseOrder.objects.exists()
        accept_suggestions(
            suggestion_ids=[row.pk], quantities={row.pk: Decimal(30)}, reason="fair in May"
        )
        row.refresh_from_db()
        assert (row.state, row.decision_note) == ("edited", "fair in May")


def test_a_budget_buys_the_steps_that_save_most_per_money(north: House) -> None:
    with north.scope():
        world = build_world(products=3, days=30)
        stock(world, {"P-001": 10, "P-002": 30, "P-003": 50})
        flat_forecast(world, 5.0)
    suggest(north)
    with north.scope():
        everything = budget_table(Decimal(10_000), SuggestionFilter())
        assert everything.spent == everything.wanted == (50 + 30 + 10) * 4
        some = budget_table(Decimal(100), SuggestionFilter())
        assert 0 < some.spent <= 100
        assert sum(row.line.value for row in some.rows) == pytest.approx(float(some.spent))
        nothing = budget_table(Decimal(0), SuggestionFilter())
        assert nothing.spent == 0
        assert all(row.line.granted == 0 for row in nothing.rows)
        with pytest.raises(Invalid, match="zero or more"):
            budget_table(Decimal(-1), SuggestionFilter())


def test_class_policies_hold_until_a_product_has_its_own(north: House) -> None:
    world = world_of(north)
    with north.scope():
        StockPolicy.objects.all().delete()
    suggest(north)
    with north.scope("planner"):
        first = only_open()
        assert first.inputs["classes"] == "AX"
        assert first.inputs["inputs"]["policy"]["service_level"] == 0.98
        assert len(add_class_policies()) == 9
        assert add_class_policies() == []
        own = set_policy(
            scope=PolicyScope(product_id=world.products[0].pk),
            fields=PolicyFields(do_not_stock=True),
        )
        with pytest.raises(StaleVersion):
            set_policy(
                scope=PolicyScope(product_id=world.products[0].pk),
                fields=PolicyFields(),
                version=99,
            )
    assert suggest(north)["suggestions_superseded"] == 1
    with north.scope("planner"):
        remove_policy(stock_policy_id=own.pk)
    assert suggest(north)["suggestions_new"] == 1


def test_policies_out_of_range_and_members_without_the_right_are_refused(north: House) -> None:
    world = world_of(north)
    product = PolicyScope(product_id=world.products[0].pk, abc_class="A")
    with north.scope("planner"):
        before = StockPolicy.objects.count()
        for scope, fields in (
            (product, PolicyFields()),
            (PolicyScope(), PolicyFields(cycle_service_level=Decimal(1))),
            (PolicyScope(), PolicyFields(minimum_stock=Decimal(5), maximum_stock=Decimal(4))),
            (PolicyScope(), PolicyFields(lost_sale_cost=Decimal(-1))),
            (PolicyScope(), PolicyFields(review_period_days=0)),
        ):
            with pytest.raises(Invalid):
                set_policy(scope=scope, fields=fields)
        assert StockPolicy.objects.count() == before
    with north.scope("operator"), pytest.raises(PermissionRefused):
        set_policy(scope=PolicyScope(), fields=PolicyFields())
