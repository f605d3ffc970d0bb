"""By API: what if, the scorecard, the stock cycle, warning quality and the own digest."""

from __future__ import annotations

from typing import Any

import pytest

from forecasting.models import ReorderSuggestion, WarningDigest
from inventory.models import LeadTimeObservation
from tenancy.models import AuditEvent
from tests.api.calls import Caller, by_key
from tests.cast import House
from tests.forecasting.test_freight import ship
from tests.forecasting.test_replenishment import world_of

pytestmark = pytest.mark.django_db(transaction=True)


def read(caller: Caller, path: str) -> Any:
    answer = caller.get(path)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_what_if_decides_both_sides_and_writes_nothing(north: House) -> None:
    caller = by_key(north, role="viewer")
    missing = caller.post("what-if", {"uplift": 0.5})
    assert (missing.status_code, missing.json()["code"]) == (409, "nothing_to_compare")
    world_of(north)
    with north.scope():
        events = AuditEvent.objects.count()
    answer = caller.post("what-if", {"uplift": 0.5})
    assert answer.status_code == 200, answer.content
    body = answer.json()
    # 5 a day for 12 days against 40 there: 20; half as much again: 90 against 40
    assert [line["before"] for line in body["lines"]] == [20.0]
    assert [line["after"] for line in body["lines"]] == [50.0]
    assert body["after"]["order_value"] > body["before"]["order_value"] > 0
    assert len(body["before"]["path"]) == 28
    refused = caller.post("what-if", {"service_level": 1.5})
    assert refused.status_code == 400
    assert "service_level" in str(refused.json())
    assert caller.post("what-if", {"uplift": 0.5, "wish": 1}).status_code == 400
    with north.scope():
        assert AuditEvent.objects.count() == events
        assert not ReorderSuggestion.objects.exists()


def test_figures_are_read_before_and_after_there_is_something(north: House) -> None:
    caller = by_key(north, role="viewer")
    assert read(caller, "supplier-scorecard") == {"suppliers": []}
    nothing = {"origin": None, "categories": [], "seasons": [], "offenders": []}
    assert read(caller, "stock-cycle") == nothing
    assert read(caller, "warnings/quality")["precision"] is None
    world = world_of(north)
    with north.scope():
        ship(world, 4)
        LeadTimeObservation.objects.create(
            supplier=world.supplier,
            product=world.products[0],
            placed_on=world.last_day,
            received_on=world.last_day,
            lead_time_days=0,
            promised_days=5,
            transport_mode="truck",
        )
    [score] = read(caller, "supplier-scorecard")["suppliers"]
    # 2 x (4 n) ^ 0.5 over 4 x n, for 25, 62, 99 and 60 pieces
    weights = [25, 62, 99, 60]
    freight = sum(round(2 * (4 * n) ** 0.5, 2) for n in weights) / sum(4 * n for n in weights)
    assert score["freight_share"] == pytest.approx(freight, rel=1e-6)
    [mode] = score["modes"]
    assert (mode["transport_mode"], mode["usual_days"], mode["on_time"]) == ("truck", 0, 1)
    cycle = read(caller, "stock-cycle")
    assert cycle["origin"] == world.last_day.isoformat()
    assert [one["name"] for one in cycle["categories"]] == ["Tools"]
    assert len(cycle["categories"][0]["age_units"]) == 4
    page = north.client().get(north.path("suppliers/scorecard/"))
    assert b"Truck: half in 0, 9 of 10 in 0 days" in page.content


def test_a_member_chooses_the_digest_for_himself_and_a_key_cannot(north: House) -> None:
    member = Caller(north, north.client("planner"))
    path = member.url("warnings/digest")
    client = member.client
    assert read(member, "warnings/digest") == {"wanted": False}
    answer = client.put(path, {"wanted": True}, content_type="application/json")
    assert answer.status_code == 200, answer.content
    assert read(member, "warnings/digest") == {"wanted": True}
    key = by_key(north, role="planner")
    refused = key.send("PUT", "warnings/digest", {"wanted": True})
    assert (refused.status_code, refused.json()["code"]) == (409, "no_member")
    with north.scope():
        assert WarningDigest.objects.count() == 1
    viewer = Caller(north, north.client("viewer"))
    assert viewer.get("warnings/digest").status_code == 403
