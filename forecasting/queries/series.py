"""The demand of a tenant as a panel of daily series: what training and forecasting read.

One series per product and warehouse, or per product, warehouse and channel. Everything is read set
by set: the demand of one series comes from the database as one packed value, so that 20,000 series
of three years need a few seconds and little more memory than the arrays themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np
from django.db import connection
from django.db.models import Max, Min
from django.utils import timezone
from numpy.typing import NDArray

from forecasting.pipeline.arrays import by_rows, new_array
from forecasting.pipeline.series import HORIZON_DAYS, BoolArray, FloatArray, SeriesPanel
from forecasting.queries.descriptions import describe, new_pairs, read_products
from forecasting.queries.signals import signals_of
from inventory.models import DailyDemand, Product, StockBalance
from inventory.models.places import OUTSIDE_KINDS
from inventory.queries.demand_history import out_of_stock_days
from tenancy.scope import active_scope, active_tenant_id

HISTORY_DAYS = 1100
"""Three years and a little: what the yearly features look back on."""
SERIES_PER_CATEGORY = 5
"""An attribute with fewer series per value identifies series instead of grouping them."""
Part = Literal["channel", "segment"]
_PACKED = np.dtype([("day", ">i4"), ("quantity", ">f4")])


@dataclass(frozen=True, order=True)
class SeriesKey:
    """Whose demand a series is. Without a channel and segment: of all of them together."""

    product_id: int
    warehouse_id: int
    channel_id: int | None = None
    segment_id: int | None = None

    @property
    def series_id(self) -> str:
        parts = [self.product_id, self.warehouse_id, self.channel_id]
        text = ":".join(str(part) for part in parts if part is not None)
        return text if self.segment_id is None else f"{text}:segment {self.segment_id}"


@dataclass(frozen=True)
class DemandPanel:
    """A panel and the rows of the catalogue its series stand for, in the same order."""

    panel: SeriesPanel
    keys: tuple[SeriesKey, ...]
    origin: date


@dataclass(frozen=True)
class _Catalogue:
    """What is known of a product, by its id."""

    category: dict[int, str]
    introduced_on: dict[int, date | None]


def business_today() -> date:
    """Return today in the tenant's time zone."""
    return local_day(timezone.now())


def local_day(moment: datetime) -> date:
    """Return the day of a moment in the tenant's time zone."""
    return moment.astimezone(ZoneInfo(active_scope().tenant.time_zone)).date()


def latest_origin() -> date | None:
    """Return the last whole day with demand, or None when there is none.

    Imported history may end long ago: the origin is then the day it ends, not yesterday.
    """
    yesterday = business_today() - timedelta(days=1)
    found: date | None = DailyDemand.objects.filter(business_day__lte=yesterday).aggregate(
        last=Max("business_day")
    )["last"]
    return found


def load_panel(*, by: Part | None = None, horizon_days: int = HORIZON_DAYS) -> DemandPanel | None:
    """Return the demand of every active product up to the latest origin; None without demand.

    by: one series for each channel or segment; demand whose channel or segment was not said is a
    series without one.

    Products that lie in a warehouse but never sold there are series too: they may be dead stock.
    """
    origin = latest_origin()
    if origin is None:
        return None
    first_known = DailyDemand.objects.aggregate(first=Min("business_day"))["first"]
    first_day = max(first_known, origin - timedelta(days=HISTORY_DAYS - 1))
    catalogue = _read_catalogue(origin)
    packed = _read_demand(first_day, origin, by)
    keys = {key for key in packed if key.product_id in catalogue.category}
    if by is None:
        keys |= {key for key in _stocked_pairs() if key.product_id in catalogue.category}
    known = read_products(catalogue.category, origin, business_today())
    if by is None:
        taken = {key.product_id for key in keys}
        until = origin + timedelta(days=horizon_days)
        keys |= {SeriesKey(*pair) for pair in new_pairs(known, taken, until)}
    ordered = tuple(sorted(keys, key=_place_of))
    demand = _spread(packed, ordered, (origin - first_day).days + 1)
    _begin_at_introduction(demand, ordered, catalogue, first_day)
    observed = by_rows(np.isfinite, np.bool_, demand)
    _mask_out_of_stock(observed, ordered, first_day, origin)
    panel = SeriesPanel(
        series_ids=tuple(key.series_id for key in ordered),
        first_day=first_day,
        demand=demand,
        observed=observed,
        categories=_categories(ordered, catalogue),
        signals=signals_of(
            [(key.product_id, key.warehouse_id) for key in ordered],
            first_day,
            origin + timedelta(days=horizon_days),
        ),
        descriptions=describe(
            [(key.product_id, key.warehouse_id) for key in ordered], known, origin
        ),
    )
    return DemandPanel(panel, ordered, origin)


