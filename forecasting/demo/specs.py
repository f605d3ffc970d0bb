"""What a simulated company is described by: ranges of products, suppliers, channels."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Range:
    """A category of products. ``names`` are listed with the busiest seller first.

    ``units_a_day`` is the mean demand of the busiest product, ``season_peak`` the month (1-12) of
    highest demand, ``season_swing`` its share above the mean, ``size`` the mean units per line.
    """

    category: str
    names: tuple[str, ...]
    units_a_day: float
    price: float
    margin: float
    supplier: str
    season_peak: int
    season_swing: float
    shelf_life_days: int | None = None
    case: int = 6
    size: float = 1.0


@dataclass(frozen=True)
class SupplierSpec:
    """``late_share`` of deliveries take up to ``late_factor`` times the promised lead time."""

    code: str
    name: str
    lead_time_days: int
    late_share: float
    late_factor: float
    order_every_days: int
    minimum_order_value: float = 0.0
    transport_cost: float = 0.0
    transport_mode: str = "truck"
    country: str = ""


@dataclass(frozen=True)
class ChannelSpec:
    code: str
    name: str
    kind: str
    share: float
    share_growth: float


@dataclass(frozen=True)
class Trade:
    """A company: its weekday pattern starts on Monday, ``closed_weekdays`` sell nothing."""

    slug: str
    name: str
    time_zone: str
    country: str
    currency: str
    warehouses: tuple[tuple[str, str, float], ...]
    channels: tuple[ChannelSpec, ...]
    suppliers: tuple[SupplierSpec, ...]
    ranges: tuple[Range, ...]
    weekday: tuple[float, ...]
    holiday_factor: float
    intermittent: bool
    sku_prefix: str
