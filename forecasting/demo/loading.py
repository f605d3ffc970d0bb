"""Tell a simulated company's trading to the real services, at most a fortnight in a transaction.

Killed in between, the next run replays the simulation in memory (it is deterministic) and goes on
after the last days that were committed.
"""

from __future__ import annotations

import datetime as dt
import math
import random
import zoneinfo
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import partial
from itertools import pairwise

from django.db.models import Max, Min

from forecasting.demo.masters import Masters, money, set_up, weight_of
from forecasting.demo.specs import Trade
from forecasting.demo.trading import Parcel, SimulatedOrder, TradingDay, trade
from forecasting.demo.world import World, draw_world
from forecasting.queries.signals import holiday_names
from inventory.models import (
    LocationKind,
    MovementReason,
    PurchaseOrder,
    PurchaseOrderLine,
    StockMovement,
)
from inventory.services.demand import DemandLine, record_demand
from inventory.services.ledger import MovementLine, post_movements
from inventory.services.lots import LotLabel, ensure_lots
from inventory.services.opening_stock import OpeningLine, post_opening_stock
from inventory.services.purchase_transport import set_transport
from inventory.services.purchasing import OrderLine, create_draft_order, place_order
from inventory.services.receiving import ReceiptLine, receive_order
from tenancy.models import Tenant
from tenancy.scope import Actor, run_in_scope

HISTORY_DAYS = 730
AHEAD_DAYS = 56
WEEK, FORTNIGHT = 7, 14
LAST_WEEKS = (28, 21, 14, 7)
"""So many days before the end the telling pauses, for whoever wants to act as on that evening."""
SEED = 20_240_917
USUAL_WEIGHT = 250.0
"""Kilograms for which a supplier's stated transport cost is about right."""
ACTOR = Actor.system("demo simulator")

Progress = Callable[[int, int, str], None]
Evening = Callable[[int], None]
"""Called with the days that are left, when nothing of these days is in the database yet."""


def load_trade(
    company: Trade,
    tenant: Tenant,
    *,
    through: dt.date,
    progress: Progress,
    history_days: int = HISTORY_DAYS,
    on_evening: Evening | None = None,
) -> int:
    """Let a simulated company trade for two years up to ``through``; return the days added.

    A company that has begun keeps its first day, so that a later run only finishes what is missing.
    Killed before ``on_evening`` has ended, it is called again for that evening.
    """
    begun, last = run_in_scope(tenant, ACTOR, _days_traded)
    first_day = begun or through - dt.timedelta(days=history_days - 1)
    days_told = 0 if last is None else (last - first_day).days + 1
    ends = batch_ends(history_days)
    done = next(end for end in (0, *ends) if end >= min(days_told, history_days))
    if done == history_days:
        return 0
    last_planned = first_day + dt.timedelta(days=history_days + AHEAD_DAYS)
    world = draw_world(
        company,
        first_day=first_day,
        days=history_days,
        ahead=AHEAD_DAYS,
        holidays=set(holiday_names(company.country, first_day, last_planned)),
        seed=SEED,
    )
    teller = Teller(world, run_in_scope(tenant, ACTOR, partial(set_up, world)))
    days = trade(world, seed=SEED + 1)
    for begin, end in pairwise((done, *[end for end in ends if end > done])):
        if on_evening and begin and history_days - begin in LAST_WEEKS:
            on_evening(history_days - begin)
        run_in_scope(tenant, ACTOR, partial(teller.tell, days[begin:end]))
        progress(end, history_days, str(teller.date(end - 1)))
    return history_days - done


def batch_ends(history_days: int) -> list[int]:
    """Return after how many days a transaction ends: every fortnight, lately every week.

    No two are so close that all days between could pass without a movement: the last movement says
    where a load that was killed has got to.
    """
    pauses = [history_days - left for left in LAST_WEEKS if left < history_days]
    first_pause = min(pauses, default=history_days)
    fortnights = range(first_pause - FORTNIGHT, WEEK - 1, -FORTNIGHT)
    return sorted({*fortnights, *pauses, history_days})


def _days_traded() -> tuple[dt.date | None, dt.date | None]:
    found = StockMovement.objects.aggregate(first=Min("business_day"), last=Max("business_day"))
    return found["first"], found["last"]


