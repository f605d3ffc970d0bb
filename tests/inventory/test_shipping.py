"""Shipping: goods leave once, all of them accounted for, and never from a bad lot."""

from __future__ import annotations

import pytest

from inventory.models import (
    Allocation,
    LotTracking,
    MovementReason,
    Package,
    PickTask,
    SalesOrder,
    Shipment,
    ShipmentLine,
    StockMovement,
    WorkClaim,
    WorkKind,
)
from inventory.queries.integrity import check_book
from inventory.queries.shipping import (
    get_shipment,
    late_orders,
    orders_to_ship,
    search_shipments,
    shipment_totals,
)
from inventory.services.order_states import WrongSalesOrderState
from inventory.services.packing import (
    PackageMeasures,
    PackItem,
    close_package,
    open_package,
    pack,
    pack_rest,
)
from inventory.services.packing_errors import PackageNotClosed
from inventory.services.picking import pick, undo_pick
from inventory.services.picking_errors import AlreadyPacked
from inventory.services.shipping import ShipmentFields, ship_order
from inventory.services.shipping_errors import (
    EmptyShipment,
    LotNotShippable,
    NothingToStage,
    UnpackedGoods,
)
from inventory.services.short_picks import pick_short
from inventory.services.staging import stage_order
from inventory.services.worklists import ClaimedByOther, claim_work
from tenancy.errors import Invalid, NotFound
from tenancy.permissions import PermissionRefused
from tests.cast import House
from tests.inventory.book import make_lot
from tests.inventory.outbound_world import (
    D,
    Floor,
    balance,
    make_floor,
    make_product,
    promises_add_up,
    quantities,
    scan,
    someday,
    statements,
    tasks_of,
)


def boxed(order: SalesOrder, *parts: PackItem) -> Package:
    """Pack these items, or all that is left, into a new package and close it."""
    package = open_package(sales_order_id=order.pk)
    if parts:
        pack(package_id=package.pk, items=parts)
    else:
        pack_rest(package_id=package.pk)
    return close_package(package_id=package.pk, measures=PackageMeasures(weight_kg=D(2)))


def nothing_left() -> bool:
    """Nothing was shipped, and every promise is as it was."""
    moved = StockMovement.objects.filter(reason=MovementReason.SHIPMENT).exists()
    return not moved and not Shipment.objects.exists() and promises_add_up()


# -- a shipment ------------------------------------------------------------------------------------
def test_packed_goods_leave_for_the_customer(floor: Floor) -> None:
    apple = make_product()
    order = floor.ready(apple, 3)
    floor.picked(order)
    package = boxed(order)
    sent = ship_order(
        sales_order_id=order.pk,
        shipment=ShipmentFields("Fast & Far", " 1Z999 ", D("7.50")),
    )
    assert (sent.number, sent.carrier, sent.tracking_number) == ("SH-000001", "Fast & Far", "1Z999")
    assert (sent.transport_cost, sent.shipped_by_label) == (D("7.50"), "owner@north.example")
    assert balance(apple, floor.site.at("packing")) == (0, 0)
    movement = StockMovement.objects.get(reason=MovementReason.SHIPMENT)
    assert (movement.quantity, movement.to_location_id) == (3, floor.site.at("customer"))
    assert (movement.document_kind, movement.document_id) == ("Shipment", sent.pk)
    assert quantities(order) == (0, 0, 3)
    assert Allocation.objects.get().state == "shipped"
    package.refresh_from_db()
    assert (package.state, package.shipment_id) == ("shipped", sent.pk)
    line = ShipmentLine.objects.get()
    assert (line.quantity, line.package_id, line.product_id) == (3, package.pk, apple.pk)
    order.refresh_from_db()
    assert order.state == "shipped"
    assert order.shipped_at is not None
    assert not WorkClaim.objects.exists()
    assert promises_add_up()
    assert check_book() == []
    [one] = get_shipment(sent.pk).lines.all()
    assert one.pk == line.pk
    totals = shipment_totals([sent.pk, 10**9])
    assert (totals[sent.pk].lines, totals[sent.pk].packages, totals[sent.pk].weight_kg) == (1, 1, 2)
    assert totals[10**9].weight_kg is None


