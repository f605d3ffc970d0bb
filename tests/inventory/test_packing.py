"""Packing: never more than was picked, into open packages only, until it is shipped."""

from __future__ import annotations

import pytest

from inventory.models import Allocation, LotTracking, Package, PackageLine, WorkClaim, WorkKind
from inventory.queries.packing import orders_to_pack, packing_lines, packing_totals
from inventory.services.order_states import WrongSalesOrderState
from inventory.services.packing import (
    PackageMeasures,
    PackItem,
    close_package,
    discard_package,
    open_package,
    pack,
    pack_rest,
    reopen_package,
    unpack,
)
from inventory.services.packing_errors import (
    NothingToPack,
    NotInPackage,
    NotPicked,
    PackageEmpty,
    PackageNotClosed,
    PackageNotOpen,
)
from inventory.services.shipping import ship_order
from inventory.services.worklists import ClaimedByOther, claim_work
from tenancy.errors import Invalid, NotFound
from tenancy.permissions import PermissionRefused
from tests.cast import House
from tests.inventory.book import make_lot
from tests.inventory.outbound_world import (
    D,
    Floor,
    make_floor,
    make_product,
    scan,
    someday,
    statements,
    tasks_of,
)


def packed(package: Package) -> dict[str, int]:
    rows = PackageLine.objects.filter(package=package).select_related("allocation__product")
    found: dict[str, int] = {}
    for row in rows:
        sku = row.allocation.product.sku
        found[sku] = found.get(sku, 0) + int(row.quantity)
    return found


# -- in and out ------------------------------------------------------------------------------------
def test_picked_goods_go_into_a_package_that_is_closed_with_weight_and_size(floor: Floor) -> None:
    apple = make_product()
    order = floor.ready(apple, 3)
    floor.picked(order)
    package = open_package(sales_order_id=order.pk)
    assert (package.number, package.state) == ("PK-000001", "open")
    pack(package_id=package.pk, items=[PackItem(apple.pk, D(2))])
    pack(package_id=package.pk, items=[PackItem(apple.pk, D(1))])
    assert packed(package) == {"APPLE": 3}
    assert PackageLine.objects.count() == 1
    assert Allocation.objects.get().quantity_packed == 3
    order.refresh_from_db()
    assert order.state == "picking"  # the package is open
    closed = close_package(
        package_id=package.pk, measures=PackageMeasures(D("4.5"), D(30), D(20), D(10))
    )
    assert (closed.state, closed.weight_kg, closed.height_cm) == ("closed", D("4.5"), 10)
    assert closed.packed_by_label == "owner@north.example"
    assert closed.closed_at is not None
    order.refresh_from_db()
    assert order.state == "packed"
    assert not WorkClaim.objects.filter(kind=WorkKind.PACK).exists()


def test_an_order_goes_into_several_packages(floor: Floor) -> None:
    apple = make_product()
    order = floor.ready(apple, 5)
    floor.picked(order)
    first, second = open_package(sales_order_id=order.pk), open_package(sales_order_id=order.pk)
    pack(package_id=first.pk, items=[PackItem(apple.pk, D(2))])
    pack_rest(package_id=second.pk)
    assert (packed(first), packed(second)) == ({"APPLE": 2}, {"APPLE": 3})
    [line] = packing_lines(order.pk)
    assert (line.picked, line.packed, line.left) == (5, 5, 0)
    totals = packing_totals([order.pk])[order.pk]
    assert (totals.goods_left, totals.open, totals.closed) == (0, 2, 0)


def test_goods_taken_out_wait_to_be_packed_again(floor: Floor) -> None:
    apple = make_product()
    order = floor.ready(apple, 5)
    floor.picked(order)
    package = open_package(sales_order_id=order.pk)
    pack_rest(package_id=package.pk)
    unpack(package_id=package.pk, items=[PackItem(apple.pk, D(2))])
    assert packed(package) == {"APPLE": 3}
    assert Allocation.objects.get().quantity_packed == 3
    unpack(package_id=package.pk, items=[PackItem(apple.pk, D(3))])
    assert PackageLine.objects.count() == 0
    assert Allocation.objects.get().quantity_packed == 0


def test_goods_of_several_picks_are_packed_as_one(floor: Floor) -> None:
    """Two bins gave two allocations; who packs sees apples."""
    apple = make_product()
    floor.stock(apple, 2, "A-1")
    floor.stock(apple, 4, "A-2")
    order = floor.order((apple, 6))
    floor.promise(order, apple, 2, "A-1")
    floor.promise(order, apple, 4, "A-2")
    floor.picked(order)
    package = open_package(sales_order_id=order.pk)
    pack(package_id=package.pk, items=[PackItem(apple.pk, D(5))])
    assert sorted(Allocation.objects.values_list("quantity_packed", flat=True)) == [2, 3]
    assert packed(package) == {"APPLE": 5}


