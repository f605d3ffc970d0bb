"""What is to be received, and receipts with their lines."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Count, F, Prefetch, Q, QuerySet, Sum
from django.db.models.functions import Greatest

from inventory.models import (
    PurchaseOrder,
    PurchaseOrderLine,
    Receipt,
    ReceiptLine,
    ReceiptState,
    TransferOrder,
    TransferState,
    WorkKind,
)
from inventory.queries.access import in_allowed
from inventory.queries.purchasing import expected_orders, search_purchase_orders
from inventory.queries.worklists import of_assignee
from tenancy.errors import NotFound
from tenancy.scope import active_scope

EXPECTED_ORDER = ("due_on", "id")
NOTHING = Decimal(0)


@dataclass(frozen=True)
class ToCome:
    """Of how many lines of an order something is still to come, and how many receipts are open."""

    lines: int = 0
    open_receipts: int = 0


@dataclass(frozen=True)
class OpenLine:
    """An order line as the dock sees it: still to come, and on receipts that are not completed."""

    line: PurchaseOrderLine
    open: Decimal
    on_receipts: Decimal

    @property
    def differs(self) -> bool:
        """Tell whether something is on open receipts, but not just what is still to come."""
        return bool(self.on_receipts) and self.on_receipts != self.open


def orders_to_receive(
    *, text: str = "", warehouse_id: int | None = None, assignee: str = ""
) -> QuerySet[PurchaseOrder]:
    """Return the orders of which goods are still to come; ``EXPECTED_ORDER`` puts late ones first.

    ``text`` is the start of a number or part of the supplier's name; ``assignee`` as in
    ``of_assignee``.
    """
    rows = expected_orders(search_purchase_orders(text=text))
    if warehouse_id is not None:
        rows = rows.filter(warehouse_id=warehouse_id)
    return of_assignee(rows, WorkKind.RECEIVE, assignee).order_by(*EXPECTED_ORDER)


def transfers_to_receive(
    *, text: str = "", warehouse_id: int | None = None, assignee: str = ""
) -> QuerySet[TransferOrder]:
    """Return the transfers that are on the way, by the day they are expected; unknown days last."""
    rows = in_allowed(
        TransferOrder.objects.filter(state=TransferState.IN_TRANSIT), "to_warehouse_id"
    )
    if text:
        rows = rows.filter(Q(number__istartswith=text) | Q(from_warehouse__name__icontains=text))
    if warehouse_id is not None:
        rows = rows.filter(to_warehouse_id=warehouse_id)
    rows = of_assignee(rows, WorkKind.RECEIVE_TRANSFER, assignee)
    rows = rows.select_related("from_warehouse", "to_warehouse")
    return rows.order_by(F("expected_on").asc(nulls_last=True), "id")


def to_come(order_ids: Collection[int]) -> dict[int, ToCome]:
    """Return what is still to come of each order: two statements."""
    lines = dict(
        PurchaseOrderLine.objects.filter(
            order_id__in=order_ids, quantity_received__lt=F("quantity")
        )
        .order_by()
        .values_list("order_id")
        .annotate(Count("id"))
    )
    opened = dict(
        Receipt.objects.filter(purchase_order_id__in=order_ids, state=ReceiptState.OPEN)
        .order_by()
        .values_list("purchase_order_id")
        .annotate(Count("id"))
    )
    return {pk: ToCome(lines.get(pk, 0), opened.get(pk, 0)) for pk in order_ids}


def receipts() -> QuerySet[Receipt]:
    """Return every receipt with what it is of, newest first."""
    rows = Receipt.objects.select_related("purchase_order", "supplier", "warehouse", "location")
    return in_allowed(rows, "warehouse_id").order_by("-id")


def search_receipts(
    *, text: str = "", warehouse_id: int | None = None, state: str = ""
) -> QuerySet[Receipt]:
    """Return receipts by the start of their number, delivery note or order, or by supplier."""
    rows = receipts()
    if text:
        rows = rows.filter(
            Q(number__istartswith=text)
            | Q(delivery_note__istartswith=text)
            | Q(purchase_order__number__istartswith=text)
            | Q(supplier__name__icontains=text)
        )
    if warehouse_id is not None:
        rows = rows.filter(warehouse_id=warehouse_id)
    if state:
        rows = rows.filter(state=state)
    return rows


def get_receipt(receipt_id: int) -> Receipt:
    """Return the receipt with its lines and their products; raise ``NotFound``."""
    lines = ReceiptLine.objects.select_related("product", "order_line").order_by("id")
    rows = receipts().prefetch_related(Prefetch("lines", lines))
    found = rows.filter(pk=receipt_id).first()
    if found is None:
        raise NotFound("receipt", receipt_id)
    return found


def get_receipt_line(receipt_id: int, receipt_line_id: int) -> ReceiptLine:
    """Return the line of that receipt; raise ``NotFound``."""
    rows = ReceiptLine.objects.select_related("product", "order_line")
    found = rows.filter(receipt_id=receipt_id, pk=receipt_line_id).first()
    if found is None:
        raise NotFound("receipt line", receipt_line_id)
    return found


def my_open_receipt(order_id: int) -> Receipt | None:
    """Return the receipt of the order that the active person has open, the newest; or None."""
    mine = active_scope().actor.label[:160]
    rows = receipts().filter(purchase_order_id=order_id, state=ReceiptState.OPEN)
    return rows.filter(created_by_label=mine).first()


def line_counts(receipt_ids: Collection[int]) -> dict[int, int]:
    """Return how many lines each receipt has: one statement."""
    rows = ReceiptLine.objects.filter(receipt_id__in=receipt_ids).order_by()
    return dict(rows.values_list("receipt_id").annotate(Count("id")))


def receipts_of(order: PurchaseOrder) -> QuerySet[Receipt]:
    """Return the receipts of an order, newest first."""
    return receipts().filter(purchase_order=order)


def open_lines(order_id: int) -> list[OpenLine]:
    """Return the lines of an order with what is still to come of each: two statements."""
    waiting = dict(
        ReceiptLine.objects.filter(order_line__order_id=order_id, receipt__state=ReceiptState.OPEN)
        .order_by()
        .values_list("order_line_id")
        .annotate(Sum("quantity"))
    )
    rows = (
        PurchaseOrderLine.objects.filter(order_id=order_id)
        .select_related("product")
        .annotate(still=Greatest(F("quantity") - F("quantity_received"), NOTHING))
        .order_by("id")
    )
    return [OpenLine(line, line.still, waiting.get(line.pk, NOTHING)) for line in rows]


def is_late(due_on: date | None, today: date) -> bool:
    """Tell whether something should have come before today."""
    return due_on is not None and due_on < today
