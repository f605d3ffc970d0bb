"""Draw the demand of a simulated company. Pure and deterministic by seed: arrays in, arrays out."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.demo.specs import Range, Trade

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

PROMOTION_DAYS = 7
EASTER_NAMES = ("Chocolate eggs 200 g",)


@dataclass(frozen=True)
class SimulatedProduct:
    """``launch`` and ``decline`` are day numbers (None: was always there, never declines)."""

    sku: str
    name: str
    range: Range
    rank: int
    price: float
    cost: float
    units_a_day: float
    launch: int | None
    decline: int | None


@dataclass(frozen=True)
class World:
    """One company over ``days``; P products, W warehouses, C channels, D days.

    ``demand`` [P, W, C, D] is what customers want, in whole units; ``promoted`` [P, D + ahead]
    marks promotion days, the planned ones after the last day included.
    """

    trade: Trade
    first_day: dt.date
    products: tuple[SimulatedProduct, ...]
    demand: Counts
    promoted: NDArray[np.bool_]


def draw_world(
    trade: Trade, *, first_day: dt.date, days: int, ahead: int, holidays: set[dt.date], seed: int
) -> World:
    """Draw products, promotions and demand of ``trade`` for ``days`` days from ``first_day``."""
    rng = np.random.default_rng(seed)
    products = _draw_products(trade, days, rng)
    calendar = [first_day + dt.timedelta(days=d) for d in range(days + ahead)]
    promoted = _draw_promotions(len(products), len(calendar), rng)
    rate = _rates(trade, products, calendar, promoted, holidays, rng)[:, :days]
    split = _shares(trade, len(products), days, rng)
    demand = _draw_counts(trade, products, rate[:, None, None, :] * split, rng)
    return World(trade, first_day, products, demand, promoted)


def _draw_products(
    trade: Trade, days: int, rng: np.random.Generator
) -> tuple[SimulatedProduct, ...]:
    products: list[SimulatedProduct] = []
    for family in trade.ranges:
        for rank, name in enumerate(family.names):
            price = round(family.price * float(rng.lognormal(0, 0.35)), 2)
            fate = rng.random()
            launch = _day_in_second_half(days, 45, rng) if fate < 0.09 else None
            decline = _day_in_second_half(days, 90, rng) if 0.09 <= fate < 0.16 else None
            busy = family.units_a_day * float(np.exp(-0.16 * rank)) * float(rng.lognormal(0, 0.2))
            sku = f"{trade.sku_prefix}-{len(products) + 1:04d}"
            cost = round(price * (1 - family.margin), 2)
            products.append(
                SimulatedProduct(sku, name, family, rank, price, cost, busy, launch, decline)
            )
    return tuple(products)


def _day_in_second_half(days: int, before_end: int, rng: np.random.Generator) -> int:
    first = days // 2
    return int(rng.integers(first, max(first + 1, days - before_end)))


def _draw_promotions(products: int, days: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Promote each product about four times a year, a week at a time."""
    promoted = np.zeros((products, days), dtype=bool)
    starts = rng.random((products, days)) < 4 / 365
    for offset in range(PROMOTION_DAYS):
        promoted[:, offset:] |= starts[:, : days - offset]
    return promoted


def _rates(
    trade: Trade,
    products: tuple[SimulatedProduct, ...],
    calendar: list[dt.date],
    promoted: NDArray[np.bool_],
    holidays: set[dt.date],
    rng: np.random.Generator,
) -> Floats:
    """Return the expected units [P, D] of every product and day, all channels together."""
    day_of_year = np.array([d.timetuple().tm_yday for d in calendar])
    weekday = np.array(trade.weekday)[[d.weekday() for d in calendar]]
    closed = np.array([d in holidays for d in calendar])
    eve = np.array([d + dt.timedelta(days=1) in holidays for d in calendar])
    shop = weekday * np.where(closed, trade.holiday_factor, 1.0) * np.where(eve, 1.35, 1.0)
    rows = []
    for number, product in enumerate(products):
        weather = _slow_noise(len(calendar), rng)
        uplift = 1 + promoted[number] * float(rng.uniform(0.4, 1.5))
        trend = 1 + float(rng.normal(0.06, 0.10)) * np.arange(len(calendar)) / 365
        life = _life(product, len(calendar))
        rows.append(
            product.units_a_day * _season(product, day_of_year) * shop * weather * uplift
            * np.maximum(trend, 0.2) * life
        )  # fmt: skip
    return np.array(rows)


def _season(product: SimulatedProduct, day_of_year: NDArray[np.int64]) -> Floats:
    """Return the yearly curve; strongly seasonal goods get a narrow peak instead of a wave."""
    peak = 105 if product.name in EASTER_NAMES else (product.range.season_peak - 0.5) * 30.4
    if product.range.category == "Seasonal" and product.name.startswith(
        ("Charcoal", "Barbecue", "Ice", "Sun")
    ):
        peak = 190
    angle = 2 * np.pi * (day_of_year - peak) / 365.25
    if product.range.season_swing > 0.5:
        return np.asarray(0.08 + 2.6 * np.exp(4.0 * (np.cos(angle) - 1)))
    return np.asarray(1 + product.range.season_swing * np.cos(angle))


def _slow_noise(days: int, rng: np.random.Generator) -> Floats:
    """Return a level that wanders around 1 with a memory of about three weeks."""
    steps = rng.normal(0, 0.035, days)
    level = np.empty(days)
    state = 0.0
    for day in range(days):
        state = 0.95 * state + steps[day]
        level[day] = state
    return np.asarray(np.exp(level))


def _life(product: SimulatedProduct, days: int) -> Floats:
    day = np.arange(days)
    life = np.ones(days)
    if product.launch is not None:
        life = np.where(
            day < product.launch, 0.0, np.minimum(1.0, 0.25 + (day - product.launch) / 60)
        )
    if product.decline is not None:
        life = life * np.where(day < product.decline, 1.0, np.exp(-(day - product.decline) / 70))
    return np.asarray(life)


def _shares(trade: Trade, products: int, days: int, rng: np.random.Generator) -> Floats:
    """Return how demand splits over warehouses and channels [P, W, C, D]; it sums to 1 each day."""
    places = np.array([share for _, _, share in trade.warehouses])
    years = np.arange(days) / 365
    channels = np.array([c.share * np.exp(c.share_growth * years) for c in trade.channels])
    taste = rng.lognormal(0, 0.25, (products, len(places), len(channels)))
    split = taste[..., None] * places[None, :, None, None] * channels[None, None]
    return np.asarray(split / split.sum(axis=(1, 2), keepdims=True))


def _draw_counts(
    trade: Trade, products: tuple[SimulatedProduct, ...], rate: Floats, rng: np.random.Generator
) -> Counts:
    """Draw whole units: negative binomial for the grocer, a few larger orders for the dealer."""
    if not trade.intermittent:
        dispersion = 6.0
        level = rng.gamma(dispersion, 1 / dispersion, rate.shape)
        return np.asarray(rng.poisson(rate * level), dtype=np.int64)
    size = np.array([p.range.size for p in products])[:, None, None, None]
    orders = rng.poisson(rate / size)
    extra = rng.poisson(orders * (size - 1) * rng.gamma(1.5, 1 / 1.5, rate.shape))
    return np.asarray(orders + np.where(orders > 0, extra, 0), dtype=np.int64)
