"""Returns to suppliers: drafted, sent, closed, or called back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from inventory.models import (
    DocumentKind,
    LocationKind,
    MovementReason,
    PurchaseOrder,
    StockMovement,
    Supplier,
    SupplierReturn,
    SupplierReturnLine,
    SupplierReturnState,
    Warehouse,
)
from inventory.queries.places import standard_location
from inventory.services.ledger import MovementLine, post_movements, reverse_movement
from inventory.services.ledger_balances import execute
from inventory.services.numbers import take_numbers
from inventory.services.return_sql import KEEP_IN_QUARANTINE
from inventory.services.rows import check_version, load
from inventory.services.supplier_return_lines import ReturningLine, build_return_lines
from tenancy.errors import Conflict, Invalid, NotFound
from tenancy.permissions import Permission, require
from tenancy.scope import active_tenant_id
from tenancy.services import audit

__all__ = [
    "ReturningLine",
    "SupplierReturnFields",
    "SupplierReturnHasNoLines",
    "WrongSupplierReturnState",
    "add_supplier_return_lines",
    "call_back_supplier_return",
    "cancel_supplier_return",
    "close_supplier_return",
    "create_supplier_return",
    "remove_supplier_return_line",
    "send_supplier_return",
]


@dataclass(frozen=True, slots=True)
class SupplierReturnFields:
    """What is said about a return; ``reference`` is the number the supplier gave for it."""

    reference: str = ""
    reason: str = ""
    purchase_order_id: int | None = None


class WrongSupplierReturnState(Conflict):
    """The return is not in a state in which this can be done."""

    code = "wrong_supplier_return_state"

    def __init__(self, back: SupplierReturn, *allowed: SupplierReturnState) -> None:
        message = _("Return %(number)s is %(state)s; this is possible only when %(allowed)s.") % {
            "number": back.number,
            "state": SupplierReturnState(back.state).label,
            "allowed": " / ".join(str(state.label) for state in allowed),
        }
        names = [str(state) for state in allowed]
        super().__init__(message, number=back.number, state=back.state, allowed=names)


class SupplierReturnHasNoLines(Conflict):
    """A return without lines sends nothing."""

    code = "supplier_return_has_no_lines"

    def __init__(self, back: SupplierReturn) -> None:
        message = _("Return %(number)s has no lines: add what goes back.")
        super().__init__(message % {"number": back.number}, number=back.number)


def create_supplier_return(
    *,
    supplier_id: int,
    warehouse_id: int,
    fields: SupplierReturnFields | None = None,
    lines: Sequence[ReturningLine] = (),
) -> SupplierReturn:
    """Create a draft; with a purchase order, its lines take that order's prices.

    Raises ``NotFound``, ``Invalid``, also for an order of another supplier.
    """
    require(Permission.BUY)
    known = fields or SupplierReturnFields()
    supplier, warehouse = load(Supplier, supplier_id), load(Warehouse, warehouse_id)
    order = None
    if known.purchase_order_id is not None:
        order = load(PurchaseOrder, known.purchase_order_id)
        if order.supplier_id != supplier.pk:
            message = _("Order %(number)s is of another supplier.") % {"number": order.number}
            raise Invalid.field("purchase_order_id", "other_supplier", message)
    back = SupplierReturn(
        supplier=supplier,
        warehouse=warehouse,
        purchase_order=order,
        reference=known.reference,
        reason=known.reason,
    )
    built = build_return_lines(back, lines)
    with transaction.atomic():
        [back.number] = take_numbers(DocumentKind.SUPPLIER_RETURN)
        back.save()
        SupplierReturnLine.objects.bulk_create(built)
        audit.record("supplier_return.created", back, number=back.number, lines=len(built))
    return back


def add_supplier_return_lines(
    *, supplier_return_id: int, lines: Sequence[ReturningLine], version: int | None = None
) -> SupplierReturn:
    """Add lines to a draft.

    Raises ``NotFound``, ``StaleVersion``, ``WrongSupplierReturnState``, ``Invalid``.
    """
    require(Permission.BUY)
    with transaction.atomic():
        back = _lock(supplier_return_id, SupplierReturnState.DRAFT, version=version)
        built = SupplierReturnLine.objects.bulk_create(build_return_lines(back, lines))
        _save(back)
        audit.record("supplier_return.lines_added", back, number=back.number, lines=len(built))
    return back


def remove_supplier_return_line(
    *, supplier_return_id: int, supplier_return_line_id: int, version: int | None = None
) -> SupplierReturn:
    """Take a line off a draft; goods of a customer's return then stay in quarantine.

    Raises ``NotFound``, ``StaleVersion``, ``WrongSupplierReturnState``.
    """
    require(Permission.BUY)
    with transaction.atomic():
        back = _lock(supplier_return_id, SupplierReturnState.DRAFT, version=version)
        line = load(SupplierReturnLine, supplier_return_line_id)
        if line.supplier_return_id != back.pk:
            raise NotFound("line of the return", supplier_return_line_id)
        _keep_in_quarantine([line])
        line.delete()
        _save(back)
        audit.record(
            "supplier_return.line_removed", back, number=back.number, product=line.product_id
        )
    return back


def send_supplier_return(
    *,
    supplier_return_id: int,
    version: int | None = None,
    sent_at: datetime | None = None,
) -> SupplierReturn:
    """Send a draft to the supplier: its goods leave the places its lines name.

    Raises ``NotFound``, ``StaleVersion``, ``WrongSupplierReturnState``,
    ``SupplierReturnHasNoLines``, ``Invalid``, ``InsufficientStock``.
    """
    require(Permission.FLOOR_WORK)
    with transaction.atomic():
        back = _lock(supplier_return_id, SupplierReturnState.DRAFT, version=version)
        lines = list(back.lines.order_by("id"))
        if not lines:
            raise SupplierReturnHasNoLines(back)
        supplier = standard_location(back.warehouse_id, LocationKind.SUPPLIER)
        post_movements(
            lines=[
                MovementLine(
                    product_id=line.product_id,
                    from_location_id=line.location_id,
                    to_location_id=supplier.pk,
                    quantity=line.quantity,
                    reason=MovementReason.SUPPLIER_RETURN,
                    lot_id=line.lot_id,
                )
                for line in lines
            ],
            effective_at=sent_at,
            document=back,
        )
        back.state = SupplierReturnState.SENT
        back.sent_at = sent_at or timezone.now()
        _save(back)
        audit.record("supplier_return.sent", back, number=back.number, lines=len(lines))
    return back


def call_back_supplier_return(
    *, supplier_return_id: int, reason: str, version: int | None = None
) -> SupplierReturn:
    """Take a sent return back to a draft: the goods lie where they lay. Say why.

    Raises ``NotFound``, ``StaleVersion``, ``WrongSupplierReturnState``, ``Invalid`` without reason.
    """
    require(Permission.FLOOR_WORK)
    words = reason.strip()
    with transaction.atomic():
        back = _lock(supplier_return_id, SupplierReturnState.SENT, version=version)
        if not words:
            raise Invalid.field("reason", "required", _("Say why the return is called back."))
        sent = StockMovement.objects.filter(
            document_kind=SupplierReturn.__name__, document_id=back.pk, reverses=None
        )
        # those that an earlier calling back has taken back already have their reversal
        done = StockMovement.objects.filter(reverses__in=sent.values("pk")).values("reverses_id")
        for movement_id in sent.exclude(pk__in=done).order_by("id").values_list("pk", flat=True):
            reverse_movement(movement_id=movement_id, note=words[:200], by_document=True)
        back.state, back.sent_at = SupplierReturnState.DRAFT, None
        _save(back)
        audit.record("supplier_return.called_back", back, number=back.number, reason=words)
    return back


def close_supplier_return(*, supplier_return_id: int, version: int | None = None) -> SupplierReturn:
    """Close a sent return: the supplier has settled it.

    Raises ``NotFound``, ``StaleVersion``, ``WrongSupplierReturnState``.
    """
    require(Permission.BUY)
    with transaction.atomic():
        back = _lock(supplier_return_id, SupplierReturnState.SENT, version=version)
        back.state = SupplierReturnState.CLOSED
        _save(back)
        audit.record("supplier_return.closed", back, number=back.number)
    return back


def cancel_supplier_return(
    *, supplier_return_id: int, version: int | None = None, reason: str = ""
) -> SupplierReturn:
    """Cancel a draft; goods of customers' returns then stay in quarantine.

    Raises ``NotFound``, ``StaleVersion``, ``WrongSupplierReturnState``.
    """
    require(Permission.BUY)
    with transaction.atomic():
        back = _lock(supplier_return_id, SupplierReturnState.DRAFT, version=version)
        _keep_in_quarantine(list(back.lines.all()))
        back.state = SupplierReturnState.CANCELLED
        _save(back)
        audit.record("supplier_return.cancelled", back, number=back.number, reason=reason)
    return back


def _keep_in_quarantine(lines: Sequence[SupplierReturnLine]) -> None:
    tenant_id = active_tenant_id()
    execute(KEEP_IN_QUARANTINE, [tenant_id, [line.pk for line in lines], tenant_id])


def _lock(
    supplier_return_id: int, allowed: SupplierReturnState, *, version: int | None
) -> SupplierReturn:
    back = load(SupplierReturn, supplier_return_id, lock=True)
    check_version(back, version)
    if back.state != allowed:
        raise WrongSupplierReturnState(back, allowed)
    return back


def _save(back: SupplierReturn) -> None:
    back.version += 1
    back.save()
