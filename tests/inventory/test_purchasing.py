"""Buying: drafts, prices, placing, cancelling and closing."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from inventory.models import PurchaseOrder, PurchaseOrderState, Supplier
from inventory.queries.availability import availability
from inventory.services.purchasing import (
    BelowMinimum,
    OrderHasNoLines,
    OrderLine,
    WrongOrderState,
    add_order_lines,
    cancel_order,
    close_order,
    create_draft_order,
    place_order,
    remove_order_line,
)
from inventory.services.receiving import ReceiptLine, receive_order
from inventory.services.suppliers import Offer, SupplierFields, create_supplier, set_offer
from tenancy.errors import Invalid, NotFound, StaleVersion
from tenancy.models import AuditEvent
from tenancy.permissions import PermissionRefused
from tests.cast import House
from tests.inventory.book import Site, make_product, make_site


def make_supplier(**fields: object) -> Supplier:
    return create_supplier(fields=SupplierFields(**({"code": "S1", "name": "Sam"} | fields)))


@pytest.fixture
def supplier(site: Site) -> Supplier:
    return make_supplier(lead_time_days=5, minimum_order_value=Decimal(100))


def draft(site: Site, supplier: Supplier, *lines: OrderLine) -> PurchaseOrder:
    return create_draft_order(supplier_id=supplier.pk, warehouse_id=site.warehouse.pk, lines=lines)


def test_the_price_is_that_of_the_highest_break_reached(site: Site, supplier: Supplier) -> None:
    apple = make_product()
    breaks = {Decimal(100): Decimal("0.90"), Decimal(500): Decimal("0.75")}
    set_offer(
        supplier_id=supplier.pk,
        product_id=apple.pk,
        offer=Offer(price=Decimal("1.00")),
        price_breaks=breaks,
    )
    for quantity, price in ((99, "1.00"), (100, "0.90"), (499, "0.90"), (500, "0.75")):
        order = draft(site, supplier, OrderLine(apple.pk, Decimal(quantity)))
        assert order.lines.get().unit_price == Decimal(price)


def test_numbers_ascend_and_are_per_tenant(north: House, south: House) -> None:
    numbers = []
    for house in (north, north, south):
        with house.scope():
            site = make_site(f"W{len(numbers)}")
            supplier = make_supplier(code=f"S{len(numbers)}")
            numbers.append(draft(site, supplier).number)
    assert numbers == ["PO-000001", "PO-000002", "PO-000001"]


def test_every_bad_line_is_named_at_once(site: Site, supplier: Supplier) -> None:
    apple, pear = make_product(), make_product("PEAR", is_active=False)
    with pytest.raises(Invalid) as refusal:
        draft(
            site,
            supplier,
            OrderLine(apple.pk, Decimal("1.5"), Decimal(1)),
            OrderLine(apple.pk, Decimal(1)),
            OrderLine(pear.pk, Decimal("NaN"), Decimal(-1)),
        )
    assert [(p.line, p.field, p.code) for p in refusal.value.problems] == [
        (0, "quantity", "not_whole"),
        (1, "unit_price", "price_missing"),
        (1, "product_id", "twice"),
        (2, "quantity", "not_a_number"),
        (2, "unit_price", "not_an_amount"),
        (2, "product_id", "inactive_product"),
    ]
    assert not PurchaseOrder.objects.exists()


def test_foreign_ids_answer_like_missing_ones(north: House, south: House) -> None:
    with south.scope():
        theirs = make_supplier()
    with north.scope():
        site = make_site()
        for supplier_id in (theirs.pk, 987654321):
            with pytest.raises(NotFound):
                create_draft_order(supplier_id=supplier_id, warehouse_id=site.warehouse.pk)


def test_an_empty_order_cannot_be_placed(site: Site, supplier: Supplier) -> None:
    with pytest.raises(OrderHasNoLines):
        place_order(order_id=draft(site, supplier).pk)


def test_an_order_below_the_minimum_is_placed_only_when_accepted(
    site: Site, supplier: Supplier
) -> None:
    order = draft(site, supplier, OrderLine(make_product().pk, Decimal(33), Decimal(3)))
    with pytest.raises(BelowMinimum) as refusal:
        place_order(order_id=order.pk)
    assert (refusal.value.value, refusal.value.minimum) == (99, 100)  # 33 x 3
    placed = place_order(order_id=order.pk, accept_below_minimum=True)
    assert placed.state == PurchaseOrderState.PLACED


def test_placing_promises_a_day_and_counts_as_on_order(site: Site, supplier: Supplier) -> None:
    apple, pear = make_product(), make_product("PEAR")
    offer = Offer(price=Decimal(2), lead_time_days=12)
    set_offer(supplier_id=supplier.pk, product_id=pear.pk, offer=offer)
    order = draft(
        site,
        supplier,
        OrderLine(apple.pk, Decimal(40), Decimal(3)),
        OrderLine(pear.pk, Decimal(7)),
    )
    assert availability() == []
    moment = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)  # already the 2nd of March in Berlin
    place_order(order_id=order.pk, placed_at=moment)
    promised = {line.product_id: line.promised_on for line in order.lines.all()}
    assert promised == {apple.pk: date(2026, 3, 7), pear.pk: date(2026, 3, 14)}  # + 5, + 12
    order.refresh_from_db()
    assert order.expected_on == date(2026, 3, 14)
    assert {row.product_id: row.on_order for row in availability()} == {apple.pk: 40, pear.pk: 7}
    event = AuditEvent.objects.get(action="purchase_order.placed")
    assert event.data == {"number": order.number, "value": "134.000000000000"}  # 40x3 + 7x2


def test_an_order_is_not_placed_in_the_future(site: Site, supplier: Supplier) -> None:
    order = draft(site, supplier, OrderLine(make_product().pk, Decimal(100), Decimal(3)))
    with pytest.raises(Invalid):
        place_order(order_id=order.pk, placed_at=datetime.now(UTC) + timedelta(days=1))


def test_an_inactive_supplier_gets_no_order(site: Site, supplier: Supplier) -> None:
    order = draft(site, supplier, OrderLine(make_product().pk, Decimal(100), Decimal(3)))
    supplier.is_active = False
    supplier.save()
    with pytest.raises(Invalid):
        place_order(order_id=order.pk)
    with pytest.raises(Invalid):
        draft(site, supplier)


def test_lines_are_fixed_once_placed(site: Site, supplier: Supplier) -> None:
    order = draft(site, supplier, OrderLine(make_product().pk, Decimal(100), Decimal(3)))
    pear = OrderLine(make_product("PEAR").pk, Decimal(1), Decimal(1))
    add_order_lines(order_id=order.pk, lines=[pear])
    remove_order_line(order_id=order.pk, line_id=order.lines.last().pk)
    assert order.lines.count() == 1
    place_order(order_id=order.pk)
    with pytest.raises(WrongOrderState) as refusal:
        add_order_lines(order_id=order.pk, lines=[pear])
    assert refusal.value.data["allowed"] == ["draft"]
    with pytest.raises(WrongOrderState):
        remove_order_line(order_id=order.pk, line_id=order.lines.get().pk)
    with pytest.raises(WrongOrderState):
        place_order(order_id=order.pk)


def test_a_stale_version_is_refused(site: Site, supplier: Supplier) -> None:
    order = draft(site, supplier, OrderLine(make_product().pk, Decimal(100), Decimal(3)))
    line = OrderLine(make_product("PEAR").pk, Decimal(1), Decimal(1))
    add_order_lines(order_id=order.pk, lines=[line], version=1)
    with pytest.raises(StaleVersion) as refusal:
        place_order(order_id=order.pk, version=1)
    assert refusal.value.data == {"given": 1, "current": 2}
    place_order(order_id=order.pk, version=2)


def test_an_order_is_cancelled_until_something_has_come(site: Site, supplier: Supplier) -> None:
    apple = make_product()

    def placed() -> PurchaseOrder:
        order = draft(site, supplier, OrderLine(apple.pk, Decimal(100), Decimal(3)))
        return place_order(order_id=order.pk)

    cancelled = cancel_order(order_id=placed().pk, reason="too late")
    assert cancelled.state == PurchaseOrderState.CANCELLED
    partly = placed()
    receive_order(order_id=partly.pk, lines=[ReceiptLine(partly.lines.get().pk, Decimal(1))])
    with pytest.raises(WrongOrderState):
        cancel_order(order_id=partly.pk)
    assert close_order(order_id=partly.pk).state == PurchaseOrderState.CLOSED
    assert all(row.on_order == 0 for row in availability())
    with pytest.raises(WrongOrderState):
        close_order(order_id=cancelled.pk)


def test_a_preferred_offer_takes_the_preference_from_others(site: Site, supplier: Supplier) -> None:
    apple, other = make_product(), make_supplier(code="S2")
    preferred = Offer(price=Decimal(1), is_preferred=True)
    first = set_offer(supplier_id=supplier.pk, product_id=apple.pk, offer=preferred)
    second = set_offer(supplier_id=other.pk, product_id=apple.pk, offer=preferred)
    first.refresh_from_db()
    assert (first.is_preferred, second.is_preferred) == (False, True)


def test_a_taken_supplier_code_is_named(site: Site, supplier: Supplier) -> None:
    with pytest.raises(Invalid) as refusal:
        make_supplier()
    assert [(p.field, p.code) for p in refusal.value.problems] == [("code", "taken")]


def test_an_operator_does_not_buy(north: House) -> None:
    with north.scope():
        site, supplier = make_site(), make_supplier()
    with north.scope("operator"), pytest.raises(PermissionRefused):
        draft(site, supplier)
