"""What can go wrong with stock: running out, too much, none sold any more, expiring unsold.

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

DAYS_PER_YEAR = 365
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


@dataclass(frozen=True)
class ExcessRisk(RiskFinding):
    """More stock than the order-up-to level plus what the cover limit allows.

    severity: holding cost of the excess until it is sold, at most a year; cover_days: None where
    nothing sells.
    """

    kind = RiskKind.EXCESS
    excess_units: float
    excess_value: float
    cover_days: float | None
    limit_units: float
    position: float


@dataclass(frozen=True)
class DeadStockRisk(RiskFinding):
    """Stock that nobody asked for lately; severity is its value."""

    kind = RiskKind.DEAD_STOCK
    on_hand: float
    days_without_demand: int
    limit_days: int


@dataclass(frozen=True)
class ExpiryRisk(RiskFinding):
    """Units of a lot that will not sell before they expire.

    units: expected; probability: of any unit being left; severity: their cost.
    """

    kind = RiskKind.EXPIRY
    lot: str
    units: float
    probability: float
    days_left: int
    lot_units: float
    sells_units: float


@dataclass(frozen=True)
class Lot:
    """A lot on hand: whose (row of the forecast), its label, units, and days until it expires."""

    row: int
    label: str
    units: float
    days_left: int


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


@dataclass(frozen=True)
class ExcessLimit:
    """How much cover above the order-up-to level is still fine, and what holding stock costs."""

    cover_days: float = 90.0
    holding_rate_per_year: float = 0.25


def find_excess(
    keys: Sequence[str],
    position: FloatArray,
    order_up_to: FloatArray,
    mean_daily: FloatArray,
    unit_cost: FloatArray,
    limit: ExcessLimit | None = None,
) -> tuple[ExcessRisk, ...]:
    """Return items with more than the order-up-to level plus the limit's days of demand: all [S].

    The excess is held until it sells: units * cost * rate * (days until gone) / 2 per year, at
    most a year.
    """
    limit = limit or ExcessLimit()
    most = order_up_to + mean_daily * limit.cover_days
    excess = np.maximum(position - most, 0.0)
    to_sell = np.minimum(
        excess / np.maximum(mean_daily, excess / DAYS_PER_YEAR + 1e-12), DAYS_PER_YEAR
    )
    days_held = limit.cover_days + to_sell / 2
    rate_per_day = limit.holding_rate_per_year / DAYS_PER_YEAR
    found = []
    for row in (int(one) for one in np.flatnonzero(excess > 0)):
        value = float(excess[row] * max(unit_cost[row], 0.0))
        rate = float(mean_daily[row])
        found.append(
            ExcessRisk(
                key=keys[row],
                severity=value * rate_per_day * float(days_held[row]),
                action=SuggestedAction.STOP_ORDERING,
                excess_units=float(excess[row]),
                excess_value=value,
                cover_days=float(position[row]) / rate if rate > 0 else None,
                limit_units=float(most[row]),
                position=float(position[row]),
            )
        )
    return most_expensive_first(found)


def find_dead_stock(
    keys: Sequence[str],
    on_hand: FloatArray,
    days_without_demand: FloatArray,
    unit_cost: FloatArray,
    limit_days: int = 180,
) -> tuple[DeadStockRisk, ...]:
    """Return items with stock and no demand for at least `limit_days`: all arrays [S]."""
    dead = (on_hand > 0) & (days_without_demand >= limit_days)
    return most_expensive_first(
        DeadStockRisk(
            key=keys[row],
            severity=float(on_hand[row] * max(unit_cost[row], 0.0)),
            action=SuggestedAction.MARK_DOWN,
            on_hand=float(on_hand[row]),
            days_without_demand=int(days_without_demand[row]),
            limit_days=limit_days,
        )
        for row in (int(one) for one in np.flatnonzero(dead))
    )


def find_expiry(
    keys: Sequence[str],
    forecast: DemandForecast,
    lots: Sequence[Lot],
    unit_cost: FloatArray,
    min_units: float = 0.5,
    max_days: int = 180,
) -> tuple[ExpiryRisk, ...]:
    """Return lots of which at least `min_units` are expected not to sell before they expire.

    Lots sell first-expired-first-out. Waste up to a lot's expiry is the largest of what was wasted
    before and what the stock up to that lot exceeds demand until then by. A lot that has expired
    already (days_left <= 0) is wasted whole; one that lasts longer than `max_days` is not judged.
    """
    by_row: dict[int, list[Lot]] = {}
    for lot in lots:
        if lot.units > 0 and lot.days_left <= max_days:
            by_row.setdefault(lot.row, []).append(lot)
    if not by_row:
        return ()
    members = np.array(sorted(by_row))
    reach = np.array([max(1, *(lot.days_left for lot in by_row[row])) for row in members])
    found: list[ExpiryRisk] = []
    for rows, paths in path_chunks(forecast.select(members), reach):
        for k, member in enumerate(rows):
            row = int(members[member])
            found.extend(
                _expiring(keys[row], by_row[row], paths[k], float(unit_cost[row]), min_units)
            )
    return most_expensive_first(found)


def _expiring(
    key: str, lots: Sequence[Lot], paths: FloatArray, unit_cost: float, min_units: float
) -> Iterable[ExpiryRisk]:
    wasted = np.zeros(paths.shape[0])
    stock = 0.0
    for lot in sorted(lots, key=lambda one: (one.days_left, one.label)):
        stock += lot.units
        until = paths[:, max(lot.days_left, 0)]
        total = np.maximum(wasted, stock - until)
        own = np.clip(total - wasted, 0.0, lot.units)
        wasted = total
        units = float(own.mean())
        if units >= min_units:
            yield ExpiryRisk(
                key=key,
                severity=units * max(unit_cost, 0.0),
                action=SuggestedAction.MARK_DOWN,
                lot=lot.label,
                units=units,
                probability=float((own > 1e-6).mean()),
                days_left=lot.days_left,
                lot_units=lot.units,
                sells_units=lot.units - units,
            )


def most_expensive_first(found: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(found, key=lambda one: (-one.severity, one.key)))
