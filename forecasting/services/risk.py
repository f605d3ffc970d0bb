"""Risk warnings: found from forecasts and the past, gone when the risk is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import structlog
from django.utils import timezone
from django.utils.translation import gettext as _

from forecasting.decisions.demand_paths import DemandForecast, demand_forecast
from forecasting.decisions.risk import (
    ExcessLimit,
    Lot as LotAtRisk,
    RiskFinding,
    RiskKind as FindingKind,
    find_dead_stock,
    find_excess,
    find_expiry,
    find_stock_outs,
)
from forecasting.decisions.sales_risk import find_abnormal_sales, find_trend_declines
from forecasting.models import ForecastRun, RiskKind, RiskWarning, WarningState
from forecasting.pipeline.series import FloatArray
from forecasting.queries.forecasts import latest_run
from forecasting.queries.planning import PlanningWorld, read_world
from forecasting.queries.positions import LotOnHand, read_arrivals, read_lots
from forecasting.services.artefacts import ArtefactRefused, read_artefact
from forecasting.services.suggestions import check_snooze
from forecasting.services.work_lists import one_at_a_time
from tenancy.errors import Conflict, Invalid, NotFound
from tenancy.permissions import Permission, require
from tenancy.services import audit
from tenancy.services.jobs import JobFailed, JobRun

if TYPE_CHECKING:
    from forecasting.pipeline.engine import FittedForecaster

KIND = "make_warnings"
MOST_STOCKOUT_DAYS = 28
DEAD_AFTER_DAYS = 180
JUDGED_DAYS = 7
YEAR_DAYS = 364
DECLINE_DAYS = 182
SEASONAL_SHARE = 0.2
"""A fall by this share in the same weeks of last year makes this year's fall a season."""
RESOLVED_FOR_DAYS = 7
RESOLVED_GROWTH = Decimal("1.5")
"""A risk somebody resolved comes back after a week, or at once when it has grown by half."""
KINDS = {
    FindingKind.STOCK_OUT: RiskKind.STOCKOUT,
    FindingKind.EXCESS: RiskKind.EXCESS,
    FindingKind.DEAD_STOCK: RiskKind.DEAD_STOCK,
    FindingKind.EXPIRY: RiskKind.EXPIRY,
    FindingKind.SALES_SPIKE: RiskKind.ABNORMAL_SALES,
    FindingKind.SALES_DROP: RiskKind.ABNORMAL_SALES,
    FindingKind.TREND_DECLINE: RiskKind.TREND_DECLINE,
}
Key = tuple[str, int, int, int | None]
"""Kind, product, warehouse, lot: what one live warning is about."""


class WarningClosed(Conflict):
    """The warning was resolved in the meantime."""

    code = "warning_closed"


@dataclass(frozen=True)
class _Stock:
    """Rows of the world whose stock is recorded, and their quantities: all arrays [S]."""

    on_hand: FloatArray
    position: FloatArray
    is_kept: np.ndarray


def make_warnings(run: JobRun) -> dict[str, Any]:
    """Find every risk from the forecast in use and bring the warnings in line with it.

    Risks that are gone resolve by themselves. Returns counts. Raises ``JobFailed``.
    """
    run.progress(0, 3, _("Reading stock and demand"))
    with run.scope():
        forecast = latest_run()
        if forecast is None:
            raise JobFailed(_("There is no forecast yet. Forecast first, then look for risks."))
        world = read_world(forecast)
        lots = read_lots(world.today) if world else []
        arrivals = _arrivals(world) if world else np.zeros((0, MOST_STOCKOUT_DAYS))
    if world is None:
        raise JobFailed(_("No product in use has demand: there are no risks to look for."))
    run.progress(1, 3, _("Looking for risks in %(count)d series") % {"count": len(world.keys)})
    found = find_all(world, lots, arrivals)
    run.progress(2, 3, _("Updating the warnings"))
    with run.publishing():
        return _publish(forecast, world.today, found)


def find_all(
    world: PlanningWorld, lots: Sequence[LotOnHand], arrivals: FloatArray
) -> list[RiskWarning]:
    """Return every risk of the world as a warning not stored yet, one per key, the dearest."""
    stock = _Stock(
        on_hand=np.array([float(one.on_hand) for one in world.positions]),
        position=np.array([float(p.on_hand + p.on_order + p.in_transit) for p in world.positions]),
        is_kept=np.array([one.is_kept for one in world.positions], dtype=bool),
    )
    by_lot = {lot.lot_id: lot for lot in lots}
    findings = [
        *_stock_outs(world, stock, arrivals),
        *_too_much(world, stock),
        *_expiring(world, lots),
        *_sales(world),
    ]
    rows = {key.series_id: row for row, key in enumerate(world.keys)}
    warnings: dict[Key, RiskWarning] = {}
    for finding in sorted(findings, key=lambda one: -one.severity):
        warning = _warning(world, rows[finding.key], finding, by_lot)
        warnings.setdefault(_key(warning), warning)
    return list(warnings.values())


