"""Where a customer's return stands: locked for a change, refused in the wrong state, moved on."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from inventory.models import CustomerReturn, CustomerReturnState, WorkKind
from inventory.services.ledger_balances import fetch
from inventory.services.return_sql import STANDING
from inventory.services.rows import check_version, load
from inventory.services.worklists import finish_work
from tenancy.errors import Conflict
from tenancy.scope import active_tenant_id


class WrongReturnState(Conflict):
    """The return is not in a state in which this can be done."""

    code = "wrong_return_state"

    def __init__(self, back: CustomerReturn, *allowed: CustomerReturnState) -> None:
        message = _("Return %(number)s is %(state)s; this is possible only when %(allowed)s.") % {
            "number": back.number,
            "state": CustomerReturnState(back.state).label,
            "allowed": " / ".join(str(state.label) for state in allowed),
        }
        names = [str(state) for state in allowed]
        super().__init__(message, number=back.number, state=back.state, allowed=names)


def lock_return(
    customer_return_id: int, *allowed: CustomerReturnState, version: int | None = None
) -> CustomerReturn:
    """Return the return, held until the transaction ends.

    Raises ``NotFound``, ``StaleVersion``, ``WrongReturnState``.
    """
    back = load(CustomerReturn, customer_return_id, lock=True)
    check_version(back, version)
    if back.state not in allowed:
        raise WrongReturnState(back, *allowed)
    return back


def advance_return(back: CustomerReturn) -> None:
    """Set the state by what came and what was inspected, and count the version up.

    A return is inspected when all that is expected has come and has found its way.
    """
    [(expected, received, inspected)] = fetch(STANDING, [active_tenant_id(), back.pk])
    back.inspected_at = None
    if not received:
        back.state = CustomerReturnState.EXPECTED
        back.received_at = None
    elif received < expected or inspected < received:
        back.state = CustomerReturnState.RECEIVED
    else:
        back.state = CustomerReturnState.INSPECTED
        back.inspected_at = timezone.now()
    if inspected == received:
        finish_work(kind=WorkKind.INSPECT, subject_id=back.pk)
    save_return(back)


def save_return(back: CustomerReturn) -> None:
    """Save the return as a new version."""
    back.version += 1
    back.save()