def test_a_package_opened_again_can_be_changed_and_a_discarded_one_gives_all_back(
    floor: Floor,
) -> None:
    apple = make_product()
    order = floor.ready(apple, 3)
    floor.picked(order)
    package = open_package(sales_order_id=order.pk)
    pack_rest(package_id=package.pk)
    close_package(package_id=package.pk)
    reopened = reopen_package(package_id=package.pk)
    assert (reopened.state, reopened.closed_at) == ("open", None)
    order.refresh_from_db()
    assert order.state == "picking"
    discard_package(package_id=package.pk)
    assert not Package.objects.exists()
    assert Allocation.objects.get().quantity_packed == 0


def test_the_number_of_statements_does_not_grow_with_the_lines(floor: Floor) -> None:
    def work(lines: int) -> int:
        order = floor.many(lines)
        floor.picked(order)
        package = open_package(sales_order_id=order.pk)
        items = [PackItem(line.product_id, D(1)) for line in order.lines.all()]
        count = statements(lambda: pack(package_id=package.pk, items=items))
        count += statements(lambda: unpack(package_id=package.pk, items=items))
        count += statements(lambda: pack_rest(package_id=package.pk))
        return count + statements(lambda: close_package(package_id=package.pk))

    assert work(2) == work(15)


# -- refused ---------------------------------------------------------------------------------------
def test_more_than_was_picked_is_refused_with_the_numbers(floor: Floor) -> None:
    apple = make_product(lot_tracking=LotTracking.LOT)
    lot = make_lot(apple, "L1")
    order = floor.ready(apple, 3, lot=lot)
    floor.picked(order)
    package = open_package(sales_order_id=order.pk)
    pack(package_id=package.pk, items=[PackItem(apple.pk, D(1), lot.pk)])
    items = [PackItem(apple.pk, D(2), lot.pk), PackItem(apple.pk, D(1), lot.pk)]
    with pytest.raises(NotPicked, match="APPLE: 3 to pack, but 2 picked and not packed") as refused:
        pack(package_id=package.pk, items=items)
    assert refused.value.data["items"] == [
        {"sku": "APPLE", "lot": "L1", "asked": "3", "possible": "2"}
    ]
    assert packed(package) == {"APPLE": 1}


def test_goods_of_another_order_do_not_go_in(floor: Floor) -> None:
    apple, pear = make_product("APPLE"), make_product("PEAR")
    order, other = floor.ready(apple, 3), floor.ready(pear, 3, "A-2")
    floor.picked(order, other)
    package = open_package(sales_order_id=order.pk)
    with pytest.raises(NotPicked, match="PEAR: 1 to pack, but 0"):
        pack(package_id=package.pk, items=[PackItem(pear.pk, D(1))])
    assert packed(package) == {}


@pytest.mark.parametrize(
    ("quantity", "code"),
    [
        *(("0", "not_positive"), ("-1", "not_positive"), ("0.5", "not_whole")),
        *(("NaN", "not_a_number"), ("1e400", "too_large")),
    ],
)
def test_impossible_quantities_are_refused(floor: Floor, quantity: str, code: str) -> None:
    apple = make_product()
    order = floor.ready(apple, 3)
    floor.picked(order)
    package = open_package(sales_order_id=order.pk)
    for call in (pack, unpack):
        with pytest.raises(Invalid) as refused:
            call(package_id=package.pk, items=[PackItem(apple.pk, D(quantity))])
        assert [problem.code for problem in refused.value.problems] == [code]
    assert packed(package) == {}


def test_lots_and_products_are_named_rightly(floor: Floor) -> None:
    apple = make_product(lot_tracking=LotTracking.LOT)
    lot, pear = make_lot(apple, "L1"), make_product("PEAR", lot_tracking=LotTracking.LOT)
    foreign = make_lot(pear, "P1")
    order = floor.ready(apple, 3, lot=lot)
    floor.picked(order)
    package = open_package(sales_order_id=order.pk)
    with pytest.raises(Invalid, match="name the lot"):
        pack(package_id=package.pk, items=[PackItem(apple.pk, D(1))])
    with pytest.raises(NotFound):
        pack(package_id=package.pk, items=[PackItem(apple.pk, D(1), foreign.pk)])
    with pytest.raises(NotFound):
        pack(package_id=package.pk, items=[PackItem(10**9, D(1))])
    with pytest.raises(Invalid):
        pack(package_id=package.pk, items=[])
    assert packed(package) == {}


def test_more_than_is_in_the_package_is_not_taken_out(floor: Floor) -> None:
    apple = make_product()
    order = floor.ready(apple, 3)
    floor.picked(order)
    package = open_package(sales_order_id=order.pk)
    pack(package_id=package.pk, items=[PackItem(apple.pk, D(1))])
    with pytest.raises(NotInPackage, match="APPLE: 2 to take out, but 1 in the package"):
        unpack(package_id=package.pk, items=[PackItem(apple.pk, D(2))])
    assert packed(package) == {"APPLE": 1}


