"""A member restricted to a warehouse reads its forecasts only: lists, details, API and sums."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from forecasting.models import (
    BlockedNeed,
    ForecastExplanation,
    ReorderSuggestion,
    RiskKind,
    RiskWarning,
    SeriesForecast,
)
from forecasting.queries.channels import channel_figures, weeks_of_channels
from forecasting.queries.explanations import similar_for_reader, similar_seen
from forecasting.queries.forecasts import forecasts_of_product, latest_run, read_arrays
from forecasting.queries.risk import totals_by_kind, warnings
from forecasting.queries.suggestions import (
    blocked_needs,
    blocked_orders,
    get_suggestion,
    named_sources,
    suggestions,
    warehouses,
)
from forecasting.queries.warning_quality import warning_figures
from forecasting.services.explanations import request_explanation
from forecasting.services.risk import acknowledge_warnings
from forecasting.services.suggestions import dismiss_suggestions
from forecasting.services.what_if import Scenario, compare_scenario
from inventory.models import Channel
from inventory.services.access import set_warehouse_access
from inventory.services.places import create_warehouse
from tenancy.errors import NotFound
from tenancy.models import Membership
from tests.cast import House
from tests.forecasting.world import build_world, flat_forecast, sell

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def two(north: House) -> SimpleNamespace:
    """Two products in each of two warehouses; the planner and the viewer work in the first."""
    with north.scope():
        world = build_world(products=2, days=30)
        web = Channel.objects.create(code="WEB", name="Web")
        other = create_warehouse(code="W2", name="Second", country="DE")
        for place in (world.warehouse, other):
            sell(world.products, place, days=30, mean=3.0, last=world.last_day, channel=web)
        run = flat_forecast(world, 2.0)
        for series in list(SeriesForecast.objects.all()):
            for warehouse, channel in ((other, None), (world.warehouse, web), (other, web)):
                series.pk, series.warehouse, series.channel = None, warehouse, channel
                series.save()
        product = world.products[0]
        similar = [
            {"series_id": f"{product.pk}:{place.pk}", "first_day": "2026-01-05", "mean": 1.0,
             "last_day": "2026-02-01", "distance": 0.1, "followed": 1.0, "values": [1.0]}
            for place in (world.warehouse, other)
        ]  # fmt: skip
        ForecastExplanation.objects.create(
            run=run, product=product, warehouse=world.warehouse, content={"similar": similar}
        )
        for role in ("planner", "viewer"):
            member = Membership.objects.get(user=north.members[role])
            set_warehouse_access(membership_id=member.pk, warehouse_ids=[world.warehouse.pk])
    return SimpleNamespace(house=north, world=world, product=product, other=other, run=run)


def test_lists_and_sums_hold_what_the_reader_may_see(two: SimpleNamespace) -> None:
    def seen() -> tuple[Any, ...]:
        run = latest_run()
        assert run is not None
        [web] = channel_figures(two.world.last_day, run)
        content = ForecastExplanation.objects.get().content
        own = SeriesForecast.objects.get(
            product=two.product, warehouse=two.world.warehouse, channel=None
        )
        assert len(similar_seen(content, own)) == len(similar_for_reader(content))
        return (
            len(read_arrays(run).keys), len(forecasts_of_product(two.product.pk)),
            len(warehouses()), round(web.forecast or 0), len(similar_for_reader(content)),
        )  # fmt: skip

    with two.house.scope("viewer"):
        assert seen() == (2, 1, 1, 2 * 56, 1)
        halves = sum(
            (week.offline + week.online for week in weeks_of_channels(two.world.last_day)),
            Decimal(0),
        )
        stock = compare_scenario(Scenario()).before.target_stock
    with two.house.scope("owner"):  # control: there is twice as much to be seen
        assert seen() == (4, 2, 2, 2 * 112, 2)
        whole = sum(
            (week.offline + week.online for week in weeks_of_channels(two.world.last_day)),
            Decimal(0),
        )
        everything = compare_scenario(Scenario()).before.target_stock
    assert whole == 2 * halves
    assert 0 < stock < everything


def test_pages_and_api_answer_as_if_the_other_warehouse_had_no_forecast(
    two: SimpleNamespace,
) -> None:
    slug = two.house.tenant.slug
    for role, status, count in (("viewer", 404, 2), ("owner", 200, 4)):
        client = two.house.client(role)
        there = f"{two.product.pk}/{two.other.pk}"
        page = client.get(two.house.path(f"forecasts/{there}/"))
        assert page.status_code == status, role
        assert client.get(f"/api/v1/{slug}/forecasts/{there}").status_code == status, role
        listed = client.get(f"/api/v1/{slug}/forecasts").json()["items"]
        assert len([one for one in listed if one["channel_id"] is None]) == count, role
        text = client.get(two.house.path("forecasts/")).content.decode()
        assert ("Second" in text) is (role == "owner")
    with two.house.scope("planner"), pytest.raises(NotFound):
        request_explanation(product_id=two.product.pk, warehouse_id=two.other.pk)


def test_suggestions_and_warnings_of_other_warehouses_are_missing(two: SimpleNamespace) -> None:
    """One of each in both warehouses; what the own suggestion could move from there is not told."""
    own, other = two.world.warehouse, two.other
    ways = [{"kind": "buy", "key": 1}, {"kind": "transfer", "key": other.pk}]
    suggested, warned = {}, {}
    with two.house.scope():
        for place in (own, other):
            about = {"run": two.run, "product": two.product, "warehouse": place}
            suggested[place.pk] = ReorderSuggestion.objects.create(
                **about, source="buy", quantity=5, order_by_on=two.world.last_day,
                stockout_probability=0.5, reorder_point=1, order_up_to=2, safety_stock=1,
                inventory_position=0, inputs={"sources": ways}, priority=1.0,
            )  # fmt: skip
            BlockedNeed.objects.create(**about, reason="no_supplier", steps=[])
            warned[place.pk] = RiskWarning.objects.create(
                **about, kind=RiskKind.STOCKOUT, evidence={}
            )

    def seen() -> tuple[int, ...]:
        figures = warning_figures()
        return (
            suggestions().count(), blocked_needs().count(), blocked_orders()["no_supplier"],
            warnings().count(), totals_by_kind()["stockout"].count,
            figures.warnings + figures.young, len(named_sources(suggested[own.pk])),
        )  # fmt: skip

    with two.house.scope("planner"):
        assert seen() == (1, 1, 1, 1, 1, 1, 1)
        with pytest.raises(NotFound):
            get_suggestion(suggested[other.pk].pk)
        with pytest.raises(NotFound):
            dismiss_suggestions(suggestion_ids=[suggested[own.pk].pk, suggested[other.pk].pk])
        with pytest.raises(NotFound):
            acknowledge_warnings(warning_ids=[warned[other.pk].pk])
        assert suggestions().get().state == "new"
    with two.house.scope("owner"):  # control: all of it is there
        assert seen() == (2, 2, 2, 2, 2, 2, 2)
        assert get_suggestion(suggested[other.pk].pk).state == "new"
        acknowledge_warnings(warning_ids=[warned[other.pk].pk])
    client = two.house.client("planner")
    assert client.get(two.house.path(f"suggestions/{suggested[other.pk].pk}/")).status_code == 404
