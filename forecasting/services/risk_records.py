"""Risks that lie in records: open orders, past forecasts, counts, and stock in the wrong place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from django.db.models import Count, F, Sum

from forecasting.decisions.lead_times import LeadTimes
from forecasting.decisions.order_risk import (
    Counted,
    ImbalanceRisk,
    OpenLine,
    find_count_anomalies,
    find_drift,
    find_late_orders,
    weekly_swing,
)
from forecasting.decisions.risk import (
    ANY_SHORTAGE,
    HALF_A_UNIT,
    RiskFinding,
    SuggestedAction,
)
from forecasting.models import AccuracySum
from forecasting.pipeline.series import FloatArray
from forecasting.queries.channels import rebalancings
from forecasting.queries.deliveries import promised_lead_times
from forecasting.queries.planning import PlanningWorld
from inventory.models import CountLine, PurchaseOrderLine, PurchaseOrderState, Warehouse

DRIFT_DAYS = 70
"""Forecasts of ten weeks are judged together: an older drift may be mended already."""
COUNT_DAYS = 91


@dataclass(frozen=True)
class RiskRecords:
    """What was read for the search: open lines, counted goods, weekly forecasts and sales.

    line_lead_times: the days that each open line takes by all that is known.
    """

    open_lines: tuple[OpenLine, ...]
    line_lead_times: LeadTimes
    counted: tuple[Counted, ...]
    predicted: FloatArray
    actual: FloatArray
    warehouse_names: dict[int, str]


def read_records(world: PlanningWorld) -> RiskRecords:
    """Read open orders, past deliveries, counts and the accuracy of forecasts: five queries."""
    place = {(key.product_id, key.warehouse_id): row for row, key in enumerate(world.keys)}
    predicted, actual = _weeks(world, place)
    names = dict(Warehouse.objects.values_list("id", "name"))
    lines, taken = _open_lines(world, place)
    return RiskRecords(lines, taken, _counted(world, place), predicted, actual, names)


def find_from_records(world: PlanningWorld, records: RiskRecords) -> Iterable[RiskFinding]:
    """Return late orders, drifting forecasts, odd counts and stock that should be elsewhere."""
    keys = [key.series_id for key in world.keys]
    free = np.array([float(one.free) for one in world.positions])
    yield from find_late_orders(
        keys, records.open_lines, records.line_lead_times, world.forecast, free,
        world.unit_margins(),
    )  # fmt: skip
    swing = weekly_swing(world.panel.demand, world.panel.observed)
    yield from find_drift(keys, records.predicted, records.actual, swing, world.unit_costs())
    yield from find_count_anomalies(keys, records.counted, world.unit_costs())
    yield from _uneven(world, records.warehouse_names)


def _open_lines(
    world: PlanningWorld, place: dict[tuple[int, int], int]
) -> tuple[tuple[OpenLine, ...], LeadTimes]:
    rows = PurchaseOrderLine.objects.filter(
        order__state__in=PurchaseOrderState.on_order(),
        promised_on__isnull=False,
        order__placed_at__isnull=False,
        quantity__gt=F("quantity_received"),
    ).values_list(
        "product_id", "order__warehouse_id", "order_id", "order__number",
        F("quantity") - F("quantity_received"), "order__placed_at", "promised_on",
        "supplier_item_id", "order__supplier_id",
    )  # fmt: skip
    found: list[OpenLine] = []
    items: list[int] = []
    sources: list[tuple[int, int]] = []
    for product, warehouse, order, number, units, placed_at, promised_on, item, supplier in rows:
        row = place.get((product, warehouse))
        lead = world.lead_time_rows.get(item)
        if row is None or lead is None:
            continue
        placed_on = placed_at.date()
        found.append(
            OpenLine(
                row=row,
                order=order,
                number=number,
                units=float(units),
                age_days=max((world.today - placed_on).days, 0),
                promised_days=max((promised_on - placed_on).days, 0),
                lead_time_row=len(found),
                least_short=HALF_A_UNIT if world.products[row].whole_units else ANY_SHORTAGE,
            )
        )
        items.append(lead)
        sources.append((supplier, product))
    promised = np.array([float(one.promised_days) for one in found])
    learned = promised_lead_times(world.today, sources, promised) if found else None
    return tuple(found), learned or world.lead_times.select(np.array(items, dtype=int))


def _counted(world: PlanningWorld, place: dict[tuple[int, int], int]) -> tuple[Counted, ...]:
    since = world.today - timedelta(days=COUNT_DAYS)
    rows = (
        CountLine.objects.filter(to_recount=False, counted_at__date__gt=since)
        .order_by()
        .values_list("product_id", "count__location__warehouse_id")
        .annotate(lines=Count("id"), counted=Sum("counted"), expected=Sum("expected"))
    )
    return tuple(
        Counted(row, lines, float(counted), float(expected))
        for product, warehouse, lines, counted, expected in rows
        if (row := place.get((product, warehouse))) is not None
    )


def _weeks(
    world: PlanningWorld, place: dict[tuple[int, int], int]
) -> tuple[FloatArray, FloatArray]:
    """Return the first weeks of past forecasts and what was sold then: [S, runs] each."""
    since = world.today - timedelta(days=DRIFT_DAYS)
    rows = AccuracySum.objects.filter(week=1, run__origin__gt=since).order_by("run__origin", "id")
    figures = list(
        rows.values_list("run__origin", "product_id", "warehouse_id", "predicted", "actual")
    )
    # runs a week apart: days are not judged twice
    origins = sorted({origin for origin, *_ in figures})
    kept: dict[date, int] = {}
    last: date | None = None
    for origin in origins:
        if last is None or (origin - last).days >= 7:
            kept[origin] = len(kept)
            last = origin
    shape = (len(world.keys), max(len(kept), 1))
    predicted, actual = np.full(shape, np.nan), np.full(shape, np.nan)
    for origin, product, warehouse, said, sold in figures:
        row = place.get((product, warehouse))
        if row is not None and origin in kept:
            predicted[row, kept[origin]], actual[row, kept[origin]] = said, sold
    return predicted, actual


def _uneven(world: PlanningWorld, names: dict[int, str]) -> Iterable[RiskFinding]:
    rows = {(key.product_id, key.warehouse_id): key for key in world.keys}
    for move in rebalancings(world):
        key = rows[move.product.pk, move.to_warehouse_id]
        yield ImbalanceRisk(
            key=key.series_id,
            severity=move.saving,
            action=SuggestedAction.TRANSFER,
            from_place=move.from_warehouse_id,
            from_name=names.get(move.from_warehouse_id, ""),
            units=move.units,
            cost=float(world.settings.transfer_cost),
        )
