"""Replay of past origins: what each method would have said, and what came."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from forecasting.pipeline.arrays import by_rows, row_chunks
from forecasting.pipeline.baselines import BASELINES
from forecasting.pipeline.feature_plan import FeaturePlan
from forecasting.pipeline.features import FeatureStore
from forecasting.pipeline.judging import Holdout
from forecasting.pipeline.metrics import demand_class, history_scales, mean_pinball
from forecasting.pipeline.networks import ForecastNetwork
from forecasting.pipeline.predict import (
    Prediction,
    blend,
    last_blocks,
    predict_blocks,
    predict_with,
    present,
    whole_units,
)
from forecasting.pipeline.series import QUANTILES, BoolArray, FloatArray, SeriesPanel
from forecasting.pipeline.training import TrainedNetwork, TrainingConfig

VALIDATED = 1000
"""So many series tell after every epoch whether a training is still getting better."""


@dataclass(frozen=True)
class Member:
    """A trained network and the method it serves under."""

    method: str
    network: TrainedNetwork


def store_to_forecast(known: SeriesPanel, plan: FeaturePlan, reading_days: int) -> FeatureStore:
    """Return the store of the days that decide a forecast after the panel's last day."""
    return FeatureStore(known.last_days(plan.days_to_read + reading_days), plan)


def run_networks(members: Sequence[Member], store: FeatureStore) -> dict[str, Prediction]:
    """Forecast after the store's last day: one prediction per method, by its members' average."""
    made: dict[str, list[Prediction]] = {member.method: [] for member in members}
    for length in sorted({member.network.config.reading_days for member in members}):
        alike = [m for m in members if m.network.config.reading_days == length]
        predictions = predict_with([m.network.build() for m in alike], store, length)
        for member, prediction in zip(alike, predictions, strict=True):
            made[member.method].append(prediction)
    return {
        method: (
            np.mean([mean for mean, _ in parts], axis=0),
            blend([quantiles for _, quantiles in parts], np.ones(len(parts))),
        )
        for method, parts in made.items()
    }


def run_baseline(name: str, known: SeriesPanel, horizon: int) -> Prediction:
    """Forecast after the panel's last day with a baseline: [S, H], [S, H, Q]."""
    method, weekday = BASELINES[name], known.first_day.weekday()
    mean = np.zeros((known.n_series, horizon), dtype=np.float32)
    quantiles = np.zeros((*mean.shape, len(QUANTILES)), dtype=np.float32)
    for rows in row_chunks(known.n_series, known.n_days):
        made = method(known.demand[rows], known.observed[rows], horizon, weekday)
        mean[rows], quantiles[rows] = made.mean, made.quantiles
    return mean, quantiles


def stores_at(
    panel: SeriesPanel, origins: list[date], plan: FeaturePlan, reading_days: int
) -> list[FeatureStore]:
    """Return the stores that forecast after each origin, as they were then."""
    return [
        store_to_forecast(panel.up_to(day, plan.horizon), plan, reading_days) for day in origins
    ]


def make_holdout(panel: SeriesPanel, origins: list[date], horizon: int) -> Holdout:
    """Return what came in the days after each origin; days after the panel's last are unseen."""
    actual, seen, scales = [], [], []
    for day in origins:
        known = panel.up_to(day, horizon)
        after = slice(known.n_days, known.n_days + horizon)
        visible = panel.observed[:, after] & np.isfinite(panel.demand[:, after])
        came = np.where(visible, panel.demand[:, after], 0).astype(np.float64)
        to_come = ((0, 0), (0, horizon - visible.shape[1]))
        actual.append(np.pad(came, to_come))
        seen.append(np.pad(visible, to_come))
        scales.append(by_rows(_scales, np.float64, known.demand, known.observed))
    first = panel.up_to(origins[0])
    step, square, season, volume = np.moveaxis(np.stack(scales), -1, 0)
    return Holdout(
        actual=np.stack(actual),
        seen=np.stack(seen),
        scale=step,
        square_scale=square,
        season_scale=season,
        volume=volume,
        demand_class=np.asarray(demand_class(first.demand, first.observed)),
        whole=whole_units(first.demand, first.observed),
    )


def _scales(demand: FloatArray, observed: BoolArray) -> FloatArray:
    """Return the scales of a contest, 0 where there is none, and recent units: [S, 4]."""
    found = history_scales(demand, observed)
    steps = found.abs_step, found.sq_step, found.abs_season, found.recent
    return np.asarray(np.nan_to_num(np.stack(steps, axis=1)))


def validator(
    holdout: Holdout, stores: list[FeatureStore], config: TrainingConfig
) -> Callable[[ForecastNetwork], float]:
    """Return the score by which a training is stopped: SPL, half by series and half by volume.

    At most VALIDATED series are looked at, evenly spread; what they read is made ready once.
    """
    count = len(holdout.whole)
    rows = np.arange(0, count, -(-count // VALIDATED))
    actual, seen, scale = (a[:, rows] for a in (holdout.actual, holdout.seen, holdout.scale))
    fine = (scale > 0) & seen.any(axis=2)
    volume = np.where(fine, holdout.volume[:, rows], 0)
    share = volume / np.maximum(volume.sum(axis=1, keepdims=True), 1e-9)
    equal = fine / np.maximum(fine.sum(axis=1, keepdims=True), 1)
    weight = (0.5 * share + 0.5 * equal) / np.maximum(scale, 1e-9)
    days = np.maximum(seen.sum(axis=2), 1)
    read = [list(last_blocks(store, config.reading_days, rows)) for store in stores]

    def score(network: ForecastNetwork) -> float:
        total = 0.0
        for index, blocks in enumerate(read):
            ((mean, quantiles),) = predict_blocks([network], blocks)
            _, quantiles = present(mean, quantiles, holdout.whole[rows])
            loss = mean_pinball(actual[index], quantiles) * seen[index]
            total += float((loss.sum(axis=1) / days[index] * weight[index]).sum())
        return total / len(stores)

    return score
