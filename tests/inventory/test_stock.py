"""Selling, moving and opening stock."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from inventory.models import (
    Channel,
    ChannelStock,
    DailyDemand,
    Lot,
    LotStatus,
    MovementReason,
    StockMovement,
)
from inventory.queries.integrity import check_book
from inventory.services import stock
from inventory.services.allocation_choice import KeptFromChannel
from inventory.services.ledger import AllocationLine, InsufficientStock, allocate
from inventory.services.opening_stock import OpeningLine, post_opening_stock
from inventory.services.places import create_location
from inventory.services.stock import SaleLine, move_stock, ship_sale
from tenancy.errors import Invalid
from tests.inventory.book import Site, make_lot, make_product, on_hand
from tests.inventory.selling import make_channel

SOLD_AT = datetime.fromisoformat("2026-03-02T10:00:00+01:00")


def test_a_sale_ships_and_records_what_was_asked_for(site: Site) -> None:
    apple, pear = make_product(), make_product("PEAR")
    site.receive(apple, 10)
    site.receive(pear, 3)
    sale = ship_sale(
        warehouse_id=site.warehouse.pk,
        lines=[
            SaleLine(apple.pk, Decimal(4), unit_price=Decimal("2.50")),
            SaleLine(pear.pk, Decimal(5)),
        ],
        sold_at=SOLD_AT,
        allow_short=True,
    )
    assert sale.shipped == [4, 3]
    assert (on_hand(apple), on_hand(pear)) == (6, 0)
    demand = {row.product_id: row for row in DailyDemand.objects.all()}
    assert demand[pear.pk].quantity == 5  # asked, not shipped
    assert demand[apple.pk].revenue == 10  # 4 x 2.50
    assert demand[apple.pk].business_day == date(2026, 3, 2)
    assert check_book() == []


def test_a_sale_that_cannot_be_served_leaves_nothing_behind(site: Site) -> None:
    apple = make_product()
    site.receive(apple, 10)
    lines = [SaleLine(apple.pk, Decimal(6)), SaleLine(apple.pk, Decimal(5))]
    with pytest.raises(InsufficientStock) as refusal:
        ship_sale(warehouse_id=site.warehouse.pk, lines=lines)
    assert refusal.value.lines[0].short == 1  # 6 + 5 = 11 of 10
    assert on_hand(apple) == 10
    assert not DailyDemand.objects.exists()


def test_a_sale_of_what_is_not_there_at_all_still_records_demand(site: Site) -> None:
    apple = make_product()
    lines = [SaleLine(apple.pk, Decimal(2))]
    sale = ship_sale(warehouse_id=site.warehouse.pk, lines=lines, allow_short=True)
    assert (sale.shipped, sale.movement_ids) == ([0], [])
    assert DailyDemand.objects.get().quantity == 2


def test_first_expired_leaves_first_and_expired_or_held_stays(site: Site) -> None:
    milk = make_product("MILK", lot_tracking="lot")
    lots = {
        "expired": make_lot(milk, "expired", expires_on=date(2026, 3, 1)),
        "late": make_lot(milk, "late", expires_on=date(2026, 4, 1)),
        "soon": make_lot(milk, "soon", expires_on=date(2026, 3, 2)),
        "held": make_lot(milk, "held", expires_on=date(2026, 3, 3), status=LotStatus.ON_HOLD),
    }
    for lot in lots.values():
        site.receive(milk, 5, lot_id=lot.pk)
    sale = ship_sale(
        warehouse_id=site.warehouse.pk, lines=[SaleLine(milk.pk, Decimal(7))], sold_at=SOLD_AT
    )
    taken = {m.lot.code: m.quantity for m in StockMovement.objects.filter(pk__in=sale.movement_ids)}
    assert taken == {"soon": 5, "late": 2}
    with pytest.raises(InsufficientStock):
        ship_sale(
            warehouse_id=site.warehouse.pk, lines=[SaleLine(milk.pk, Decimal(4))], sold_at=SOLD_AT
        )


def test_a_sale_leaves_what_is_kept_for_other_channels_and_from_its_own(site: Site) -> None:
    apple = make_product()
    site.receive(apple, 10)
    store, web = (make_channel(code) for code in ("STORE", "WEB"))
    kept = {"warehouse": site.warehouse, "product": apple}
    ChannelStock.objects.create(channel=store, ring_fenced=6, **kept)
    ChannelStock.objects.create(channel=web, buffer=1, **kept)

    def sell(channel: Channel | None, quantity: int, *, allow_short: bool = False) -> Decimal:
        line = SaleLine(apple.pk, Decimal(quantity), channel_id=channel.pk if channel else None)
        warehouse = site.warehouse.pk
        return ship_sale(warehouse_id=warehouse, lines=[line], allow_short=allow_short).shipped[0]

    before = DailyDemand.objects.count()
    for channel, most in ((web, 3), (None, 4)):  # 10 - 6 kept for the store - 1 of buffer
        with pytest.raises(KeptFromChannel) as refusal:
            sell(channel, most + 1)
        assert refusal.value.data == {"asked": str(most + 1), "granted": str(most)}
    assert (on_hand(apple), DailyDemand.objects.count()) == (10, before)
    with pytest.raises(InsufficientStock):
        sell(web, 11)
    assert sell(web, 9, allow_short=True) == 3
    assert sell(None, 9, allow_short=True) == 1
    assert sell(store, 9, allow_short=True) == 6  # its own, to the last
    assert check_book() == []


def test_a_lot_held_while_a_sale_chooses_does_not_leave(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    milk = make_product("MILK", lot_tracking="lot")
    soon = make_lot(milk, "soon", expires_on=date(2099, 1, 1))
    late = make_lot(milk, "late", expires_on=date(2099, 1, 2))
    for lot in (soon, late):
        site.receive(milk, 5, lot_id=lot.pk)
    choose = stock.first_expired_first_out

    def recalled_meanwhile(*chosen: Any) -> Any:
        takes = choose(*chosen)
        Lot.objects.filter(pk=soon.pk).update(status=LotStatus.RECALLED)
        return takes

    monkeypatch.setattr(stock, "first_expired_first_out", recalled_meanwhile)
    sale = ship_sale(warehouse_id=site.warehouse.pk, lines=[SaleLine(milk.pk, Decimal(4))])
    assert StockMovement.objects.get(pk__in=sale.movement_ids).lot == late


def test_promised_stock_is_not_sold_to_others(site: Site) -> None:
    apple = make_product()
    site.receive(apple, 10)
    allocate(lines=[AllocationLine(apple.pk, site.at("storage"), Decimal(7))])
    lines = [SaleLine(apple.pk, Decimal(5))]
    sale = ship_sale(warehouse_id=site.warehouse.pk, lines=lines, allow_short=True)
    assert sale.shipped == [3]


def test_a_sale_takes_from_several_places_along_the_walk(site: Site) -> None:
    apple = make_product()
    shelf = create_location(warehouse_id=site.warehouse.pk, code="Z-9", walking_order=99)
    site.receive(apple, 2)
    post_opening_stock(
        warehouse_id=site.warehouse.pk, lines=[OpeningLine(apple.pk, Decimal(5), shelf.pk)]
    )
    sale = ship_sale(warehouse_id=site.warehouse.pk, lines=[SaleLine(apple.pk, Decimal(4))])
    assert sale.shipped == [4]
    assert on_hand(apple, shelf.pk) == 3  # 2 from storage, 2 from the shelf


def test_many_products_sell_in_a_fixed_number_of_statements(
    site: Site, django_assert_max_num_queries: object
) -> None:
    products = [make_product(f"P{n:03}") for n in range(150)]
    opening = [OpeningLine(p.pk, Decimal(9)) for p in products]
    post_opening_stock(warehouse_id=site.warehouse.pk, lines=opening)
    lines = [SaleLine(p.pk, Decimal(2)) for p in products]
    with django_assert_max_num_queries(20):
        sale = ship_sale(warehouse_id=site.warehouse.pk, lines=lines)
    assert len(sale.movement_ids) == 150


def test_a_move_is_a_move(site: Site) -> None:
    apple = make_product()
    site.receive(apple, 10)
    move_stock(lines=[site.line(apple, 10, "storage", "packing")])
    sneaky = site.line(apple, 1, "packing", "customer", reason=MovementReason.SHIPMENT)
    with pytest.raises(Invalid):
        move_stock(lines=[sneaky])


def test_a_move_does_not_leave_the_house(site: Site) -> None:
    apple = make_product()
    site.receive(apple, 10)
    for start, end in (("storage", "customer"), ("supplier", "storage")):
        with pytest.raises(Invalid):
            move_stock(lines=[site.line(apple, 1, start, end)])


def test_opening_stock_comes_neither_from_loss_nor_from_demand(site: Site) -> None:
    apple = make_product()
    lines = [OpeningLine(apple.pk, Decimal(5), unit_cost=Decimal("1.10"))]
    [movement_id] = post_opening_stock(warehouse_id=site.warehouse.pk, lines=lines)
    movement = StockMovement.objects.get(pk=movement_id)
    assert (movement.from_location.kind, movement.reason) == ("supplier", MovementReason.OPENING)
    assert not DailyDemand.objects.exists()


def test_a_product_without_a_cost_takes_that_of_its_opening_stock(site: Site) -> None:
    new, known = make_product("NEW"), make_product("KNOWN", unit_cost=Decimal(3))
    lines = [
        OpeningLine(product.pk, Decimal(5), unit_cost=Decimal("1.25")) for product in (new, known)
    ]
    post_opening_stock(warehouse_id=site.warehouse.pk, lines=lines)
    new.refresh_from_db()
    known.refresh_from_db()
    assert (new.unit_cost, known.unit_cost) == (Decimal("1.25"), Decimal(3))
