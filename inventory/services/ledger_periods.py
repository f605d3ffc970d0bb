"""Closed periods, as the ledger keeps to them, without making postings of today wait.

Every posting holds the days it posts to, shared, until its transaction ends: today by its date, and
all that is past under one name. Who closes days holds them alone. So a closing waits for the
postings of its days that are under way, and a posting that is dated back waits for a closing that
is under way and then finds it. The locks are advisory: nothing is written for them, and those of a
posting are taken by a statement it sends anyway.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from inventory.services.ledger_balances import fetch
from inventory.services.ledger_errors import PeriodClosed
from inventory.services.ledger_lines import LineFacts, MovementLine
from tenancy.scope import active_tenant_id

LONGEST_POSTING = timedelta(days=7)
"""No transaction is older: a posting that holds its day as *today* is of one of these days."""

CLOSED_THROUGH = "SELECT closed_through FROM inventory_inventorysettings WHERE tenant_id = %s"
HOLD_DAYS = """
    SELECT pg_advisory_xact_lock(hashtextextended('period:' || name, %s))
    FROM unnest(%s::text[]) WITH ORDINALITY AS held (name, place) ORDER BY place
"""


def refuse_closed(lines: Sequence[MovementLine], facts: LineFacts, moment: datetime) -> None:
    """Refuse lines dated back into a closed period. Raises ``PeriodClosed``."""
    if moment >= facts.clock:
        return
    days = facts.business_days(lines, moment)
    if days == facts.business_days(lines, facts.clock):
        return  # today cannot be closed
    # a statement of its own: the lock was taken by the one before, this one sees what is closed
    [closed_through] = next(iter(fetch(CLOSED_THROUGH, [active_tenant_id()])), [None])
    if closed_through is not None and min(days) <= closed_through:
        raise PeriodClosed(min(days), closed_through)


def hold_days(through: date) -> None:
    """Wait for the postings of the days up to ``through``, and hold new ones until the end."""
    first = through - LONGEST_POSTING
    recent = [first + timedelta(days=n) for n in range(LONGEST_POSTING.days + 1)]
    # the past comes last: a posting that holds its day may still ask for it
    fetch(HOLD_DAYS, [active_tenant_id(), [*(day.isoformat() for day in recent), "past"]])
