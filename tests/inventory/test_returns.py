"""Returns from customers: expected once, received into quarantine, worth what they were."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from inventory.models import (
    CustomerReturn,
    CustomerReturnLine,
    CustomerReturnState,
    DailyDemand,
    InventorySettings,
    Lot,
    MovementReason,
    Product,
    ReturnOutcome,
    ShipmentLine,
    StockMovement,
    StockValue,
    ValueEntry,
)
from inventory.queries.integrity import check_book
from inventory.services.ledger import SerialNotSingle
from inventory.services.returns import (
    BlindLine,
    ExpectedLine,
    InspectedGoods,
    MoreThanExpected,
    MoreThanShipped,
    NotInspected,
    ReturnedGoods,
    WrongReturnState,
    add_return_lines,
    cancel_return,
    close_return,
    expect_blind_return,
    expect_return,
    inspect_return,
    receive_return,
)
from tenancy.errors import Invalid, NotFound, StaleVersion
from tenancy.models import AuditEvent
from tenancy.permissions import PermissionRefused
from tests.cast import House
from tests.inventory.book import make_lot, make_product, make_site, on_hand
from tests.inventory.returns_world import (
    Counter,
    fresh,
    line_of,
    make_counter,
    outcomes,
    returned,
)

HUGE = "1e400"


@pytest.fixture
def counter(in_north: House) -> Counter:
    return make_counter()


def blind(counter: Counter, product: Product, quantity: Any, **more: Any) -> CustomerReturn:
    line = BlindLine(product.pk, Decimal(str(quantity)), **more)
    return expect_blind_return(warehouse_id=counter.floor.site.warehouse.pk, lines=[line])


# -- expected -------------------------------------------------------------------------------------
def test_goods_of_a_shipment_are_expected_back_with_their_lot(counter: Counter) -> None:
    milk = make_product("MILK", lot_tracking="lot")
    lot = make_lot(milk, "L-1")
    shipment = counter.shipped(milk, 5, lot)
    back = counter.expected(shipment, 2, reason="too much")
    assert (back.number, back.state) == ("CR-000001", CustomerReturnState.EXPECTED)
    assert back.sales_order_id == shipment.sales_order_id
    assert (line_of(back).lot_id, line_of(back).quantity) == (lot.pk, 2)
    assert returned(shipment) == 2
    assert StockMovement.objects.filter(document_kind="CustomerReturn").count() == 0
    assert check_book() == []


def test_no_more_is_expected_back_than_was_shipped(counter: Counter) -> None:
    shipment = counter.shipped(make_product(), 5)
    counter.expected(shipment, 3)
    with pytest.raises(MoreThanShipped, match="3 to come back, but 3 of 5 shipped") as refused:
        counter.expected(shipment, 3)
    [told] = refused.value.data["lines"]
    assert (told["shipped"], told["returned"], told["returning"]) == ("5", "3", "3")
    assert (returned(shipment), CustomerReturn.objects.count()) == (3, 1)
    counter.expected(shipment, 2)
    assert returned(shipment) == 5


def test_lines_of_other_orders_are_not_found_and_none_is_named_twice(counter: Counter) -> None:
    first, second = counter.shipped(make_product(), 5), counter.shipped(make_product("PEAR"), 5)
    line = ShipmentLine.objects.get(shipment=second)
    with pytest.raises(NotFound, match="shipment line"):
        expect_return(
            sales_order_id=first.sales_order_id, lines=[ExpectedLine(line.pk, Decimal(1))]
        )
    part = ExpectedLine(line.pk, Decimal(1))
    with pytest.raises(Invalid, match="named twice"):
        expect_return(sales_order_id=second.sales_order_id, lines=[part, part])
    with pytest.raises(Invalid, match="Say what comes back"):
        expect_return(sales_order_id=second.sales_order_id, lines=[])
    assert (returned(first), returned(second)) == (0, 0)


@pytest.mark.parametrize("quantity", ["0", "-1", "0.5", HUGE, "NaN"])
def test_a_wrong_quantity_is_refused_at_its_line(counter: Counter, quantity: str) -> None:
    apple = make_product()
    shipment = counter.shipped(apple, 5)
    back = counter.expected(shipment, 2)
    for wrong in (
        lambda: counter.expected(shipment, quantity),
        lambda: blind(counter, apple, quantity),
        lambda: counter.take(back, quantity),
    ):
        with pytest.raises(Invalid) as refused:
            wrong()
        assert [(p.field, p.line) for p in refused.value.problems] == [("quantity", 0)]
    assert (returned(shipment), on_hand(apple)) == (2, 0)


def test_a_return_nobody_expects_names_product_and_customer_if_known(counter: Counter) -> None:
    apple = make_product()
    back = blind(counter, apple, 2)
    assert (back.sales_order_id, back.customer_id) == (None, None)
    counter.take(back, 2)
    assert on_hand(apple, counter.at("quarantine")) == 2
    assert check_book() == []


def test_rows_of_another_tenant_answer_like_missing_ones(north: House, south: House) -> None:
    with south.scope():
        theirs = make_counter()
        shipment = theirs.shipped(make_product(), 5)
        back = theirs.expected(shipment, 2)
        line, product = line_of(back), Product.objects.get()
    with north.scope():
        site, apple = make_site(), make_product()
        part = ReturnedGoods(line.pk, Decimal(1))
        with pytest.raises(NotFound, match="sales order"):
            expect_return(
                sales_order_id=shipment.sales_order_id, lines=[ExpectedLine(1, Decimal(1))]
            )
        for use in (
            lambda: receive_return(customer_return_id=back.pk, goods=[part]),
            lambda: cancel_return(customer_return_id=back.pk),
            lambda: close_return(customer_return_id=back.pk),
            lambda: expect_blind_return(
                warehouse_id=site.warehouse.pk, lines=[BlindLine(product.pk, Decimal(1))]
            ),
            lambda: expect_blind_return(
                warehouse_id=theirs.floor.site.warehouse.pk, lines=[BlindLine(apple.pk, Decimal(1))]
            ),
            lambda: expect_blind_return(
                warehouse_id=site.warehouse.pk,
                customer_id=2**63,
                lines=[BlindLine(apple.pk, Decimal(1))],
            ),
        ):
            with pytest.raises(NotFound):
                use()


def test_a_viewer_neither_expects_nor_receives(north: House) -> None:
    with north.scope():
        counter = make_counter()
        shipment = counter.shipped(make_product(), 5)
        back = counter.expected(shipment, 2)
    with north.scope("viewer"):
        for work in (lambda: counter.expected(shipment, 1), lambda: counter.take(back, 1)):
            with pytest.raises(PermissionRefused):
                work()
    with north.scope("operator"):
        counter.take(back, 1)
        assert line_of(back).quantity_received == 1


def test_a_cancelled_return_leaves_its_goods_to_another(counter: Counter) -> None:
    shipment = counter.shipped(make_product(), 5)
    back = counter.expected(shipment, 5)
    with pytest.raises(StaleVersion):
        cancel_return(customer_return_id=back.pk, version=7)
    cancel_return(customer_return_id=back.pk, version=1, reason="keeps it")
    assert (fresh(back).state, returned(shipment)) == (CustomerReturnState.CANCELLED, 0)
    assert AuditEvent.objects.get(action="return.cancelled").data["reason"] == "keeps it"
    with pytest.raises(WrongReturnState, match="is Cancelled"):
        counter.take(back, 1)
    came = counter.received(shipment, 2)
    with pytest.raises(WrongReturnState, match="is Received"):
        cancel_return(customer_return_id=came.pk)
    assert check_book() == []


# -- received -------------------------------------------------------------------------------------
def test_goods_come_back_into_quarantine_in_parts(counter: Counter) -> None:
    apple = make_product()
    shipment = counter.shipped(apple, 5)
    back = counter.expected(shipment, 3)
    counter.take(back, 1)
    assert fresh(back).state == CustomerReturnState.RECEIVED
    first = fresh(back).received_at
    counter.take(back, 2)
    assert fresh(back).received_at == first
    assert (line_of(back).quantity_received, on_hand(apple)) == (3, 3)
    assert on_hand(apple, counter.at("quarantine")) == 3
    move = StockMovement.objects.filter(document_kind="CustomerReturn").first()
    assert move is not None
    assert (move.document_id, move.reason) == (back.pk, MovementReason.CUSTOMER_RETURN)
    assert check_book() == []


def test_no_more_comes_back_than_is_expected_but_it_may_be_added(counter: Counter) -> None:
    apple = make_product()
    back = counter.expected(counter.shipped(apple, 5), 2)
    with pytest.raises(MoreThanExpected, match="3 coming back, but 0 of 2 expected"):
        counter.take(back, 3)
    assert on_hand(apple) == 0
    with pytest.raises(StaleVersion):
        add_return_lines(
            customer_return_id=back.pk, lines=[BlindLine(apple.pk, Decimal(1))], version=9
        )
    add_return_lines(customer_return_id=back.pk, lines=[BlindLine(apple.pk, Decimal(1))])
    goods = [ReturnedGoods(line.pk, line.quantity) for line in back.lines.all()]
    receive_return(customer_return_id=back.pk, goods=goods)
    assert on_hand(apple, counter.at("quarantine")) == 3
    assert check_book() == []


@pytest.mark.parametrize("method", ["moving_average", "fifo"])
def test_what_comes_back_is_worth_what_it_was_when_it_left(counter: Counter, method: str) -> None:
    """Two at 4 leave; the usual cost is 9 by then; one comes back at 4, not at 9."""
    InventorySettings.objects.create(valuation_method=method)
    apple = make_product(unit_cost=Decimal(4))
    shipment = counter.shipped(apple, 2)
    Product.objects.filter(pk=apple.pk).update(unit_cost=Decimal(9))
    counter.received(shipment, 1)
    value = StockValue.objects.get(product=apple)
    assert (value.quantity, value.value) == (1, 4)
    entry = ValueEntry.objects.order_by("-id")[0]
    assert (entry.value_change, entry.is_estimated) == (4, False)


def test_of_unknown_origin_it_is_worth_the_usual_cost(counter: Counter) -> None:
    apple = make_product(unit_cost=Decimal(9))
    counter.take(blind(counter, apple, 2), 2)
    assert StockValue.objects.get(product=apple).value == 18


def test_the_lot_is_the_one_shipped_and_no_other(counter: Counter) -> None:
    milk = make_product("MILK", lot_tracking="lot")
    lot = make_lot(milk, "L-1")
    back = counter.expected(counter.shipped(milk, 5, lot), 3)
    with pytest.raises(Invalid, match="Lot L-1 is expected here"):
        counter.take(back, 1, lot_code="L-2")
    counter.take(back, 1, lot_code="L-1")
    counter.take(back, 1)
    moves = StockMovement.objects.filter(document_kind="CustomerReturn")
    assert {move.lot_id for move in moves} == {lot.pk}
    assert Lot.objects.count() == 1


def test_a_lot_is_asked_for_where_it_is_not_known(counter: Counter) -> None:
    milk = make_product("MILK", lot_tracking="lot")
    back = blind(counter, milk, 3)
    with pytest.raises(Invalid, match="Enter the lot"):
        counter.take(back, 1)
    counter.take(back, 1, lot_code="L-7", expires_on=date(2099, 1, 1))
    assert line_of(back).lot is not None
    assert line_of(back).lot.expires_on == date(2099, 1, 1)
    with pytest.raises(Invalid, match="Lot L-7 is expected here"):
        counter.take(back, 1, lot_code="L-8")
    line = line_of(back)
    two = blind(counter, milk, 3)
    with pytest.raises(Invalid, match="A line is of one lot"):
        receive_return(
            customer_return_id=two.pk,
            goods=[ReturnedGoods(line_of(two).pk, Decimal(1), code) for code in ("A", "B")],
        )
    assert line.quantity_received == 1
    apple = blind(counter, make_product(), 1)
    with pytest.raises(Invalid, match="not tracked by lot"):
        counter.take(apple, 1, lot_code="L-1")


def test_a_serial_number_that_is_in_stock_does_not_come_back(counter: Counter) -> None:
    laptop = make_product("LAPTOP", lot_tracking="serial")
    serial = make_lot(laptop, "SN-1")
    shipment = counter.shipped(laptop, 1, serial)
    counter.received(shipment, 1)
    again = blind(counter, laptop, 1)
    with pytest.raises(SerialNotSingle):
        counter.take(again, 1, lot_code="SN-1")
    assert on_hand(laptop) == 1


def test_goods_do_not_come_back_before_they_were_shipped(counter: Counter) -> None:
    apple = make_product()
    back = counter.expected(counter.shipped(apple, 5), 3)
    part = ReturnedGoods(line_of(back).pk, Decimal(1))
    for moment, words in (
        (timezone.now() - timedelta(days=1), "before they were shipped"),
        (timezone.now() + timedelta(hours=1), "future"),
    ):
        with pytest.raises(Invalid, match=words):
            receive_return(customer_return_id=back.pk, goods=[part], received_at=moment)
    assert on_hand(apple) == 0


def test_a_return_changes_no_demand(counter: Counter) -> None:
    apple = make_product()
    shipment = counter.shipped(apple, 5)
    warehouse = counter.floor.site.warehouse
    day = date(2026, 11, 2)
    DailyDemand.objects.create(product=apple, warehouse=warehouse, business_day=day, quantity=5)
    back = counter.received(shipment, 5)
    counter.inspect(back, ("restock", 5))
    [demand] = DailyDemand.objects.filter(product=apple)
    assert (demand.business_day, demand.quantity) == (day, 5)


# -- closed ---------------------------------------------------------------------------------------
def test_what_never_came_is_left_to_another_return(counter: Counter) -> None:
    apple, pear = make_product(), make_product("PEAR")
    shipment = counter.shipped(apple, 5)
    back = counter.expected(shipment, 5)
    add_return_lines(customer_return_id=back.pk, lines=[BlindLine(pear.pk, Decimal(1))])
    line = CustomerReturnLine.objects.get(customer_return=back, product=apple)
    receive_return(customer_return_id=back.pk, goods=[ReturnedGoods(line.pk, Decimal(2))])
    with pytest.raises(NotInspected, match="2 of APPLE are waiting"):
        close_return(customer_return_id=back.pk)
    goods = [InspectedGoods(line.pk, ReturnOutcome.RESTOCK, Decimal(2))]
    inspect_return(customer_return_id=back.pk, goods=goods)
    assert fresh(back).state == CustomerReturnState.RECEIVED  # three more are expected
    close_return(customer_return_id=back.pk, version=fresh(back).version)
    assert fresh(back).state == CustomerReturnState.INSPECTED
    assert (returned(shipment), line_of(back).quantity) == (2, 2)
    assert outcomes(back) == (2, 0, 0, 0)
    told = AuditEvent.objects.get(action="return.closed").data["not_come"]
    assert told == [{"sku": "APPLE", "quantity": "3"}, {"sku": "PEAR", "quantity": "1"}]
    assert check_book() == []


def test_receiving_asks_the_same_number_of_questions_however_many_lines(
    counter: Counter, django_assert_num_queries
) -> None:
    for count, tag in ((2, "A"), (12, "B")):
        products = [make_product(f"{tag}-{n}", lot_tracking="lot") for n in range(count)]
        back = expect_blind_return(
            warehouse_id=counter.floor.site.warehouse.pk,
            lines=[BlindLine(product.pk, Decimal(2)) for product in products],
        )
        lines = back.lines.values_list("pk", flat=True)
        goods = [ReturnedGoods(pk, Decimal(2), f"L-{tag}-{n}") for n, pk in enumerate(lines)]
        with django_assert_num_queries(RECEIVE_STATEMENTS):
            receive_return(customer_return_id=back.pk, goods=goods)


# savepoint, return, lines, lots: products, created, found; received, two places; the ledger:
# products, locations, lots, savepoint, movements, values (four), balances ensured, locked, changed,
# end; standing, claim, return, event, end of the savepoint
RECEIVE_STATEMENTS = 26
