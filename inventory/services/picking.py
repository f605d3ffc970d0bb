"""Picking: goods are fetched for their orders, confirmed by scans, and may be put back."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from inventory.models import Allocation, AllocationState, MovementReason, PickState, PickTask, Wave
from inventory.services.ledger import AllocationLine, MovementLine, allocate, post_movements
from inventory.services.ledger_balances import execute
from inventory.services.order_states import advance_orders
from inventory.services.pick_sql import (
    REOPEN_SHORT_TASKS,
    REOPEN_TASKS,
    REOPEN_WAVE,
    UNPICK_ALLOCATIONS,
    UNPICK_LINES,
)
from inventory.services.pick_work import (
    LinesOutOfStep,
    Pick,
    book,
    complete,
    found_of,
    lock_tasks,
    take_wave,
)
from inventory.services.picking_errors import AlreadyPacked, NothingPicked, PackedPick, TaskNotOpen
from tenancy.errors import Invalid, Problem
from tenancy.permissions import Permission, require
from tenancy.scope import active_tenant_id
from tenancy.services import audit

__all__ = ["Pick", "pick", "undo_pick"]


def pick(*, wave_id: int, picks: Sequence[Pick]) -> Wave:
    """Confirm tasks of a wave, all or none: the goods move to its packing place.

    Takes the wave for the active person. Raises ``NotFound``, ``WaveNotOpen``, ``ClaimedByOther``,
    ``TaskNotOpen`` for the second of two pickers, ``WrongPick`` for another location, product or
    lot, ``AllocationEnded``, ``Invalid`` for a quantity that is not all of the task.
    """
    require(Permission.FLOOR_WORK)
    if not picks:
        raise Invalid.field("picks", "empty", _("There is nothing to pick."))
    with transaction.atomic():
        wave = take_wave(wave_id)
        tasks = lock_tasks(wave, [one.task_id for one in picks])
        found = found_of(tasks, picks)
        short = [
            Problem("quantity", "short", _("Less was found: report a short pick."), number)
            for number, one in enumerate(found)
            if one.missing
        ]
        if short:
            raise Invalid(short)
        book(wave, found)
        complete(wave)
        advance_orders({task.sales_order_id for task in tasks})
        audit.record("wave.picked", wave, number=wave.number, tasks=[task.pk for task in tasks])
    return wave


def undo_pick(*, wave_id: int, task_ids: Sequence[int]) -> Wave:
    """Put picked goods back where they were taken from: the tasks are open again.

    What was missing of a short pick stays on record. In a cancelled wave the goods go back without
    a task. Raises ``NotFound``, ``NothingPicked``, ``AlreadyPacked``, ``ClaimedByOther``.
    """
    require(Permission.FLOOR_WORK)
    if not task_ids:
        raise NothingPicked
    with transaction.atomic():
        wave = take_wave(wave_id, reopening=True)
        tasks = lock_tasks(wave, task_ids)
        if not all(task.quantity_picked > 0 for task in tasks):
            raise NothingPicked
        places = _unpick(tasks)
        _put_back(wave, tasks, places)
        _reopen(wave, tasks)
        advance_orders({task.sales_order_id for task in tasks})
        audit.record("wave.unpicked", wave, number=wave.number, tasks=[task.pk for task in tasks])
        wave.refresh_from_db()
    return wave


def _unpick(tasks: Sequence[PickTask]) -> dict[int, int]:
    """Promise the allocations at their place again; return where each one's goods were."""
    ids = [task.allocation_id for task in tasks]
    locked = Allocation.objects.filter(pk__in=ids).select_for_update(of=("self",)).order_by("pk")
    allocations = {allocation.pk: allocation for allocation in locked}
    picked = [task.quantity_picked for task in tasks]
    if execute(UNPICK_ALLOCATIONS, [ids, picked, active_tenant_id()]) != len(ids):
        raise AlreadyPacked(
            [
                PackedPick(
                    task.pk,
                    task.product.sku,
                    task.quantity_picked,
                    row.quantity_packed,
                    is_here=row.state == AllocationState.PICKED,
                )
                for task in tasks
                for row in [allocations[task.allocation_id]]
                if row.state != AllocationState.PICKED
                or row.quantity_packed
                or row.quantity != task.quantity_picked
            ]
        )
    back: dict[int, Decimal] = {}
    for row in allocations.values():
        line_id = row.order_line_id or 0
        back[line_id] = back.get(line_id, Decimal(0)) + row.quantity
    if execute(UNPICK_LINES, [list(back), list(back.values()), active_tenant_id()]) != len(back):
        raise LinesOutOfStep(back)
    return {pk: row.picked_into_id or 0 for pk, row in allocations.items()}


def _put_back(wave: Wave, tasks: Sequence[PickTask], places: dict[int, int]) -> None:
    post_movements(
        lines=[
            MovementLine(
                product_id=task.product_id,
                from_location_id=places[task.allocation_id],
                to_location_id=task.location_id,
                quantity=task.quantity_picked,
                reason=MovementReason.UNPICK,
                lot_id=task.lot_id,
            )
            for task in tasks
        ],
        document=wave,
        releases=[
            AllocationLine(
                task.product_id, places[task.allocation_id], task.quantity_picked, task.lot_id
            )
            for task in tasks
        ],
    )
    allocate(
        lines=[
            AllocationLine(task.product_id, task.location_id, task.quantity_picked, task.lot_id)
            for task in tasks
        ]
    )


def _reopen(wave: Wave, tasks: Sequence[PickTask]) -> None:
    tenant_id = active_tenant_id()
    short = [task for task in tasks if task.state == PickState.SHORT]
    reopened = execute(REOPEN_TASKS, [tenant_id, [task.pk for task in tasks]])
    if short:
        found = [task.quantity_picked for task in short]
        reopened += execute(REOPEN_SHORT_TASKS, [[task.pk for task in short], found, tenant_id])
    if reopened != len(tasks):
        raise TaskNotOpen(tasks)
    execute(REOPEN_WAVE, [tenant_id, wave.pk])
