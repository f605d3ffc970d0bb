"""Suggested buffers of channels, from planning to what is kept; and demand by segment."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from forecasting.models import BufferSuggestion, SeriesForecast
from forecasting.queries.buffers import buffer_suggestions
from forecasting.queries.channels import segment_figures
from forecasting.queries.series import business_today
from forecasting.services.buffers import (
    BufferChanged,
    BufferClosed,
    accept_buffers,
    decide_buffer_again,
    dismiss_buffers,
)
from forecasting.services.overrides import OverrideWish, create_override
from inventory.models import (
    Channel,
    ChannelStock,
    CustomerSegment,
    DailyDemand,
    Product,
    SupplierItem,
)
from inventory.services.channels import KeptStock, set_channel_stock
from tenancy.errors import Invalid, NotFound
from tenancy.permissions import PermissionRefused
from tests.api.calls import by_key
from tests.cast import House
from tests.forecasting.test_replenishment import suggest, world_of
from tests.forecasting.world import World

pytestmark = pytest.mark.django_db(transaction=True)


def two_channels(house: House) -> tuple[World, Channel, Channel]:
    """The first product at 10 in the web shop, 2 a day, and at 6 in the store, 3 a day; cost 4."""
    world = world_of(house)
    with house.scope():
        web = Channel.objects.create(code="web", name="Web shop", kind="online")
        store = Channel.objects.create(code="store", name="Store", kind="offline")
        for channel, price, per_day in ((web, 10, 2.0), (store, 6, 3.0)):
            DailyDemand.objects.create(
                product=world.products[0],
                warehouse=world.warehouse,
                channel=channel,
                business_day=world.last_day,
                quantity=Decimal(2),
                revenue=Decimal(2 * price),
            )
            series = SeriesForecast.objects.get(channel=None)
            series.pk, series.channel = None, channel
            series.mean = [per_day] * 28
            series.quantile_values = [per_day] * len(series.quantile_values)
            series.total_mean = per_day * 28
            series.save()
    return world, web, store


def only() -> BufferSuggestion:
    return BufferSuggestion.objects.get(state="new")


def test_the_last_units_are_suggested_for_the_dearer_channel_and_kept_when_accepted(
    north: House,
) -> None:
    """Goods can come in 12 days: the web shop asks for 24 until then, at a margin of 6 against 2.
    40 are there for 60: 72 would be lost; with 24 kept from the store 26.4 x 2 = 52.8."""
    world, _web, store = two_channels(north)
    counts = suggest(north)
    assert counts["buffers"] == {"new": 1, "kept": 0, "superseded": 0}
    with north.scope("planner"):
        row = only()
        assert (row.channel_id, row.buffer, row.buffer_before) == (store.pk, 24, 0)
        assert row.inputs["lost_before"] == pytest.approx(72, rel=0.01)
        assert row.gain == pytest.approx(72 - 52.8, rel=0.02)
        assert decide_buffer_again(row) == row.buffer
    assert suggest(north)["buffers"] == {"new": 0, "kept": 1, "superseded": 0}
    planner = north.client("planner")
    assert b"Buffers that pay" in planner.get(north.path("channel-demand/")).content
    page = planner.get(north.path(f"channel-demand/buffers/{row.pk}/"))
    assert b"Keep 24" in page.content
    assert b"Littlewood" in page.content
    checked = planner.get(north.path(f"channel-demand/buffers/{row.pk}/"), {"check": "yes"})
    assert b"Decided again: the same" in checked.content
    with north.scope("viewer"), pytest.raises(PermissionRefused):
        accept_buffers(buffer_suggestion_ids=[row.pk])
    sent = {"action": "accept", "buffer": row.pk, "idempotency_key": uuid4().hex}
    for _twice in range(2):
        answer = planner.post(north.path("channel-demand/buffers/decide"), sent, follow=True)
        assert b"1 buffer is now: Accepted." in answer.content
    with north.scope("planner"):
        kept = ChannelStock.objects.get()
        assert kept.version == 1
        assert (kept.channel_id, kept.buffer, kept.ring_fenced) == (store.pk, 24, 0)
        with pytest.raises(BufferClosed):
            dismiss_buffers(buffer_suggestion_ids=[row.pk])
        assert world.products[0].pk == kept.product_id
    assert suggest(north)["buffers"] == {"new": 0, "kept": 0, "superseded": 0}


def test_what_a_planner_changes_changes_every_channel_in_proportion(north: House) -> None:
    """Half as much again from tomorrow: in 12 days the web shop asks for 2 + 11 x 3 = 35."""
    world, _web, _store = two_channels(north)
    suggest(north)
    with north.scope("planner"):
        assert only().buffer == 24
        first = business_today() + timedelta(days=1)
        fair = OverrideWish(
            first_day=first, last_day=first + timedelta(days=26),
            kind="percent", value=Decimal(50), reason="Trade fair",
        )  # fmt: skip
        product, place = world.products[0].pk, world.warehouse.pk
        create_override(product_id=product, warehouse_id=place, wish=fair)
    suggest(north)
    with north.scope():
        assert only().buffer == 35


def test_a_buffer_somebody_set_since_is_not_overwritten_and_a_dismissed_one_stays_away(
    north: House, django_assert_num_queries: Any
) -> None:
    world, _web, store = two_channels(north)
    suggest(north)
    with north.scope("planner"):
        row = only()
        set_channel_stock(
            channel_id=store.pk,
            product_id=world.products[0].pk,
            warehouse_id=world.warehouse.pk,
            kept=KeptStock(buffer=Decimal(3)),
        )
        with pytest.raises(BufferChanged):
            accept_buffers(buffer_suggestion_ids=[row.pk])
        assert ChannelStock.objects.get().buffer == 3
        with pytest.raises(NotFound):
            accept_buffers(buffer_suggestion_ids=[row.pk, row.pk + 99])
        with pytest.raises(Invalid):
            accept_buffers(buffer_suggestion_ids=[])
    assert suggest(north)["buffers"] == {"new": 1, "kept": 0, "superseded": 1}
    caller = by_key(north, role="planner")
    with north.scope(), django_assert_num_queries(1):
        assert [one.channel.code for one in buffer_suggestions()] == ["store"]
    [shown] = caller.get("buffer-suggestions", state="new").json()["items"]
    assert (shown["buffer"], shown["buffer_before"]) == ("24", "3")
    detail = caller.get(f"buffer-suggestions/{shown['id']}").json()
    assert [one["name"] for one in detail["inputs"]["channels"]] == ["Web shop", "Store"]
    answer = caller.post(
        "buffer-suggestions/dismiss", {"buffer_suggestion_ids": [shown["id"]]}
    ).json()
    assert [one["state"] for one in answer["buffers"]] == ["dismissed"]
    assert suggest(north)["buffers"] == {"new": 0, "kept": 0, "superseded": 0}


def stop_offering() -> None:
    SupplierItem.objects.update(is_active=False)


@pytest.mark.parametrize(
    ("reason", "spoil"),
    [
        ("no_revenue", lambda: DailyDemand.objects.update(revenue=0)),
        ("no_lead_time", stop_offering),
        ("no_cost", lambda: (Product.objects.update(unit_cost=None), stop_offering())),
    ],
)
def test_what_cannot_be_judged_is_refused_with_its_reason(
    north: House, reason: str, spoil: object
) -> None:
    two_channels(north)
    with north.scope():
        assert callable(spoil)
        spoil()
    result = suggest(north)
    assert result["buffers_refused"] == {reason: 1}
    with north.scope():
        assert not BufferSuggestion.objects.exists()
    assert b"1 product not judged" in north.client().get(north.path("channel-demand/")).content


def test_segments_share_demand_online_and_offline(
    north: House, django_assert_num_queries: Any
) -> None:
    """Business 30 of 40 known units, 20 of them online; 10 without a segment stand last."""
    world, web, store = two_channels(north)
    with north.scope():
        DailyDemand.objects.all().delete()
        assert segment_figures(business_today()) == []
        business = CustomerSegment.objects.create(code="B2B", name="Business")
        CustomerSegment.objects.create(code="NEW", name="Nobody yet")
        for segment, channel, units, back in (
            (business, web, 20, 1),
            (business, store, 10, 1),
            (business, store, 60, 120),
            (None, web, 10, 1),
        ):
            DailyDemand.objects.create(
                product=world.products[0],
                warehouse=world.warehouse,
                channel=channel,
                segment=segment,
                business_day=business_today() - timedelta(days=back),
                quantity=Decimal(units),
                revenue=Decimal(units * 10),
            )
        with django_assert_num_queries(2):
            first, empty, unknown = segment_figures(business_today())
        assert (first.sold, first.before, first.share) == (30, 60, 0.75)
        assert first.change == -0.5
        assert first.online_share == pytest.approx(2 / 3)
        assert (empty.sold, empty.online_share, unknown.segment) == (0, None, None)
        assert unknown.share == 0.25
    body = by_key(north).get("channel-demand").json()
    assert [one["code"] for one in body["segments"]] == ["B2B", "NEW", ""]
    assert body["segments"][0]["online"] == "20"
    assert {one["code"] for one in body["channels"]} == {"web", "store"}
    assert len(body["weeks"]) == 13
    assert b"Customer segments" in north.client().get(north.path("channel-demand/")).content
