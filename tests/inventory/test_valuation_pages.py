"""Pages and API of periods and valuation: closed, opened again, chosen, corrected, read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from inventory.models import InventorySettings, PeriodClosing, StockValue, ValueEntry
from inventory.rules.periods import end_of_last_month
from inventory.services.periods import close_period
from inventory.services.valuation import change_valuation_method
from tests.api.calls import Caller, by_key
from tests.cast import House
from tests.inventory.book import Site, make_product, make_site

PAGE = "settings/periods/"
PERIOD_QUERIES = 15
NOW = datetime.now(UTC)
LONG_AGO = (NOW - timedelta(days=40)).date()


@pytest.fixture
def stocked(north: House) -> tuple[Site, Any]:
    """Ten apples for 25 in one warehouse, none in the other."""
    with north.scope():
        site, apple = make_site(), make_product()
        make_site("EMPTY")
        site.receive(apple, 10, unit_cost=Decimal("2.50"))
    return site, apple


def page(house: House, role: str = "manager", path: str = PAGE) -> str:
    answer = house.client(role).get(house.path(path))
    assert answer.status_code == 200
    return answer.content.decode()


def send(client: Client, house: House, path: str = PAGE, **fields: Any) -> Any:
    return client.post(house.path(path), {"idempotency_key": uuid4().hex, **fields})


def closed_through(house: House) -> Any:
    with house.scope():
        row = InventorySettings.objects.first()
        return row and row.closed_through


# -- pages -------------------------------------------------------------------------------------------
def test_the_page_shows_what_is_closed_the_method_and_the_value(
    north: House, stocked: tuple[Site, Any]
) -> None:
    html = page(north)
    assert "every day is open" in html
    assert "Moving average" in html
    assert "€25.00" in html
    assert "Empty" in html
    assert "Open days again" not in html  # nothing to open
    with north.scope():
        close_period(through=LONG_AGO)
    html = page(north)
    assert "Open days again" in html
    assert str(north.members["owner"]) in html


def test_the_page_is_read_by_everybody_and_used_by_managers(
    north: House, stocked: tuple[Site, Any]
) -> None:
    html = page(north, "viewer")
    assert "€25.00" in html
    assert 'name="action"' not in html
    for fields in (
        {"action": "close", "through": str(LONG_AGO)},
        {"action": "method", "method": "fifo"},
        {"action": "reopen", "reason": "late invoice"},
    ):
        assert send(north.client("planner"), north, **fields).status_code == 403
    assert closed_through(north) is None


def test_the_number_of_statements_is_fixed(
    north: House, stocked: tuple[Site, Any], django_assert_num_queries: Any
) -> None:
    client = north.client("manager")
    with django_assert_num_queries(PERIOD_QUERIES):
        client.get(north.path(PAGE))
    with north.scope():
        for days in range(5):
            close_period(through=LONG_AGO + timedelta(days=days))
            make_site(f"MORE-{days}").receive(make_product(f"P{days}"), 1)
    with django_assert_num_queries(PERIOD_QUERIES):
        client.get(north.path(PAGE))


def test_a_manager_closes_and_opens_again(north: House, stocked: tuple[Site, Any]) -> None:
    client = north.client("manager")
    answer = send(client, north, action="close", through=str(LONG_AGO))
    assert answer.status_code == 302
    assert closed_through(north) == LONG_AGO
    earlier = str(LONG_AGO - timedelta(days=5))
    answer = send(client, north, action="reopen", closed_through=earlier, reason="late invoice")
    assert answer.status_code == 302
    assert str(closed_through(north)) == earlier
    send(client, north, action="reopen", closed_through="", reason="late invoice")
    assert closed_through(north) is None


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"action": "close", "through": "2999-01-01"}, "over everywhere"),
        ({"action": "close", "through": ""}, "required"),
        ({"action": "close", "through": "soon"}, "valid date"),
        ({"action": "reopen", "reason": "late invoice"}, "No period is closed"),
        ({"action": "method", "method": "moving_average"}, "by this method already"),
        ({"action": "method", "method": "lifo"}, "valid choice"),
        ({"action": "close", "through": str(LONG_AGO), "version": "7"}, "somebody else"),
    ],
)
def test_what_is_refused_stands_in_its_form_and_changes_nothing(
    north: House, stocked: tuple[Site, Any], fields: dict[str, str], words: str
) -> None:
    answer = send(north.client("manager"), north, **fields)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert closed_through(north) is None
    with north.scope():
        assert set(StockValue.objects.values_list("method", flat=True)) == {"moving_average"}


def test_a_form_sent_twice_counts_once(north: House, stocked: tuple[Site, Any]) -> None:
    client, key = north.client("manager"), uuid4().hex
    fields = {"action": "close", "through": str(LONG_AGO), "idempotency_key": key}
    assert send(client, north, **fields).status_code == 302
    assert send(client, north, **fields).status_code == 302
    with north.scope():
        assert PeriodClosing.objects.count() == 1


def test_an_unknown_action_is_not_found(north: House) -> None:
    assert send(north.client("manager"), north, action="shred").status_code == 404


def test_the_end_of_last_month_is_proposed() -> None:
    assert (
        end_of_last_month(LONG_AGO.replace(year=2026, month=3, day=30)).isoformat() == "2026-02-28"
    )
    assert (
        end_of_last_month(LONG_AGO.replace(year=2026, month=3, day=31)).isoformat() == "2026-03-31"
    )
    assert (
        end_of_last_month(LONG_AGO.replace(year=2026, month=1, day=1)).isoformat() == "2025-12-31"
    )


def test_a_product_shows_its_value_and_unit_value_by_warehouse(
    north: House, stocked: tuple[Site, Any]
) -> None:
    site, apple = stocked
    html = page(north, path=f"products/{apple.pk}/")
    assert "€25.00" in html
    assert "€2.50 per pcs" in html
    assert f"products/{apple.pk}/value/{site.warehouse.pk}/" in html
    assert f"/value/{site.warehouse.pk}/" not in page(north, "viewer", f"products/{apple.pk}/")
    with north.scope():
        site.ship(apple, 10)
    assert "Nothing to value" in page(north, path=f"products/{apple.pk}/")


def test_a_manager_corrects_a_value(north: House, stocked: tuple[Site, Any]) -> None:
    site, apple = stocked
    path = f"products/{apple.pk}/value/{site.warehouse.pk}/"
    assert 'value="25"' in page(north, path=path)
    client = north.client("manager")
    refused = send(client, north, path, value="-3", note="invoice")
    assert refused.status_code == 422
    refused = send(client, north, path, value="30", note="x")
    assert "Say why" in refused.content.decode()
    assert send(client, north, path, value="31.5", note="invoice 4711").status_code == 302
    with north.scope():
        assert StockValue.objects.get().value == Decimal("31.5")
    assert send(north.client("planner"), north, path, value="1", note="no").status_code == 403


def test_the_value_of_what_is_not_there_cannot_be_corrected(
    north: House, stocked: tuple[Site, Any]
) -> None:
    site, apple = stocked
    with north.scope():
        pear = make_product("PEAR")
    client = north.client("manager")
    for path in (
        f"products/{pear.pk}/value/{site.warehouse.pk}/",
        f"products/{apple.pk}/value/987654321/",
        f"products/987654321/value/{site.warehouse.pk}/",
    ):
        assert client.get(north.path(path)).status_code == 404


# -- API ---------------------------------------------------------------------------------------------
@pytest.fixture
def caller(north: House) -> Caller:
    return by_key(north, role="manager")


def test_periods_are_closed_and_opened_by_api(caller: Caller, stocked: tuple[Site, Any]) -> None:
    found = caller.get("periods").json()
    assert (found["closed_through"], found["valuation_method"], found["closings"]) == (
        None,
        "moving_average",
        [],
    )
    match = f'"{found["version"]}"'
    assert caller.post("periods/close", {"through": str(LONG_AGO)}).status_code == 428
    answer = caller.post("periods/close", {"through": str(LONG_AGO)}, If_Match=match)
    assert answer.status_code == 200, answer.content
    assert answer.json()["closings"][0]["through"] == str(LONG_AGO)
    stale = caller.post("periods/close", {"through": str(LONG_AGO)}, If_Match=match)
    assert (stale.status_code, stale.json()["code"]) == (412, "stale_version")
    match = answer["ETag"]
    refused = caller.post("periods/close", {"through": str(LONG_AGO)}, If_Match=match)
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid")
    body = {"closed_through": None, "reason": "late invoice"}
    answer = caller.post("periods/reopen", body, If_Match=match)
    assert answer.json()["closed_through"] is None


def test_a_posting_to_a_closed_period_is_a_conflict_with_its_days(
    caller: Caller, north: House, stocked: tuple[Site, Any]
) -> None:
    site, apple = stocked
    with north.scope():
        close_period(through=LONG_AGO)
    line = {
        "product_id": apple.pk,
        "from_location_id": site.at("storage"),
        "to_location_id": site.at("packing"),
        "quantity": "1",
    }
    when = datetime(LONG_AGO.year, LONG_AGO.month, LONG_AGO.day, 12, tzinfo=UTC)
    body = {"lines": [line], "effective_at": when.isoformat()}
    answer = caller.post("stock/moves", body)
    assert answer.status_code == 409
    problem = answer.json()
    assert problem["code"] == "period_closed"
    assert str(LONG_AGO) in str(problem)


def test_the_method_is_chosen_by_api(caller: Caller, stocked: tuple[Site, Any]) -> None:
    match = f'"{caller.get("periods").json()["version"]}"'
    answer = caller.post("valuation-method", {"method": "fifo"}, If_Match=match)
    assert answer.json()["valuation_method"] == "fifo"
    refused = caller.post("valuation-method", {"method": "lifo"}, If_Match=answer["ETag"])
    assert refused.status_code == 400


def test_values_are_listed_and_corrected_by_api(
    caller: Caller, north: House, stocked: tuple[Site, Any]
) -> None:
    site, apple = stocked
    [row] = caller.get("stock/values", sku="APPLE").json()["items"]
    assert (row["quantity"], row["value"], row["unit_value"]) == ("10", "25", "2.5")
    body = {
        "product_id": apple.pk,
        "warehouse_id": site.warehouse.pk,
        "value": "30",
        "note": "invoice 4711",
    }
    assert caller.send("POST", "stock/revaluations", body).status_code == 400  # no key
    answer = caller.post("stock/revaluations", body)
    assert (answer.status_code, answer.json()["value_change"]) == (201, "5")
    refused = caller.post("stock/revaluations", body | {"product_id": 987654321})
    assert refused.status_code == 404
    with north.scope():
        assert ValueEntry.objects.filter(kind="revaluation").count() == 1


def test_stock_and_value_of_a_moment_are_read_by_api(
    caller: Caller, north: House, stocked: tuple[Site, Any]
) -> None:
    site, apple = stocked
    with north.scope():
        site.receive(apple, 2, unit_cost=Decimal(1), effective_at=NOW - timedelta(days=3))
    then = (NOW - timedelta(days=2)).isoformat().replace("+00:00", "Z")
    found = caller.get("stock/as-of", at=then, product_id=str(apple.pk)).json()
    assert [row["quantity"] for row in found["stock"]] == ["2"]
    assert [(row["quantity"], row["value"]) for row in found["values"]] == [("2", "2")]
    for query in ({"at": then}, {"product_id": str(apple.pk)}, {"at": "2026-01-01T00:00:00"}):
        assert caller.get("stock/as-of", **query).status_code == 400
    for far in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"):
        assert caller.get("stock/as-of", at=far, product_id=str(apple.pk)).status_code == 200


def test_planners_read_and_do_not_close(north: House, stocked: tuple[Site, Any]) -> None:
    planner = by_key(north, role="planner")
    assert planner.get("periods").status_code == 200
    for path, body in (
        ("periods/close", {"through": str(LONG_AGO)}),
        ("periods/reopen", {"closed_through": None, "reason": "late"}),
        ("valuation-method", {"method": "fifo"}),
        ("stock/revaluations", {"product_id": 1, "warehouse_id": 1, "value": "1", "note": "no"}),
    ):
        assert planner.post(path, body, If_Match='"1"').status_code == 403
    with north.scope():
        assert InventorySettings.objects.count() == 0


def test_a_member_of_some_warehouses_sees_their_values_only(
    north: House, stocked: tuple[Site, Any]
) -> None:
    from inventory.services.access import set_warehouse_access
    from tenancy.models import Membership

    with north.scope():
        other = make_site("OTHER")
        other.receive(make_product("PEAR"), 4, unit_cost=Decimal(1))
        member = Membership.objects.get(user=north.members["manager"])
        set_warehouse_access(membership_id=member.pk, warehouse_ids=[other.warehouse.pk])
    html = page(north)
    assert "€4.00" in html
    assert "€25.00" not in html
    answer = send(north.client("manager"), north, action="close", through=str(LONG_AGO))
    assert "works in all" in answer.content.decode()
    with north.scope("owner"):
        change_valuation_method(method="fifo")
