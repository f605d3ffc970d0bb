"""Explanations of stored forecasts: asked for, made by a job, shown, and refused where due."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from forecasting.models import (
    ExternalSignal,
    ForecastExplanation,
    ForecastRun,
    SegmentForecast,
    SeriesForecast,
    SignalValue,
)
from forecasting.pipeline.forecaster import FittedForecaster
from forecasting.queries.explanations import (
    forecast_days_of,
    heat_map,
    heat_weeks,
    months_of,
)
from forecasting.queries.parts import get_forecast
from forecasting.queries.series import business_today
from forecasting.services.cold_start_words import whole_sentences
from forecasting.services.explanation_words import sentences
from forecasting.services.explanations import request_explanation
from forecasting.services.overrides import OverrideWish, create_override
from inventory.models import Channel, CustomerSegment, DailyDemand
from tenancy.errors import NotFound
from tenancy.models import Job, JobState
from tenancy.permissions import PermissionRefused
from tenancy.services.jobs import run_job, run_job_here
from tests.api.calls import by_key
from tests.cast import House
from tests.forecasting.world import World, build_world, flat_forecast, sell

pytestmark = pytest.mark.django_db(transaction=True)


def forecast(house: House) -> World:
    """Two products with forecasts by rules; the second has just been introduced."""
    with house.scope():
        world = build_world(products=2, days=100)
        promotion = ExternalSignal.objects.create(
            name="Spring sale", kind="promotion", is_known_ahead=True
        )
        SignalValue.objects.create(
            signal=promotion, day=business_today() + timedelta(days=3), value=1
        )
    made = run_job_here(tenant=house.tenant, kind="make_forecasts", payload={})
    assert made.state == JobState.DONE
    return world


def explain(house: House, world: World, number: int = 0) -> Job:
    with house.scope():
        job = request_explanation(
            product_id=world.products[number].pk, warehouse_id=world.warehouse.pk
        )
    return run_job(job)


def test_an_explanation_is_made_once_and_its_parts_add_up_to_what_is_stored(north: House) -> None:
    world = forecast(north)
    assert explain(north, world).state == JobState.DONE
    assert explain(north, world).state == JobState.DONE
    with north.scope():
        content = ForecastExplanation.objects.get().content
        stored = SeriesForecast.objects.get(product=world.products[0])
    assert not content["differs"]
    for day, mean in enumerate(stored.mean):
        total = content["last_month"] + sum(content["parts"][day])
        assert total == pytest.approx(mean, rel=1e-3, abs=1e-3)


def world_in_parts(house: House) -> tuple[World, Channel, CustomerSegment]:
    """Two products, sold by two channels to a segment each, with forecasts."""
    with house.scope():
        world = build_world(products=2, days=100)
        segment = CustomerSegment.objects.create(code="pro", name="Professionals")
        other = CustomerSegment.objects.create(code="home", name="Homes")
        for code, own in (("web", segment), ("store", other)):
            channel = Channel.objects.create(code=code, name=code.title())
            sell(world.products, world.warehouse, days=100, mean=3, last=world.last_day,
                 channel=channel)  # fmt: skip
            DailyDemand.objects.filter(channel=channel).update(segment=own)
        web = Channel.objects.get(code="web")
    assert run_job_here(tenant=house.tenant, kind="make_forecasts", payload={}).state == "done"
    return world, web, segment


def test_a_channel_and_a_segment_are_explained_up_to_what_is_stored_of_them(north: House) -> None:
    world, web, segment = world_in_parts(north)
    product, client = world.products[0], north.client("planner")
    whole = north.path(f"forecasts/{product.pk}/{world.warehouse.pk}/explanation")
    with north.scope():
        pages = {"Web": f"?channel={web.pk}", "Professionals": f"?segment={segment.pk}"}
        stored = {
            "Web": SeriesForecast.objects.get(product=product, channel=web),
            "Professionals": SegmentForecast.objects.get(product=product, segment=segment),
        }
    for name, query in pages.items():
        kind, _, pk = query[1:].partition("=")
        assert "Not explained yet" in client.get(whole + query).content.decode()
        client.post(whole.replace("explanation", "explain"), {kind: pk})
        with north.scope():
            job = Job.objects.filter(kind="explain_forecasts").latest("id")
        assert run_job(job).state == JobState.DONE, job.reason
        told = by_key(north, "viewer").get(
            f"forecasts/{product.pk}/{world.warehouse.pk}/explanation", **{f"{kind}_id": pk}
        ).json()  # fmt: skip
        assert told["features"][-1] == "adding_up"
        for day, mean in enumerate(stored[name].mean):
            total = told["last_month"] + sum(told["parts"][day])
            assert total == pytest.approx(mean, rel=1e-3, abs=1e-3)
        text = client.get(whole + query).content.decode()
        assert f"“{name}” is a series of its own" in text
        assert "By channel" not in text
    # neither stands in for the whole, nor one for the other
    assert "Not explained yet" in client.get(whole).content.decode()
    with north.scope():
        assert ForecastExplanation.objects.count() == 2
    both = client.get(f"{whole}?channel=1&segment=1")
    assert both.status_code == 400
    assert client.get(f"{whole}?segment=987654").status_code == 404


def test_each_kind_of_part_is_explained_with_the_anchor_that_moved_it(
    north: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Products, channels and segments are forecast together each, and each kind is anchored."""
    factors = {"": 1.25, "channel": 1.5, "segment": 0.8}
    in_turn = iter(factors.values())
    monkeypatch.setattr("forecasting.pipeline.forecaster.anchor_factor", lambda *_: next(in_turn))
    monkeypatch.setattr("forecasting.pipeline.forecaster.knows_no_turn", lambda _: True)
    world, web, segment = world_in_parts(north)
    # as if networks served: only their forecasts are anchored
    monkeypatch.setattr(FittedForecaster, "by_network", lambda self, blends: [True] * len(blends))
    pair = {"product_id": world.products[0].pk, "warehouse_id": world.warehouse.pk}
    parts = {"": {}, "channel": {"channel_id": web.pk}, "segment": {"segment_id": segment.pk}}
    for by, part in parts.items():
        with north.scope():
            job = request_explanation(**pair, **part)
        assert run_job(job).state == JobState.DONE
        with north.scope():
            told = ForecastExplanation.objects.latest("id").content
        moved = sum(row[told["features"].index("anchor")] for row in told["parts"])
        all_but_scaling = [name for name in told["features"] if name != "adding_up"]
        own = sum(told["last_month"] + sum(row[: len(all_but_scaling)]) for row in told["parts"])
        assert moved == pytest.approx((1 - 1 / factors[by]) * own, rel=1e-3), by


