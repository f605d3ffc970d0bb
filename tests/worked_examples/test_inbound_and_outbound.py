"""Deliveries and dispatches of a small July, each share worked out by hand."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from inventory.models import PickTask, SalesOrder, Shipment
from inventory.queries.reports import REPORTS
from inventory.queries.reports.asking import ask
from inventory.queries.reports.running import ReportPage, report_page
from inventory.services.picking import pick
from inventory.services.purchasing import (
    OrderLine,
    close_order,
    create_draft_order,
    place_order,
)
from inventory.services.receiving import ReceiptLine, receive_order
from inventory.services.shipping import ship_order
from inventory.services.short_picks import pick_short
from inventory.services.suppliers import SupplierFields, create_supplier
from tests.cast import House
from tests.inventory.book import Site, make_product
from tests.inventory.outbound_world import Floor, make_floor, scan, tasks_of

JULY = {"from": dt.date(2026, 7, 1), "to": dt.date(2026, 7, 31)}


def page(name: str, **values: Any) -> ReportPage:
    report = REPORTS[name]
    return report_page(report, ask(JULY | values, default_days=report.default_days))


def figures(name: str, **values: Any) -> dict[str, Any]:
    found = page(name, **values)
    return {str(figure.label): figure.value(found.totals) for figure in REPORTS[name].figures}


def july(day: int, hour: int = 10, minute: int = 0) -> dt.datetime:
    return dt.datetime(2026, 7, day, hour, minute, tzinfo=dt.UTC)


def exactly(value: Any, expected: Fraction) -> bool:
    return abs(Fraction(value) - expected) < Fraction(1, 10**9)


# -- inbound --------------------------------------------------------------------------------------
class Buyer:
    """Orders one product from one supplier, and receives it in parts."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.supplier = create_supplier(fields=SupplierFields(code="SAM", name="Sam"))
        self.bought = 0

    def order(
        self, quantity: int, price: int, placed: int, promised: int | None, *arrivals: tuple
    ) -> Any:
        """Place an order; each arrival is (day, quantity) or (day, quantity, damaged)."""
        self.bought += 1
        product = make_product(f"B{self.bought}")
        line = OrderLine(
            product.pk,
            Decimal(quantity),
            Decimal(price),
            promised_on=july(promised).date() if promised else None,
            over_receipt_tolerance=Decimal(5),
        )
        order = create_draft_order(
            supplier_id=self.supplier.pk, warehouse_id=self.site.warehouse.pk, lines=[line]
        )
        place_order(order_id=order.pk, placed_at=july(placed))
        for day, came, *damaged in arrivals:
            arrived = ReceiptLine(
                order.lines.get().pk, Decimal(came), damaged=Decimal(sum(damaged))
            )
            receive_order(order_id=order.pk, lines=[arrived], received_at=july(day))
        return order


@pytest.fixture
def buyer(site: Site) -> Buyer:
    """Four order lines of July:

    B1: 10 at 2, promised the 8th, all came on the 7th.
    B2: 20 at 1, promised the 8th, 15 came on the 8th and 5 on the 10th.
    B3: 10 at 5, promised the 9th, 8 came on the 9th, then the order was closed.
    B4: 10 at 1, promised the 20th, 12 came on the 18th, one of them damaged.
    """
    buyer = Buyer(site)
    buyer.order(10, 2, 1, 8, (7, 10))
    buyer.order(20, 1, 1, 8, (8, 15), (10, 5))
    close_order(order_id=buyer.order(10, 5, 2, 9, (9, 8)).pk)
    buyer.order(10, 1, 2, 20, (18, 12, 1))
    return buyer


