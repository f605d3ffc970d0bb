"""Short picks: less lies there than was promised.

What was found is picked, the rest is promised elsewhere and fetched in the same wave, and the place
is counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from inventory.models import (
    Allocation,
    AllocationState,
    CountReason,
    PickState,
    PickTask,
    ShortReason,
    Wave,
)
from inventory.queries.promisable import free_in_storage
from inventory.rules.business_day import business_day
from inventory.rules.lot_choice import FreeStock, Take, first_expired_first_out
from inventory.rules.walking import Place, walking_path
from inventory.services.allocation_sql import LOCK_GOOD_LOTS
from inventory.services.counting import request_count
from inventory.services.ledger import AllocationLine, allocate
from inventory.services.ledger_balances import execute, fetch
from inventory.services.order_states import advance_orders
from inventory.services.pick_sql import LOCK_STOCK, NUMBER_TASKS, PROMISE_LINES
from inventory.services.pick_work import (
    Found,
    LinesOutOfStep,
    Pick,
    book,
    complete,
    found_of,
    lock_tasks,
    take_wave,
)
from tenancy.errors import Invalid
from tenancy.permissions import Permission, require
from tenancy.scope import active_tenant_id
from tenancy.services import audit

__all__ = ["ShortPick", "pick_short"]


@dataclass(frozen=True, slots=True)
class ShortPick:
    """What came of a short pick: the wave, how much was missing and promised elsewhere instead."""

    wave: Wave
    missing: Decimal
    reallocated: Decimal
    count_id: int


@dataclass(frozen=True, slots=True)
class _Replacement:
    """Stock elsewhere for what one task did not find."""

    task: PickTask
    take: Take


def pick_short(*, wave_id: int, picks: Sequence[Pick], reason: ShortReason | str) -> ShortPick:
    """Confirm tasks of one place and product of which less was found than asked for.

    Earlier tasks of ``picks`` get what was found as their quantities say. The missing part is
    promised from other places where there is any and fetched in the same wave, else it is
    backordered; the place is to be counted. Raises what ``pick`` raises, and ``Invalid`` without a
    reason, when nothing is missing or when the tasks are of several places.
    """
    require(Permission.FLOOR_WORK)
    known = _reason(reason)
    if not picks:
        raise Invalid.field("picks", "empty", _("There is nothing to pick."))
    with transaction.atomic():
        wave = take_wave(wave_id)
        tasks = lock_tasks(wave, [one.task_id for one in picks])
        found = found_of(tasks, picks)
        short = [one for one in found if one.missing]
        _check(found, short)
        free = _lock_free(wave, tasks[0], known)
        book(wave, found, known)
        replaced = _replace(wave, short, free)
        count = request_count(
            location_id=tasks[0].location_id,
            product_id=tasks[0].product_id,
            reason=CountReason.SHORT_PICK,
            note=_note(wave, short),
        )
        complete(wave)
        advance_orders({task.sales_order_id for task in tasks}, tried=True)
        missing = sum((one.missing for one in short), Decimal(0))
        audit.record(
            "wave.picked_short",
            wave,
            number=wave.number,
            tasks=[one.task.pk for one in short],
            reason=str(known),
            missing=str(missing),
            reallocated=str(replaced),
        )
    return ShortPick(wave, missing, replaced, count.pk)


def _reason(reason: str) -> ShortReason:
    if not reason or reason not in ShortReason.values:
        raise Invalid.field("reason", "unknown", _("Say why less was found."))
    return ShortReason(reason)


def _check(found: Sequence[Found], short: Sequence[Found]) -> None:
    if not short:
        message = _("Nothing is missing: confirm the pick instead.")
        raise Invalid.field("picks", "nothing_missing", message)
    if len({(one.task.location_id, one.task.product_id) for one in found}) > 1:
        message = _("Report short picks place by place and product by product.")
        raise Invalid.field("picks", "several_places", message)


def _note(wave: Wave, short: Sequence[Found]) -> str:
    return str(
        _("Wave %(wave)s: %(missing)s missing.")
        % {
            "wave": wave.number,
            "missing": format(sum((one.missing for one in short), Decimal(0)).normalize(), "f"),
        }
    )


def _lock_free(wave: Wave, task: PickTask, reason: ShortReason) -> list[FreeStock]:
    """Lock all of the product in the warehouse, and return what lies free at other places.

    Locked before anything is posted, and in the ledger's order, so that the choice holds; its lots
    are kept from being held or recalled meanwhile.
    """
    fetch(LOCK_STOCK, [active_tenant_id(), task.product_id, wave.warehouse_id])
    today = business_day(timezone.now(), wave.warehouse.time_zone)
    free = free_in_storage(wave.warehouse_id, [task.product_id], today).get(task.product_id, [])
    lots = sorted({stock.lot_id for stock in free if stock.lot_id is not None})
    good = {row[0] for row in fetch(LOCK_GOOD_LOTS, [active_tenant_id(), lots])} if lots else set()
    return [
        stock
        for stock in free
        if stock.location_id != task.location_id
        and (stock.lot_id is None or stock.lot_id in good)
        # a lot found expired is not better elsewhere
        and (reason != ShortReason.EXPIRED or task.lot_id is None or stock.lot_id != task.lot_id)
    ]


def _replace(wave: Wave, short: Sequence[Found], free: Sequence[FreeStock]) -> Decimal:
    """Promise what is missing from elsewhere and add its tasks; return how much there was."""
    replacements: list[_Replacement] = []
    takes = first_expired_first_out(free, sum((one.missing for one in short), Decimal(0)))
    for one in short:
        mine, takes = _share(takes, one.missing)
        replacements += [_Replacement(one.task, take) for take in mine]
    if not replacements:
        return Decimal(0)
    _promise(replacements)
    _add_tasks(wave, replacements, after=short[0].task)
    return sum((one.take.quantity for one in replacements), Decimal(0))


def _share(takes: Sequence[Take], quantity: Decimal) -> tuple[list[Take], list[Take]]:
    """Cut the list of takes where ``quantity`` is reached; return both parts."""
    mine: list[Take] = []
    rest = list(takes)
    while rest and quantity > 0:
        first = rest.pop(0)
        part = min(first.quantity, quantity)
        mine.append(Take(first.location_id, first.lot_id, part))
        if first.quantity > part:
            rest.insert(0, Take(first.location_id, first.lot_id, first.quantity - part))
        quantity -= part
    return mine, rest


def _promise(replacements: Sequence[_Replacement]) -> None:
    lines: dict[int, Decimal] = {}
    for one in replacements:
        line_id = one.task.allocation.order_line_id or 0
        lines[line_id] = lines.get(line_id, Decimal(0)) + one.take.quantity
    arguments = [list(lines), list(lines.values()), active_tenant_id()]
    if execute(PROMISE_LINES, arguments) != len(lines):
        raise LinesOutOfStep(lines)
    allocate(
        lines=[
            AllocationLine(
                one.task.product_id, one.take.location_id, one.take.quantity, one.take.lot_id
            )
            for one in replacements
        ]
    )


def _add_tasks(wave: Wave, replacements: Sequence[_Replacement], after: PickTask) -> None:
    allocations = Allocation.objects.bulk_create(
        [
            Allocation(
                order_line_id=one.task.allocation.order_line_id,
                product_id=one.task.product_id,
                location_id=one.take.location_id,
                lot_id=one.take.lot_id,
                quantity=one.take.quantity,
                state=AllocationState.ALLOCATED,
                expires_at=one.task.allocation.expires_at,
            )
            for one in replacements
        ]
    )
    PickTask.objects.bulk_create(
        [
            PickTask(
                wave=wave,
                allocation=allocation,
                sales_order_id=one.task.sales_order_id,
                product_id=one.task.product_id,
                location_id=one.take.location_id,
                lot_id=one.take.lot_id,
                sequence=after.sequence,
                quantity=one.take.quantity,
            )
            for one, allocation in zip(replacements, allocations, strict=True)
        ]
    )
    _go_on_from(wave, after)


def _go_on_from(wave: Wave, here: PickTask) -> None:
    """Number the open tasks anew: from here on along the way, then what lies behind."""
    rows = PickTask.objects.filter(wave=wave, state=PickState.OPEN).select_related("location")
    tasks = list(rows.order_by("sequence", "id"))
    stops = [*(task.location for task in tasks), here.location]
    path = walking_path(Place(stop.pk, stop.code, stop.walking_order) for stop in stops)
    at = {location_id: number for number, location_id in enumerate(path)}
    ordered = sorted(tasks, key=lambda task: _distance(task, at, here.location_id))
    numbers = [here.sequence + 1 + number for number in range(len(ordered))]
    execute(NUMBER_TASKS, [[task.pk for task in ordered], numbers, active_tenant_id()])


def _distance(task: PickTask, at: Mapping[int, int], here: int) -> tuple[bool, int, int, int, int]:
    stop = at[task.location_id]
    return stop < at[here], stop, task.product_id, task.lot_id or 0, task.pk
