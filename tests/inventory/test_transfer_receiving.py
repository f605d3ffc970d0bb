"""Receiving a transfer: what was sent arrives, is damaged or is lost, and nothing vanishes."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from inventory.models import (
    Location,
    MovementReason,
    StockMovement,
    TransferPiece,
    TransferState,
    WorkKind,
)
from inventory.queries.integrity import check_book
from inventory.queries.worklists import live_claims
from inventory.services.transfers import (
    LostGoods,
    MoreThanSent,
    ReceivedGoods,
    WrongTransferState,
    receive_transfer,
    state_transfer_loss,
)
from inventory.services.worklists import claim_work
from tenancy.errors import Invalid, NotFound
from tenancy.models import AuditEvent
from tenancy.permissions import PermissionRefused
from tests.cast import House
from tests.inventory.book import make_lot, make_product, on_hand
from tests.inventory.shifting import Pair, at, fresh, make_pair, piece_of


def ten_apples_on_the_way(pair: Pair) -> tuple[Any, Any]:
    apple = make_product()
    pair.here.receive(apple, 10)
    return apple, pair.sent((apple, 10))


def lose(order: Any, quantity: Any, note: str = "fell off the lorry") -> Any:
    part = LostGoods(piece_of(order).pk, Decimal(str(quantity)))
    return state_transfer_loss(transfer_order_id=order.pk, goods=[part], note=note)


def test_goods_arrive_in_parts_with_the_lot_that_was_sent(pair: Pair) -> None:
    milk = make_product("MILK", lot_tracking="lot")
    lot = make_lot(milk, "L-1")
    pair.here.receive(milk, 10, lot_id=lot.pk)
    order = pair.sent((milk, 10))
    claim_work(kind=WorkKind.RECEIVE_TRANSFER, subject_id=order.pk)
    pair.receive(order, 6)
    assert fresh(order).state == TransferState.IN_TRANSIT
    assert on_hand(milk, pair.there.at("receiving")) == 6
    assert on_hand(milk, pair.there.at("in_transit")) == 4
    assert live_claims(WorkKind.RECEIVE_TRANSFER, [order.pk])
    pair.receive(order, 4)
    done = fresh(order)
    assert (done.state, done.received_at is not None) == (TransferState.RECEIVED, True)
    assert live_claims(WorkKind.RECEIVE_TRANSFER, [order.pk]) == {}
    moves = StockMovement.objects.filter(reason=MovementReason.TRANSFER_IN)
    assert {move.lot_id for move in moves} == {lot.pk}
    assert check_book() == []


def test_the_damaged_part_goes_to_the_damaged_place(pair: Pair) -> None:
    apple, order = ten_apples_on_the_way(pair)
    pair.receive(order, 10, damaged=3)
    assert on_hand(apple, pair.there.at("receiving")) == 7
    assert on_hand(apple, pair.there.at("damaged")) == 3
    assert fresh(order).state == TransferState.RECEIVED


def test_goods_go_where_the_receiver_says_within_the_warehouse(pair: Pair) -> None:
    apple, order = ten_apples_on_the_way(pair)
    shelf = Location.objects.create(warehouse=pair.there.warehouse, code="A-01", kind="storage")
    part = ReceivedGoods(piece_of(order).pk, Decimal(4))
    for wrong, words in (
        (pair.here.at("storage"), "belongs to another warehouse"),
        (pair.there.at("packing"), "neither a dock nor a storage"),
        (pair.there.at("loss"), "neither a dock nor a storage"),
    ):
        with pytest.raises(Invalid, match=words):
            receive_transfer(transfer_order_id=order.pk, goods=[part], to_location_id=wrong)
    receive_transfer(transfer_order_id=order.pk, goods=[part], to_location_id=shelf.pk)
    assert on_hand(apple, shelf.pk) == 4


def test_what_is_lost_is_written_off_with_words_and_the_rest_completes_it(pair: Pair) -> None:
    apple, order = ten_apples_on_the_way(pair)
    pair.receive(order, 7)
    lose(order, 3)
    done = fresh(order)
    assert (done.state, order.lines.get().quantity_lost) == (TransferState.RECEIVED, 3)
    loss = StockMovement.objects.get(reason=MovementReason.TRANSFER_LOSS)
    assert (loss.quantity, loss.note) == (3, "fell off the lorry")
    assert loss.to_location_id == pair.there.at("loss")
    assert on_hand(apple) == 7
    told = AuditEvent.objects.get(action="transfer.loss_stated").data
    assert told["note"] == "fell off the lorry"
    assert check_book() == []


def test_no_more_arrives_or_is_lost_than_is_on_the_way(pair: Pair) -> None:
    apple, order = ten_apples_on_the_way(pair)
    pair.receive(order, 6)
    with pytest.raises(MoreThanSent, match="5 given, but only 4 of the 10 sent") as refused:
        pair.receive(order, 5)
    assert refused.value.data["lines"][0]["received"] == "6"
    with pytest.raises(MoreThanSent):
        lose(order, 5)
    part = ReceivedGoods(piece_of(order).pk, Decimal(3))
    with pytest.raises(MoreThanSent, match="6 given"):
        receive_transfer(transfer_order_id=order.pk, goods=[part, part])
    assert (piece_of(order).quantity_received, piece_of(order).quantity_lost) == (6, 0)
    assert on_hand(apple, pair.there.at("in_transit")) == 4


def test_nothing_arrives_that_is_not_on_the_way(pair: Pair) -> None:
    apple, order = ten_apples_on_the_way(pair)
    part = ReceivedGoods(piece_of(order).pk, Decimal(10))
    receive_transfer(transfer_order_id=order.pk, goods=[part])
    for again in (lambda: pair.receive(order, 1), lambda: lose(order, 1)):
        with pytest.raises(WrongTransferState, match="is Received"):
            again()
    pair.here.receive(apple, 5)
    released = pair.released((apple, 5))
    with pytest.raises(WrongTransferState, match="is Released"):
        receive_transfer(transfer_order_id=released.pk, goods=[part])
    assert on_hand(apple, pair.there.at("receiving")) == 10


@pytest.mark.parametrize("quantity", ["0", "-1", "0.5", "1e400", "NaN"])
def test_a_wrong_quantity_is_refused_at_its_line(pair: Pair, quantity: str) -> None:
    _apple, order = ten_apples_on_the_way(pair)
    for wrong in (lambda: pair.receive(order, quantity), lambda: lose(order, quantity)):
        with pytest.raises(Invalid) as refused:
            wrong()
        assert [(p.field, p.line) for p in refused.value.problems] == [("quantity", 0)]
    with pytest.raises(Invalid) as refused:
        pair.receive(order, 2, damaged="-1" if quantity == "0" else quantity)
    assert refused.value.problems[0].field == "damaged"
    assert piece_of(order).quantity_received == 0


def test_more_damage_than_arrived_and_loss_without_words_are_refused(pair: Pair) -> None:
    _apple, order = ten_apples_on_the_way(pair)
    with pytest.raises(Invalid, match="More is damaged than arrived"):
        pair.receive(order, 2, damaged=3)
    with pytest.raises(Invalid, match="Say in words"):
        lose(order, 2, note="  ")
    with pytest.raises(Invalid, match="Say what arrived"):
        receive_transfer(transfer_order_id=order.pk, goods=[])
    assert fresh(order).version == order.version


def test_pieces_of_another_transfer_are_not_found(pair: Pair) -> None:
    apple, order = ten_apples_on_the_way(pair)
    pair.here.receive(apple, 5)
    other = pair.sent((apple, 5))
    part = ReceivedGoods(piece_of(other).pk, Decimal(1))
    with pytest.raises(NotFound):
        receive_transfer(transfer_order_id=order.pk, goods=[part])
    assert piece_of(other).quantity_received == 0


def test_goods_do_not_arrive_before_they_left(pair: Pair) -> None:
    _apple, order = ten_apples_on_the_way(pair)
    part = ReceivedGoods(piece_of(order).pk, Decimal(1))
    early = timezone.now() - timedelta(days=1)
    with pytest.raises(Invalid, match="before they were sent"):
        receive_transfer(transfer_order_id=order.pk, goods=[part], received_at=early)
    assert piece_of(order).quantity_received == 0


def test_operators_receive_and_only_who_may_adjust_writes_off(north: House) -> None:
    with north.scope():
        pair = make_pair()
        _apple, order = ten_apples_on_the_way(pair)
    with north.scope("viewer"), pytest.raises(PermissionRefused):
        pair.receive(order, 1)
    with north.scope("operator"):
        pair.receive(order, 1)
        with pytest.raises(PermissionRefused):
            lose(order, 1)
    with north.scope("manager"):
        lose(order, 1)
        assert (piece_of(order).quantity_received, piece_of(order).quantity_lost) == (1, 1)


def test_the_planner_sees_the_goods_at_each_step(pair: Pair) -> None:
    """Ten apples, six of them for the other site: at no step does any of them count twice."""
    apple = make_product()
    pair.here.receive(apple, 10)

    def seen() -> list[tuple[int, ...]]:
        return [
            tuple(
                int(number)
                for number in (s.on_hand, s.available, s.in_transit, s.inventory_position)
            )
            for s in (at(pair.here, apple), at(pair.there, apple))
        ]

    order = pair.draft((apple, 6))
    assert seen() == [(10, 10, 0, 10), (0, 0, 0, 0)]
    from inventory.services.transfers import release_transfer

    release_transfer(transfer_order_id=order.pk)
    assert seen() == [(10, 4, 0, 10), (0, 0, 0, 0)]  # promised, but here until it leaves
    pair.send(order, 4)
    assert seen() == [(6, 4, 0, 6), (0, 0, 4, 4)]
    pair.send(order, 2)
    assert seen() == [(4, 4, 0, 4), (0, 0, 6, 6)]
    pair.receive(order, 3)
    assert seen() == [(4, 4, 0, 4), (3, 0, 3, 6)]  # on the dock: not yet to be promised
    pair.receive(order, 2, damaged=1)
    assert seen() == [(4, 4, 0, 4), (5, 0, 1, 5)]  # the damaged one serves nobody
    lose(order, 1)
    assert seen() == [(4, 4, 0, 4), (5, 0, 0, 4)]


def test_receiving_asks_the_same_number_of_questions_however_many_pieces(
    pair: Pair, django_assert_num_queries
) -> None:
    for count, tag in ((2, "A"), (12, "B")):
        products = [make_product(f"{tag}-{n}", lot_tracking="lot") for n in range(count)]
        for product in products:
            pair.here.receive(product, 5, lot_id=make_lot(product).pk)
        order = pair.sent(*((product, 2) for product in products))
        pieces = TransferPiece.objects.filter(line__order=order).values_list("pk", flat=True)
        goods = [ReceivedGoods(pk, Decimal(2), Decimal(1)) for pk in pieces]
        with django_assert_num_queries(RECEIVE_STATEMENTS):
            receive_transfer(transfer_order_id=order.pk, goods=goods)


# savepoint, order, pieces, dock, damaged place, arrived to pieces and lines, places there; the
# ledger's nine; standing, two claims, order, event, end of the savepoint
RECEIVE_STATEMENTS = 23
