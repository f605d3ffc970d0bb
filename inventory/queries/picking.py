"""Picking: the stops of a wave, what was picked last, and which orders wait for a wave."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Exists, OuterRef, QuerySet

from inventory.models import (
    AllocationState,
    Location,
    Lot,
    PickState,
    PickTask,
    Product,
    SalesOrder,
)
from inventory.queries.packing import DUE_ON, orders_with_due
from inventory.queries.waves import waiting_allocations

RELATED = ("product", "location", "lot", "sales_order", "allocation")


@dataclass(frozen=True)
class PickStop:
    """One hand's reach: tasks for the same goods at the same place, the most urgent order first."""

    tasks: tuple[PickTask, ...]

    @property
    def location(self) -> Location:
        place: Location = self.tasks[0].location
        return place

    @property
    def product(self) -> Product:
        product: Product = self.tasks[0].product
        return product

    @property
    def lot(self) -> Lot | None:
        lot: Lot | None = self.tasks[0].lot
        return lot

    @property
    def sequence(self) -> int:
        return self.tasks[0].sequence

    @property
    def quantity(self) -> Decimal:
        """Return what is to be taken for all of the orders."""
        return sum((task.quantity for task in self.tasks), Decimal(0))


@dataclass(frozen=True)
class WaitingGoods:
    """Of one order: lines and places of what is promised and in no wave."""

    lines: int = 0
    places: int = 0


def wave_tasks(wave_id: int) -> QuerySet[PickTask]:
    """Return the tasks of a wave along the way, with what they refer to."""
    rows = PickTask.objects.filter(wave_id=wave_id).select_related(*RELATED)
    return rows.order_by("sequence", "id")


def open_stops(wave_id: int) -> list[PickStop]:
    """Return what is still to be picked in a wave, stop by stop: one statement."""
    return stops(wave_tasks(wave_id).filter(state=PickState.OPEN))


def stops(tasks: Iterable[PickTask]) -> list[PickStop]:
    """Return the tasks gathered by place, product and lot, in the order in which each begins."""
    gathered: dict[tuple[int, int, int | None], list[PickTask]] = {}
    for task in tasks:
        key = (task.location_id, task.product_id, task.lot_id)
        gathered.setdefault(key, []).append(task)
    return [PickStop(tuple(same)) for same in gathered.values()]


def last_pick(wave_id: int) -> list[PickTask]:
    """Return the tasks that were picked last, by one scan, if their goods can still go back."""
    rows = wave_tasks(wave_id).filter(picked_at__isnull=False, quantity_picked__gt=0)
    latest = rows.order_by("-picked_at").values_list("picked_at", flat=True).first()
    if latest is None:
        return []
    tasks = list(rows.filter(picked_at=latest))
    return tasks if all(can_go_back(task) for task in tasks) else []


def can_go_back(task: PickTask) -> bool:
    """Tell whether what was picked lies loose at the packing place."""
    row = task.allocation
    return bool(
        task.quantity_picked > 0
        and row.state == AllocationState.PICKED
        and row.quantity_packed == 0
        and row.quantity == task.quantity_picked
    )


def orders_to_pick(
    *, warehouse_id: int | None = None, zone_id: int | None = None, text: str = ""
) -> QuerySet[SalesOrder]:
    """Return orders with promised goods in no wave, the most urgent first."""
    waiting = waiting_allocations().filter(order_line__order=OuterRef("pk"))
    if zone_id is not None:
        waiting = waiting.filter(location__zone_id=zone_id)
    rows = orders_with_due(warehouse_id, text).filter(Exists(waiting))
    return rows.order_by("priority", DUE_ON, "id")


def waiting_goods(order_ids: Collection[int]) -> dict[int, WaitingGoods]:
    """Return what of each order waits for a wave: one statement for a page of a list."""
    rows = (
        waiting_allocations()
        .filter(order_line__order_id__in=order_ids)
        .order_by()
        .values("order_line__order_id")
        .annotate(
            lines=Count("order_line_id", distinct=True), places=Count("location_id", distinct=True)
        )
        .values_list("order_line__order_id", "lines", "places")
    )
    found = {row[0]: WaitingGoods(row[1], row[2]) for row in rows}
    return {order_id: found.get(order_id, WaitingGoods()) for order_id in order_ids}


def wave_order_ids(wave_id: int) -> Sequence[int]:
    """Return the orders picked in a wave, the most urgent first."""
    rows = SalesOrder.objects.filter(pick_tasks__wave_id=wave_id).distinct()
    return list(rows.order_by("priority", DUE_ON, "id").values_list("pk", flat=True))