def _stock_outs(world: PlanningWorld, stock: _Stock, arrivals: FloatArray) -> Iterable[RiskFinding]:
    """Look as far ahead as an order placed now takes: against what runs out later there is time."""
    margins = world.unit_margins()
    reach = np.clip(np.ceil(world.demand.lead_time_days) + 1, 2, MOST_STOCKOUT_DAYS).astype(int)
    for days in np.unique(reach[stock.is_kept]):
        rows = np.flatnonzero(stock.is_kept & (reach == days))
        yield from find_stock_outs(
            [world.keys[row].series_id for row in rows],
            world.forecast.select(rows),
            stock.on_hand[rows],
            arrivals[rows, :days],
            margins[rows],
        )


def _too_much(world: PlanningWorld, stock: _Stock) -> Iterable[RiskFinding]:
    """Dead stock, and excess of what still sells, by each policy's own cover limit."""
    keys = [key.series_id for key in world.keys]
    idle = _days_without_demand(world)
    dead = find_dead_stock(keys, stock.on_hand, idle, world.unit_costs(), DEAD_AFTER_DAYS)
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


def _sales(world: PlanningWorld) -> Iterable[RiskFinding]:
    keys = [key.series_id for key in world.keys]
    demand, observed = world.panel.demand, world.panel.observed
    values = world.unit_prices()
    if world.panel.n_days > 2 * JUDGED_DAYS:
        yield from find_abnormal_sales(
            keys,
            _forecast_before(world),
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


def _forecast_before(world: PlanningWorld) -> DemandForecast:
    """Return what whoever serves would have said a week ago about the days since."""
    before = world.run.origin - timedelta(days=JUDGED_DAYS)
    made = _judge(world, before).forecast(world.panel, before, JUDGED_DAYS)
    return demand_forecast(made.mean, made.quantiles, world.forecast.correlation)


def _judge(world: PlanningWorld, before: date) -> FittedForecaster:
    """Return the network behind the forecasts, a simple method where there is none to be had."""
    from forecasting.pipeline.engine import EngineConfig, fit

    network = world.run.network
    if network is not None:
        try:
            return read_artefact(network)
        except ArtefactRefused as refusal:
            structlog.get_logger().warning("artefact_refused", problem=refusal.problem)
    return fit(world.panel, before, EngineConfig(networks=()))


def _arrivals(world: PlanningWorld) -> FloatArray:
    """Return what placed orders promise for each of the next days: [S, D]."""
    found = read_arrivals(world.today, MOST_STOCKOUT_DAYS)
    arrivals = np.zeros((len(world.keys), MOST_STOCKOUT_DAYS))
    for row, key in enumerate(world.keys):
        for day, units in found.get((key.product_id, key.warehouse_id), ()):
            arrivals[row, day] += float(units)
    return arrivals


# -- warnings --------------------------------------------------------------------------------
def _warning(
    world: PlanningWorld, row: int, finding: RiskFinding, lots: dict[int, LotOnHand]
) -> RiskWarning:
    key = world.keys[row]
    evidence = _plain(dict(finding.evidence)) | {"finding": str(finding.kind)}
    lot = lots.get(int(evidence["lot"])) if "lot" in evidence else None
    happens_on = lot.expires_on if lot else None
    if finding.kind is FindingKind.STOCK_OUT:
        happens_on = world.run.origin + timedelta(days=int(evidence["day"]))
    return RiskWarning(
        run=world.run,
        kind=KINDS[finding.kind],
        product_id=key.product_id,
        warehouse_id=key.warehouse_id,
        lot_id=lot.lot_id if lot else None,
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


def _key(warning: RiskWarning) -> Key:
    return (warning.kind, warning.product_id, warning.warehouse_id, warning.lot_id)


def _publish(forecast: ForecastRun, today: date, found: list[RiskWarning]) -> dict[str, Any]:
    """Renew what still stands, resolve what is gone, add what is new; return counts."""
    one_at_a_time("warnings")
    now = timezone.now()
    live = {
        _key(row): row
        for row in RiskWarning.objects.select_for_update()
        .filter(state__in=WarningState.live())
        .order_by("id")
    }
    set_aside = _recently_resolved(today)
    fresh, renewed = [], []
    for new in found:
        old = live.pop(_key(new), None)
        if old is not None:
            renewed.append(_renewed(old, new, today))
        elif not _still_set_aside(set_aside.get(_key(new)), new):
            fresh.append(new)
    RiskWarning.objects.bulk_update(renewed, RENEWED_FIELDS, batch_size=500)
    RiskWarning.objects.bulk_create(fresh, batch_size=500)
    gone = [row.pk for row in live.values()]
    RiskWarning.objects.filter(pk__in=gone).update(
        state=WarningState.RESOLVED, resolved_at=now, decided_by_label=""
    )
    counts = Counter(warning.kind for warning in (*fresh, *renewed))
    return {
        "warnings_new": len(fresh),
        "warnings_standing": len(renewed),
        "warnings_resolved": len(gone),
        "warnings": dict(counts),
    }


RENEWED_FIELDS = [
    "run",
    "severity_money",
    "probability",
    "happens_on",
    "evidence",
    "suggested_action",
    "last_seen_at",
    "state",
    "snoozed_until",
]


def _renewed(old: RiskWarning, new: RiskWarning, today: date) -> RiskWarning:
    for name in RENEWED_FIELDS[:6]:
        setattr(old, name, getattr(new, name))
    old.last_seen_at = timezone.now()
    slept_out = old.snoozed_until is None or old.snoozed_until <= today
    if old.state == WarningState.SNOOZED and slept_out:
        old.state, old.snoozed_until = WarningState.OPEN, None
    return old


def _recently_resolved(today: date) -> dict[Key, Decimal]:
    """Return the severity of what somebody (not the risk's own end) resolved within a week."""
    since = today - timedelta(days=RESOLVED_FOR_DAYS)
    rows = RiskWarning.objects.filter(
        state=WarningState.RESOLVED, resolved_at__date__gt=since
    ).exclude(decided_by_label="")
    return {_key(row): row.severity_money for row in rows.order_by("id")}


def _still_set_aside(severity: Decimal | None, new: RiskWarning) -> bool:
    return severity is not None and new.severity_money < severity * RESOLVED_GROWTH


# -- what planners do ------------------------------------------------------------------------
def acknowledge_warnings(*, warning_ids: Sequence[int]) -> list[RiskWarning]:
    """Note that somebody has seen the warnings and takes care.

    Raises ``PermissionRefused``, ``NotFound``, ``WarningClosed``.
    """
    return _decide(warning_ids, WarningState.ACKNOWLEDGED)


def snooze_warnings(*, warning_ids: Sequence[int], until: date) -> list[RiskWarning]:
    """Put warnings off until a day; they open again if the risk still stands then.

    Raises ``PermissionRefused``, ``NotFound``, ``Invalid``, ``WarningClosed``.
    """
    check_snooze(until)
    return _decide(warning_ids, WarningState.SNOOZED, until)


def resolve_warnings(*, warning_ids: Sequence[int]) -> list[RiskWarning]:
    """Close warnings: done or accepted; the same risk rests for a week unless it grows.

    Raises ``PermissionRefused``, ``NotFound``, ``WarningClosed``.
    """
    return _decide(warning_ids, WarningState.RESOLVED)


def _decide(
    warning_ids: Sequence[int], state: WarningState, until: date | None = None
) -> list[RiskWarning]:
    actor = require(Permission.PLAN)
    wanted = sorted(set(warning_ids))
    if not wanted:
        raise Invalid.field("warnings", "required", _("Choose at least one warning."))
    rows = list(
        RiskWarning.objects.select_for_update(of=("self",))
        .select_related("product")
        .filter(pk__in=wanted)
        .order_by("pk")
    )
    missing = set(wanted) - {row.pk for row in rows}
    if missing:
        raise NotFound("warning", min(missing))
    for row in rows:
        if row.state == WarningState.RESOLVED:
            raise WarningClosed(
                _("The warning about %(sku)s is resolved already.") % {"sku": row.product.sku},
                warning=row.pk,
            )
    for row in rows:
        row.state = state
        row.snoozed_until = until
        row.resolved_at = timezone.now() if state == WarningState.RESOLVED else None
        row.decided_by_label = actor.label[:160]
        row.version += 1
        row.save()
        audit.record(f"warning.{state}", row, kind=row.kind)
    return rows
