"""Pages of customers' returns: at the desk and in the hand, by whom it is allowed."""

from __future__ import annotations

from decimal import Decimal

import pytest

from inventory.models import (
    CustomerReturn,
    CustomerReturnState,
    Package,
    Product,
    Shipment,
    ShipmentLine,
    StockMovement,
)
from inventory.services.returns import BlindLine, expect_blind_return
from tests.cast import House
from tests.inventory.book import make_product, on_hand
from tests.inventory.returns_world import (
    Counter,
    fresh,
    line_of,
    make_counter,
    outcomes,
    returned,
    supplied_by,
)
from tests.inventory.test_transfer_pages import Hand


def shipped(house: House, quantity: int = 5) -> tuple[Counter, Product, Shipment]:
    with house.scope():
        counter, apple = make_counter(), make_product()
        supplied_by("SAM", apple)
        return counter, apple, counter.shipped(apple, quantity)


def page(house: House, back: CustomerReturn, rest: str = "") -> str:
    return house.path(f"returns/{back.pk}/{rest}")


def test_a_return_goes_its_way_at_the_desk(north: House) -> None:
    counter, apple, shipment = shipped(north)
    client = north.client("operator")
    with north.scope():
        line = ShipmentLine.objects.get()
    path = north.path(f"sales-orders/{shipment.sales_order_id}/return/")
    refused = client.post(path, {f"quantity_{line.pk}": "9"})
    assert refused.status_code == 422
    assert "0 of 5 shipped" in refused.content.decode()
    assert client.post(path, {}).status_code == 422
    assert client.post(path, {f"quantity_{line.pk}": "4", "reason": "too big"}).status_code == 302
    with north.scope():
        back = CustomerReturn.objects.get()
        mine = line_of(back).pk
    assert "too big" in client.get(north.path("returns/")).content.decode()
    client.post(page(north, back, "receive/"), {f"quantity_{mine}": "3"})
    html = client.get(north.path("returns/to-inspect/")).content.decode()
    assert back.number in html
    form = {f"quantity_{mine}": "2", f"outcome_{mine}": "restock", f"note_{mine}": "as new"}
    client.post(page(north, back, "inspect/"), form)
    with north.scope():
        assert on_hand(apple, counter.at("receiving")) == 2
        movement = StockMovement.objects.filter(document_kind="CustomerReturn").first()
    assert "as new" in client.get(page(north, back)).content.decode()
    take_back = page(north, back, f"movements/{movement.pk}/take-back/")
    client.post(take_back, {"reason": "broken after all"})
    client.post(
        page(north, back, "inspect/"), {f"quantity_{mine}": "3", f"outcome_{mine}": "quarantine"}
    )
    client.post(page(north, back, "close/"))
    with north.scope():
        assert outcomes(back) == (0, 3, 0, 0)
        assert fresh(back).state == CustomerReturnState.INSPECTED
        assert returned(shipment) == 3


def test_goods_without_a_shipment_are_taken_up_and_cancelled(north: House) -> None:
    counter, _apple, _shipment = shipped(north)
    client = north.client("operator")
    form = {
        "warehouse_id": counter.floor.site.warehouse.pk,
        "product_id": "APPLE",
        "quantity": "2",
    }
    wrong = client.post(north.path("returns/new/"), form | {"quantity": "-1"})
    assert wrong.status_code == 422
    assert client.post(north.path("returns/new/"), form).status_code == 302
    with north.scope():
        back = CustomerReturn.objects.get()
    client.post(page(north, back, "cancel/"))
    with north.scope():
        assert fresh(back).state == CustomerReturnState.CANCELLED


@pytest.mark.parametrize("rest", ["receive/", "inspect/", "close/", "cancel/"])
def test_a_viewer_reads_and_another_tenant_finds_nothing(
    north: House, south: House, rest: str
) -> None:
    counter, _apple, shipment = shipped(north)
    with north.scope():
        back = counter.received(shipment, 2)
    viewer = north.client("viewer")
    assert viewer.get(page(north, back)).status_code == 200
    assert viewer.post(page(north, back, rest)).status_code == 403
    own = south.path(f"returns/{back.pk}/")
    assert south.client("owner").get(own).status_code == 404
    assert south.client("owner").post(own + rest).status_code == 404


