"""Corrections of customers' returns: a movement is taken back, and the return counts it no more."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from inventory.models import (
    CustomerReturn,
    CustomerReturnLine,
    CustomerReturnState,
    MovementReason,
    StockMovement,
)
from inventory.rules.units import plain
from inventory.services.ledger import reverse_movement
from inventory.services.return_states import advance_return, lock_return
from tenancy.errors import Conflict, Invalid, NotFound
from tenancy.permissions import Permission, require
from tenancy.services import audit

CAME = (CustomerReturnState.RECEIVED, CustomerReturnState.INSPECTED)
COUNTERS = {
    MovementReason.CUSTOMER_RETURN: "quantity_received",
    MovementReason.MOVE: "quantity_restocked",
    MovementReason.SCRAP: "quantity_scrapped",
}


class InspectedAlready(Conflict):
    """Goods that were inspected are not taken back to the customer."""

    code = "inspected_already"

    def __init__(self, movement: StockMovement) -> None:
        message = _("Some of these %(quantity)s are inspected already: take that back first.")
        quantity = plain(movement.quantity)
        super().__init__(
            message % {"quantity": quantity}, movement_id=movement.pk, quantity=quantity
        )


def reverse_return_movement(
    *, customer_return_id: int, movement_id: int, reason: str
) -> CustomerReturn:
    """Take back what a movement of the return did, once; say why.

    What was inspected in error waits to be inspected again. Raises ``NotFound``, ``Invalid``
    without a reason, ``WrongReturnState``, ``AlreadyReversed``, ``InspectedAlready``,
    ``InsufficientStock`` when the goods have moved on.
    """
    require(Permission.FLOOR_WORK)
    words = reason.strip()
    with transaction.atomic():
        back = lock_return(customer_return_id, *CAME)
        if not words:
            raise Invalid.field("reason", "required", _("Say why the movement is taken back."))
        movement = StockMovement.objects.filter(
            pk=movement_id,
            document_kind=CustomerReturn.__name__,
            document_id=back.pk,
            reverses=None,
        ).first()
        if movement is None:
            raise NotFound("movement", movement_id)
        if movement.reason == MovementReason.SCRAP:
            require(Permission.ADJUST)
        reverse_movement(movement_id=movement.pk, note=words[:200], by_document=True)
        _count_back(back, movement)
        advance_return(back)
        audit.record(
            "return.movement_reversed",
            back,
            number=back.number,
            movement=movement.pk,
            quantity=str(movement.quantity),
            reason=words,
        )
    return back


def _count_back(back: CustomerReturn, movement: StockMovement) -> None:
    """Take the quantity off the first line of that product and lot that has as much to give."""
    counter = COUNTERS[MovementReason(movement.reason)]
    rows = CustomerReturnLine.objects.filter(
        customer_return=back, product_id=movement.product_id, lot=movement.lot
    )
    for line in rows.order_by("id"):
        is_arrival = counter == "quantity_received"
        free = line.to_inspect if is_arrival else getattr(line, counter)
        if free >= movement.quantity:
            rows.filter(pk=line.pk).update(**{counter: F(counter) - movement.quantity})
            return
    raise InspectedAlready(movement)
