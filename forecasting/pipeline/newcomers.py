"""Who serves series that have hardly sold, and from whose demand: the way to a cold start."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from forecasting.pipeline.cold_start import (
    METHOD as COLD_START,
    ColdForecast,
    find_donors,
    forecast_cold,
)
from forecasting.pipeline.predict import present, whole_units
from forecasting.pipeline.series import Reason, SeriesPanel
from forecasting.pipeline.triage import hardly_sold, sanitise, trusted

__all__ = ["COLD_START", "serve_newcomers"]


def serve_newcomers(
    everyone: SeriesPanel, reasons: Sequence[Reason | None], horizon: int
) -> tuple[NDArray[np.intp], ColdForecast | None]:
    """Forecast what has hardly sold like similar products: which rows [N], and their forecasts.

    everyone: cut at the origin, [S]; reasons: why no network serves each, [S]. None where there is
    nobody to compare with.
    """
    cold = np.flatnonzero(hardly_sold(everyone, reasons))
    if not len(cold):
        return cold, None
    known, _spoiled = sanitise(everyone)
    donors = find_donors(known, trusted(reasons))
    if donors is None:
        return cold[:0], None
    found = forecast_cold(known, cold, donors, horizon)
    whole = whole_units(known.select(cold).demand, known.select(cold).observed)
    mean, quantiles = present(found.mean, found.quantiles, whole)
    return cold, replace(found, mean=mean, quantiles=quantiles)
