"""What selling, picking, shipping, moving and counting refuse leaves no trace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from inventory.models import (
    Allocation,
    CountState,
    CycleCount,
    MovementReason,
    SalesOrder,
    StockMovement,
)
from inventory.queries.waves import WaveRequest
from inventory.services import packing, pick_work, staging
from inventory.services.adjustments import Adjustment, adjust_stock
from inventory.services.allocation import allocate_orders, release_allocations
from inventory.services.allocation_manual import allocate_line
from inventory.services.count_entry import submit_count
from inventory.services.count_review import approve_count, post_count
from inventory.services.ledger import MovementLine, post_movements, reverse_movement
from inventory.services.packing import open_package, pack_rest
from inventory.services.picking import Pick, pick, undo_pick
from inventory.services.sales import (
    cancel_sales_order,
    confirm_sales_order,
)
from inventory.services.sales_amending import amend_sales_line
from inventory.services.shipping import ship_order
from inventory.services.short_picks import pick_short
from inventory.services.staging import stage_order
from inventory.services.stock import SaleLine, move_stock, ship_sale
from inventory.services.transfers import (
    LostGoods,
    ReceivedGoods,
    SentGoods,
    cancel_transfer,
    create_transfer,
    receive_transfer,
    release_transfer,
    send_transfer,
    state_transfer_loss,
)
from inventory.services.waves import cancel_wave, release_waves
from tests.inventory.refusing import (
    MOVE,
    NOBODY,
    Act,
    Cases,
    D,
    Desk,
    acting,
    wrong_answers,
)
from tests.inventory.selling import confirmed


# -- outbound -------------------------------------------------------------------------------------
def test_what_outbound_refuses_leaves_no_trace(desk: Desk) -> None:
    flour, milk, task = desk.flour.pk, desk.milk.pk, desk.task
    milky = confirm_milk(desk)
    line = milky.lines.get().pk
    promise = Allocation.objects.get(order_line__order=desk.promised_sale)
    released = Allocation.objects.get(order_line__order=milky)
    release_allocations(allocation_ids=[released.pk])

    def by_hand(**wrong: Any) -> Act:
        arguments = {
            "line_id": line,
            "location_id": desk.storage,
            "lot_id": desk.good.pk,
            "quantity": D(1),
        }
        return lambda: allocate_line(**(arguments | wrong))

    def scan(**wrong: Any) -> Act:
        right = {"location_id": desk.storage, "product_id": flour, "lot_id": None}
        scanned = Pick(task.pk, **(right | wrong))
        return lambda: pick(wave_id=task.wave_id, picks=[scanned])

    left = StockMovement.objects.get(document_kind="Shipment")
    cases: Cases = {
        "confirming without lines": (
            "sales_order_has_no_lines",
            lambda: confirm_sales_order(sales_order_id=desk.drafted_sale.pk),
        ),
        "confirming twice": (
            "wrong_sales_order_state",
            lambda: confirm_sales_order(sales_order_id=desk.promised_sale.pk),
        ),
        "cancelling what was shipped": (
            "wrong_sales_order_state",
            lambda: cancel_sales_order(sales_order_id=desk.sale.pk),
        ),
        "amending below what is being picked": (
            "amended_too_far",
            lambda: amend_sales_line(
                sales_order_id=desk.promised_sale.pk,
                line_id=desk.promised_sale.lines.get().pk,
                quantity=D(1),
            ),
        ),
        "promising an expired lot": ("lot_not_promisable", by_hand(lot_id=desk.expired.pk)),
        "promising a recalled lot": ("lot_not_promisable", by_hand(lot_id=desk.recalled.pk)),
        "promising more than is open": ("more_than_open", by_hand(quantity=D(99))),
        "promising what is not there": (
            "insufficient_stock",
            by_hand(lot_id=desk.good.pk, quantity=D(11)),
        ),
        "promising from another warehouse": (
            "invalid:other_warehouse",
            by_hand(location_id=desk.other.at("storage")),
        ),
        "releasing twice": (
            "allocation_ended",
            lambda: release_allocations(allocation_ids=[released.pk]),
        ),
        "allocating what is shipped": (
            "wrong_sales_order_state",
            lambda: allocate_orders(order_ids=[desk.sale.pk]),
        ),
        "a wave of nothing": (
            "nothing_to_release",
            lambda: release_waves(request=WaveRequest(desk.other.warehouse.pk)),
        ),
        "picking at another place": ("wrong_pick", scan(location_id=desk.site.at("packing"))),
        "picking other goods": ("wrong_pick", scan(product_id=milk)),
        "picking another lot": ("wrong_pick", scan(lot_id=desk.good.pk)),
        "a short pick without a reason": (
            "invalid:unknown",
            lambda: pick_short(
                wave_id=task.wave_id,
                picks=[Pick(task.pk, desk.storage, flour, None, D(1))],
                reason="",
            ),
        ),
        "undoing what was not picked": (
            "nothing_picked",
            lambda: undo_pick(wave_id=task.wave_id, task_ids=[task.pk]),
        ),
        "an empty shipment": (
            "empty_shipment",
            lambda: ship_order(sales_order_id=desk.promised_sale.pk),
        ),
        "shipping twice": (
            "wrong_sales_order_state",
            lambda: ship_order(sales_order_id=desk.sale.pk),
        ),
        "taking a shipment's movement back": (
            "correct_the_document",
            lambda: reverse_movement(movement_id=left.pk),
        ),
        "staging nothing": (
            "nothing_to_stage",
            lambda: stage_order(sales_order_id=desk.promised_sale.pk),
        ),
        "shipping an order of nobody": ("not_found", lambda: ship_order(sales_order_id=NOBODY)),
        "selling recalled milk over the counter": (
            "insufficient_stock",  # 10 of the good lot, though 30 lie there
            lambda: ship_sale(warehouse_id=desk.here, lines=[SaleLine(milk, D(11))]),
        ),
    }
    assert wrong_answers(desk, cases) == {}
    pick(wave_id=task.wave_id, picks=[Pick(task.pk, desk.storage, flour, None)])
    again: Cases = {
        "picking once more": ("wave_not_open", scan()),
        "calling off what is done": (
            "wave_not_open",
            lambda: cancel_wave(wave_id=task.wave_id),
        ),
        "releasing what was picked": (
            "allocation_ended",
            lambda: release_allocations(allocation_ids=[promise.pk]),
        ),
    }
    assert wrong_answers(desk, again) == {}


def confirm_milk(desk: Desk) -> SalesOrder:
    """Confirm an order of more milk than may be promised."""
    return confirmed(desk.site.warehouse, (desk.milk, 20))


# -- inside ---------------------------------------------------------------------------------------
def test_what_inside_refuses_leaves_no_trace(desk: Desk) -> None:
    flour, storage, moving = desk.flour.pk, desk.storage, desk.transfer
    move = moving.lines.get().pk
    adjustment = Adjustment(desk.drill.pk, storage, D(-1), MovementReason.SCRAP, desk.serial.pk)
    sent = StockMovement.objects.filter(document_kind="TransferOrder").latest("pk")

    def transfer(act: Callable[..., Any], order: int = moving.pk, **more: Any) -> Act:
        return lambda: act(transfer_order_id=order, **more)

    cases: Cases = {
        "a transfer to itself": (
            "invalid:same_warehouse",
            lambda: create_transfer(from_warehouse_id=desk.here, to_warehouse_id=desk.here),
        ),
        "releasing twice": ("wrong_transfer_state", transfer(release_transfer)),
        "sending before releasing": (
            "wrong_transfer_state",
            transfer(send_transfer, desk.drafted_transfer.pk),
        ),
        "sending what is sent": ("nothing_to_send", transfer(send_transfer)),
        "sending more than asked": (
            "more_than_asked",
            transfer(send_transfer, goods=[SentGoods(move, storage, D(1))]),
        ),
        "receiving more than was sent": (
            "more_than_sent",
            transfer(receive_transfer, goods=[ReceivedGoods(desk.piece.pk, D(5))]),
        ),
        "losing more than was sent": (
            "more_than_sent",
            transfer(state_transfer_loss, goods=[LostGoods(desk.piece.pk, D(5))], note="x"),
        ),
        "a loss nobody explains": (
            "invalid:required",
            transfer(state_transfer_loss, goods=[LostGoods(desk.piece.pk, D(1))], note=" "),
        ),
        "cancelling what is on its way": ("wrong_transfer_state", transfer(cancel_transfer)),
        "a piece of nobody": (
            "not_found",
            transfer(receive_transfer, goods=[ReceivedGoods(NOBODY, D(1))]),
        ),
        "taking a transfer's movement back alone": (
            "correct_the_document",
            lambda: reverse_movement(movement_id=sent.pk),
        ),
        "moving more than lies there": (
            "insufficient_stock",
            lambda: move_stock(
                lines=[MovementLine(flour, storage, desk.site.at("quarantine"), D(999), MOVE)]
            ),
        ),
        "moving to another warehouse": (
            "invalid:other_warehouse",
            lambda: move_stock(
                lines=[MovementLine(flour, storage, desk.other.at("storage"), D(1), MOVE)]
            ),
        ),
        "a serial number twice": (
            "serial_not_single",
            lambda: post_movements(
                lines=[desk.site.line(desk.drill, 1, "supplier", "storage", lot_id=desk.serial.pk)]
            ),
        ),
        "two of one serial number": (
            "invalid:serial_is_one",
            lambda: post_movements(
                lines=[desk.site.line(desk.drill, 2, "supplier", "storage", lot_id=desk.serial.pk)]
            ),
        ),
        "handing in what is not counted": (
            "not_all_counted",
            lambda: submit_count(cycle_count_id=desk.count.pk),
        ),
        "approving what is not counted": (
            "wrong_count_state",
            lambda: approve_count(cycle_count_id=desk.count.pk),
        ),
        "approving one's own variance": (
            "own_variance",
            lambda: approve_count(cycle_count_id=desk.counted.pk),
        ),
        "posting what nobody approved": (
            "wrong_count_state",
            lambda: post_count(cycle_count_id=desk.counted.pk),
        ),
        "an operator approves": (
            "may_not:approve",
            lambda: acting("operator", lambda: approve_count(cycle_count_id=desk.counted.pk)),
        ),
        "an operator above the limit": (
            "above_adjustment_limit",
            lambda: acting(
                "operator",
                lambda: adjust_stock(warehouse_id=desk.here, adjustments=[adjustment]),
            ),
        ),
        "a viewer adjusts": (
            "may_not:floor_work",
            lambda: acting(
                "viewer", lambda: adjust_stock(warehouse_id=desk.here, adjustments=[adjustment])
            ),
        ),
        "scrapping upwards": (
            "invalid:wrong_direction",
            lambda: adjust_stock(
                warehouse_id=desk.here,
                adjustments=[Adjustment(flour, storage, D(1), MovementReason.SCRAP)],
            ),
        ),
    }
    assert wrong_answers(desk, cases) == {}
    acting("manager", lambda: approve_count(cycle_count_id=desk.counted.pk))
    line = desk.site.line(desk.milk, 1, "storage", "quarantine", lot_id=desk.good.pk)
    [moved] = post_movements(lines=[line])
    again: Cases = {
        "posting a count of stock that moved": (
            "stale_count",
            lambda: acting("manager", lambda: post_count(cycle_count_id=desk.counted.pk)),
        ),
        "approving twice": (
            "wrong_count_state",
            lambda: acting("manager", lambda: approve_count(cycle_count_id=desk.counted.pk)),
        ),
    }
    assert CycleCount.objects.get(pk=desk.counted.pk).state == CountState.APPROVED
    assert wrong_answers(desk, again) == {}
    reverse_movement(movement_id=moved)
    once: Cases = {
        "reversing twice": ("already_reversed", lambda: reverse_movement(movement_id=moved)),
        "reversing nothing": ("not_found", lambda: reverse_movement(movement_id=NOBODY)),
    }
    assert wrong_answers(desk, once) == {}


def test_who_comes_too_late_behind_all_locks_leaves_no_trace(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    sale, task = desk.picked_sale.pk, desk.task
    package = open_package(sales_order_id=sale).pk
    scanned = Pick(task.pk, desk.storage, desk.flour.pk, None)
    late = {
        "packed_meanwhile": (packing, lambda: pack_rest(package_id=package)),
        "lines_out_of_step": (pick_work, lambda: pick(wave_id=task.wave_id, picks=[scanned])),
    }
    for code, (module, act) in late.items():
        with monkeypatch.context() as patch:
            changes_nothing(patch, module, code)
            assert desk.answer(act) == code
    pack_rest(package_id=package)
    changes_nothing(monkeypatch, staging, "staged_meanwhile")
    assert desk.answer(lambda: stage_order(sales_order_id=sale)) == "staged_meanwhile"


GUARDS = {
    "packed_meanwhile": "PACK_ALLOCATIONS",
    "lines_out_of_step": "PICK_LINES",
    "staged_meanwhile": "STAGE_ALLOCATIONS",
}


def changes_nothing(patch: pytest.MonkeyPatch, module: Any, code: str) -> None:
    """Let the guarded update find no row, as if somebody had been faster."""
    guarded = getattr(module, GUARDS[code])
    patch.setattr(module, GUARDS[code], f"{guarded} AND false")
