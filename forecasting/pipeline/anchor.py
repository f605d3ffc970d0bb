"""The anchor of a young tenant: all its products together are forecast near their last month.

Each series is forecast in multiples of its own recent level, and what follows a rise was learned
from the rises of single products, which fade. Where everything rises at once, as in the first
autumn a tenant is seen, every product is taken for one that will fade. With less than a year and a
half of history no season of the whole can be known, so a forecast of the total that leaves the
level of the last four weeks by more than a tolerance is drawn back to the tolerance, and all
forecasts of networks with it.
"""

import numpy as np

from forecasting.pipeline.feature_plan import FeaturePlan
from forecasting.pipeline.series import BoolArray, FloatArray

ANCHOR_DAYS = 28
TOLERANCE = 0.05
"""In logarithms. Chosen on young tenants cut out of the M5 stores and on days of Online Retail
before its first origin: the error stays as it is (decision 0045), the bias falls."""
LARGEST = float(np.log(2))
LARGEST_SERIES = 100.0
"""No series counts as more than so many median ones: a slip of the keys moves no other product."""


def knows_no_turn(plan: FeaturePlan) -> bool:
    """Tell whether nothing a network is told could announce that the whole tenant turns.

    Neither last year's days nor promotions, prices or other signals with a value, known ahead or
    leading; the names of days, such as holidays, are too few to move a month.
    """
    told = (*plan.signals, *plan.past_signals)
    return not plan.yearly and all(one.kind == "category" for one in told)


def last_level(demand: FloatArray, observed: BoolArray) -> FloatArray:
    """Return each series' mean demand on the observed ones of the last days: [S, D] -> [S]."""
    recent, seen = demand[:, -ANCHOR_DAYS:], observed[:, -ANCHOR_DAYS:]
    seen = seen & np.isfinite(recent)
    total = np.where(seen, recent, 0).sum(axis=1, dtype=np.float64)
    return np.asarray(total / np.maximum(seen.sum(axis=1), 1))


def anchor_factor(level: FloatArray, forecast: FloatArray) -> float:
    """Return what to multiply all forecasts by; both in units per day of each series: [S], [S].

    exp of what log(sum level / sum forecast) has beyond the tolerance, at most a factor of two;
    exactly 1 within the tolerance, or where one of them is nothing.
    """
    size = np.maximum(level, forecast)
    if not (size > 0).any():
        return 1.0
    share = np.minimum(1.0, LARGEST_SERIES * np.median(size[size > 0]) / np.maximum(size, 1e-9))
    last, ahead = float((share * level).sum()), float((share * forecast).sum())
    if last <= 0 or ahead <= 0:
        return 1.0
    gap = float(np.log(last / ahead))
    return float(np.exp(np.sign(gap) * np.clip(abs(gap) - TOLERANCE, 0, LARGEST)))
