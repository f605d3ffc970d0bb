"""Too much stock: more than will sell, none sold any more, lots that expire unsold.

Functions take arrays over items and return findings, the most expensive first.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from forecasting.decisions.demand_paths import DemandForecast, path_chunks
from forecasting.decisions.risk import (
    RiskFinding,
    RiskKind,
    SuggestedAction,
    most_expensive_first,
)
from forecasting.pipeline.series import FloatArray

DAYS_PER_YEAR = 365


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
