"""Simple methods every network must beat, for all series at once (loops run over days only).

Each takes demand [S, T] (NaN or anything where there is no day), observed [S, T], the horizon and
the weekday of the first column (0 = Monday), and returns means and ordered, finite, non-negative
quantiles at QUANTILES. Unobserved days, negative and non-finite values are left out everywhere.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.pipeline.series import QUANTILES, BoolArray, FloatArray

WEEK = 7
RECENT_DAYS = 91
WEEKDAY_WEEKS = 26
AVERAGE_DAYS = 28
TREND_DAYS = 364
CROSTON_ALPHA = 0.1
TSB_ALPHA, TSB_BETA = 0.1, 0.05
ALPHAS = (0.02, 0.05, 0.1, 0.2, 0.4)
LARGEST = 1e12
"""Larger demand is not demand; sums and squares of this stay finite."""


@dataclass(frozen=True)
class BaselineForecast:
    """mean: [S, H]; quantiles: [S, H, 19] at QUANTILES."""

    mean: FloatArray
    quantiles: FloatArray


@dataclass(frozen=True)
class _History:
    """Cleaned input: values are zero where not known."""

    values: FloatArray
    known: BoolArray
    horizon: int
    first_weekday: int

    @property
    def n_series(self) -> int:
        return int(self.values.shape[0])

    @property
    def n_days(self) -> int:
        return int(self.values.shape[1])

    @property
    def weekdays(self) -> NDArray[np.intp]:
        """Weekday of every past column: [T]."""
        return (np.arange(self.n_days) + self.first_weekday) % WEEK

    @property
    def weekdays_ahead(self) -> NDArray[np.intp]:
        """Weekday of every day ahead: [H]."""
        return (self.n_days + np.arange(self.horizon) + self.first_weekday) % WEEK


def _history(demand: FloatArray, observed: BoolArray, horizon: int, first_weekday: int) -> _History:
    values = np.asarray(demand, dtype=float)
    known = observed & np.isfinite(values)
    known &= np.where(known, values, -1.0) >= 0
    return _History(
        np.where(known, np.minimum(np.where(known, values, 0.0), LARGEST), 0.0),
        known,
        horizon,
        first_weekday,
    )


def _last_known(values: FloatArray, known: BoolArray, count: int) -> FloatArray:
    """Return the last `count` known values of each row in time order, NaN first: [S, count]."""
    order = np.argsort(known, axis=1, kind="stable")[:, -count:]
    taken = np.take_along_axis(np.where(known, values, np.nan), order, axis=1)
    missing = count - taken.shape[1]
    return np.pad(taken, ((0, 0), (missing, 0)), constant_values=np.nan) if missing > 0 else taken


def _mean_of(sample: FloatArray) -> FloatArray:
    """Mean of what is not NaN, zero where nothing is: [..., N] -> [...]."""
    count = np.isfinite(sample).sum(axis=-1)
    mean: FloatArray = np.nansum(sample, axis=-1) / np.maximum(count, 1)
    return mean


def _quantiles_of(sample: FloatArray) -> FloatArray:
    """Empirical quantiles, as order statistics: whole demand stays whole. [..., N] -> [..., 19]."""
    ordered = np.sort(sample, axis=-1)  # NaN last
    count = np.isfinite(sample).sum(axis=-1)
    position = np.ceil(QUANTILES * count[..., None] - 1e-9).astype(int) - 1
    taken = np.take_along_axis(ordered, np.maximum(position, 0), axis=-1)
    return np.nan_to_num(taken, nan=0.0)


def _spread(mean: FloatArray, quantiles: FloatArray) -> BaselineForecast:
    """Make a forecast of whatever came out: finite, ordered, not negative."""
    mean = np.clip(np.nan_to_num(mean, nan=0.0), 0.0, LARGEST)
    quantiles = np.clip(np.nan_to_num(quantiles, nan=0.0), 0.0, LARGEST)
    quantiles = np.maximum.accumulate(quantiles, axis=-1)
    return BaselineForecast(mean.astype(np.float32), quantiles.astype(np.float32))


def _flat_forecast(history: _History, mean: FloatArray, quantiles: FloatArray) -> BaselineForecast:
    """The same mean [S] and quantiles [S, 19] every day ahead."""
    shape = (history.n_series, history.horizon)
    return _spread(
        np.broadcast_to(mean[:, None], shape),
        np.broadcast_to(quantiles[:, None], (*shape, len(QUANTILES))),
    )


def _with_recent_shape(history: _History, mean: FloatArray) -> BaselineForecast:
    """A flat mean [S] with the recent days' distribution, stretched to that mean."""
    ahead = np.broadcast_to(mean[:, None], (history.n_series, history.horizon))
    return _with_stretched_shape(history, ahead)


