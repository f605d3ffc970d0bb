"""Suggestions: worked worlds with flat demand, and what makes, keeps, supersedes and silences them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils.html import strip_tags

from forecasting.models import ReorderSuggestion, SuggestionState
from forecasting.queries.series import business_today
from forecasting.services.reorder_record import decide_again, sentences
from forecasting.services.suggestions import (
    ForecastStale,
    SuggestionClosed,
    accept_suggestions,
    dismiss_suggestions,
    snooze_suggestions,
)
from inventory.models import PurchaseOrder, PurchaseOrderState, StockPolicy, SupplierItem
from inventory.services.purchasing import place_order
from tenancy.errors import Invalid, NotFound
from tenancy.models import JobState
from tenancy.permissions import PermissionRefused
from tenancy.services.jobs import run_job_here
from tests.api.calls import by_key
from tests.cast import House
from tests.forecasting.world import World, build_world, flat_forecast, stock
from tests.inventory.selling import confirmed

pytestmark = pytest.mark.django_db(transaction=True)


def suggest(house: House) -> dict[str, Any]:
    job = run_job_here(tenant=house.tenant, kind="make_suggestions", payload={})
    assert job.state == JobState.DONE, job.reason
    return dict(job.result)


def world_of(house: House, *, per_day: float = 5.0, **fields: Any) -> World:
    """One product, flat demand of five a day, 5 days lead time, 7 days review, 40 in stock."""
    with house.scope():
        world = build_world(products=1, days=30, **fields)
        stock(world, {"P-001": 40})
        flat_forecast(world, per_day)
    return world


def only_open() -> ReorderSuggestion:
    return ReorderSuggestion.objects.get(state__in=SuggestionState.open())


def test_a_flat_demand_is_ordered_up_to_the_demand_of_the_protection_interval(north: House) -> None:
    """5 a day x (5 days lead time + 7 days review) = 60 needed, 40 there: order 20."""
    world_of(north)
    assert suggest(north)["suggestions_new"] == 1
    with north.scope():
        found = only_open()
        assert found.quantity == 20
        assert found.order_up_to == 60
        assert found.inventory_position == 40
        assert found.order_value == 80  # 20 x 4
        assert found.inputs["inputs"]["position"]["on_hand"] == "40.000000"


def test_what_customers_are_owed_is_bought_again(north: House) -> None:
    """40 there, 55 ordered by customers: 40 allocated and 15 backordered, so 60 - (-15) = 75."""
    world = world_of(north)
    with north.scope():
        confirmed(world.warehouse, (world.products[0], 55))
    suggest(north)
    with north.scope():
        found = only_open()
        assert found.inventory_position == -15
        assert found.quantity == 75
        said = " ".join(step["text"] for step in sentences(found.inputs))
        assert "40 allocated and 15 backordered" in said


def test_the_number_can_be_made_again_from_what_the_suggestion_keeps(north: House) -> None:
    world_of(north)
    suggest(north)
    with north.scope():
        found = only_open()
        again = decide_again(found.inputs)
        assert Decimal(again.quantity) == found.quantity
        assert again.reorder_point == found.reorder_point
        steps = sentences(found.inputs)
        assert "12 days" in steps[0]["text"]
        assert sum(step["change"] for step in steps if step["change"]) == pytest.approx(20)
    client, api = north.client("viewer"), by_key(north, "viewer")
    page = north.path(f"suggestions/{found.pk}/")
    assert "Decided again" not in client.get(page).content.decode()
    checked = client.get(page, {"check": "yes"}).content.decode()
    assert "Decided again: the same" in checked
    same = {"kept": "20", "again": "20", "is_same": True}
    assert api.get(f"suggestions/{found.pk}/check").json() == same
    with north.scope():  # as if the rules said otherwise now
        found.inputs["inputs"]["position"]["on_hand"] = "30"
        found.save()
    checked = client.get(page, {"check": "yes"}).content.decode()
    words = strip_tags(checked).replace("\u00a0", " ")
    assert "come to 30 pcs instead of 20 pcs" in words
    other = {"kept": "20", "again": "30", "is_same": False}
    assert api.get(f"suggestions/{found.pk}/check").json() == other
    with north.scope():  # as an older version kept it
        del found.inputs["inputs"]["position"]
        found.save()
    old = {"kept": "20", "again": None, "is_same": False}
    assert api.get(f"suggestions/{found.pk}/check").json() == old


def test_the_suppliers_minimum_and_multiple_are_met_and_said(north: House) -> None:
    """20 are needed, the supplier sells from 24 in dozens: order 24, bound by the minimum."""
    world_of(north)
    with north.scope():
        SupplierItem.objects.update(minimum_order_quantity=24, order_multiple=12)
    suggest(north)
    with north.scope():
        found = only_open()
        assert found.quantity == 24
        assert found.binding_constraint == "minimum_order_quantity"


def test_enough_stock_needs_no_order_and_no_supplier_blocks_one(north: House) -> None:
    with north.scope():
        world = build_world(products=2, days=30)
        stock(world, {"P-001": 61})
        world.items[1].is_active = False
        world.items[1].save()
        flat_forecast(world, 5.0)
    result = suggest(north)
    assert result["suggestions_new"] == 0
    assert result["blocked"] == {"no_supplier": 1}


def test_what_is_in_a_draft_order_is_not_suggested_again(north: House) -> None:
    world_of(north)
    suggest(north)
    with north.scope("planner"):
        orders = accept_suggestions(suggestion_ids=[only_open().pk]).orders
    assert suggest(north)["suggestions_new"] == 0
    with north.scope():
        place_order(order_id=orders[0].pk)
    assert suggest(north)["suggestions_new"] == 0


def test_suggesting_twice_changes_nothing(north: House) -> None:
    world_of(north)
    suggest(north)
    with north.scope():
        first = only_open()
    result = suggest(north)
    assert (result["suggestions_new"], result["suggestions_kept"]) == (0, 1)
    with north.scope():
        assert only_open().pk == first.pk


def test_a_changed_need_supersedes_the_open_suggestion(north: House) -> None:
    world = world_of(north)
    suggest(north)
    with north.scope():
        first = only_open()
        flat_forecast(world, 6.0)
    suggest(north)
    with north.scope():
        first.refresh_from_db()
        assert first.state == SuggestionState.SUPERSEDED
        assert only_open().quantity == 32  # 6 x 12 - 40


def test_a_need_that_is_gone_leaves_the_list(north: House) -> None:
    world = world_of(north)
    suggest(north)
    with north.scope():
        flat_forecast(world, 1.0)
    suggest(north)
    with north.scope():
        assert not ReorderSuggestion.objects.filter(state__in=SuggestionState.open()).exists()


def test_a_snoozed_need_stays_silent_until_its_day(north: House) -> None:
    world_of(north)
    suggest(north)
    with north.scope():
        until = business_today() + timedelta(days=3)
        snooze_suggestions(suggestion_ids=[only_open().pk], until=until)
    assert suggest(north)["suggestions_new"] == 0
    with north.scope():
        ReorderSuggestion.objects.update(snoozed_until=business_today())
    assert suggest(north)["suggestions_new"] == 1
    with north.scope():
        assert only_open().state == SuggestionState.NEW


def test_a_dismissed_need_comes_back_only_when_it_has_grown_by_half(north: House) -> None:
    world = world_of(north)
    suggest(north)
    with north.scope():
        dismiss_suggestions(suggestion_ids=[only_open().pk], note="enough elsewhere")
    assert suggest(north)["suggestions_new"] == 0
    with north.scope():
        flat_forecast(world, 6.0)  # 32 instead of 20: more than half as much again
    assert suggest(north)["suggestions_new"] == 1


def test_accepting_makes_one_draft_order_per_supplier_and_warehouse(north: House) -> None:
    with north.scope():
        world = build_world(products=3, days=30)
        stock(world, {"P-001": 40, "P-002": 30, "P-003": 20})
        flat_forecast(world, 5.0)
    suggest(north)
    with north.scope("planner"):
        rows = list(ReorderSuggestion.objects.order_by("product__sku"))
        orders = accept_suggestions(
            suggestion_ids=[row.pk for row in rows],
            quantities={rows[1].pk: Decimal(50)},
            reason="a promotion next week",
        ).orders
        assert len(orders) == 1
        order = PurchaseOrder.objects.get()
        assert order.state == PurchaseOrderState.DRAFT
        lines = order.lines.order_by("product__sku")
        assert [line.quantity for line in lines] == [20, 50, 40]
        rows = list(ReorderSuggestion.objects.order_by("product__sku"))
        assert [row.state for row in rows] == ["accepted", "edited", "accepted"]
        assert rows[1].order_line.order_id == order.pk


def test_accepting_twice_orders_once(north: House) -> None:
    world_of(north)
    suggest(north)
    with north.scope("planner"):
        wanted = [only_open().pk]
        accept_suggestions(suggestion_ids=wanted)
    with north.scope("planner"), pytest.raises(SuggestionClosed):
        accept_suggestions(suggestion_ids=wanted)
    with north.scope():
        assert PurchaseOrder.objects.count() == 1


def test_a_stale_forecast_is_ordered_from_only_when_confirmed(north: House) -> None:
    world = world_of(north)
    with north.scope():
        flat_forecast(world, 5.0, origin=world.last_day - timedelta(days=8))
    suggest(north)
    with north.scope("planner"):
        row = only_open()
        assert row.reason_code == "confirm"
        with pytest.raises(ForecastStale) as refused:
            accept_suggestions(suggestion_ids=[row.pk])
        assert refused.value.data["age_days"] == 8
        assert accept_suggestions(suggestion_ids=[row.pk], confirm_stale=True).orders


def test_bad_quantities_foreign_ids_and_viewers_are_refused(north: House, south: House) -> None:
    world_of(north)
    suggest(north)
    with north.scope():
        wanted = only_open().pk
    with north.scope("planner"):
        with pytest.raises(Invalid, match="P-001"):
            accept_suggestions(suggestion_ids=[wanted], quantities={wanted: Decimal("-1")})
        with pytest.raises(Invalid):
            accept_suggestions(suggestion_ids=[wanted], quantities={wanted: Decimal("1.5")})
        with pytest.raises(Invalid):
            accept_suggestions(suggestion_ids=[])
        with pytest.raises(Invalid):
            snooze_suggestions(suggestion_ids=[wanted], until=business_today())
    with south.scope("planner"), pytest.raises(NotFound):
        accept_suggestions(suggestion_ids=[wanted])
    with north.scope("operator"):
        with pytest.raises(PermissionRefused):
            accept_suggestions(suggestion_ids=[wanted])
        with pytest.raises(PermissionRefused):
            dismiss_suggestions(suggestion_ids=[wanted])
    with north.scope():
        assert not PurchaseOrder.objects.exists()


def test_the_most_specific_policy_decides(north: House) -> None:
    """Do-not-stock for this product here beats the tenant's default."""
    world = world_of(north)
    with north.scope():
        StockPolicy.objects.create(
            product=world.products[0], warehouse=world.warehouse, do_not_stock=True
        )
    assert suggest(north)["suggestions_new"] == 0


def test_suggestions_without_a_forecast_fail_in_words(north: House) -> None:
    job = run_job_here(tenant=north.tenant, kind="make_suggestions", payload={})
    assert job.state == JobState.FAILED
    assert "no forecast yet" in job.reason
