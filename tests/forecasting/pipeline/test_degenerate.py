"""Degenerate series and tenants: a finite, non-negative, ordered forecast each, with its reason."""

from dataclasses import replace

import numpy as np
import pytest

from forecasting.pipeline.engine import fit
from forecasting.pipeline.series import Reason, SeriesPanel
from tests.forecasting.pipeline.test_engine import is_sound
from tests.forecasting.pipeline.worlds import TINY_ENGINE, day, make_panel, panel_of

# nothing may be computed by luck: an overflow or an invalid number is an error here
pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")
DAYS = 420
ANY = None
"""Whoever won the contest of its class serves it."""
SERVED = {Reason.CONTEST, Reason.GATE}
nan, inf = np.nan, np.inf


def series(*pieces: tuple[float, int]) -> np.ndarray:
    """Return DAYS values: NaN in front, then each (value, days)."""
    values = np.concatenate([np.full(days, value) for value, days in pieces])
    return np.concatenate([np.full(DAYS - len(values), np.nan), values])


def with_days(base: float, **days: float) -> np.ndarray:
    values = np.full(DAYS, float(base))
    for name, value in days.items():
        values[-1 if name == "last" else int(name[1:])] = value
    return values


def every(pattern: list[float]) -> np.ndarray:
    return np.resize(np.array(pattern, dtype=float), DAYS)


CASES: dict[str, tuple[np.ndarray, Reason | None]] = {
    "empty": (np.full(DAYS, nan), Reason.EMPTY),
    "one day": (series((3, 1)), Reason.TOO_SHORT),
    "one day without a sale": (series((0, 1)), Reason.ALL_ZERO),
    "a week": (every([1, 2, 3, 4, 5, 6, 7])[-7:], Reason.TOO_SHORT),
    "27 days": (every([1, 2])[-27:], Reason.TOO_SHORT),
    "28 days": (every([1, 2])[-28:], ANY),
    "all zero": (np.zeros(DAYS), Reason.ALL_ZERO),
    "constant": (np.full(DAYS, 4.0), Reason.CONSTANT),
    "constant fraction": (np.full(DAYS, 0.3), Reason.CONSTANT),
    "constant large": (np.full(DAYS, 1e8), Reason.CONSTANT),
    "huge spike": (with_days(1, d100=1e8), ANY),
    "huge spike on the last day": (with_days(1, last=1e8), ANY),
    "spike of 1e12": (with_days(1, d100=1e12), ANY),
    "always 1e12": (every([1e12, 2e12]), Reason.ABSURD),
    "1e30 among few sales": (with_days(0, d50=1e30, d90=2), Reason.ABSURD),
    "1e30": (with_days(2, d50=1e30), ANY),
    "float max": (with_days(2, d50=3e38), ANY),
    "tiny": (every([1e-6, 2e-6]), ANY),
    "denormal": (every([1e-40, 2e-40]), ANY),
    "NaN inside": (with_days(3, d50=nan, d51=nan, last=1), ANY),
    "every second NaN": (every([3, nan, 5, nan]), ANY),
    "NaN but one": (with_days(nan, d3=5), Reason.TOO_SHORT),
    "infinite day": (with_days(3, d50=inf, d51=1), ANY),
    "all infinite": (np.full(DAYS, inf), Reason.NON_FINITE),
    "minus infinity": (with_days(3, d50=-inf, d51=1), ANY),
    "negative day": (with_days(3, d50=-4, d51=1), ANY),
    "all negative": (np.full(DAYS, -1.0), Reason.NON_FINITE),
    "single sale early": (with_days(0, d1=1), Reason.DORMANT),
    "single sale on the last day": (with_days(0, last=1), ANY),
    "single large sale": (with_days(0, d300=5000), ANY),
    "alternating": (every([0, 10]), ANY),
    "alternating large": (every([0, 1e6]), ANY),
    "sales on Sundays only": (every([0, 0, 0, 0, 0, 0, 9]), ANY),
    "dead for more than a year": (np.concatenate([every([5, 3])[:20], np.zeros(DAYS - 20)]), Reason.DORMANT),
    "dead for half a year": (np.concatenate([every([5, 3])[:-182], np.zeros(182)]), Reason.DORMANT),
    "dead for a day less": (np.concatenate([every([5, 3])[:-181], np.zeros(181)]), ANY),
    "born last month": (series((0, 10), (6, 25)), ANY),
    "step up": (series((1, 398), (100, 22)), ANY),
    "step down": (series((100, 398), (1, 22)), ANY),
    "exponential growth": (np.exp(np.arange(DAYS) / 29), ANY),
    "fractions": (every([0.25, 0.5, 1.75]), ANY),
    "a gap of a year": (np.concatenate([[3, 4, 5], np.full(DAYS - 33, nan), every([2, 5])[:30]]), ANY),
    "binary": (every([0, 1, 1, 0, 1]), ANY),
}  # fmt: skip


@pytest.fixture(scope="module")
def forecast():
    rows = []
    for values, _ in CASES.values():
        rows.append(np.concatenate([np.full(DAYS - len(values), nan), values]))
    healthy = make_panel(n_series=12, n_days=DAYS)
    with np.errstate(over="ignore"):
        odd = np.array(rows).astype(np.float32)
    demand = np.concatenate([odd, healthy.demand])
    observed = ~np.isnan(demand)
    ids = (*CASES, *healthy.series_ids)
    panel = SeriesPanel(ids, day(0), demand, observed)
    return fit(panel, day(DAYS - 1), TINY_ENGINE).forecast(panel, day(DAYS - 1))


