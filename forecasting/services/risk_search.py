"""The search for risks: every finding of the decisions as a warning that is not stored yet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import structlog
from django.utils import timezone

from forecasting.decisions.demand_paths import DemandForecast, demand_forecast
from forecasting.decisions.risk import (
    ANY_SHORTAGE,
    HALF_A_UNIT,
    RiskFinding,
    RiskKind as FindingKind,
    StockOutRule,
    find_stock_outs,
)
from forecasting.decisions.sales_risk import find_abnormal_sales, find_trend_declines
from forecasting.decisions.surplus_risk import (
    ExcessLimit,
    Lot as LotAtRisk,
    find_dead_stock,
    find_excess,
    find_expiry,
)
from forecasting.models import ForecastSettings, RiskKind, RiskWarning
from forecasting.pipeline.series import FloatArray
from forecasting.queries.planning import PlanningWorld
from forecasting.queries.positions import LotOnHand, read_arrivals
from forecasting.services.artefacts import ArtefactRefused, read_forecaster
from forecasting.services.risk_records import RiskRecords, find_from_records
from forecasting.services.training_choices import engine_config

if TYPE_CHECKING:
    from forecasting.pipeline.engine import FittedForecaster

MOST_STOCKOUT_DAYS = 28
DEAD_AFTER_DAYS = 180
JUDGED_DAYS = 7
YEAR_DAYS = 364
DECLINE_DAYS = 182
SEASONAL_SHARE = 0.2
"""A fall by this share in the same weeks of last year makes this year's fall a season."""
KINDS = {
    FindingKind.STOCK_OUT: RiskKind.STOCKOUT,
    FindingKind.EXCESS: RiskKind.EXCESS,
    FindingKind.DEAD_STOCK: RiskKind.DEAD_STOCK,
    FindingKind.EXPIRY: RiskKind.EXPIRY,
    FindingKind.SALES_SPIKE: RiskKind.ABNORMAL_SALES,
    FindingKind.SALES_DROP: RiskKind.ABNORMAL_SALES,
    FindingKind.TREND_DECLINE: RiskKind.TREND_DECLINE,
    FindingKind.LATE_SUPPLIER: RiskKind.LATE_SUPPLIER,
    FindingKind.FORECAST_DRIFT: RiskKind.FORECAST_DRIFT,
    FindingKind.CHANNEL_IMBALANCE: RiskKind.CHANNEL_IMBALANCE,
    FindingKind.COUNT_ANOMALY: RiskKind.COUNT_ANOMALY,
}
Key = tuple[str, int, int, int | None, int | None]
"""Kind, product, warehouse, lot, order: what one live warning is about."""


@dataclass(frozen=True)
class _Stock:
    """Rows of the world whose stock is recorded, and their quantities: all arrays [S].

    Both are less what is owed to customers already.
    """

    free: FloatArray
    position: FloatArray
    is_kept: np.ndarray


def find_all(
    world: PlanningWorld,
    lots: Sequence[LotOnHand],
    arrivals: FloatArray,
    records: RiskRecords | None,
    how: ForecastSettings,
) -> list[RiskWarning]:
    """Return every risk of the world as a warning not stored yet, one per key, the dearest.

    how: cleaning of demand for simple methods, where no network says what was to be expected.
    """
    stock = _Stock(
        free=np.array([float(one.free) for one in world.positions]),
        position=np.array([float(p.free + p.on_order + p.in_transit) for p in world.positions]),
        is_kept=np.array([one.is_kept for one in world.positions], dtype=bool),
    )
    by_lot = {lot.lot_id: lot for lot in lots}
    findings = [
        *_stock_outs(world, stock, arrivals),
        *_too_much(world, stock),
        *_expiring(world, lots),
        *_sales(world, how),
        *(find_from_records(world, records) if records else ()),
    ]
    rows = {key.series_id: row for row, key in enumerate(world.keys)}
    warnings: dict[Key, RiskWarning] = {}
    for finding in sorted(findings, key=lambda one: -one.severity):
        warning = _warning(world, rows[finding.key], finding, by_lot)
        warnings.setdefault(key_of(warning), warning)
    return list(warnings.values())


def _stock_outs(world: PlanningWorld, stock: _Stock, arrivals: FloatArray) -> Iterable[RiskFinding]:
    """Look as far ahead as an order placed now takes: against what runs out later there is time."""
    margins = world.unit_margins()
    least = np.where([one.whole_units for one in world.products], HALF_A_UNIT, ANY_SHORTAGE)
    reach = np.clip(np.ceil(world.demand.lead_time_days) + 1, 2, MOST_STOCKOUT_DAYS).astype(int)
    for days in np.unique(reach[stock.is_kept]):
        rows = np.flatnonzero(stock.is_kept & (reach == days))
        yield from find_stock_outs(
            [world.keys[row].series_id for row in rows],
            world.forecast.select(rows),
            stock.free[rows],
            arrivals[rows, :days],
            margins[rows],
            StockOutRule(least_short=least[rows]),
        )


def _too_much(world: PlanningWorld, stock: _Stock) -> Iterable[RiskFinding]:
    """Dead stock, and excess of what still sells, by each policy's own cover limit."""
    keys = [key.series_id for key in world.keys]
    idle = _days_without_demand(world)
    dead = find_dead_stock(keys, stock.free, idle, world.unit_costs(), DEAD_AFTER_DAYS)
    yield from dead
    lively = stock.is_kept & (idle < DEAD_AFTER_DAYS)
    service = np.array([float(policy.cycle_service_level) for policy in world.policies])
    order_up_to = world.demand.quantile(service)
    limits = [(p.excess_cover_days, float(p.holding_cost_per_year)) for p in world.policies]
    for cover_days, rate in sorted(set(limits)):
        rows = np.flatnonzero(lively & np.array([one == (cover_days, rate) for one in limits]))
        yield from find_excess(
            [keys[row] for row in rows],
            stock.position[rows],
            order_up_to[rows],
            world.demand.mean_daily[rows],
            world.unit_costs()[rows],
            ExcessLimit(cover_days, rate),
        )


