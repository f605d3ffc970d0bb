"""Forecasts of channels and segments, made to add up to the forecast of all of them together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from forecasting.models import ForecastRun, SegmentForecast
from forecasting.pipeline.parts import recent_shares, reconcile
from forecasting.pipeline.series import FloatArray
from forecasting.queries.series import DemandPanel, SeriesKey


class Total(Protocol):
    """The forecast of all parts together: keys [S], mean [S, H]."""

    @property
    def keys(self) -> tuple[SeriesKey, ...]: ...
    @property
    def mean(self) -> FloatArray: ...


def split(
    keys: Sequence[SeriesKey],
    forecast: tuple[FloatArray, FloatArray],
    demand: DemandPanel,
    total: Total,
) -> dict[str, Any]:
    """Return mean and quantiles of parts whose means add up to the total, day by day, exactly."""
    owner = owners(keys, total.keys)
    shares = recent_shares(demand.panel.demand, owner)
    mean, quantiles = reconcile(forecast[0], forecast[1], owner, total.mean, shares)
    return {"mean": mean, "quantiles": quantiles}


def owners(keys: Sequence[SeriesKey], of: Sequence[SeriesKey]) -> NDArray[np.intp]:
    """Return the row of the series that each part belongs to: [P]; -1 for none."""
    place = {key: row for row, key in enumerate(of)}
    found = [place.get(SeriesKey(key.product_id, key.warehouse_id), -1) for key in keys]
    return np.array(found, dtype=np.intp)


def segment_forecasts(
    keys: Sequence[SeriesKey], mean: FloatArray, quantiles: FloatArray
) -> list[SegmentForecast]:
    """Return the forecasts of segments, not yet stored; demand of nobody known is left out."""
    return [
        SegmentForecast(
            product_id=key.product_id,
            warehouse_id=key.warehouse_id,
            segment_id=key.segment_id,
            mean=np.round(mean[row], 4).tolist(),
            quantile_values=np.round(quantiles[row], 4).reshape(-1).tolist(),
            total_mean=float(mean[row].sum()),
        )
        for row, key in enumerate(keys)
        if key.segment_id is not None
    ]


def store_segments(stored: ForecastRun, segments: list[SegmentForecast]) -> None:
    """Store the forecasts of segments with their run."""
    for one in segments:
        one.run = stored
    SegmentForecast.objects.bulk_create(segments, batch_size=500)
