"""Let a simulated company trade: customers buy what is there, a buyer reorders by a rule of thumb.

Pure and deterministic: the result is a list of days with everything that happened on them.
``loading`` tells it to the real services. The buyer is deliberately ordinary (mean of the last four
weeks times lead time and review period), so that stock-outs, excess and waste arise as in life.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from forecasting.demo.specs import SupplierSpec
from forecasting.demo.world import SimulatedProduct, World

MEMORY_DAYS = 28
Place = tuple[int, int]
"""A product and a warehouse, by their positions in the world."""


@dataclass(frozen=True)
class Parcel:
    """Units of a product in a warehouse; ``lot`` is the day it arrived where lots are tracked."""

    product: int
    warehouse: int
    units: int
    lot: int | None = None


@dataclass(frozen=True)
class SimulatedOrder:
    key: int
    supplier: str
    warehouse: int
    lines: tuple[Parcel, ...]
    placed_day: int


@dataclass
class TradingDay:
    """``demand`` holds (product, warehouse, channel, units) as sold; the rest was never seen."""

    number: int
    opening: list[Parcel] = field(default_factory=list)
    received: list[SimulatedOrder] = field(default_factory=list)
    shipped: list[Parcel] = field(default_factory=list)
    demand: list[tuple[int, int, int, int]] = field(default_factory=list)
    expired: list[Parcel] = field(default_factory=list)
    lost: list[Parcel] = field(default_factory=list)
    placed: list[SimulatedOrder] = field(default_factory=list)


def tracks_lots(product: SimulatedProduct) -> bool:
    """Tell whether the company keeps lots of this product: what spoils within three weeks or so."""
    return product.range.shelf_life_days is not None and product.range.category == "Dairy"


def trade(world: World, *, seed: int) -> list[TradingDay]:
    """Return every day of the company's trading, in order."""
    company = _Company(world, np.random.default_rng(seed))
    return [company.live(day) for day in range(world.demand.shape[-1])]


