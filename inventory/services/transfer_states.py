"""Where a transfer stands: locked for a change, refused in the wrong state, moved on afterwards."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from inventory.models import TransferOrder, TransferState, WorkKind
from inventory.services.ledger_balances import fetch
from inventory.services.rows import check_version, load
from inventory.services.transfer_sql import STANDING
from inventory.services.worklists import finish_work
from tenancy.errors import Conflict
from tenancy.scope import active_tenant_id


class WrongTransferState(Conflict):
    """The transfer is not in a state in which this can be done."""

    code = "wrong_transfer_state"

    def __init__(self, order: TransferOrder, *allowed: TransferState) -> None:
        message = _("Transfer %(number)s is %(state)s; this is possible only when %(allowed)s.") % {
            "number": order.number,
            "state": TransferState(order.state).label,
            "allowed": " / ".join(str(state.label) for state in allowed),
        }
        names = [str(state) for state in allowed]
        super().__init__(message, number=order.number, state=order.state, allowed=names)


def lock_transfer(
    transfer_order_id: int, *allowed: TransferState, version: int | None = None
) -> TransferOrder:
    """Return the transfer, held until the transaction ends.

    Raises ``NotFound``, ``StaleVersion``, ``WrongTransferState``.
    """
    order = load(TransferOrder, transfer_order_id, lock=True)
    check_version(order, version)
    if order.state not in allowed:
        raise WrongTransferState(order, *allowed)
    return order


def advance_transfer(order: TransferOrder, moment: datetime) -> None:
    """Set the state by what was sent and what became of it, and count the version up.

    A transfer is received when everything sent has arrived or is stated as lost, and nothing
    more is promised to it: what was not sent in the end does not keep it open.
    """
    [(sent, on_the_way, promised)] = fetch(STANDING, [active_tenant_id(), order.pk])
    if not sent:
        order.state = TransferState.RELEASED
        order.sent_at = None
    elif on_the_way or promised:
        order.state = TransferState.IN_TRANSIT
        order.received_at = None
    else:
        order.state = TransferState.RECEIVED
        order.received_at = moment
    if sent and not promised:
        finish_work(kind=WorkKind.SEND_TRANSFER, subject_id=order.pk)
    if not on_the_way:
        finish_work(kind=WorkKind.RECEIVE_TRANSFER, subject_id=order.pk)
    save_transfer(order)


def save_transfer(order: TransferOrder) -> None:
    """Save the transfer as a new version."""
    order.version += 1
    order.save()
