"""Corrections of completed receipts: a line is taken back by reversing movements, once."""

from __future__ import annotations

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from inventory.models import (
    LeadTimeObservation,
    PurchaseOrder,
    PurchaseOrderLine,
    Receipt,
    ReceiptLine,
    ReceiptState,
)
from inventory.services.ledger import reverse_movement
from inventory.services.receipt_errors import LineAlreadyReversed, WrongReceiptState
from inventory.services.receipt_posting import advance_order, placed_and_received_on
from inventory.services.rows import check_version, load
from tenancy.errors import Invalid, NotFound
from tenancy.permissions import Permission, require
from tenancy.scope import active_tenant_id
from tenancy.services import audit

# what was counted once is taken off once; the line's own update below says that it is the first
TAKE_OFF_RECEIVED = """
    UPDATE inventory_purchaseorderline
    SET quantity_received = quantity_received - %s
    WHERE tenant_id = %s AND id = %s AND quantity_received >= %s
"""


def reverse_receipt_line(
    *, receipt_id: int, receipt_line_id: int, reason: str, version: int | None = None
) -> Receipt:
    """Take back what a line of a completed receipt posted, and count it as not received again.

    The goods must still lie where they were received. An order that was received is open again; a
    closed one stays closed. Raises ``NotFound``, ``StaleVersion``, ``WrongReceiptState``,
    ``LineAlreadyReversed``, ``Invalid`` without a reason, ``InsufficientStock`` when the goods have
    moved on.
    """
    require(Permission.FLOOR_WORK)
    if not reason.strip():
        message = _("Say why the line is taken back.")
        raise Invalid.field("reason", "required", message)
    with transaction.atomic():
        receipt = load(Receipt, receipt_id, lock=True)
        check_version(receipt, version)
        if receipt.state != ReceiptState.COMPLETED:
            raise WrongReceiptState(receipt, ReceiptState.COMPLETED)
        line = _take_back(receipt, receipt_line_id, reason)
        if receipt.purchase_order_id is not None and line.order_line_id is not None:
            order = load(PurchaseOrder, receipt.purchase_order_id, lock=True)
            _lower_received(order, load(PurchaseOrderLine, line.order_line_id), receipt, line)
        receipt.version += 1
        receipt.save(update_fields=["version"])
        audit.record(
            "receipt.line_reversed",
            receipt,
            line=line.pk,
            product=line.product_id,
            quantity=str(line.quantity),
            reason=reason,
        )
    return receipt


def _take_back(receipt: Receipt, receipt_line_id: int, reason: str) -> ReceiptLine:
    line = load(ReceiptLine, receipt_line_id)
    if line.receipt_id != receipt.pk:
        raise NotFound("receipt line", receipt_line_id)
    now = timezone.now()
    first = ReceiptLine.objects.filter(pk=line.pk, reversed_at=None).update(reversed_at=now)
    if not first:
        raise LineAlreadyReversed(line)
    for movement_id in (line.movement_id, line.damaged_movement_id):
        if movement_id is not None:
            reverse_movement(movement_id=movement_id, note=reason[:200], by_document=True)
    return line


def _lower_received(
    order: PurchaseOrder, before: PurchaseOrderLine, receipt: Receipt, line: ReceiptLine
) -> None:
    with connection.cursor() as cursor:
        arguments = [line.quantity, active_tenant_id(), before.pk, line.quantity]
        cursor.execute(TAKE_OFF_RECEIVED, arguments)
        assert cursor.rowcount == 1  # noqa: S101 - what was completed was counted
    if before.quantity <= before.quantity_received < before.quantity + line.quantity:
        _forget_lead_time(order, receipt, line)
    order_lines = {row.pk: row for row in order.lines.all()}
    advance_order(order, order_lines, order.received_at or timezone.now())


def _forget_lead_time(order: PurchaseOrder, receipt: Receipt, line: ReceiptLine) -> None:
    """Drop the observation of a completion that did not happen; equal ones teach the same."""
    assert receipt.completed_at is not None  # noqa: S101 - only completed ones are corrected
    placed_on, received_on = placed_and_received_on(order, receipt.completed_at)
    observed = LeadTimeObservation.objects.filter(
        supplier_id=order.supplier_id,
        product_id=line.product_id,
        placed_on=placed_on,
        received_on=received_on,
        transport_mode=order.transport_mode,
    ).first()
    if observed is not None:
        observed.delete()
