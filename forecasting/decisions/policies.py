"""Policies to replay in benchmarks: ours on forecasts, the textbook's, min-max, foresight."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from forecasting.decisions.demand_paths import DemandForecast
from forecasting.decisions.lead_times import LeadTimes
from forecasting.decisions.projected_need import Supply, projected_need
from forecasting.decisions.safety_stock import normal_safety_stock
from forecasting.decisions.simulation import StockState, World, order_up_to_need
from forecasting.pipeline.series import FloatArray


class ProjectedNeedPolicy:
    """Ours: the quantile of the need that only this order can serve, from a forecast per review.

    probability: one, or one per item, the newsvendor's ratio of each.
    """

    def __init__(
        self,
        forecast_at: Callable[[int], DemandForecast],
        lead_times: LeadTimes,
        probability: FloatArray | float,
    ) -> None:
        self._forecast_at = forecast_at
        self._lead_times = lead_times
        self._probability = probability

    def need(self, world: World, day: int, state: StockState) -> FloatArray:
        """Return the quantile of the projected need, in whole units."""
        supply = Supply(state.on_hand, state.open_orders, self._lead_times)
        projected = projected_need(self._forecast_at(day), supply, world.review_period_days)
        need: FloatArray = np.ceil(projected.quantile(self._probability) - 1e-6)
        return need


@dataclass(frozen=True)
class TextbookLevels:
    """Reorder point with a normal safety stock, mean and deviation of the last days of demand."""

    lead_times: LeadTimes
    service_level: float
    window_days: int = 91

    def need(self, world: World, day: int, state: StockState) -> FloatArray:
        """Return what raises the position to mean demand plus safety stock."""
        recent = _window(world, day, self.window_days)
        mean, deviation = np.nan_to_num(np.nanmean(recent, axis=1)), np.nanstd(recent, axis=1)
        protection = self.lead_times.mean_days + world.review_period_days
        safety = normal_safety_stock(
            np.nan_to_num(deviation),
            mean,
            protection,
            self.lead_times.deviation_days,
            self.service_level,
        )
        level = np.ceil(np.maximum(mean * protection + safety, 0.0) - 1e-9)
        return order_up_to_need(level, level, state.position)


@dataclass(frozen=True)
class MinMaxLevels:
    """Cover in days of mean demand: order when below the least, up to the most."""

    minimum_days: float
    maximum_days: float
    window_days: int = 91

    def need(self, world: World, day: int, state: StockState) -> FloatArray:
        """Return what raises the position to the most, once it is down to the least."""
        mean = np.nan_to_num(np.nanmean(_window(world, day, self.window_days), axis=1))
        least, most = np.ceil(mean * self.minimum_days), np.ceil(mean * self.maximum_days)
        return order_up_to_need(least, most, state.position)


@dataclass(frozen=True)
class PerfectForesight:
    """Knows all demand and lead times: orders exactly what is asked for until the next order.

    share: of that demand; below one it shows what serving less would take at best.
    """

    share: float = 1.0

    def need(self, world: World, day: int, state: StockState) -> FloatArray:
        """Return what raises the position to the true demand until the next order can be used."""
        following = min(day + world.review_period_days, world.n_days - 1)
        covered = world.review_period_days + world.lead_times[:, following]
        total = np.concatenate(
            [np.zeros((world.n_series, 1)), np.cumsum(world.demand[:, day + 1 :], axis=1)], axis=1
        )
        level = total[np.arange(world.n_series), np.minimum(covered, total.shape[1] - 1)]
        level = np.rint(level * self.share)
        return order_up_to_need(level, level, state.position)


def _window(world: World, day: int, days: int) -> FloatArray:
    return world.demand[:, max(day + 1 - days, 0) : day + 1]
