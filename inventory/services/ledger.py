"""The ledger: the only writer of movements and balances, and the only place that locks stock.

Every posting is the same few statements, however many lines it has: write the movements, lock the
values that change, make sure the balances exist, lock them in one sorted statement, change them by
one conditional update, write what it was all worth. The update decides; no balance is read,
computed and saved. Locks are taken in this order: lots, values, balances, each sorted.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from django.db import IntegrityError, transaction
from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from inventory.models import MovementReason, StockMovement
from inventory.queries.access import in_allowed, require_locations
from inventory.services.ledger_balances import apply_changes, fetch, net_changes
from inventory.services.ledger_errors import (
    AlreadyReversed,
    CorrectTheDocument,
    InsufficientStock,
    NotAllocated,
    PeriodClosed,
    SerialNotSingle,
    ShortLine,
)
from inventory.services.ledger_lines import (
    AllocationLine,
    LineFacts,
    MovementLine,
    check_lines,
    load_facts,
)
from inventory.services.ledger_periods import refuse_closed
from inventory.services.ledger_sql import DOUBLED_SERIALS, INSERT_MOVEMENTS, LOCK_LOTS
from inventory.services.ledger_values import Posted, crossings, lock_values, write_values
from tenancy.errors import Invalid, NotFound, Problem
from tenancy.permissions import Permission, require, require_one
from tenancy.scope import active_scope, active_tenant_id
from tenancy.services import audit

__all__ = [
    "AllocationLine",
    "AlreadyReversed",
    "CorrectTheDocument",
    "InsufficientStock",
    "MovementLine",
    "NotAllocated",
    "PeriodClosed",
    "SerialNotSingle",
    "ShortLine",
    "allocate",
    "post_movements",
    "release",
    "reverse_movement",
]

COUNTING_DOCUMENTS = frozenset(
    {"Receipt", "Shipment", "TransferOrder", "CustomerReturn", "SupplierReturn"}
)
"""Documents that count what their movements did, so that only they can take one back."""
CLOCK_SKEW = timedelta(minutes=1)
"""How far the clock of another machine may be ahead of the database's."""
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)


def post_movements(
    *,
    lines: Sequence[MovementLine],
    effective_at: datetime | None = None,
    document: Model | None = None,
    releases: Sequence[AllocationLine] = (),
) -> list[int]:
    """Post all lines or none, and return the movements' ids in the order of the lines.

    Lines that touch the same balance are netted: their order decides only what each is worth.
    ``releases`` frees allocations in the same step, for stock that leaves because it was promised.
    ``effective_at`` is when it happened (default: now); the future and closed periods are refused.
    The audit event is the caller's.

    Raises ``Invalid``, ``NotFound``, ``InsufficientStock``, ``SerialNotSingle``, ``PeriodClosed``.
    """
    require(Permission.FLOOR_WORK)
    if not lines:
        raise Invalid.field("lines", "empty", _("There is nothing to post."))
    _check_moment(effective_at)
    facts = load_facts(lines, effective_at)
    check_lines(lines, facts)
    return _post(lines, facts, _moment(effective_at, facts.clock), document, releases=releases)


def reverse_movement(
    *,
    movement_id: int,
    effective_at: datetime | None = None,
    note: str = "",
    by_document: bool = False,
) -> StockMovement:
    """Take a movement back, once, by an opposite movement that points at it; return the new one.

    A document that counts its movements takes them back itself (``by_document``). Raises
    ``NotFound``, ``CorrectTheDocument``, ``AlreadyReversed``, ``PeriodClosed``,
    ``InsufficientStock`` when the goods have moved on.
    """
    require(Permission.FLOOR_WORK)
    original = in_allowed(
        StockMovement.objects.filter(pk=movement_id),
        "from_location__warehouse_id",
        "to_location__warehouse_id",
    ).first()
    if original is None:
        raise NotFound("movement", movement_id)
    if original.document_kind in COUNTING_DOCUMENTS and not by_document:
        raise CorrectTheDocument(original)
    lines = [_opposite(original, note)]
    _check_moment(effective_at)
    facts = load_facts(lines, effective_at)
    check_lines(lines, facts, correction=True)
    moment = _moment(effective_at, facts.clock)
    try:
        [new_id] = _post(lines, facts, moment, original=original)
    except IntegrityError as error:
        if "movement_reversed_once" in str(error):
            raise AlreadyReversed(movement_id) from error
        raise
    reversal: StockMovement = StockMovement.objects.get(pk=new_id)
    audit.record("movement.reversed", original, reversal=new_id)
    return reversal