def _with_stretched_shape(history: _History, ahead: FloatArray) -> BaselineForecast:
    """Means [S, H] with the recent days' distribution, stretched to each day's mean."""
    recent = _last_known(history.values, history.known, RECENT_DAYS)
    level = _mean_of(recent)[:, None]
    stretch = np.clip(ahead / np.where(level > 0, level, 1.0), 0.25, 4.0)
    return _spread(ahead, _quantiles_of(recent)[:, None] * stretch[:, :, None])


def seasonal_naive(
    demand: FloatArray, observed: BoolArray, horizon: int, first_weekday: int = 0
) -> BaselineForecast:
    """Repeat the last observed value of each weekday; spread of the changes from week to week."""
    history = _history(demand, observed, horizon, first_weekday)
    last = np.zeros((history.n_series, WEEK))
    for weekday in range(WEEK):
        of_day = history.weekdays == weekday
        latest = _last_known(history.values[:, of_day], history.known[:, of_day], 1)
        last[:, weekday] = np.nan_to_num(latest[:, 0], nan=0.0) if latest.size else 0.0
    both = history.known[:, WEEK:] & history.known[:, :-WEEK]
    changes = _last_known(history.values[:, WEEK:] - history.values[:, :-WEEK], both, RECENT_DAYS)
    ahead = last[:, history.weekdays_ahead]
    return _spread(ahead, ahead[:, :, None] + _quantiles_of(changes)[:, None, :])


def moving_average(
    demand: FloatArray, observed: BoolArray, horizon: int, first_weekday: int = 0
) -> BaselineForecast:
    """Forecast the mean of the last 28 observed days, spread like the last 91."""
    history = _history(demand, observed, horizon, first_weekday)
    return _with_recent_shape(
        history, _mean_of(_last_known(history.values, history.known, AVERAGE_DAYS))
    )


def empirical_quantiles(
    demand: FloatArray, observed: BoolArray, horizon: int, first_weekday: int = 0
) -> BaselineForecast:
    """Forecast the distribution of the last 91 observed days; the mean is that of the last 28."""
    history = _history(demand, observed, horizon, first_weekday)
    recent = _last_known(history.values, history.known, RECENT_DAYS)
    return _flat_forecast(history, _mean_of(recent[:, -AVERAGE_DAYS:]), _quantiles_of(recent))


def empirical_weekday(
    demand: FloatArray, observed: BoolArray, horizon: int, first_weekday: int = 0
) -> BaselineForecast:
    """Forecast the distribution of each weekday's last 26 observed days.

    A weekday seen fewer than 4 times takes the distribution of all recent days.
    """
    history = _history(demand, observed, horizon, first_weekday)
    recent = _last_known(history.values, history.known, RECENT_DAYS)
    mean = np.repeat(_mean_of(recent)[:, None], WEEK, axis=1)
    quantiles = np.repeat(_quantiles_of(recent)[:, None], WEEK, axis=1)
    for weekday in range(WEEK):
        of_day = history.weekdays == weekday
        sample = _last_known(history.values[:, of_day], history.known[:, of_day], WEEKDAY_WEEKS)
        enough = np.isfinite(sample).sum(axis=1) >= 4
        mean[enough, weekday] = _mean_of(sample[enough])
        quantiles[enough, weekday] = _quantiles_of(sample[enough])
    ahead = history.weekdays_ahead
    return _spread(mean[:, ahead], quantiles[:, ahead])


def croston(
    demand: FloatArray, observed: BoolArray, horizon: int, first_weekday: int = 0
) -> BaselineForecast:
    """Smooth demand sizes and intervals apart and forecast their ratio (Croston, 1972)."""
    history = _history(demand, observed, horizon, first_weekday)
    return _with_recent_shape(history, _croston_rate(history))


def sba(
    demand: FloatArray, observed: BoolArray, horizon: int, first_weekday: int = 0
) -> BaselineForecast:
    """Forecast like Croston, without its bias: times 1 - alpha / 2 (Syntetos and Boylan, 2005)."""
    history = _history(demand, observed, horizon, first_weekday)
    return _with_recent_shape(history, _croston_rate(history) * (1 - CROSTON_ALPHA / 2))


def _croston_rate(history: _History) -> FloatArray:
    size = np.zeros(history.n_series)
    interval = np.zeros(history.n_series)
    waited = np.zeros(history.n_series)
    days, known = history.values.T.copy(), history.known.T.copy()
    for value, seen in zip(days, known, strict=True):
        waited += seen
        sold = value > 0
        first = sold & (size == 0)
        size += sold * np.where(first, 1.0, CROSTON_ALPHA) * (value - size)
        interval += sold * np.where(first, 1.0, CROSTON_ALPHA) * (waited - interval)
        waited[sold] = 0
    rate: FloatArray = size / np.maximum(interval, 1.0)
    return rate


