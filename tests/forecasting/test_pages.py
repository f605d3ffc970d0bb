"""Pages of forecasting: what they show when empty and when full, to whom, and at how many queries."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from forecasting.models import (
    ForecastRun,
    NetworkState,
    ReorderSuggestion,
    RiskWarning,
    SuggestionState,
    TrainedNetwork,
    WarningState,
)
from forecasting.queries.series import business_today
from inventory.models import Channel, DailyDemand, Product, PurchaseOrder, SupplierItem
from tenancy.models import Job, JobState
from tenancy.services.jobs import run_job_here
from tests.cast import House
from tests.forecasting.world import World, build_world, flat_forecast, sell, stock

pytestmark = pytest.mark.django_db(transaction=True)

PAGES = ["", "forecasts/", "suggestions/", "warnings/", "networks/"]
LOOKS = [
    "what-if/?uplift=20&lead_time_days=3&budget=100",
    "stock-cycle/",
    "channel-demand/",
    "suppliers/scorecard/",
    "warnings/quality/",
    "suggestions/blocked/",
    "suggestions/budget/?budget=100",
]


def plan(house: House, *, products: int = 3) -> World:
    """Stock for three of five days, a flat forecast, suggestions and warnings from it."""
    with house.scope():
        world = build_world(products=products, days=40)
        stock(world, {product.sku: 15 for product in world.products})
        flat_forecast(world, 5.0)
    for kind in ("make_suggestions", "make_warnings"):
        assert run_job_here(tenant=house.tenant, kind=kind, payload={}).state == JobState.DONE
    return world


@pytest.fixture
def planner(north: House) -> Iterator[Client]:
    return north.client("planner")


@pytest.mark.parametrize("page", PAGES)
def test_every_page_of_a_new_tenant_says_what_to_do(
    north: House, planner: Client, page: str
) -> None:
    response = planner.get(north.path(page))
    assert response.status_code == 200
    text = response.content.decode()
    assert "mport" in text or "rain" in text  # what to do first: import, train


@pytest.mark.parametrize("page", PAGES)
def test_every_page_shows_to_a_viewer_and_hides_what_it_may_not_do(north: House, page: str) -> None:
    plan(north)
    text = north.client("viewer").get(north.path(page)).content.decode()
    assert "Make draft orders" not in text
    assert "Train now" not in text
    assert 'plan" method' not in text


@pytest.mark.parametrize("page", PAGES)
def test_a_stranger_finds_nothing(north: House, south: House, page: str) -> None:
    assert south.client("owner").get(north.path(page)).status_code == 404


@pytest.mark.parametrize(
    ("page", "queries"),
    [("", 24), ("forecasts/", 14), ("suggestions/", 16), ("warnings/", 14), ("networks/", 13)],
)
def test_a_longer_list_costs_no_more_queries(north: House, page: str, queries: int) -> None:
    plan(north, products=12)
    client = north.client("planner")
    client.get(north.path(page))
    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert client.get(north.path(page)).status_code == 200
    assert len(seen) <= queries, [one["sql"][:80] for one in seen]


def test_the_forecast_page_shows_fan_method_reason_and_warnings(
    north: House, planner: Client
) -> None:
    world = plan(north)
    page = f"forecasts/{world.products[0].pk}/{world.warehouse.pk}/"
    text = planner.get(north.path(page)).content.decode()
    assert 'data-chart="fan"' in text
    assert "Expected are 140 pcs in the next 28 days" in text
    assert "The backtest chose it" in text
    assert "Stock-out" in text


@pytest.mark.parametrize(
    ("factor", "words"), [(1.12, "raised by 12%"), (0.9, "lowered by 10%"), (1.0, None)]
)
def test_the_list_of_forecasts_says_when_all_were_kept_near_the_last_month(
    north: House, planner: Client, factor: float, words: str | None
) -> None:
    plan(north)
    with north.scope():
        ForecastRun.objects.update(level_factor=factor)
    text = planner.get(north.path("forecasts/")).content.decode()
    assert ("Kept near the last month" in text) == (words is not None)
    assert words is None or words in text


def test_the_product_page_gets_its_forecast_as_a_fragment(north: House, planner: Client) -> None:
    world = plan(north)
    found = planner.get(north.path(f"products/{world.products[0].pk}/forecast"))
    text = found.content.decode()
    assert "<html" not in text
    assert 'data-chart="fan"' in text
    assert "Why this number" in text
    with north.scope():
        new = Product.objects.create(sku="NEW", name="New")
    empty = planner.get(north.path(f"products/{new.pk}/forecast")).content.decode()
    assert "No forecast yet" in empty
    assert planner.get(north.path("products/999999/forecast")).status_code == 404


def test_a_history_that_ended_long_ago_is_shown_up_to_its_end(north: House) -> None:
    """As an imported one may: dashboard and channels look back from its last day, not from now."""
    ended = date(2020, 3, 14)
    with north.scope():
        world = build_world(products=1, days=1)
        web = Channel.objects.create(code="web", name="Web")
        DailyDemand.objects.all().delete()
        sell(world.products, world.warehouse, days=120, mean=3, last=ended, channel=web)
    client = north.client("viewer")
    dashboard = client.get(north.path("")).content.decode()
    assert "Units asked for in four weeks up to" in dashboard
    assert "14 Mar 2020" in dashboard
    page = client.get(north.path("channel-demand/"))
    assert "14 Mar 2020" in page.content.decode()
    [figures] = page.context["figures"]
    assert figures.sold > 200
    assert figures.before > 50


def test_a_forecast_of_something_unknown_is_missing(north: House, planner: Client) -> None:
    world = plan(north)
    assert planner.get(north.path(f"forecasts/999999/{world.warehouse.pk}/")).status_code == 404
    bad = f"forecasts/{world.products[0].pk}/{world.warehouse.pk}/?channel=77"
    assert planner.get(north.path(bad)).status_code == 404


def decide(client: Client, house: House, what: str, **data: Any) -> Any:
    return client.post(house.path(f"{what}/decide"), data, follow=True)


def test_chosen_suggestions_become_one_draft_order(north: House, planner: Client) -> None:
    plan(north)
    with north.scope():
        ids = list(ReorderSuggestion.objects.order_by("id").values_list("id", flat=True))
    response = decide(
        planner,
        north,
        "suggestions",
        action="accept",
        suggestion=ids,
        note="a fair",
        **{f"quantity-{ids[0]}": "99"},
    )
    assert response.status_code == 200
    with north.scope():
        order = PurchaseOrder.objects.get()
        assert order.lines.count() == 3
        assert order.lines.get(product__sku="P-001").quantity == 99
    assert order.number in response.content.decode()


@pytest.mark.parametrize(
    ("typed", "told"),
    [("abc", "“abc” is not a quantity"), ("1,500", "“1,500” can be read in two ways")],
)
def test_a_quantity_that_is_none_is_refused_in_words_and_nothing_is_ordered(
    north: House, planner: Client, typed: str, told: str
) -> None:
    plan(north)
    with north.scope():
        ids = list(ReorderSuggestion.objects.values_list("id", flat=True))
    response = decide(
        planner,
        north,
        "suggestions",
        action="accept",
        suggestion=ids,
        **{f"quantity-{ids[0]}": typed},
    )
    assert told in response.content.decode()
    with north.scope():
        assert not PurchaseOrder.objects.exists()


def test_suggestions_are_dismissed_and_snoozed(north: House, planner: Client) -> None:
    plan(north)
    with north.scope():
        first, second, _third = ReorderSuggestion.objects.order_by("id")
    decide(
        planner, north, "suggestions", action="dismiss", suggestion=[first.pk], note="season over"
    )
    until = business_today_of(north) + timedelta(days=5)
    decide(
        planner,
        north,
        "suggestions",
        action="snooze",
        suggestion=[second.pk],
        until=until.isoformat(),
    )
    with north.scope():
        first.refresh_from_db()
        second.refresh_from_db()
        assert (first.state, first.decision_note) == (SuggestionState.DISMISSED, "season over")
        assert (second.state, second.snoozed_until) == (SuggestionState.SNOOZED, until)
        assert first.decided_by_label


def business_today_of(house: House) -> Any:
    with house.scope():
        return business_today()


def test_warnings_are_acknowledged_and_resolved(north: House, planner: Client) -> None:
    plan(north)
    with north.scope():
        first, second, *_rest = RiskWarning.objects.order_by("id")
    decide(planner, north, "warnings", action="acknowledge", warning=[first.pk])
    decide(planner, north, "warnings", action="resolve", warning=[second.pk])
    with north.scope():
        first.refresh_from_db()
        second.refresh_from_db()
        assert (first.state, second.state) == (WarningState.ACKNOWLEDGED, WarningState.RESOLVED)


@pytest.mark.parametrize("what", ["suggestions", "warnings"])
def test_an_unknown_action_is_missing_and_an_operator_is_refused(north: House, what: str) -> None:
    plan(north)
    with north.scope():
        model = ReorderSuggestion if what == "suggestions" else RiskWarning
        wanted = model.objects.earliest("id").pk
    action = "accept" if what == "suggestions" else "resolve"
    assert decide(north.client("planner"), north, what, action="explode").status_code == 404
    refused = decide(
        north.client("operator"), north, what, action=action, suggestion=wanted, warning=wanted
    )
    assert refused.status_code == 403


def test_why_this_number_shows_inputs_and_arithmetic(north: House, planner: Client) -> None:
    plan(north)
    with north.scope():
        row = ReorderSuggestion.objects.earliest("id")
    text = planner.get(north.path(f"suggestions/{row.pk}/")).content.decode()
    assert "Expected demand over the next 12 days" in text
    assert "15 on hand" in text
    fragment = planner.get(
        north.path(f"suggestions/{row.pk}/?part=why"), headers={"HX-Request": "true"}
    ).content.decode()
    assert "<html" not in fragment
    assert "Expected demand" in fragment


def test_train_now_queues_one_job_and_the_page_follows_it(north: House, planner: Client) -> None:
    for _ in range(2):
        planner.post(north.path("networks/train"))
    with north.scope():
        job = Job.objects.get(kind="train_network")
        Job.objects.update(
            state=JobState.RUNNING, progress_done=1, progress_total=24,
            progress_detail={"epochs": [{"stage": "holdout", "network": "lstm", "epoch": 1,
                                         "training_loss": 0.9, "validation_loss": 0.5, "best": True}]},
        )  # fmt: skip
    text = planner.get(north.path("networks/progress")).content.decode()
    assert 'hx-trigger="every 2s"' in text
    assert 'data-chart="loss"' in text
    again = planner.post(north.path("networks/train"), follow=True).content.decode()
    assert "A training is running already" in again
    with north.scope():
        Job.objects.filter(pk=job.pk).update(state=JobState.DONE)
    ended = planner.get(north.path("networks/progress?was=open"))
    assert ended.headers["HX-Redirect"] == north.path("networks/")
    assert "every 2s" not in ended.content.decode()


def test_forecasts_of_another_network_than_the_one_in_use_are_told_on_the_page_of_networks(
    north: House, planner: Client
) -> None:
    plan(north)
    page, told = north.path("networks/"), "The forecasts come from another network"
    assert told not in planner.get(page).content.decode()  # simple methods serve, and made them
    with north.scope():
        TrainedNetwork.objects.create(
            number=7, state=NetworkState.PUBLISHED, origin="2026-01-31", config={}, series_count=3,
            league={"rows": []}, artefact_path="a", artefact_sha256="", artefact_bytes=0,
        )  # fmt: skip
    text = planner.get(page).content.decode()
    assert told in text
    assert "They were made by simple methods" in text
    assert "The next ones come from Network 7." in text
    planner.post(north.path("plan"), {"next": page})
    assert "They are being made." in planner.get(page).content.decode()
    with north.scope():
        ForecastRun.objects.update(network=TrainedNetwork.objects.get())
    assert told not in planner.get(page).content.decode()


def test_a_rejected_network_is_shown_with_the_reason(north: House, planner: Client) -> None:
    with north.scope():
        TrainedNetwork.objects.create(
            number=1, state=NetworkState.REJECTED, origin="2026-01-31", config={}, series_count=3,
            league={"rows": []}, artefact_path="", artefact_sha256="", artefact_bytes=0,
            gate_reason="The baseline was better.",
        )  # fmt: skip
    text = planner.get(north.path("networks/")).content.decode()
    assert "Simple methods serve" in text
    assert "The baseline was better." in text


def test_plan_now_queues_one_job_and_goes_back_only_to_our_pages(
    north: House, planner: Client
) -> None:
    here = planner.post(north.path("plan"), {"next": north.path("suggestions/")})
    assert here.headers["Location"] == north.path("suggestions/")
    away = planner.post(north.path("plan"), {"next": "https://evil.example/"})
    assert away.headers["Location"] == north.path("forecasts/")
    with north.scope():
        assert Job.objects.filter(kind="run_planning").count() == 1


def test_filters_that_are_nonsense_filter_nothing(north: House, planner: Client) -> None:
    plan(north)
    for page in ("forecasts/?warehouse=abc&method=xyz", "suggestions/?state=odd&supplier=x",
                 "warnings/?kind=odd&state=odd"):  # fmt: skip
        response = planner.get(north.path(page))
        assert response.status_code == 200
        assert "P-001" in response.content.decode()


@pytest.mark.parametrize("page", ["", "suggestions/"])
def test_orders_blocked_for_lack_of_a_supplier_are_counted_with_the_remedy(
    north: House, planner: Client, page: str
) -> None:
    with north.scope():
        world = build_world(products=3, days=40)
        SupplierItem.objects.all().delete()
        stock(world, {product.sku: 15 for product in world.products})
        flat_forecast(world, 5.0)
    run_job_here(tenant=north.tenant, kind="make_suggestions", payload={})
    text = planner.get(north.path(page)).content.decode()
    assert "3 \N{MULTIPLICATION SIGN} no supplier" in text
    assert f'<a href="{north.path("import/")}">Import suppliers</a>' in text
    assert "above its reorder point" not in text
    assert "No suggestion is open" not in text


def test_before_the_first_plan_the_dashboard_promises_nothing(
    north: House, planner: Client
) -> None:
    with north.scope():
        build_world(products=3, days=40)
    text = planner.get(north.path()).content.decode()
    assert "Not planned yet" in text
    assert "look sound" not in text


@pytest.mark.parametrize("page", LOOKS)
def test_pages_that_compare_open_empty_and_full_and_keep_strangers_out(
    north: House, south: House, page: str
) -> None:
    viewer = north.client("viewer")
    assert viewer.get(north.path(page)).status_code == 200
    plan(north)
    response = viewer.get(north.path(page))
    assert response.status_code == 200
    assert (
        "Product 1" in response.content.decode()
        or "Supplier One" in (response.content.decode())
        or page.startswith(("channel", "warnings", "suggestions/blocked", "stock"))
    )
    assert south.client("viewer").get(north.path(page)).status_code == 404
