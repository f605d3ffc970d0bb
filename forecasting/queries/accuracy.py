"""How good forecasts turned out: figures over runs, classes and horizons, and the worst series."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import connection
from django.db.models import Exists, F, FloatField, OuterRef, Q, QuerySet, Sum, Value
from django.db.models.functions import Abs, Greatest

from forecasting.models import AccuracySum, ForecastRun, SeriesForecast
from forecasting.queries.overrides import OverrideScore, overrides, score_overrides
from forecasting.queries.series import latest_origin
from inventory.models import DailyDemand
from inventory.queries.access import allowed_warehouses
from tenancy.scope import active_tenant_id

RUNS = 26
"""Figures are over so many of the newest runs that were scored."""
WORST = 25
WEEK = 7
SUMS: dict[str, Sum] = {
    **{
        name: Sum(name)
        for name in ("days", "actual", "predicted", "error", "naive_error", "pinball", "inside_80")
    },
    "week_error": Sum(Abs(F("actual") - F("predicted"))),
}


@dataclass(frozen=True)
class AccuracyFilter:
    """What is looked at; empty fields mean everything."""

    text: str = ""
    warehouse_id: int | None = None
    product_id: int | None = None
    demand_class: str = ""
    week: int | None = None


@dataclass(frozen=True)
class Figures:
    """Sums over days, and the measures that follow from them; None where nothing was sold.

    week_error: of whole weeks of a series, by the mean. Where most days sell nothing, the median of
    a day is nothing and its error says little; that of a week does.
    """

    days: int
    actual: float
    predicted: float
    error: float
    naive_error: float
    pinball: float
    inside_80: int
    week_error: float

    @property
    def wape(self) -> float | None:
        """Sum of absolute errors over demand."""
        return self.error / self.actual if self.actual else None

    @property
    def week_wape(self) -> float | None:
        """Sum of absolute errors of whole weeks over demand."""
        return self.week_error / self.actual if self.actual else None

    @property
    def naive_wape(self) -> float | None:
        return self.naive_error / self.actual if self.actual else None

    @property
    def wql(self) -> float | None:
        """Twice the pinball loss over demand."""
        return 2 * self.pinball / self.actual if self.actual else None

    @property
    def bias(self) -> float | None:
        """Too much (+) or too little (-) forecast, as a share of demand."""
        return self.predicted / self.actual - 1 if self.actual else None

    @property
    def coverage_80(self) -> float | None:
        return self.inside_80 / self.days if self.days else None

    @property
    def value_added(self) -> float | None:
        """Share of the naive forecast's error that is saved; negative: worse than naive."""
        return 1 - self.error / self.naive_error if self.naive_error else None


@dataclass(frozen=True)
class SeriesFigures:
    """The figures of one product in one warehouse."""

    product_id: int
    sku: str
    name: str
    unit: str
    warehouse_id: int
    warehouse: str
    demand_class: str
    figures: Figures


@dataclass(frozen=True)
class Accuracy:
    """Everything the page shows under one filter.

    trend: of each run the figures of one and the same week ahead, the first unless another is asked
    for. A recent run has only its first, easy weeks behind it, so whole runs do not compare.
    """

    runs: int
    total: Figures
    by_run: list[tuple[date, Figures]]
    trend: list[tuple[date, Figures]]
    by_class: list[tuple[str, Figures]]
    by_week: list[tuple[int, Figures]]
    worst: list[SeriesFigures]
    chart: dict[str, Any] | None


def read_accuracy(wanted: AccuracyFilter = AccuracyFilter()) -> Accuracy:
    """Return the figures of the newest scored runs under a filter: six queries at most."""
    runs = scored_runs()
    rows = _rows(runs, wanted)
    lines = _summed(rows, "run__origin", "run_id", "week")
    by_run = _by_run(lines)
    trend_week = wanted.week or 1
    return Accuracy(
        runs=len(by_run),
        total=_added([figures for _day, figures in by_run]),
        by_run=by_run,
        trend=_by_run([line for line in lines if line["week"] == trend_week]),
        by_class=[(line["demand_class"], _figures(line)) for line in _summed(rows, "demand_class")],
        by_week=[
            (week, _added([_figures(line) for line in lines if line["week"] == week]))
            for week in sorted({line["week"] for line in lines})
        ],
        worst=list(series_figures(wanted, runs=runs, most=WORST)),
        chart=predicted_chart(wanted),
    )


def _by_run(lines: list[dict[str, Any]]) -> list[tuple[date, Figures]]:
    """Return the figures of each run, of lines by run and week."""
    runs: dict[tuple[date, int], list[Figures]] = {
        (line["run__origin"], line["run_id"]): [] for line in lines
    }
    for line in lines:
        runs[line["run__origin"], line["run_id"]].append(_figures(line))
    return [(origin, _added(parts)) for (origin, _run), parts in runs.items()]


def planners_changes(wanted: AccuracyFilter, *, most: int) -> list[OverrideScore]:
    """Return the scores of the newest changes to what is looked at: two queries.

    Of one kind of demand: to series whose forecasts were scored as that kind. A change has no week
    ahead.
    """
    rows = overrides().filter(_narrow(wanted))
    if wanted.demand_class:
        of_kind = AccuracySum.objects.filter(
            product_id=OuterRef("product_id"),
            warehouse_id=OuterRef("warehouse_id"),
            demand_class=wanted.demand_class,
        )
        rows = rows.filter(Exists(of_kind.order_by()))
    return score_overrides(list(rows[:most]))


