"""Small makers of decision inputs, so that each example shows only what it is about."""

from dataclasses import replace

import numpy as np

from forecasting.decisions.demand_paths import DemandForecast, demand_forecast
from forecasting.decisions.lead_time_demand import LEVELS, ItemDemand
from forecasting.decisions.lead_times import LeadTimes
from forecasting.decisions.reorder_inputs import (
    ReorderInputs,
    ReorderPolicy,
    StockPosition,
    SupplyTerms,
)


def uniform_demand(low: float, high: float, **changes: float) -> ItemDemand:
    """Demand spread evenly between two numbers over 21 days, 14 of them lead time."""
    mean = (low + high) / 2
    demand = ItemDemand(
        values=tuple(float(v) for v in low + (high - low) * LEVELS),
        mean=mean,
        lead_time_demand=mean * 14 / 21,
        mean_daily=mean / 21,
        lead_time_days=14.0,
        protection_days=21.0,
        beyond_horizon=False,
    )
    return replace(demand, **changes)


def inputs(**changes: object) -> ReorderInputs:
    """A product with 60 there, a demand of 0 to 200 to cover, and 90 % wanted."""
    given = {
        "key": "P-1",
        "position": StockPosition(on_hand=60),
        "policy": ReorderPolicy(service_level=0.9),
        "terms": SupplyTerms(unit_price=10),
        "demand": uniform_demand(0, 200),
    }
    return ReorderInputs(**{**given, **changes})  # type: ignore[arg-type]


def steady_forecast(
    levels: list[float], horizon: int = 28, correlation: float = 0.0
) -> DemandForecast:
    """The same certain demand every day: every quantile is the mean."""
    mean = np.repeat(np.array(levels, dtype=float)[:, None], horizon, axis=1)
    return demand_forecast(
        mean, np.repeat(mean[..., None], 19, axis=2), np.full(len(levels), correlation)
    )


def fixed_lead_times(days: list[float]) -> LeadTimes:
    """Lead times that never vary; a fraction of a day is split between its neighbours."""
    columns = np.arange(int(np.ceil(max(days))) + 1)
    return LeadTimes(np.maximum(1 - np.abs(np.array(days)[:, None] - columns), 0.0))