def test_two_requests_are_one_job_and_a_viewer_may_not_ask(north: House) -> None:
    world = forecast(north)
    pair = {"product_id": world.products[0].pk, "warehouse_id": world.warehouse.pk}
    with north.scope():
        assert request_explanation(**pair).pk == request_explanation(**pair).pk
        with pytest.raises(NotFound):
            request_explanation(product_id=999_999, warehouse_id=world.warehouse.pk)
    with north.scope("viewer"), pytest.raises(PermissionRefused):
        request_explanation(**pair)
    with north.scope():
        assert Job.objects.filter(kind="explain_forecasts").count() == 1


def test_the_page_asks_follows_and_shows(north: House) -> None:
    world = forecast(north)
    client = north.client("planner")
    page = north.path(f"forecasts/{world.products[0].pk}/{world.warehouse.pk}/explanation")
    assert "Not explained yet" in client.get(page).content.decode()
    client.post(page.replace("explanation", "explain"))
    assert "every 1s" in client.get(page).content.decode()
    with north.scope():
        job = Job.objects.get(kind="explain_forecasts")
    run_job(job)
    text = client.get(page).content.decode()
    assert "Expected are" in text
    assert "No network has been trained yet" in text
    assert 'class="num heat-cell"' in text or "Nothing moves it" in text
    assert client.get(page, headers={"HX-Request": "true"}).headers["HX-Refresh"] == "true"
    viewer = north.client("viewer").get(
        page.replace(f"/{world.products[0].pk}/", f"/{world.products[1].pk}/")
    )
    assert "Explain this forecast" not in viewer.content.decode()


def test_demand_that_changed_since_is_told(north: House) -> None:
    world = forecast(north)
    with north.scope():
        SeriesForecast.objects.filter(product=world.products[0]).update(
            mean=[99.0] * 28, total_mean=99.0 * 28
        )
    explain(north, world)
    with north.scope():
        assert ForecastExplanation.objects.get().content["differs"] is True


def test_the_job_fails_in_words_when_the_product_is_gone(north: House) -> None:
    world = forecast(north)
    with north.scope():
        job = request_explanation(product_id=world.products[0].pk, warehouse_id=world.warehouse.pk)
        world.products[0].is_active = False
        world.products[0].save()
    ended = run_job(job)
    assert (ended.state, "no longer in use" in ended.reason) == (JobState.FAILED, True)