def scored_runs() -> list[int]:
    """Return the ids of the newest runs that were scored."""
    ids = AccuracySum.objects.order_by("-run_id").values_list("run_id", flat=True).distinct()
    return list(ids[:RUNS])


def _rows(runs: list[int], wanted: AccuracyFilter) -> QuerySet[AccuracySum]:
    rows = AccuracySum.objects.filter(run_id__in=runs).filter(_narrow(wanted))
    if wanted.demand_class:
        rows = rows.filter(demand_class=wanted.demand_class)
    return rows.filter(week=wanted.week) if wanted.week else rows


def _narrow(wanted: AccuracyFilter) -> Q:
    found = Q()
    allowed = allowed_warehouses()
    if allowed is not None:
        found &= Q(warehouse_id__in=allowed)
    if wanted.text:
        found &= Q(product__sku__istartswith=wanted.text) | Q(product__name__icontains=wanted.text)
    if wanted.warehouse_id is not None:
        found &= Q(warehouse_id=wanted.warehouse_id)
    if wanted.product_id is not None:
        found &= Q(product_id=wanted.product_id)
    return found


def _summed(rows: QuerySet[AccuracySum], *keys: str) -> list[dict[str, Any]]:
    return list(rows.order_by(*keys).values(*keys).annotate(**_renamed(SUMS)))


def _renamed(sums: dict[str, Any]) -> dict[str, Any]:
    return {f"{name}_sum": found for name, found in sums.items()}


def _figures(line: dict[str, Any]) -> Figures:
    return Figures(**{name: line[f"{name}_sum"] for name in SUMS})


def _added(parts: list[Figures]) -> Figures:
    return Figures(**{name: sum(getattr(part, name) for part in parts) for name in SUMS})


def series_figures(
    wanted: AccuracyFilter, *, runs: list[int] | None = None, most: int | None = None
) -> Iterator[SeriesFigures]:
    """Yield the figures of every product and warehouse, the largest error beyond naive first."""
    keys = (
        "product_id", "product__sku", "product__name", "product__base_unit", "warehouse_id",
        "warehouse__name",
    )  # fmt: skip
    rows = _rows(scored_runs() if runs is None else runs, wanted).order_by()
    lines = rows.values(*keys).annotate(
        **_renamed(SUMS),
        excess=Greatest(
            F("error_sum") - F("naive_error_sum"), Value(0.0), output_field=FloatField()
        ),
    )
    ordered = lines.order_by("-excess", "-error_sum", "product_id", "warehouse_id")
    for line in ordered[:most] if most else ordered.iterator(chunk_size=2000):
        yield SeriesFigures(
            product_id=line["product_id"],
            sku=line["product__sku"],
            name=line["product__name"],
            unit=line["product__base_unit"],
            warehouse_id=line["warehouse_id"],
            warehouse=line["warehouse__name"],
            demand_class=wanted.demand_class,
            figures=_figures(line),
        )


_CHART = f"""
    SELECT m.step::int, sum(m.mean), sum(coalesce(a.units, 0))
    FROM {SeriesForecast._meta.db_table} f
    JOIN LATERAL unnest(f.mean) WITH ORDINALITY AS m (mean, step)
        ON m.step BETWEEN %(first)s AND %(days)s
    LEFT JOIN (
        SELECT product_id, warehouse_id, business_day - %(origin)s::date AS step,
               sum(quantity)::float8 AS units
        FROM {DailyDemand._meta.db_table}
        WHERE tenant_id = %(tenant)s
            AND business_day BETWEEN %(origin)s::date + %(first)s AND %(origin)s::date + %(days)s
        GROUP BY 1, 2, 3
    ) a ON a.product_id = f.product_id AND a.warehouse_id = f.warehouse_id AND a.step = m.step
    WHERE f.tenant_id = %(tenant)s AND f.id = ANY(%(ids)s)
    GROUP BY 1 ORDER BY 1
"""  # noqa: S608  names of our own tables


def predicted_chart(wanted: AccuracyFilter) -> dict[str, Any] | None:
    """Return demand beside what was predicted by the run with the most days passed, day by day.

    Of the days of one week ahead, where one is asked for.
    """
    known = latest_origin()
    if known is None:
        return None
    stored = SeriesForecast.objects.order_by().values("run_id").distinct()
    run = (
        ForecastRun.objects.filter(pk__in=stored, origin__lte=known - timedelta(days=7))
        .order_by("origin", "-id")
        .first()
    )
    if run is None:
        return None
    series = SeriesForecast.objects.filter(run=run, channel=None).filter(_narrow(wanted))
    if wanted.demand_class:
        series = series.filter(demand_class=wanted.demand_class)
    passed = min((known - run.origin).days, run.horizon_days)
    first, days = 1, passed
    if wanted.week:
        first, days = WEEK * (wanted.week - 1) + 1, min(WEEK * wanted.week, passed)
    found_ids = list(series.order_by().values_list("id", "product__base_unit"))
    units = {unit for _pk, unit in found_ids}
    with connection.cursor() as cursor:
        cursor.execute(
            _CHART,
            {
                "tenant": active_tenant_id(),
                "origin": run.origin,
                "first": first,
                "days": days,
                "ids": [pk for pk, _unit in found_ids],
            },
        )
        found = cursor.fetchall()
    if not found:
        return None
    return {
        "origin": run.origin,
        "unit": units.pop() if len(units) == 1 else "",
        "labels": [run.origin + timedelta(days=step) for step, _mean, _units in found],
        "predicted": [mean for _step, mean, _units in found],
        "actual": [units for _step, _mean, units in found],
    }
