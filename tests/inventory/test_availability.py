"""What may be promised, what is on its way, and what will serve demand."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from inventory.models import Allocation, LotStatus, MovementReason
from inventory.queries.as_of import stock_as_of
from inventory.queries.availability import Availability, availability
from inventory.queries.movements import movements, movements_of
from inventory.services.ledger import (
    AllocationLine,
    MovementLine,
    allocate,
    post_movements,
    reverse_movement,
)
from inventory.services.purchasing import OrderLine, create_draft_order, place_order
from inventory.services.receiving import ReceiptLine, receive_order
from inventory.services.sales import cancel_sales_order
from inventory.services.suppliers import SupplierFields, create_supplier
from tests.cast import House
from tests.inventory.book import Site, make_lot, make_product, make_site
from tests.inventory.selling import confirmed, draft, pick


def at(text: str) -> datetime:
    return datetime.fromisoformat(text + "T12:00:00+01:00")


def test_only_good_stock_in_promisable_places_is_available(site: Site) -> None:
    apple = make_product()
    site.receive(apple, 100)
    lines = [
        site.line(apple, 10, "storage", "packing"),
        site.line(apple, 5, "storage", "shipping"),
        site.line(apple, 7, "storage", "quarantine"),
        site.line(apple, 3, "storage", "damaged"),
        site.line(apple, 11, "storage", "receiving"),
        site.line(apple, 20, "storage", "in_transit"),
    ]
    post_movements(lines=lines)
    allocate(lines=[AllocationLine(apple.pk, site.at("storage"), Decimal(4))])
    [row] = availability()
    assert row == Availability(
        product_id=apple.pk,
        warehouse_id=site.warehouse.pk,
        on_hand=Decimal(80),  # 100 - 20 in transit
        allocated=Decimal(4),
        available=Decimal(55),  # storage 44 + packing 10 + shipping 5 - 4 promised
        unusable=Decimal(10),  # quarantine 7 + damaged 3
        in_transit=Decimal(20),
        on_order=Decimal(0),
    )
    assert row.inventory_position == 90  # 80 - 10 + 20; what no customer is owed counts


def test_what_orders_are_owed_serves_no_further_demand(site: Site) -> None:
    apple, pear, plum = make_product(), make_product("PEAR"), make_product("PLUM")
    site.receive(apple, 10)
    order = confirmed(site.warehouse, (apple, 4), (pear, 3))
    more = confirmed(site.warehouse, (apple, 9))
    draft(site.warehouse, (plum, 5))
    rows = {row.product_id: row for row in availability()}
    assert set(rows) == {apple.pk, pear.pk}  # a draft asks for nothing yet
    apples, pears = rows[apple.pk], rows[pear.pk]
    assert (apples.on_hand, apples.allocated, apples.backordered, apples.owed) == (10, 10, 3, 13)
    assert apples.inventory_position == -3  # 10 there, 4 + 9 owed
    assert (pears.on_hand, pears.backordered, pears.inventory_position) == (0, 3, -3)
    # picked goods lie at packing, promised still: the position is the same
    pick(site, Allocation.objects.get(order_line__order=order))
    assert availability(product_ids=[apple.pk])[0].inventory_position == -3
    for gone in (order, more):
        cancel_sales_order(sales_order_id=gone.pk)
    assert [row.inventory_position for row in availability()] == [10]


def test_expired_and_held_lots_are_not_available(site: Site) -> None:
    milk = make_product("MILK", lot_tracking="lot")
    today = date(2026, 3, 2)
    for code, fields in {
        "good": {"expires_on": today},
        "endless": {},
        "expired": {"expires_on": today - timedelta(days=1)},
        "held": {"status": LotStatus.ON_HOLD},
        "recalled": {"status": LotStatus.RECALLED},
    }.items():
        site.receive(milk, 10, lot_id=make_lot(milk, code, **fields).pk)
    [row] = availability(on=today)
    assert (row.on_hand, row.available, row.unusable) == (50, 20, 30)
    [tomorrow] = availability(on=today + timedelta(days=1))
    assert tomorrow.available == 10


def test_what_is_ordered_and_not_received_is_on_order(site: Site) -> None:
    apple, pear = make_product(), make_product("PEAR")
    supplier = create_supplier(fields=SupplierFields(code="S", name="Sam"))
    order = create_draft_order(
        supplier_id=supplier.pk,
        warehouse_id=site.warehouse.pk,
        lines=[OrderLine(p.pk, Decimal(10), Decimal(1)) for p in (apple, pear)],
    )
    assert availability() == []  # a draft is no promise
    place_order(order_id=order.pk)
    receive_order(order_id=order.pk, lines=[ReceiptLine(order.lines.first().pk, Decimal(4))])
    found = {r.product_id: (r.on_hand, r.on_order, r.inventory_position) for r in availability()}
    assert found == {apple.pk: (4, 6, 10), pear.pk: (0, 10, 10)}
    assert [r.product_id for r in availability(product_ids=[pear.pk])] == [pear.pk]
    other = make_site("OTHER")
    assert availability(warehouse_id=other.warehouse.pk) == []


def test_another_tenant_sees_nothing_of_it(north: House, south: House) -> None:
    with north.scope():
        make_site().receive(make_product(), 5)
    with south.scope():
        assert availability() == []


def test_availability_of_all_products_is_one_query(
    site: Site, django_assert_num_queries: Any
) -> None:
    for number in range(20):
        site.receive(make_product(f"P{number}"), 1)
    with django_assert_num_queries(1):
        assert len(availability()) == 20


def test_movements_are_found_by_product_place_and_document(site: Site) -> None:
    apple, pear = make_product(), make_product("PEAR")
    [first] = site.receive(apple, 5)
    [second] = site.ship(apple, 2)
    site.receive(pear, 1)
    reverse_movement(movement_id=second)
    found = list(movements(product_id=apple.pk))
    assert [(m.is_reversed, m.reverses_id) for m in found] == [
        (False, second),
        (True, None),
        (False, None),
    ]
    assert found[-1].pk == first
    assert movements(warehouse_id=site.warehouse.pk).count() == 4
    assert movements(location_id=site.at("customer")).count() == 2
    document = site.warehouse
    post_movements(lines=[site.line(pear, 1, "storage", "packing")], document=document)
    assert movements_of(document).count() == 1


def test_stock_as_of_a_moment_follows_when_things_happened(site: Site) -> None:
    apple = make_product()
    site.receive(apple, 10, effective_at=at("2026-03-01"))
    site.ship(apple, 4, effective_at=at("2026-03-05"))
    # recorded last, but it happened in between
    lines = [
        MovementLine(
            apple.pk, site.at("storage"), site.at("loss"), Decimal(1), MovementReason.SCRAP
        )
    ]
    post_movements(lines=lines, effective_at=at("2026-03-03"))

    def then(day: str) -> list[Decimal]:
        return [row.quantity for row in stock_as_of(at(day))]

    assert then("2026-02-28") == []
    assert then("2026-03-01") == [10]
    assert then("2026-03-04") == [9]  # 10 - 1
    assert then("2026-03-05") == [5]  # 10 - 1 - 4
    assert stock_as_of(at("2026-03-05"), warehouse_id=make_site("OTHER").warehouse.pk) == []
