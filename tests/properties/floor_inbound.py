"""Buying, receiving, putting away: rules of the floor machine."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis.stateful import rule

from inventory.models import PurchaseOrder, ReceiptLine, StockBalance
from inventory.services.purchasing import OrderLine, cancel_order, create_draft_order, place_order
from inventory.services.put_away import put_away
from inventory.services.receipt_corrections import reverse_receipt_line
from inventory.services.receipt_lines import Arrival, add_receipt_line
from inventory.services.receiving import (
    ReceiptLine as Received,
    complete_receipt,
    open_receipt,
    receive_order,
)
from tests.properties.floor import Floor, choices, few, nth, quantities


class Inbound(Floor):
    # -- inbound ------------------------------------------------------------------------------------
    @rule(n=choices, quantity=quantities)
    def buy(self, n: int, quantity: Decimal) -> None:
        product = self.products[n % 2]
        line = OrderLine(product.pk, quantity, unit_price=Decimal("1.5"))

        def place() -> Any:
            order = create_draft_order(
                supplier_id=self.supplier.pk, warehouse_id=self.site.warehouse.pk, lines=[line]
            )
            return place_order(order_id=order.pk)

        self.ask("buy", place)

    @rule(n=choices, quantity=quantities, m=choices)
    def receive(self, n: int, quantity: Decimal, m: int) -> None:
        order = nth(PurchaseOrder.objects.all(), n)
        if order is None:
            return
        line = order.lines.select_related("product").get()
        lot = ("M1", "M2", "M3")[m % 3] if line.product.lot_tracking == "lot" else ""
        arrived = Received(line_id=line.pk, quantity=quantity, lot_code=lot)
        self.ask("receive", lambda: receive_order(order_id=order.pk, lines=[arrived]))

    @rule(n=choices)
    def cancel_purchase(self, n: int) -> None:
        order = nth(PurchaseOrder.objects.all(), n)
        if order is not None:
            self.ask("cancel purchase", lambda: cancel_order(order_id=order.pk))

    @rule(n=choices, quantity=quantities, m=choices)
    def receive_unannounced(self, n: int, quantity: Decimal, m: int) -> None:
        number = n % 2
        product = self.products[number]
        lot = ("M1", "M4")[m % 2] if number else ""
        arrival = Arrival(product.pk, quantity, lot_code=lot, unit_cost=Decimal("1.1"))

        def take_in() -> Any:
            receipt = open_receipt(
                supplier_id=self.supplier.pk, warehouse_id=self.site.warehouse.pk
            )
            add_receipt_line(receipt_id=receipt.pk, arrival=arrival)
            return complete_receipt(receipt_id=receipt.pk)

        self.ask("receive blind", take_in)

    @rule(n=choices)
    def take_receipt_back(self, n: int) -> None:
        line = nth(ReceiptLine.objects.all(), n)
        if line is not None:
            self.ask(
                "reverse receipt",
                lambda: reverse_receipt_line(
                    receipt_id=line.receipt_id, receipt_line_id=line.pk, reason="mistake"
                ),
            )

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
