"""Lots on pages and in the API: the list by expiry, and hold, recall, release."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from inventory.models import Lot, LotStatus, LotTracking
from tenancy.models import AuditEvent
from tests.api.calls import by_session
from tests.cast import House
from tests.inventory.book import make_lot, make_product, make_site


@pytest.fixture
def dairy(north: House) -> dict[str, Lot]:
    """Five of each lot of milk in stock, but none of *gone*; the first is expired."""
    today = timezone.localdate()
    with north.scope():
        site = make_site()
        milk = make_product("MILK", lot_tracking=LotTracking.LOT)
        lots = {
            "OLD": make_lot(milk, "OLD", expires_on=today - timedelta(days=1)),
            "SOON": make_lot(milk, "SOON", expires_on=today + timedelta(days=5)),
            "LATE": make_lot(milk, "LATE", expires_on=today + timedelta(days=200)),
            "OPEN": make_lot(milk, "OPEN"),
        }
        for lot in lots.values():
            site.receive(milk, 5, lot_id=lot.pk)
        lots["GONE"] = make_lot(milk, "GONE", expires_on=today)
    return lots


def test_the_list_has_what_is_in_stock_soonest_to_expire_first(north: House, dairy) -> None:
    text = north.client("viewer").get(north.path("lots/")).content.decode()
    places = [text.index(f">{code}<") for code in ("OLD", "SOON", "LATE", "OPEN")]
    assert places == sorted(places)
    assert ">GONE<" not in text
    assert ">GONE<" in north.client().get(north.path("lots/?stock=all")).content.decode()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("due=-1", {"OLD"}),
        ("due=7", {"OLD", "SOON"}),
        ("q=sO", {"SOON"}),
        ("q=MILK&due=90", {"OLD", "SOON"}),
        ("status=recalled", set()),
        ("status=nonsense", {"OLD", "SOON", "LATE", "OPEN"}),
    ],
)
def test_the_list_is_filtered(north: House, dairy, query: str, expected: set[str]) -> None:
    text = north.client().get(north.path(f"lots/?{query}")).content.decode()
    assert {code for code in dairy if f">{code}<" in text} == expected


def test_the_list_costs_the_same_for_many_lots(
    north: House, dairy, django_assert_max_num_queries
) -> None:
    with north.scope():
        milk = dairy["OLD"].product
        for number in range(40):
            make_lot(milk, f"N{number}")
    client = north.client()
    client.get(north.path("lots/"))
    with django_assert_max_num_queries(12):
        client.get(north.path("lots/?stock=all"))


def test_a_manager_recalls_a_lot_and_it_is_audited(north: House, dairy) -> None:
    lot = dairy["SOON"]
    answer = north.client("manager").post(
        north.path(f"lots/{lot.pk}/status/"), {"status": "recalled", "back": "recall"}
    )
    assert answer["Location"] == north.path(f"lots/{lot.pk}/recall/")
    with north.scope():
        lot.refresh_from_db()
        assert lot.status == LotStatus.RECALLED
        event = AuditEvent.objects.get(action="lot.status_changed")
        assert event.data == {"before": "available", "after": "recalled"}


@pytest.mark.parametrize("role", ["viewer", "operator", "planner"])
def test_others_change_no_status(north: House, dairy, role: str) -> None:
    lot = dairy["SOON"]
    client = north.client(role)
    assert (
        client.post(north.path(f"lots/{lot.pk}/status/"), {"status": "recalled"}).status_code == 403
    )
    assert "Recall" not in client.get(north.path(f"lots/{lot.pk}/")).content.decode()
    with north.scope():
        assert Lot.objects.get(pk=lot.pk).status == LotStatus.AVAILABLE


def test_an_unknown_status_is_refused(north: House, dairy) -> None:
    lot = dairy["SOON"]
    answer = north.client().post(north.path(f"lots/{lot.pk}/status/"), {"status": "eaten"})
    assert answer.status_code == 400
    assert north.client().get(north.path(f"lots/{lot.pk}/status/")).status_code == 405


def test_the_api_lists_shows_and_holds_lots(north: House, dairy) -> None:
    api = by_session(north, "manager")
    listed = api.get("lots", expires_by=str(dairy["SOON"].expires_on)).json()["items"]
    assert [item["code"] for item in listed] == ["OLD", "GONE", "SOON"]
    lot = dairy["SOON"]
    answer = api.post(f"lots/{lot.pk}/status", {"status": "on_hold"})
    assert (answer.status_code, answer.json()["status"]) == (200, "on_hold")
    assert api.get(f"lots/{lot.pk}").json()["status"] == "on_hold"
    assert api.get("lots", status="on_hold").json()["items"][0]["id"] == lot.pk
    refused = by_session(north, "operator").post(f"lots/{lot.pk}/status", {"status": "available"})
    assert refused.status_code == 403
