"""Explanations as they are shown: the heat map of days and features, and the job that makes one."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Q

from forecasting.models import ForecastExplanation, SegmentForecast, SeriesForecast
from forecasting.queries.parts import Forecast
from forecasting.queries.series import SeriesKey
from inventory.models import Product, Warehouse
from inventory.queries.access import may_work_in
from tenancy.errors import NotFound
from tenancy.models import Job, JobState

KIND = "explain_forecasts"
SHADES = 5
WEEK = 7
SMALLEST_SHARE = 0.01
"""A feature that moves less than this share of the forecast on all days together is left out."""


@dataclass(frozen=True)
class Cell:
    """Units a feature brings on a day, or from that day on; shade: -5 ... 5 of the strongest."""

    day: date
    units: float
    shade: int


@dataclass(frozen=True)
class HeatRow:
    feature: str
    cells: tuple[Cell, ...]
    total: float


@dataclass(frozen=True)
class SimilarSeen:
    """A similar past period with the names of its product and warehouse; None: the very series."""

    first_day: date
    last_day: date
    distance: float
    mean: float
    followed: float
    values: list[float]
    product: Product | None
    warehouse: Warehouse | None


def key_of(forecast: Forecast) -> SeriesKey:
    """Return whose forecast it is."""
    return SeriesKey(
        forecast.product_id,
        forecast.warehouse_id,
        forecast.channel_id if isinstance(forecast, SeriesForecast) else None,
        forecast.segment_id if isinstance(forecast, SegmentForecast) else None,
    )


def find_explanation(series: Forecast) -> ForecastExplanation | None:
    """Return the explanation of a forecast; None before it was made."""
    return ForecastExplanation.objects.filter(
        run_id=series.run_id, **asdict(key_of(series))
    ).first()


def get_explanation(series: Forecast) -> ForecastExplanation:
    """Return the explanation of a forecast; raise ``NotFound``."""
    found = find_explanation(series)
    if found is None:
        raise NotFound("explanation", f"{series.product_id}/{series.warehouse_id}")
    return found


def payload_of(series: Forecast) -> dict[str, Any]:
    """Return what a job that explains this very forecast is asked."""
    key = key_of(series)
    named: list[int | None] = [key.product_id, key.warehouse_id]
    if key.channel_id or key.segment_id:
        named += [key.channel_id, key.segment_id]
    return {"run": series.run_id, "series": [named]}


def job_of(series: Forecast) -> Job | None:
    """Return the newest job that was asked to explain this very forecast."""
    payload = payload_of(series)
    return Job.objects.filter(kind=KIND, payload=payload).order_by("-id").first()


def is_open(job: Job | None) -> bool:
    """Tell whether the job still waits or runs."""
    return job is not None and job.state in JobState.open()


def forecast_days_of(content: dict[str, Any]) -> list[date]:
    """Return the days ahead that an explanation covers."""
    origin = date.fromisoformat(content["origin"])
    return [origin + timedelta(days=step + 1) for step in range(len(content["prediction"]))]


def months_of(days: list[date]) -> list[tuple[date, int]]:
    """Return the first day of each month among the days, and how many of them it has."""
    found: dict[tuple[int, int], list[date]] = {}
    for day in days:
        found.setdefault((day.year, day.month), []).append(day)
    return [(run[0], len(run)) for run in found.values()]


def heat_map(content: dict[str, Any]) -> list[HeatRow]:
    """Return the features that matter as rows over the days ahead, the strongest first."""
    days = forecast_days_of(content)
    parts = content["parts"]
    strongest = max((abs(value) for row in parts for value in row), default=0.0)
    whole = sum(abs(value) for value in content["prediction"]) + content["last_month"]
    rows = []
    for column, feature in enumerate(content["features"]):
        values = [row[column] for row in parts]
        if sum(abs(value) for value in values) <= SMALLEST_SHARE * whole:
            continue
        cells = tuple(
            Cell(day, value, _shade(value, strongest))
            for day, value in zip(days, values, strict=True)
        )
        rows.append(HeatRow(feature, cells, sum(values)))
    return sorted(rows, key=lambda row: -sum(abs(cell.units) for cell in row.cells))


def heat_weeks(rows: list[HeatRow]) -> list[HeatRow]:
    """Return a heat map in weeks from the first day ahead on: four columns fit into a hand."""
    summed = [
        [
            (row.cells[first].day, sum(cell.units for cell in row.cells[first : first + WEEK]))
            for first in range(0, len(row.cells), WEEK)
        ]
        for row in rows
    ]
    strongest = max((abs(units) for weeks in summed for _day, units in weeks), default=0.0)
    return [
        HeatRow(
            row.feature,
            tuple(Cell(day, units, _shade(units, strongest)) for day, units in weeks),
            row.total,
        )
        for row, weeks in zip(rows, summed, strict=True)
    ]


def weekly(prediction: list[float]) -> list[float]:
    """Return what is expected of each week ahead."""
    return [sum(prediction[first : first + WEEK]) for first in range(0, len(prediction), WEEK)]


def _shade(value: float, strongest: float) -> int:
    share = abs(value) / strongest if strongest else 0.0
    depth = min(int(share * SHADES + 0.5), SHADES)
    return depth if value > 0 else -depth


def similar_seen(content: dict[str, Any], series: Forecast) -> list[SimilarSeen]:
    """Return the similar periods with the names a reader knows them by: two queries at most."""
    own = key_of(series).series_id
    seen = similar_for_reader(content)
    keys = [one["series_id"].split(":") for one in seen]
    foreign = [key for key in keys if ":".join(key) != own]
    products = Product.objects.in_bulk([int(key[0]) for key in foreign]) if foreign else {}
    places = Q(pk__in=[int(key[1]) for key in foreign])
    warehouses = {row.pk: row for row in Warehouse.objects.filter(places)} if foreign else {}
    return [
        SimilarSeen(
            first_day=date.fromisoformat(one["first_day"]),
            last_day=date.fromisoformat(one["last_day"]),
            distance=one["distance"],
            mean=one["mean"],
            followed=one["followed"],
            values=one["values"],
            product=products.get(int(key[0])),
            warehouse=warehouses.get(int(key[1])),
        )
        for one, key in zip(seen, keys, strict=True)
    ]


def similar_for_reader(content: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the similar periods of the warehouses the reader works in."""
    return [one for one in content["similar"] if may_work_in([int(one["series_id"].split(":")[1])])]


def looked_back_chart(content: dict[str, Any], unit: str) -> dict[str, Any] | None:
    """Return what each past day moved, for the bar chart; None where no network looked back."""
    if not content["looked_back_from"]:
        return None
    first = date.fromisoformat(content["looked_back_from"])
    values = content["looked_back"]
    days = [first + timedelta(days=step) for step in range(len(values))]
    return {
        "labels": days,
        "series": [{"label": "", "values": values, "tone": "accent"}],
        "unit": unit,
    }
