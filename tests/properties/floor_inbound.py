"""Buying, receiving, putting away: rules of the floor machine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from inventory.models import PurchaseOrder, Receipt, ReceiptLine, StockBalance
from inventory.services.purchase_amendments import Amendment, amend_order_line
from inventory.services.purchasing import (
    OrderLine,
    cancel_order,
    close_order,
    create_draft_order,
    place_order,
)
from inventory.services.put_away import put_away
from inventory.services.receipt_corrections import reverse_receipt_line
from inventory.services.receipt_lines import (
    Arrival,
    add_receipt_line,
    change_receipt_line,
    remove_receipt_line,
)
from inventory.services.receiving import (
    ReceiptLine as Received,
    cancel_receipt,
    complete_receipt,
    open_receipt,
    receive_order,
)
from tests.properties.floor import Floor, ages, choices, few, likely, nth, quantities

OPEN = ("placed", "partially_received")
LOT_CODES = ("M1", "M2", "M3", "M4", "OLD")


class Inbound(Floor):
    def begin(self) -> None:
        super().begin()
        for n, quantity in enumerate((6, 9, 5)):
            self.buy(n, Decimal(quantity), early=True)
        self.receive(0, Decimal(2), 1, age=timedelta(days=2))
        for n in range(2):  # two drafts of one order
            self.open_draft(4)
            self.add_to_draft(4 * n, Decimal(9), 1, 1, Decimal(0))

    # -- buying -----------------------------------------------------------------------------------
    @rule(n=choices, quantity=quantities, early=st.booleans())
    def buy(self, n: int, quantity: Decimal, early: bool) -> None:
        tolerance = Decimal(n % 2)
        line = OrderLine(
            self.products[n % 2].pk,
            quantity,
            unit_price=Decimal("1.5"),
            over_receipt_tolerance=tolerance,
        )
        when = datetime.now(UTC) - timedelta(days=31) if early else None

        def place() -> Any:
            order = create_draft_order(
                supplier_id=self.supplier.pk, warehouse_id=self.site.warehouse.pk, lines=[line]
            )
            return place_order(order_id=order.pk, placed_at=when)

        self.ask("buy", place)

    @rule(n=choices, quantity=quantities)
    def amend_purchase(self, n: int, quantity: Decimal) -> None:
        order = nth(PurchaseOrder.objects.all(), n)
        if order is None:
            return
        change = Amendment(quantity=quantity, unit_price=Decimal("1.6"))
        self.ask(
            "amend purchase",
            lambda: amend_order_line(
                order_id=order.pk, line_id=order.lines.get().pk, amendment=change, reason="agreed"
            ),
        )

    @rule(n=choices)
    def cancel_purchase(self, n: int) -> None:
        order = nth(PurchaseOrder.objects.all(), n)
        if order is not None:
            self.ask("cancel purchase", lambda: cancel_order(order_id=order.pk))

    @rule(n=choices)
    def close_purchase(self, n: int) -> None:
        order = nth(PurchaseOrder.objects.all(), n)
        if order is not None:
            self.ask("close purchase", lambda: close_order(order_id=order.pk))

    # -- receiving in one go ------------------------------------------------------------------------
    @rule(n=choices, quantity=quantities, m=choices, age=ages)
    def receive(self, n: int, quantity: Decimal, m: int, age: timedelta) -> None:
        order = likely(PurchaseOrder.objects.all(), n, state__in=OPEN)
        if order is None:
            return
        line = order.lines.select_related("product").get()
        tracked = line.product.lot_tracking == "lot"
        arrived = Received(
            line_id=line.pk,
            quantity=quantity,
            lot_code=LOT_CODES[m % 5] if tracked else "",
            damaged=Decimal(m % 2),
        )
        when = datetime.now(UTC) - age if age else None
        self.ask(
            "receive",
            lambda: receive_order(order_id=order.pk, lines=[arrived], received_at=when),
        )

    @rule(n=choices, quantity=quantities, m=choices)
    def receive_unannounced(self, n: int, quantity: Decimal, m: int) -> None:
        def take_in() -> Any:
            receipt = open_receipt(
                supplier_id=self.supplier.pk, warehouse_id=self.site.warehouse.pk
            )
            add_receipt_line(receipt_id=receipt.pk, arrival=self.arrival(n, quantity, m))
            return complete_receipt(receipt_id=receipt.pk)

        self.ask("receive blind", take_in)

    def arrival(
        self, n: int, quantity: Decimal, m: int, damaged: Decimal = Decimal(0), cost: bool = True
    ) -> Arrival:
        """Return what arrives: flour, by the case now and then, milk of a lot, a new drill."""
        product = self.products[n % 3]
        lots = ("", LOT_CODES[m % 5], f"S{m % 6}")
        case = self.packaging(m) if product.pk == self.case.product_id else None
        return Arrival(
            product.pk,
            Decimal(1) if n % 3 == 2 else quantity,
            packaging_id=case.pk if case else None,
            damaged=damaged,
            lot_code=lots[n % 3],
            unit_cost=Decimal("1.1") if cost else None,
            difference_reason="over_delivered" if m % 2 else "",
        )

    # -- receiving by drafts ------------------------------------------------------------------------
    @rule(n=choices)
    def open_draft(self, n: int) -> None:
        order = likely(PurchaseOrder.objects.all(), n, state__in=OPEN)
        if order is not None:
            self.ask("open receipt", lambda: open_receipt(order_id=order.pk))

    @rule(n=choices, quantity=quantities, product=choices, m=choices, damaged=st.integers(0, 2))
    def add_to_draft(
        self, n: int, quantity: Decimal, product: int, m: int, damaged: int | Decimal
    ) -> None:
        receipt = likely(Receipt.objects.all(), n, state="open")
        if receipt is None:
            return
        arrival = self.arrival(
            product, quantity, m, Decimal(damaged), cost=receipt.purchase_order_id is None
        )
        self.ask("add to receipt", lambda: add_receipt_line(receipt_id=receipt.pk, arrival=arrival))

    @rule(n=choices, quantity=quantities, m=choices)
    def change_draft(self, n: int, quantity: Decimal, m: int) -> None:
        line = likely(ReceiptLine.objects.all(), n, receipt__state="open")
        if line is None:
            return
        number = [product.pk for product in self.products].index(line.product_id)
        arrival = self.arrival(number, quantity, m, cost=line.receipt.purchase_order_id is None)
        self.ask(
            "change receipt",
            lambda: change_receipt_line(
                receipt_id=line.receipt_id, receipt_line_id=line.pk, arrival=arrival
            ),
        )

    @rule(n=choices)
    def remove_from_draft(self, n: int) -> None:
        line = likely(ReceiptLine.objects.all(), n, receipt__state="open")
        if line is not None:
            self.ask(
                "remove from receipt",
                lambda: remove_receipt_line(receipt_id=line.receipt_id, receipt_line_id=line.pk),
            )

    @rule(n=choices, agreed=st.booleans(), age=ages)
    def complete_draft(self, n: int, agreed: bool, age: timedelta) -> None:
        receipt = likely(Receipt.objects.all(), n, state="open")
        if receipt is None:
            return
        when = datetime.now(UTC) - age if age else None
        self.ask(
            "complete receipt",
            lambda: complete_receipt(
                receipt_id=receipt.pk, accept_differences=agreed, received_at=when
            ),
        )

    @rule(n=choices)
    def cancel_draft(self, n: int) -> None:
        receipt = likely(Receipt.objects.all(), n, state="open")
        if receipt is not None:
            self.ask("cancel receipt", lambda: cancel_receipt(receipt_id=receipt.pk))

    @rule(n=choices)
    def take_receipt_back(self, n: int) -> None:
        line = likely(ReceiptLine.objects.all(), n, receipt__state="completed")
        if line is not None:
            self.ask(
                "reverse receipt",
                lambda: reverse_receipt_line(
                    receipt_id=line.receipt_id, receipt_line_id=line.pk, reason="mistake"
                ),
            )

    # -- putting away ---------------------------------------------------------------------------
    @rule(n=choices, quantity=few)
    def store(self, n: int, quantity: Decimal) -> None:
        dock = StockBalance.objects.filter(location__kind__in=["receiving", "packing"])
        found = nth(dock.filter(on_hand__gt=0), n)
        if found is None:
            return
        place = self.site.at("storage")
        self.ask(
            "put away",
            lambda: put_away(stock_balance_id=found.pk, to_location_id=place, quantity=quantity),
        )
