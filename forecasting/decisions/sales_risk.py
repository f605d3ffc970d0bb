"""What sales say that the forecast did not expect: spikes, drops, and demand that fades."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forecasting.decisions.demand_paths import DemandForecast, path_chunks
from forecasting.decisions.risk import RiskFinding, RiskKind, SuggestedAction
from forecasting.pipeline.series import BoolArray, FloatArray

WEEK = 7
NORMAL_975 = 1.96


@dataclass(frozen=True)
class AbnormalSales(RiskFinding):
    """Demand of the last days lies outside what the forecast made before them allowed.

    probability: of demand as extreme as this under that forecast; low, high: its 0.005 and 0.995
    quantiles. severity: value of the demand missed or gained.
    """

    probability: float
    actual: float
    expected: float
    low: float
    high: float
    days: int
    days_seen: int


@dataclass(frozen=True)
class SalesSpike(AbnormalSales):
    """Far more was asked for than forecast."""

    kind = RiskKind.SALES_SPIKE


@dataclass(frozen=True)
class SalesDrop(AbnormalSales):
    """Far less was asked for than forecast."""

    kind = RiskKind.SALES_DROP


@dataclass(frozen=True)
class TrendDecline(RiskFinding):
    """Weekly demand falls steadily.

    change_per_week: slope of the regression in units; change_share: fall over the window relative
    to its start; t_value: slope over its error (lag-one autocorrelation accounted for); severity:
    value of the demand lost per four weeks at the end of the window compared with its start.
    """

    kind = RiskKind.TREND_DECLINE
    change_per_week: float
    change_share: float
    t_value: float
    weeks: int
    start_level: float
    end_level: float


def find_abnormal_sales(
    keys: Sequence[str],
    forecast: DemandForecast,
    actual: FloatArray,
    seen: BoolArray,
    unit_value: FloatArray,
    max_probability: float = 0.005,
) -> tuple[AbnormalSales, ...]:
    """Return items whose total demand of recent days was all but excluded by the forecast.

    forecast: made before the days judged, its first column is the first of them; actual, seen:
    [S, D] demand since, and whether it was observed (days out of stock are left out on both
    sides); unit_value: [S] money per unit.
    """
    days = int(actual.shape[1])
    counted = seen & np.isfinite(actual)
    total = np.where(counted, actual, 0.0).sum(axis=1)
    found: list[AbnormalSales] = []
    for rows, paths in path_chunks(forecast, np.full(len(keys), days)):
        daily = np.diff(paths[:, :, : days + 1], axis=2)
        sums = np.einsum("snd,sd->sn", daily, counted[rows].astype(daily.dtype))
        low, high = np.quantile(sums, [0.01, 0.99], axis=1)
        striking = counted[rows].any(axis=1) & ((total[rows] >= high) | (total[rows] <= low))
        for k in np.flatnonzero(striking):
            row = int(rows[k])
            finding = _judge(sums[k], float(total[row]), max_probability)
            if finding is None:
                continue
            cls, chance, low, high, expected = finding
            found.append(
                cls(
                    key=keys[row],
                    severity=abs(float(total[row]) - expected) * max(float(unit_value[row]), 0.0),
                    action=(
                        SuggestedAction.REVIEW_FORECAST
                        if cls is SalesSpike
                        else SuggestedAction.CHECK_RECORDS
                    ),
                    probability=chance,
                    actual=float(total[row]),
                    expected=expected,
                    low=low,
                    high=high,
                    days=days,
                    days_seen=int(counted[row].sum()),
                )
            )
    return tuple(sorted(found, key=lambda one: (-one.severity, one.key)))


def _judge(
    sums: FloatArray, total: float, max_probability: float
) -> tuple[type[AbnormalSales], float, float, float, float] | None:
    """Spike or drop, its probability, the bounds and the expectation; None where it is normal.

    Paths end at their largest value; beyond it the tail falls off exponentially.
    """
    low, high = (float(v) for v in np.quantile(sums, [0.005, 0.995]))
    upper = float(np.quantile(sums, 0.9))
    expected = float(sums.mean())
    above = float((sums >= total - 0.5).mean())
    below = float((sums <= total + 0.5).mean())
    if total > high > upper:
        above = min(above, 0.005) if above else 0.005 * math.exp(
            -(total - high) / ((high - upper) / math.log(20))
        )  # fmt: skip
    if above <= max_probability and total > expected:
        return SalesSpike, above, low, high, expected
    if below <= max_probability and total < expected:
        return SalesDrop, below, low, high, expected
    return None


def find_trend_declines(
    keys: Sequence[str],
    demand: FloatArray,
    observed: BoolArray,
    unit_value: FloatArray,
    weeks: int = 26,
    min_share: float = 0.3,
) -> tuple[TrendDecline, ...]:
    """Return items whose weekly demand fell by at least `min_share` over the window, and surely.

    demand, observed: [S, T], the last column is the last day; unit_value: [S] money per unit.
    A least-squares line through the weekly means of observed days; the slope must differ from zero
    at 2.5 % after its error is widened for autocorrelated weeks. Weeks of a yearly season look
    like a trend: with two years of data the same weeks a year before are subtracted first.
    """
    level, known = _weekly(demand, observed, weeks, 0)
    before, known_before = _weekly(demand, observed, weeks, 52)
    seasonal = known_before.sum(axis=1) == weeks
    overall = before.mean(axis=1, keepdims=True)
    shape = np.where(overall > 0, before / np.where(overall > 0, overall, 1.0), 1.0)
    # half of last year's shape: one year's season is noisy evidence
    adjusted = np.where(seasonal[:, None], level / (0.5 + 0.5 * np.clip(shape, 0.2, 5.0)), level)
    slope, start, t_value = _line(adjusted, known)
    end = start + slope * (weeks - 1)
    share = np.where(start > 0, -slope * (weeks - 1) / np.maximum(start, 1e-12), 0.0)
    enough = known.sum(axis=1) >= weeks * 0.75
    declining = enough & (share >= min_share) & (t_value <= -NORMAL_975)
    found = [
        TrendDecline(
            key=keys[row],
            severity=float((start[row] - max(end[row], 0.0)) * 4 * max(unit_value[row], 0.0)),
            action=SuggestedAction.STOP_ORDERING,
            change_per_week=float(slope[row]),
            change_share=-float(min(share[row], 1.0)),
            t_value=float(t_value[row]),
            weeks=weeks,
            start_level=float(start[row]),
            end_level=float(max(end[row], 0.0)),
        )
        for row in (int(one) for one in np.flatnonzero(declining))
    ]
    return tuple(sorted(found, key=lambda one: (-one.severity, one.key)))


def _weekly(
    demand: FloatArray, observed: BoolArray, weeks: int, weeks_back: int
) -> tuple[FloatArray, BoolArray]:
    """Demand per week scaled up to seven observed days, and whether four days or more were seen."""
    n_series, n_days = demand.shape
    stop = n_days - weeks_back * WEEK
    start = stop - weeks * WEEK
    if start < 0:
        shape = (n_series, weeks)
        return np.zeros(shape), np.zeros(shape, dtype=bool)
    part = demand[:, start:stop].reshape(n_series, weeks, WEEK)
    seen = (observed[:, start:stop] & np.isfinite(demand[:, start:stop])).reshape(part.shape)
    days = seen.sum(axis=2)
    level = np.where(seen, part, 0.0).sum(axis=2) / np.maximum(days, 1) * WEEK
    return level, days >= 4


def _line(values: FloatArray, known: BoolArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Slope, value at the first column and t value of a least-squares line per row."""
    count = np.maximum(known.sum(axis=1), 1)
    columns = np.arange(values.shape[1])
    centre = (known * columns).sum(axis=1) / count
    mean = np.where(known, values, 0.0).sum(axis=1) / count
    away = np.where(known, columns - centre[:, None], 0.0)
    spread = np.maximum((away**2).sum(axis=1), 1e-12)
    slope = (away * (values - mean[:, None])).sum(axis=1) / spread
    residual = np.where(known, values - mean[:, None] - slope[:, None] * away, 0.0)
    variance = (residual**2).sum(axis=1)
    lagged = (residual[:, 1:] * residual[:, :-1]).sum(axis=1)
    correlation = np.clip(lagged / np.maximum(variance, 1e-12), 0.0, 0.9)
    error = np.sqrt(variance / np.maximum(count - 2, 1) / spread)
    error *= np.sqrt((1 + correlation) / (1 - correlation))
    floor = 1e-9 * np.maximum(np.abs(slope), 1e-300)
    return slope, mean - slope * centre, slope / np.maximum(error, floor)
