"""What buffers are decided from, and the list of those suggested."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy as np
from django.db.models import QuerySet, Sum
from numpy.typing import NDArray

from forecasting.decisions.buffers import ChannelNeed
from forecasting.decisions.demand_paths import demand_forecast
from forecasting.decisions.lead_time_demand import IntervalDemand, interval_demand
from forecasting.decisions.suppliers import DAYS_PER_YEAR
from forecasting.models import BufferSuggestion, SeriesForecast, SuggestionState
from forecasting.queries.planning import PlanningWorld, unit_cost
from inventory.models import Channel, ChannelStock, DailyDemand, Product
from inventory.queries.access import allowed_warehouses, in_allowed
from tenancy.errors import NotFound
from tenancy.models import Job, JobState

PRICED_DAYS = 91
"""What a channel takes for a unit is what it took in the last 13 weeks."""
MOST_CASES = 400
PLANNING_JOB = "make_suggestions"
Pair = tuple[int, int]


@dataclass(frozen=True)
class BufferCase:
    """A product in a warehouse that several channels sell.

    prices, kept: by channel, what a unit sells for and the buffer there is; holding: money to keep
    a unit until goods can come again, after `days`; stock: what further demand may have.
    """

    product: Product
    warehouse_id: int
    needs: tuple[ChannelNeed, ...]
    prices: Mapping[int, float]
    kept: Mapping[int, Decimal]
    holding: float
    stock: float
    days: float


@dataclass(frozen=True)
class BufferCases:
    """Cases to decide, the dearest of all; refused: how many could not be judged, by reason."""

    cases: tuple[BufferCase, ...]
    refused: Mapping[str, int]
    names: Mapping[int, str]


def read_buffer_cases(world: PlanningWorld) -> BufferCases:
    """Read demand, prices and buffers by channel of what several channels sell: five queries.

    Refused with a reason are: ``stale_forecast``, ``stock_unknown``, ``no_cost``,
    ``no_lead_time``, and ``no_revenue`` where a channel's sales say no price.
    """
    names = dict(Channel.objects.filter(is_active=True).values_list("id", "name"))
    usable, prices, refused = _judge(world, names)
    return BufferCases(tuple(_cases(world, usable, prices)), dict(refused), names)


def buffer_refusals() -> dict[str, int]:
    """Return how many products the latest planning could not judge, by reason: one query.

    A count over all warehouses, so it says nothing to a reader restricted to some of them.
    """
    if allowed_warehouses() is not None:
        return {}
    jobs = Job.objects.filter(kind=PLANNING_JOB, state=JobState.DONE).order_by("-id")
    result = jobs.values_list("result", flat=True).first()
    return dict((result or {}).get("buffers_refused", {}))


def _judge(
    world: PlanningWorld, names: Mapping[int, str]
) -> tuple[list[tuple[int, tuple[int, ...]]], dict[Pair, float], Counter[str]]:
    """Return the rows that can be decided, prices by product and channel, and refusals."""
    rows = _shared_rows(world, names)
    prices = _prices(world, {world.products[row].pk for row, _channels in rows})
    refused: Counter[str] = Counter()
    usable = []
    for row, channels in rows:
        reason = _refusal(world, row, channels, prices)
        if reason:
            refused[reason] += 1
        else:
            usable.append((row, channels))
    return usable, prices, refused


def _shared_rows(
    world: PlanningWorld, names: Mapping[int, str]
) -> list[tuple[int, tuple[int, ...]]]:
    """Return the rows that several channels sell, with them; the dearest sales first."""
    found: dict[Pair, list[int]] = defaultdict(list)
    series = SeriesForecast.objects.filter(run=world.run, channel_id__in=list(names)).order_by(
        "product_id", "warehouse_id", "channel_id"
    )
    for product, warehouse, channel in series.values_list(
        "product_id", "warehouse_id", "channel_id"
    ):
        if channel is not None:
            found[product, warehouse].append(channel)
    value = world.unit_prices() * world.demand.mean_daily
    rows = [
        (row, tuple(found[key.product_id, key.warehouse_id]))
        for row, key in enumerate(world.keys)
        if len(found.get((key.product_id, key.warehouse_id), ())) > 1
    ]
    return sorted(rows, key=lambda one: -value[one[0]])[:MOST_CASES]


def _prices(world: PlanningWorld, products: set[int]) -> dict[Pair, float]:
    """Return what a unit of a product sells for in a channel, by both."""
    rows = (
        DailyDemand.objects.filter(
            product_id__in=products,
            business_day__gt=world.today - timedelta(days=PRICED_DAYS),
            revenue__gt=0,
            quantity__gt=0,
        )
        .exclude(channel=None)
        .order_by()
        .values_list("product_id", "channel_id")
        .annotate(revenue=Sum("revenue"), units=Sum("quantity"))
    )
    return {
        (product, channel): float(revenue / units)
        for product, channel, revenue, units in rows
        if channel is not None
    }


def _refusal(
    world: PlanningWorld, row: int, channels: tuple[int, ...], prices: Mapping[Pair, float]
) -> str:
    product, supply = world.products[row], world.supplies[row]
    if world.is_stale:
        return "stale_forecast"
    if not world.positions[row].is_kept:
        return "stock_unknown"
    if unit_cost(product, supply) is None:
        return "no_cost"
    if supply is None or not supply.lead_time_known:
        return "no_lead_time"
    if any((product.pk, channel) not in prices for channel in channels):
        return "no_revenue"
    return ""


def _cases(
    world: PlanningWorld,
    rows: list[tuple[int, tuple[int, ...]]],
    prices: Mapping[Pair, float],
) -> list[BufferCase]:
    if not rows:
        return []
    place = {(world.keys[row].product_id, world.keys[row].warehouse_id): row for row, _ in rows}
    products = {product for product, _ in place}
    series = [
        one
        for one in SeriesForecast.objects.filter(run=world.run, product_id__in=products)
        .exclude(channel=None)
        .order_by("product_id", "warehouse_id", "channel_id")
        .values_list("product_id", "warehouse_id", "channel_id", "mean", "quantile_values")
        if (one[0], one[1]) in place
    ]
    own = np.array([place[one[0], one[1]] for one in series], dtype=int)
    demand = _channel_demand(world, own, series)
    at = {(one[0], one[1], one[2]): number for number, one in enumerate(series)}
    stock = _kept_stock(products)
    found = []
    for row, channels in rows:
        product, warehouse = world.products[row], world.keys[row].warehouse_id
        cost = float(unit_cost(product, world.supplies[row]) or 0)
        numbers = [at[product.pk, warehouse, channel] for channel in channels]
        days = float(demand.protection_days[numbers[0]])
        rate = float(world.policies[row].holding_cost_per_year)
        position = world.positions[row]
        kept = {channel: stock.get((channel, product.pk, warehouse)) for channel in channels}
        found.append(
            BufferCase(
                product=product,
                warehouse_id=warehouse,
                needs=tuple(
                    ChannelNeed(
                        channel,
                        demand.item(number),
                        prices[product.pk, channel] - cost,
                        float(own_stock[0]) if (own_stock := kept[channel]) else 0.0,
                    )
                    for channel, number in zip(channels, numbers, strict=True)
                ),
                prices={channel: prices[product.pk, channel] for channel in channels},
                kept={c: one[1] if one else Decimal(0) for c, one in kept.items()},
                holding=cost * rate * days / DAYS_PER_YEAR,
                stock=max(float(position.free - position.outgoing), 0.0),
                days=days,
            )
        )
    return found


def _channel_demand(
    world: PlanningWorld, own: NDArray[np.intp], series: Sequence[tuple[Any, ...]]
) -> IntervalDemand:
    """Return the demand of channels until goods can come again; own: their rows in the world."""
    mean = np.array([one[3] for one in series], dtype=float)
    levels = np.array([one[4] for one in series], dtype=float).reshape(*mean.shape, -1)
    mean, levels = mean[:, world.passed_days :], levels[:, world.passed_days :]
    # a planner changes what a warehouse sells of a product: every channel of it in proportion
    factor = world.override_factors[own][:, world.passed_days :]
    chosen = [world.supplies[row] for row in own]
    lead = np.array([world.lead_time_rows[s.item.pk] for s in chosen if s is not None], dtype=int)
    return interval_demand(
        demand_forecast(
            mean * factor, levels * factor[:, :, None], world.forecast.correlation[own]
        ),
        world.lead_times.select(lead),
        np.array([world.policies[row].review_period_days for row in own], dtype=int),
    )


def _kept_stock(products: set[int]) -> dict[tuple[int, int, int], tuple[Decimal, Decimal]]:
    """Return what is kept for a channel and from it, by channel, product and warehouse."""
    rows = ChannelStock.objects.filter(product_id__in=products).values_list(
        "channel_id", "product_id", "warehouse_id", "ring_fenced", "buffer"
    )
    return {(c, p, w): (fenced, buffer) for c, p, w, fenced, buffer in rows}


# -- the list -------------------------------------------------------------------------------------
def buffer_suggestions(state: str = SuggestionState.NEW) -> QuerySet[BufferSuggestion]:
    """Return suggested buffers of a state (empty: of all), the most gain first."""
    rows = BufferSuggestion.objects.select_related("channel", "product", "warehouse", "run")
    rows = in_allowed(rows, "warehouse_id").order_by("-gain", "id")
    return rows.filter(state=state) if state else rows


def get_buffer_suggestion(buffer_suggestion_id: int) -> BufferSuggestion:
    """Return the suggested buffer; raise ``NotFound``."""
    found = buffer_suggestions("").filter(pk=buffer_suggestion_id).first()
    if found is None:
        raise NotFound("buffer suggestion", buffer_suggestion_id)
    return found


def buffer_steps(suggestion: BufferSuggestion) -> list[dict[str, Any]]:
    """Return what is kept for each dearer channel, with the numbers behind it."""
    channels = {one["channel_id"]: one for one in suggestion.inputs["channels"]}
    return [channels[one["channel_id"]] | one for one in suggestion.inputs["protections"]]