def test_a_supplier_is_measured_by_its_lines(buyer: Buyer) -> None:
    found = page("inbound")
    [row] = found.rows
    assert (row["supplier"], row["lines"]) == ("Sam", 4)
    assert row["on_time"] == Decimal("0.5")  # B1 and B4
    assert row["in_full"] == Decimal("0.75")  # all but B3
    assert row["over_share"] == row["short_share"] == Decimal("0.25")  # B4; B3
    assert exactly(row["promised_days"], Fraction(7 + 7 + 7 + 18, 4))
    assert exactly(row["measured_days"], Fraction(6 + 9 + 16, 3))  # B3 never completed
    # damaged 1 x 1 of received 10 x 2 + 20 x 1 + 8 x 5 + 12 x 1
    assert exactly(row["damaged_share"], Fraction(1, 92))
    assert row["ordered_value"] == 10 * 2 + 20 * 1 + 10 * 5 + 10 * 1
    headlines = figures("inbound")
    assert headlines["On time and in full"] == Decimal("0.5")
    assert exactly(headlines["Lead time"], Fraction(31, 3))


def test_the_same_lines_by_product(buyer: Buyer) -> None:
    rows = {row["sku"]: row for row in page("inbound", by="product").rows}
    assert [rows[sku]["on_time"] for sku in ("B1", "B2", "B3", "B4")] == [1, 0, 0, 1]
    assert [rows[sku]["in_full"] for sku in ("B1", "B2", "B3", "B4")] == [1, 1, 0, 1]
    assert rows["B3"]["measured_days"] is None


def test_a_line_counts_in_the_period_in_which_it_was_due(buyer: Buyer) -> None:
    week = {"from": dt.date(2026, 7, 9), "to": dt.date(2026, 7, 15)}
    rows = page("inbound", by="product", **week).rows
    assert [row["sku"] for row in rows] == ["B3"]


def test_a_line_without_a_promise_counts_when_it_came_and_is_not_late(buyer: Buyer) -> None:
    buyer.order(4, 1, 3, None, (13, 4))
    rows = {row["sku"]: row for row in page("inbound", by="product").rows}
    assert (rows["B5"]["on_time"], rows["B5"]["measured_days"]) == (None, 10)
    [row] = page("inbound").rows
    assert (row["lines"], row["on_time"]) == (5, Decimal("0.5"))


def test_what_is_not_due_yet_is_not_judged(buyer: Buyer) -> None:
    buyer.order(4, 1, 3, None)
    assert page("inbound").totals["lines"] == 4


def test_the_picture_has_each_line_in_the_week_it_was_due(buyer: Buyer) -> None:
    points = {p["day"]: (p["on_time"], p["late"]) for p in page("inbound").points}
    assert points["2026-07-08"] == (1, 1)
    assert points["2026-07-09"] == (0, 1)
    assert points["2026-07-20"] == (1, 0)
    assert sum(on_time + late for on_time, late in points.values()) == 4


# -- outbound -------------------------------------------------------------------------------------
@pytest.fixture
def floor(in_north: House) -> Floor:
    """Three orders of July, of one product each, and one that waits.

    O1: confirmed the 1st at 10:00, promised the 3rd, left on the 2nd at 10:00: on time, 24 hours.
    O2: confirmed the 1st at 10:00, promised the 3rd, left on the 4th at 12:00: late, 74 hours.
    O3: no promise, confirmed the 5th at 10:00, left on the 5th at 20:00: 10 hours.
    O4: confirmed the 6th, promised the 7th, never left: late, and its line is not filled.
    """
    floor = make_floor()
    send(floor, "O1", confirmed=july(1), promised=3, left=july(2))
    send(floor, "O2", confirmed=july(1), promised=3, left=july(4, 12))
    send(floor, "O3", confirmed=july(5), promised=None, left=july(5, 20))
    waits = make_product("O4")
    floor.order((waits, 1), confirmed_at=july(6), promised_on=july(7).date())
    return floor


def send(
    floor: Floor, sku: str, *, confirmed: dt.datetime, promised: int | None, left: dt.datetime
) -> SalesOrder:
    product = make_product(sku)
    order = floor.ready(
        product,
        2,
        confirmed_at=confirmed,
        promised_on=july(promised).date() if promised else None,
    )
    floor.picked(order)
    shipment = ship_order(sales_order_id=order.pk, pack_all=True)
    Shipment.objects.filter(pk=shipment.pk).update(shipped_at=left)
    PickTask.objects.filter(sales_order=order).update(picked_at=left)
    return order