def tsb(
    demand: FloatArray, observed: BoolArray, horizon: int, first_weekday: int = 0
) -> BaselineForecast:
    """Smooth the size and the chance of a sale apart (Teunter, Syntetos and Babai, 2011)."""
    history = _history(demand, observed, horizon, first_weekday)
    sold_days = (history.values > 0).sum(axis=1)
    chance = sold_days / np.maximum(history.known.sum(axis=1), 1)
    size = history.values.sum(axis=1) / np.maximum(sold_days, 1)
    days, known = history.values.T.copy(), history.known.T.copy()
    for value, seen in zip(days, known, strict=True):
        sold = value > 0
        size += sold * TSB_ALPHA * (value - size)
        chance += seen * TSB_BETA * (sold - chance)
    return _with_recent_shape(history, size * chance)


def exponential_smoothing(
    demand: FloatArray, observed: BoolArray, horizon: int, first_weekday: int = 0
) -> BaselineForecast:
    """Smooth the level under weekday factors, with the best of five speeds per series."""
    history = _history(demand, observed, horizon, first_weekday)
    factors = _weekday_factors(history)
    level, _ = _smooth(history, factors)
    return _with_stretched_shape(history, level[:, None] * factors[:, history.weekdays_ahead])


def theta(
    demand: FloatArray, observed: BoolArray, horizon: int, first_weekday: int = 0
) -> BaselineForecast:
    """Smooth the level and add half of the linear trend, under weekday factors.

    Hyndman and Billah (2003): the Theta method is smoothing with drift b / 2 per day, b the slope
    of the regression on time (here of the last 364 days).
    """
    history = _history(demand, observed, horizon, first_weekday)
    factors = _weekday_factors(history)
    level, alpha = _smooth(history, factors)
    drift = _slope(history)[:, None] / 2
    days = np.arange(horizon)[None, :] + 1 / alpha[:, None]
    # a trend may halve or double the level within the horizon, not more
    trended = np.clip(level[:, None] + drift * days, level[:, None] / 2, level[:, None] * 2)
    return _with_stretched_shape(history, trended * factors[:, history.weekdays_ahead])


def _weekday_factors(history: _History) -> FloatArray:
    """Mean of each weekday over the mean of all, of the last year, shrunk by four days: [S, 7]."""
    values, known = history.values[:, -TREND_DAYS:], history.known[:, -TREND_DAYS:]
    weekdays = history.weekdays[-TREND_DAYS:]
    overall = values.sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    factors = np.ones((history.n_series, WEEK))
    for weekday in range(WEEK):
        of_day = weekdays == weekday
        total, count = values[:, of_day].sum(axis=1), known[:, of_day].sum(axis=1)
        shrunk = (total + 4 * overall) / (count + 4)
        factors[:, weekday] = np.where(overall > 0, shrunk / np.maximum(overall, 1e-12), 1.0)
    normal: FloatArray = factors / factors.mean(axis=1, keepdims=True)
    return normal


def _smooth(history: _History, factors: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return last level [S] and speed [S] of the best smoothing per series.

    The level follows the error in units of demand, so that a weekday of almost no sales does not
    shake it; the error of the last year chooses the speed.
    """
    days, known = history.values.T.copy(), history.known.T.copy()
    by_day = factors[:, history.weekdays].T.copy()
    start = _mean_of(_first_known(history))
    best = np.full(history.n_series, np.inf)
    level, alpha = start.copy(), np.full(history.n_series, ALPHAS[0])
    for speed in ALPHAS:
        current, error = start.copy(), np.zeros(history.n_series)
        for day, (value, seen, factor) in enumerate(zip(days, known, by_day, strict=True)):
            miss = np.where(seen, value - current * factor, 0.0)
            current = np.maximum(current + speed * factor * miss, 0.0)
            if day >= len(days) - TREND_DAYS:
                error += miss**2
        better = error < best
        best, level = np.where(better, error, best), np.where(better, current, level)
        alpha = np.where(better, speed, alpha)
    return level, alpha


def _first_known(history: _History) -> FloatArray:
    """The first 28 known values: [S, 28]."""
    return _last_known(history.values[:, ::-1], history.known[:, ::-1], AVERAGE_DAYS)


def _slope(history: _History) -> FloatArray:
    """Change per day by least squares over the known days of the last year: [S]."""
    values, known = history.values[:, -TREND_DAYS:], history.known[:, -TREND_DAYS:]
    count = np.maximum(known.sum(axis=1), 1)
    days = np.arange(values.shape[1])
    centre = (known * days).sum(axis=1) / count
    away = np.where(known, days - centre[:, None], 0.0)
    level = values.sum(axis=1) / count
    slope: FloatArray = (away * (values - level[:, None])).sum(axis=1) / np.maximum(
        (away**2).sum(axis=1), 1.0
    )
    return slope


BASELINES: dict[str, Callable[..., BaselineForecast]] = {
    "seasonal_naive": seasonal_naive,
    "moving_average": moving_average,
    "empirical_quantiles": empirical_quantiles,
    "empirical_weekday": empirical_weekday,
    "croston": croston,
    "sba": sba,
    "tsb": tsb,
    "exponential_smoothing": exponential_smoothing,
    "theta": theta,
}
"""Every baseline by the name it has in league tables and stored forecasts."""
