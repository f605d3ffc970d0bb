"""Inspecting what came back: to stock, kept aside, scrapped, on to the supplier; nothing twice."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from inventory.models import (
    CustomerReturnState,
    InventorySettings,
    Location,
    LotStatus,
    MovementReason,
    ReturnOutcome,
    StockMovement,
    SupplierReturn,
    WorkKind,
)
from inventory.queries.integrity import check_book
from inventory.queries.places import NoSuchPlace
from inventory.queries.worklists import live_claims
from inventory.services.adjustments import AboveAdjustmentLimit
from inventory.services.ledger import (
    AlreadyReversed,
    CorrectTheDocument,
    InsufficientStock,
    reverse_movement,
)
from inventory.services.lots import set_lot_status
from inventory.services.return_corrections import InspectedAlready
from inventory.services.returns import (
    BlindLine,
    InspectedGoods,
    LotNotSellable,
    MoreThanReceived,
    ReturnedGoods,
    WrongReturnState,
    expect_blind_return,
    inspect_return,
    receive_return,
    reverse_return_movement,
)
from inventory.services.stock import move_stock
from inventory.services.worklists import claim_work
from tenancy.errors import Invalid, NotFound, StaleVersion
from tenancy.models import AuditEvent
from tenancy.permissions import PermissionRefused
from tests.cast import House
from tests.inventory.book import make_lot, make_product, make_site, on_hand
from tests.inventory.returns_world import (
    Counter,
    fresh,
    line_of,
    make_counter,
    outcomes,
    supplied_by,
)


@pytest.fixture
def counter(in_north: House) -> Counter:
    return make_counter()


# -- outcomes -------------------------------------------------------------------------------------
def test_each_outcome_takes_its_way(counter: Counter) -> None:
    apple = make_product()
    supplier = supplied_by("SAM", apple)
    back = counter.received(counter.shipped(apple, 10), 10)
    claim_work(kind=WorkKind.INSPECT, subject_id=back.pk)
    counter.inspect(back, ("restock", 4), ("quarantine", 3), ("scrap", 2), ("to_supplier", 1))
    assert outcomes(back) == (4, 3, 2, 1)
    done = fresh(back)
    assert (done.state, done.inspected_at is not None) == (CustomerReturnState.INSPECTED, True)
    assert on_hand(apple, counter.at("receiving")) == 4  # to be put away from there
    assert on_hand(apple, counter.at("quarantine")) == 4  # three kept, one waits for the supplier
    loss = StockMovement.objects.get(reason=MovementReason.SCRAP)
    assert (loss.quantity, loss.to_location_id) == (2, counter.at("loss"))
    draft = SupplierReturn.objects.get()
    assert (draft.supplier_id, draft.state) == (supplier.pk, "draft")
    assert live_claims(WorkKind.INSPECT, [back.pk]) == {}
    told = AuditEvent.objects.get(action="return.inspected").data["outcomes"]
    assert [entry["outcome"] for entry in told] == ["restock", "quarantine", "scrap", "to_supplier"]
    assert check_book() == []


def test_it_is_inspected_in_parts_and_stays_open_until_all_is_decided(counter: Counter) -> None:
    apple = make_product()
    back = counter.received(counter.shipped(apple, 5), 5)
    counter.inspect(back, ("restock", 2), note="box dented")
    assert fresh(back).state == CustomerReturnState.RECEIVED
    assert (line_of(back).to_inspect, line_of(back).note) == (3, "box dented")
    counter.inspect(back, ("quarantine", 3))
    assert fresh(back).state == CustomerReturnState.INSPECTED
    assert line_of(back).note == "box dented"


def test_restocked_goods_go_straight_to_a_place_that_is_named(counter: Counter) -> None:
    apple = make_product()
    back = counter.received(counter.shipped(apple, 5), 5)
    shelf = counter.floor.bin("B-7")
    other = make_site("OTHER")
    with pytest.raises(NotFound, match="location"):
        counter.inspect(back, ("restock", 2), to_location_id=other.at("storage"))
    for outcome, place in (("restock", "packing"), ("scrap", "receiving")):
        with pytest.raises(Invalid, match="Only restocked goods go elsewhere"):
            counter.inspect(back, (outcome, 2), to_location_id=counter.at(place))
    assert line_of(back).to_inspect == 5
    counter.inspect(back, ("restock", 5), to_location_id=shelf.pk)
    assert on_hand(apple, shelf.pk) == 5


def test_no_more_is_inspected_than_came(counter: Counter) -> None:
    apple = make_product()
    shipment = counter.shipped(apple, 5)
    back = counter.expected(shipment, 5)
    with pytest.raises(WrongReturnState, match="is Expected"):
        counter.inspect(back, ("restock", 1))
    counter.take(back, 3)
    with pytest.raises(MoreThanReceived, match="4 given, but only 3 of 3 are waiting"):
        counter.inspect(back, ("restock", 2), ("quarantine", 2))
    assert (outcomes(back), on_hand(apple, counter.at("receiving"))) == ((0, 0, 0, 0), 0)
    counter.inspect(back, ("restock", 3))
    with pytest.raises(MoreThanReceived, match="1 given, but only 0 of 3"):
        counter.inspect(back, ("restock", 1))
    counter.take(back, 2)
    counter.inspect(back, ("quarantine", 2))
    with pytest.raises(WrongReturnState, match="is Inspected"):
        counter.inspect(back, ("restock", 1))
    assert check_book() == []


@pytest.mark.parametrize("quantity", ["0", "-1", "0.5", "1e400", "NaN"])
def test_a_wrong_quantity_is_refused_at_its_line(counter: Counter, quantity: str) -> None:
    apple = make_product()
    back = counter.received(counter.shipped(apple, 5), 5)
    with pytest.raises(Invalid) as refused:
        counter.inspect(back, ("restock", 1), ("scrap", quantity))
    assert [(p.field, p.line) for p in refused.value.problems] == [("quantity", 1)]
    assert outcomes(back) == (0, 0, 0, 0)


@pytest.mark.parametrize("fault", ["on_hold", "recalled", "expired"])
def test_a_lot_that_may_not_be_sold_does_not_go_back_to_stock(counter: Counter, fault: str) -> None:
    milk = make_product("MILK", lot_tracking="lot")
    lot = make_lot(milk, "L-9", expires_on=date(2099, 1, 1))
    back = counter.received(counter.shipped(milk, 5, lot), 5)
    if fault == "expired":
        type(lot).objects.filter(pk=lot.pk).update(expires_on=date(2020, 1, 1))
    else:
        set_lot_status(lot_id=lot.pk, status=LotStatus(fault))
    with pytest.raises(LotNotSellable, match="lot L-9"):
        counter.inspect(back, ("restock", 1))
    assert (outcomes(back), on_hand(milk, counter.at("quarantine"))) == ((0, 0, 0, 0), 5)
    counter.inspect(back, ("scrap", 3), ("quarantine", 2))
    assert outcomes(back) == (0, 2, 3, 0)


def test_the_lot_is_put_on_hold_by_who_may(north: House) -> None:
    with north.scope():
        counter, milk = make_counter(), make_product("MILK", lot_tracking="lot")
        lot = make_lot(milk)
        back = counter.received(counter.shipped(milk, 5, lot), 5)
        plain = counter.received(counter.shipped(make_product(), 1), 1)
    with north.scope("operator"), pytest.raises(PermissionRefused):
        counter.inspect(back, ("quarantine", 1), hold_lot=True)
    with north.scope("manager"):
        with pytest.raises(Invalid, match="not tracked by lot"):
            counter.inspect(plain, ("quarantine", 1), hold_lot=True)
        counter.inspect(back, ("quarantine", 1), hold_lot=True, note="smells")
        lot.refresh_from_db()
        assert lot.status == LotStatus.ON_HOLD


def test_scrap_beyond_the_limit_takes_a_manager(north: House) -> None:
    """Apples are worth 4 each: with a limit of 10 an operator scraps two, and three are 12."""
    with north.scope():
        counter, apple = make_counter(), make_product(unit_cost=Decimal(4))
        back = counter.received(counter.shipped(apple, 9), 9)
    with north.scope("operator"), pytest.raises(AboveAdjustmentLimit, match="by a manager here"):
        counter.inspect(back, ("scrap", 1))
    with north.scope():
        InventorySettings.objects.create(adjustment_limit=10)
    with north.scope("operator"):
        counter.inspect(back, ("scrap", 2))
        with pytest.raises(AboveAdjustmentLimit, match=r"is worth 12\.00") as refused:
            counter.inspect(back, ("scrap", 3))
        assert refused.value.data == {"value": "12", "limit": "10"}
        assert outcomes(back) == (0, 0, 2, 0)
    with north.scope("manager"):
        counter.inspect(back, ("scrap", 7))
    with north.scope("viewer"), pytest.raises(PermissionRefused):
        counter.inspect(back, ("restock", 1))


def test_goods_for_one_supplier_are_gathered_in_one_draft(counter: Counter) -> None:
    apple, pear, plum = make_product(), make_product("PEAR"), make_product("PLUM")
    sam = supplied_by("SAM", apple, pear)
    eve = supplied_by("EVE")
    for product in (apple, pear):
        counter.inspect(counter.received(counter.shipped(product, 2), 2), ("to_supplier", 2))
    orphan = counter.received(counter.shipped(plum, 2), 2)
    with pytest.raises(Invalid, match="PLUM has no supplier: name the one") as refused:
        counter.inspect(orphan, ("to_supplier", 2))
    assert refused.value.problems[0].line == 0
    with pytest.raises(NotFound, match="supplier"):
        counter.inspect(orphan, ("to_supplier", 2), supplier_id=2**60)
    assert outcomes(orphan) == (0, 0, 0, 0)
    counter.inspect(orphan, ("to_supplier", 2), supplier_id=eve.pk)
    drafts = {draft.supplier_id: draft for draft in SupplierReturn.objects.all()}
    assert set(drafts) == {sam.pk, eve.pk}
    lines = drafts[sam.pk].lines.order_by("id").values_list("product__sku", "quantity", "unit_cost")
    assert list(lines) == [("APPLE", 2, Decimal("2.5")), ("PEAR", 2, Decimal("2.5"))]
    assert drafts[sam.pk].version == 2
    assert check_book() == []


def test_a_stale_version_and_lines_of_others_change_nothing(counter: Counter) -> None:
    apple = make_product()
    back = counter.received(counter.shipped(apple, 5), 5)
    other = counter.received(counter.shipped(apple, 5), 5)
    goods = [InspectedGoods(line_of(back).pk, ReturnOutcome.RESTOCK, Decimal(1))]
    with pytest.raises(StaleVersion):
        inspect_return(customer_return_id=back.pk, goods=goods, version=1)
    with pytest.raises(NotFound, match="return line"):
        inspect_return(customer_return_id=other.pk, goods=goods)
    with pytest.raises(Invalid, match="Say what becomes"):
        inspect_return(customer_return_id=back.pk, goods=[])
    assert on_hand(apple, counter.at("quarantine")) == 10


def test_goods_that_left_quarantine_by_hand_are_not_restocked_again(counter: Counter) -> None:
    apple = make_product()
    back = counter.received(counter.shipped(apple, 5), 5)
    move_stock(lines=[counter.floor.site.line(apple, 4, "quarantine", "storage")])
    with pytest.raises(InsufficientStock):
        counter.inspect(back, ("restock", 5))
    assert (outcomes(back), fresh(back).state) == ((0, 0, 0, 0), CustomerReturnState.RECEIVED)


# -- taken back -----------------------------------------------------------------------------------
def last(reason: MovementReason) -> int:
    return int(StockMovement.objects.filter(reason=reason).order_by("-id")[0].pk)


def test_an_inspection_in_error_is_taken_back_and_made_again(counter: Counter) -> None:
    apple = make_product()
    back = counter.received(counter.shipped(apple, 5), 5)
    counter.inspect(back, ("restock", 5))
    move = last(MovementReason.MOVE)
    with pytest.raises(CorrectTheDocument):
        reverse_movement(movement_id=move)
    with pytest.raises(Invalid, match="Say why"):
        reverse_return_movement(customer_return_id=back.pk, movement_id=move, reason=" ")
    reverse_return_movement(customer_return_id=back.pk, movement_id=move, reason="broken inside")
    again = fresh(back)
    assert (again.state, again.inspected_at) == (CustomerReturnState.RECEIVED, None)
    assert on_hand(apple, counter.at("quarantine")) == 5
    with pytest.raises(AlreadyReversed):
        reverse_return_movement(customer_return_id=back.pk, movement_id=move, reason="again")
    counter.inspect(back, ("scrap", 5))
    assert outcomes(back) == (0, 0, 5, 0)
    assert check_book() == []


def test_a_receipt_in_error_is_taken_back_unless_it_is_inspected(counter: Counter) -> None:
    apple = make_product()
    shipment = counter.shipped(apple, 5)
    back = counter.received(shipment, 5)
    arrival = last(MovementReason.CUSTOMER_RETURN)
    counter.inspect(back, ("quarantine", 1))
    with pytest.raises(InspectedAlready, match="Some of these 5"):
        reverse_return_movement(customer_return_id=back.pk, movement_id=arrival, reason="oops")
    assert line_of(back).quantity_received == 5
    other = counter.expected(counter.shipped(apple, 2), 2)
    counter.take(other, 2)
    reverse_return_movement(
        customer_return_id=other.pk,
        movement_id=last(MovementReason.CUSTOMER_RETURN),
        reason="was another parcel",
    )
    assert (fresh(other).state, fresh(other).received_at) == (CustomerReturnState.EXPECTED, None)
    assert check_book() == []


def test_scrap_is_taken_back_by_who_may_adjust(north: House) -> None:
    with north.scope():
        counter, apple = make_counter(), make_product()
        back = counter.received(counter.shipped(apple, 5), 5)
        counter.inspect(back, ("scrap", 5))
        scrap = last(MovementReason.SCRAP)
        other = counter.received(counter.shipped(apple, 5), 5)
    with north.scope("operator"), pytest.raises(PermissionRefused):
        reverse_return_movement(customer_return_id=back.pk, movement_id=scrap, reason="mine")
    with north.scope("manager"):
        with pytest.raises(NotFound):
            reverse_return_movement(customer_return_id=other.pk, movement_id=scrap, reason="x")
        reverse_return_movement(customer_return_id=back.pk, movement_id=scrap, reason="found it")
        assert line_of(back).to_inspect == 5
        assert check_book() == []


def test_inspecting_asks_the_same_number_of_questions_however_many_lines(
    counter: Counter, django_assert_num_queries
) -> None:
    for count, tag in ((2, "A"), (12, "B")):
        products = [make_product(f"{tag}-{n}", lot_tracking="lot") for n in range(count)]
        supplied_by(f"S{tag}", *products)
        back = expect_blind_return(
            warehouse_id=counter.floor.site.warehouse.pk,
            lines=[BlindLine(product.pk, Decimal(4)) for product in products],
        )
        lines = list(back.lines.values_list("pk", flat=True))
        receive_return(
            customer_return_id=back.pk,
            goods=[ReturnedGoods(pk, Decimal(4), f"L-{tag}-{n}") for n, pk in enumerate(lines)],
        )
        goods = [
            InspectedGoods(pk, outcome, Decimal(1)) for pk in lines for outcome in ReturnOutcome
        ]
        with django_assert_num_queries(INSPECT_STATEMENTS):
            inspect_return(customer_return_id=back.pk, goods=goods)


# savepoint, return, lines, lots; inspected; three places; the ledger: products, locations, lots,
# savepoint, movements, values (three), balances ensured, locked, changed, end; the supplier:
# offers, drafts, number, drafts written, place, lines, events; standing, claim, return, event, end
INSPECT_STATEMENTS = 32


def test_places_that_are_missing_are_named(counter: Counter) -> None:
    apple = make_product()
    back = counter.expected(counter.shipped(apple, 1), 1)
    Location.objects.filter(kind="quarantine").update(is_active=False)
    with pytest.raises(NoSuchPlace, match="no place of the kind Quarantine"):
        counter.take(back, 1)