def test_who_made_a_forecast_is_kept_and_explains_it_whoever_would_serve_now(
    north: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = forecast(north)

    def choose_again(*args: object, **kwargs: object) -> None:
        raise AssertionError("chosen again")

    # neither an explanation nor the search for risks has to hold the contest a second time
    monkeypatch.setattr("forecasting.pipeline.engine.fit", choose_again)
    assert explain(north, world).state == JobState.DONE
    with north.scope():
        assert ForecastExplanation.objects.get().content["differs"] is False
    assert run_job_here(tenant=north.tenant, kind="make_warnings", payload={}).state == "done"


def test_the_job_says_what_to_do_where_who_made_the_forecast_is_not_kept(north: House) -> None:
    world = forecast(north)
    for kept in (None, b"STOCKNET rubbish"):
        with north.scope():
            ForecastRun.objects.update(simple_forecaster=kept)
        ended = explain(north, world)
        assert ended.state == JobState.FAILED
        assert ended.reason == "What made this forecast is no longer kept. Forecast again."


CONTENT = {
    "origin": "2026-05-01",
    "last_month": 10.0,
    "prediction": [10.0] * 6 + [20.0] * 7 + [10.0] * 15,
    "features": ["level", "weekday", "signal:Spring sale"],
    "parts": [[0.0, 0.0, 0.0]] * 6 + [[0.0, 0.0, 10.0]] * 7 + [[0.0, 0.0, 0.0]] * 15,
    "events": [
        {"name": "Spring sale", "label": "", "first_day": "2026-05-08", "last_day": "2026-05-14",
         "units": 70.0}
    ],
    "kinds": {"Spring sale": "promotion"},
}  # fmt: skip


def test_a_promotion_is_named_with_its_days_and_units() -> None:
    told = sentences(CONTENT, "pcs")
    # 21 days of 10 and 7 of 20 are 350, a day 12.5; the last month was 10: a quarter more
    assert told[0] == (
        "Expected are 350 pcs in 28 days, 12.5 a day: 25% more than in the last month (10 a day)."
    )
    assert told[1] == ("Higher because of the promotion “Spring sale” from 8 to 14 May: +70 pcs.")
    assert len(told) == 2


def test_what_would_be_written_as_nothing_is_not_put_into_words() -> None:
    """0.03 a day are 0.84: a trend of 0.04 is 5% of it and still written as 0; 0.14 is 0.1."""
    days = [0.04 / 28, 0.14 / 28]
    weekday = [0.02 if step % 7 else -0.12 for step in range(28)]
    content = CONTENT | {
        "prediction": [0.03] * 28, "last_month": 0.0, "events": [], "origin": "2026-05-01",
        "features": ["trend", "level", "weekday"],
        "parts": [[*days, by_day] for by_day in weekday],
    }  # fmt: skip
    told = sentences(content, "pcs")
    assert told[1:] == [
        "The level it comes from lies above the last month: +0.1 pcs.",
        "Weekdays differ: most on Monday (0 pcs), least on Saturday (\u22120.1 pcs).",
    ]
    content["parts"] = [[*days, by_day / 4] for by_day in weekday]
    assert len(sentences(content, "pcs")) == 2


@pytest.mark.parametrize(
    ("name", "first", "last", "words"),
    [
        ("Promotion", "2026-05-08", "2026-05-14", "the promotion from 8 to 14 May"),
        ("Promotion", "2026-05-08", "2026-05-08", "the promotion on 8 May"),
        ("Sale", "2026-04-28", "2026-05-04", "the promotion “Sale” from 28 April to 4 May"),
        ("Rain", "2026-05-08", "2026-05-09", "“Rain” (12) from 8 to 9 May"),
    ],
)
def test_days_of_a_signal_read_as_people_say_them(
    name: str, first: str, last: str, words: str
) -> None:
    event = {"name": name, "label": "12" if name == "Rain" else "", "first_day": first,
             "last_day": last, "units": 70.0}  # fmt: skip
    kinds = {"Promotion": "promotion", "Sale": "promotion", "Rain": "weather"}
    told = sentences(CONTENT | {"events": [event], "kinds": kinds}, "pcs")
    assert f"Higher because of {words}: +70 pcs." in told


def test_weeks_of_the_heat_map_add_up_to_its_days_and_months_to_all_days() -> None:
    heat = heat_map(CONTENT)
    (row,) = heat_weeks(heat)
    # the days with 10 more are the seventh to the thirteenth: one in the first week, six after
    assert [cell.units for cell in row.cells] == [10.0, 60.0, 0.0, 0.0]
    assert [cell.shade for cell in row.cells] == [1, 5, 0, 0]
    assert sum(cell.units for cell in row.cells) == row.total == 70.0
    days = forecast_days_of(CONTENT | {"origin": "2026-04-20"})
    assert months_of(days) == [(date(2026, 4, 21), 10), (date(2026, 5, 1), 18)]


def test_a_planners_change_is_told_beside_the_causes(north: House) -> None:
    with north.scope():
        world = build_world(products=1, days=30)
        flat_forecast(world, 6.0)
        product, warehouse = world.products[0].pk, world.warehouse.pk
        assert whole_sentences(get_forecast(product, warehouse)) == []
        today = business_today()
        wish = OverrideWish(today, today + timedelta(days=6), "percent", Decimal(50), "Fair")
        create_override(product_id=product, warehouse_id=warehouse, wish=wish)
        (told,) = whole_sentences(get_forecast(product, warehouse))
    # 21 days of 6 and 7 of 9
    assert told == "Planners' changes come on top of it: with them 189 pcs are expected."
