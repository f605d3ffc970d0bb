"""Waves: what could be released, how it would be picked, and how far released ones are."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from inventory.models import (
    Allocation,
    AllocationState,
    LocationKind,
    PickState,
    PickTask,
    SalesOrder,
    SalesOrderState,
    Wave,
    WaveState,
    WorkKind,
)
from inventory.queries.access import in_allowed
from inventory.queries.places import get_warehouse, get_zone
from inventory.queries.worklists import of_assignee
from inventory.rules.walking import Place
from inventory.rules.wave_plan import Candidate, Limits, PlanKind, PlannedWave, plan_waves
from tenancy.errors import NotFound

MOST_CANDIDATES = 5000
"""Allocations planned at once, the most urgent first; what is beyond waits for the next release."""
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class WaveRequest:
    """Which promised goods are to be picked, and how. What is left open does not narrow."""

    warehouse_id: int
    kind: PlanKind = PlanKind.BATCH
    limits: Limits = field(default_factory=Limits)
    priority_up_to: int | None = None
    promised_by: date | None = None
    zone_id: int | None = None
    order_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class WaveProgress:
    """Tasks of a wave by state; ``orders`` and ``stops`` are of all of them."""

    tasks: int = 0
    open: int = 0
    picked: int = 0
    short: int = 0
    cancelled: int = 0
    orders: int = 0
    stops: int = 0

    @property
    def done(self) -> int:
        """Return how many tasks need nobody any more."""
        return self.tasks - self.open


def waiting_allocations(warehouse_id: int | None = None) -> QuerySet[Allocation]:
    """Return what is promised to sales orders, lies in storage and is in no wave."""
    open_task = PickTask.objects.filter(allocation=OuterRef("pk"), state=PickState.OPEN)
    rows = in_allowed(Allocation.objects.all(), "location__warehouse_id").filter(
        ~Exists(open_task),
        state=AllocationState.ALLOCATED,
        order_line__order__state__in=SalesOrderState.owing(),
        location__kind=LocationKind.STORAGE,
    )
    if warehouse_id is not None:
        rows = rows.filter(order_line__order__warehouse_id=warehouse_id)
    return rows


def wave_candidates(request: WaveRequest) -> list[Candidate]:
    """Return what the request asks for, in one statement, the most urgent orders first."""
    rows = waiting_allocations(request.warehouse_id)
    if request.priority_up_to is not None:
        rows = rows.filter(order_line__order__priority__lte=request.priority_up_to)
    if request.promised_by is not None:
        rows = rows.filter(order_line__order__promised_on__lte=request.promised_by)
    if request.zone_id is not None:
        rows = rows.filter(location__zone_id=request.zone_id)
    if request.order_ids:
        rows = rows.filter(order_line__order_id__in=request.order_ids)
    return _candidates(
        rows.order_by(
            "order_line__order__priority",
            F("order_line__order__promised_on").asc(nulls_last=True),
            "order_line__order_id",
            "id",
        )[:MOST_CANDIDATES]
    )


def _candidates(rows: QuerySet[Allocation]) -> list[Candidate]:
    found = rows.values_list(
        "id",
        "order_line__order_id",
        "product_id",
        "location_id",
        "location__code",
        "location__walking_order",
        "lot_id",
        "location__zone_id",
        "quantity",
        F("quantity") * Coalesce(F("product__volume_l"), ZERO),
        "order_line__order__priority",
        "order_line__order__promised_on",
    )
    return [
        Candidate(
            allocation_id=row[0],
            order_id=row[1],
            product_id=row[2],
            place=Place(row[3], row[4], row[5]),
            lot_id=row[6],
            zone_id=row[7],
            quantity=row[8],
            volume_l=row[9],
            priority=row[10],
            promised_on=row[11],
        )
        for row in found
    ]


def check_known(request: WaveRequest) -> None:
    """Raise ``NotFound`` for a warehouse, a zone of it or an order that is not there."""
    get_warehouse(request.warehouse_id)
    if request.zone_id is not None and get_zone(request.zone_id).warehouse_id != (
        request.warehouse_id
    ):
        raise NotFound("zone", request.zone_id)
    orders = SalesOrder.objects.filter(pk__in=request.order_ids) if request.order_ids else ()
    missing = set(request.order_ids) - {order.pk for order in orders}
    if missing:
        raise NotFound("sales order", min(missing))


def planned_waves(request: WaveRequest) -> list[PlannedWave]:
    """Return the waves a release would make now."""
    return plan_waves(wave_candidates(request), request.kind, request.limits)


def waves() -> QuerySet[Wave]:
    """Return every wave with its warehouse, zone and packing place, newest first."""
    rows = Wave.objects.select_related("warehouse", "zone", "to_location").order_by("-id")
    return in_allowed(rows, "warehouse_id")


def get_wave(wave_id: int) -> Wave:
    """Return the wave; raise ``NotFound``."""
    found = waves().filter(pk=wave_id).first()
    if found is None:
        raise NotFound("wave", wave_id)
    return found


def search_waves(
    *, text: str = "", warehouse_id: int | None = None, state: str = ""
) -> QuerySet[Wave]:
    """Return waves whose number starts with ``text``, or that pick an order of that number."""
    rows = waves()
    if text:
        with_order = PickTask.objects.filter(
            wave=OuterRef("pk"), sales_order__number__istartswith=text
        )
        rows = rows.filter(Q(number__istartswith=text) | Exists(with_order))
    if warehouse_id is not None:
        rows = rows.filter(warehouse_id=warehouse_id)
    if state:
        rows = rows.filter(state=state)
    return rows


def released_waves(
    *, warehouse_id: int | None = None, zone_id: int | None = None, assignee: str = ""
) -> QuerySet[Wave]:
    """Return the waves that wait for a picker, the most urgent first.

    Each has ``urgency`` and ``promised_on``: of its most urgent open task.
    """
    tasks = PickTask.objects.filter(wave=OuterRef("pk"), state=PickState.OPEN)
    first = tasks.order_by(
        "sales_order__priority", F("sales_order__promised_on").asc(nulls_last=True)
    )
    rows = waves().filter(state=WaveState.RELEASED)
    rows = rows.annotate(
        urgency=Coalesce(Subquery(first.values("sales_order__priority")[:1]), 9),
        promised_on=Subquery(first.values("sales_order__promised_on")[:1]),
    )
    if warehouse_id is not None:
        rows = rows.filter(warehouse_id=warehouse_id)
    if zone_id is not None:
        rows = rows.filter(Exists(tasks.filter(location__zone_id=zone_id)))
    return of_assignee(rows, WorkKind.PICK, assignee).order_by(F("urgency"), "id")


def wave_progress(wave_ids: Collection[int]) -> dict[int, WaveProgress]:
    """Return the progress of each wave: one statement for a page of a list."""
    rows = (
        PickTask.objects.filter(wave_id__in=wave_ids)
        .order_by()
        .values("wave_id")
        .annotate(
            tasks=Count("id"),
            open=Count("id", filter=Q(state=PickState.OPEN)),
            picked=Count("id", filter=Q(state=PickState.PICKED)),
            short=Count("id", filter=Q(state=PickState.SHORT)),
            cancelled=Count("id", filter=Q(state=PickState.CANCELLED)),
            orders=Count("sales_order_id", distinct=True),
            stops=Count("location_id", distinct=True),
        )
    )
    found = {
        row[0]: WaveProgress(*row[1:])
        for row in rows.values_list(
            "wave_id", "tasks", "open", "picked", "short", "cancelled", "orders", "stops"
        )
    }
    return {wave_id: found.get(wave_id, WaveProgress()) for wave_id in wave_ids}
