"""Counting at the desk: blind sheet, review with rounds beside each other, lists and risk."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from inventory.models import CountLine, CycleCount, Product, Warehouse
from inventory.services.counting import request_count
from tests.cast import House
from tests.inventory.book import Stocked, make_lot, make_product, make_site, on_hand
from tests.inventory.counts import EXPECTED, begun, counted, entry, tolerate, without_random_words
from tests.inventory.test_count_schedule import three_shelves

GROUPED = "7,341"
MINUS = "\u2212"


def get(house: House, rest: str, role: str = "operator") -> str:
    answer = house.client(role).get(house.path(rest))
    assert answer.status_code == 200, (rest, answer.status_code)
    return answer.content.decode()


def post(house: House, rest: str, role: str = "operator", **form: Any) -> Any:
    return house.client(role).post(house.path(rest), form, follow=True)


def told(answer: Any) -> str:
    return str(answer.content.decode())


def field(product: Product, lot_id: int = 0) -> str:
    return f"counted_{product.pk}_{lot_id}"


def state() -> str:
    return str(CycleCount.objects.latest("id").state)


# -- asking ---------------------------------------------------------------------------------------
def test_a_place_is_asked_for_and_stands_on_the_list(countable: Stocked) -> None:
    house, site, _apple = countable
    assert "Nothing to count" in get(house, "counts/")
    form = {"warehouse_id": site.warehouse.pk, "location": "storage", "note": "after the move"}
    page = told(post(house, "counts/new/", **form))
    assert "after the move" in page
    listed = get(house, "counts/")
    assert "CC-000001" in listed
    assert "The whole place" in listed
    prefilled = get(house, f"counts/new/?location={site.at('storage')}")
    assert 'value="STORAGE"' in prefilled


def test_a_refused_request_is_shown_as_typed(countable: Stocked) -> None:
    house, site, _apple = countable
    for form, words in (
        ({"location": "NOWHERE"}, "There is no such location in this warehouse."),
        ({"location": "LOSS"}, "Nothing can be counted at LOSS"),
        ({"location": "STORAGE", "product_id": "NOSUCH"}, "No product has the SKU"),
    ):
        answer = house.client("operator").post(
            house.path("counts/new/"), {"warehouse_id": site.warehouse.pk} | form
        )
        assert (answer.status_code, words in told(answer)) == (422, True), words
    with house.scope():
        assert not CycleCount.objects.exists()
    assert house.client("viewer").get(house.path("counts/new/")).status_code == 403


# -- counting -------------------------------------------------------------------------------------
def test_a_blind_count_tells_on_no_page_how_many_are_expected(countable: Stocked) -> None:
    house, site, apple = countable
    with house.scope("operator"):
        count = request_count(location_id=site.at("storage"))
    page = f"counts/{count.pk}/"
    shown = [get(house, page), get(house, "counts/"), get(house, f"scan/count/{count.pk}/")]
    shown += [told(post(house, f"{page}start/")), get(house, "counts/all/")]
    shown += [told(post(house, page, **{field(apple): "5"}))]
    assert "Apple" in shown[-1]
    shown += [get(house, page, "manager"), get(house, f"scan/count/{count.pk}/")]
    shown += [told(post(house, f"{page}submit/", version="2"))]
    with house.scope():
        assert state() == "recount"
    shown += [get(house, page), get(house, page, "manager"), told(post(house, f"{page}start/"))]
    shown += [told(post(house, f"{page}submit/", version="4"))]  # refused: nothing counted
    assert "APPLE" in shown[-1]
    for page_text in shown:
        text = without_random_words(page_text)
        assert EXPECTED not in text
        assert GROUPED not in text
        assert "7336" not in text.replace(",", "")  # nor the difference
    assert "5 pcs" not in shown[-2]  # nor what the first round found
    done = post(house, f"{page}submit/", version="4", uncounted_are_zero="yes")
    assert GROUPED in told(done)  # control: handed in, it is told


def test_control_a_count_that_is_not_blind_tells_it(countable: Stocked) -> None:
    house, site, _apple = countable
    with house.scope():
        tolerate(blind_counts=False)
    count = begun(house, site)
    assert GROUPED in get(house, f"counts/{count.pk}/")


def test_the_sheet_enters_what_is_new_and_what_was_found(countable: Stocked) -> None:
    house, site, apple = countable
    with house.scope():
        milk = make_product("MILK", lot_tracking="lot")
        lot = make_lot(milk, "L1")
        site.receive(milk, 4, lot_id=lot.pk)
    count = begun(house, site)
    page = f"counts/{count.pk}/"
    found = {"found_product": "MILK", "found_lot": "L2", "found_counted": "3"}
    post(house, page, **{field(apple): "7341", field(milk, lot.pk): ""}, **found)
    with house.scope():
        lines = {str(line.lot or ""): line for line in CountLine.objects.all()}
        assert {key: line.counted for key, line in lines.items()} == {"": 7341, "L2": 3}
        at = lines[""].counted_at
    # sent again with one number more: what stood there already was not counted again
    post(house, page, **{field(apple): "7341", field(milk, lot.pk): "4"})
    with house.scope():
        assert CountLine.objects.get(product=apple).counted_at == at
        assert CountLine.objects.count() == 3


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({}, "Enter how many of something are here."),
        ({"found_counted": "3"}, "Say which product you found."),
        ({"found_product": "APPLE"}, "Say how many you found."),
        ({"found_product": "MILK", "found_counted": "1"}, "Enter the lot printed on the goods."),
        ({"found_product": "APPLE", "found_counted": "-1"}, "greater than or equal to 0"),
        ({"found_product": "APPLE", "found_counted": "1e400"}, "18 digits"),
        ({"found_product": "APPLE", "found_counted": "0.5"}, "whole units"),
    ],
)
def test_a_wrong_sheet_comes_back_with_its_errors(
    countable: Stocked, form: dict[str, str], words: str
) -> None:
    house, site, _apple = countable
    with house.scope():
        make_product("MILK", lot_tracking="lot")
    count = begun(house, site)
    answer = house.client("operator").post(house.path(f"counts/{count.pk}/"), form)
    assert (answer.status_code, words in told(answer)) == (422, True), told(answer)[-3000:]
    with house.scope():
        assert not CountLine.objects.exists()


def test_another_person_sees_who_counts_and_cannot_enter(countable: Stocked) -> None:
    house, site, apple = countable
    count = begun(house, site)
    page = get(house, f"counts/{count.pk}/", "planner")
    assert "operator@north.example" in page
    assert "Start counting" not in page
    answer = house.client("planner").post(
        house.path(f"counts/{count.pk}/"), {"found_product": "APPLE", "found_counted": "1"}
    )
    assert (answer.status_code, "is doing this already" in told(answer)) == (422, True)
    assert apple.sku in page


# -- reviewing ------------------------------------------------------------------------------------
def test_rounds_stand_beside_each_other_and_another_person_approves(countable: Stocked) -> None:
    house, site, apple = countable
    with house.scope():
        make_product("PEAR", unit_cost=Decimal(1))
    count = begun(house, site)
    page = f"counts/{count.pk}/"
    post(house, page, **{field(apple): "7000"})
    post(house, f"{page}submit/", version="2")
    post(house, f"{page}start/")
    post(house, page, **{field(apple): "7001"})
    html = told(post(house, f"{page}submit/", version="4"))
    for words in (
        "Round 1",
        "7,000",
        "Round 2",
        "7,001",
        GROUPED,
        f"{MINUS}340",
        f"{MINUS}€680.00",
    ):
        assert words in html, words
    assert "Beyond tolerance" in html
    assert "Approve and post" not in html  # an operator
    assert house.client("operator").post(house.path(f"{page}approve/")).status_code == 403
    assert "CC-000001" in get(house, "counts/review/", "manager")
    assert "Approve and post" in get(house, page, "manager")
    html = told(post(house, f"{page}approve/", "manager", version="5"))
    assert "Posted differences" in html
    with house.scope():
        assert (state(), on_hand(apple)) == ("posted", 7001)
    assert "Nothing to review" in get(house, "counts/review/", "manager")


def test_who_counted_is_told_to_ask_somebody_else(countable: Stocked) -> None:
    house, site, apple = countable
    count = counted(house, site, entry(apple, 7000), role="manager")
    html = told(post(house, f"counts/{count.pk}/approve/", "manager", version=count.version))
    assert "Somebody else has to approve it." in html
    with house.scope():
        assert (state(), on_hand(apple)) == ("counted", 7341)


@pytest.mark.parametrize(
    ("step", "form", "after"),
    [
        ("recount", {"which": "stale"}, "recount"),
        ("rebase", {}, "counted"),
    ],
)
def test_a_stale_count_offers_both_ways(
    countable: Stocked, step: str, form: dict[str, str], after: str
) -> None:
    house, site, apple = countable
    count = counted(house, site, entry(apple, 7000))
    with house.scope():
        site.ship(apple, 41)
    page = f"counts/{count.pk}/"
    html = get(house, page, "manager")
    assert "Stock moved since it was counted" in html
    assert "Add what moved" in html
    refused = told(post(house, f"{page}approve/", "manager", version=count.version))
    assert "7341 on hand then, 7300 now" in refused
    html = told(post(house, f"{page}{step}/", "manager", version=count.version, **form))
    with house.scope():
        assert (state(), on_hand(apple)) == (after, 7300)
    if step == "rebase":
        assert f"{MINUS}41 moved since" in html
        post(house, f"{page}approve/", "manager", version=count.version + 1)
        with house.scope():
            assert on_hand(apple) == 7300 - 341


def test_a_reviewer_sends_ticked_lines_back(countable: Stocked) -> None:
    house, site, apple = countable
    count = counted(house, site, entry(apple, 7000))
    with house.scope():
        line = CountLine.objects.filter(count=count).latest("round_number")
    page = f"counts/{count.pk}/recount/"
    nothing = told(post(house, page, "manager", version=count.version))
    assert "Choose at least one line" in nothing
    post(house, page, "manager", version=count.version, line=line.pk)
    with house.scope():
        assert state() == "recount"


def test_promised_goods_stand_in_the_way_in_words(countable: Stocked) -> None:
    from inventory.services.ledger import AllocationLine, allocate

    house, site, apple = countable
    with house.scope():
        allocate(lines=[AllocationLine(apple.pk, site.at("storage"), Decimal(7341))])
    count = counted(house, site, entry(apple, 7000))
    html = get(house, f"counts/{count.pk}/", "manager")
    assert "Less was counted than is promised" in html
    refused = told(post(house, f"counts/{count.pk}/approve/", "manager", version=count.version))
    assert "7341 is promised there" in refused


def test_a_count_is_cancelled_with_a_reason(countable: Stocked) -> None:
    house, site, _apple = countable
    count = begun(house, site)
    page = f"counts/{count.pk}/cancel/"
    assert house.client("operator").post(house.path(page)).status_code == 403
    html = told(post(house, page, "manager", version="2", reason="wrong place"))
    assert "Cancelled" in html
    with house.scope():
        assert state() == "cancelled"


def test_a_button_pressed_twice_counts_once(countable: Stocked) -> None:
    house, site, apple = countable
    count = counted(house, site, entry(apple, 7000))
    form = {"version": count.version, "idempotency_key": "k"}
    for _press in range(2):
        html = told(post(house, f"counts/{count.pk}/approve/", "manager", **form))
        assert "approved" in html
    with house.scope():
        assert on_hand(apple) == 7000


# -- lists and risk -------------------------------------------------------------------------------
def test_lists_are_filtered_and_their_statements_do_not_grow(
    countable: Stocked, django_assert_num_queries: Any
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    house, site, apple = countable
    client = house.client("operator")

    def statements() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert client.get(house.path("counts/")).status_code == 200
        return len(caught)

    with house.scope():
        request_count(location_id=site.at("storage"))
    one = statements()
    with house.scope():
        for kind in ("receiving", "packing", "quarantine", "damaged"):
            request_count(location_id=site.at(kind), product_id=apple.pk)
    assert statements() == one
    assert "RECEIVING" not in get(house, "counts/?q=STOR")
    assert "No count matches" in get(house, "counts/?q=NOSUCH")
    assert "STORAGE" not in get(house, f"counts/?warehouse={site.warehouse.pk}&assignee=mine")
    with house.scope():
        first = CycleCount.objects.earliest("id").pk
    post(house, "work/take/", kind="count", subject=first)
    assert "STORAGE" in get(house, "counts/?assignee=mine")
    assert "STORAGE" not in get(house, "counts/?assignee=free")


def test_the_ranking_shows_reasons_and_requests_the_riskiest(north: House) -> None:
    assert "Nothing to rank" in get(north, "counts/risk/")
    with north.scope():
        three_shelves(make_site())
        make_site("OTHER")
    html = get(north, "counts/risk/", "manager")
    assert html.index("A-2") < html.index("A-3") < html.index("A-1")
    assert "never counted" in html
    with north.scope():
        warehouse_id = Warehouse.objects.get(code="MAIN").pk
    page = f"counts/risk/?warehouse={warehouse_id}"
    html = told(post(north, page, "manager", most="2"))
    assert "CC-000001" in html
    wrong = north.client("manager").post(north.path(page), {"most": "0"})
    assert wrong.status_code == 422
    assert north.client("operator").post(north.path(page), {"most": "2"}).status_code == 403
    assert (
        north.client("manager").get(north.path("counts/risk/?warehouse=99999")).status_code == 404
    )
    with north.scope():
        assert CycleCount.objects.count() == 2
