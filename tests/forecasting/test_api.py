"""The API of forecasting: forecasts by product, warehouse and channel; suggestions; warnings; networks."""

from __future__ import annotations

import pytest

from forecasting.models import NetworkState, ReorderSuggestion, RiskWarning, TrainedNetwork
from inventory.models import PurchaseOrder
from tenancy.models import Job
from tests.api.calls import by_key
from tests.cast import House
from tests.forecasting.test_pages import plan

pytestmark = pytest.mark.django_db(transaction=True)


def test_forecasts_are_listed_and_read_day_by_day(north: House) -> None:
    world = plan(north)
    api = by_key(north, "viewer")
    listed = api.get("forecasts", product_id=world.products[0].pk).json()
    assert [item["total_mean"] for item in listed["items"]] == [140.0]
    found = api.get(f"forecasts/{world.products[0].pk}/{world.warehouse.pk}").json()
    assert len(found["days"]) == 28
    assert found["days"][0] == {
        "day": found["days"][0]["day"],
        "mean": 5.0,
        "quantiles": [5.0] * 19,
        "changed_mean": None,
        "changed_quantiles": None,
    }
    assert found["changed_total_mean"] is None
    assert found["is_stale"] is False
    assert len(found["levels"]) == 19


def test_a_missing_and_a_foreign_forecast_answer_alike(north: House, south: House) -> None:
    world = plan(north)
    api = by_key(south)
    mine = api.get(f"forecasts/{world.products[0].pk}/{world.warehouse.pk}")
    missing = api.get("forecasts/999999/999999")
    assert mine.status_code == missing.status_code == 404
    assert api.get("forecasts").json() == {"items": [], "next": None}


def test_suggestions_are_explained_and_accepted_once(north: House) -> None:
    plan(north)
    api = by_key(north, "planner")
    listed = api.get("suggestions", state="new").json()["items"]
    assert [item["quantity"] for item in listed] == ["45", "45", "45"]  # 12 x 5 - 15
    wanted = listed[0]["id"]
    why = api.get(f"suggestions/{wanted}").json()
    assert why["steps"][0]["code"] == "expected_demand"
    body = {"suggestions": [{"suggestion_id": wanted, "quantity": "50"}], "reason": "a fair"}
    first = api.post("suggestions/accept", body, Idempotency_Key="one")
    again = api.post("suggestions/accept", body, Idempotency_Key="one")
    assert first.status_code == 201
    assert first.json() == again.json()
    assert api.post("suggestions/accept", body).status_code == 409
    with north.scope():
        assert PurchaseOrder.objects.count() == 1


def test_accepting_needs_a_key_the_right_and_known_ids(north: House, south: House) -> None:
    plan(north)
    with north.scope():
        wanted = ReorderSuggestion.objects.earliest("id").pk
    body = {"suggestions": [{"suggestion_id": wanted}]}
    assert by_key(north, "operator").post("suggestions/accept", body).status_code == 403
    assert by_key(south).post("suggestions/accept", body).status_code == 404
    planner = by_key(north, "planner")
    assert planner.send("POST", "suggestions/accept", body).status_code == 400
    assert planner.post("suggestions/accept", {"suggestions": []}).status_code == 400
    assert planner.post("suggestions/accept", body | {"odd": 1}).status_code == 400


def test_suggestions_are_dismissed_and_snoozed(north: House) -> None:
    plan(north)
    with north.scope():
        ids = list(ReorderSuggestion.objects.order_by("id").values_list("id", flat=True))
    api = by_key(north, "planner")
    dismissed = api.post("suggestions/dismiss", {"suggestion_ids": ids[:1], "note": "no"})
    assert dismissed.json()["suggestions"][0]["state"] == "dismissed"
    too_late = api.post("suggestions/snooze", {"suggestion_ids": ids[1:], "until": "2001-01-01"})
    assert too_late.status_code == 400


def test_warnings_are_listed_and_acknowledged(north: House) -> None:
    plan(north)
    api = by_key(north, "planner")
    listed = api.get("warnings", kind="stockout").json()["items"]
    assert len(listed) == 3
    assert listed[0]["evidence"]["finding"] == "stock_out"
    done = api.post("warnings/acknowledge", {"warning_ids": [listed[0]["id"]]})
    assert done.json()["warnings"][0]["state"] == "acknowledged"
    with north.scope():
        assert RiskWarning.objects.filter(state="acknowledged").count() == 1


def test_training_and_planning_are_queued_once(north: House) -> None:
    api = by_key(north, "planner")
    first = api.post("networks/train", {"budget_seconds": 30})
    assert first.status_code == 202
    assert first.json()["id"] == api.post("networks/train", {}).json()["id"]
    assert api.post("plan").status_code == 202
    assert by_key(north, "viewer").post("plan").status_code == 403
    with north.scope():
        assert Job.objects.count() == 2


def test_networks_are_listed_and_a_roll_back_to_one_without_weights_is_refused(
    north: House,
) -> None:
    with north.scope():
        network = TrainedNetwork.objects.create(
            number=1, state=NetworkState.RETIRED, origin="2026-01-31", config={}, series_count=3,
            league={"rows": []}, artefact_path="", artefact_sha256="", artefact_bytes=0,
        )  # fmt: skip
    api = by_key(north, "planner")
    assert api.get("networks").json()["items"][0]["number"] == 1
    assert api.get(f"networks/{network.pk}").json()["epochs"] == []
    refused = api.post(f"networks/{network.pk}/roll-back")
    assert (refused.status_code, refused.json()["code"]) == (409, "artefact_gone")
