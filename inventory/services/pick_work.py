"""What every pick does: lock the tasks, compare the scans, close the tasks, move the goods.

The order of locks is that of all outbound work: the claim, orders, tasks, allocations, lines,
balances. Each step is one statement, however many tasks; the row counts decide who was first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from inventory.models import (
    Location,
    Lot,
    MovementReason,
    PickState,
    PickTask,
    Product,
    Wave,
    WaveState,
    WorkKind,
)
from inventory.rules.units import quantity_fault
from inventory.services.ledger import (
    AllocationLine,
    MovementLine,
    allocate,
    post_movements,
    release,
)
from inventory.services.ledger_balances import execute
from inventory.services.order_states import lock_orders
from inventory.services.pick_sql import (
    CLOSE_TASKS,
    COMPLETE_WAVE,
    END_ALLOCATIONS,
    PICK_LINES,
    SPLIT_RELEASED,
)
from inventory.services.picking_errors import (
    AllocationEnded,
    Mismatch,
    TaskNotOpen,
    WaveNotOpen,
    WrongPick,
)
from inventory.services.rows import load, load_many
from inventory.services.worklists import claim_work, finish_work
from tenancy.errors import Conflict, Invalid, NotFound, Problem
from tenancy.scope import active_scope, active_tenant_id

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Pick:
    """What was scanned for a task. Without ``quantity`` (base units) all of it was found."""

    task_id: int
    location_id: int
    product_id: int
    lot_id: int | None = None
    quantity: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A locked task and how much of it was found, from zero up to all."""

    task: PickTask
    quantity: Decimal

    @property
    def missing(self) -> Decimal:
        """Return what was asked for and not found."""
        missing: Decimal = self.task.quantity - self.quantity
        return missing


class LinesOutOfStep(Conflict):
    """An order line promises less than its allocations do: the book is wrong, nothing is posted."""

    code = "lines_out_of_step"

    def __init__(self, line_ids: Collection[int]) -> None:
        message = _("The order and its allocations do not agree. Ask an administrator to check.")
        super().__init__(message, line_ids=sorted(line_ids))


def take_wave(wave_id: int, *, reopening: bool = False) -> Wave:
    """Return the wave, claimed by the active person.

    Raises ``NotFound``, ``WaveNotOpen``, ``ClaimedByOther``. ``reopening`` takes any wave.
    """
    wave = load(Wave, wave_id)
    if wave.state != WaveState.RELEASED and not reopening:
        raise WaveNotOpen(wave)
    claim_work(kind=WorkKind.PICK, subject_id=wave.pk)
    return wave


def lock_tasks(wave: Wave, task_ids: Sequence[int]) -> list[PickTask]:
    """Lock the orders, then the tasks, and return the tasks in the order of the ids.

    Raises ``NotFound`` for a task that is not in this wave, ``Invalid`` for one named twice.
    """
    rows = PickTask.objects.filter(wave=wave, pk__in=_known(task_ids))
    lock_orders(sorted(set(rows.values_list("sales_order_id", flat=True))))
    related = ("product", "location", "lot", "sales_order", "allocation")
    locked = rows.select_related(*related).select_for_update(of=("self",)).order_by("pk")
    found = {task.pk: task for task in locked}
    for number, task_id in enumerate(task_ids):
        if task_id not in found:
            raise NotFound("pick task", task_id, line=number)
    if len(found) < len(task_ids):
        raise Invalid.field("picks", "twice", _("A task is named twice."))
    return [found[task_id] for task_id in task_ids]


def found_of(tasks: Sequence[PickTask], picks: Sequence[Pick]) -> list[Found]:
    """Return how much of each task was found; raise for wrong scans and impossible quantities.

    Raises ``TaskNotOpen``, ``WrongPick``, ``Invalid``.
    """
    gone = [task for task in tasks if task.state != PickState.OPEN]
    if gone:
        raise TaskNotOpen(gone)
    wrong = [
        (task, pick, what)
        for task, pick in zip(tasks, picks, strict=True)
        for what in ("location", "product", "lot")
        if getattr(task, f"{what}_id") != getattr(pick, f"{what}_id")
    ]
    if wrong:
        raise WrongPick(_mismatches(wrong))
    found = [
        Found(task, task.quantity if pick.quantity is None else pick.quantity)
        for task, pick in zip(tasks, picks, strict=True)
    ]
    problems = [p for number, one in enumerate(found) for p in _problems(number, one)]
    if problems:
        raise Invalid(problems)
    return found


def book(wave: Wave, found: Sequence[Found], short_reason: str = "") -> None:
    """Close the tasks, end their allocations, and move what was found to the packing place.

    What was not found is released. Raises ``TaskNotOpen``, ``AllocationEnded``,
    ``InsufficientStock``.
    """
    _close_tasks(found, short_reason)
    _end_allocations(wave, found)
    _pick_lines(found)
    _move(wave, found)