class Teller:
    """Turns what happened in the simulated world into calls of the real services."""

    def __init__(self, world: World, masters: Masters) -> None:
        self.world = world
        self.masters = masters
        self.zone = zoneinfo.ZoneInfo(world.trade.time_zone)

    def date(self, day: int) -> dt.date:
        """Return the date of a day number."""
        return self.world.first_day + dt.timedelta(days=day)

    def tell(self, days: Iterable[TradingDay]) -> None:
        """Post the given days, in order, in the active tenant."""
        for day in days:
            self._open(day)
            self._receive(day)
            self._post(day, day.expired, MovementReason.EXPIRED, LocationKind.LOSS, hour=6)
            self._record_demand(day)
            self._post(day, day.shipped, MovementReason.SHIPMENT, LocationKind.CUSTOMER, hour=17)
            self._post(day, day.lost, MovementReason.COUNT, LocationKind.LOSS, hour=18)
            for order in day.placed:
                self._place(order)

    def _moment(self, day: int, hour: int) -> dt.datetime:
        return dt.datetime.combine(self.date(day), dt.time(hour), tzinfo=self.zone)

    def _virtual(self, warehouse: int, kind: LocationKind) -> int:
        return self.masters.virtual[warehouse, kind]

    def _lots(self, parcels: Iterable[Parcel]) -> list[int | None]:
        parcels = list(parcels)
        labels = [self._label(p) for p in parcels if p.lot is not None]
        found = iter(ensure_lots(labels=labels))
        return [None if p.lot is None else next(found) for p in parcels]

    def _label(self, parcel: Parcel) -> LotLabel:
        assert parcel.lot is not None  # noqa: S101 - asked for lots only
        arrived = self.date(parcel.lot)
        life = self.world.products[parcel.product].range.shelf_life_days or 0
        return LotLabel(
            product_id=self.masters.products[parcel.product],
            code=f"L{arrived:%y%m%d}",
            expires_on=arrived + dt.timedelta(days=life),
        )

    def _open(self, day: TradingDay) -> None:
        for warehouse, warehouse_id in enumerate(self.masters.warehouses):
            parcels = [p for p in day.opening if p.warehouse == warehouse]
            if not parcels:
                continue
            lines = [
                OpeningLine(
                    product_id=self.masters.products[p.product],
                    quantity=Decimal(p.units),
                    location_id=self.masters.shelves[p.product, p.warehouse],
                    lot_id=lot,
                    unit_cost=money(self.world.products[p.product].cost),
                )
                for p, lot in zip(parcels, self._lots(parcels), strict=True)
            ]
            at = self._moment(day.number, 5)
            post_opening_stock(warehouse_id=warehouse_id, lines=lines, effective_at=at)

    def _receive(self, day: TradingDay) -> None:
        """Receive each order at the dock, then put everything away in one round."""
        docked: list[Parcel] = []
        for order in day.received:
            found = PurchaseOrder.objects.get(note=_note(order))
            products = {
                line.product_id: line.pk
                for line in PurchaseOrderLine.objects.filter(order_id=found.pk)
            }
            lines = []
            for parcel in order.lines:
                line_id = products[self.masters.products[parcel.product]]
                label = self._label(parcel) if parcel.lot is not None else None
                lines.append(
                    ReceiptLine(
                        line_id=line_id,
                        quantity=Decimal(parcel.units),
                        lot_code=label.code if label else "",
                        expires_on=label.expires_on if label else None,
                    )
                )
            receive_order(order_id=found.pk, lines=lines, received_at=self._moment(day.number, 7))
            set_transport(
                order_id=found.pk,
                transport_mode=found.transport_mode,
                transport_cost=self._freight(order),
            )
            docked += order.lines
        moves = [
            self._line(p, lot, self._virtual(p.warehouse, LocationKind.RECEIVING), None)
            for p, lot in zip(docked, self._lots(docked), strict=True)
        ]
        if moves:
            post_movements(lines=moves, effective_at=self._moment(day.number, 8))

    def _freight(self, order: SimulatedOrder) -> Decimal:
        """Return what the carrier asks: less than in proportion to the weight."""
        products = self.world.products
        weight = sum(float(weight_of(products[p.product])) * p.units for p in order.lines)
        spec = next(s for s in self.world.trade.suppliers if s.code == order.supplier)
        luck = random.Random(SEED + order.key).gauss(0, 0.15)  # noqa: S311  a simulation
        return money(spec.transport_cost * (weight / USUAL_WEIGHT) ** 0.6 * math.exp(luck))

    def _line(
        self,
        parcel: Parcel,
        lot: int | None,
        source: int | None,
        target: int | None,
        reason: MovementReason = MovementReason.PUT_AWAY,
    ) -> MovementLine:
        """Return a movement; an empty source or target is the product's own shelf."""
        shelf = self.masters.shelves[parcel.product, parcel.warehouse]
        return MovementLine(
            product_id=self.masters.products[parcel.product],
            from_location_id=source or shelf,
            to_location_id=target or shelf,
            quantity=Decimal(parcel.units),
            reason=reason,
            lot_id=lot,
        )

    def _post(
        self,
        day: TradingDay,
        parcels: list[Parcel],
        reason: MovementReason,
        target: LocationKind,
        *,
        hour: int,
    ) -> None:
        if not parcels:
            return
        lines = [
            self._line(p, lot, None, self._virtual(p.warehouse, target), reason)
            for p, lot in zip(parcels, self._lots(parcels), strict=True)
        ]
        post_movements(lines=lines, effective_at=self._moment(day.number, hour))

    def _record_demand(self, day: TradingDay) -> None:
        prices = [money(p.price) for p in self.world.products]
        record_demand(
            lines=[
                DemandLine(
                    product_id=self.masters.products[p],
                    warehouse_id=self.masters.warehouses[w],
                    channel_id=self.masters.channels[c],
                    business_day=self.date(day.number),
                    quantity=Decimal(units),
                    revenue=prices[p] * units,
                )
                for p, w, c, units in day.demand
            ]
        )

    def _place(self, order: SimulatedOrder) -> None:
        draft = create_draft_order(
            supplier_id=self.masters.suppliers[order.supplier],
            warehouse_id=self.masters.warehouses[order.warehouse],
            lines=[
                OrderLine(
                    product_id=self.masters.products[line.product], quantity=Decimal(line.units)
                )
                for line in order.lines
            ],
            note=_note(order),
        )
        at = self._moment(order.placed_day, 19)
        place_order(order_id=draft.pk, placed_at=at, accept_below_minimum=True)


def _note(order: SimulatedOrder) -> str:
    """Name a simulated order, so that its receipt finds it also after a restart."""
    return f"Simulated order {order.key}"