def test_orders_are_measured_by_promise_lines_and_hours(floor: Floor) -> None:
    [row] = page("outbound").rows
    assert (row["orders"], row["lines"]) == (4, 4)
    assert exactly(row["on_time"], Fraction(1, 3))  # O1 of O1, O2 and O4
    assert row["line_fill_rate"] == Decimal("0.75")  # not O4
    assert exactly(row["cycle_hours"], Fraction(24 + 74 + 10, 3))
    headlines = figures("outbound")
    assert exactly(headlines["On time"], Fraction(1, 3))
    assert headlines["Line fill rate"] == Decimal("0.75")
    assert headlines["Order cycle"] == 36


def test_orders_by_channel_and_customer(floor: Floor) -> None:
    [row] = page("outbound", by="channel").rows
    assert (row["channel"], row["orders"]) == ("Web shop", 4)
    [row] = page("outbound", by="customer").rows
    assert (row["customer"], row["orders"]) == (None, 4)


@pytest.mark.parametrize(("second_day", "share"), [(12, 1), (13, 0)])
def test_an_order_that_left_in_parts_left_when_the_last_part_did(
    floor: Floor, second_day: int, share: int
) -> None:
    order = floor.many(2)
    promised = july(12).date()
    SalesOrder.objects.filter(pk=order.pk).update(confirmed_at=july(10), promised_on=promised)
    wave = floor.wave(order)
    for task, day in zip(tasks_of(wave), (11, second_day), strict=True):
        pick(wave_id=wave.pk, picks=[scan(task)])
        shipment = ship_order(sales_order_id=order.pk, pack_all=True)
        Shipment.objects.filter(pk=shipment.pk).update(shipped_at=july(day))
    [row] = page("outbound", **{"from": promised, "to": promised}).rows
    assert (row["orders"], row["on_time"], row["line_fill_rate"]) == (1, share, 1)
    assert row["cycle_hours"] == 24 * (second_day - 10)


def test_an_order_of_which_a_part_is_missing_is_neither_on_time_nor_filled(floor: Floor) -> None:
    product = make_product("PARTS")
    order = floor.ready(product, 4, confirmed_at=july(10), promised_on=july(12).date())
    wave = floor.wave(order)
    [task] = tasks_of(wave)
    pick_short(wave_id=wave.pk, picks=[scan(task, 3)], reason="not_found")
    shipment = ship_order(sales_order_id=order.pk, pack_all=True)
    Shipment.objects.filter(pk=shipment.pk).update(shipped_at=july(11))
    [row] = page("outbound", **{"from": july(12).date(), "to": july(12).date()}).rows
    assert (row["orders"], row["on_time"], row["line_fill_rate"]) == (1, 0, 0)
    assert row["cycle_hours"] is None


def test_a_cancelled_order_is_not_judged(floor: Floor) -> None:
    SalesOrder.objects.filter(promised_on=july(7).date()).update(state="cancelled")
    [row] = page("outbound").rows
    assert (row["orders"], row["on_time"]) == (3, Decimal("0.5"))


def test_picks_an_hour_are_over_the_hours_in_which_somebody_picked(floor: Floor) -> None:
    """Six picks of one person, four in one hour and two in another: three an hour."""
    PickTask.objects.all().delete()
    order = floor.many(6)
    floor.picked(order)
    tasks = list(PickTask.objects.order_by("id"))
    for number, task in enumerate(tasks):
        hour = 8 if number < 4 else 14
        PickTask.objects.filter(pk=task.pk).update(picked_at=july(20, hour, number * 7))
    PickTask.objects.filter(pk=tasks[0].pk).update(state="short")
    [row] = page("outbound", by="person").rows
    assert (row["person"], row["picks"], row["picks_per_hour"]) == ("owner@north.example", 6, 3)
    assert exactly(row["short_share"], Fraction(1, 6))
    assert row["orders"] == 0  # orders are nobody's, but the headlines are of all of them
    assert exactly(figures("outbound", by="person")["On time"], Fraction(1, 3))
    [site] = page("outbound").rows
    assert (site["picks"], site["orders"]) == (6, 4)