def test_what_is_not_picked_stays_owed_and_follows_later(floor: Floor) -> None:
    apple, pear = make_product("APPLE"), make_product("PEAR")
    order = floor.order((apple, 3), (pear, 2))
    floor.stock(apple, 3, "A-1")
    floor.promise(order, apple, 3, "A-1")
    floor.picked(order)
    boxed(order)
    ship_order(sales_order_id=order.pk)
    assert quantities(order, apple) == (0, 0, 3)
    assert quantities(order, pear) == (0, 0, 0)
    order.refresh_from_db()
    assert order.state == "backordered"
    floor.stock(pear, 2, "A-2")
    floor.promise(order, pear, 2, "A-2")
    floor.picked(order)
    boxed(order)
    ship_order(sales_order_id=order.pk)
    order.refresh_from_db()
    assert order.state == "shipped"
    assert Shipment.objects.count() == 2
    assert promises_add_up()


def test_one_of_two_packages_leaves_and_the_other_stays(floor: Floor) -> None:
    apple = make_product()
    order = floor.ready(apple, 5)
    floor.picked(order)
    today = boxed(order, PackItem(apple.pk, D(2)))
    tomorrow = boxed(order)
    ship_order(sales_order_id=order.pk, package_ids=[today.pk])
    assert quantities(order) == (0, 3, 2)
    assert balance(apple, floor.site.at("packing")) == (3, 3)
    assert sorted(Allocation.objects.values_list("state", "quantity", "quantity_packed")) == [
        ("picked", 3, 3),
        ("shipped", 2, 2),
    ]
    assert tomorrow.lines.get().allocation.state == "picked"
    assert promises_add_up()
    order.refresh_from_db()
    assert order.state == "packed"
    ship_order(sales_order_id=order.pk)
    assert quantities(order) == (0, 0, 5)
    assert promises_add_up()
    assert check_book() == []


def test_the_pick_of_what_stayed_behind_can_be_undone(floor: Floor) -> None:
    apple = make_product()
    order = floor.ready(apple, 7)
    wave = floor.wave(order)
    [task] = tasks_of(wave)
    pick_short(wave_id=wave.pk, picks=[scan(task, 5)], reason="not_found")  # 2 are missing
    package = boxed(order, PackItem(apple.pk, D(2)))
    ship_order(sales_order_id=order.pk, package_ids=[package.pk])
    gone, left = tasks_of(wave)
    assert (gone.pk, gone.quantity, gone.quantity_picked, gone.state) == (task.pk, 4, 2, "short")
    assert (left.quantity, left.quantity_picked, left.state) == (3, 3, "picked")
    with pytest.raises(AlreadyPacked):
        undo_pick(wave_id=wave.pk, task_ids=[gone.pk])
    undo_pick(wave_id=wave.pk, task_ids=[left.pk])
    assert quantities(order) == (3, 0, 2)
    assert balance(apple, floor.bin("A-1").pk) == (5, 3)
    assert balance(apple, floor.site.at("packing")) == (0, 0)
    again = PickTask.objects.get(wave=wave, state="open")
    pick(wave_id=wave.pk, picks=[scan(again)])
    ship_order(sales_order_id=order.pk, pack_all=True)
    assert quantities(order) == (0, 0, 5)
    assert promises_add_up()
    assert check_book() == []


def test_all_is_packed_on_the_way_out_when_asked_to(floor: Floor) -> None:
    apple, pear = make_product("APPLE"), make_product("PEAR")
    order = floor.order((apple, 3), (pear, 2))
    for product, quantity, code in ((apple, 3, "A-1"), (pear, 2, "A-2")):
        floor.stock(product, quantity, code)
        floor.promise(order, product, quantity, code)
    floor.picked(order)
    opened, empty = open_package(sales_order_id=order.pk), open_package(sales_order_id=order.pk)
    pack(package_id=opened.pk, items=[PackItem(apple.pk, D(1))])
    sent = ship_order(sales_order_id=order.pk, pack_all=True)
    assert sorted(
        (line.package_id, line.product.sku, int(line.quantity)) for line in sent.lines.all()
    ) == [(opened.pk, "APPLE", 1), (empty.pk, "APPLE", 2), (empty.pk, "PEAR", 2)]
    order.refresh_from_db()
    assert order.state == "shipped"
    assert check_book() == []


