"""What buying, receiving, putting away and returns refuse, they refuse by name, without a trace."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any

from inventory.models import (
    CustomerReturn,
    ReturnOutcome,
    StockMovement,
)
from inventory.services.ledger import reverse_movement
from inventory.services.purchase_amendments import Amendment, amend_order_line
from inventory.services.purchasing import (
    OrderLine,
    add_order_lines,
    cancel_order,
    create_draft_order,
    place_order,
)
from inventory.services.put_away import put_away
from inventory.services.receipt_corrections import reverse_receipt_line
from inventory.services.receipt_lines import Arrival, add_receipt_line
from inventory.services.receiving import (
    ReceiptLine as Received,
    complete_receipt,
    open_receipt,
    receive_order,
)
from inventory.services.returns import (
    BlindLine,
    ExpectedLine,
    InspectedGoods,
    ReturnedGoods,
    cancel_return,
    close_return,
    expect_blind_return,
    expect_return,
    inspect_return,
    receive_return,
    reverse_return_movement,
)
from inventory.services.supplier_returns import (
    ReturningLine,
    call_back_supplier_return,
    create_supplier_return,
    send_supplier_return,
)
from inventory.services.suppliers import Offer, set_offer
from tests.inventory.refusing import (
    NOBODY,
    Act,
    Cases,
    D,
    Desk,
    acting,
    last_month,
    opened,
    wrong_answers,
)


# -- inbound --------------------------------------------------------------------------------------
def test_what_inbound_refuses_leaves_no_trace(desk: Desk) -> None:
    flour, milk = desk.flour.pk, desk.milk.pk
    order, first, second = desk.order, *desk.drafts
    line = order.lines.get().pk
    set_offer(supplier_id=desk.supplier.pk, product_id=milk, offer=Offer(price=D(1)))
    type(desk.supplier).objects.filter(pk=desk.supplier.pk).update(minimum_order_value=50)
    small = create_draft_order(
        supplier_id=desk.supplier.pk, warehouse_id=desk.here, lines=[OrderLine(milk, D(2))]
    )

    def arrive(product: int, **more: Any) -> Act:
        blind = open_receipt(supplier_id=desk.supplier.pk, warehouse_id=desk.here).pk
        arrival = Arrival(product, D(more.pop("quantity", 1)), **more)
        return lambda: add_receipt_line(receipt_id=blind, arrival=arrival)

    dock, short = desk.on_dock(), opened(order, desk.flour, 1)

    def store(quantity: int, place: int) -> Act:
        return lambda: put_away(
            stock_balance_id=dock.pk, to_location_id=place, quantity=D(quantity)
        )

    cases: Cases = {
        "placing without lines": (
            "order_has_no_lines",
            lambda: place_order(order_id=desk.drafted_order.pk),
        ),
        "placing below the minimum": (
            "below_minimum_order_value",
            lambda: place_order(order_id=small.pk),
        ),
        "placing twice": ("wrong_order_state", lambda: place_order(order_id=order.pk)),
        "a line on a placed order": (
            "wrong_order_state",
            lambda: add_order_lines(order_id=order.pk, lines=[OrderLine(milk, D(1))]),
        ),
        "amending without a reason": (
            "invalid:required",
            lambda: amend_order_line(
                order_id=order.pk, line_id=line, amendment=Amendment(quantity=D(9)), reason=" "
            ),
        ),
        "amending below what came": (
            "below_received",
            lambda: amend_order_line(
                order_id=order.pk, line_id=line, amendment=Amendment(quantity=D(3)), reason="x"
            ),
        ),
        "cancelling what came in part": (
            "wrong_order_state",
            lambda: cancel_order(order_id=order.pk),
        ),
        "receiving a draft order": (
            "wrong_order_state",
            lambda: open_receipt(order_id=desk.drafted_order.pk),
        ),
        "receiving more than ordered": (
            "over_receipt",
            lambda: receive_order(order_id=order.pk, lines=[Received(line, D(7))]),
        ),
        "a difference nobody explains": (
            "difference_unexplained",
            lambda: complete_receipt(receipt_id=short.pk),
        ),
        "completing twice": (
            "wrong_receipt_state",
            lambda: complete_receipt(receipt_id=desk.receipt.pk),
        ),
        "a line on a completed receipt": (
            "wrong_receipt_state",
            lambda: add_receipt_line(receipt_id=desk.receipt.pk, arrival=Arrival(flour, D(1))),
        ),
        "milk without its lot": ("invalid:lot_mismatch", arrive(milk)),
        "flour with a lot": ("invalid:lot_mismatch", arrive(flour, lot_code="L")),
        "more damaged than arrived": ("invalid:more_than_arrived", arrive(flour, damaged=D(2))),
        "a product of nobody": ("not_found", arrive(NOBODY)),
        "taking a receipt back without a reason": (
            "invalid:required",
            lambda: reverse_receipt_line(
                receipt_id=desk.receipt.pk, receipt_line_id=desk.received_line.pk, reason=""
            ),
        ),
        "putting away more than lies there": ("insufficient_stock", store(5, desk.storage)),
        "putting away elsewhere": ("not_found", store(1, desk.other.at("storage"))),
        "putting away to the customer": ("invalid:not_storage", store(1, desk.site.at("customer"))),
        "putting away to nowhere": ("not_found", store(1, NOBODY)),
    }
    assert wrong_answers(desk, cases) == {}
    # the first of two drafts counts; the second is refused by itself
    complete_receipt(receipt_id=first.pk, accept_differences=True)
    again: Cases = {
        "the second draft": (
            "over_receipt",
            lambda: complete_receipt(receipt_id=second.pk, accept_differences=True),
        ),
    }
    assert wrong_answers(desk, again) == {}


# -- returns --------------------------------------------------------------------------------------
def test_what_returns_refuse_leaves_no_trace(desk: Desk) -> None:
    back, came = desk.returning, desk.returned
    line, seen = back.lines.get().pk, came.lines.get().pk
    arrival = StockMovement.objects.get(document_kind="CustomerReturn")

    def expect(quantity: int, shipment_line: int = desk.shipped_line.pk) -> Act:
        lines = [ExpectedLine(shipment_line, D(quantity))]
        return lambda: expect_return(sales_order_id=desk.sale.pk, lines=lines)

    def inspect_as(outcome: str, quantity: int, **more: Any) -> Act:
        goods = [InspectedGoods(seen, ReturnOutcome(outcome), D(quantity), **more)]
        return lambda: inspect_return(customer_return_id=came.pk, goods=goods)

    recalled, drafted = recalled_return(desk), too_much(desk)
    cases: Cases = {
        "more than was shipped": ("more_than_shipped", expect(3)),
        "a line of another order": ("not_found", expect(1, NOBODY)),
        "nothing at all": (
            "invalid:empty",
            lambda: expect_return(sales_order_id=desk.sale.pk, lines=[]),
        ),
        "more came than expected": (
            "more_than_expected",
            lambda: receive_return(customer_return_id=back.pk, goods=[ReturnedGoods(line, D(2))]),
        ),
        "back before it left": (
            "invalid:before_shipped",
            lambda: receive_return(
                customer_return_id=back.pk,
                goods=[ReturnedGoods(line, D(1))],
                received_at=datetime.combine(last_month(), time(), UTC),
            ),
        ),
        "inspecting what has not come": ("more_than_received", inspect_as("restock", 2)),
        "scrapping by an operator": (
            "above_adjustment_limit",
            lambda: acting("operator", inspect_as("scrap", 1, note="mouldy")),
        ),
        "a recalled lot back to stock": (
            "lot_not_sellable",
            lambda: inspect_return(
                customer_return_id=recalled.pk,
                goods=[
                    InspectedGoods(recalled.lines.get().pk, ReturnOutcome.RESTOCK, D(1)),
                ],
            ),
        ),
        "cancelling what came": (
            "wrong_return_state",
            lambda: cancel_return(customer_return_id=came.pk),
        ),
        "closing before inspecting": (
            "not_inspected",
            lambda: close_return(customer_return_id=came.pk),
        ),
        "closing before anything came": (
            "wrong_return_state",
            lambda: close_return(customer_return_id=back.pk),
        ),
        "taking back without a reason": (
            "invalid:required",
            lambda: reverse_return_movement(
                customer_return_id=came.pk, movement_id=arrival.pk, reason=""
            ),
        ),
        "taking a movement of another document back": (
            "not_found",
            lambda: reverse_return_movement(
                customer_return_id=recalled.pk, movement_id=arrival.pk, reason="x"
            ),
        ),
        "taking its movement back alone": (
            "correct_the_document",
            lambda: reverse_movement(movement_id=arrival.pk),
        ),
        "sending back more than is there": (
            "insufficient_stock",
            lambda: send_supplier_return(supplier_return_id=drafted),
        ),
        "calling back what was not sent": (
            "wrong_supplier_return_state",
            lambda: call_back_supplier_return(supplier_return_id=desk.going_back.pk, reason="x"),
        ),
        "sending back to nobody": (
            "not_found",
            lambda: create_supplier_return(supplier_id=NOBODY, warehouse_id=desk.here),
        ),
    }
    assert wrong_answers(desk, cases) == {}
    send_supplier_return(supplier_return_id=desk.going_back.pk)
    inspect_as("quarantine", 1)()
    again: Cases = {
        "sending back twice": (
            "wrong_supplier_return_state",
            lambda: send_supplier_return(supplier_return_id=desk.going_back.pk),
        ),
        "inspecting twice": ("more_than_received", inspect_as("restock", 1)),
        "taking back what is inspected": (
            "inspected_already",
            lambda: reverse_return_movement(
                customer_return_id=came.pk, movement_id=arrival.pk, reason="x"
            ),
        ),
    }
    assert wrong_answers(desk, again) == {}


def recalled_return(desk: Desk) -> CustomerReturn:
    """Return milk of a recalled lot that came back blind."""
    line = BlindLine(desk.milk.pk, D(1), desk.recalled.pk)
    back = expect_blind_return(warehouse_id=desk.here, lines=[line])
    goods = [ReturnedGoods(back.lines.get().pk, D(1))]
    return receive_return(customer_return_id=back.pk, goods=goods)


def too_much(desk: Desk) -> int:
    """Draft a return to the supplier of more than there is."""
    lines = [ReturningLine(desk.flour.pk, desk.storage, D(999))]
    back = create_supplier_return(supplier_id=desk.supplier.pk, warehouse_id=desk.here, lines=lines)
    return back.pk
