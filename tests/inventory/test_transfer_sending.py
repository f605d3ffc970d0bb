"""Sending a transfer: out of storage, on the way, whole or in parts, never more than asked."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from inventory.models import (
    Allocation,
    Location,
    MovementReason,
    StockMovement,
    TransferPiece,
    TransferState,
    WorkKind,
)
from inventory.queries.integrity import check_book
from inventory.queries.worklists import live_claims
from inventory.services.ledger import InsufficientStock
from inventory.services.lots import set_lot_status
from inventory.services.stock import move_stock
from inventory.services.transfers import (
    LotNotGood,
    MoreThanAsked,
    NothingToSend,
    SentGoods,
    WrongTransferState,
    end_sending,
    send_transfer,
)
from inventory.services.worklists import claim_work
from tenancy.errors import Invalid, NotFound
from tenancy.permissions import PermissionRefused
from tests.cast import House
from tests.inventory.book import make_lot, make_product, on_hand
from tests.inventory.shifting import Pair, allocated, at, fresh, make_pair, piece_of


def test_all_that_is_promised_goes_on_its_way_by_lot(pair: Pair) -> None:
    milk = make_product("MILK", lot_tracking="lot")
    lots = [make_lot(milk, code) for code in ("A", "B")]
    for lot in lots:
        pair.here.receive(milk, 4, lot_id=lot.pk)
    order = pair.sent((milk, 6))
    assert order.state == TransferState.IN_TRANSIT
    assert order.sent_at is not None
    pieces = TransferPiece.objects.order_by("lot__code").values_list("lot__code", "quantity")
    assert list(pieces) == [("A", 4), ("B", 2)]
    assert allocated(milk) == 0
    assert on_hand(milk, pair.here.at("storage")) == 2
    assert on_hand(milk, pair.there.at("in_transit")) == 6
    moves = StockMovement.objects.filter(reason=MovementReason.TRANSFER_OUT)
    assert {(m.document_kind, m.document_id) for m in moves} == {("TransferOrder", order.pk)}
    assert check_book() == []


def test_it_is_sent_in_parts_and_the_rest_stays_promised(pair: Pair) -> None:
    apple = make_product()
    pair.here.receive(apple, 20)
    order = pair.released((apple, 10))
    pair.send(order, 4)
    assert (fresh(order).state, allocated(apple)) == (TransferState.IN_TRANSIT, 6)
    assert list(Allocation.objects.order_by("id").values_list("state", "quantity")) == [
        ("allocated", 6),
        ("shipped", 4),
    ]
    first_left_at = fresh(order).sent_at
    send_transfer(transfer_order_id=order.pk)
    assert fresh(order).sent_at == first_left_at
    assert piece_of(order).quantity == 10
    assert (order.lines.get().quantity_sent, allocated(apple)) == (10, 0)
    with pytest.raises(NothingToSend, match="Nothing is promised"):
        send_transfer(transfer_order_id=order.pk)
    assert check_book() == []


def test_what_is_taken_from_another_place_frees_the_promised_one(pair: Pair) -> None:
    apple = make_product()
    other = Location.objects.create(warehouse=pair.here.warehouse, code="B-01", kind="storage")
    pair.here.receive(apple, 10)
    order = pair.released((apple, 10))
    pair.here.receive(apple, 10)
    line = pair.here.line(apple, 10, "storage", "packing")
    move_stock(
        lines=[type(line)(apple.pk, line.from_location_id, other.pk, line.quantity, line.reason)]
    )
    pair.send(order, 4, location_id=other.pk)
    assert allocated(apple) == 6
    assert list(Allocation.objects.order_by("id").values_list("state", "quantity")) == [
        ("allocated", 6),
        ("released", 4),
    ]
    assert (on_hand(apple, other.pk), on_hand(apple, pair.here.at("storage"))) == (6, 10)
    assert check_book() == []


def test_of_a_short_release_the_rest_is_sent_when_it_has_come(pair: Pair) -> None:
    apple = make_product()
    pair.here.receive(apple, 6)
    order = pair.released((apple, 10), allow_short=True)
    pair.here.receive(apple, 9)
    pair.send(order, 10)
    assert order.lines.get().quantity_sent == 10
    assert (allocated(apple), at(pair.here, apple).on_hand) == (0, 5)


def test_no_more_leaves_than_was_asked_for(pair: Pair) -> None:
    apple = make_product()
    pair.here.receive(apple, 20)
    order = pair.released((apple, 10))
    pair.send(order, 4)
    with pytest.raises(MoreThanAsked, match="7 leaving, but 4 of 10 asked for") as refused:
        pair.send(order, 7)
    [told] = refused.value.data["lines"]
    assert (told["asked"], told["sent"], told["leaving"]) == ("10", "4", "7")
    assert (order.lines.get().quantity_sent, allocated(apple)) == (4, 6)
    assert on_hand(apple, pair.there.at("in_transit")) == 4


def test_what_is_not_there_or_promised_to_others_does_not_leave(pair: Pair) -> None:
    apple = make_product()
    pair.here.receive(apple, 10)
    order = pair.released((apple, 4), allow_short=True)
    pair.released((apple, 6))
    packing = pair.here.at("packing")
    with pytest.raises(InsufficientStock):
        pair.send(order, 4, location_id=packing)
    assert fresh(order).state == TransferState.RELEASED
    assert (allocated(apple), TransferPiece.objects.count()) == (10, 0)


@pytest.mark.parametrize("place", ["quarantine", "damaged", "receiving", "in_transit"])
def test_only_good_stock_leaves(pair: Pair, place: str) -> None:
    apple = make_product()
    pair.here.receive(apple, 10)
    order = pair.released((apple, 4))
    with pytest.raises(Invalid, match="holds nothing that may be sent"):
        pair.send(order, 4, location_id=pair.here.at(place))


def test_a_lot_held_since_the_release_is_not_sent(pair: Pair) -> None:
    milk = make_product("MILK", lot_tracking="lot")
    lot = make_lot(milk, "L-9", expires_on=date(2099, 1, 1))
    pair.here.receive(milk, 4, lot_id=lot.pk)
    order = pair.released((milk, 4))
    set_lot_status(lot_id=lot.pk, status="recalled")
    with pytest.raises(LotNotGood, match="lot L-9"):
        send_transfer(transfer_order_id=order.pk)
    set_lot_status(lot_id=lot.pk, status="available")
    type(lot).objects.filter(pk=lot.pk).update(expires_on=date(2020, 1, 1))
    with pytest.raises(LotNotGood, match="lot L-9"):
        send_transfer(transfer_order_id=order.pk)
    assert (fresh(order).state, allocated(milk)) == (TransferState.RELEASED, 4)


@pytest.mark.parametrize("quantity", ["0", "-1", "0.5", "1e400", "NaN"])
def test_a_wrong_quantity_is_refused_at_its_line(pair: Pair, quantity: str) -> None:
    apple = make_product()
    pair.here.receive(apple, 10)
    order = pair.released((apple, 4))
    with pytest.raises(Invalid) as refused:
        pair.send(order, quantity)
    assert [(p.field, p.line) for p in refused.value.problems] == [("quantity", 0)]
    assert on_hand(apple, pair.there.at("in_transit")) == 0


def test_places_lines_and_lots_of_others_are_not_found(pair: Pair) -> None:
    apple, milk = make_product(), make_product("MILK", lot_tracking="lot")
    pair.here.receive(apple, 10)
    order, other = pair.released((apple, 4)), pair.released((apple, 4))
    storage, line = pair.here.at("storage"), order.lines.get().pk
    wrong = [
        SentGoods(other.lines.get().pk, storage, Decimal(1)),
        SentGoods(line, pair.there.at("storage"), Decimal(1)),
        SentGoods(line, storage, Decimal(1), make_lot(milk).pk),
        SentGoods(2**63, storage, Decimal(1)),
    ]
    for part in wrong:
        with pytest.raises(NotFound):
            send_transfer(transfer_order_id=order.pk, goods=[part])
    with pytest.raises(Invalid, match="nothing to send"):
        send_transfer(transfer_order_id=order.pk, goods=[])
    assert TransferPiece.objects.count() == 0


def test_it_leaves_neither_in_the_future_nor_before_it_is_released(pair: Pair) -> None:
    apple = make_product()
    pair.here.receive(apple, 10)
    draft, released = pair.draft((apple, 2)), pair.released((apple, 2))
    with pytest.raises(WrongTransferState, match="is Draft"):
        send_transfer(transfer_order_id=draft.pk)
    with pytest.raises(Invalid, match="future"):
        send_transfer(transfer_order_id=released.pk, sent_at=datetime.now(UTC) + timedelta(hours=1))
    yesterday = timezone.now() - timedelta(days=1)
    assert send_transfer(transfer_order_id=released.pk, sent_at=yesterday).sent_at == yesterday


def test_a_viewer_sends_nothing(north: House) -> None:
    with north.scope():
        pair, apple = make_pair(), make_product()
        pair.here.receive(apple, 10)
        order = pair.released((apple, 4))
    with north.scope("viewer"), pytest.raises(PermissionRefused):
        send_transfer(transfer_order_id=order.pk)
    with north.scope("operator"):
        assert send_transfer(transfer_order_id=order.pk).state == TransferState.IN_TRANSIT


def test_what_will_not_leave_any_more_is_free_again(pair: Pair) -> None:
    apple = make_product()
    pair.here.receive(apple, 10)
    order = pair.released((apple, 10))
    with pytest.raises(WrongTransferState, match="is Released"):
        end_sending(transfer_order_id=order.pk)
    claim_work(kind=WorkKind.SEND_TRANSFER, subject_id=order.pk)
    pair.send(order, 4)
    pair.receive(order, 4)
    assert fresh(order).state == TransferState.IN_TRANSIT  # six more are to follow
    assert live_claims(WorkKind.SEND_TRANSFER, [order.pk])
    end_sending(transfer_order_id=order.pk, version=fresh(order).version)
    assert (fresh(order).state, allocated(apple)) == (TransferState.RECEIVED, 0)
    assert live_claims(WorkKind.SEND_TRANSFER, [order.pk]) == {}
    assert check_book() == []


def test_sending_asks_the_same_number_of_questions_however_many_lines(
    pair: Pair, django_assert_num_queries
) -> None:
    for count, tag in ((2, "A"), (12, "B")):
        products = [make_product(f"{tag}-{n}", lot_tracking="lot") for n in range(count)]
        for product in products:
            pair.here.receive(product, 5, lot_id=make_lot(product).pk)
        order = pair.released(*((product, 2) for product in products))
        with django_assert_num_queries(SEND_STATEMENTS):
            send_transfer(transfer_order_id=order.pk)


# savepoint, order, lines, promises, places, warehouse, lots, sent, promises ended, places there,
# pieces; the ledger: products, locations, lots, savepoint, movements, values (four), balances
# ensured, locked, changed, end; standing, claim, order, event, end of the savepoint
SEND_STATEMENTS = 29
