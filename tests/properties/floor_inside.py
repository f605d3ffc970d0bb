"""Moving, adjusting, counting, transferring: rules of the floor machine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from inventory.models import (
    CycleCount,
    MovementReason,
    StockBalance,
    StockMovement,
    TransferOrder,
    TransferPiece,
)
from inventory.services.adjustments import Adjustment, adjust_stock
from inventory.services.count_entry import CountEntry, enter_count, submit_count
from inventory.services.count_review import approve_count, post_count, rebase_stale
from inventory.services.counting import cancel_count, request_count, start_count
from inventory.services.ledger import MovementLine, reverse_movement
from inventory.services.stock import move_stock
from inventory.services.transfer_lines import AskedLine
from inventory.services.transfer_promises import release_transfer
from inventory.services.transfer_receiving import (
    LostGoods,
    ReceivedGoods,
    receive_transfer,
    state_transfer_loss,
)
from inventory.services.transfer_sending import send_transfer
from inventory.services.transfers import cancel_transfer, create_transfer
from tenancy.scope import active_scope, tenant_scope
from tests.properties.floor import Floor, ages, choices, few, nth, quantities


class Inside(Floor):
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

    @rule(n=choices, change=few, down=st.booleans())
    def adjust(self, n: int, change: Decimal, down: bool) -> None:
        found = nth(StockBalance.objects.filter(location__warehouse=self.site.warehouse), n)
        if found is None:
            return
        adjustment = Adjustment(
            found.product_id,
            found.location_id,
            -change if down else change,
            MovementReason.SCRAP if down else MovementReason.FOUND,
            found.lot_id,
        )
        site = self.site.warehouse.pk
        self.ask("adjust", lambda: adjust_stock(warehouse_id=site, adjustments=[adjustment]))

    @rule(n=choices)
    def reverse(self, n: int) -> None:
        """Take back a movement of no document; those of documents have corrections of their own."""
        found = nth(StockMovement.objects.filter(document_kind="", reverses=None), n)
        if found is not None:
            self.ask("reverse", lambda: reverse_movement(movement_id=found.pk))

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

    def _as_approver(self, effect: Any) -> Any:
        with tenant_scope(active_scope().tenant, actor=self.approver):
            return effect()

    @rule(n=choices, fresh=st.booleans())
    def approve(self, n: int, fresh: bool) -> None:
        found = nth(CycleCount.objects.filter(state__in=["counted", "approved"]), n)
        if found is None:
            return

        def post() -> Any:
            approve_count(cycle_count_id=found.pk)
            if not fresh:
                rebase_stale(cycle_count_id=found.pk)
            return post_count(cycle_count_id=found.pk)

        self.ask("approve count", lambda: self._as_approver(post))

    @rule(n=choices)
    def call_off_count(self, n: int) -> None:
        found = nth(CycleCount.objects.all(), n)
        if found is not None:
            self.ask("cancel count", lambda: cancel_count(cycle_count_id=found.pk))

    # -- transfers --------------------------------------------------------------------------------
    @rule(n=choices, quantity=quantities)
    def ask_for_transfer(self, n: int, quantity: Decimal) -> None:
        line = AskedLine(self.products[n % 3].pk, Decimal(1) if n % 3 == 2 else quantity)

        def release() -> Any:
            order = create_transfer(
                from_warehouse_id=self.site.warehouse.pk,
                to_warehouse_id=self.other.warehouse.pk,
                lines=[line],
            )
            return release_transfer(transfer_order_id=order.pk, allow_short=bool(n % 2))

        self.ask("release transfer", release)

    @rule(n=choices)
    def send(self, n: int) -> None:
        order = nth(TransferOrder.objects.all(), n)
        if order is not None:
            self.ask("send transfer", lambda: send_transfer(transfer_order_id=order.pk))

    @rule(n=choices, quantity=few, lost=st.booleans())
    def take_in_transfer(self, n: int, quantity: Decimal, lost: bool) -> None:
        piece = nth(TransferPiece.objects.all(), n)
        if piece is None:
            return
        order_id = piece.line.order_id
        if lost:
            gone = [LostGoods(piece.pk, quantity)]
            self.ask(
                "lose in transit",
                lambda: state_transfer_loss(
                    transfer_order_id=order_id, goods=gone, note="fell off"
                ),
            )
            return
        goods = [ReceivedGoods(piece.pk, quantity)]
        self.ask(
            "receive transfer",
            lambda: receive_transfer(transfer_order_id=order_id, goods=goods),
        )

    @rule(n=choices)
    def call_off_transfer(self, n: int) -> None:
        order = nth(TransferOrder.objects.all(), n)
        if order is not None:
            self.ask("cancel transfer", lambda: cancel_transfer(transfer_order_id=order.pk))
