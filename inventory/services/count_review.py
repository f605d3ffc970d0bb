"""Counts reviewed: approved by somebody else, posted, or sent back to be counted again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from inventory.models import (
    CountLine,
    CountState,
    CycleCount,
    LocationKind,
    MovementReason,
    StockBalance,
)
from inventory.queries.counting import (
    Key,
    book_at,
    final_lines,
    inventory_tolerance,
    is_outside_tolerance,
)
from inventory.queries.places import standard_locations
from inventory.services.count_sql import MOVED_MEANWHILE, REBASE_LINES
from inventory.services.counting import lock_count, save_count
from inventory.services.counting_errors import (
    CannotRebase,
    CountBelowAllocated,
    LineFault,
    NothingStale,
    OwnVariance,
    PromisedLine,
    StaleCount,
    StaleLine,
    VarianceLine,
)
from inventory.services.ledger import InsufficientStock, MovementLine, post_movements
from inventory.services.ledger_balances import fetch
from tenancy.errors import Invalid
from tenancy.models import ApiKey, AuditEvent
from tenancy.permissions import Permission, require
from tenancy.scope import Actor, active_tenant_id
from tenancy.services import audit

REVIEWED = (CountState.COUNTED, CountState.APPROVED)
NOTHING = Decimal(0)
LONGEST_REBUILD = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _Pair:
    """A final line, and what lies there now."""

    line: CountLine
    balance: StockBalance | None

    @property
    def version(self) -> int:
        return self.balance.on_hand_version if self.balance else 0

    @property
    def on_hand(self) -> Decimal:
        return self.balance.on_hand if self.balance else NOTHING

    @property
    def is_stale(self) -> bool:
        # without a variance nothing is posted, so nothing can be wrong with what moved
        return bool(self.line.variance) and self.version != self.line.on_hand_version


def approve_count(
    *, cycle_count_id: int, version: int | None = None, then_post: bool = False
) -> CycleCount:
    """Accept what was counted, and with ``then_post`` post it in the same step.

    Whoever counted any of it does not approve variances above the tolerance. Raises ``NotFound``,
    ``StaleVersion``, ``WrongCountState``, ``OwnVariance``, and what ``post_count`` raises.
    """
    actor = require(Permission.APPROVE)
    with transaction.atomic():
        count = lock_count(cycle_count_id, (CountState.COUNTED,), version)
        _refuse_own(count, actor)
        count.state = CountState.APPROVED
        count.approved_by_label = actor.label[:160]
        count.approved_at = timezone.now()
        save_count(count)
        audit.record("cycle_count.approved", count, number=count.number)
        if then_post:
            count = post_count(cycle_count_id=count.pk)
    return count


def post_count(*, cycle_count_id: int, version: int | None = None) -> CycleCount:
    """Post the variances of an approved count against the loss location, all or none.

    Raises ``NotFound``, ``StaleVersion``, ``WrongCountState``, ``StaleCount`` when stock moved
    since it was counted, ``CountBelowAllocated`` when less would be left than is promised.
    """
    require(Permission.APPROVE)
    with transaction.atomic():
        count = lock_count(cycle_count_id, (CountState.APPROVED,), version)
        pairs = [pair for pair in _pairs(count) if pair.line.variance]
        _refuse_stale(pairs)
        _post(count, pairs)
        count.state = CountState.POSTED
        count.posted_at = timezone.now()
        save_count(count)
        value = sum((p.line.variance * (p.line.unit_cost or NOTHING) for p in pairs), NOTHING)
        audit.record(
            "cycle_count.posted", count, number=count.number, lines=len(pairs), value=str(value)
        )
    return count


def recount_lines(
    *, cycle_count_id: int, line_ids: Collection[int], version: int | None = None
) -> CycleCount:
    """Have some of what was counted counted again in a further round; approval is taken back.

    Raises ``NotFound``, ``StaleVersion``, ``WrongCountState``, ``Invalid``.
    """
    require(Permission.APPROVE)
    with transaction.atomic():
        count = lock_count(cycle_count_id, REVIEWED, version)
        lines = [line for line in final_lines(count.pk) if line.pk in set(line_ids)]
        if not lines or len(lines) != len(set(line_ids)):
            message = _("Choose at least one line of the last round of this count.")
            raise Invalid.field("line_ids", "not_of_this_count", message)
        return _recount(count, lines)


def recount_stale(*, cycle_count_id: int, version: int | None = None) -> CycleCount:
    """Have the lines counted again whose stock moved since; approval is taken back.

    Raises ``NotFound``, ``StaleVersion``, ``WrongCountState``, ``NothingStale``.
    """
    require(Permission.APPROVE)
    with transaction.atomic():
        count = lock_count(cycle_count_id, REVIEWED, version)
        return _recount(count, [pair.line for pair in _stale(count)])


def rebase_stale(*, cycle_count_id: int, version: int | None = None) -> CycleCount:
    """Keep what was counted and add what moved since, so that the variance stays the same.

    A balance is the sum of its movements, so what moved since is by how much it changed. Raises
    ``NotFound``, ``StaleVersion``, ``WrongCountState``, ``NothingStale``, and ``CannotRebase``
    when less than nothing would be left or balances were rebuilt since.
    """
    require(Permission.APPROVE)
    with transaction.atomic():
        count = lock_count(cycle_count_id, REVIEWED, version)
        stale = _stale(count)
        if _rebuilt_since(stale):
            raise CannotRebase([_fault(pair.line) for pair in stale])
        ids = [pair.line.pk for pair in stale]
        tenant_id = active_tenant_id()
        rows = fetch(REBASE_LINES, [count.location_id, tenant_id, ids, tenant_id])
        changed = {row[0] for row in rows}
        if len(changed) < len(ids):
            left = [_fault(pair.line) for pair in stale if pair.line.pk not in changed]
            raise CannotRebase(left)
        save_count(count)
        audit.record("cycle_count.rebased", count, number=count.number, lines=ids)
    return count


def _pairs(count: CycleCount) -> list[_Pair]:
    book = book_at(count)
    return [_Pair(line, book.get(_key(line))) for line in final_lines(count.pk)]


def _stale(count: CycleCount) -> list[_Pair]:
    stale = [pair for pair in _pairs(count) if pair.is_stale]
    if not stale:
        raise NothingStale(count)
    return stale


def _key(line: CountLine) -> Key:
    return line.product_id, line.lot_id


def _recount(count: CycleCount, lines: Sequence[CountLine]) -> CycleCount:
    CountLine.objects.filter(pk__in=[line.pk for line in lines]).update(to_recount=True)
    count.round_number += 1
    count.state = CountState.RECOUNT
    count.approved_by_label = ""
    count.approved_at = None
    save_count(count)
    audit.record("cycle_count.sent_back", count, number=count.number, lines=len(lines))
    return count


def _rebuilt_since(stale: Sequence[_Pair]) -> bool:
    # an event bears the time its transaction began, which may be before the count
    first = min(pair.line.counted_at for pair in stale) - LONGEST_REBUILD
    events = AuditEvent.objects.filter(action="balances.rebuilt", at__gte=first)
    return bool(events.exists())


# -- posting --------------------------------------------------------------------------------------
def _refuse_stale(pairs: Sequence[_Pair]) -> None:
    stale = [pair for pair in pairs if pair.is_stale]
    if stale:
        raise StaleCount([_stale_line(pair) for pair in stale])


def _post(count: CycleCount, pairs: Sequence[_Pair]) -> None:
    if not pairs:
        return
    loss = standard_locations(count.warehouse_id)[LocationKind.LOSS]
    lines = [_movement(count, pair.line, loss.pk) for pair in pairs]
    try:
        post_movements(lines=lines, document=count)
    except InsufficientStock as shortage:
        again = [pair for pair in _pairs(count) if pair.line.variance]
        _refuse_stale(again)
        promised = [_promised(pair) for pair in again if _is_promised(pair)]
        if not promised:
            raise
        raise CountBelowAllocated(promised) from shortage
    # the posting has locked the balances: each must have changed by it alone
    moved = fetch(
        MOVED_MEANWHILE,
        [
            [pair.line.pk for pair in pairs],
            [pair.line.on_hand_version + 1 for pair in pairs],
            active_tenant_id(),
            count.location_id,
        ],
    )
    if moved:
        ids = {row[0] for row in moved}
        now = _pairs(count)
        raise StaleCount([_stale_line(p, posted=True) for p in now if p.line.pk in ids])


def _movement(count: CycleCount, line: CountLine, loss_id: int) -> MovementLine:
    is_found = line.variance > 0
    return MovementLine(
        product_id=line.product_id,
        from_location_id=loss_id if is_found else count.location_id,
        to_location_id=count.location_id if is_found else loss_id,
        quantity=abs(line.variance),
        reason=MovementReason.COUNT,
        lot_id=line.lot_id,
        note=count.number,
    )


def _is_promised(pair: _Pair) -> bool:
    return pair.balance is not None and pair.on_hand + pair.line.variance < pair.balance.allocated


def _promised(pair: _Pair) -> PromisedLine:
    fault = _fault(pair.line)
    return PromisedLine(
        fault.product_id,
        fault.sku,
        fault.lot_id,
        fault.lot,
        left=pair.on_hand + pair.line.variance,
        allocated=pair.balance.allocated if pair.balance else NOTHING,
    )


# -- two people -----------------------------------------------------------------------------------
def _refuse_own(count: CycleCount, actor: Actor) -> None:
    tolerance = inventory_tolerance()
    outside = [line for line in final_lines(count.pk) if is_outside_tolerance(line, tolerance)]
    if not outside:
        return
    rows = CountLine.objects.filter(count=count)
    counters = set(rows.values_list("counted_by_kind", "counted_by_id", "counted_by_label"))
    if not _people(counters).isdisjoint(_people({(actor.kind, actor.id, actor.label[:160])})):
        raise OwnVariance([_variance_line(line) for line in outside])


def _people(actors: set[tuple[str, int | None, str]]) -> set[tuple[str, int | str | None]]:
    """Return who stands behind these actors: a key acts for the member who made it."""
    keys = [actor_id for kind, actor_id, _label in actors if kind == "api_key" and actor_id]
    makers = dict(ApiKey.objects.filter(pk__in=keys).values_list("pk", "created_by_id"))
    people: set[tuple[str, int | str | None]] = set()
    for kind, actor_id, label in actors:
        maker = makers.get(actor_id) if kind == "api_key" and actor_id else None
        if maker is not None:
            people.add(("user", maker))
        else:
            people.add((kind, label if actor_id is None else actor_id))
    return people


def _fault(line: CountLine) -> LineFault:
    return LineFault(line.product_id, line.product.sku, line.lot_id, str(line.lot or ""))


def _variance_line(line: CountLine) -> VarianceLine:
    fault = _fault(line)
    return VarianceLine(
        fault.product_id,
        fault.sku,
        fault.lot_id,
        fault.lot,
        expected=line.expected + line.moved_since,
        counted=line.counted + line.moved_since,
    )


def _stale_line(pair: _Pair, *, posted: bool = False) -> StaleLine:
    fault, line = _fault(pair.line), pair.line
    return StaleLine(
        fault.product_id,
        fault.sku,
        fault.lot_id,
        fault.lot,
        expected=line.expected + line.moved_since,
        on_hand=pair.on_hand - (line.variance if posted else NOTHING),
        counted=line.counted + line.moved_since,
    )