@pytest.mark.parametrize("name", CASES)
def test_a_degenerate_series_gets_a_sound_forecast_and_its_reason(forecast, name):
    row = forecast.series_ids.index(name)
    for values in (forecast.mean[row], forecast.quantiles[row]):
        assert np.isfinite(values).all()
        assert (values >= 0).all()
    assert (np.diff(forecast.quantiles[row], axis=-1) >= 0).all()
    expected = CASES[name][1]
    if expected is ANY:
        assert forecast.reason[row] in SERVED
    else:
        assert forecast.reason[row] == expected
        hardly_sold = expected is Reason.TOO_SHORT or name == "one day without a sale"
        assert forecast.method[row] == ("cold_start" if hardly_sold else "empirical_quantiles")


def test_healthy_series_beside_them_keep_a_sensible_forecast(forecast):
    healthy = make_panel(n_series=12, n_days=DAYS)
    rows = slice(len(CASES), None)
    recent = np.nanmean(healthy.demand[:, -56:], axis=1)
    ratio = forecast.mean[rows].mean(axis=1) / recent
    assert (ratio > 0.4).all()
    assert (ratio < 2.5).all()


NO_NETWORK = {Reason.NO_NETWORK}
TENANTS: dict[str, tuple[SeriesPanel, set[Reason] | None]] = {
    "no days": (panel_of(np.zeros((3, 0))), {Reason.EMPTY}),
    "no series": (panel_of(np.zeros((0, 50))), set()),
    "one series": (panel_of(make_panel().demand[2:3]), NO_NETWORK),
    "four series": (panel_of(make_panel().demand[2:6]), NO_NETWORK),
    "one day": (panel_of(np.ones((8, 1))), {Reason.TOO_SHORT}),
    "all empty": (panel_of(np.full((8, 150), nan)), {Reason.EMPTY}),
    "all zero": (panel_of(np.zeros((8, 150))), {Reason.ALL_ZERO}),
    "all constant": (panel_of(np.full((8, 150), 2.0)), {Reason.CONSTANT}),
    "identical series": (panel_of(np.tile(make_panel().demand[2], (8, 1))), ANY),
    "all absurd": (panel_of(np.full((8, 150), 1e15)), {Reason.ABSURD}),
    "all infinite": (panel_of(np.full((8, 150), inf)), {Reason.NON_FINITE}),
    "all negative": (panel_of(np.full((8, 150), -3.0)), {Reason.NON_FINITE}),
    "two months": (
        panel_of(make_panel(n_days=60).demand),
        {Reason.NO_NETWORK, Reason.TOO_SHORT},
    ),
    "one healthy among empty": (
        panel_of(np.concatenate([make_panel().demand[2:3], np.full((7, 200), nan)])),
        {Reason.NO_NETWORK, Reason.EMPTY},
    ),
    "all begin on the last day": (
        panel_of(np.concatenate([np.full((8, 149), nan), np.ones((8, 1))], axis=1)),
        {Reason.TOO_SHORT},
    ),
    "all out of stock for the last months": (
        panel_of(np.concatenate([make_panel().demand[2:, :120], np.full((10, 80), nan)], axis=1)),
        ANY,
    ),
    "never in stock": (
        replace(panel_of(np.zeros((8, 150))), observed=np.zeros((8, 150), dtype=bool)),
        {Reason.EMPTY},
    ),
    "single sales": (panel_of(np.eye(10, 150)), ANY),
    "one day a month": (
        panel_of(np.where(np.arange(200) % 30 == 0, make_panel().demand, nan)),
        {Reason.TOO_SHORT},
    ),
    "a gap of a year": (
        panel_of(
            np.concatenate([make_panel().demand, np.full((12, 365), nan), make_panel().demand], 1)
        ),
        ANY,
    ),
    "one giant among ants": (
        panel_of(make_panel().demand * np.where(np.arange(12) == 5, 1e7, 1e-3)[:, None]),
        ANY,
    ),
    "hugely different levels": (
        panel_of(make_panel().demand[2:] * 10.0 ** np.arange(-4, 6)[:, None]),
        ANY,
    ),
}


@pytest.mark.parametrize("name", TENANTS)
def test_a_degenerate_tenant_is_forecast_soundly_and_says_why(name):
    panel, reasons = TENANTS[name]
    origin = max(panel.last_day, panel.first_day)
    forecast = fit(panel, origin, TINY_ENGINE).forecast(panel, origin)
    assert forecast.mean.shape == (panel.n_series, 28)
    assert is_sound(forecast)
    assert len(forecast.reason) == panel.n_series
    if reasons is not ANY:
        assert set(forecast.reason) == reasons


def test_days_between_the_last_record_and_the_origin_are_unknown_not_zero():
    panel = make_panel()
    late = day(panel.n_days + 40)
    forecast = fit(panel, late, TINY_ENGINE).forecast(panel, late)
    assert is_sound(forecast)
    recent = np.nanmean(panel.demand[:, -56:], axis=1)
    assert (forecast.mean.mean(axis=1) > 0.3 * recent).all()


def test_an_origin_before_any_demand_is_served_as_empty():
    panel = make_panel()
    forecast = fit(panel, day(-30), TINY_ENGINE).forecast(panel, day(-30))
    assert is_sound(forecast)
    assert set(forecast.reason) == {Reason.EMPTY}
