"""Corrections of transfers: a movement is taken back, and the transfer counts it no more."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from inventory.models import MovementReason, StockMovement, TransferOrder, TransferState
from inventory.rules.units import plain
from inventory.services import transfer_sql as sql
from inventory.services.ledger import reverse_movement
from inventory.services.ledger_balances import execute
from inventory.services.transfer_states import advance_transfer, lock_transfer
from tenancy.errors import Conflict, Invalid, NotFound
from tenancy.permissions import Permission, require
from tenancy.scope import active_tenant_id
from tenancy.services import audit

UNDER_WAY = (TransferState.IN_TRANSIT, TransferState.RECEIVED)
COUNTERS = {
    MovementReason.TRANSFER_OUT: (1, 0, 0),
    MovementReason.TRANSFER_IN: (0, 1, 0),
    MovementReason.TRANSFER_LOSS: (0, 0, 1),
}
"""Which of sent, received and lost a movement was counted in."""


class ArrivedAlready(Conflict):
    """What left cannot be taken back any more: it has arrived, or is stated as lost."""

    code = "arrived_already"

    def __init__(self, movement: StockMovement) -> None:
        message = _("Of these %(quantity)s some have arrived or are lost: take that back first.")
        quantity = plain(movement.quantity)
        super().__init__(
            message % {"quantity": quantity}, movement_id=movement.pk, quantity=quantity
        )


def reverse_transfer_movement(
    *, transfer_order_id: int, movement_id: int, reason: str
) -> TransferOrder:
    """Take back what a movement of the transfer did, once; say why.

    What left in error lies free at its place again, and is not promised. Raises ``NotFound``,
    ``Invalid`` without a reason, ``WrongTransferState``, ``AlreadyReversed``, ``ArrivedAlready``,
    ``InsufficientStock`` when the goods have moved on.
    """
    require(Permission.FLOOR_WORK)
    words = reason.strip()
    with transaction.atomic():
        order = lock_transfer(transfer_order_id, *UNDER_WAY)
        if not words:
            raise Invalid.field("reason", "required", _("Say why the movement is taken back."))
        movement = StockMovement.objects.filter(
            pk=movement_id,
            document_kind=TransferOrder.__name__,
            document_id=order.pk,
            reverses=None,
        ).first()
        if movement is None:
            raise NotFound("movement", movement_id)
        if movement.reason == MovementReason.TRANSFER_LOSS:
            require(Permission.ADJUST)
        reverse_movement(movement_id=movement.pk, note=words[:200], by_document=True)
        _count_back(order, movement)
        advance_transfer(order, order.received_at or timezone.now())
        audit.record(
            "transfer.movement_reversed",
            order,
            number=order.number,
            movement=movement.pk,
            quantity=str(movement.quantity),
            reason=words,
        )
    return order


def _count_back(order: TransferOrder, movement: StockMovement) -> None:
    sent, received, lost = (
        movement.quantity * share for share in COUNTERS[MovementReason(movement.reason)]
    )
    tenant_id = active_tenant_id()
    piece = [tenant_id, order.pk, movement.product_id, movement.lot_id]
    changed = execute(sql.TAKE_OFF_PIECE, [sent, received, lost, *piece, sent])
    if not changed:
        # nothing is left of a piece of which all is taken back
        changed = execute(sql.DROP_PIECE, [*piece, sent])
    if not changed:
        raise ArrivedAlready(movement)
    line = [tenant_id, order.pk, movement.product_id]
    execute(sql.TAKE_OFF_LINE, [sent, received, lost, *line])
