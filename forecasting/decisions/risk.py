"""What can go wrong: the kinds of risk, what a finding of any kind says, and running out.

Every finding names its item, what it costs (severity, in the tenant's money) and the evidence.
Functions take arrays over items and return findings, the most expensive first.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, ClassVar, TypeVar

import numpy as np

from forecasting.decisions.demand_paths import DemandForecast, path_chunks
from forecasting.pipeline.series import FloatArray

WARN_FROM = 0.3
"""Chance of running out from which it is warned: where F1 was best in the earlier half of replays
of real demand (0.27 to 0.32, docs/decisions/0031)."""


HALF_A_UNIT = 0.5
"""Futures are drawn in fractions of what is sold whole: lacking less than this is not short."""
ANY_SHORTAGE = 1e-6


class RiskKind(StrEnum):
    """What a warning is about; stable codes."""

    STOCK_OUT = "stock_out"
    EXCESS = "excess"
    DEAD_STOCK = "dead_stock"
    EXPIRY = "expiry"
    SALES_SPIKE = "sales_spike"
    SALES_DROP = "sales_drop"
    TREND_DECLINE = "trend_decline"
    LATE_SUPPLIER = "late_supplier"
    FORECAST_DRIFT = "forecast_drift"
    CHANNEL_IMBALANCE = "channel_imbalance"
    COUNT_ANOMALY = "count_anomaly"


class SuggestedAction(StrEnum):
    """What to do about a finding."""

    ORDER_NOW = "order_now"
    EXPEDITE = "expedite"
    STOP_ORDERING = "stop_ordering"
    MARK_DOWN = "mark_down"
    CHECK_RECORDS = "check_records"
    REVIEW_FORECAST = "review_forecast"
    TRANSFER = "transfer"
    COUNT_AGAIN = "count_again"


@dataclass(frozen=True)
class RiskFinding:
    """A risk of one item: severity in money, and what is known about it."""

    kind: ClassVar[RiskKind]
    key: str
    severity: float
    action: SuggestedAction

    @property
    def evidence(self) -> Mapping[str, Any]:
        """The numbers behind the finding, by name, ready to be stored as JSON."""
        known = asdict(self)
        return {name: known[name] for name in known if name not in {"key", "severity", "action"}}


@dataclass(frozen=True)
class StockOutRisk(RiskFinding):
    """Stock runs out before new goods help.

    probability: of running out within `horizon_days`; day: first day (1 = tomorrow) by which half
    of the futures that run out have done so; lost_units: expected demand that cannot be met;
    arriving_units: what is on its way within the horizon.
    """

    kind = RiskKind.STOCK_OUT
    probability: float
    day: int
    earliest_day: int
    lost_units: float
    expected_demand: float
    on_hand: float
    arriving_units: float
    horizon_days: int


Finding = TypeVar("Finding", bound=RiskFinding)


@dataclass(frozen=True)
class StockOutRule:
    """From which chance on it is warned, and how many units [S] a future must lack to run out."""

    min_probability: float = WARN_FROM
    least_short: FloatArray | float = HALF_A_UNIT


def find_stock_outs(
    keys: Sequence[str],
    forecast: DemandForecast,
    on_hand: FloatArray,
    arrivals: FloatArray,
    unit_margin: FloatArray,
    rule: StockOutRule = StockOutRule(),
) -> tuple[StockOutRisk, ...]:
    """Return the items likely to run out within the days of `arrivals`.

    on_hand: [S] sellable units now; arrivals: [S, D] units expected each day (open orders), usable
    the day they arrive; unit_margin: [S] money lost per unit not sold.
    """
    days = int(arrivals.shape[1])
    found: list[StockOutRisk] = []
    reach = np.full(len(keys), days)
    lacking = np.broadcast_to(np.asarray(rule.least_short, dtype=float), reach.shape)
    expected = forecast.expected_demand(reach.astype(float))
    for rows, paths in path_chunks(forecast, reach):
        supply = on_hand[rows, None] + np.cumsum(arrivals[rows], axis=1)
        shortage = _lost_sales(paths[:, :, 1 : days + 1], supply)  # [rows, N, D]
        ran_out = shortage >= lacking[rows, None, None]
        chance = ran_out[:, :, -1].mean(axis=1)
        lost = shortage[:, :, -1].mean(axis=1)
        by_day = ran_out.mean(axis=1)  # [rows, D]
        for k in np.flatnonzero(chance >= rule.min_probability):
            row = int(rows[k])
            found.append(
                StockOutRisk(
                    key=keys[row],
                    severity=float(lost[k] * max(unit_margin[row], 0.0)),
                    action=(
                        SuggestedAction.EXPEDITE
                        if arrivals[row].sum() > 0
                        else SuggestedAction.ORDER_NOW
                    ),
                    probability=float(chance[k]),
                    day=int((by_day[k] >= chance[k] / 2).argmax()) + 1,
                    earliest_day=int((by_day[k] >= 0.1 * chance[k]).argmax()) + 1,
                    lost_units=float(lost[k]),
                    expected_demand=float(expected[row]),
                    on_hand=float(on_hand[row]),
                    arriving_units=float(arrivals[row].sum()),
                    horizon_days=days,
                )
            )
    return most_expensive_first(found)


def _lost_sales(demand: FloatArray, supply: FloatArray) -> FloatArray:
    """Cumulative lost sales: cumulative demand [S, N, D] against cumulative supply [S, D].

    What is lost is not backordered: the loss up to a day is the largest shortage so far.
    """
    short = np.maximum(demand - supply[:, None, :], 0.0)
    lost: FloatArray = np.maximum.accumulate(short, axis=2)
    return lost


def most_expensive_first(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings by what they cost; those that cost the same by their item."""
    return tuple(sorted(found, key=lambda one: (-one.severity, one.key)))
