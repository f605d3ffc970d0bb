"""Transfers between warehouses: drafted, changed, cancelled.

Promising, sending and receiving have rooms of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from inventory.models import (
    DocumentKind,
    TransferLine,
    TransferOrder,
    TransferState,
    Warehouse,
    WorkKind,
)
from inventory.rules.units import quantity_fault
from inventory.services.numbers import take_numbers
from inventory.services.rows import load
from inventory.services.transfer_corrections import ArrivedAlready, reverse_transfer_movement
from inventory.services.transfer_lines import AskedLine, build_lines
from inventory.services.transfer_promises import (
    ShortTransfer,
    TransferHasNoLines,
    free_promises,
    refuse_inactive,
    release_transfer,
)
from inventory.services.transfer_receiving import (
    LostGoods,
    MoreThanSent,
    ReceivedGoods,
    receive_transfer,
    state_transfer_loss,
)
from inventory.services.transfer_sending import (
    LotNotGood,
    MoreThanAsked,
    NothingToSend,
    SentGoods,
    end_sending,
    send_transfer,
)
from inventory.services.transfer_states import WrongTransferState, lock_transfer, save_transfer
from inventory.services.worklists import finish_work
from tenancy.errors import Invalid, NotFound
from tenancy.permissions import Permission, require
from tenancy.services import audit

__all__ = [
    "ArrivedAlready",
    "AskedLine",
    "LostGoods",
    "LotNotGood",
    "MoreThanAsked",
    "MoreThanSent",
    "NothingToSend",
    "ReceivedGoods",
    "SentGoods",
    "ShortTransfer",
    "TransferHasNoLines",
    "WrongTransferState",
    "add_transfer_lines",
    "cancel_transfer",
    "create_transfer",
    "end_sending",
    "receive_transfer",
    "release_transfer",
    "remove_transfer_line",
    "reverse_transfer_movement",
    "send_transfer",
    "state_transfer_loss",
]


def create_transfer(
    *,
    from_warehouse_id: int,
    to_warehouse_id: int,
    lines: Sequence[AskedLine] = (),
    expected_on: date | None = None,
    note: str = "",
    transport_cost: Decimal | None = None,
) -> TransferOrder:
    """Create a draft, which commits to nothing. Raises ``NotFound``, ``Invalid``."""
    require(Permission.PLAN)
    origin = load(Warehouse, from_warehouse_id)
    destination = load(Warehouse, to_warehouse_id)
    if origin.pk == destination.pk:
        message = _("A transfer goes to another warehouse. Within one, stock is moved.")
        raise Invalid.field("to_warehouse_id", "same_warehouse", message)
    refuse_inactive(origin, destination)
    if transport_cost and quantity_fault(transport_cost, whole_units=False):
        message = _("The transport cost is not an amount of money from zero up.")
        raise Invalid.field("transport_cost", "not_an_amount", message)
    order = TransferOrder(
        from_warehouse=origin,
        to_warehouse=destination,
        expected_on=expected_on,
        note=note,
        transport_cost=transport_cost,
    )
    built = build_lines(order, lines)
    with transaction.atomic():
        [order.number] = take_numbers(DocumentKind.TRANSFER)
        order.save()
        TransferLine.objects.bulk_create(built)
        audit.record("transfer.created", order, number=order.number, lines=len(built))
    return order


def add_transfer_lines(
    *, transfer_order_id: int, lines: Sequence[AskedLine], version: int | None = None
) -> TransferOrder:
    """Add lines to a draft.

    Raises ``NotFound``, ``StaleVersion``, ``WrongTransferState``, ``Invalid``.
    """
    require(Permission.PLAN)
    with transaction.atomic():
        order = lock_transfer(transfer_order_id, TransferState.DRAFT, version=version)
        built = TransferLine.objects.bulk_create(build_lines(order, lines))
        save_transfer(order)
        audit.record("transfer.lines_added", order, number=order.number, lines=len(built))
    return order


def remove_transfer_line(
    *, transfer_order_id: int, line_id: int, version: int | None = None
) -> TransferOrder:
    """Take a line off a draft. Raises ``NotFound``, ``StaleVersion``, ``WrongTransferState``."""
    require(Permission.PLAN)
    with transaction.atomic():
        order = lock_transfer(transfer_order_id, TransferState.DRAFT, version=version)
        line = load(TransferLine, line_id)
        if line.order_id != order.pk:
            raise NotFound("transfer line", line_id)
        line.delete()
        save_transfer(order)
        audit.record("transfer.line_removed", order, number=order.number, product=line.product_id)
    return order


def cancel_transfer(
    *, transfer_order_id: int, version: int | None = None, reason: str = ""
) -> TransferOrder:
    """Cancel a draft, or a released transfer of which nothing has left: its stock is free again.

    Raises ``NotFound``, ``StaleVersion``, ``WrongTransferState``.
    """
    require(Permission.PLAN)
    allowed = (TransferState.DRAFT, TransferState.RELEASED)
    with transaction.atomic():
        order = lock_transfer(transfer_order_id, *allowed, version=version)
        free_promises(order)
        order.state = TransferState.CANCELLED
        save_transfer(order)
        finish_work(kind=WorkKind.SEND_TRANSFER, subject_id=order.pk)
        audit.record("transfer.cancelled", order, number=order.number, reason=reason)
    return order
