"""Selling, promising, picking, packing, shipping: rules of the floor machine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import F
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from inventory.models import Allocation, PickTask, SalesOrder, SalesOrderLine, StockBalance, Wave
from inventory.queries.waves import WaveRequest
from inventory.rules.wave_plan import PlanKind
from inventory.services.allocation import (
    allocate_warehouse,
    expire_allocations,
    release_allocations,
)
from inventory.services.allocation_manual import allocate_line
from inventory.services.picking import Pick, pick, undo_pick
from inventory.services.sales import (
    cancel_sales_order,
    change_priority,
    close_sales_order,
    confirm_sales_order,
)
from inventory.services.sales_amending import amend_sales_line
from inventory.services.sales_entry import SalesOrderFields, create_sales_order
from inventory.services.sales_lines import SalesLine
from inventory.services.short_picks import pick_short
from inventory.services.waves import cancel_wave, release_waves
from tests.properties.floor import Floor, choices, few, likely, nth, quantities

SHORT = ("confirmed", "partially_allocated", "backordered", "allocated")


class Outbound(Floor):
    def begin(self) -> None:
        super().begin()
        for n in range(3):
            self.sell_something(Decimal(6 - n), n, second=n == 1, firm=True)
        self.release_some(PlanKind.SINGLE)
        self.sell_something(Decimal(4), 1, second=False, firm=True)

    # -- outbound -----------------------------------------------------------------------------------
    @rule(quantity=quantities, n=choices, second=st.booleans(), firm=st.integers(0, 3))
    def sell(self, quantity: Decimal, n: int, second: bool, firm: int) -> None:
        self.sell_something(quantity, n, second=second, firm=bool(firm))

    def sell_something(self, quantity: Decimal, n: int, *, second: bool, firm: bool) -> None:
        wanted = [n % 3, (n + 1) % 3][: 1 + second]
        lines = [
            SalesLine(self.products[k].pk, Decimal(1) if k == 2 else quantity, Decimal(5))
            for k in wanted
        ]
        fields = SalesOrderFields(
            warehouse_id=self.site.warehouse.pk, channel_id=self.channel.pk, priority=1 + n % 9
        )
        order = self.ask("sell", lambda: create_sales_order(fields=fields, lines=lines))
        if firm and order is not None:
            self.ask("confirm", lambda: confirm_sales_order(sales_order_id=order.pk))

    def order(self, n: int, **fitting: Any) -> SalesOrder | None:
        """Return an order, as a rule one that fits."""
        found: SalesOrder | None = likely(SalesOrder.objects.distinct(), n, **fitting)
        return found

    @rule(n=choices)
    def confirm(self, n: int) -> None:
        if (order := self.order(n, state="draft")) is not None:
            self.ask("confirm", lambda: confirm_sales_order(sales_order_id=order.pk))

    @precondition(lambda self: self.asked_last != "allocate")
    @rule()
    def allocate_all(self) -> None:
        site = self.site.warehouse.pk
        self.ask("allocate", lambda: allocate_warehouse(warehouse_id=site))

    @rule(n=choices, quantity=few, lapsing=st.booleans())
    def allocate_by_hand(self, n: int, quantity: Decimal, lapsing: bool) -> None:
        line = likely(SalesOrderLine.objects.all(), n, order__state__in=SHORT)
        stock = line and StockBalance.objects.filter(product_id=line.product_id)
        found = stock and likely(stock, n, location__kind="storage", on_hand__gt=F("allocated"))
        if not found:
            return
        until = datetime.now(UTC) - timedelta(minutes=1) if lapsing else None
        self.ask(
            "allocate by hand",
            lambda: allocate_line(
                line_id=line.pk,
                location_id=found.location_id,
                quantity=quantity,
                lot_id=found.lot_id,
                expires_at=until,
            ),
        )

    @rule()
    def let_promises_lapse(self) -> None:
        if Allocation.objects.filter(state="allocated", expires_at__isnull=False).exists():
            self.ask("let lapse", expire_allocations)

    @rule(n=choices)
    def release(self, n: int) -> None:
        sold = Allocation.objects.filter(order_line__isnull=False)
        found = likely(sold, n, state="allocated")
        if found is not None:
            self.ask("release", lambda: release_allocations(allocation_ids=[found.pk]))

    @rule(n=choices, back=st.booleans())
    def cancel_sale(self, n: int, back: bool) -> None:
        if (order := self.order(n)) is not None:
            self.ask(
                "cancel sale",
                lambda: cancel_sales_order(sales_order_id=order.pk, take_back_demand=back),
            )

    @rule(n=choices, quantity=quantities, back=st.booleans())
    def amend_sale(self, n: int, quantity: Decimal, back: bool) -> None:
        line = likely(SalesOrderLine.objects.all(), n, order__state__in=SHORT)
        if line is not None:
            self.ask(
                "amend sale",
                lambda: amend_sales_line(
                    sales_order_id=line.order_id,
                    line_id=line.pk,
                    quantity=quantity,
                    take_back_demand=back,
                ),
            )

    @rule(n=choices)
    def close_sale(self, n: int) -> None:
        if (order := self.order(n, lines__quantity_shipped__gt=0)) is not None:
            self.ask("close sale", lambda: close_sales_order(sales_order_id=order.pk))

    @rule(n=choices, priority=st.integers(1, 9))
    def hurry(self, n: int, priority: int) -> None:
        if (order := self.order(n)) is not None:
            self.ask(
                "change priority",
                lambda: change_priority(sales_order_id=order.pk, priority=priority),
            )

    @rule(kind=st.sampled_from(PlanKind))
    def release_wave(self, kind: PlanKind) -> None:
        self.release_some(kind)

    def release_some(self, kind: PlanKind) -> None:
        request = WaveRequest(self.site.warehouse.pk, kind=kind)
        self.ask("release wave", lambda: release_waves(request=request))

    @rule(n=choices)
    def call_off_wave(self, n: int) -> None:
        wave = likely(Wave.objects.all(), n, state="released")
        if wave is not None:
            self.ask("call off wave", lambda: cancel_wave(wave_id=wave.pk))

    @rule(n=choices)
    def pick_one(self, n: int) -> None:
        task = likely(PickTask.objects.all(), n, state="open")
        if task is None:
            return
        scanned = Pick(task.pk, task.location_id, task.product_id, task.lot_id)
        self.ask("pick", lambda: pick(wave_id=task.wave_id, picks=[scanned]))

    @rule(n=choices)
    def pick_a_wave(self, n: int) -> None:
        tasks = PickTask.objects.filter(state="open")
        first = nth(tasks, n)
        if first is None:
            return
        picks = [
            Pick(task.pk, task.location_id, task.product_id, task.lot_id)
            for task in tasks.filter(wave_id=first.wave_id).order_by("sequence")
        ]
        self.ask("pick wave", lambda: pick(wave_id=first.wave_id, picks=picks))

    @rule(n=choices, found=st.integers(min_value=0, max_value=5).map(Decimal))
    def pick_too_little(self, n: int, found: Decimal) -> None:
        task = nth(PickTask.objects.filter(state="open"), n)
        if task is None:
            return
        scanned = Pick(task.pk, task.location_id, task.product_id, task.lot_id, found)
        self.ask(
            "pick short",
            lambda: pick_short(wave_id=task.wave_id, picks=[scanned], reason="not_found"),
        )

    @rule(n=choices)
    def put_back(self, n: int) -> None:
        task = likely(PickTask.objects.all(), n, allocation__state="picked")
        if task is not None:
            self.ask("undo pick", lambda: undo_pick(wave_id=task.wave_id, task_ids=[task.pk]))
