"""Returns to suppliers: from any place inside, once, and the supplier's record shows them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from inventory.models import (
    MovementReason,
    Product,
    StockMovement,
    StockValue,
    Supplier,
    SupplierReturn,
    SupplierReturnLine,
    SupplierReturnState,
)
from inventory.queries.integrity import check_book
from inventory.services.ledger import (
    CorrectTheDocument,
    InsufficientStock,
    post_movements,
    reverse_movement,
)
from inventory.services.lots import set_lot_status
from inventory.services.purchasing import OrderLine, create_draft_order
from inventory.services.supplier_returns import (
    ReturningLine,
    SupplierReturnFields,
    SupplierReturnHasNoLines,
    WrongSupplierReturnState,
    add_supplier_return_lines,
    call_back_supplier_return,
    cancel_supplier_return,
    close_supplier_return,
    create_supplier_return,
    remove_supplier_return_line,
    send_supplier_return,
)
from tenancy.errors import Invalid, NotFound, StaleVersion
from tenancy.permissions import PermissionRefused
from tests.cast import House
from tests.inventory.book import Site, make_lot, make_product, make_site, on_hand
from tests.inventory.returns_world import line_of, make_counter, outcomes, supplied_by
from tests.inventory.shifting import make_pair


def going(
    site: Site, product: Product, quantity: Any, place: str = "storage", **more: Any
) -> ReturningLine:
    return ReturningLine(product.pk, site.at(place), Decimal(str(quantity)), **more)


def draft(site: Site, supplier: Supplier, *lines: ReturningLine, **fields: Any) -> SupplierReturn:
    return create_supplier_return(
        supplier_id=supplier.pk,
        warehouse_id=site.warehouse.pk,
        fields=SupplierReturnFields(**fields),
        lines=lines,
    )


def fresh(back: SupplierReturn) -> SupplierReturn:
    return SupplierReturn.objects.get(pk=back.pk)


def test_goods_leave_from_wherever_they_lie(site: Site) -> None:
    apple = make_product()
    supplier = supplied_by("SAM", apple)
    site.receive(apple, 10)
    for place in ("damaged", "quarantine"):
        post_movements(lines=[site.line(apple, 2, "storage", place)])
    lines = [going(site, apple, 1, place) for place in ("storage", "damaged", "quarantine")]
    back = draft(site, supplier, *lines, reference="RMA-1", reason="bruised")
    assert (back.number, back.state) == ("SR-000001", SupplierReturnState.DRAFT)
    assert on_hand(apple) == 10
    sent = send_supplier_return(supplier_return_id=back.pk, version=1)
    assert (sent.state, sent.sent_at is not None) == (SupplierReturnState.SENT, True)
    assert on_hand(apple) == 7
    moves = StockMovement.objects.filter(reason=MovementReason.SUPPLIER_RETURN)
    assert {(m.document_kind, m.document_id) for m in moves} == {("SupplierReturn", back.pk)}
    assert check_book() == []


def test_they_leave_at_what_they_are_worth(site: Site) -> None:
    apple = make_product()
    site.receive(apple, 10, unit_cost=Decimal(3))
    back = draft(site, supplied_by("SAM", apple), going(site, apple, 4))
    send_supplier_return(supplier_return_id=back.pk)
    assert StockValue.objects.get(product=apple).value == 18


def test_a_line_says_what_was_paid(site: Site) -> None:
    apple = make_product()
    supplier = supplied_by("SAM", apple)
    order = create_draft_order(
        supplier_id=supplier.pk,
        warehouse_id=site.warehouse.pk,
        lines=[OrderLine(apple.pk, Decimal(9), Decimal(2))],
    )
    plain = draft(
        site, supplier, going(site, apple, 1), going(site, apple, 1, unit_cost=Decimal(7))
    )
    ordered = draft(site, supplier, going(site, apple, 1), purchase_order_id=order.pk)
    costs = SupplierReturnLine.objects.order_by("id").values_list("unit_cost", flat=True)
    assert list(costs) == [Decimal("2.5"), 7, 2]
    assert plain.purchase_order_id is None
    assert ordered.purchase_order_id == order.pk
    other = supplied_by("EVE")
    with pytest.raises(Invalid, match="is of another supplier"):
        draft(site, other, purchase_order_id=order.pk)


@pytest.mark.parametrize("quantity", ["0", "-1", "0.5", "1e400", "NaN"])
def test_a_wrong_line_is_refused(site: Site, quantity: str) -> None:
    apple, milk = make_product(), make_product("MILK", lot_tracking="lot")
    supplier = supplied_by("SAM", apple)
    wrong = [
        going(site, apple, quantity),
        going(site, milk, 1),
        going(site, apple, 1, "loss"),
        going(site, apple, 1, "in_transit"),
        going(site, apple, 1, unit_cost=Decimal("-1")),
    ]
    with pytest.raises(Invalid) as refused:
        draft(site, supplier, *wrong)
    assert [(p.field, p.line) for p in refused.value.problems] == [
        ("quantity", 0),
        ("lot_id", 1),
        ("location_id", 2),
        ("location_id", 3),
        ("unit_cost", 4),
    ]
    assert SupplierReturn.objects.count() == 0


def test_places_lots_and_lines_of_others_are_not_found(site: Site) -> None:
    apple, milk = make_product(), make_product("MILK", lot_tracking="lot")
    supplier, other = supplied_by("SAM", apple), make_site("OTHER")
    for line in (
        going(other, apple, 1),
        going(site, milk, 1, lot_id=2**60),
        ReturningLine(2**60, site.at("storage"), Decimal(1)),
    ):
        with pytest.raises(NotFound):
            draft(site, supplier, line)
    lot = make_lot(make_product("WINE", lot_tracking="lot"))
    with pytest.raises(NotFound, match="lot"):
        draft(site, supplier, going(site, milk, 1, lot_id=lot.pk))
    mine, second = (draft(site, supplier, going(site, apple, 1)) for _ in range(2))
    with pytest.raises(NotFound):
        remove_supplier_return_line(
            supplier_return_id=mine.pk, supplier_return_line_id=second.lines.get().pk
        )


def test_another_tenants_return_answers_like_a_missing_one(north: House, south: House) -> None:
    with south.scope():
        site, apple = make_site(), make_product()
        back = draft(site, supplied_by("SAM", apple), going(site, apple, 1))
    with north.scope():
        for use in (
            lambda: send_supplier_return(supplier_return_id=back.pk),
            lambda: close_supplier_return(supplier_return_id=back.pk),
            lambda: cancel_supplier_return(supplier_return_id=back.pk),
            lambda: call_back_supplier_return(supplier_return_id=back.pk, reason="x"),
            lambda: add_supplier_return_lines(supplier_return_id=back.pk, lines=[]),
        ):
            with pytest.raises(NotFound, match="supplier return"):
                use()


def test_what_is_not_there_or_promised_is_not_sent(site: Site) -> None:
    apple = make_product()
    supplier = supplied_by("SAM", apple)
    site.receive(apple, 5)
    back = draft(site, supplier, going(site, apple, 4), going(site, apple, 2))
    with pytest.raises(InsufficientStock, match="6 asked, 5 free"):
        send_supplier_return(supplier_return_id=back.pk)
    assert (fresh(back).state, on_hand(apple)) == (SupplierReturnState.DRAFT, 5)


def test_a_recalled_lot_may_go_back(site: Site) -> None:
    milk = make_product("MILK", lot_tracking="lot")
    lot = make_lot(milk)
    site.receive(milk, 5, lot_id=lot.pk)
    set_lot_status(lot_id=lot.pk, status="recalled")
    back = draft(site, supplied_by("SAM", milk), going(site, milk, 5, lot_id=lot.pk))
    send_supplier_return(supplier_return_id=back.pk)
    assert on_hand(milk) == 0


def test_each_step_is_taken_once_and_in_order(site: Site) -> None:
    apple = make_product()
    supplier = supplied_by("SAM", apple)
    site.receive(apple, 9)
    empty = draft(site, supplier)
    with pytest.raises(SupplierReturnHasNoLines):
        send_supplier_return(supplier_return_id=empty.pk)
    add_supplier_return_lines(supplier_return_id=empty.pk, lines=[going(site, apple, 2)], version=1)
    line = empty.lines.get()
    remove_supplier_return_line(
        supplier_return_id=empty.pk, supplier_return_line_id=line.pk, version=2
    )
    assert empty.lines.count() == 0
    cancel_supplier_return(supplier_return_id=empty.pk)
    back = draft(site, supplier, going(site, apple, 2))
    with pytest.raises(WrongSupplierReturnState, match="is Draft"):
        close_supplier_return(supplier_return_id=back.pk)
    with pytest.raises(StaleVersion):
        send_supplier_return(supplier_return_id=back.pk, version=9)
    send_supplier_return(supplier_return_id=back.pk)
    for again in (
        lambda: send_supplier_return(supplier_return_id=back.pk),
        lambda: cancel_supplier_return(supplier_return_id=back.pk),
        lambda: send_supplier_return(supplier_return_id=empty.pk),
        lambda: add_supplier_return_lines(supplier_return_id=back.pk, lines=[]),
    ):
        with pytest.raises(WrongSupplierReturnState):
            again()
    assert on_hand(apple) == 7
    close_supplier_return(supplier_return_id=back.pk)
    assert fresh(back).state == SupplierReturnState.CLOSED
    assert check_book() == []


def test_a_return_that_was_called_back_is_a_draft_again_and_may_be_sent_again(site: Site) -> None:
    apple = make_product()
    site.receive(apple, 9)
    back = draft(site, supplied_by("SAM", apple), going(site, apple, 2), going(site, apple, 1))
    send_supplier_return(supplier_return_id=back.pk)
    movement = StockMovement.objects.filter(document_kind="SupplierReturn")[0]
    with pytest.raises(CorrectTheDocument):
        reverse_movement(movement_id=movement.pk)
    with pytest.raises(Invalid, match="Say why"):
        call_back_supplier_return(supplier_return_id=back.pk, reason="")
    for _ in range(2):
        call_back_supplier_return(supplier_return_id=back.pk, reason="lorry came back")
        assert (fresh(back).state, fresh(back).sent_at) == (SupplierReturnState.DRAFT, None)
        assert on_hand(apple) == 9
        assert check_book() == []
        send_supplier_return(supplier_return_id=back.pk)
        assert on_hand(apple) == 6
        assert check_book() == []


def test_goods_of_a_customers_return_stay_in_quarantine_when_they_do_not_go_on(
    in_north: House,
) -> None:
    counter, apple = make_counter(), make_product()
    supplied_by("SAM", apple)
    back = counter.received(counter.shipped(apple, 5), 5)
    counter.inspect(back, ("to_supplier", 2), ("to_supplier", 3))
    assert outcomes(back) == (0, 0, 0, 5)
    going_back = SupplierReturn.objects.get()
    first = going_back.lines.order_by("id")[0]
    remove_supplier_return_line(supplier_return_id=going_back.pk, supplier_return_line_id=first.pk)
    assert outcomes(back) == (0, 2, 0, 3)
    assert check_book() == []
    cancel_supplier_return(supplier_return_id=going_back.pk)
    assert outcomes(back) == (0, 5, 0, 0)
    assert on_hand(apple, counter.at("quarantine")) == 5
    assert line_of(back).to_inspect == 0
    assert check_book() == []


def test_it_is_sent_neither_in_the_future_nor_by_a_viewer(north: House) -> None:
    with north.scope():
        site, apple = make_site(), make_product()
        supplier = supplied_by("SAM", apple)
        site.receive(apple, 9)
        back = draft(site, supplier, going(site, apple, 2))
        with pytest.raises(Invalid, match="future"):
            send_supplier_return(
                supplier_return_id=back.pk, sent_at=timezone.now() + timedelta(hours=1)
            )
    with north.scope("viewer"), pytest.raises(PermissionRefused):
        send_supplier_return(supplier_return_id=back.pk)
    with north.scope("operator"):
        with pytest.raises(PermissionRefused):
            draft(site, supplier)
        send_supplier_return(supplier_return_id=back.pk)
        with pytest.raises(PermissionRefused):
            close_supplier_return(supplier_return_id=back.pk)


def test_sending_asks_the_same_number_of_questions_however_many_lines(
    site: Site, django_assert_num_queries
) -> None:
    supplier = supplied_by("SAM")
    for count, tag in ((2, "A"), (12, "B")):
        products = [make_product(f"{tag}-{n}") for n in range(count)]
        for product in products:
            site.receive(product, 5)
        back = draft(site, supplier, *(going(site, product, 2) for product in products))
        with django_assert_num_queries(SEND_STATEMENTS):
            send_supplier_return(supplier_return_id=back.pk)


# savepoint, return, lines, places, warehouse; the ledger: products, locations, savepoint,
# movements, values (three), balances locked, changed, end; return, event, end of the savepoint
SEND_STATEMENTS = 16


def test_goods_between_two_warehouses_go_back_to_no_supplier(in_north: House) -> None:
    pair, apple = make_pair(), make_product()
    pair.here.receive(apple, 5)
    pair.sent((apple, 5))
    with pytest.raises(Invalid, match="holds nothing that could go back"):
        draft(pair.there, supplied_by("SAM"), going(pair.there, apple, 5, "in_transit"))
