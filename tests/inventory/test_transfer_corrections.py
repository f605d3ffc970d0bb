"""Taking back what was booked of a transfer in error: by the transfer, once, with a reason."""

from __future__ import annotations

from decimal import Decimal

import pytest

from inventory.models import MovementReason, StockMovement, TransferOrder, TransferState
from inventory.queries.integrity import check_book
from inventory.services.access import set_warehouse_access
from inventory.services.ledger import (
    AlreadyReversed,
    CorrectTheDocument,
    InsufficientStock,
    reverse_movement,
)
from inventory.services.stock import move_stock
from inventory.services.transfers import (
    ArrivedAlready,
    LostGoods,
    WrongTransferState,
    cancel_transfer,
    reverse_transfer_movement,
    send_transfer,
    state_transfer_loss,
)
from tenancy.errors import Invalid, NotFound
from tenancy.models import AuditEvent, Membership
from tenancy.permissions import PermissionRefused
from tests.cast import House
from tests.inventory.book import make_product, on_hand
from tests.inventory.shifting import Pair, allocated, fresh, make_pair, piece_of


def last(reason: MovementReason) -> int:
    """Return the id of the newest movement of that kind."""
    return int(StockMovement.objects.filter(reason=reason).order_by("-id")[0].pk)


def take_back(order: TransferOrder, reason: MovementReason, words: str = "wrong pallet") -> None:
    reverse_transfer_movement(transfer_order_id=order.pk, movement_id=last(reason), reason=words)


def test_a_receipt_in_error_is_on_the_way_again(pair: Pair) -> None:
    apple = make_product()
    pair.here.receive(apple, 10)
    order = pair.sent((apple, 10))
    pair.receive(order, 10)
    take_back(order, MovementReason.TRANSFER_IN)
    again = fresh(order)
    assert (again.state, again.received_at) == (TransferState.IN_TRANSIT, None)
    assert piece_of(order).quantity_received == 0
    assert on_hand(apple, pair.there.at("in_transit")) == 10
    assert check_book() == []
    pair.receive(order, 10)
    assert fresh(order).state == TransferState.RECEIVED
    assert AuditEvent.objects.get(action="transfer.movement_reversed").data["reason"] == (
        "wrong pallet"
    )


def test_what_left_in_error_lies_free_again_and_the_transfer_can_be_cancelled(pair: Pair) -> None:
    apple = make_product()
    pair.here.receive(apple, 10)
    order = pair.released((apple, 6))
    pair.send(order, 4)
    take_back(order, MovementReason.TRANSFER_OUT)
    back = fresh(order)
    assert (back.state, back.sent_at) == (TransferState.RELEASED, None)
    assert order.lines.get().quantity_sent == 0
    assert (on_hand(apple, pair.here.at("storage")), allocated(apple)) == (10, 2)
    assert check_book() == []
    cancel_transfer(transfer_order_id=order.pk)
    assert allocated(apple) == 0


def test_one_of_two_sendings_is_taken_back(pair: Pair) -> None:
    apple = make_product()
    pair.here.receive(apple, 10)
    order = pair.released((apple, 6))
    pair.send(order, 4)
    pair.send(order, 2)
    take_back(order, MovementReason.TRANSFER_OUT)
    assert (piece_of(order).quantity, fresh(order).state) == (4, TransferState.IN_TRANSIT)
    assert check_book() == []


def test_what_arrived_is_not_taken_back_to_where_it_came_from(pair: Pair) -> None:
    """Another transfer is on the same road: the ledger alone would let it pass."""
    apple = make_product()
    pair.here.receive(apple, 20)
    order = pair.sent((apple, 6))
    out = last(MovementReason.TRANSFER_OUT)
    pair.sent((apple, 8))
    pair.receive(order, 1)
    with pytest.raises(ArrivedAlready, match="Of these 6 some have arrived"):
        reverse_transfer_movement(transfer_order_id=order.pk, movement_id=out, reason="oops")
    assert piece_of(order).quantity == 6
    assert on_hand(apple, pair.here.at("storage")) == 6
    assert check_book() == []


