"""Receiving on the page of a purchase order: in parts, once, and by whom it is allowed."""

from __future__ import annotations

from decimal import Decimal
from uuid import uuid4

import pytest

from inventory.models import (
    Lot,
    LotTracking,
    PurchaseOrderState,
    ReceiptLine,
    StockMovement,
)
from inventory.services.purchasing import OrderLine, create_draft_order, place_order
from tests.cast import House
from tests.inventory.book import make_product, on_hand
from tests.inventory.test_purchase_order_pages import fresh, page, place, receipt, world


# -- receiving ------------------------------------------------------------------------------------
def test_an_operator_receives_in_parts_and_the_form_offers_what_is_open(north: House) -> None:
    site, apple, order = world(north)
    place(north, order)
    client = north.client("operator")
    assert 'value="10"' in client.get(page(north, order, "receive/")).content.decode()
    form = receipt(order, north, quantity="4", damaged="1")
    assert client.post(page(north, order, "receive/"), form).status_code == 302
    with north.scope():
        assert on_hand(apple, site.at("receiving")) == 3
        assert on_hand(apple, site.at("damaged")) == 1
    assert fresh(north, order).state == PurchaseOrderState.PARTIALLY_RECEIVED
    assert 'value="6"' in client.get(page(north, order, "receive/")).content.decode()


def test_the_reason_of_a_difference_is_kept_on_the_receipt(north: House) -> None:
    _site, _apple, order = world(north)
    place(north, order)
    form = receipt(order, north, quantity="4", difference_reason="wrong_lot")
    assert north.client("operator").post(page(north, order, "receive/"), form).status_code == 302
    with north.scope():
        line = ReceiptLine.objects.get()
        assert (line.difference_reason, line.receipt.state) == ("wrong_lot", "completed")


def test_pressing_receive_twice_counts_once(north: House) -> None:
    _site, apple, order = world(north)
    place(north, order)
    form = receipt(order, north, quantity="4") | {"idempotency_key": uuid4().hex}
    client = north.client("operator")
    answers = [client.post(page(north, order, "receive/"), form) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302]
    with north.scope():
        assert on_hand(apple) == 4
        assert StockMovement.objects.count() == 1


def test_going_back_and_sending_other_quantities_is_refused_not_swallowed(north: House) -> None:
    _site, apple, order = world(north)
    place(north, order)
    client = north.client("operator")
    form = receipt(order, north, quantity="4") | {"idempotency_key": uuid4().hex}
    client.post(page(north, order, "receive/"), form)
    again = client.post(page(north, order, "receive/"), form | receipt(order, north, quantity="5"))
    assert again.status_code == 422
    assert "sent before with other contents" in again.content.decode()
    with north.scope():
        assert on_hand(apple) == 4


def test_without_the_key_the_second_press_counts_again(north: House) -> None:
    """Control: it is the key that makes the difference."""
    _site, apple, order = world(north)
    place(north, order)
    form = receipt(order, north, quantity="4")
    client = north.client("operator")
    for _ in range(2):
        client.post(page(north, order, "receive/"), form)
    with north.scope():
        assert on_hand(apple) == 8


def test_goods_go_straight_to_storage_when_its_code_is_scanned(north: House) -> None:
    site, apple, order = world(north)
    place(north, order)
    form = receipt(order, north, quantity="10", location="storage")
    north.client("operator").post(page(north, order, "receive/"), form)
    with north.scope():
        assert on_hand(apple, site.at("storage")) == 10
    assert fresh(north, order).state == PurchaseOrderState.RECEIVED


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"quantity": "11"}, "APPLE: at most 10 can still come of this line."),
        ({"quantity": "1.5"}, "not a positive, exact number"),
        ({"quantity": "2", "damaged": "3"}, "More is damaged than arrived."),
        ({"quantity": ""}, "every quantity is empty"),
        ({"quantity": "0"}, "every quantity is empty"),
        ({"quantity": "1", "location": "CUSTOMER"}, "neither a dock nor a storage"),
        ({"quantity": "1", "location": "NOWHERE"}, "neither a dock nor a storage"),
    ],
)
def test_a_wrong_receipt_is_shown_again_and_posts_nothing(
    north: House, values: dict[str, str], words: str
) -> None:
    _site, apple, order = world(north)
    place(north, order)
    form = receipt(order, north, **values)
    answer = north.client("operator").post(page(north, order, "receive/"), form)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    with north.scope():
        assert on_hand(apple) == 0


def test_lots_are_asked_for_where_they_are_tracked(north: House) -> None:
    _site, apple, order = world(north, lot_tracking=LotTracking.LOT)
    place(north, order)
    client = north.client("operator")
    refused = client.post(page(north, order, "receive/"), receipt(order, north, quantity="10"))
    assert "APPLE: enter the lot printed on the goods." in refused.content.decode()
    form = receipt(order, north, quantity="10", lot_code="L-7", expires_on="2027-03-01")
    client.post(page(north, order, "receive/"), form)
    with north.scope():
        lot = Lot.objects.get()
        assert (lot.code, lot.expires_on.isoformat()) == ("L-7", "2027-03-01")
        assert on_hand(apple) == 10


def test_another_expiry_of_a_known_lot_is_told_at_its_line(north: House) -> None:
    site, apple, order = world(north, lot_tracking=LotTracking.LOT)
    with north.scope():
        pear = make_product("PEAR")
        both = create_draft_order(
            supplier_id=order.supplier_id,
            warehouse_id=site.warehouse.pk,
            lines=[
                OrderLine(pear.pk, Decimal(5), Decimal(1)),
                OrderLine(apple.pk, Decimal(5), Decimal(1)),
            ],
        )
        place_order(order_id=both.pk)
        Lot.objects.create(product=apple, code="L-7", expires_on="2027-01-01")
        lines = {line.product_id: line.pk for line in both.lines.all()}
    form = {
        "location": "RECEIVING",
        f"quantity_{lines[pear.pk]}": "5",
        f"quantity_{lines[apple.pk]}": "5",
        f"lot_code_{lines[apple.pk]}": "L-7",
        f"expires_on_{lines[apple.pk]}": "2027-09-09",
    }
    answer = north.client("operator").post(page(north, both, "receive/"), form)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [f"expires_on_{lines[apple.pk]}"]


def test_a_viewer_receives_nothing(north: House) -> None:
    _site, _apple, order = world(north)
    place(north, order)
    form = receipt(order, north, quantity="1")
    assert north.client("viewer").post(page(north, order, "receive/"), form).status_code == 403
    assert north.client("viewer").get(page(north, order, "receive/")).status_code == 403


def test_a_draft_has_nothing_to_receive(north: House) -> None:
    _site, _apple, order = world(north)
    client = north.client("operator")
    assert client.get(page(north, order, "receive/")).status_code == 302
    answer = client.post(page(north, order, "receive/"), receipt(order, north, quantity="1"))
    assert answer.status_code == 422
    assert "possible only when" in answer.content.decode()