def test_goods_of_other_orders_at_the_packing_place_stay_promised(floor: Floor) -> None:
    apple = make_product()
    order, other = floor.ready(apple, 3), floor.ready(apple, 4)
    floor.picked(order, other)
    boxed(order)
    ship_order(sales_order_id=order.pk)
    assert balance(apple, floor.site.at("packing")) == (4, 4)
    assert quantities(other) == (0, 4, 0)
    assert promises_add_up()


def test_the_number_of_statements_does_not_grow_with_the_lines(floor: Floor) -> None:
    def send(lines: int) -> int:
        order = floor.many(lines)
        floor.picked(order)
        boxed(order)
        return statements(lambda: ship_order(sales_order_id=order.pk))

    assert send(2) == send(20)


# -- refused ---------------------------------------------------------------------------------------
def test_an_order_is_shipped_once(floor: Floor) -> None:
    apple = make_product()
    order = floor.ready(apple, 3)
    floor.picked(order, floor.ready(apple, 9))
    boxed(order)
    ship_order(sales_order_id=order.pk)
    with pytest.raises(WrongSalesOrderState):
        ship_order(sales_order_id=order.pk)
    assert Shipment.objects.count() == 1
    assert balance(apple, floor.site.at("packing")) == (9, 9)


def test_an_empty_shipment_is_refused(floor: Floor) -> None:
    order = floor.ready(make_product(), 3)
    for pack_all in (False, True):
        with pytest.raises(EmptyShipment):
            ship_order(sales_order_id=order.pk, pack_all=pack_all)
    with pytest.raises(EmptyShipment):
        ship_order(sales_order_id=order.pk, package_ids=[])
    with pytest.raises(NotFound):
        ship_order(sales_order_id=10**9)
    assert nothing_left()


def test_goods_outside_closed_packages_are_named(floor: Floor) -> None:
    apple, pear = make_product("APPLE"), make_product("PEAR")
    order = floor.order((apple, 3), (pear, 2))
    for product, quantity, code in ((apple, 3, "A-1"), (pear, 2, "A-2")):
        floor.stock(product, quantity, code)
        floor.promise(order, product, quantity, code)
    floor.picked(order)
    boxed(order, PackItem(apple.pk, D(2)))
    opened = open_package(sales_order_id=order.pk)
    pack(package_id=opened.pk, items=[PackItem(pear.pk, D(2))])
    with pytest.raises(UnpackedGoods, match="1 of APPLE") as refused:
        ship_order(sales_order_id=order.pk)
    assert refused.value.data["lines"] == [
        {"sku": "APPLE", "lot": "", "quantity": "1"},
        {"sku": "PEAR", "lot": "", "quantity": "2"},
    ]
    assert nothing_left()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"status": "on_hold"}, "APPLE lot L1 is on hold"),
        ({"status": "recalled"}, "APPLE lot L1 is recalled"),
        ({"expires_on": "2020-01-01"}, "APPLE lot L1 expired on 2020-01-01"),
    ],
)
def test_a_bad_lot_does_not_leave(floor: Floor, change: dict[str, str], words: str) -> None:
    apple = make_product(lot_tracking=LotTracking.LOT)
    lot = make_lot(apple, "L1")
    order = floor.ready(apple, 3, lot=lot)
    floor.picked(order)
    boxed(order)
    for name, value in change.items():
        setattr(lot, name, value)
    lot.save()
    with pytest.raises(LotNotShippable, match=words) as refused:
        ship_order(sales_order_id=order.pk)
    assert refused.value.data["lots"][0]["lot"] == "L1"
    assert nothing_left()
    assert Package.objects.get().state == "closed"


