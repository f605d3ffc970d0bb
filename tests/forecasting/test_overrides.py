"""Planners' overrides: laid over every run, ordered by, scored afterwards, withdrawn, refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils.formats import date_format

from forecasting.decisions.overrides import Change, apply_changes
from forecasting.models import ForecastOverride, ReorderSuggestion, SeriesForecast
from forecasting.queries.forecasts import latest_run, read_arrays
from forecasting.queries.overrides import score_overrides, with_overrides
from forecasting.queries.series import business_today
from forecasting.services.overrides import (
    OverrideWish,
    OverrideWithdrawn,
    create_override,
    keep_reached_days,
    withdraw_override,
)
from inventory.models import DailyDemand
from tenancy.errors import Invalid, NotFound
from tenancy.models import AuditEvent, JobState
from tenancy.permissions import PermissionRefused
from tenancy.services.jobs import run_job_here
from tests.api.calls import by_key
from tests.cast import House
from tests.forecasting.world import World, build_world, flat_forecast, stock

pytestmark = pytest.mark.django_db(transaction=True)


def wish(first: int = 1, last: int = 7, **changed: Any) -> OverrideWish:
    """A change of the days so many after today."""
    today = business_today()
    known: dict[str, Any] = {
        "first_day": today + timedelta(days=first), "last_day": today + timedelta(days=last),
        "kind": "percent", "value": Decimal(50), "reason": "Trade fair",
    }  # fmt: skip
    return OverrideWish(**known | changed)


def build(house: House) -> World:
    with house.scope():
        world = build_world(products=2, days=40)
        flat_forecast(world, 6.0)
    return world


def make(world: World, wanted: OverrideWish, number: int = 0) -> ForecastOverride:
    return create_override(
        product_id=world.products[number].pk, warehouse_id=world.warehouse.pk, wish=wanted
    )


def test_changes_worked_by_hand() -> None:
    mean = np.array([[2.0, 4.0, 0.0, 6.0]])
    quantiles = np.stack([mean * 0.5, mean, mean * 2], axis=-1)
    half_more = Change(0, 0, 1, factor=1.5, units=None)
    ten_a_day = Change(0, 1, 2, factor=None, units=10.0)
    new_mean, new_quantiles = apply_changes(mean, quantiles, [half_more, ten_a_day])
    # day 1: 2 x 1.5; day 2: the later change counts, 10 instead of 4, spread times 2.5;
    # day 3: nothing was expected, so 10 without doubt; day 4: as forecast
    assert new_mean.tolist() == [[3.0, 10.0, 10.0, 6.0]]
    assert new_quantiles[0].tolist() == [[1.5, 3, 6], [5, 10, 20], [10, 10, 10], [3, 6, 12]]
    assert mean.tolist() == [[2.0, 4.0, 0.0, 6.0]]


def test_it_is_kept_beside_the_forecast_and_holds_for_the_next_run_too(north: House) -> None:
    world = build(north)
    with north.scope():
        made = make(world, wish())
        assert made.base_mean == [6.0] * 7
        for _run in range(2):
            run = latest_run()
            assert run is not None
            stored = read_arrays(run)
            changed = with_overrides(stored)
            # the origin is yesterday: the first day ahead is today, which nobody changed
            assert changed.mean[0, :9].tolist() == [6.0, *[9.0] * 7, 6.0]
            assert stored.mean[0, :9].tolist() == [6.0] * 9
            assert changed.mean[1].tolist() == [6.0] * 28
            flat_forecast(world, 6.0)
        assert AuditEvent.objects.filter(action="override.created").count() == 1


def test_orders_follow_the_change(north: House) -> None:
    world = build(north)
    with north.scope():
        stock(world, {"P-001": 20, "P-002": 20})
        make(world, wish(kind="per_day", value=Decimal(30), first=1, last=14))
    done = run_job_here(tenant=north.tenant, kind="make_suggestions", payload={})
    assert done.state == JobState.DONE
    with north.scope():
        quantity = dict(ReorderSuggestion.objects.values_list("product__sku", "quantity"))
    assert quantity["P-001"] > 3 * quantity["P-002"]


def test_a_withdrawn_change_stays_and_changes_nothing(north: House) -> None:
    world = build(north)
    with north.scope():
        made = make(world, wish())
        withdraw_override(forecast_override_id=made.pk)
        run = latest_run()
        assert run is not None
        assert with_overrides(read_arrays(run)).mean.max() == 6.0
        assert ForecastOverride.objects.get().state == "withdrawn"
        with pytest.raises(OverrideWithdrawn):
            withdraw_override(forecast_override_id=made.pk)
        with pytest.raises(NotFound):
            withdraw_override(forecast_override_id=987_654)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"first": 5, "last": 4}, "last_day"),
        ({"first": -9, "last": -2}, "last_day"),
        ({"first": -1, "last": 3}, "first_day"),
        ({"first": 725, "last": 731}, "last_day"),
        ({"first": 731, "last": 731}, "first_day"),
        ({"first": 1, "last": 400}, "last_day"),
        ({"value": Decimal(-101)}, "value"),
        ({"value": Decimal(5000)}, "value"),
        ({"kind": "per_day", "value": Decimal(-1)}, "value"),
        ({"reason": "  "}, "reason"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(
    north: House, changed: dict[str, Any], field: str
) -> None:
    world = build(north)
    with north.scope():
        with pytest.raises(Invalid) as refused:
            make(world, wish(**changed))
        assert field in {problem.field for problem in refused.value.problems}
        assert not ForecastOverride.objects.exists()


def test_a_day_of_the_past_or_too_far_says_which_days_there_are(north: House) -> None:
    world = build(north)

    def said(wanted: OverrideWish) -> list[str]:
        with pytest.raises(Invalid) as refused:
            make(world, wanted)
        return [f"{one.field}: {one.message}" for one in refused.value.problems]

    with north.scope("planner"):
        today = business_today()
        latest = date_format(today + timedelta(days=730), "j M Y")
        assert said(wish(last_day=date(9999, 12, 31)))[1:] == [
            f"last_day: A change reaches two years ahead: choose {latest} or earlier."
        ]
        assert said(wish(first=-1)) == [
            f"first_day: This day is past. Choose {date_format(today, 'j M Y')} or later."
        ]
        make(world, wish(0, 0))
        make(world, wish(730, 730))


def test_days_that_no_forecast_reaches_wait_and_page_and_api_say_so(north: House) -> None:
    """The forecast ends 28 days after yesterday, on day 27 from today."""
    world = build(north)
    api, client = by_key(north, "planner"), north.client("planner")
    page = north.path(f"forecasts/{world.products[0].pk}/{world.warehouse.pk}/")
    with north.scope():
        today = business_today()
        wanted_days = [wish(20, 27), wish(20, 28), wish(28, 40)]
    last, first = (date_format(today + timedelta(days=n), "j M Y") for n in (27, 28))
    for wanted, told in zip(
        wanted_days,
        (
            "The forecast is changed. Plan now to order by it.",
            f"Days after {last} count once forecasts reach them.",
            f"Forecasts end on {last} now: it counts once they reach {first}.",
        ),
        strict=True,
    ):
        sent = {
            "first_day": wanted.first_day.isoformat(), "last_day": wanted.last_day.isoformat(),
            "kind": "percent", "value": "50", "reason": "Trade fair",
        }  # fmt: skip
        text = client.post(f"{page}override", sent, follow=True).content.decode()
        assert told in text
    assert text.count("counts once forecasts reach") == 1  # in the list, of the last one
    rows = api.get("overrides").json()["items"]
    assert [row["waits_for_forecast"] for row in rows] == [True, False, False]
    body = sent | {"product_id": world.products[1].pk, "warehouse_id": world.warehouse.pk}
    made = api.post("overrides", body).json()
    assert made["waits_for_forecast"] is True
    far = api.post("overrides", body | {"last_day": "9999-12-31"})
    assert (far.status_code, "choose" in far.text) == (400, True)
    # a forecast that reaches the days takes the change
    with north.scope():
        run = flat_forecast(world, 6.0, origin=today)
        assert with_overrides(read_arrays(run)).mean[1].tolist() == [6.0] * 27 + [9.0]


def test_days_that_waited_are_scored_against_the_first_forecast_that_reached_them(
    north: House,
) -> None:
    world = build(north)
    with north.scope():
        first = world.last_day - timedelta(days=3)
        rows = [make(world, wish()), make(world, wish(), number=1)]
        early = [None, None, 4.0, None, None]  # what was forecast of a day before stays
        for row, known in zip(rows, ([None] * 5, early), strict=True):
            ForecastOverride.objects.filter(pk=row.pk).update(
                first_day=first, last_day=first + timedelta(days=4), base_mean=known
            )
        reached, later = (flat_forecast(world, units, origin=first) for units in (7.0, 9.0))
        for run in (reached, later):
            keep_reached_days(run)
        kept = list(ForecastOverride.objects.order_by("id").values_list("base_mean", flat=True))
        # the first day is the origin itself, which is not forecast
        assert kept == [[None, 7.0, 7.0, 7.0, 7.0], [None, 7.0, 4.0, 7.0, 7.0]]
        assert [score.days for score in score_overrides(list(ForecastOverride.objects.all()))] == [
            3,
            3,
        ]


def test_planning_keeps_what_it_forecasts_of_days_that_waited(north: House) -> None:
    world = build(north)
    with north.scope():
        made = make(world, wish(20, 40))
        # days 20 to 27 are forecast; as if the forecast had ended before them
        ForecastOverride.objects.update(base_mean=[None] * 21)
    done = run_job_here(tenant=north.tenant, kind="make_forecasts", payload={})
    assert done.state == JobState.DONE, done.reason
    with north.scope():
        made.refresh_from_db()
        assert [base is not None for base in made.base_mean] == [True] * 8 + [False] * 13


def test_an_operator_may_not_and_an_unknown_forecast_is_missing(north: House) -> None:
    world = build(north)
    with north.scope("operator"), pytest.raises(PermissionRefused):
        make(world, wish())
    with north.scope(), pytest.raises(NotFound):
        create_override(product_id=987_654, warehouse_id=world.warehouse.pk, wish=wish())


def test_control_the_database_refuses_days_out_of_order(north: House) -> None:
    world = build(north)
    with north.scope():
        made = make(world, wish())
        with pytest.raises(IntegrityError), transaction.atomic():
            ForecastOverride.objects.filter(pk=made.pk).update(
                last_day=made.first_day - timedelta(days=1)
            )


def test_it_is_scored_against_the_forecast_it_changed(
    north: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = build(north)
    with north.scope():
        made = make(world, wish())
        first = world.last_day - timedelta(days=2)
        # three days that have passed: 9 would have been right twice, 6 once
        for step, units in enumerate([9, 9, 6]):
            DailyDemand.objects.update_or_create(
                product=world.products[0], warehouse=world.warehouse, channel=None,
                business_day=first + timedelta(days=step), defaults={"quantity": Decimal(units)},
            )  # fmt: skip
        ForecastOverride.objects.filter(pk=made.pk).update(
            first_day=first, last_day=first + timedelta(days=6)
        )
        (score,) = score_overrides(list(ForecastOverride.objects.all()))
    # with: |9-9| + |9-9| + |6-9| = 3; without: |9-6| + |9-6| + |6-6| = 6
    assert (score.days, score.actual, score.error, score.base_error) == (3, 24, 3, 6)
    assert score.gain == pytest.approx(0.5)

    # the third day was out of stock after all: what was asked for then is not known
    blind = [(world.products[0].pk, world.warehouse.pk, [first + timedelta(days=2)])]
    monkeypatch.setattr("forecasting.queries.blind_days.out_of_stock_days", lambda *_, **__: blind)
    with north.scope():
        (score,) = score_overrides(list(ForecastOverride.objects.all()))
    assert (score.days, score.actual, score.error, score.base_error) == (2, 18, 0, 6)
    blind[0][2].extend([first, first + timedelta(days=1)])
    with north.scope():
        (score,) = score_overrides(list(ForecastOverride.objects.all()))
    assert (score.days, score.gain) == (0, None)
    text = north.client("viewer").get(north.path("accuracy/")).content.decode()
    assert "out of stock, or beyond the forecast" in text


def test_one_told_afterwards_stands_on_its_own_day(north: House) -> None:
    with north.scope():
        world = build_world(products=1, days=40)
        then = world.last_day - timedelta(days=10)
        flat_forecast(world, 6.0, origin=then)
        made_at = datetime.combine(then, time(19), tzinfo=UTC)
        told = wish(first=-9, last=-5)
        with pytest.raises(Invalid):
            make(world, told)
        made = create_override(
            product_id=world.products[0].pk,
            warehouse_id=world.warehouse.pk,
            wish=told,
            made_at=made_at,
        )
        assert (made.created_at, made.base_mean) == (made_at, [6.0] * 5)
        with pytest.raises(Invalid):
            create_override(
                product_id=world.products[0].pk,
                warehouse_id=world.warehouse.pk,
                wish=wish(first=-20, last=-15),
                made_at=made_at,
            )


def test_the_page_takes_a_change_shows_it_and_withdraws_it(north: House) -> None:
    world = build(north)
    client = north.client("planner")
    page = north.path(f"forecasts/{world.products[0].pk}/{world.warehouse.pk}/")
    with north.scope():
        wanted = wish()
    sent = {
        "first_day": wanted.first_day.isoformat(), "last_day": wanted.last_day.isoformat(),
        "kind": "percent", "value": "50", "reason": "Trade fair",
    }  # fmt: skip
    refused = client.post(f"{page}override", sent | {"value": "-300"})
    assert (refused.status_code, "from -100" in refused.content.decode()) == (422, True)
    assert client.post(f"{page}override", sent).headers["Location"] == page
    text = client.get(page).content.decode()
    assert "Trade fair" in text
    assert "Expected are 189 pcs" in text  # 21 days of 6 and 7 of 9
    with north.scope():
        row = ForecastOverride.objects.get()
    assert "Withdraw" not in north.client("viewer").get(page).content.decode()
    # one that newer ones cover in two parts does not count; a day less, and it does again
    with north.scope("planner"):
        make(world, wish(1, 4))
        newer = make(world, wish(5, 9))
    assert client.get(page).content.decode().count("newer changes cover its days") == 1
    client.post(north.path(f"overrides/{newer.pk}/withdraw"))
    with north.scope("planner"):
        make(world, wish(5, 6))
    assert "newer changes cover its days" not in client.get(page).content.decode()
    with north.scope("planner"):
        for other in ForecastOverride.objects.filter(state="active").exclude(pk=row.pk):
            withdraw_override(forecast_override_id=other.pk)
    client.post(north.path(f"overrides/{row.pk}/withdraw"))
    assert "Expected are 168 pcs" in client.get(page).content.decode()
    with north.scope():
        assert SeriesForecast.objects.count() == 2


def test_api_and_list_tell_the_figures_orders_reckon_with(north: House) -> None:
    with north.scope():
        world = build_world(products=3, days=40)
        flat_forecast(world, 6.0)
        first = make(world, wish())
    api, client = by_key(north, "viewer"), north.client("viewer")
    where = f"forecasts/{world.products[0].pk}/{world.warehouse.pk}"
    with CaptureQueriesContext(connection) as one:
        items = api.get("forecasts", order="id").json()["items"]
    # 21 days of 6 and 7 of 9
    assert [item["changed_total_mean"] for item in items] == [189.0, None, None]
    assert [item["total_mean"] for item in items] == [168.0] * 3
    found = api.get(where).json()
    assert (found["total_mean"], found["changed_total_mean"]) == (168.0, 189.0)
    # the first day ahead is today, which nobody changed
    assert [day["changed_mean"] for day in found["days"][:9]] == [None, *[9.0] * 7, None]
    assert found["days"][1]["changed_quantiles"] == [9.0] * 19
    assert (found["days"][1]["mean"], found["days"][0]["changed_quantiles"]) == (6.0, None)
    text = client.get(north.path("forecasts/")).content.decode()
    assert text.count("with changes 189") == text.count("with changes") == 1

    with north.scope():
        make(world, wish(kind="per_day", value=Decimal(0)), number=1)
        for _more in range(24):  # more than the page of a forecast lists
            extra = make(world, wish(first=20, last=21))
            withdraw_override(forecast_override_id=extra.pk)
    with CaptureQueriesContext(connection) as more:
        items = api.get("forecasts", order="id").json()["items"]
    assert [item["changed_total_mean"] for item in items] == [189.0, 126.0, None]
    assert len(more) == len(one)
    assert "Expected are 189 pcs" in client.get(north.path(f"{where}/")).content.decode()

    with north.scope():
        withdraw_override(forecast_override_id=first.pk)
    assert api.get(where).json()["changed_total_mean"] is None