def test_a_closed_package_is_not_changed_and_an_empty_one_not_closed(floor: Floor) -> None:
    apple = make_product()
    order = floor.ready(apple, 3)
    floor.picked(order)
    package = open_package(sales_order_id=order.pk)
    with pytest.raises(PackageEmpty):
        close_package(package_id=package.pk)
    with pytest.raises(PackageNotClosed):
        reopen_package(package_id=package.pk)
    pack(package_id=package.pk, items=[PackItem(apple.pk, D(1))])
    close_package(package_id=package.pk)
    item = [PackItem(apple.pk, D(1))]
    for call in (
        lambda: pack(package_id=package.pk, items=item),
        lambda: unpack(package_id=package.pk, items=item),
        lambda: pack_rest(package_id=package.pk),
        lambda: close_package(package_id=package.pk),
        lambda: discard_package(package_id=package.pk),
    ):
        with pytest.raises(PackageNotOpen, match="PK-000001 is closed"):
            call()
    assert packed(package) == {"APPLE": 1}


def test_a_package_that_has_left_is_not_opened(floor: Floor) -> None:
    order = floor.ready(make_product(), 3)
    floor.picked(order)
    ship_order(sales_order_id=order.pk, pack_all=True)
    package = Package.objects.get()
    with pytest.raises(PackageNotClosed, match="has left already"):
        reopen_package(package_id=package.pk)
    with pytest.raises(PackageNotOpen, match="has left already"):
        pack_rest(package_id=package.pk)
    with pytest.raises(WrongSalesOrderState):
        open_package(sales_order_id=order.pk)


@pytest.mark.parametrize("field", ["weight_kg", "length_cm", "width_cm", "height_cm"])
@pytest.mark.parametrize("value", ["0", "-1", "NaN", "1e400", "0.0000001"])
def test_impossible_measures_are_refused(floor: Floor, field: str, value: str) -> None:
    order = floor.ready(make_product(), 3)
    floor.picked(order)
    package = open_package(sales_order_id=order.pk)
    pack_rest(package_id=package.pk)
    with pytest.raises(Invalid) as refused:
        close_package(package_id=package.pk, measures=PackageMeasures(**{field: D(value)}))
    assert [problem.field for problem in refused.value.problems] == [field]
    package.refresh_from_db()
    assert package.state == "open"


def test_no_package_is_opened_for_nothing(floor: Floor) -> None:
    order = floor.ready(make_product(), 3)
    with pytest.raises(NothingToPack):
        open_package(sales_order_id=order.pk)
    floor.picked(order)
    package = open_package(sales_order_id=order.pk)
    pack_rest(package_id=package.pk)
    with pytest.raises(NothingToPack):
        pack_rest(package_id=package.pk)
    with pytest.raises(NotFound):
        open_package(sales_order_id=10**9)
    assert Package.objects.count() == 1


def test_an_order_is_packed_by_the_one_who_has_taken_it(north: House) -> None:
    with north.scope():
        floor = make_floor()
        order = floor.ready(make_product(), 3)
        floor.picked(order)
    with north.scope("operator"):
        claim_work(kind=WorkKind.PACK, subject_id=order.pk)
    with north.scope("planner"), pytest.raises(ClaimedByOther):
        open_package(sales_order_id=order.pk)
    with north.scope("viewer"), pytest.raises(PermissionRefused):
        open_package(sales_order_id=order.pk)
    with north.scope("operator"):
        assert pack_rest(package_id=open_package(sales_order_id=order.pk).pk).state == "open"


# -- the work list ---------------------------------------------------------------------------------
def test_the_list_has_what_waits_the_most_urgent_first(floor: Floor) -> None:
    late = floor.ready(make_product("A"), 1, promised_on=someday(9))
    soon = floor.ready(make_product("B"), 1, "A-2", promised_on=someday(3))
    first = floor.ready(make_product("C"), 1, "A-3", priority=1)
    waiting = floor.ready(make_product("D"), 1, "A-4")
    floor.picked(late, soon, first)
    assert list(orders_to_pack()) == [first, soon, late]
    assert list(orders_to_pack(text=soon.number)) == [soon]
    assert not orders_to_pack(warehouse_id=10**9).exists()
    wave = floor.wave(waiting)
    assert scan(tasks_of(wave)[0]).task_id  # released, not picked: not on the list
    package = open_package(sales_order_id=first.pk)
    pack_rest(package_id=package.pk)
    assert list(orders_to_pack()) == [first, soon, late]  # its package is still open
    close_package(package_id=package.pk)
    assert list(orders_to_pack()) == [soon, late]
