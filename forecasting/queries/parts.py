"""Who will ask for a product: its forecast by channel and by customer segment."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from forecasting.models import SegmentForecast, SeriesForecast
from forecasting.queries.forecasts import get_series
from inventory.models import Channel, CustomerSegment
from tenancy.errors import Invalid, NotFound

Forecast = SeriesForecast | SegmentForecast
"""Of a series, of one channel, or of one segment."""
SMALLEST_REST = 0.005
"""A smaller rest is rounding."""


@dataclass(frozen=True)
class PartShown:
    """A channel or segment: units over the horizon, and their share in those of the series.

    part_id and name are empty for demand whose channel or segment was not said.
    """

    kind: str
    part_id: int | None
    name: str
    total_mean: float
    share: float
    mean: list[float]
    quantile_values: list[float]


def get_forecast(
    product_id: int,
    warehouse_id: int,
    channel_id: int | None = None,
    segment_id: int | None = None,
) -> Forecast:
    """Return the forecast in use of a series, or of one channel or segment of it.

    Raises ``Invalid`` for both at once, and ``NotFound``.
    """
    if segment_id is None:
        return get_series(product_id, warehouse_id, channel_id)
    if channel_id is not None:
        text = _("Give a channel or a segment: no forecast is of both.")
        raise Invalid.field("segment_id", "not_both", text)
    whole = get_series(product_id, warehouse_id)
    rows = SegmentForecast.objects.select_related("product", "warehouse", "segment", "run__network")
    found = rows.filter(
        run_id=whole.run_id, product_id=product_id, warehouse_id=warehouse_id, segment_id=segment_id
    ).first()
    if found is None:
        raise NotFound("forecast", f"{product_id}/{warehouse_id}")
    return found


def part_name(forecast: Forecast) -> str:
    """Return the channel or segment that a forecast is of; empty for all of them together."""
    part = forecast.segment if isinstance(forecast, SegmentForecast) else forecast.channel
    return str(part.name) if part else ""


def parts_of(series: SeriesForecast) -> list[PartShown]:
    """Return channels, then segments, each the largest first; none where demand says neither.

    What was said of nobody is the rest, so that each kind adds up to the forecast of the series.
    """
    where = {
        "run_id": series.run_id,
        "product_id": series.product_id,
        "warehouse_id": series.warehouse_id,
    }
    channels = SeriesForecast.objects.filter(**where).exclude(channel=None)
    segments = SegmentForecast.objects.filter(**where)
    return [
        *_shown(series, "channel", [(r.channel, r) for r in channels.select_related("channel")]),
        *_shown(series, "segment", [(r.segment, r) for r in segments.select_related("segment")]),
    ]


def _shown(
    series: SeriesForecast,
    kind: str,
    rows: list[tuple[Channel | CustomerSegment, SeriesForecast | SegmentForecast]],
) -> list[PartShown]:
    whole = series.total_mean
    parts = [
        PartShown(
            kind=kind,
            part_id=part.pk,
            name=part.name,
            total_mean=row.total_mean,
            share=row.total_mean / whole if whole else 0.0,
            mean=row.mean,
            quantile_values=row.quantile_values,
        )
        for part, row in rows
    ]
    parts.sort(key=lambda one: (-one.total_mean, one.name))
    rest = whole - sum(one.total_mean for one in parts)
    if parts and rest > SMALLEST_REST * whole:
        days = zip(series.mean, *(one.mean for one in parts), strict=True)
        left = [max(day - sum(said), 0.0) for day, *said in days]
        parts.append(PartShown(kind, None, "", rest, rest / whole, left, []))
    return parts
