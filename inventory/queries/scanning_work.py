"""What there is to do for a scanned document, the next thing first."""

from __future__ import annotations

from collections.abc import Callable

from inventory.models import (
    CountState,
    CustomerReturnState,
    PackageState,
    PickState,
    PickTask,
    PurchaseOrderState,
    ReceiptState,
    SalesOrderState,
    TransferState,
    Wave,
    WaveState,
)
from inventory.queries.counting import get_count
from inventory.queries.packing import get_order, get_package, packing_totals
from inventory.queries.picking import wave_order_ids
from inventory.queries.purchasing import get_purchase_order
from inventory.queries.receiving import get_receipt
from inventory.queries.returns import get_return, returnable_lines
from inventory.queries.scanning import Scanned
from inventory.queries.shipping import get_shipment
from inventory.queries.transfers import get_transfer
from inventory.queries.waves import get_wave, waiting_allocations, waves

TO_PROMISE = (
    SalesOrderState.DRAFT,
    SalesOrderState.CONFIRMED,
    SalesOrderState.BACKORDERED,
    SalesOrderState.PARTIALLY_ALLOCATED,
    SalesOrderState.ALLOCATED,
)


def work_of(found: Scanned) -> list[str]:
    """Return the commands of the flows that have work with this document, the next one first."""
    look = WORK.get(found.document_kind)
    return [] if look is None else look(found.id)


def open_wave_of(sales_order_id: int) -> Wave | None:
    """Return the oldest released wave that still fetches goods of the order, or None."""
    tasks = PickTask.objects.filter(sales_order_id=sales_order_id, state=PickState.OPEN)
    rows = waves().filter(state=WaveState.RELEASED, pk__in=tasks.values("wave_id"))
    return rows.order_by("id").first()


def has_promises_to_pick(sales_order_id: int) -> bool:
    """Tell whether goods of the order can be fetched now, in its wave or in one of its own."""
    if open_wave_of(sales_order_id) is not None:
        return True
    return waiting_allocations().filter(order_line__order_id=sales_order_id).exists()


def order_work(sales_order_id: int) -> list[str]:
    """Return what is next for an order: packages that are closed leave before more is packed."""
    order = get_order(sales_order_id)
    totals = packing_totals([order.pk])[order.pk]
    to_pack = totals.goods_left > 0 or totals.open > 0
    to_pick = has_promises_to_pick(order.pk)
    next_first = [
        ("pack", to_pack),
        ("ship", totals.closed > 0),
        ("order", to_pick or order.state in TO_PROMISE),
        ("return", returnable_lines(order.pk).exists()),
    ]
    found = [command for command, has_work in next_first if has_work]
    # what the order stands at is always worth a look
    return found if "order" in found else [*found, "order"]


def _purchase_order(document_id: int) -> list[str]:
    is_open = get_purchase_order(document_id).state in PurchaseOrderState.on_order()
    return ["receive"] if is_open else []


def _receipt(document_id: int) -> list[str]:
    return ["receive"] if get_receipt(document_id).state == ReceiptState.OPEN else []


def _wave(document_id: int) -> list[str]:
    wave = get_wave(document_id)
    tasks = PickTask.objects.filter(wave=wave, state=PickState.OPEN)
    found = ["pick"] if wave.state == WaveState.RELEASED and tasks.exists() else []
    totals = packing_totals(list(wave_order_ids(wave.pk))).values()
    return found + (["pack"] if any(row.goods_left or row.open for row in totals) else [])


def _package(document_id: int) -> list[str]:
    states = {PackageState.OPEN: "pack", PackageState.CLOSED: "ship"}
    return [states.get(PackageState(get_package(document_id).state), "return")]


def _shipment(document_id: int) -> list[str]:
    order_id = get_shipment(document_id).sales_order_id
    return ["return"] if returnable_lines(order_id).exists() else []


def _count(document_id: int) -> list[str]:
    state = get_count(document_id).state
    if state in CountState.to_count():
        return ["count"]
    return ["review"] if state in (CountState.COUNTED, CountState.APPROVED) else []


def _return(document_id: int) -> list[str]:
    back = get_return(document_id)
    lines = list(back.lines.all())
    is_open = back.state in (CustomerReturnState.EXPECTED, CustomerReturnState.RECEIVED)
    to_receive = is_open and any(line.quantity_received < line.quantity for line in lines)
    to_inspect = is_open and any(line.to_inspect > 0 for line in lines)
    return ["inspect"] * to_inspect + ["return"] * to_receive


def _transfer(document_id: int) -> list[str]:
    states = {
        TransferState.RELEASED: ["send"],
        # what is left at its origin may follow
        TransferState.IN_TRANSIT: ["receive", "send"],
    }
    return states.get(TransferState(get_transfer(document_id).state), [])


WORK: dict[str, Callable[[int], list[str]]] = {
    "PurchaseOrder": _purchase_order,
    "Receipt": _receipt,
    "SalesOrder": order_work,
    "Wave": _wave,
    "Package": _package,
    "Shipment": _shipment,
    "CycleCount": _count,
    "CustomerReturn": _return,
    "TransferOrder": _transfer,
}
