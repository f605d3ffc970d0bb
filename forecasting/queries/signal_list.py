"""Signals for people: the list with what each one does, one with its values, the holidays ahead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, Max, Min, Q, QuerySet

from forecasting.models import ExternalSignal, ForecastExplanation, SignalKind, SignalValue
from forecasting.queries.forecasts import latest_run
from forecasting.queries.series import business_today
from forecasting.queries.signals import HOLIDAY, holiday_names
from forecasting.queries.training import network_in_use, newest_network
from inventory.models import Category, Warehouse
from tenancy.errors import NotFound
from tenancy.scope import active_scope, active_tenant_id

HOLIDAYS_AHEAD_DAYS = 120
SHOWN_DAYS = 400


@dataclass(frozen=True)
class SignalFilter:
    """What the list shows; empty fields show everything."""

    text: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Effect:
    """What a signal does, by its name.

    increase: how much worse the network that listens most gets without it; None: none reads it.
    forecasts, units: how many explained forecasts it moves, and by how much in all.
    """

    increase: float | None
    forecasts: int
    units: float


@dataclass(frozen=True)
class Holiday:
    day: date
    name: str
    country: str
    warehouses: tuple[str, ...]


def signals(wanted: SignalFilter = SignalFilter()) -> QuerySet[ExternalSignal]:
    """Return signals with their days, by name."""
    rows = ExternalSignal.objects.select_related("product", "category", "warehouse").annotate(
        days=Count("values"), first_day=Min("values__day"), last_day=Max("values__day")
    )
    if wanted.text:
        rows = rows.filter(Q(name__icontains=wanted.text) | Q(product__sku__iexact=wanted.text))
    if wanted.kind:
        rows = rows.filter(kind=wanted.kind)
    return rows.order_by("name", "id")


def get_signal(external_signal_id: int) -> ExternalSignal:
    """Return the signal; raise ``NotFound``."""
    found = signals().filter(pk=external_signal_id).first()
    if found is None:
        raise NotFound("signal", external_signal_id)
    return found


def count_of_name(name: str) -> int:
    """Return how many signals have the name: a network reads them as one."""
    return ExternalSignal.objects.filter(name=name).count()


def values_of(external_signal_id: int) -> QuerySet[SignalValue]:
    """Return the values of a signal, the newest day first."""
    return SignalValue.objects.filter(signal_id=external_signal_id).order_by("-day", "-id")


def values_chart(signal: ExternalSignal) -> dict[str, Any] | None:
    """Return the newest values day by day for the line chart; None without any."""
    rows = list(values_of(signal.pk)[:SHOWN_DAYS].values_list("day", "value"))
    if not rows:
        return None
    known = dict(rows)
    first, last = rows[-1][0], rows[0][0]
    days = [first + timedelta(days=step) for step in range(min((last - first).days, 800) + 1)]
    blank = 0.0 if signal.kind == SignalKind.PROMOTION else None
    values = [known.get(day, blank) for day in days]
    line = {"label": signal.name, "values": values, "tone": "accent"}
    return {"labels": days, "series": [line], "unit": ""}


_EVENTS = f"""
    SELECT event->>'name', count(*), sum((event->>'units')::float8)
    FROM {ForecastExplanation._meta.db_table} e
    CROSS JOIN LATERAL jsonb_array_elements(e.content->'events') AS event
    WHERE e.tenant_id = %s AND e.run_id = %s
    GROUP BY 1
"""  # noqa: S608  the name of our own table


def effects() -> dict[str, Effect]:
    """Return what each signal does, by its name: from the network in use and the explanations."""
    network = network_in_use() or newest_network()
    increase: dict[str, float] = {}
    for row in network.importance if network else ():
        name = str(row["feature"]).removeprefix("signal:")
        if name != row["feature"]:
            increase[name] = max(increase.get(name, -1.0), float(row["increase"]))
    run = latest_run()
    events: dict[str, tuple[int, float]] = {}
    if run is not None:
        with connection.cursor() as cursor:
            cursor.execute(_EVENTS, [active_tenant_id(), run.pk])
            events = {name: (count, units) for name, count, units in cursor.fetchall()}
    return {
        name: Effect(increase.get(name), *events.get(name, (0, 0.0)))
        for name in {*increase, *events}
    }


def with_effects(
    rows: Sequence[ExternalSignal], known: dict[str, Effect]
) -> list[tuple[ExternalSignal, Effect | None]]:
    """Pair signals with what they do."""
    return [(row, known.get(row.name)) for row in rows]


def holidays_ahead() -> list[Holiday]:
    """Return the public holidays of every warehouse's country in the months ahead."""
    today = business_today()
    last = today + timedelta(days=HOLIDAYS_AHEAD_DAYS)
    fallback = active_scope().tenant.country
    places: dict[str, list[str]] = {}
    rows = Warehouse.objects.filter(is_active=True).order_by("name", "id")
    for name, country in rows.values_list("name", "country"):
        places.setdefault(country or fallback, []).append(name)
    found = [
        Holiday(day, name, country, tuple(names))
        for country, names in places.items()
        for day, name in holiday_names(country, today, last).items()
    ]
    return sorted(found, key=lambda one: (one.day, one.country, one.name))


def categories() -> list[tuple[int, str]]:
    """Return the categories to choose from."""
    return list(Category.objects.order_by("name", "id").values_list("id", "name"))


__all__ = ["HOLIDAY", "Effect", "Holiday", "SignalFilter", "effects", "get_signal", "signals"]