def test_packages_that_are_open_foreign_or_named_twice_do_not_leave(floor: Floor) -> None:
    apple = make_product()
    order, other = floor.ready(apple, 3), floor.ready(apple, 4)
    floor.picked(order, other)
    mine, foreign = boxed(order, PackItem(apple.pk, D(1))), boxed(other)
    opened = open_package(sales_order_id=order.pk)
    for package_ids, refusal in (
        ([opened.pk], PackageNotClosed),
        ([mine.pk, foreign.pk], NotFound),
        ([mine.pk, mine.pk], Invalid),
        ([2**70], NotFound),
    ):
        with pytest.raises(refusal):
            ship_order(sales_order_id=order.pk, package_ids=package_ids)
    assert nothing_left()


@pytest.mark.parametrize(
    ("field", "value"),
    [("carrier", "x" * 81), ("tracking_number", "x" * 81)]
    + [("transport_cost", D(text)) for text in ("-1", "NaN", "1e400", "0.0000001")],
)
def test_impossible_shipment_fields_are_refused(floor: Floor, field: str, value: object) -> None:
    order = floor.ready(make_product(), 3)
    floor.picked(order)
    boxed(order)
    with pytest.raises(Invalid) as refused:
        ship_order(sales_order_id=order.pk, shipment=ShipmentFields(**{field: value}))
    assert [problem.field for problem in refused.value.problems] == [field]
    assert nothing_left()


def test_who_may_not_or_does_not_hold_it_ships_nothing(north: House) -> None:
    with north.scope():
        floor = make_floor()
        order = floor.ready(make_product(), 3)
        floor.picked(order)
        boxed(order)
    with north.scope("viewer"), pytest.raises(PermissionRefused):
        ship_order(sales_order_id=order.pk)
    with north.scope("operator"):
        claim_work(kind=WorkKind.SHIP, subject_id=order.pk)
    with north.scope("planner"):
        with pytest.raises(ClaimedByOther):
            ship_order(sales_order_id=order.pk)
        assert nothing_left()


# -- staging ---------------------------------------------------------------------------------------
def test_packed_goods_are_brought_to_the_shipping_place_and_leave_from_there(floor: Floor) -> None:
    apple = make_product()
    order = floor.ready(apple, 3)
    floor.picked(order)
    with pytest.raises(NothingToStage):
        stage_order(sales_order_id=order.pk)
    boxed(order)
    stage_order(sales_order_id=order.pk)
    assert balance(apple, floor.site.at("packing")) == (0, 0)
    assert balance(apple, floor.site.at("shipping")) == (3, 3)
    assert promises_add_up()
    with pytest.raises(NothingToStage):
        stage_order(sales_order_id=order.pk)
    with pytest.raises(Invalid):
        stage_order(sales_order_id=order.pk, to_location_id=floor.site.at("storage"))
    ship_order(sales_order_id=order.pk)
    assert balance(apple, floor.site.at("shipping")) == (0, 0)
    assert check_book() == []
    with pytest.raises(WrongSalesOrderState):
        stage_order(sales_order_id=order.pk)


# -- the work list ---------------------------------------------------------------------------------
def test_the_list_has_what_is_ready_the_late_ones_first(floor: Floor) -> None:
    calm = floor.ready(make_product("A"), 1, priority=1)
    soon = floor.ready(make_product("B"), 1, "A-2", promised_on=someday(9))
    late = floor.ready(make_product("C"), 1, "A-3", promised_on=someday(1))
    loose = floor.ready(make_product("D"), 1, "A-4")
    floor.picked(calm, soon, late, loose)
    for order in (calm, soon, late):
        boxed(order)
    assert list(orders_to_ship()) == [late, soon, calm]
    assert list(late_orders(orders_to_ship(), someday(2))) == [late]
    assert not orders_to_ship(warehouse_id=10**9).exists()
    sent = ship_order(sales_order_id=late.pk, shipment=ShipmentFields(tracking_number="TR-7"))
    assert list(orders_to_ship()) == [soon, calm]
    for text in (sent.number, late.number, "TR-"):
        assert list(search_shipments(text=text)) == [sent]
    assert not search_shipments(text="XX").exists()
