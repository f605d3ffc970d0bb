"""Demand by channel, online against offline, and what moving between warehouses would save."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Count, Q, Sum

from forecasting.decisions.channels import Place, find_transfers
from forecasting.models import ForecastRun, RiskKind, RiskWarning, SeriesForecast, WarningState
from forecasting.queries.planning import PlanningWorld
from inventory.models import (
    Channel,
    ChannelKind,
    ChannelStock,
    CustomerSegment,
    DailyDemand,
    Product,
)
from inventory.queries.access import in_allowed, may_work_in

PERIOD_DAYS = 91
WEEK = 7
MOST_PRODUCTS = 400
MOST_MOVES = 20


@dataclass(frozen=True)
class ChannelFigures:
    """A channel: units asked for in the last 13 weeks and in those before, and what is ahead."""

    channel: Channel
    sold: Decimal
    before: Decimal
    share: float
    forecast: float | None
    buffers: int
    ring_fenced: Decimal
    buffer: Decimal

    @property
    def change(self) -> float | None:
        """Return the growth against the 13 weeks before; None where nothing was sold then."""
        return float(self.sold / self.before) - 1 if self.before else None


@dataclass(frozen=True)
class SegmentFigures:
    """A customer segment (None: nobody said): units in 13 weeks and those before, how it asks."""

    segment: CustomerSegment | None
    sold: Decimal
    before: Decimal
    online: Decimal
    offline: Decimal
    revenue: Decimal
    share: float

    @property
    def change(self) -> float | None:
        """Return the growth against the 13 weeks before; None where nothing was sold then."""
        return float(self.sold / self.before) - 1 if self.before else None

    @property
    def online_share(self) -> float | None:
        """Return the online part of what came by a known channel; None where none is known."""
        known = self.online + self.offline
        return float(self.online / known) if known else None


@dataclass(frozen=True)
class WeekOfChannels:
    """Units a week asked for online and offline."""

    day: date
    online: Decimal
    offline: Decimal


@dataclass(frozen=True)
class Rebalancing:
    """Units to move from one warehouse to another, and the margin that saves after its cost."""

    product: Product
    from_warehouse_id: int
    to_warehouse_id: int
    units: float
    saving: float


def channel_figures(last_day: date, run: ForecastRun | None) -> list[ChannelFigures]:
    """Return every channel with its demand, forecast and kept stock, the largest first."""
    now = _sold(last_day - timedelta(days=PERIOD_DAYS), last_day)
    before = _sold(
        last_day - timedelta(days=2 * PERIOD_DAYS), last_day - timedelta(days=PERIOD_DAYS)
    )
    total = sum(now.values(), Decimal(0))
    ahead = {}
    if run is not None:
        rows = SeriesForecast.objects.filter(run=run).exclude(channel=None).order_by()
        rows = in_allowed(rows, "warehouse_id")
        ahead = dict(rows.values_list("channel_id").annotate(total=Sum("total_mean")))
    kept = {
        channel: (count, fenced or Decimal(0), buffer or Decimal(0))
        for channel, count, fenced, buffer in in_allowed(
            ChannelStock.objects.order_by(), "warehouse_id"
        )
        .values_list("channel_id")
        .annotate(count=Count("id"), fenced=Sum("ring_fenced"), buffer=Sum("buffer"))
    }
    found = [
        ChannelFigures(
            channel,
            now.get(channel.pk, Decimal(0)),
            before.get(channel.pk, Decimal(0)),
            float(now.get(channel.pk, Decimal(0)) / total) if total else 0.0,
            ahead.get(channel.pk),
            *kept.get(channel.pk, (0, Decimal(0), Decimal(0))),
        )
        for channel in Channel.objects.filter(is_active=True).order_by("code", "id")
    ]
    return sorted(found, key=lambda one: -one.sold)


def segment_figures(last_day: date) -> list[SegmentFigures]:
    """Return every customer segment with its demand, the largest first; two queries.

    Demand of which no segment is known stands last, and only beside segments that are.
    """
    now, middle = last_day - timedelta(days=PERIOD_DAYS), last_day - timedelta(days=2 * PERIOD_DAYS)
    sold = DailyDemand.objects.filter(business_day__gt=middle, business_day__lte=last_day)
    recent = Q(business_day__gt=now)
    online, offline = Q(channel__kind=ChannelKind.ONLINE), Q(channel__kind=ChannelKind.OFFLINE)
    rows = {
        segment: [one or Decimal(0) for one in sums]
        for segment, *sums in in_allowed(sold, "warehouse_id")
        .order_by()
        .values_list("segment_id")
        .annotate(
            sold=Sum("quantity", filter=recent),
            before=Sum("quantity", filter=~recent),
            online=Sum("quantity", filter=recent & online),
            offline=Sum("quantity", filter=recent & offline),
            revenue=Sum("revenue", filter=recent),
        )
    }
    segments = list(CustomerSegment.objects.order_by("code", "id"))
    if not segments:
        return []
    total = sum((one[0] for one in rows.values()), Decimal(0))
    nothing = [Decimal(0)] * 5
    found = [_segment(segment, rows.get(segment.pk, nothing), total) for segment in segments]
    found.sort(key=lambda one: -one.sold)
    return found + ([_segment(None, rows[None], total)] if None in rows else [])


def _segment(
    segment: CustomerSegment | None, sums: list[Decimal], total: Decimal
) -> SegmentFigures:
    sold, before, online, offline, revenue = sums
    share = float(sold / total) if total else 0.0
    return SegmentFigures(segment, sold, before, online, offline, revenue, share)


def _sold(after: date, until: date) -> dict[int, Decimal]:
    rows = DailyDemand.objects.filter(business_day__gt=after, business_day__lte=until)
    sums = (
        in_allowed(rows, "warehouse_id").exclude(channel=None).order_by().values_list("channel_id")
    )
    return dict(sums.annotate(total=Sum("quantity")))


def weeks_of_channels(last_day: date) -> list[WeekOfChannels]:
    """Return demand of the last 13 whole weeks, online against offline."""
    first = last_day - timedelta(days=PERIOD_DAYS - 1)
    sums: dict[tuple[int, str], Decimal] = defaultdict(Decimal)
    sold = DailyDemand.objects.filter(business_day__gte=first, business_day__lte=last_day)
    rows = (
        in_allowed(sold, "warehouse_id")
        .exclude(channel=None)
        .order_by()
        .values_list("business_day", "channel__kind")
        .annotate(total=Sum("quantity"))
    )
    for day, kind, total in rows:
        sums[(day - first).days // WEEK, kind] += total
    return [
        WeekOfChannels(
            first + timedelta(days=WEEK * week),
            sums[week, ChannelKind.ONLINE],
            sums[week, ChannelKind.OFFLINE],
        )
        for week in range(PERIOD_DAYS // WEEK)
    ]


def rebalancings(world: PlanningWorld) -> list[Rebalancing]:
    """Return moves between warehouses that save more margin than they cost, the best first.

    Only of products kept in several warehouses; the 400 dearest of them.
    """
    rows: dict[int, list[int]] = defaultdict(list)
    for row, position in enumerate(world.positions):
        if position.is_kept:
            rows[world.products[row].pk].append(row)
    shared = {product: own for product, own in rows.items() if len(own) > 1}
    margins = world.unit_margins()
    dearest = sorted(
        shared.values(), key=lambda own: -sum(margins[r] * world.demand.mean_daily[r] for r in own)
    )
    found = []
    for own in dearest[:MOST_PRODUCTS]:
        found += _moves(world, own, [float(margins[row]) for row in own])
    return sorted(found, key=lambda one: -one.saving)[:MOST_MOVES]


def moves_that_pay() -> list[Rebalancing]:
    """Return the moves that the latest planning found, between the reader's warehouses."""
    rows = in_allowed(
        RiskWarning.objects.filter(
            kind=RiskKind.CHANNEL_IMBALANCE,
            state__in=[WarningState.OPEN, WarningState.ACKNOWLEDGED],
        ),
        "warehouse_id",
    )
    return [
        Rebalancing(
            row.product,
            row.evidence["from_place"],
            row.warehouse_id,
            row.evidence["units"],
            float(row.severity_money),
        )
        for row in rows.select_related("product").order_by("-severity_money", "id")[:MOST_MOVES]
        if may_work_in([row.evidence["from_place"]])
    ]


def _moves(world: PlanningWorld, own: list[int], margins: list[float]) -> list[Rebalancing]:
    places = [
        Place(
            str(row),
            max(float(world.positions[row].free - world.positions[row].outgoing), 0.0),
            world.demand.item(row),
            margin,
        )
        for row, margin in zip(own, margins, strict=True)
    ]
    settings = world.settings
    moves = find_transfers(
        places, float(settings.transfer_cost_per_unit), float(settings.transfer_cost)
    )
    return [
        Rebalancing(
            world.products[int(move.from_key)],
            world.keys[int(move.from_key)].warehouse_id,
            world.keys[int(move.to_key)].warehouse_id,
            move.units,
            move.saving,
        )
        for move in moves
    ]