def _place_of(key: SeriesKey) -> tuple[int, int, int, int]:
    return key.product_id, key.warehouse_id, key.channel_id or 0, key.segment_id or 0


def parts_with_demand(by: Part) -> list[int]:
    """Return the channels or segments that demand was recorded for, in the order of their ids."""
    column = f"{by}_id"
    found = DailyDemand.objects.exclude(**{column: None}).order_by(column)
    return list(found.values_list(column, flat=True).distinct())


def _read_catalogue(origin: date) -> _Catalogue:
    """Read the active products that are not discontinued at the origin."""
    rows = Product.objects.filter(is_active=True).exclude(discontinued_on__lte=origin)
    fields = ("id", "category__name", "introduced_on")
    category, introduced = {}, {}
    for product_id, name, introduced_on in rows.values_list(*fields):
        category[product_id] = name or ""
        introduced[product_id] = introduced_on
    return _Catalogue(category, introduced)


def _read_demand(first: date, last: date, by: Part | None) -> dict[SeriesKey, bytes]:
    """Read the demand of every series as packed (day, quantity) pairs, added up over the rest."""
    part = f"{by}_id" if by else "NULL::bigint"
    statement = f"""
        SELECT product_id, warehouse_id, part,
               string_agg(int4send(business_day - %s) || float4send(quantity::real), ''::bytea)
        FROM (SELECT product_id, warehouse_id, {part} AS part, business_day,
                     sum(quantity) AS quantity
              FROM {DailyDemand._meta.db_table}
              WHERE tenant_id = %s AND business_day BETWEEN %s AND %s
              GROUP BY 1, 2, 3, 4) AS daily
        GROUP BY 1, 2, 3
    """  # noqa: S608  names of our own table and columns
    with connection.cursor() as cursor:
        cursor.execute(statement, [first, active_tenant_id(), first, last])
        return {
            SeriesKey(product, warehouse, **({f"{by}_id": part} if by else {})): bytes(pairs)
            for product, warehouse, part, pairs in cursor.fetchall()
        }


def _stocked_pairs() -> set[SeriesKey]:
    rows = StockBalance.objects.filter(on_hand__gt=0).exclude(location__kind__in=OUTSIDE_KINDS)
    pairs = rows.order_by().values_list("product_id", "location__warehouse_id").distinct()
    return {SeriesKey(product, warehouse) for product, warehouse in pairs}


def _spread(packed: dict[SeriesKey, bytes], keys: Sequence[SeriesKey], n_days: int) -> FloatArray:
    """Lay the packed demand on days: [S, D], NaN before the first sale, else zero."""
    parts = [np.frombuffer(packed.get(key, b""), dtype=_PACKED) for key in keys]
    demand = new_array((len(keys), n_days), np.float32)
    begins = np.full(len(keys), n_days)
    for row, part in enumerate(parts):
        if len(part):
            demand[row, part["day"]] = part["quantity"]
            begins[row] = part["day"].min()
    for row, begin in enumerate(begins):
        demand[row, :begin] = np.nan
    return demand


def _begin_at_introduction(
    demand: FloatArray, keys: Sequence[SeriesKey], catalogue: _Catalogue, first_day: date
) -> None:
    """Let a series begin when the product was introduced: its first days are zeros."""
    for row, key in enumerate(keys):
        introduced = catalogue.introduced_on[key.product_id]
        if introduced is not None:
            begun = demand[row, max((introduced - first_day).days, 0) :]
            begun[np.isnan(begun)] = 0


def _mask_out_of_stock(
    observed: BoolArray, keys: Sequence[SeriesKey], first: date, last: date
) -> None:
    """Mark the days a product was out of stock in a warehouse as unseen, in every channel."""
    rows: dict[tuple[int, int], list[int]] = {}
    for row, key in enumerate(keys):
        rows.setdefault((key.product_id, key.warehouse_id), []).append(row)
    for product, warehouse, days in out_of_stock_days(first, last):
        columns = [(day - first).days for day in days]
        for row in rows.get((product, warehouse), ()):
            observed[row, columns] = False


def _categories(keys: Sequence[SeriesKey], catalogue: _Catalogue) -> dict[str, NDArray[np.str_]]:
    """Return the attributes that group series; one value for all, or one each, says nothing."""
    found = {
        "category": [catalogue.category[key.product_id] for key in keys],
        "warehouse": [str(key.warehouse_id) for key in keys],
    }
    most = max(len(keys) / SERIES_PER_CATEGORY, 2)
    return {
        name: np.array(values, dtype=str)
        for name, values in found.items()
        if 2 <= len(set(values)) <= most
    }