def test_a_stated_loss_is_taken_back_by_who_may_adjust(north: House) -> None:
    with north.scope():
        pair, apple = make_pair(), make_product()
        pair.here.receive(apple, 10)
        order = pair.sent((apple, 10))
        goods = [LostGoods(piece_of(order).pk, Decimal(10))]
        state_transfer_loss(transfer_order_id=order.pk, goods=goods, note="stolen")
        assert fresh(order).state == TransferState.RECEIVED
    with north.scope("operator"), pytest.raises(PermissionRefused):
        take_back(order, MovementReason.TRANSFER_LOSS)
    with north.scope("manager"):
        take_back(order, MovementReason.TRANSFER_LOSS, "found behind the door")
        assert fresh(order).state == TransferState.IN_TRANSIT
        assert (piece_of(order).quantity_lost, on_hand(apple)) == (0, 10)
        assert check_book() == []


def test_a_movement_is_taken_back_once_with_a_reason_and_by_its_transfer(pair: Pair) -> None:
    apple = make_product()
    pair.here.receive(apple, 20)
    order, other = pair.sent((apple, 10)), pair.sent((apple, 5))
    pair.receive(order, 3)
    arrival = last(MovementReason.TRANSFER_IN)
    with pytest.raises(CorrectTheDocument):
        reverse_movement(movement_id=arrival)
    with pytest.raises(NotFound):
        reverse_transfer_movement(transfer_order_id=other.pk, movement_id=arrival, reason="x")
    with pytest.raises(Invalid, match="Say why"):
        take_back(order, MovementReason.TRANSFER_IN, " ")
    take_back(order, MovementReason.TRANSFER_IN)
    with pytest.raises(AlreadyReversed):
        reverse_transfer_movement(transfer_order_id=order.pk, movement_id=arrival, reason="x")
    back = last(MovementReason.TRANSFER_IN)
    with pytest.raises(NotFound):  # a reversal is not taken back: receive again
        reverse_transfer_movement(transfer_order_id=order.pk, movement_id=back, reason="x")
    assert piece_of(order).quantity_received == 0
    assert check_book() == []


def test_goods_that_moved_on_are_not_taken_back(pair: Pair) -> None:
    apple = make_product()
    pair.here.receive(apple, 10)
    order = pair.sent((apple, 10))
    pair.receive(order, 10)
    dock = pair.there.at("receiving")
    move_stock(lines=[pair.there.line(apple, 10, "receiving", "storage")])
    with pytest.raises(InsufficientStock):
        take_back(order, MovementReason.TRANSFER_IN)
    assert fresh(order).state == TransferState.RECEIVED
    assert (piece_of(order).quantity_received, on_hand(apple, dock)) == (10, 0)


def test_nothing_of_a_draft_or_released_transfer_is_taken_back(pair: Pair) -> None:
    apple = make_product()
    pair.here.receive(apple, 10)
    sent, released = pair.sent((apple, 4)), pair.released((apple, 4))
    for order in (released, pair.draft((apple, 1))):
        with pytest.raises(WrongTransferState):
            take_back(order, MovementReason.TRANSFER_OUT)
    assert fresh(sent).state == TransferState.IN_TRANSIT


# -- who works in which warehouse -----------------------------------------------------------------
def test_each_end_is_worked_by_who_works_there(north: House) -> None:
    with north.scope():
        pair, apple = make_pair(), make_product()
        pair.here.receive(apple, 10)
        order = pair.released((apple, 6))
        for role, site in (("operator", pair.here), ("manager", pair.there)):
            member = Membership.objects.get(user=north.members[role])
            set_warehouse_access(membership_id=member.pk, warehouse_ids=[site.warehouse.pk])
    with north.scope("manager"), pytest.raises(NotFound):
        send_transfer(transfer_order_id=order.pk)
    with north.scope("operator"):
        pair.send(order, 4)
        with pytest.raises(NotFound):
            pair.receive(order, 1)
    with north.scope("manager"):
        pair.receive(order, 3)
        goods = [LostGoods(piece_of(order).pk, Decimal(1))]
        state_transfer_loss(transfer_order_id=order.pk, goods=goods, note="broken glass")
    with north.scope():
        other = make_pair("EAST", "WEST")
        other.here.receive(apple, 5)
        theirs = other.sent((apple, 5))
    with north.scope("manager"):
        for work in (
            lambda: cancel_transfer(transfer_order_id=theirs.pk),
            lambda: other.receive(theirs, 1),
        ):
            with pytest.raises(NotFound):
                work()
