"""Pages of transfers: at the desk and in the hand, by whom it is allowed, and once."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from uuid import uuid4

import pytest
from django.test import Client

from inventory.models import Product, StockMovement, TransferOrder, TransferState, WorkKind
from inventory.services.transfers import release_transfer
from inventory.services.worklists import claim_work
from tests.cast import House
from tests.inventory.book import make_lot, make_product, on_hand
from tests.inventory.shifting import Pair, allocated, fresh, make_pair, piece_of


def world(house: House) -> tuple[Pair, Product]:
    """Return two sites, and twenty apples at the first."""
    with house.scope():
        pair, apple = make_pair(), make_product()
        pair.here.receive(apple, 20)
    return pair, apple


def released(house: House) -> tuple[Pair, Product, TransferOrder]:
    pair, apple = world(house)
    with house.scope():
        return pair, apple, pair.released((apple, 6))


def sent(house: House) -> tuple[Pair, Product, TransferOrder]:
    pair, apple = world(house)
    with house.scope():
        return pair, apple, pair.sent((apple, 6))


def page(house: House, order: TransferOrder, rest: str = "") -> str:
    return house.path(f"transfers/{order.pk}/{rest}")


def state(house: House, order: TransferOrder) -> str:
    with house.scope():
        return fresh(order).state


# -- at the desk ----------------------------------------------------------------------------------
def test_a_planner_drafts_fills_and_releases_and_a_second_press_counts_once(north: House) -> None:
    pair, apple = world(north)
    client = north.client("planner")
    form = {
        "from_warehouse_id": pair.here.warehouse.pk,
        "to_warehouse_id": pair.there.warehouse.pk,
        "note": "for the shop",
        "idempotency_key": uuid4().hex,
    }
    first, second = (client.post(north.path("transfers/new/"), form) for _ in range(2))
    assert first["Location"] == second["Location"]
    with north.scope():
        order = TransferOrder.objects.get()
    added = client.post(
        page(north, order, "lines/"), {"product_id": "apple", "quantity": "6", "version": 1}
    )
    assert added.status_code == 302
    client.post(page(north, order, "release/"), {"version": 2})
    assert state(north, order) == TransferState.RELEASED
    html = client.get(page(north, order)).content.decode()
    assert "Send all" in html
    assert "STORAGE" in html
    with north.scope():
        assert allocated(apple) == 6


def test_the_same_warehouse_twice_is_shown_at_its_field(north: House) -> None:
    pair, _apple = world(north)
    here = pair.here.warehouse.pk
    form = {"from_warehouse_id": here, "to_warehouse_id": here}
    answer = north.client("planner").post(north.path("transfers/new/"), form)
    assert answer.status_code == 422
    assert "goes to another warehouse" in answer.content.decode()


def test_a_short_transfer_is_told_and_released_only_when_said_so(north: House) -> None:
    pair, apple = world(north)
    with north.scope():
        order = pair.draft((apple, 50))
    client = north.client("planner")
    told = client.post(page(north, order, "release/"), {"version": 1}, follow=True)
    assert "50 asked, 20 free" in told.content.decode()
    assert state(north, order) == TransferState.DRAFT
    client.post(page(north, order, "release/"), {"version": 1, "allow_short": "yes"})
    assert state(north, order) == TransferState.RELEASED


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("product_id", "NOSUCH", "No product has the SKU or barcode NOSUCH."),
        ("quantity", "-1", "must be greater than zero"),
        ("quantity", "1e400", "Ensure that there are no more"),
        ("version", "99", "changed by somebody else"),
    ],
)
def test_a_wrong_line_is_shown_again(north: House, field: str, value: str, words: str) -> None:
    pair, _apple = world(north)
    with north.scope():
        order = pair.draft()
    form = {"product_id": "APPLE", "quantity": "1", "version": 1, field: value}
    answer = north.client("planner").post(page(north, order, "lines/"), form)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    with north.scope():
        assert order.lines.count() == 0


def test_goods_are_sent_received_with_damage_and_the_rest_is_stated_as_lost(north: House) -> None:
    pair, apple, order = released(north)
    manager = north.client("manager")
    manager.post(page(north, order, "send/"))
    with north.scope():
        piece = piece_of(order).pk
    form = {"location": "RECEIVING", f"quantity_{piece}": "4", f"damaged_{piece}": "1"}
    refused = manager.post(page(north, order, "receive/"), form | {f"quantity_{piece}": "9"})
    assert refused.status_code == 422
    assert "only 6 of the 6 sent" in refused.content.decode()
    assert manager.post(page(north, order, "receive/"), form).status_code == 302
    silent = manager.post(page(north, order, "loss/"), {f"quantity_{piece}": "2"})
    assert silent.status_code == 422
    manager.post(page(north, order, "loss/"), {f"quantity_{piece}": "2", "note": "stolen"})
    assert state(north, order) == TransferState.RECEIVED
    html = manager.get(page(north, order)).content.decode()
    assert "stolen" in html
    with north.scope():
        loss = StockMovement.objects.get(note="stolen")
        assert on_hand(apple, pair.there.at("damaged")) == 1
    back = page(north, order, f"movements/{loss.pk}/take-back/")
    manager.post(back, {"reason": "found it"})
    assert state(north, order) == TransferState.IN_TRANSIT


def test_an_empty_receipt_is_refused(north: House) -> None:
    _pair, _apple, order = sent(north)
    answer = north.client("operator").post(
        page(north, order, "receive/"), {"location": "RECEIVING"}
    )
    assert answer.status_code == 422
    assert "Every quantity is empty" in answer.content.decode()


@pytest.mark.parametrize(
    ("role", "rest", "status"),
    [
        ("viewer", "send/", 403),
        ("viewer", "receive/", 403),
        ("operator", "release/", 403),
        ("operator", "cancel/", 403),
        ("operator", "lines/", 403),
        ("operator", "loss/", 403),
        ("operator", "send/", 302),
    ],
)
def test_rights_are_checked_at_each_button(north: House, role: str, rest: str, status: int) -> None:
    _pair, _apple, order = released(north)
    assert north.client(role).post(page(north, order, rest)).status_code == status


def test_another_tenant_finds_nothing(north: House, south: House) -> None:
    _pair, _apple, order = sent(north)
    client = south.client("owner")
    own = south.path(f"transfers/{order.pk}/")
    for rest in ("", "receive/", "loss/", "scan/send/", "scan/receive/"):
        assert client.get(own + rest).status_code == 404
    for rest in ("release/", "cancel/", "send/", "end-sending/", "lines/"):
        assert client.post(own + rest).status_code == 404


# -- work lists -----------------------------------------------------------------------------------
def test_what_is_to_be_sent_comes_late_first_and_says_who_has_taken_it(north: House) -> None:
    pair, apple = world(north)
    with north.scope():
        orders = [
            pair.draft((apple, 1), expected_on=day)
            for day in (None, date(2027, 1, 5), date(2026, 1, 5))
        ]
        for order in orders:
            release_transfer(transfer_order_id=order.pk)
        claim_work(kind=WorkKind.SEND_TRANSFER, subject_id=orders[1].pk)
    client = north.client("operator")
    answer = client.get(north.path("transfers/to-send/"))
    assert [row[0].pk for row in answer.context["rows"]] == [
        orders[2].pk,
        orders[1].pk,
        orders[0].pk,
    ]
    html = answer.content.decode()
    assert "Late" in html
    assert "owner@north.example" in html
    free = client.get(north.path("transfers/to-send/?assignee=free")).context["rows"]
    assert {row[0].pk for row in free} == {orders[0].pk, orders[2].pk}
    elsewhere = f"transfers/to-send/?warehouse={pair.there.warehouse.pk}"
    assert client.get(north.path(elsewhere)).context["rows"] == []
    nothing = client.get(north.path("transfers/to-receive/")).content.decode()
    assert "Nothing is on the way" in nothing


@pytest.mark.parametrize("kind", ["to-send", "to-receive"])
def test_work_lists_ask_the_same_number_of_questions(
    north: House, kind: str, django_assert_num_queries
) -> None:
    pair, apple = world(north)
    client = north.client("operator")

    def more(count: int) -> None:
        with north.scope():
            for _ in range(count):
                _order = pair.released((apple, 1)) if kind == "to-send" else pair.sent((apple, 1))

    more(1)
    client.get(north.path(f"transfers/{kind}/"))
    with django_assert_num_queries(WORK_LIST_QUERIES):
        client.get(north.path(f"transfers/{kind}/"))
    more(5)
    with django_assert_num_queries(WORK_LIST_QUERIES):
        client.get(north.path(f"transfers/{kind}/"))


# session, user, tenant, savepoint, scope, membership, access, warehouses, transfers, totals, claims,
# scope left, release
WORK_LIST_QUERIES = 13


# -- in the hand ----------------------------------------------------------------------------------
class Hand:
    """A handheld on one flow: each scan goes where the last answer left off."""

    def __init__(self, client: Client, path: str) -> None:
        self.client, self.path = client, path
        self.answer = client.get(path)

    def send(self, **what: str) -> Hand:
        form = self.answer.context["flow"].context | what | {"idempotency_key": uuid4().hex}
        self.answer = self.client.post(self.path, form, headers={"HX-Request": "true"})
        return self

    def scan(self, code: str) -> Hand:
        return self.send(scan=code)

    def press(self, action: str) -> Hand:
        return self.send(action=action)

    @property
    def name(self) -> str:
        return str(self.answer.context["step"].name)

    @property
    def words(self) -> str:
        return str(self.answer.context["scan_message"])


def test_a_transfer_is_sent_place_by_place_by_scanning(north: House) -> None:
    pair, apple, order = released(north)
    hand = Hand(north.client("operator"), page(north, order, "scan/send/"))
    assert hand.name == "place"
    assert hand.scan("PACKING").answer.status_code == 422
    hand.scan("STORAGE").scan("APPLE")
    assert hand.name == "quantity"
    assert hand.scan("7").answer.status_code == 422
    hand.scan("4")
    assert hand.words == "4 pcs Apple sent"
    hand.scan("STORAGE").scan("APPLE").press("all")
    assert hand.name == "over"
    with north.scope():
        assert on_hand(apple, pair.there.at("in_transit")) == 6
    assert hand.scan("APPLE").answer.status_code == 422


def test_the_last_sending_is_taken_back_by_a_button(north: House) -> None:
    pair, apple, order = released(north)
    hand = Hand(north.client("operator"), page(north, order, "scan/send/"))
    hand.scan("STORAGE").scan("APPLE").scan("4").press("undo")
    assert "lies at its place again" in hand.words
    with north.scope():
        assert on_hand(apple, pair.here.at("storage")) == 20


def test_a_transfer_is_received_by_scanning_with_damage_and_undo(north: House) -> None:
    pair, apple, order = sent(north)
    hand = Hand(north.client("operator"), page(north, order, "scan/receive/"))
    assert hand.scan("APPLE").name == "quantity"
    hand.press("damaged").scan("1")
    assert hand.words == "1 pcs Apple received"
    hand.scan("APPLE").scan("3").press("undo")
    assert hand.words == "It is on the way again."
    hand.scan("APPLE").press("all")
    assert hand.name == "over"
    with north.scope():
        assert on_hand(apple, pair.there.at("damaged")) == 1
        assert on_hand(apple, pair.there.at("receiving")) == 5
    assert state(north, order) == TransferState.RECEIVED


def test_of_several_lots_the_lot_is_scanned(north: House) -> None:
    with north.scope():
        pair, milk = make_pair(), make_product("MILK", lot_tracking="lot")
        for code in ("LOT-A", "LOT-B"):
            pair.here.receive(milk, 2, lot_id=make_lot(milk, code).pk)
        order = pair.sent((milk, 4))
    hand = Hand(north.client("operator"), page(north, order, "scan/receive/"))
    hand.scan("MILK")
    assert "Several lots wait: LOT-A, LOT-B" in hand.words
    hand.scan("LOT-B").press("all")
    with north.scope():
        assert on_hand(milk, pair.there.at("receiving")) == 2
        assert Decimal(2) == sum(
            piece.quantity_received for line in order.lines.all() for piece in line.pieces.all()
        )


def test_a_scanned_transfer_offers_both_ways(north: House) -> None:
    _pair, _apple, order = sent(north)
    found = north.client("operator").post(north.path("scan/"), {"scan": order.number}, follow=True)
    html = found.content.decode()
    assert f"/transfers/{order.pk}/scan/receive/" in html