def complete(wave: Wave) -> None:
    """Complete the wave when nothing in it is open, and forget who held it."""
    if execute(COMPLETE_WAVE, [active_tenant_id(), wave.pk]):
        finish_work(kind=WorkKind.PICK, subject_id=wave.pk)
    wave.refresh_from_db()


def _known(task_ids: Iterable[int]) -> list[int]:
    return [task_id for task_id in task_ids if 0 < task_id < 2**63]


def _problems(number: int, found: Found) -> Iterator[Problem]:
    task = found.task
    fault = quantity_fault(found.quantity, whole_units=task.product.whole_units)
    if fault and found.quantity != 0:
        inexact = _("The quantity is not an exact number of base units from zero up.")
        yield Problem("quantity", fault.value, inexact, number)
    elif found.missing < 0:
        message = _("%(sku)s: %(found)s is more than the %(wanted)s to be picked.") % {
            "sku": task.product.sku,
            "found": format(found.quantity.normalize(), "f"),
            "wanted": format(task.quantity.normalize(), "f"),
        }
        yield Problem("quantity", "too_much", message, number)


def _mismatches(wrong: Sequence[tuple[PickTask, Pick, str]]) -> list[Mismatch]:
    """Name what was scanned; raises ``NotFound`` for an id that nothing here has."""
    scanned: dict[str, Mapping[int, Any]] = {}
    models: dict[str, Any] = {"location": Location, "product": Product, "lot": Lot}
    for what, model in models.items():
        ids = [getattr(pick, f"{what}_id") for _task, pick, kind in wrong if kind == what]
        scanned[what] = load_many(model, [pk for pk in ids if pk is not None])
    return [
        Mismatch(
            task.pk,
            what,
            expected=_code(getattr(task, what)),
            scanned=_code(scanned[what].get(getattr(pick, f"{what}_id"))),
        )
        for task, pick, what in wrong
    ]


def _code(row: Any) -> str:
    if row is None:
        return str(_("none"))
    return str(row.sku if isinstance(row, Product) else row.code)


def _close_tasks(found: Sequence[Found], short_reason: str) -> None:
    arguments = [
        short_reason,
        active_scope().actor.label[:160],
        [one.task.pk for one in found],
        [one.quantity for one in found],
        active_tenant_id(),
    ]
    if execute(CLOSE_TASKS, arguments) != len(found):
        closed = PickTask.objects.filter(pk__in=[one.task.pk for one in found])
        raise TaskNotOpen(list(closed.exclude(state=PickState.OPEN)))


def _end_allocations(wave: Wave, found: Sequence[Found]) -> None:
    ids = [one.task.allocation_id for one in found]
    quantities = [one.quantity for one in found]
    wanted = [one.task.quantity for one in found]
    tenant_id = active_tenant_id()
    ended = execute(END_ALLOCATIONS, [wave.to_location_id, ids, quantities, wanted, tenant_id])
    if ended != len(found):
        raise AllocationEnded(
            [one.task for one in found if _has_ended(one.task)] or [found[0].task]
        )
    partly = [one for one in found if one.quantity and one.missing]
    if partly:
        missing = [one.missing for one in partly]
        execute(SPLIT_RELEASED, [[one.task.allocation_id for one in partly], missing, tenant_id])


def _has_ended(task: PickTask) -> bool:
    return bool(task.allocation.state != "allocated" or task.allocation.quantity != task.quantity)


def _pick_lines(found: Sequence[Found]) -> None:
    asked: dict[int, Decimal] = {}
    picked: dict[int, Decimal] = {}
    for one in found:
        line_id = one.task.allocation.order_line_id
        asked[line_id] = asked.get(line_id, ZERO) + one.task.quantity
        picked[line_id] = picked.get(line_id, ZERO) + one.quantity
    arguments = [list(asked), list(asked.values()), list(picked.values()), active_tenant_id()]
    if execute(PICK_LINES, arguments) != len(asked):
        raise LinesOutOfStep(asked)


def _move(wave: Wave, found: Sequence[Found]) -> None:
    releases = [_promise(one.task, one.task.location_id, one.task.quantity) for one in found]
    taken = [one for one in found if one.quantity]
    if not taken:
        release(lines=releases)
        return
    post_movements(
        lines=[
            MovementLine(
                product_id=one.task.product_id,
                from_location_id=one.task.location_id,
                to_location_id=wave.to_location_id,
                quantity=one.quantity,
                reason=MovementReason.PICK,
                lot_id=one.task.lot_id,
            )
            for one in taken
        ],
        document=wave,
        releases=releases,
    )
    allocate(lines=[_promise(one.task, wave.to_location_id, one.quantity) for one in taken])


def _promise(task: PickTask, location_id: int, quantity: Decimal) -> AllocationLine:
    return AllocationLine(task.product_id, location_id, quantity, task.lot_id)
