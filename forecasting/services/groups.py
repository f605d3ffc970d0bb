"""Forecasts of groups, made with every run: all products, each warehouse, each category."""

from __future__ import annotations

import numpy as np

from forecasting.decisions.aggregation import add_up, togetherness
from forecasting.decisions.demand_paths import demand_forecast
from forecasting.models import ForecastRun, GroupForecast
from forecasting.pipeline.series import FloatArray
from forecasting.queries.series import DemandPanel
from inventory.models import Product

Group = tuple[int | None, int | None]
"""Category and warehouse, by id; neither: everything."""


def group_forecasts(
    demand: DemandPanel, mean: FloatArray, quantiles: FloatArray
) -> list[GroupForecast]:
    """Return the forecasts of the groups, not yet stored: mean [S, H], quantiles [S, H, Q].

    Call inside the tenant's scope.
    """
    if not len(mean):
        return []
    members = _members(demand)
    together = togetherness(demand.panel.demand, demand.panel.observed)
    forecast = demand_forecast(mean, quantiles, together.own)
    rows = [np.array(found, dtype=np.intp) for found in members.values()]
    found = add_up(forecast, rows, together)
    return [
        GroupForecast(
            category_id=category,
            warehouse_id=warehouse,
            series_count=len(rows[place]),
            mean=np.round(found.mean[place], 4).tolist(),
            quantile_values=np.round(found.quantiles[place], 4).reshape(-1).tolist(),
            total_mean=float(found.mean[place].sum()),
            total_quantiles=np.round(found.totals[place], 4).tolist(),
        )
        for place, (category, warehouse) in enumerate(members)
    ]


def _members(demand: DemandPanel) -> dict[Group, list[int]]:
    ids = {key.product_id for key in demand.keys}
    categories = dict(
        Product.objects.filter(pk__in=ids).order_by().values_list("id", "category_id")
    )
    found: dict[Group, list[int]] = {(None, None): list(range(len(demand.keys)))}
    for row, key in enumerate(demand.keys):
        found.setdefault((None, key.warehouse_id), []).append(row)
        category = categories.get(key.product_id)
        if category is not None:
            found.setdefault((category, None), []).append(row)
    return found


def store_groups(stored: ForecastRun, groups: list[GroupForecast]) -> None:
    """Store the forecasts of the groups with their run."""
    for group in groups:
        group.run = stored
    GroupForecast.objects.bulk_create(groups, batch_size=200)
