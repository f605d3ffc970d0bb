"""From promised stock to waves: who is fetched together, and in which order along the way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from inventory.rules.walking import Place, walking_path

ZERO = Decimal(0)


class PlanKind(StrEnum):
    """How picks are gathered: each order alone, several orders together, each zone alone."""

    SINGLE = "single"
    BATCH = "batch"
    ZONE = "zone"


@dataclass(frozen=True, slots=True)
class Candidate:
    """An allocation to fetch, in base units; ``volume_l`` of all of it, zero when unknown."""

    allocation_id: int
    order_id: int
    product_id: int
    place: Place
    lot_id: int | None = None
    zone_id: int | None = None
    quantity: Decimal = ZERO
    volume_l: Decimal = ZERO
    priority: int = 5
    promised_on: date | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What one person carries at once. ``lines`` are allocations; no ``volume_l`` is no limit."""

    orders: int = 12
    lines: int = 60
    volume_l: Decimal | None = None


@dataclass(frozen=True, slots=True)
class PlannedWave:
    """Allocations in walking order; ``zone_id`` for a zone's wave only."""

    kind: PlanKind
    zone_id: int | None
    picks: tuple[Candidate, ...]

    @property
    def order_count(self) -> int:
        return len({pick.order_id for pick in self.picks})

    @property
    def line_count(self) -> int:
        return len(self.picks)

    @property
    def stop_count(self) -> int:
        return len({pick.place.location_id for pick in self.picks})

    @property
    def volume_l(self) -> Decimal:
        return sum((pick.volume_l for pick in self.picks), ZERO)

    @property
    def first_code(self) -> str:
        return self.picks[0].place.code

    @property
    def last_code(self) -> str:
        return self.picks[-1].place.code


def plan_waves(
    candidates: Iterable[Candidate], kind: PlanKind, limits: Limits
) -> list[PlannedWave]:
    """Return waves that hold each candidate exactly once, the most urgent orders first.

    No wave exceeds the limits; only a single allocation that is larger than ``volume_l`` goes
    alone. An order is split between waves only when it exceeds the limits by itself.
    """
    if (
        limits.orders < 1
        or limits.lines < 1
        or (limits.volume_l is not None and not limits.volume_l > 0)
    ):
        raise ValueError("a wave needs room for one order and one line at least")
    return [
        PlannedWave(kind, zone_id, tuple(load))
        for zone_id, picks in _zones(candidates, kind)
        for load in _loads(_by_urgency(picks), kind, limits)
    ]


def in_walking_order(picks: Iterable[Candidate]) -> list[Candidate]:
    """Return the picks along the way; at one place by product, lot, then urgency of the order."""
    known = list(picks)
    at = {pk: number for number, pk in enumerate(walking_path(pick.place for pick in known))}
    return sorted(
        known,
        key=lambda pick: (
            at[pick.place.location_id],
            pick.product_id,
            pick.lot_id or 0,
            *_urgency(pick),
            pick.allocation_id,
        ),
    )


def _zones(
    candidates: Iterable[Candidate], kind: PlanKind
) -> Iterator[tuple[int | None, list[Candidate]]]:
    zones: dict[int | None, list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        zones[candidate.zone_id if kind == PlanKind.ZONE else None].append(candidate)
    # goods outside any zone come last
    yield from sorted(zones.items(), key=lambda zone: (zone[0] is None, zone[0] or 0))


def _by_urgency(picks: Iterable[Candidate]) -> list[list[Candidate]]:
    orders: dict[int, list[Candidate]] = defaultdict(list)
    for pick in picks:
        orders[pick.order_id].append(pick)
    return sorted(orders.values(), key=lambda order: _urgency(order[0]))


def _urgency(pick: Candidate) -> tuple[int, date, int]:
    return pick.priority, pick.promised_on or date.max, pick.order_id


def _loads(
    orders: Sequence[list[Candidate]], kind: PlanKind, limits: Limits
) -> Iterator[list[Candidate]]:
    load = _Load(limits)
    for order in orders:
        fits = kind != PlanKind.SINGLE and load.takes(order)
        if load.picks and not fits:
            yield in_walking_order(load.picks)
            load = _Load(limits)
        if load.takes(order):
            load.add(order)
            continue
        # too much for one walk: it is cut along the way
        *full, rest = _cut(in_walking_order(order), limits)
        yield from full
        load.add(rest)
    if load.picks:
        yield in_walking_order(load.picks)


def _cut(picks: Iterable[Candidate], limits: Limits) -> list[list[Candidate]]:
    loads = [_Load(limits)]
    for pick in picks:
        if loads[-1].picks and not loads[-1].takes([pick]):
            loads.append(_Load(limits))
        loads[-1].add([pick])
    return [load.picks for load in loads]


class _Load:
    """What is gathered for one wave so far."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.picks: list[Candidate] = []
        self.orders: set[int] = set()
        self.volume_l = ZERO

    def takes(self, picks: Sequence[Candidate]) -> bool:
        orders = self.orders | {pick.order_id for pick in picks}
        volume = self.volume_l + sum((pick.volume_l for pick in picks), ZERO)
        return (
            len(orders) <= self.limits.orders
            and len(self.picks) + len(picks) <= self.limits.lines
            and (self.limits.volume_l is None or volume <= self.limits.volume_l)
        )

    def add(self, picks: Sequence[Candidate]) -> None:
        self.picks += picks
        self.orders |= {pick.order_id for pick in picks}
        self.volume_l += sum((pick.volume_l for pick in picks), ZERO)
