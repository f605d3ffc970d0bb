"""Orders whose goods are promised, for tests of picking, packing and shipping."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import F, Sum
from django.test.utils import CaptureQueriesContext

from inventory.models import (
    Allocation,
    Channel,
    Location,
    LocationKind,
    Lot,
    MovementReason,
    PickTask,
    Product,
    SalesOrder,
    SalesOrderLine,
    StockBalance,
    Wave,
)
from inventory.queries.waves import WaveRequest
from inventory.rules.wave_plan import PlanKind
from inventory.services.ledger import AllocationLine, MovementLine, allocate, post_movements
from inventory.services.numbers import take_numbers
from inventory.services.order_states import advance_orders
from inventory.services.picking import Pick, pick
from inventory.services.waves import release_waves
from tests.inventory.book import Site, make_product, make_site

D = Decimal


@dataclass
class Floor:
    """A site with bins, and short words for what happens in it. Open inside a tenant scope."""

    site: Site
    bins: dict[str, Location] = field(default_factory=dict)

    def bin(self, code: str, **fields: Any) -> Location:
        """Return the storage place of that code, created the first time."""
        if code not in self.bins:
            self.bins[code] = Location.objects.create(
                warehouse=self.site.warehouse, code=code, kind=LocationKind.STORAGE, **fields
            )
        return self.bins[code]

    def stock(self, product: Product, quantity: Any, code: str, lot: Lot | None = None) -> None:
        """Bring goods from the supplier to a bin."""
        line = MovementLine(
            product.pk,
            self.site.at("supplier"),
            self.bin(code).pk,
            D(str(quantity)),
            MovementReason.RECEIPT,
            lot_id=lot.pk if lot else None,
        )
        post_movements(lines=[line])

    def order(self, *lines: tuple[Product, Any], **fields: Any) -> SalesOrder:
        """Confirm an order; nothing is promised to it yet."""
        channel, _new = Channel.objects.get_or_create(code="WEB", defaults={"name": "Web shop"})
        [number] = take_numbers("SO")
        order = SalesOrder.objects.create(
            number=number,
            warehouse=self.site.warehouse,
            channel=channel,
            **({"state": "confirmed"} | fields),
        )
        for product, quantity in lines:
            SalesOrderLine.objects.create(order=order, product=product, quantity=D(str(quantity)))
        return order

    def promise(
        self, order: SalesOrder, product: Product, quantity: Any, code: str, lot: Lot | None = None
    ) -> Allocation:
        """Promise goods in a bin to the order's line of that product."""
        amount = D(str(quantity))
        line = SalesOrderLine.objects.get(order=order, product=product)
        lot_id = lot.pk if lot else None
        place = self.bin(code)
        allocate(lines=[AllocationLine(product.pk, place.pk, amount, lot_id)])
        allocation = Allocation.objects.create(
            order_line=line, product=product, location=place, lot=lot, quantity=amount
        )
        SalesOrderLine.objects.filter(pk=line.pk).update(
            quantity_allocated=F("quantity_allocated") + amount
        )
        advance_orders([order.pk], tried=True)
        return allocation

    def ready(self, product: Product, quantity: Any, code: str = "A-1", **more: Any) -> SalesOrder:
        """Return an order of one product that lies promised in a bin."""
        lot = more.pop("lot", None)
        self.stock(product, quantity, code, lot)
        order = self.order((product, quantity), **more)
        self.promise(order, product, quantity, code, lot)
        return order

    def many(self, lines: int) -> SalesOrder:
        """Return an order of that many products, one of each, all promised."""
        first = Product.objects.count()
        order = self.order(*((make_product(f"P{first + n:04}"), 1) for n in range(lines)))
        for line in order.lines.select_related("product"):
            self.stock(line.product, 1, f"A-{line.pk}")
            self.promise(order, line.product, 1, f"A-{line.pk}")
        return order

    def wave(self, *orders: SalesOrder, kind: PlanKind = PlanKind.BATCH) -> Wave:
        """Release these orders as one wave."""
        ids = tuple(order.pk for order in orders)
        request = WaveRequest(self.site.warehouse.pk, kind=kind, order_ids=ids)
        [wave] = release_waves(request=request)
        return wave

    def picked(self, *orders: SalesOrder) -> Wave:
        """Release these orders as one wave and pick all of it."""
        wave = self.wave(*orders)
        pick(wave_id=wave.pk, picks=[scan(task) for task in tasks_of(wave)])
        wave.refresh_from_db()
        return wave


def make_floor() -> Floor:
    """Create a warehouse without bins."""
    return Floor(make_site())


def tasks_of(wave: Wave) -> list[PickTask]:
    """Return all tasks of the wave in walking order."""
    return list(PickTask.objects.filter(wave=wave).order_by("sequence", "id"))


def scan(task: PickTask, quantity: Any = None, **wrong: Any) -> Pick:
    """Return the pick that the task asks for, or one that differs in what is named."""
    found = None if quantity is None else D(str(quantity))
    right = {
        "location_id": task.location_id,
        "product_id": task.product_id,
        "lot_id": task.lot_id,
    }
    return Pick(task_id=task.pk, quantity=found, **(right | wrong))


def line_of(order: SalesOrder, product: Product | None = None) -> SalesOrderLine:
    """Return the order's line of that product, or its only line."""
    lines = SalesOrderLine.objects.filter(order=order)
    return lines.get(product=product) if product else lines.get()


def quantities(order: SalesOrder, product: Product | None = None) -> tuple[int, int, int]:
    """Return allocated, picked and shipped of the order's line, for whole units."""
    line = line_of(order, product)
    return tuple(  # type: ignore[return-value]
        int(q) for q in (line.quantity_allocated, line.quantity_picked, line.quantity_shipped)
    )


def balance(product: Product, location_id: int) -> tuple[int, int]:
    """Return on hand and promised there, over all lots, for whole units."""
    rows = StockBalance.objects.filter(product=product, location_id=location_id)
    sums = rows.aggregate(on_hand=Sum("on_hand"), allocated=Sum("allocated"))
    return int(sums["on_hand"] or 0), int(sums["allocated"] or 0)


def statements(call: Callable[[], Any]) -> int:
    """Return how many statements the call sends."""
    with CaptureQueriesContext(connection) as captured:
        call()
    return len(captured)


def promises_add_up() -> bool:
    """Tell whether every balance promises exactly what the live allocations there say."""
    live: dict[tuple[int, int, int | None], Decimal] = {}
    for row in Allocation.objects.filter(state__in=["allocated", "picked"]):
        place = row.location_id if row.state == "allocated" else row.picked_into_id
        key = (row.product_id, place, row.lot_id)
        live[key] = live.get(key, D(0)) + row.quantity
    promised = {
        (row.product_id, row.location_id, row.lot_id): row.allocated
        for row in StockBalance.objects.filter(allocated__gt=0)
    }
    return live == promised


def someday(day: int) -> date:
    """Return a day of December 2026."""
    return date(2026, 12, day)


__all__ = [
    "D",
    "Floor",
    "balance",
    "line_of",
    "make_floor",
    "make_product",
    "promises_add_up",
    "quantities",
    "scan",
    "someday",
    "statements",
    "tasks_of",
]
