"""Receiving: a delivery is a receipt, opened, filled line by line, and completed.

Stock moves when it is completed, and the order it is of counts it then. Its lines and what it does
have rooms of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from inventory.models import (
    DifferenceReason,
    Location,
    LocationKind,
    PurchaseOrder,
    PurchaseOrderLine,
    PurchaseOrderState,
    Receipt,
    ReceiptLine as Line,
    ReceiptState,
    Supplier,
    Warehouse,
    WorkKind,
)
from inventory.queries.places import standard_locations
from inventory.services.numbers import take_numbers
from inventory.services.purchasing import WrongOrderState, refuse_inactive
from inventory.services.receipt_corrections import reverse_receipt_line
from inventory.services.receipt_errors import (
    DifferenceUnexplained,
    DifferentLine,
    LineAlreadyReversed,
    OverLine,
    OverReceipt,
    WrongReceiptState,
)
from inventory.services.receipt_lines import (
    Arrival,
    add_receipt_line,
    build_receipt_lines,
    change_receipt_line,
    load_open_receipt,
    remove_receipt_line,
)
from inventory.services.receipt_posting import (
    add_received,
    advance_order,
    completed_lines,
    differences,
    explain,
    observe_lead_times,
    post_goods,
    sum_by_order_line,
)
from inventory.services.rows import load
from inventory.services.worklists import finish_work
from tenancy.errors import Invalid, NotFound, Problem
from tenancy.permissions import Permission, require
from tenancy.scope import active_scope
from tenancy.services import audit

__all__ = [
    "Arrival",
    "DifferenceUnexplained",
    "DifferentLine",
    "LineAlreadyReversed",
    "OverLine",
    "OverReceipt",
    "ReceiptLine",
    "WrongReceiptState",
    "add_receipt_line",
    "cancel_receipt",
    "change_receipt_line",
    "complete_receipt",
    "open_receipt",
    "receive_order",
    "remove_receipt_line",
    "reverse_receipt_line",
]

OPEN = (PurchaseOrderState.PLACED, PurchaseOrderState.PARTIALLY_RECEIVED)
RECEIVING_KINDS = (LocationKind.RECEIVING, LocationKind.STORAGE, LocationKind.QUARANTINE)


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """What arrived of one order line; otherwise as an ``Arrival``.

    Lot-tracked products need ``lot_code``; an order line may come in several lots, one line each.
    """

    line_id: int
    quantity: Decimal
    lot_code: str = ""
    expires_on: date | None = None
    damaged: Decimal = Decimal(0)
    packaging_id: int | None = None
    difference_reason: str = DifferenceReason.NONE


def open_receipt(
    *,
    order_id: int | None = None,
    supplier_id: int | None = None,
    warehouse_id: int | None = None,
    location_id: int | None = None,
    delivery_note: str = "",
    note: str = "",
) -> Receipt:
    """Open a receipt of a placed order, or a blind one of a supplier's goods at a warehouse.

    ``location_id`` is where goods go (default: the receiving dock). Raises ``NotFound``,
    ``Invalid``, ``WrongOrderState``.
    """
    require(Permission.FLOOR_WORK)
    if order_id is not None:
        order = _load_open_order(order_id)
        supplier, warehouse = order.supplier, order.warehouse
        _refuse_other_parties(order, supplier_id, warehouse_id)
    elif supplier_id is None or warehouse_id is None:
        message = _("Name the order, or for goods without one the supplier and the warehouse.")
        raise Invalid.field("order_id", "supplier_and_warehouse", message)
    else:
        order, supplier = None, load(Supplier, supplier_id)
        warehouse = load(Warehouse, warehouse_id)
        refuse_inactive(supplier, warehouse)
    receipt = Receipt(
        purchase_order=order,
        supplier=supplier,
        warehouse=warehouse,
        location=_place(warehouse, location_id, "location_id"),
        delivery_note=delivery_note,
        note=note,
    )
    _refuse_long_texts(receipt)
    _sign(receipt)
    receipt.save()
    audit.record("receipt.opened", receipt, number=receipt.number)
    return receipt


def complete_receipt(
    *,
    receipt_id: int,
    version: int | None = None,
    received_at: datetime | None = None,
    accept_differences: bool = False,
) -> Receipt:
    """Post what the receipt says arrived, and count it as received on its order.

    More or less than is open needs a reason on a line of it, unless ``accept_differences`` takes it
    as over- or short-delivered. A completed order line yields a lead-time observation.

    Raises ``NotFound``, ``StaleVersion``, ``WrongReceiptState``, ``WrongOrderState``, ``Invalid``,
    ``DifferenceUnexplained``, ``OverReceipt``.
    """
    require(Permission.FLOOR_WORK)
    with transaction.atomic():
        receipt = load_open_receipt(receipt_id, version)
        order, order_lines = None, {}
        if receipt.purchase_order_id is not None:
            order = _load_open_order(receipt.purchase_order_id)
            order_lines = _order_lines(order)
        lines = _lines(receipt, order_lines)
        _check(lines, order, received_at)
        delivery = _Delivery(receipt, lines, order, order_lines, received_at)
        _complete(delivery, accept_differences=accept_differences)
    return receipt


def cancel_receipt(*, receipt_id: int, version: int | None = None, reason: str = "") -> Receipt:
    """Cancel an open receipt: nothing of it has moved, and nothing will.

    Raises ``NotFound``, ``StaleVersion``, ``WrongReceiptState``.
    """
    require(Permission.FLOOR_WORK)
    receipt = load_open_receipt(receipt_id, version)
    receipt.state = ReceiptState.CANCELLED
    receipt.version += 1
    receipt.save(update_fields=["state", "version"])
    audit.record("receipt.cancelled", receipt, number=receipt.number, reason=reason)
    return receipt


def receive_order(
    *,
    order_id: int,
    lines: Sequence[ReceiptLine],
    received_at: datetime | None = None,
    to_location_id: int | None = None,
) -> PurchaseOrder:
    """Receive goods of a placed order by one completed receipt, in as many statements for 500 lines
    as for one.

    Goods go to ``to_location_id`` (default: the receiving dock). A difference without a reason is
    taken as over- or short-delivered. Raises ``NotFound``, ``Invalid``, ``WrongOrderState``,
    ``OverReceipt``.
    """
    require(Permission.FLOOR_WORK)
    with transaction.atomic():
        order = _load_open_order(order_id)
        order_lines = _order_lines(order)
        receipt = Receipt(
            purchase_order=order,
            supplier_id=order.supplier_id,
            warehouse=order.warehouse,
            location=_place(order.warehouse, to_location_id, "to_location_id"),
        )
        by_product = {line.product_id: line for line in order_lines.values()}
        arrivals = [_arrival(number, line, order_lines) for number, line in enumerate(lines)]
        built = build_receipt_lines(receipt, arrivals, by_product)
        _check(built, order, received_at)
        _sign(receipt)
        receipt.save()
        Line.objects.bulk_create(built)
        delivery = _Delivery(receipt, built, order, order_lines, received_at)
        _complete(delivery, accept_differences=True)
    return order


@dataclass(frozen=True, slots=True)
class _Delivery:
    """A receipt with its lines, and the locked order it is of with all of its lines."""

    receipt: Receipt
    lines: Sequence[Line]
    order: PurchaseOrder | None
    order_lines: Mapping[int, PurchaseOrderLine]
    received_at: datetime | None


def _complete(delivery: _Delivery, *, accept_differences: bool) -> None:
    receipt, lines, order = delivery.receipt, delivery.lines, delivery.order
    moment = delivery.received_at or timezone.now()
    arriving = sum_by_order_line(lines)
    explain(lines, differences(arriving, delivery.order_lines), plainly=accept_differences)
    add_received(arriving, delivery.order_lines)
    post_goods(receipt, lines, delivery.received_at)
    if order is not None:
        completed = completed_lines(arriving, delivery.order_lines)
        observe_lead_times(order, completed, moment)
        advance_order(order, delivery.order_lines, moment)
        finish_work(kind=WorkKind.RECEIVE, subject_id=order.pk)
        audit.record("purchase_order.received", order, number=order.number, lines=len(lines))
    receipt.state = ReceiptState.COMPLETED
    receipt.completed_at = moment
    receipt.version += 1
    receipt.save(update_fields=["state", "completed_at", "version"])
    audit.record("receipt.completed", receipt, number=receipt.number, lines=len(lines))


def _check(
    lines: Sequence[Line], order: PurchaseOrder | None, received_at: datetime | None
) -> None:
    if not lines:
        raise Invalid.field("lines", "empty", _("There is nothing to receive."))
    moment = received_at or timezone.now()
    if timezone.is_naive(moment):
        message = _("Give the moment with its time zone.")
        raise Invalid.field("received_at", "naive", message)
    if order is not None and order.placed_at is not None and moment < order.placed_at:
        message = _("Goods cannot arrive before the order was placed.")
        raise Invalid.field("received_at", "before_placed", message)


def _load_open_order(order_id: int) -> PurchaseOrder:
    order = load(PurchaseOrder, order_id, lock=True)
    if order.state not in OPEN:
        raise WrongOrderState(order, *OPEN)
    return order


def _order_lines(order: PurchaseOrder) -> dict[int, PurchaseOrderLine]:
    return {line.pk: line for line in order.lines.select_related("product")}


def _lines(receipt: Receipt, order_lines: Mapping[int, PurchaseOrderLine]) -> list[Line]:
    lines = list(receipt.lines.select_related("product").order_by("id"))
    for line in lines:
        if line.order_line_id is not None:
            line.order_line = order_lines[line.order_line_id]
    return lines


def _arrival(
    number: int, line: ReceiptLine, order_lines: Mapping[int, PurchaseOrderLine]
) -> Arrival:
    if line.line_id not in order_lines:
        raise NotFound("order line", line.line_id, line=number)
    return Arrival(
        product_id=order_lines[line.line_id].product_id,
        quantity=line.quantity,
        packaging_id=line.packaging_id,
        damaged=line.damaged,
        lot_code=line.lot_code,
        expires_on=line.expires_on,
        difference_reason=line.difference_reason,
    )


def _refuse_other_parties(
    order: PurchaseOrder, supplier_id: int | None, warehouse_id: int | None
) -> None:
    given = {"supplier_id": supplier_id, "warehouse_id": warehouse_id}
    for field, value in given.items():
        if value is not None and value != getattr(order, field):
            message = _("The order %(number)s has another one: leave this out.")
            raise Invalid.field(field, "not_the_orders", message % {"number": order.number})


def _place(warehouse: Warehouse, location_id: int | None, field: str) -> Location:
    """Return where goods go: the dock, or the named place if goods may arrive there."""
    if location_id is None:
        dock = standard_locations(warehouse.pk).get(LocationKind.RECEIVING)
        if dock is None:
            message = _("The warehouse %(code)s has no receiving place in use: add one.")
            raise Invalid.field(field, "no_dock", message % {"code": warehouse.code})
        return dock
    place = load(Location, location_id)
    if place.warehouse_id != warehouse.pk:
        raise NotFound("location", location_id)
    if place.kind not in RECEIVING_KINDS:
        message = _("%(code)s is neither a dock nor a storage or quarantine location.")
        raise Invalid.field(field, "not_for_receiving", message % {"code": place.code})
    return place


def _refuse_long_texts(receipt: Receipt) -> None:
    problems = [
        Problem(field, "too_long", _("At most %(most)d characters.") % {"most": most})
        for field, most in (("delivery_note", 64), ("note", 200))
        if len(getattr(receipt, field)) > most
    ]
    if problems:
        raise Invalid(problems)


def _sign(receipt: Receipt) -> None:
    """Give the receipt its number and who opened it."""
    [receipt.number] = take_numbers("RC")
    receipt.created_by_label = active_scope().actor.label[:160]