@pytest.mark.parametrize("what", ["shipment", "package", "order"])
def test_a_return_is_received_by_scanning_what_it_came_with(north: House, what: str) -> None:
    counter, apple, shipment = shipped(north)
    with north.scope():
        code = {
            "shipment": shipment.number,
            "package": Package.objects.get().number,
            "order": shipment.sales_order.number,
        }[what]
    hand = Hand(north.client("operator"), north.path("returns/scan/"))
    assert hand.name == "document"
    hand.scan(code).scan("APPLE").scan("2")
    assert hand.words == "2 pcs Apple are in quarantine"
    hand.scan("APPLE")
    assert hand.scan("9").answer.status_code == 422
    hand.scan("1")
    with north.scope():
        assert on_hand(apple, counter.at("quarantine")) == 3
        assert (CustomerReturn.objects.count(), returned(shipment)) == (1, 3)
    hand.press("undo")
    with north.scope():
        assert on_hand(apple, counter.at("quarantine")) == 2


def test_an_unknown_lot_is_asked_for(north: House) -> None:
    with north.scope():
        counter, milk = make_counter(), make_product("MILK", lot_tracking="lot")
        back = expect_blind_return(
            warehouse_id=counter.floor.site.warehouse.pk, lines=[BlindLine(milk.pk, Decimal(2))]
        )
    hand = Hand(north.client("operator"), north.path("returns/scan/"))
    hand.scan(back.number).scan("MILK")
    assert hand.name == "lot"
    hand.scan("NEW-LOT").press("all")
    with north.scope():
        lot = line_of(back).lot
        assert lot is not None
        assert lot.code == "NEW-LOT"


def test_a_return_is_inspected_with_one_big_button(north: House) -> None:
    counter, _apple, shipment = shipped(north)
    with north.scope():
        back = counter.received(shipment, 5)
    hand = Hand(north.client("operator"), page(north, back, "scan/inspect/"))
    hand.scan("APPLE").scan("2")
    assert hand.name == "outcome"
    hand.press("restock")
    hand.scan("APPLE").scan("1").press("scrap")
    assert "A manager" in hand.words
    hand.press("undo").press("undo")
    hand.scan("APPLE").press("all").press("to_supplier")
    assert hand.name == "over"
    with north.scope():
        assert outcomes(back) == (2, 0, 0, 3)
        assert fresh(back).state == CustomerReturnState.INSPECTED


@pytest.mark.parametrize("typed", ["much", "NaN", "1e400", "-1", "²"])
def test_an_address_with_no_quantity_in_it_inspects_nothing(north: House, typed: str) -> None:
    counter, _apple, shipment = shipped(north)
    with north.scope():
        back = counter.received(shipment, 5)
    hand = Hand(north.client("operator"), page(north, back, "scan/inspect/"))
    hand.scan("APPLE").scan("2")
    hand.send(action="restock", quantity=typed)
    assert hand.answer.status_code in (404, 422)
    with north.scope():
        assert outcomes(back) == (0, 0, 0, 0)


def test_the_work_list_asks_the_same_number_of_questions(
    north: House, django_assert_num_queries
) -> None:
    counter, _apple, shipment = shipped(north)
    with north.scope():
        counter.received(shipment, 1)
    client = north.client("operator")
    client.get(north.path("returns/to-inspect/"))
    with django_assert_num_queries(WORK_LIST_QUERIES):
        client.get(north.path("returns/to-inspect/"))
    with north.scope():
        for _ in range(4):
            counter.received(shipment, 1)
    with django_assert_num_queries(WORK_LIST_QUERIES):
        client.get(north.path("returns/to-inspect/"))


# session, user, tenant, savepoint, scope, membership, access, warehouses, returns, claims, scope
# left, release
WORK_LIST_QUERIES = 12
