"""Small panels and fast settings the pipeline's tests share."""

from datetime import date, timedelta

import numpy as np
from numpy.typing import ArrayLike

from forecasting.pipeline.engine import EngineConfig
from forecasting.pipeline.series import SeriesPanel, Signal
from forecasting.pipeline.training import TrainingConfig
from forecasting.pipeline.windows import WindowConfig

FIRST_DAY = date(2024, 1, 1)  # a Monday
TINY_WINDOWS = WindowConfig(context_days=14, span_days=14, emits=3, batch=8, ahead=28)
TINY = TrainingConfig(
    bins=4, hidden=6, decoder=8, windows=TINY_WINDOWS, epochs=2, learning_rate=5e-3
)
TINY_ENGINE = EngineConfig(
    training=TINY, baselines=("seasonal_naive", "empirical_quantiles"), budget_seconds=1.0
)


def make_panel(
    n_series: int = 12, n_days: int = 200, ahead: int = 28, seed: int = 0
) -> SeriesPanel:
    """Weekly pattern, different levels, a promotion known ahead and the weather, which is not."""
    rng = np.random.default_rng(seed)
    days = np.arange(n_days)
    level = rng.uniform(1, 12, n_series)[:, None]
    week = 1 + 0.5 * np.sin(2 * np.pi * days / 7)
    promotion = (np.arange(n_days + ahead) % 45 < 4).astype(np.float32)
    demand = rng.poisson(level * week * (1 + promotion[:n_days])).astype(np.float32)
    demand[0, :50] = np.nan  # begins later
    observed = np.isfinite(demand)
    observed[1, 60:66] = False  # out of stock
    weather = rng.normal(15, 5, n_days).astype(np.float32)
    return SeriesPanel(
        series_ids=tuple(f"S{k:02d}" for k in range(n_series)),
        first_day=FIRST_DAY,
        demand=demand,
        observed=observed,
        categories={"category": np.array(["food", "tools"] * (n_series // 2 + 1))[:n_series]},
        signals=(
            Signal("promotion", promotion, known_ahead=True, kind="flag"),
            Signal("weather", weather, known_ahead=False),
        ),
    )


def day(index: int) -> date:
    return FIRST_DAY + timedelta(days=index)


def panel_of(demand: ArrayLike, observed: ArrayLike | None = None) -> SeriesPanel:
    """Return a panel of these series, NaN before they begin; all of it was seen, unless said."""
    values = np.asarray(demand, dtype=np.float32)
    seen = ~np.isnan(values) if observed is None else np.asarray(observed, dtype=bool)
    return SeriesPanel(tuple(map(str, range(len(values)))), FIRST_DAY, values, seen)
