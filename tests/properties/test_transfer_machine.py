"""Random transfers between two warehouses: nothing vanishes, lot by lot, at any step."""

from __future__ import annotations

import os
from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from inventory.models import (
    Allocation,
    AllocationState,
    MovementReason,
    StockBalance,
    StockMovement,
    TransferOrder,
    TransferPiece,
    TransferState,
)
from inventory.queries.integrity import check_book
from inventory.services import transfer_sql
from inventory.services.transfers import (
    LostGoods,
    ReceivedGoods,
    SentGoods,
    cancel_transfer,
    end_sending,
    receive_transfer,
    release_transfer,
    reverse_transfer_movement,
    send_transfer,
    state_transfer_loss,
)
from tenancy.errors import Refused
from tests.cast import House
from tests.inventory.book import make_lot, make_product
from tests.inventory.shifting import Pair, make_pair

LONG = os.environ.get("STOCKCAST_LONG") == "1"
EXAMPLES, STEPS = (150, 50) if LONG else (5, 14)

few = st.integers(min_value=1, max_value=7).map(Decimal)
choice = st.integers(min_value=0, max_value=9)
OVER = {TransferState.RECEIVED, TransferState.CANCELLED}


class TransferMachine(RuleBasedStateMachine):
    """Milk in two lots and flour in bulk go back and forth; the model only counts what there was."""

    def __init__(self) -> None:
        super().__init__()
        self.savepoint = transaction.savepoint()
        self.brought: dict[int | None, Decimal] = defaultdict(Decimal)
        self.lost: dict[int | None, Decimal] = defaultdict(Decimal)
        self.orders: list[TransferOrder] = []

    @initialize()
    def open_house(self) -> None:
        east = make_pair()
        self.ways = [east, Pair(east.there, east.here)]
        self.flour = make_product("FLOUR", whole_units=False)
        self.milk = make_product("MILK", lot_tracking="lot")
        self.lots = [make_lot(self.milk, "A").pk, make_lot(self.milk, "B").pk, None]
        for number in range(6):
            self.bring(number % 2, number, Decimal(6))

    def teardown(self) -> None:
        transaction.savepoint_rollback(self.savepoint)

    # -- what people do -----------------------------------------------------------------------
    @rule(at=choice, what=choice, quantity=few)
    def bring(self, at: int, what: int, quantity: Decimal) -> None:
        lot = self.lots[what % 3]
        product = self.flour if lot is None else self.milk
        self.ways[at % 2].here.receive(product, quantity, lot_id=lot)
        self.brought[lot] += quantity

    @rule(way=choice, milk=few, flour=few, is_sent=st.booleans())
    def draft_and_release(self, way: int, milk: Decimal, flour: Decimal, is_sent: bool) -> None:
        order = self.ways[way % 2].draft((self.milk, milk), (self.flour, flour))
        self.orders.append(order)
        self.tried(lambda: release_transfer(transfer_order_id=order.pk, allow_short=True))
        if is_sent:
            self.tried(lambda: send_transfer(transfer_order_id=order.pk))

    @precondition(lambda self: self.orders)
    @rule(which=choice)
    def send_what_is_promised(self, which: int) -> None:
        order = self.orders[which % len(self.orders)]
        self.tried(lambda: send_transfer(transfer_order_id=order.pk))

    @precondition(lambda self: self.orders)
    @rule(which=choice, what=choice, quantity=few)
    def send_a_part(self, which: int, what: int, quantity: Decimal) -> None:
        order, lot = self.orders[which % len(self.orders)], self.lots[what % 3]
        line = order.lines.get(product=self.flour if lot is None else self.milk)
        place = next(w for w in self.ways if w.here.warehouse.pk == order.from_warehouse_id)
        part = SentGoods(line.pk, place.here.at("storage"), quantity, lot)
        self.tried(lambda: send_transfer(transfer_order_id=order.pk, goods=[part]))

    @precondition(lambda self: self.pieces())
    @rule(which=choice, quantity=few, broken=st.booleans())
    def receive(self, which: int, quantity: Decimal, broken: bool) -> None:
        piece = self.a_piece(which)
        part = ReceivedGoods(piece.pk, quantity, quantity if broken else Decimal(0))
        self.tried(lambda: receive_transfer(transfer_order_id=piece.line.order_id, goods=[part]))

    @precondition(lambda self: self.pieces())
    @rule(which=choice, quantity=few)
    def lose(self, which: int, quantity: Decimal) -> None:
        piece = self.a_piece(which)
        goods = [LostGoods(piece.pk, quantity)]
        order_id = piece.line.order_id
        if self.tried(
            lambda: state_transfer_loss(transfer_order_id=order_id, goods=goods, note="fell off")
        ):
            self.lost[piece.lot_id] += quantity

    @precondition(lambda self: self.orders)
    @rule(which=choice)
    def end(self, which: int) -> None:
        order = self.orders[which % len(self.orders)]
        self.tried(lambda: end_sending(transfer_order_id=order.pk))

    @precondition(lambda self: self.orders)
    @rule(which=choice)
    def cancel(self, which: int) -> None:
        order = self.orders[which % len(self.orders)]
        self.tried(lambda: cancel_transfer(transfer_order_id=order.pk))

    @precondition(lambda self: self.pieces())
    @rule(which=choice)
    def take_back(self, which: int) -> None:
        rows = StockMovement.objects.filter(document_kind="TransferOrder", reverses=None)
        movement = rows.order_by("-id")[which % rows.count()]
        order_id = movement.document_id
        if self.tried(
            lambda: reverse_transfer_movement(
                transfer_order_id=order_id, movement_id=movement.pk, reason="wrong pallet"
            )
        ) and (movement.reason == MovementReason.TRANSFER_LOSS):
            self.lost[movement.lot_id] -= movement.quantity

    # -- what must hold -----------------------------------------------------------------------
    @invariant()
    def nothing_vanishes(self) -> None:
        there: dict[int | None, Decimal] = defaultdict(Decimal)
        for balance in StockBalance.objects.all():
            there[balance.lot_id] += balance.on_hand
        for lot in getattr(self, "lots", []):
            assert there[lot] + self.lost[lot] == self.brought[lot]

    @invariant()
    def what_was_sent_arrived_was_lost_or_is_on_the_way(self) -> None:
        road: dict[tuple[int, int | None], Decimal] = defaultdict(Decimal)
        for piece in self.pieces():
            left = piece.quantity - piece.quantity_received - piece.quantity_lost
            road[piece.line.order.to_warehouse_id, piece.lot_id] += left
            if piece.line.order.state in OVER:
                assert left == 0
        lying = StockBalance.objects.filter(location__kind="in_transit").select_related("location")
        on_road = {(row.location.warehouse_id, row.lot_id): row.on_hand for row in lying}
        assert {key: q for key, q in road.items() if q} == {k: q for k, q in on_road.items() if q}

    @invariant()
    def what_is_over_holds_no_stock(self) -> None:
        live = Allocation.objects.filter(state=AllocationState.ALLOCATED)
        assert not live.filter(transfer_line__order__state__in=OVER).exists()

    @invariant()
    def the_book_is_in_order(self) -> None:
        assert check_book() == []

    # -- helpers ------------------------------------------------------------------------------
    def tried(self, work: Any) -> bool:
        """Do it if it is allowed; a refusal leaves everything as it was."""
        try:
            with transaction.atomic():
                work()
        except Refused:
            return False
        return True

    def pieces(self) -> list[TransferPiece]:
        return list(TransferPiece.objects.select_related("line__order").order_by("id"))

    def a_piece(self, which: int) -> TransferPiece:
        """Return a piece, of those that are on the way if there are any."""
        known = self.pieces()
        open_ = [p for p in known if p.quantity > p.quantity_received + p.quantity_lost]
        return (open_ or known)[which % len(open_ or known)]


def test_nothing_vanishes_between_two_warehouses(in_north: House) -> None:
    run_state_machine_as_test(
        TransferMachine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_control_a_receipt_that_is_not_counted_is_found(
    in_north: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgetful = transfer_sql.ADD_ARRIVED.replace("+ arrived.received,", "+ 0 * arrived.received,")
    monkeypatch.setattr(transfer_sql, "ADD_ARRIVED", forgetful)
    machine = TransferMachine()
    machine.open_house()
    machine.draft_and_release(0, Decimal(3), Decimal(3), True)
    machine.what_was_sent_arrived_was_lost_or_is_on_the_way()
    machine.receive(0, Decimal(2), False)
    for invariant_broken in (
        machine.what_was_sent_arrived_was_lost_or_is_on_the_way,
        machine.the_book_is_in_order,
    ):
        with pytest.raises(AssertionError):
            invariant_broken()
