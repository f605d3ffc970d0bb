"""Signals: made with a scope, filled, changed, shown with what they do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from forecasting.models import (
    ExternalSignal,
    ForecastExplanation,
    NetworkState,
    SignalValue,
    TrainedNetwork,
)
from forecasting.pipeline.feature_plan import MAX_LABELS
from forecasting.pipeline.series import OTHER_HOLIDAY
from forecasting.queries.series import business_today, load_panel
from forecasting.queries.signal_list import effects, holidays_ahead
from forecasting.queries.signals import holiday_names, signals_of
from forecasting.services.signals import (
    SignalElsewhere,
    SignalFields,
    SignalTaken,
    create_signal,
    delete_signal,
    fill_signal,
    set_known_ahead,
)
from inventory.services.access import set_warehouse_access
from inventory.services.places import create_warehouse
from tenancy.errors import Invalid, NotFound
from tenancy.models import AuditEvent, Job, JobState, Membership
from tenancy.permissions import PermissionRefused
from tenancy.services.jobs import run_job
from tests.api.calls import by_key
from tests.cast import House
from tests.forecasting.test_signal_files import GOOD
from tests.forecasting.world import build_world, flat_forecast

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("own_files")]


PROMOTION = SignalFields(name="Spring sale", kind="promotion", is_known_ahead=True)


def test_a_signal_with_a_scope_reaches_the_series_it_concerns(north: House) -> None:
    with north.scope():
        world = build_world(products=2, days=30)
        fields = SignalFields(
            name="Sale", kind="promotion", is_known_ahead=True, product_id=world.products[1].pk
        )
        signal = create_signal(fields=fields)
        first = business_today() + timedelta(days=2)
        fill_signal(
            external_signal_id=signal.pk, first_day=first, last_day=first + timedelta(days=4),
            value=1.0,
        )  # fmt: skip
        demand = load_panel()
        assert demand is not None
        (sale,) = [one for one in demand.panel.signals if one.name == "Sale"]
        assert sale.known_ahead
        assert sale.values.sum(axis=1).tolist() == [0.0, 5.0]
        fill_signal(external_signal_id=signal.pk, first_day=first, last_day=first, value=None)
        assert SignalValue.objects.count() == 4


def test_the_same_name_and_scope_twice_nonsense_and_strangers_are_refused(
    north: House, south: House
) -> None:
    with south.scope():
        foreign = build_world(products=1, days=5).products[0].pk
    with north.scope():
        create_signal(fields=PROMOTION)
        with pytest.raises(SignalTaken):
            create_signal(fields=PROMOTION)
        with pytest.raises(NotFound):
            create_signal(fields=SignalFields(name="x", kind="other", product_id=foreign))
        for name, kind in ((" ", "other"), ("x", "weathr"), ("Holiday", "other")):
            with pytest.raises(Invalid):
                create_signal(fields=SignalFields(name=name, kind=kind))
        signal = ExternalSignal.objects.get()
        today = business_today()
        with pytest.raises(Invalid):
            fill_signal(
                external_signal_id=signal.pk, first_day=today, last_day=today, value=float("nan")
            )
        assert not SignalValue.objects.exists()
    with north.scope("operator"), pytest.raises(PermissionRefused):
        delete_signal(external_signal_id=signal.pk)


@pytest.mark.parametrize(
    ("said", "fields"),
    [
        ({"kind": "price"}, ["kind"]),
        ({"is_known_ahead": False}, ["is_known_ahead"]),
        ({"kind": "other", "is_known_ahead": False}, ["kind", "is_known_ahead"]),
    ],
)
def test_scopes_of_one_name_say_the_same_or_are_refused(
    north: House, said: dict[str, Any], fields: list[str]
) -> None:
    with north.scope():
        world = build_world(products=1, days=5)
        create_signal(fields=PROMOTION)
        own = replace(PROMOTION, product_id=world.products[0].pk)
        with pytest.raises(Invalid) as refused:
            create_signal(fields=replace(own, **said))
        assert [problem.field for problem in refused.value.problems] == fields
        assert "another name" in str(refused.value)
        assert ExternalSignal.objects.count() == 1
        create_signal(fields=own)
        create_signal(fields=replace(own, name="Another", **said))
        assert ExternalSignal.objects.count() == 3


def test_known_ahead_is_changed_for_all_signals_of_the_name_and_told(
    north: House, south: House
) -> None:
    with north.scope("planner"):
        world = build_world(products=1, days=5)
        everywhere = create_signal(fields=PROMOTION)
        here = create_signal(fields=replace(PROMOTION, warehouse_id=world.warehouse.pk))
        other = create_signal(fields=replace(PROMOTION, name="Another"))

    def known() -> list[bool]:
        with north.scope():
            return list(
                ExternalSignal.objects.order_by("id").values_list("is_known_ahead", flat=True)
            )

    client = north.client("planner")
    page = north.path(f"signals/{here.pk}/")
    assert "Holds for all 2 signals called Spring sale" in client.get(page).content.decode()
    answer = client.post(f"{page}known-ahead", {"is_known_ahead": "no"}, follow=True)
    text = answer.content.decode()
    assert "The next training learns from its past days only" in text
    assert "the next training learns what its past days announce" in text
    assert "It is known ahead" in text  # the button back
    assert known() == [False, False, True]
    with north.scope():
        told = AuditEvent.objects.filter(action="signal.updated").order_by("id")
        assert {row.subject_id for row in told} == {everywhere.pk, here.pk}
        assert told[0].data == {
            "before": {"is_known_ahead": True}, "after": {"is_known_ahead": False},
        }  # fmt: skip
    api = by_key(north, "planner")
    assert api.patch(f"signals/{here.pk}", {"is_known_ahead": True}).json()["is_known_ahead"]
    assert known() == [True, True, True]
    # the same again, strangers, readers and nonsense change nothing
    api.patch(f"signals/{here.pk}", {"is_known_ahead": True})
    assert api.patch(f"signals/{other.pk}", {"kind": "price"}).status_code == 400
    assert (
        by_key(south, "planner").patch(f"signals/{here.pk}", {"is_known_ahead": False}).status_code
        == 404
    )
    assert (
        by_key(north, "viewer").patch(f"signals/{here.pk}", {"is_known_ahead": False}).status_code
        == 403
    )
    assert client.post(f"{page}known-ahead", {"is_known_ahead": "x"}).status_code == 404
    with north.scope():
        assert AuditEvent.objects.filter(action="signal.updated").count() == 4
        second = create_warehouse(code="W2", name="Second")
        member = Membership.objects.get(user=north.members["planner"])
        set_warehouse_access(membership_id=member.pk, warehouse_ids=[second.pk])
    with north.scope("planner"), pytest.raises(SignalElsewhere):
        set_known_ahead(external_signal_id=everywhere.pk, is_known_ahead=False)
    assert known() == [True, True, True]


def test_effects_come_from_the_network_and_from_explanations(north: House) -> None:
    with north.scope():
        world = build_world(products=1, days=30)
        run = flat_forecast(world, 5.0)
        TrainedNetwork.objects.create(
            number=1, state=NetworkState.PUBLISHED, origin="2026-01-31", config={}, series_count=1,
            league={}, artefact_path="", artefact_sha256="", artefact_bytes=0,
            importance=[
                {"network": "lstm", "feature": "signal:Sale", "increase": 0.2, "spread": 0},
                {"network": "mlp", "feature": "signal:Sale", "increase": 0.3, "spread": 0},
                {"network": "mlp", "feature": "trend", "increase": 0.9, "spread": 0},
            ],
        )  # fmt: skip
        ForecastExplanation.objects.create(
            run=run, product=world.products[0], warehouse=world.warehouse,
            content={"events": [{"name": "Sale", "units": 12.5}, {"name": "Sale", "units": 2.5}]},
        )  # fmt: skip
        found = effects()
    assert set(found) == {"Sale"}
    assert (found["Sale"].increase, found["Sale"].forecasts, found["Sale"].units) == (0.3, 2, 15.0)


def test_holidays_are_those_of_each_warehouses_country(north: House) -> None:
    with north.scope():
        world = build_world(products=1, days=5)
        found = holidays_ahead()
        assert {one.country for one in found} == {"DE"}
        assert all(world.warehouse.name in one.warehouses for one in found)


def test_holidays_of_many_countries_keep_the_commonest_and_count_the_rest_as_one(
    north: House,
) -> None:
    first, last = date(2024, 1, 1), date(2025, 12, 31)
    countries = ("DE", "JP", "BR", "IN", "US", "GB", "TR", "MX")
    with north.scope():
        pairs = [(1, create_warehouse(code=code, name=code, country=code).pk) for code in countries]
        (found,) = signals_of(pairs, first, last)
        (alone,) = signals_of(pairs[:1], first, last)
    assert (
        len({name for code in countries for name in holiday_names(code, first, last).values()}) > 40
    )
    assert (len(found.labels), found.labels[-1]) == (MAX_LABELS, OTHER_HOLIDAY)
    for values, code in zip(found.values, countries, strict=True):
        named = holiday_names(code, first, last)
        told = {
            first + timedelta(days=int(day)): found.labels[int(values[day])]
            for day in np.flatnonzero(np.isfinite(values))
        }
        assert told == {
            day: name if name in found.labels else OTHER_HOLIDAY for day, name in named.items()
        }
    assert "New Year's Day" in found.labels
    assert OTHER_HOLIDAY not in alone.labels


def test_pages_make_fill_import_and_remove(
    north: House, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    with north.scope():
        build_world(products=1, days=5)
    client = north.client("planner")
    wrong = {"name": "Sale", "kind": "promotion", "is_known_ahead": "on", "sku": "NOPE"}
    refused = client.post(north.path("signals/new"), wrong)
    assert (refused.status_code, "no product" in refused.content.decode()) == (422, True)
    made = client.post(north.path("signals/new"), wrong | {"sku": "p-001"})
    page = made.headers["Location"]
    days = {"first_day": "2026-05-03", "last_day": "2026-05-05", "value": "1"}
    old = client.post(page, days | {"first_day": "1999-12-30", "last_day": "2000-01-02"})
    assert old.content.decode().count("Choose a day from 2000 to 2099.") == 2  # above, at its field
    huge = client.post(page, days | {"value": "1e308"}).content.decode()
    assert huge.count("Give a number from -1,000,000,000,000") == 2
    assert (
        "Enter a number, with a point: 12.5."
        in client.post(page, days | {"value": "1,5"}).content.decode()
    )
    assert client.post(page, days).status_code == 302
    assert "not read by the network yet" in client.get(page).content.decode()
    bad = SimpleUploadedFile("signals.csv", b"name,day\nx,y\n")
    answer = client.post(north.path("signals/import"), {"file": bad})
    assert (answer.status_code, "missing: value" in answer.content.decode()) == (422, True)
    good = SimpleUploadedFile("signals.csv", GOOD.encode())
    assert client.post(north.path("signals/import"), {"file": good}).status_code == 302
    with north.scope():
        assert run_job(Job.objects.get(kind="import_signals")).state == JobState.DONE
    with django_assert_max_num_queries(18):
        text = client.get(north.path("signals/")).content.decode()
    assert "Rain" in text
    assert "New signal" not in north.client("viewer").get(north.path("signals/")).content.decode()
    client.post(f"{page}remove")
    assert client.get(page).status_code == 404