def _days_without_demand(world: PlanningWorld) -> FloatArray:
    """Return the days since the last sale; since it was entered for what never sold: [S]."""
    demand = np.nan_to_num(world.panel.demand)
    n_days = world.panel.n_days
    last = np.where(demand.any(axis=1), n_days - 1 - (demand[:, ::-1] > 0).argmax(axis=1), -1)
    known = [
        (world.today - (p.introduced_on or timezone.localdate(p.created_at))).days
        for p in world.products
    ]
    return np.where(last >= 0, n_days - 1 - last, np.array(known))


def _expiring(world: PlanningWorld, lots: Sequence[LotOnHand]) -> Iterable[RiskFinding]:
    place = {(key.product_id, key.warehouse_id): row for row, key in enumerate(world.keys)}
    at_risk = [
        LotAtRisk(row, str(lot.lot_id), float(lot.on_hand), (lot.expires_on - world.today).days)
        for lot in lots
        if (row := place.get((lot.product_id, lot.warehouse_id))) is not None
    ]
    keys = [key.series_id for key in world.keys]
    return find_expiry(keys, world.forecast, at_risk, world.unit_costs())


def _sales(world: PlanningWorld, how: ForecastSettings) -> Iterable[RiskFinding]:
    keys = [key.series_id for key in world.keys]
    demand, observed = world.panel.demand, world.panel.observed
    values = world.unit_prices()
    if world.panel.n_days > 2 * JUDGED_DAYS:
        yield from find_abnormal_sales(
            keys,
            _forecast_before(world, how),
            demand[:, -JUDGED_DAYS:],
            observed[:, -JUDGED_DAYS:],
            values,
        )
    yield from _declines(world, keys, values)


def _declines(world: PlanningWorld, keys: list[str], values: FloatArray) -> Iterable[RiskFinding]:
    """Return declines that did not happen in the same weeks of last year as well: no season."""
    demand, observed = world.panel.demand, world.panel.observed
    seasonal: set[str] = set()
    if world.panel.n_days >= YEAR_DAYS + DECLINE_DAYS:
        past, seen = demand[:, :-YEAR_DAYS], observed[:, :-YEAR_DAYS]
        last_year = find_trend_declines(keys, past, seen, values, min_share=SEASONAL_SHARE)
        seasonal = {finding.key for finding in last_year}
    for finding in find_trend_declines(keys, demand, observed, values):
        if finding.key not in seasonal:
            yield finding


def _forecast_before(world: PlanningWorld, how: ForecastSettings) -> DemandForecast:
    """Return what whoever serves would have said a week ago about the days since."""
    before = world.run.origin - timedelta(days=JUDGED_DAYS)
    made = _judge(world, before, how).forecast(world.panel, before, JUDGED_DAYS)
    return demand_forecast(made.mean, made.quantiles, world.forecast.correlation)


def _judge(world: PlanningWorld, before: date, how: ForecastSettings) -> FittedForecaster:
    """Return who made the forecasts; simple methods chosen then where that is not to be had."""
    from forecasting.pipeline.engine import fit

    try:
        return read_forecaster(world.run)
    except ArtefactRefused as refusal:
        structlog.get_logger().warning("artefact_refused", problem=refusal.problem)
        return fit(world.panel, before, engine_config(how, networks=()))


def arrivals_of(world: PlanningWorld) -> FloatArray:
    """Return what placed orders promise for each of the next days: [S, D].

    By their promise, though it is known how suppliers keep it: what lateness leaves short is told,
    and costed, by the warning of the late order (`find_late_orders`), and would be told twice.
    """
    found = read_arrivals(world.today, MOST_STOCKOUT_DAYS)
    arrivals = np.zeros((len(world.keys), MOST_STOCKOUT_DAYS))
    for row, key in enumerate(world.keys):
        for day, units in found.get((key.product_id, key.warehouse_id), ()):
            arrivals[row, day] += float(units)
    return arrivals


def _warning(
    world: PlanningWorld, row: int, finding: RiskFinding, lots: dict[int, LotOnHand]
) -> RiskWarning:
    key = world.keys[row]
    evidence = _plain(dict(finding.evidence)) | {"finding": str(finding.kind)}
    lot = lots.get(int(evidence["lot"])) if "lot" in evidence else None
    happens_on = lot.expires_on if lot else None
    if finding.kind is FindingKind.STOCK_OUT:
        happens_on = world.today + timedelta(days=int(evidence["day"]) - 1)
    return RiskWarning(
        run=world.run,
        kind=KINDS[finding.kind],
        product_id=key.product_id,
        warehouse_id=key.warehouse_id,
        lot_id=lot.lot_id if lot else None,
        order_id=evidence.get("order"),
        severity_money=Decimal(str(round(min(finding.severity, 1e11), 2))),
        probability=evidence.get("probability"),
        happens_on=happens_on,
        evidence=evidence,
        suggested_action=str(finding.action),
    )


def _plain(evidence: dict[str, Any]) -> dict[str, Any]:
    """Round for storage; what is not finite is unknown."""
    return {
        name: (round(value, 6) if np.isfinite(value) else None)
        if isinstance(value, float)
        else value
        for name, value in evidence.items()
    }


def key_of(warning: RiskWarning) -> Key:
    return (
        warning.kind,
        warning.product_id,
        warning.warehouse_id,
        warning.lot_id,
        warning.order_id,
    )
