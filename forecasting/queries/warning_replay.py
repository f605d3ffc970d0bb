"""How good the warnings besides stock-outs were: each kind against what became of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
from django.db.models import Sum

from forecasting.decisions.demand_paths import demand_forecast
from forecasting.decisions.sales_risk import SalesSpike, find_abnormal_sales
from forecasting.models import ForecastRun, RiskKind, RiskWarning
from forecasting.pipeline.series import FloatArray
from forecasting.queries.forecasts import RunArrays, read_arrays
from forecasting.queries.late_orders import late_order_figures
from forecasting.queries.series import business_today
from forecasting.queries.warning_quality import PERIOD_DAYS, KindFigures
from inventory.models import DailyDemand
from inventory.queries.access import in_allowed
from inventory.queries.demand_history import out_of_stock_days

WEEK = 7
MOST_SIMULATED = 1000
SPIKE_SHARE = 0.2
SPIKE_FACTOR = 3.0
LEAST_SPIKE_UNITS = 5.0
Pair = tuple[int, int]


def other_figures() -> list[KindFigures]:
    """Return the figures of late suppliers, excess, dead stock and abnormal sales."""
    today = business_today()
    return [
        late_order_figures(today),
        *too_much_figures(today),
        abnormal_sales_figures(today),
    ]


def too_much_figures(today: date) -> list[KindFigures]:
    """Judge excess and dead stock by what was asked for in the 13 weeks after the warning.

    Excess was right where that was less than what lay there, dead stock where it was nothing. How
    much lay too long without a warning is not kept, so recall stays open.
    """
    kinds = (RiskKind.EXCESS, RiskKind.DEAD_STOCK)
    rows = in_allowed(RiskWarning.objects.all(), "warehouse_id").filter(
        kind__in=kinds,
        first_seen_at__date__gt=today - timedelta(days=2 * PERIOD_DAYS),
        first_seen_at__date__lte=today - timedelta(days=PERIOD_DAYS),
    )
    first: dict[tuple[str, int, int], tuple[date, float]] = {}
    for kind, product, place, seen, evidence in rows.order_by("first_seen_at", "id").values_list(
        "kind", "product_id", "warehouse_id", "first_seen_at__date", "evidence"
    ):
        lay = evidence.get("position", evidence.get("on_hand", 0.0))
        first.setdefault((kind, product, place), (seen, float(lay or 0)))
    asked = _asked({product for _kind, product, _place in first}, today)
    judged: dict[str, list[bool]] = defaultdict(list)
    for (kind, product, place), (seen, lay) in first.items():
        until = seen + timedelta(days=PERIOD_DAYS)
        days = asked.get((product, place), {})
        units = float(sum(q for day, q in days.items() if seen < day <= until))
        judged[kind].append(units == 0 if kind == RiskKind.DEAD_STOCK else units < lay)
    return [KindFigures(kind, len(judged[kind]), sum(judged[kind]), None) for kind in kinds]


def _asked(products: set[int], today: date) -> dict[Pair, dict[date, Decimal]]:
    found: dict[Pair, dict[date, Decimal]] = defaultdict(dict)
    rows = (
        DailyDemand.objects.filter(
            product_id__in=products, business_day__gt=today - timedelta(days=2 * PERIOD_DAYS)
        )
        .order_by()
        .values_list("product_id", "warehouse_id", "business_day")
        .annotate(total=Sum("quantity"))
    )
    for product, place, day, total in rows:
        found[(product, place)][day] = total
    return found


def abnormal_sales_figures(today: date) -> KindFigures:
    """Put spikes into the last week's demand and see which are found by the forecast before it.

    Every fifth item (by the same draw each time) is asked for three times its expected week more.
    What is warned of without one counts as wrong, although some of it may be true.
    """
    run = (
        ForecastRun.objects.filter(origin__lt=today - timedelta(days=WEEK), horizon_days__gte=WEEK)
        .order_by("-origin", "-id")
        .first()
    )
    nothing = KindFigures(RiskKind.ABNORMAL_SALES, 0, 0, None, simulated=True)
    if run is None:
        return nothing
    arrays = _first(read_arrays(run), MOST_SIMULATED)
    if not arrays.keys:
        return nothing
    actual, seen = _week(arrays, run.origin)
    expected = arrays.mean[:, :WEEK].sum(axis=1)
    struck = np.random.default_rng(0).random(len(arrays.keys)) < SPIKE_SHARE
    spikes = np.where(struck, np.maximum(SPIKE_FACTOR * expected, LEAST_SPIKE_UNITS), 0.0)
    struck &= seen.any(axis=1)
    last_seen = WEEK - 1 - seen[:, ::-1].argmax(axis=1)
    actual[np.arange(len(actual)), last_seen] += spikes
    keys = [str(row) for row in range(len(arrays.keys))]
    found = find_abnormal_sales(
        keys,
        demand_forecast(arrays.mean[:, :WEEK], arrays.quantiles[:, :WEEK]),
        actual,
        seen,
        np.ones(len(keys)),
    )
    warned = {int(one.key) for one in found if isinstance(one, SalesSpike)}
    hits = sum(bool(struck[row]) for row in warned)
    return replace(nothing, warnings=len(warned), came_true=hits, happened=int(struck.sum()))


def _first(arrays: RunArrays, most: int) -> RunArrays:
    return replace(
        arrays,
        keys=arrays.keys[:most],
        mean=arrays.mean[:most],
        quantiles=arrays.quantiles[:most],
    )


def _week(arrays: RunArrays, origin: date) -> tuple[FloatArray, np.ndarray]:
    """Return demand of the week after the origin, and which of its days could be seen."""
    place = {(key.product_id, key.warehouse_id): row for row, key in enumerate(arrays.keys)}
    actual = np.zeros((len(arrays.keys), WEEK))
    seen = np.ones(actual.shape, dtype=bool)
    first, last = origin + timedelta(days=1), origin + timedelta(days=WEEK)
    products = {key.product_id for key in arrays.keys}
    rows = (
        DailyDemand.objects.filter(product_id__in=products, business_day__range=(first, last))
        .order_by()
        .values_list("product_id", "warehouse_id", "business_day")
        .annotate(total=Sum("quantity"))
    )
    for product, warehouse, day, total in rows:
        row = place.get((product, warehouse))
        if row is not None:
            actual[row, (day - first).days] = float(total)
    for product, warehouse, days in out_of_stock_days(first, last, product_ids=products):
        row = place.get((product, warehouse))
        for day in days if row is not None else ():
            seen[row, (day - first).days] = False
    return actual, seen
