"""Demand is added up by day, warehouse, channel and segment."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from inventory.models import Channel, CustomerSegment, DailyDemand
from inventory.queries.demand_history import daily_demand
from inventory.services.demand import DemandLine, record_demand
from tenancy.errors import Invalid, NotFound
from tests.cast import House
from tests.inventory.book import Site, make_product, make_site

DAY = date(2026, 3, 2)


def test_demand_of_a_day_adds_up_in_one_row_per_channel_and_segment(site: Site) -> None:
    apple = make_product()
    web = Channel.objects.create(code="web", name="Web")
    trade = CustomerSegment.objects.create(code="trade", name="Trade")

    def line(quantity: int, **more: Any) -> DemandLine:
        return DemandLine(
            apple.pk, site.warehouse.pk, DAY, Decimal(quantity), Decimal(quantity * 2), **more
        )

    lines = [line(1), line(2), line(4, channel_id=web.pk), line(8, segment_id=trade.pk)]
    assert record_demand(lines=lines) == 3
    assert record_demand(lines=[line(16), line(32, channel_id=web.pk)]) == 2
    rows = {
        (row.channel_id, row.segment_id): (row.quantity, row.revenue, row.order_lines)
        for row in DailyDemand.objects.all()
    }
    assert rows == {
        (None, None): (19, 38, 3),  # 1 + 2 + 16
        (web.pk, None): (36, 72, 2),  # 4 + 32
        (None, trade.pk): (8, 16, 1),
    }
    [day] = daily_demand(DAY, DAY)
    assert (day.quantity, day.revenue) == (63, 126)  # 19 + 36 + 8
    by_channel = {d.channel_id: d.quantity for d in daily_demand(DAY, DAY, by_channel=True)}
    assert by_channel == {None: 27, web.pk: 36}
    assert daily_demand(DAY + timedelta(days=1), DAY + timedelta(days=9)) == []


def test_bad_lines_are_all_named_and_nothing_is_recorded(site: Site) -> None:
    apple = make_product()
    where = site.warehouse.pk
    with pytest.raises(Invalid) as refusal:
        record_demand(
            lines=[
                DemandLine(apple.pk, where, DAY, Decimal(1)),
                DemandLine(apple.pk, where, DAY, Decimal(-1)),
                DemandLine(apple.pk, where, DAY, Decimal("NaN")),
                DemandLine(apple.pk, where, DAY, Decimal("1e400")),
                DemandLine(apple.pk, where, DAY, Decimal("0.5")),
                DemandLine(apple.pk, where, date.today() + timedelta(days=2), Decimal(1)),
                DemandLine(apple.pk, where, DAY, Decimal(1), revenue=Decimal("Infinity")),
            ]
        )
    assert [(p.line, p.field, p.code) for p in refusal.value.problems] == [
        (1, "quantity", "not_positive"),
        (2, "quantity", "not_a_number"),
        (3, "quantity", "too_large"),
        (4, "quantity", "not_whole"),
        (5, "business_day", "future"),
        (6, "revenue", "not_a_number"),
    ]
    assert not DailyDemand.objects.exists()


def test_foreign_ids_answer_like_missing_ones(north: House, south: House) -> None:
    with south.scope():
        theirs = make_site()
        foreign = {
            "product_id": make_product().pk,
            "warehouse_id": theirs.warehouse.pk,
            "channel_id": Channel.objects.create(code="web", name="Web").pk,
            "segment_id": CustomerSegment.objects.create(code="t", name="T").pk,
        }
    with north.scope():
        good = {"product_id": make_product().pk, "warehouse_id": make_site().warehouse.pk}
        for field, theirs_id in foreign.items():
            for row_id in (theirs_id, 987654321):
                fields = good | {field: row_id}
                with pytest.raises(NotFound) as refusal:
                    record_demand(
                        lines=[DemandLine(business_day=DAY, quantity=Decimal(1), **fields)]
                    )
                assert refusal.value.data["line"] == 0
