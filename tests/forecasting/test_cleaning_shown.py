"""What cleaning did is kept with a network and shown: closed days, cuts, fills, series left out."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from forecasting.models import NetworkState, TrainedNetwork
from forecasting.pipeline.cleaning import CleaningConfig, MissingDays
from forecasting.pipeline.closures import DayRange, day_ranges
from forecasting.queries.series import load_panel
from forecasting.services.cleaning import cleaning_report
from inventory.models import DailyDemand, Product
from inventory.services.access import set_warehouse_access
from inventory.services.places import create_warehouse
from tenancy.models import Membership
from tests.cast import House
from tests.forecasting.world import World, build_world

pytestmark = pytest.mark.django_db(transaction=True)


def keep(number: int, cleaning: dict[str, Any]) -> TrainedNetwork:
    return TrainedNetwork.objects.create(
        number=number, state=NetworkState.RETIRED, origin="2026-01-31", series_count=12, league={},
        config={"seed": number}, artefact_path="", artefact_sha256="", artefact_bytes=0,
        cleaning=cleaning,
    )  # fmt: skip


def shut_and_mistyped(world: World) -> tuple[list[date], Product]:
    """Close the shop on two days in a row and one alone, and type two zeros too many."""
    closed = [world.last_day - timedelta(days=back) for back in (41, 40, 30)]
    DailyDemand.objects.filter(business_day__in=closed).delete()
    wrong = DailyDemand.objects.filter(product=world.products[0]).order_by("business_day")[70]
    wrong.quantity = Decimal(4000)
    wrong.save()
    return closed, world.products[0]


def text_of(house: House, path: str, member: str = "planner") -> str:
    response = house.client(member).get(house.path(path))
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def test_what_cleaning_did_is_kept_and_shown_on_every_page_of_a_network(north: House) -> None:
    with north.scope():
        world = build_world(products=12)
        closed, mistyped = shut_and_mistyped(world)
        Product.objects.filter(pk=world.products[1].pk).update(introduced_on=world.last_day)
        DailyDemand.objects.filter(product=world.products[1]).delete()
        DailyDemand.objects.create(
            product=world.products[1], warehouse=world.warehouse, quantity=Decimal(1),
            business_day=world.last_day,
        )  # fmt: skip
        demand = load_panel()
        assert demand is not None
        demand.panel.observed[2, 100:103] = False  # out of stock
        found = cleaning_report(demand, CleaningConfig())
        filled = cleaning_report(demand, CleaningConfig(missing=MissingDays.MEAN))
        networks = [keep(1, found), keep(2, filled)]
    days = [day.isoformat() for day in closed]
    assert found["closures"] == [{"warehouse_id": world.warehouse.pk, "days": days}]
    assert found["out_of_stock_days"] == 3  # closed days are counted apart
    assert (found["outliers"], found["outlier_series"], found["filled"]) == (1, 1, 0)
    assert found["left_to_baselines"] == {"too_short": 1}
    (cut,) = found["examples"]
    assert (cut["product_id"], cut["warehouse_id"]) == (mistyped.pk, world.warehouse.pk)
    assert cut["recorded"] == 4000 > 10 * cut["used"]
    with north.scope():
        assert DailyDemand.objects.filter(
            product=mistyped, business_day=cut["day"], quantity=4000
        ).exists()  # what was recorded stays
    # 11 products, three closed days each, and three days out of stock
    assert filled["filled"] == 11 * 3 + 3
    pages = [f"networks/{networks[0].pk}/", "networks/", "networks/compare"]
    shown = [text_of(north, page) for page in pages]
    first, last = (f"{day.day} {day:%b} {day.year}</time>" for day in closed[:2])
    for text in shown:
        assert f"{first} to <time" in text
        assert last in text
        assert "Closed days of Main, masked" in text
        assert f"{mistyped.name}</a>" in text
        assert "4,000" in text
        assert "1 in 1 series" in text
        assert "Fewer than four weeks of demand are known." in text
    assert "filled with the mean" in shown[1]
    assert "filled with the mean" not in shown[0]
    api = north.client("planner").get(f"/api/v1/{north.tenant.slug}/networks/{networks[0].pk}")
    assert api.json()["cleaning"] == found
    assert api.json()["config"] == {"seed": 1}


def test_more_cuts_and_closures_cost_no_more_queries(north: House) -> None:
    with north.scope():
        world = build_world(products=12)
        cuts = [
            {"product_id": product.pk, "warehouse_id": world.warehouse.pk, "day": "2026-01-05",
             "recorded": 4000.0, "used": 50.0}
            for product in world.products
        ]  # fmt: skip
        network = keep(1, {"closures": [], "examples": cuts[:1]})
    planner = north.client("planner")
    counts = []
    for examples in (cuts[:1], cuts[:1], cuts):
        with north.scope():
            network.cleaning = {"closures": [], "examples": examples}
            network.save()
        with CaptureQueriesContext(connection) as seen:
            planner.get(north.path(f"networks/{network.pk}/"))
        counts.append(len(seen))
    assert counts[1] == counts[2]


def test_a_member_of_one_warehouse_sees_no_days_of_another(north: House) -> None:
    with north.scope():
        world = build_world(products=2, days=20)
        other = create_warehouse(code="W2", name="Second", country="DE")
        here, there = (
            {"product_id": world.products[0].pk, "warehouse_id": place.pk, "day": "2026-01-05",
             "recorded": recorded, "used": 50.0}
            for place, recorded in ((world.warehouse, 4000.0), (other, 7777.0))
        )  # fmt: skip
        shut = {"warehouse_id": other.pk, "days": ["2026-01-01"]}
        network = keep(1, {"closures": [shut], "outliers": 2, "examples": [there, here]})
        member = Membership.objects.get(user=north.members["planner"], tenant=north.tenant)
        set_warehouse_access(membership_id=member.pk, warehouse_ids=[world.warehouse.pk])
    text = text_of(north, f"networks/{network.pk}/")
    assert "4,000" in text
    assert "7,777" not in text
    assert "Second" not in text
    path = f"/api/v1/{north.tenant.slug}/networks/{network.pk}"
    seen = north.client("planner").get(path).json()["cleaning"]
    assert (seen["closures"], seen["examples"]) == ([], [here])
    control = north.client("owner").get(path).json()["cleaning"]
    assert control["examples"] == [there, here]


def test_clean_demand_says_so_and_an_old_network_that_nothing_is_known(north: House) -> None:
    with north.scope():
        build_world(products=6, days=60)
        demand = load_panel()
        assert demand is not None
        clean = keep(1, cleaning_report(demand, CleaningConfig()))
        old = keep(2, {"series": 6, "out_of_stock_days": 17, "left_to_baselines": {}})
    assert "Nothing had to be changed" in text_of(north, f"networks/{clean.pk}/")
    text = text_of(north, f"networks/{old.pk}/")
    assert "Nothing had to be changed" not in text
    assert "train again to see them" in text
    assert ">17<" in text


def test_without_a_limit_nothing_is_cut_and_a_panel_of_nobody_is_reported(north: House) -> None:
    with north.scope():
        world = build_world(products=12)
        shut_and_mistyped(world)
        demand = load_panel()
        assert demand is not None
        found = cleaning_report(demand, CleaningConfig(outliers=None))
        demand.panel.demand[0, 5] = np.inf
        spoiled = cleaning_report(demand, CleaningConfig())
        nobody = replace(demand, panel=demand.panel.select(np.array([], dtype=int)), keys=())
        empty = cleaning_report(nobody, CleaningConfig())
    assert (found["outliers"], found["outlier_threshold"], found["examples"]) == (0, None, [])
    assert spoiled["spoiled_series"] == 1
    assert (empty["series"], empty["closures"], empty["outliers"]) == (0, [], 0)


def test_days_in_a_row_are_one_range() -> None:
    days = [date(2010, 12, 30), date(2010, 12, 31), date(2011, 1, 1), date(2011, 4, 22)]
    assert day_ranges(days) == (
        DayRange(date(2010, 12, 30), date(2011, 1, 1)),
        DayRange(date(2011, 4, 22), date(2011, 4, 22)),
    )
    assert day_ranges([]) == ()
