"""Who will ask for a product: its forecast by channel and by customer segment."""

from __future__ import annotations

from dataclasses import dataclass

from forecasting.models import SegmentForecast, SeriesForecast
from inventory.models import Channel, CustomerSegment

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