class _Company:
    """The state between two days: stock by arrival day, orders under way, what was sold lately."""

    def __init__(self, world: World, rng: np.random.Generator) -> None:
        self.world = world
        self.rng = rng
        products, places, _, days = world.demand.shape
        self.stock: dict[Place, dict[int, int]] = defaultdict(dict)
        self.on_order: NDArray[np.int64] = np.zeros((products, places), dtype=np.int64)
        self.sold: NDArray[np.int64] = np.zeros((products, places, days), dtype=np.int64)
        self.in_stock: NDArray[np.bool_] = np.zeros((products, places, days), dtype=bool)
        self.under_way: dict[int, list[SimulatedOrder]] = defaultdict(list)
        self.suppliers = {s.code: s for s in world.trade.suppliers}
        self.orders = 0

    def live(self, number: int) -> TradingDay:
        day = TradingDay(number)
        if number == 0:
            self._open(day)
        self._receive(day)
        self._expire(day)
        self._sell(day)
        self._lose(day)
        for supplier in self.world.trade.suppliers:
            if number % supplier.order_every_days == 0:
                self._order(day, supplier)
        return day

    def _on_hand(self, place: Place) -> int:
        return sum(self.stock[place].values())

    def _take(self, place: Place, units: int) -> list[Parcel]:
        """Take units, oldest arrival first; lots are named only where they are tracked."""
        parcels: list[Parcel] = []
        lots = self.stock[place]
        tracked = tracks_lots(self.world.products[place[0]])
        for arrival in sorted(lots):
            if units == 0:
                break
            taken = min(units, lots[arrival])
            units -= taken
            lots[arrival] -= taken
            if lots[arrival] == 0:
                del lots[arrival]
            parcels.append(Parcel(*place, taken, arrival if tracked else None))
        if not tracked and parcels:
            return [Parcel(*place, sum(p.units for p in parcels))]
        return parcels

    def _open(self, day: TradingDay) -> None:
        for p, product in enumerate(self.world.products):
            if product.launch is not None:
                continue
            supplier = self.suppliers[product.range.supplier]
            for w, (_, _, share) in enumerate(self.world.trade.warehouses):
                cover = supplier.lead_time_days + supplier.order_every_days + 2
                units = max(product.range.case, round(product.units_a_day * share * cover))
                self.stock[p, w][0] = units
                day.opening.append(Parcel(p, w, units, 0 if tracks_lots(product) else None))

    def _receive(self, day: TradingDay) -> None:
        for order in self.under_way.pop(day.number, []):
            lines = []
            for line in order.lines:
                lots = self.stock[line.product, line.warehouse]
                lots[day.number] = lots.get(day.number, 0) + line.units
                self.on_order[line.product, line.warehouse] -= line.units
                lot = day.number if tracks_lots(self.world.products[line.product]) else None
                lines.append(Parcel(line.product, line.warehouse, line.units, lot))
            day.received.append(replace(order, lines=tuple(lines)))

    def _expire(self, day: TradingDay) -> None:
        """Throw away on the day after the last day of the shelf life."""
        for place, lots in self.stock.items():
            life = self.world.products[place[0]].range.shelf_life_days
            if life is None:
                continue
            tracked = tracks_lots(self.world.products[place[0]])
            for arrival in [a for a in lots if day.number > a + life]:
                day.expired.append(Parcel(*place, lots.pop(arrival), arrival if tracked else None))

    def _sell(self, day: TradingDay) -> None:
        wanted = self.world.demand[..., day.number]
        for p, w in np.argwhere(wanted.sum(axis=2) >= 0):
            place = (int(p), int(w))
            left = self._on_hand(place)
            self.in_stock[p, w, day.number] = left > 0
            if left == 0 or not wanted[p, w].any():
                continue
            sold = 0
            for c in self.rng.permutation(wanted.shape[2]):
                units = min(int(wanted[p, w, c]), left - sold)
                if units > 0:
                    day.demand.append((*place, int(c), units))
                    sold += units
            self.sold[p, w, day.number] = sold
            day.shipped += self._take(place, sold)

    def _lose(self, day: TradingDay) -> None:
        """Lose a unit now and then: breakage and theft that a count would find."""
        for place in list(self.stock):
            if self._on_hand(place) > 5 and self.rng.random() < 0.002:
                day.lost += self._take(place, 1)

    def _order(self, day: TradingDay, supplier: SupplierSpec) -> None:
        for w in range(len(self.world.trade.warehouses)):
            lines = tuple(
                Parcel(p, w, units)
                for p, product in enumerate(self.world.products)
                if product.range.supplier == supplier.code
                and (units := self._wanted_units(p, w, day.number, supplier)) > 0
            )
            value = sum(self.world.products[line.product].cost * line.units for line in lines)
            if not lines or value < supplier.minimum_order_value:
                continue
            late = self.rng.random() < supplier.late_share
            factor = (
                self.rng.uniform(1, supplier.late_factor) if late else self.rng.uniform(0.85, 1.1)
            )
            arrives = day.number + max(1, round(supplier.lead_time_days * factor))
            self.orders += 1
            order = SimulatedOrder(self.orders, supplier.code, w, lines, day.number)
            self.under_way[arrives].append(order)
            for line in lines:
                self.on_order[line.product, w] += line.units
            day.placed.append(order)

    def _wanted_units(self, p: int, w: int, day: int, supplier: SupplierSpec) -> int:
        """Order up to the mean of four weeks times the protection interval, in whole cases."""
        product = self.world.products[p]
        protection = supplier.lead_time_days + supplier.order_every_days
        if product.launch is not None and day < product.launch - protection:
            return 0
        start = max(0, day - MEMORY_DAYS + 1)
        seen = self.in_stock[p, w, start : day + 1]
        sold = self.sold[p, w, start : day + 1].sum()
        share = self.world.trade.warehouses[w][2]
        new = product.launch is not None and day < product.launch + 14
        a_day = product.units_a_day * share * 0.4 if new else sold / max(seen.sum(), 7)
        target = a_day * protection * 1.25 + (1 if a_day > 0 else 0)
        if product.range.shelf_life_days is not None:
            target = min(target, a_day * product.range.shelf_life_days * 0.9)
        missing = target - self._on_hand((p, w)) - self.on_order[p, w]
        if missing <= 0 or a_day <= 0.01:
            return 0
        case = product.range.case
        return int(np.ceil(missing / case) * case)