def allocate(*, lines: Sequence[AllocationLine]) -> None:
    """Promise stock that lies free, all lines or none. Raises ``InsufficientStock``."""
    _change_allocated(lines, sign=1)


def release(*, lines: Sequence[AllocationLine]) -> None:
    """Free promised stock again. Raises ``InsufficientStock`` when less than that is promised."""
    _change_allocated(lines, sign=-1)


def _change_allocated(lines: Sequence[AllocationLine], *, sign: int) -> None:
    require_one(Permission.FLOOR_WORK, Permission.SELL)
    require_locations(line.location_id for line in lines)
    with transaction.atomic():
        apply_changes(net_changes((), _checked_allocations(lines), sign=sign))


def _checked_allocations(lines: Sequence[AllocationLine]) -> Sequence[AllocationLine]:
    problems = [
        Problem("quantity", "not_positive", _("The quantity must be greater than zero."), number)
        for number, line in enumerate(lines)
        if not line.quantity.is_finite() or line.quantity <= 0
    ]
    if problems:
        raise Invalid(problems)
    return lines


def _opposite(original: StockMovement, note: str) -> MovementLine:
    return MovementLine(
        product_id=original.product_id,
        from_location_id=original.to_location_id,
        to_location_id=original.from_location_id,
        quantity=original.quantity,
        reason=MovementReason(original.reason),
        lot_id=original.lot_id,
        unit_cost=original.unit_cost,
        note=note,
    )


def _check_moment(effective_at: datetime | None) -> None:
    if effective_at is None:
        return
    if timezone.is_naive(effective_at):
        message = _("Give the moment with its time zone.")
        raise Invalid.field("effective_at", "naive", message)
    if effective_at < EARLIEST:
        message = _("A movement cannot be dated before the year 1900.")
        raise Invalid.field("effective_at", "long_ago", message)


def _moment(effective_at: datetime | None, clock: datetime) -> datetime:
    if effective_at is None:
        return clock
    if effective_at > clock + CLOCK_SKEW:
        message = _("A movement cannot take effect in the future.")
        raise Invalid.field("effective_at", "future", message)
    return effective_at


def _post(
    lines: Sequence[MovementLine],
    facts: LineFacts,
    moment: datetime,
    document: Model | None = None,
    *,
    releases: Sequence[AllocationLine] = (),
    original: StockMovement | None = None,
) -> list[int]:
    refuse_closed(lines, facts, moment)
    inside = {location_id for location_id, place in facts.locations.items() if not place.is_outside}
    changes = net_changes(lines, _checked_allocations(releases), sign=-1, inside=inside)
    crossed = crossings(lines, facts)
    serials = facts.new_serials(lines)
    with transaction.atomic():
        if serials:
            fetch(LOCK_LOTS, [active_tenant_id(), serials])
        # movements first: a second reversal is refused here, before it asks for any balance
        origin = _Origin.of(document, original)
        days = facts.business_days(lines, moment)
        movement_ids = _insert(lines, days, moment, origin)
        locked = lock_values(crossed, facts)
        apply_changes(changes)
        posted = Posted(lines, movement_ids, days, moment, original)
        write_values(crossed, locked, facts, posted)
        if serials:
            _refuse_doubled(serials)
    return movement_ids


class _Origin(NamedTuple):
    """What caused a posting: a document, or the movement it takes back."""

    document_kind: str
    document_id: int | None
    reverses_id: int | None

    @classmethod
    def of(cls, document: Model | None, original: StockMovement | None) -> _Origin:
        if original is not None:
            return cls(original.document_kind, original.document_id, original.pk)
        if document is not None:
            return cls(type(document).__name__, document.pk, None)
        return cls("", None, None)


def _insert(
    lines: Sequence[MovementLine], days: Sequence[date], moment: datetime, origin: _Origin
) -> list[int]:
    rows = fetch(
        INSERT_MOVEMENTS,
        [
            active_tenant_id(),
            *origin,
            active_scope().actor.label[:160],
            moment,
            [line.product_id for line in lines],
            [line.lot_id for line in lines],
            [line.from_location_id for line in lines],
            [line.to_location_id for line in lines],
            [line.quantity for line in lines],
            [line.unit_cost for line in lines],
            [int(line.reason) for line in lines],
            [line.note for line in lines],
            list(days),
        ],
    )
    return [row[0] for row in rows]


def _refuse_doubled(serials: Sequence[int]) -> None:
    doubled = fetch(DOUBLED_SERIALS, [active_tenant_id(), serials])
    if doubled:
        raise SerialNotSingle([code for (code,) in doubled])
