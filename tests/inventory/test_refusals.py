"""Whatever the floor refuses it refuses by name, and every table stays as it was."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any

import inventory.services
from inventory.models import (
    MovementReason,
    ReturnOutcome,
)
from inventory.services.adjustments import Adjustment, adjust_stock
from inventory.services.allocation_manual import allocate_line
from inventory.services.count_entry import CountEntry, enter_count
from inventory.services.ledger import MovementLine, post_movements, reverse_movement
from inventory.services.pack_items import PackItem
from inventory.services.packing import open_package, pack
from inventory.services.periods import close_period
from inventory.services.picking import Pick, pick
from inventory.services.purchase_amendments import Amendment, amend_order_line
from inventory.services.purchasing import (
    OrderLine,
    add_order_lines,
)
from inventory.services.put_away import put_away
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
    expect_blind_return,
    expect_return,
    inspect_return,
    receive_return,
)
from inventory.services.sales_amending import amend_sales_line
from inventory.services.sales_lines import SalesLine, add_sales_lines
from inventory.services.short_picks import pick_short
from inventory.services.stock import SaleLine, move_stock, ship_sale
from inventory.services.supplier_returns import (
    ReturningLine,
    add_supplier_return_lines,
    send_supplier_return,
)
from inventory.services.transfers import (
    AskedLine,
    LostGoods,
    ReceivedGoods,
    SentGoods,
    add_transfer_lines,
    receive_transfer,
    release_transfer,
    send_transfer,
    state_transfer_loss,
)
from tests.inventory.refusing import (
    MOVE,
    NOBODY,
    Act,
    Cases,
    D,
    Desk,
    last_month,
    wrong_answers,
)


# -- quantities -----------------------------------------------------------------------------------
def taking_quantities(desk: Desk) -> dict[str, Callable[[Decimal], Any]]:
    """Return everything the floor does with a quantity, by name."""
    flour, storage, here = desk.flour.pk, desk.storage, desk.here
    dock, task = desk.on_dock(), desk.task
    order_line, sale_line = desk.order.lines.get(), desk.promised_sale.lines.get()
    package = open_package(sales_order_id=desk.picked_sale.pk)
    back, came = desk.returning.lines.get(), desk.returned.lines.get()
    move = desk.transfer.lines.get()
    return {
        "post": lambda q: post_movements(
            lines=[MovementLine(flour, storage, desk.site.at("quarantine"), q, MOVE)]
        ),
        "move": lambda q: move_stock(
            lines=[MovementLine(flour, storage, desk.site.at("quarantine"), q, MOVE)]
        ),
        "adjust": lambda q: adjust_stock(
            warehouse_id=here,
            adjustments=[Adjustment(flour, storage, q, MovementReason.COUNT)],
        ),
        "buy": lambda q: add_order_lines(
            order_id=desk.drafted_order.pk, lines=[OrderLine(flour, q, unit_price=D(1))]
        ),
        "amend a purchase": lambda q: amend_order_line(
            order_id=desk.order.pk,
            line_id=order_line.pk,
            amendment=Amendment(quantity=q),
            reason="agreed",
        ),
        "receive": lambda q: receive_order(
            order_id=desk.order.pk, lines=[Received(order_line.pk, q)]
        ),
        "receive in a draft": lambda q: add_receipt_line(
            receipt_id=desk.drafts[0].pk, arrival=Arrival(flour, q)
        ),
        "receive cases": lambda q: add_receipt_line(
            receipt_id=desk.drafts[0].pk, arrival=Arrival(flour, q, packaging_id=desk.case.pk)
        ),
        "put away": lambda q: put_away(
            stock_balance_id=dock.pk, to_location_id=storage, quantity=q
        ),
        "sell": lambda q: add_sales_lines(
            sales_order_id=desk.drafted_sale.pk, lines=[SalesLine(flour, q)]
        ),
        "amend a sale": lambda q: amend_sales_line(
            sales_order_id=desk.promised_sale.pk, line_id=sale_line.pk, quantity=q
        ),
        "sell over the counter": lambda q: ship_sale(warehouse_id=here, lines=[SaleLine(flour, q)]),
        "allocate": lambda q: allocate_line(line_id=sale_line.pk, location_id=storage, quantity=q),
        "pick": lambda q: pick(
            wave_id=task.wave_id, picks=[Pick(task.pk, storage, flour, None, q)]
        ),
        "pick short": lambda q: pick_short(
            wave_id=task.wave_id,
            picks=[Pick(task.pk, storage, flour, None, q)],
            reason="not_found",
        ),
        "pack": lambda q: pack(package_id=package.pk, items=[PackItem(flour, q)]),
        "ask for a transfer": lambda q: add_transfer_lines(
            transfer_order_id=desk.drafted_transfer.pk, lines=[AskedLine(desk.drill.pk, q)]
        ),
        "send": lambda q: send_transfer(
            transfer_order_id=desk.transfer.pk, goods=[SentGoods(move.pk, storage, q)]
        ),
        "receive a transfer": lambda q: receive_transfer(
            transfer_order_id=desk.transfer.pk, goods=[ReceivedGoods(desk.piece.pk, q)]
        ),
        "lose in transit": lambda q: state_transfer_loss(
            transfer_order_id=desk.transfer.pk, goods=[LostGoods(desk.piece.pk, q)], note="gone"
        ),
        "count": lambda q: enter_count(
            cycle_count_id=desk.count.pk, entries=[CountEntry(flour, q)]
        ),
        "expect back": lambda q: expect_return(
            sales_order_id=desk.sale.pk, lines=[ExpectedLine(desk.shipped_line.pk, q)]
        ),
        "expect back blind": lambda q: expect_blind_return(
            warehouse_id=here, lines=[BlindLine(flour, q)]
        ),
        "take back": lambda q: receive_return(
            customer_return_id=desk.returning.pk, goods=[ReturnedGoods(back.pk, q)]
        ),
        "inspect": lambda q: inspect_return(
            customer_return_id=desk.returned.pk,
            goods=[InspectedGoods(came.pk, ReturnOutcome.RESTOCK, q)],
        ),
        "return to a supplier": lambda q: add_supplier_return_lines(
            supplier_return_id=desk.going_back.pk, lines=[ReturningLine(flour, storage, q)]
        ),
    }


ALLOWED = {
    "0": {"count", "pick short", "amend a sale"},  # nothing there, nothing found, given up
    "-1": {"adjust"},
    "0.5": {"receive cases"},  # half a case of six is three
}


def test_no_impossible_quantity_gets_in_anywhere(desk: Desk) -> None:
    wrong = []
    for name, act in taking_quantities(desk).items():
        for bad in ("0", "-1", "NaN", "Infinity", "1e400", "1e20", "0.5", "0.0000001"):
            if name in ALLOWED.get(bad, ()):
                continue
            answer = desk.answer(lambda act=act, bad=bad: act(D(bad)))
            if not answer.startswith("invalid:") or "changed" in answer:
                wrong.append((name, bad, answer))
    assert wrong == []


def test_a_conversion_that_is_not_exact_is_refused(desk: Desk) -> None:
    def arrive(quantity: str) -> Act:
        arrival = Arrival(desk.flour.pk, D(quantity), packaging_id=desk.case.pk)
        return lambda: add_receipt_line(receipt_id=desk.drafts[0].pk, arrival=arrival)

    cases: Cases = {
        "a quarter of a case of six": ("invalid:inexact_not_whole", arrive("0.25")),
        "a third": ("invalid:inexact_not_whole", arrive("0.333333")),
        "half a case is three": ("done", arrive("0.5")),
    }
    assert wrong_answers(desk, cases) == {}


# -- versions -------------------------------------------------------------------------------------
def test_no_service_overwrites_what_somebody_else_changed(desk: Desk) -> None:
    """Every service with a version is found by looking at the code, and called with an old one."""
    given = {
        "product_id": desk.flour.pk,
        "order_id": desk.order.pk,
        "receipt_id": desk.drafts[0].pk,
        "receipt_line_id": desk.drafts[0].lines.get().pk,
        "sales_order_id": desk.promised_sale.pk,
        "transfer_order_id": desk.drafted_transfer.pk,
        "cycle_count_id": desk.count.pk,
        "customer_return_id": desk.returning.pk,
        "supplier_return_id": desk.going_back.pk,
        "supplier_return_line_id": desk.going_back.lines.get().pk,
        "wave_id": desk.task.wave_id,
        "reason": "because",
        "through": last_month(),
        "closed_through": None,
        "quantity": D(1),
        "priority": 1,
        "arrival": Arrival(desk.flour.pk, D(1)),
        "amendment": Amendment(quantity=D(8)),
        "line_ids": [NOBODY],
        "method": "fifo",
    }
    lines = {
        "add_order_lines": [OrderLine(desk.flour.pk, D(1), unit_price=D(1))],
        "add_return_lines": [BlindLine(desk.flour.pk, D(1))],
        "add_shipped_lines": [ExpectedLine(desk.shipped_line.pk, D(1))],
        "add_sales_lines": [SalesLine(desk.flour.pk, D(1))],
        "add_supplier_return_lines": [ReturningLine(desk.flour.pk, desk.storage, D(1))],
        "add_transfer_lines": [AskedLine(desk.drill.pk, D(1))],
    }
    came = desk.returned.lines.get()
    special: dict[str, dict[str, Any]] = {
        name: {"lines": asked} for name, asked in lines.items()
    } | {
        "inspect_return": {
            "customer_return_id": desk.returned.pk,
            "goods": [InspectedGoods(came.pk, ReturnOutcome.RESTOCK, D(1))],
        },
        "close_return": {"customer_return_id": desk.returned.pk},
        "submit_count": {"cycle_count_id": desk.count.pk},
        "reverse_receipt_line": {
            "receipt_id": desk.receipt.pk,
            "receipt_line_id": desk.received_line.pk,
        },
        "end_sending": {"transfer_order_id": desk.transfer.pk},
    }
    called, wrong = 0, {}
    for name, service in versioned_services().items():
        names = set(inspect.signature(service).parameters)
        arguments = {k: v for k, v in given.items() if k in names} | special.get(name, {})
        if {"fields", "changes", "line", "kept"} & names or not required(service) <= {*arguments}:
            continue
        called += 1
        answer = desk.answer(lambda s=service, a=arguments: s(**a, version=999))
        if answer != "stale_version":
            wrong[name] = answer
    assert wrong == {}
    assert called >= 30


def versioned_services() -> dict[str, Any]:
    """Return the public functions of the services that take a version."""
    found = {}
    for module in pkgutil.iter_modules(inventory.services.__path__):
        loaded = importlib.import_module(f"inventory.services.{module.name}")
        for name, value in vars(loaded).items():
            is_here = inspect.isfunction(value) and value.__module__ == loaded.__name__
            if is_here and not name.startswith("_"):
                parameters = inspect.signature(value).parameters.values()
                if any(p.name == "version" and p.kind == p.KEYWORD_ONLY for p in parameters):
                    found[name] = value
    return found


def required(service: Any) -> set[str]:
    """Return the names of the arguments without a default."""
    parameters = inspect.signature(service).parameters.values()
    return {p.name for p in parameters if p.default is p.empty}


# -- closed periods -------------------------------------------------------------------------------
def test_nothing_is_dated_into_a_closed_period(desk: Desk) -> None:
    closed = last_month()
    close_period(through=closed)
    then = datetime.combine(closed, time(12), UTC)
    release_transfer(transfer_order_id=desk.drafted_transfer.pk)
    post = MovementLine(desk.flour.pk, desk.storage, desk.site.at("quarantine"), D(1), MOVE)
    blind = open_receipt(supplier_id=desk.supplier.pk, warehouse_id=desk.here).pk
    add_receipt_line(receipt_id=blind, arrival=Arrival(desk.flour.pk, D(1), unit_cost=D(1)))
    [moved] = post_movements(lines=[post])
    cases: Cases = {
        "posting": ("period_closed", lambda: post_movements(lines=[post], effective_at=then)),
        "moving": ("period_closed", lambda: move_stock(lines=[post], effective_at=then)),
        "reversing": (
            "period_closed",
            lambda: reverse_movement(movement_id=moved, effective_at=then),
        ),
        "adjusting": (
            "period_closed",
            lambda: adjust_stock(
                warehouse_id=desk.here,
                adjustments=[Adjustment(desk.flour.pk, desk.storage, D(1), MovementReason.FOUND)],
                effective_at=then,
            ),
        ),
        "selling": (
            "period_closed",
            lambda: ship_sale(
                warehouse_id=desk.here, lines=[SaleLine(desk.flour.pk, D(1))], sold_at=then
            ),
        ),
        "receiving": (
            "period_closed",
            lambda: complete_receipt(receipt_id=blind, received_at=then),
        ),
        "returning to a supplier": (
            "period_closed",
            lambda: send_supplier_return(supplier_return_id=desk.going_back.pk, sent_at=then),
        ),
        "sending a transfer": (
            "period_closed",
            lambda: send_transfer(transfer_order_id=desk.drafted_transfer.pk, sent_at=then),
        ),
        "closing it again": ("invalid:closed_already", lambda: close_period(through=closed)),
    }
    assert wrong_answers(desk, cases) == {}
