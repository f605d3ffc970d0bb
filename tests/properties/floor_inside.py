"""Moving, adjusting, counting: rules of the floor machine."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from inventory.models import CountLine, CycleCount, MovementReason, Product, StockBalance
from inventory.services.adjustments import Adjustment, adjust_stock
from inventory.services.count_entry import CountEntry, enter_count, submit_count, undo_entry
from inventory.services.count_review import (
    approve_count,
    post_count,
    rebase_stale,
    recount_lines,
    recount_stale,
)
from inventory.services.counting import cancel_count, request_count, start_count
from inventory.services.ledger import MovementLine
from inventory.services.stock import move_stock
from tests.properties.floor import Floor, ages, choices, few, likely, nth

DOWN = (MovementReason.SCRAP, MovementReason.DAMAGE, MovementReason.EXPIRED)


class Inside(Floor):
    def begin(self) -> None:
        """Have counts under way: one ready to post, one that stock moves under, one half done."""
        super().begin()
        flour, _milk, drill = self.products
        for place, product, is_whole in (
            (self.other.at("storage"), flour, True),
            (self.site.at("storage"), flour, True),
            (self.site.at("storage"), drill, False),
        ):
            count = self.ask("start count", lambda p=place, q=product: self._count(p, q))
            if is_whole and count is not None:
                self.acting_as("manager", lambda c=count: approve_count(cycle_count_id=c.pk))

    def _count(self, place: int, product: Product) -> CycleCount:
        count = start_count(
            cycle_count_id=request_count(location_id=place, product_id=product.pk).pk
        )
        lying = StockBalance.objects.filter(location_id=place, product=product)
        entries = [CountEntry(product.pk, row.on_hand, row.lot_id) for row in lying]
        if product.lot_tracking == "serial":
            enter_count(cycle_count_id=count.pk, entries=entries[:1])
            return count
        # one is missing: a line without a variance is never stale
        entries = [replace(entry, counted=entry.counted - 1) for entry in entries]
        entries = entries or [CountEntry(product.pk, Decimal(0))]
        enter_count(cycle_count_id=count.pk, entries=entries)
        return submit_count(cycle_count_id=count.pk)

    # -- inside -------------------------------------------------------------------------------------
    @rule(n=choices, quantity=few, to=choices, age=ages)
    def move(self, n: int, quantity: Decimal, to: int, age: timedelta) -> None:
        found = nth(StockBalance.objects.filter(on_hand__gt=0), n)
        if found is None:
            return
        places = [self.site.at(kind) for kind in ("receiving", "storage", "quarantine", "packing")]
        places += [self.other.at("storage")]
        line = MovementLine(
            found.product_id,
            found.location_id,
            places[to % len(places)],
            quantity,
            MovementReason.MOVE,
            lot_id=found.lot_id,
        )
        when = datetime.now(UTC) - age if age else None
        self.ask("move", lambda: move_stock(lines=[line], effective_at=when))

    @rule(n=choices, change=few, down=st.booleans(), manager=st.booleans(), age=ages)
    def adjust(
        self,
        n: int,
        change: Decimal,
        down: bool,
        manager: bool = True,
        age: timedelta = timedelta(0),
    ) -> None:
        """Correct the stock; an operator may do so up to a limit only."""
        found = nth(StockBalance.objects.filter(location__warehouse=self.site.warehouse), n)
        if found is None:
            return
        adjustment = Adjustment(
            found.product_id,
            found.location_id,
            -change if down else change,
            MovementReason(DOWN[n % 3] if down else MovementReason.FOUND),
            found.lot_id,
        )
        site = self.site.warehouse.pk
        when = datetime.now(UTC) - age if age else None

        def correct() -> Any:
            return adjust_stock(warehouse_id=site, adjustments=[adjustment], effective_at=when)

        role = "manager" if manager else "operator"
        self.ask("adjust", lambda: self.acting_as(role, correct))

    # -- counts -----------------------------------------------------------------------------------
    @rule(n=choices, off=st.integers(min_value=-1, max_value=1))
    def count_place(self, n: int, off: int) -> None:
        """Count a place from beginning to end, a little wrong now and then."""
        found = nth(StockBalance.objects.filter(location__warehouse=self.site.warehouse), n)
        if found is None:
            return

        def count() -> Any:
            asked = request_count(location_id=found.location_id, product_id=found.product_id)
            start_count(cycle_count_id=asked.pk)
            counted = max(found.on_hand + off, Decimal(0))
            entry = CountEntry(found.product_id, counted, found.lot_id)
            enter_count(cycle_count_id=asked.pk, entries=[entry])
            return submit_count(cycle_count_id=asked.pk, uncounted_are_zero=bool(n % 2))

        self.ask("count", count)

    @rule(n=choices)
    def approve(self, n: int) -> None:
        found = likely(CycleCount.objects.all(), n, state="counted")
        if found is not None:
            self.ask(
                "approve count",
                lambda: self.acting_as("manager", lambda: approve_count(cycle_count_id=found.pk)),
            )

    @rule(n=choices)
    def post(self, n: int) -> None:
        found = likely(CycleCount.objects.all(), n, state="approved")
        if found is not None:
            self.ask(
                "post count",
                lambda: self.acting_as("manager", lambda: post_count(cycle_count_id=found.pk)),
            )

    @rule(n=choices)
    def rebase(self, n: int) -> None:
        found = likely(CycleCount.objects.all(), n, state__in=["counted", "approved"])
        if found is not None:
            self.ask(
                "rebase count",
                lambda: self.acting_as("manager", lambda: rebase_stale(cycle_count_id=found.pk)),
            )

    @rule(n=choices)
    def call_off_count(self, n: int) -> None:
        found = nth(CycleCount.objects.all(), n)
        if found is not None:
            self.ask("cancel count", lambda: cancel_count(cycle_count_id=found.pk))

    @rule(n=choices)
    def ask_for_count(self, n: int) -> None:
        place = (self.site, self.other)[n % 2].at("storage")
        again = nth(CycleCount.objects.filter(state="recount"), n)

        def begin() -> Any:
            asked = again or request_count(location_id=place, product_id=self.products[n % 3].pk)
            return start_count(cycle_count_id=asked.pk)

        self.ask("start count", begin)

    @rule(n=choices, off=st.integers(min_value=-1, max_value=1), product=choices)
    def enter_a_count(self, n: int, off: int, product: int) -> None:
        count = likely(CycleCount.objects.all(), n, state="counting")
        there = count and StockBalance.objects.filter(location=count.location)
        found = there and likely(there, product, product=count.product)
        if not found:
            return
        entry = CountEntry(found.product_id, max(found.on_hand + off, Decimal(0)), found.lot_id)
        self.ask("enter count", lambda: enter_count(cycle_count_id=count.pk, entries=[entry]))

    @rule(n=choices)
    def take_entry_back(self, n: int) -> None:
        line = nth(CountLine.objects.all(), n)
        if line is not None:
            self.ask(
                "undo entry", lambda: undo_entry(cycle_count_id=line.count_id, line_id=line.pk)
            )

    @rule(n=choices, zero=st.booleans())
    def hand_in_count(self, n: int, zero: bool) -> None:
        count = likely(CycleCount.objects.all(), n, state="counting")
        if count is not None:
            self.ask(
                "submit count",
                lambda: submit_count(cycle_count_id=count.pk, uncounted_are_zero=zero),
            )

    @rule(n=choices, stale=st.booleans())
    def count_again(self, n: int, stale: bool) -> None:
        line = likely(CountLine.objects.all(), n, count__state__in=["counted", "approved"])
        if line is None:
            return

        def again() -> Any:
            if stale:
                return recount_stale(cycle_count_id=line.count_id)
            return recount_lines(cycle_count_id=line.count_id, line_ids=[line.pk])

        self.ask("count again", lambda: self.acting_as("manager", again))
