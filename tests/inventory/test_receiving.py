"""Receiving a purchase order: in parts, in lots, damaged, too much, and what it teaches."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory.models import LeadTimeObservation, Lot, PurchaseOrderState, StockMovement
from inventory.queries.integrity import check_book
from inventory.services.purchasing import WrongOrderState
from inventory.services.receiving import OverReceipt, ReceiptLine, receive_order
from tenancy.errors import Invalid, NotFound
from tests.inventory.book import Site, make_product, on_hand
from tests.inventory.inbound import PLACED, placed_order, receive


def test_goods_come_in_parts_until_the_order_is_received(site: Site) -> None:
    apple, pear = make_product(), make_product("PEAR")
    order = receive(placed_order(site, apple, pear), 4)
    assert order.state == PurchaseOrderState.PARTIALLY_RECEIVED
    assert on_hand(apple, site.at("receiving")) == 4
    order = receive(order, 6, 10)
    assert order.state == PurchaseOrderState.RECEIVED
    assert order.received_at is not None
    assert on_hand(apple) == 10
    movement = StockMovement.objects.filter(product=apple).first()
    assert (movement.document_kind, movement.document_id) == (
        "Receipt",
        order.receipts.latest("id").pk,
    )
    assert movement.unit_cost == Decimal("2.50")
    assert check_book() == []


def test_goods_go_straight_to_a_place_that_is_named(site: Site) -> None:
    apple = make_product()
    receive(placed_order(site, apple), 10, to_location_id=site.at("storage"))
    assert on_hand(apple, site.at("storage")) == 10


def test_damaged_goods_are_received_apart(site: Site) -> None:
    apple = make_product()
    order = placed_order(site, apple)
    line = ReceiptLine(order.lines.get().pk, Decimal(10), damaged=Decimal(3))
    order = receive_order(order_id=order.pk, lines=[line])
    assert on_hand(apple, site.at("receiving")) == 7  # 10 - 3
    assert on_hand(apple, site.at("damaged")) == 3
    assert order.state == PurchaseOrderState.RECEIVED


def test_one_line_comes_in_several_lots(site: Site) -> None:
    milk = make_product("MILK", lot_tracking="lot")
    order = placed_order(site, milk)
    line_id = order.lines.get().pk
    lines = [
        ReceiptLine(line_id, Decimal(6), "A", date(2026, 6, 1)),
        ReceiptLine(line_id, Decimal(4), "B", date(2026, 7, 1)),
    ]
    receive_order(order_id=order.pk, lines=lines)
    assert dict(Lot.objects.values_list("code", "expires_on")) == {
        "A": date(2026, 6, 1),
        "B": date(2026, 7, 1),
    }
    assert on_hand(milk) == 10
    assert check_book() == []


def test_a_known_lot_keeps_its_expiry_date(site: Site) -> None:
    milk = make_product("MILK", lot_tracking="lot")
    Lot.objects.create(product=milk, code="A", expires_on=date(2026, 6, 1))
    order = placed_order(site, milk)
    wrong = ReceiptLine(order.lines.get().pk, Decimal(6), "A", date(2026, 6, 2))
    with pytest.raises(Invalid) as refusal:
        receive_order(order_id=order.pk, lines=[wrong])
    assert refusal.value.problems[0].code == "other_expiry"
    assert on_hand(milk) == 0
    assert order.lines.get().quantity_received == 0


def test_more_than_ordered_plus_tolerance_is_refused_with_the_numbers(site: Site) -> None:
    apple = make_product()
    order = placed_order(site, apple, over_receipt_tolerance=Decimal(2))
    receive(order, 9)
    with pytest.raises(OverReceipt) as refusal:
        receive(order, 4)  # 9 + 4 = 13 > 10 + 2
    [over] = refusal.value.lines
    assert (over.ordered, over.tolerance, over.received, over.arriving) == (10, 2, 9, 4)
    assert on_hand(apple) == 9
    receive(order, 3)  # 9 + 3 = 12
    assert on_hand(apple) == 12


def test_two_lines_of_a_receipt_add_up_before_they_are_compared(site: Site) -> None:
    order = placed_order(site, make_product())
    line_id = order.lines.get().pk
    with pytest.raises(OverReceipt):
        receive_order(
            order_id=order.pk,
            lines=[ReceiptLine(line_id, Decimal(6)), ReceiptLine(line_id, Decimal(5))],
        )


def test_only_a_placed_order_is_received(site: Site) -> None:
    order = placed_order(site, make_product())
    receive(order, 10)
    with pytest.raises(WrongOrderState):
        receive(order, 1)


def test_a_line_of_another_order_is_not_found(site: Site) -> None:
    apple = make_product()
    order, other = placed_order(site, apple), placed_order(site, apple)
    with pytest.raises(NotFound) as refusal:
        receive_order(order_id=order.pk, lines=[ReceiptLine(other.lines.get().pk, Decimal(1))])
    assert refusal.value.data["line"] == 0


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"quantity": Decimal(0)}, "not_positive"),
        ({"quantity": Decimal("1e400")}, "too_large"),
        ({"quantity": Decimal("0.5")}, "not_whole"),
        ({"damaged": Decimal(2)}, "more_than_arrived"),
        ({"damaged": Decimal("NaN")}, "not_exact"),
        ({"lot_code": "A"}, "lot_mismatch"),
    ],
)
def test_absurd_receipts_are_refused_by_name(site: Site, change: dict[str, Any], code: str) -> None:
    order = placed_order(site, make_product())
    fields = {"line_id": order.lines.get().pk, "quantity": Decimal(1)} | change
    with pytest.raises(Invalid) as refusal:
        receive_order(order_id=order.pk, lines=[ReceiptLine(**fields)])
    assert [p.code for p in refusal.value.problems] == [code]


def test_goods_do_not_arrive_before_the_order(site: Site) -> None:
    order = placed_order(site, make_product())
    with pytest.raises(Invalid):
        receive(order, 1, received_at=PLACED - timedelta(seconds=1))
    with pytest.raises(Invalid):
        receive_order(order_id=order.pk, lines=[])


def test_each_completed_line_teaches_a_lead_time(site: Site) -> None:
    apple, pear = make_product(), make_product("PEAR")
    order = placed_order(site, apple, pear)
    receive(order, 4, 10, received_at=PLACED + timedelta(days=6))
    receive(order, 6, received_at=PLACED + timedelta(days=9))
    rows = LeadTimeObservation.objects.order_by("lead_time_days")
    found = [(r.product_id, r.lead_time_days, r.promised_days) for r in rows]
    assert found == [(pear.pk, 6, 7), (apple.pk, 9, 7)]


def test_a_long_receipt_takes_as_many_statements_as_a_short_one(site: Site) -> None:
    counts = []
    for length in (2, 120):
        products = [make_product(f"P{length}-{n}") for n in range(length)]
        order = placed_order(site, *products)
        with CaptureQueriesContext(connection) as statements:
            receive(order, *[10] * length)
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 40
