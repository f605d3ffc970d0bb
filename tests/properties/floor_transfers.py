"""Transfers between the two sites: rules of the floor machine."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db.models import F
from hypothesis import strategies as st
from hypothesis.stateful import rule

from inventory.models import StockBalance, StockMovement, TransferOrder, TransferPiece
from inventory.services.transfers import (
    AskedLine,
    LostGoods,
    ReceivedGoods,
    SentGoods,
    cancel_transfer,
    create_transfer,
    end_sending,
    receive_transfer,
    release_transfer,
    reverse_transfer_movement,
    send_transfer,
    state_transfer_loss,
)
from tests.properties.floor import Floor, choices, few, likely, nth, quantities


class Transfers(Floor):
    def begin(self) -> None:
        super().begin()
        for n in (1, 3):
            self.ask_for_transfer(n, Decimal(3))
        self.send(0)

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
        order = likely(TransferOrder.objects.all(), n, state="released")
        if order is not None:
            self.ask("send transfer", lambda: send_transfer(transfer_order_id=order.pk))

    @rule(n=choices, quantity=few, lost=st.booleans())
    def take_in_transfer(self, n: int, quantity: Decimal, lost: bool) -> None:
        left = F("quantity_received") + F("quantity_lost")
        piece = likely(TransferPiece.objects.all(), n, quantity__gt=left)
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

    @rule(n=choices, quantity=few)
    def send_a_part(self, n: int, quantity: Decimal) -> None:
        order = likely(TransferOrder.objects.all(), n, state__in=["released", "in_transit"])
        line = order and order.lines.first()
        stock = line and StockBalance.objects.filter(product_id=line.product_id, on_hand__gt=0)
        found = stock and likely(stock, n, location__in=self.site.places.values())
        if not found:
            return
        part = SentGoods(line.pk, found.location_id, quantity, found.lot_id)
        self.ask("send a part", lambda: send_transfer(transfer_order_id=order.pk, goods=[part]))

    @rule(n=choices)
    def send_no_more(self, n: int) -> None:
        order = likely(TransferOrder.objects.all(), n, state="in_transit")
        if order is not None:
            self.ask("end sending", lambda: end_sending(transfer_order_id=order.pk))

    @rule(n=choices)
    def take_transfer_step_back(self, n: int) -> None:
        moved = nth(StockMovement.objects.filter(document_kind="TransferOrder"), n)
        if moved is not None:
            self.ask(
                "reverse transfer",
                lambda: reverse_transfer_movement(
                    transfer_order_id=moved.document_id, movement_id=moved.pk, reason="mistake"
                ),
            )
