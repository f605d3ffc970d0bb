"""Where received goods belong: places in order of fit, with quantities and the reason for each.

Tried in turn: where the same lot lies, the product's fixed place, the zones of its rules (each, and
when it is full the zone it overflows into), any place with room. It never blocks: what fits nowhere
gets a place all the same, as the last resort.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_FLOOR, Decimal
from enum import StrEnum

from inventory.rules.units import SMALLEST_UNIT

NOTHING = Decimal(0)
UNLIMITED = Decimal("Infinity")


class Mixing(StrEnum):
    """What may lie together at a place."""

    ANY = "any"
    ONE_PRODUCT = "one_product"
    ONE_LOT = "one_lot"


class Why(StrEnum):
    """Why a place is suggested."""

    SAME_LOT = "same_lot"
    FIXED_PLACE = "fixed_place"
    ZONE = "zone"
    OVERFLOW_ZONE = "overflow_zone"
    ROOM = "room"
    LAST_RESORT = "last_resort"


class Limit(StrEnum):
    """What a place does not allow."""

    MIXING = "mixing"
    VOLUME = "volume"
    WEIGHT = "weight"


@dataclass(frozen=True, slots=True)
class Goods:
    """What is to be put away, in base units. A volume or weight that is not known takes none."""

    product_id: int
    lot_id: int | None
    quantity: Decimal
    whole_units: bool = True
    unit_volume_l: Decimal = NOTHING
    unit_weight_kg: Decimal = NOTHING


@dataclass(frozen=True, slots=True)
class Place:
    """A storage place and what lies there: how many products and lots, and which of interest."""

    location_id: int
    zone_id: int | None = None
    walking_order: int = 0
    code: str = ""
    mixing: Mixing = Mixing.ANY
    max_volume_l: Decimal | None = None
    max_weight_kg: Decimal | None = None
    used_volume_l: Decimal = NOTHING
    used_weight_kg: Decimal = NOTHING
    products: int = 0
    lots: int = 0
    holds: frozenset[tuple[int, int | None]] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Rule:
    """A place or a zone for one product, one category, or (neither named) for everything."""

    rule_id: int
    priority: int
    product_id: int | None = None
    category_id: int | None = None
    location_id: int | None = None
    zone_id: int | None = None


@dataclass(frozen=True, slots=True)
class Suggestion:
    location_id: int
    quantity: Decimal
    why: Why


@dataclass(frozen=True, slots=True)
class Misfit:
    """What a place does not allow; ``needed`` and ``free`` in litres or kilograms."""

    limit: Limit
    needed: Decimal = NOTHING
    free: Decimal = NOTHING


def rules_for(
    rules: Iterable[Rule], product_id: int, category_path: Sequence[int] = ()
) -> list[Rule]:
    """Return the rules that apply, the first to try first.

    By priority; at the same priority a product's own rule comes before its category's, a nearer
    category's before a farther one's, and a rule for everything last. ``category_path`` is the
    product's category and those above it.
    """
    ranked = []
    for rule in rules:
        if rule.product_id is not None:
            distance = 0 if rule.product_id == product_id else -1
        elif rule.category_id is not None:
            known = rule.category_id in category_path
            distance = 1 + category_path.index(rule.category_id) if known else -1
        else:
            distance = 1 + len(category_path)
        if distance >= 0:
            ranked.append(((rule.priority, distance, rule.rule_id), rule))
    return [rule for _rank, rule in sorted(ranked, key=lambda entry: entry[0])]


def suggest(
    goods: Goods,
    places: Sequence[Place],
    rules: Sequence[Rule] = (),
    parents: Mapping[int, int | None] | None = None,
) -> list[Suggestion]:
    """Return where to put the goods, in order; the quantities add up to that of the goods.

    ``rules`` are those that apply, in order; ``parents`` maps a zone to the one it overflows into.
    Only what fits nowhere exceeds a limit, as ``LAST_RESORT``. Without any place: nothing.
    """
    left = goods.quantity
    found: list[Suggestion] = []
    taken: set[int] = set()
    for why, tier in _tiers(goods, places, rules, parents or {}):
        open_places = [place for place in tier if may_mix(goods, place)]
        while left > 0:
            candidates = [
                place
                for place in open_places
                if place.location_id not in taken and room(goods, place) > 0
            ]
            if not candidates:
                break
            best = min(candidates, key=lambda place: _fit(goods, place, left))
            quantity = min(left, room(goods, best))
            found.append(Suggestion(best.location_id, quantity, why))
            taken.add(best.location_id)
            left -= quantity
    if left > 0 and places:
        place = _last_resort(goods, places, rules, parents or {})
        found.append(Suggestion(place.location_id, left, Why.LAST_RESORT))
    return found


def room(goods: Goods, place: Place) -> Decimal:
    """Return how many base units still fit by volume and weight; infinite when nothing limits."""
    limits = (
        (place.max_volume_l, place.used_volume_l, goods.unit_volume_l),
        (place.max_weight_kg, place.used_weight_kg, goods.unit_weight_kg),
    )
    fits = UNLIMITED
    step = Decimal(1) if goods.whole_units else SMALLEST_UNIT
    for most, used, each in limits:
        if most is not None and each > 0:
            free = max(most - used, NOTHING)
            units = (free / each).quantize(step, rounding=ROUND_FLOOR)
            # the division is rounded to 28 digits, perhaps up
            fits = min(fits, units if units * each <= free else units - step)
    return fits


def may_mix(goods: Goods, place: Place) -> bool:
    """Tell whether the goods may lie beside what lies there."""
    if place.mixing == Mixing.ONE_PRODUCT:
        is_same = any(product_id == goods.product_id for product_id, _lot in place.holds)
        return place.products == 0 or (place.products == 1 and is_same)
    if place.mixing == Mixing.ONE_LOT:
        is_same = (goods.product_id, goods.lot_id) in place.holds
        return place.lots == 0 or (place.lots == 1 and is_same)
    return True


def misfits(goods: Goods, place: Place) -> list[Misfit]:
    """Return everything that speaks against putting all of the goods there."""
    found = [] if may_mix(goods, place) else [Misfit(Limit.MIXING)]
    limits = (
        (Limit.VOLUME, place.max_volume_l, place.used_volume_l, goods.unit_volume_l),
        (Limit.WEIGHT, place.max_weight_kg, place.used_weight_kg, goods.unit_weight_kg),
    )
    for limit, most, used, each in limits:
        needed = goods.quantity * each
        if most is not None and needed > 0 and used + needed > most:
            found.append(Misfit(limit, needed, max(most - used, NOTHING)))
    return found


def _tiers(
    goods: Goods,
    places: Sequence[Place],
    rules: Sequence[Rule],
    parents: Mapping[int, int | None],
) -> Iterator[tuple[Why, list[Place]]]:
    """Yield the groups of places in the order in which they are tried."""
    if goods.lot_id is not None:
        same = (goods.product_id, goods.lot_id)
        yield Why.SAME_LOT, [place for place in places if same in place.holds]
    for rule in rules:
        if rule.location_id is not None:
            yield Why.FIXED_PLACE, [p for p in places if p.location_id == rule.location_id]
    for rule in rules:
        if rule.zone_id is not None:
            for zone_id in _overflow(rule.zone_id, parents):
                why = Why.ZONE if zone_id == rule.zone_id else Why.OVERFLOW_ZONE
                yield why, [place for place in places if place.zone_id == zone_id]
    yield Why.ROOM, list(places)


def _overflow(zone_id: int, parents: Mapping[int, int | None]) -> Iterator[int]:
    """Yield the zone and those it overflows into; a circle is walked once."""
    seen: set[int] = set()
    following: int | None = zone_id
    while following is not None and following not in seen:
        seen.add(following)
        yield following
        following = parents.get(following)


def _fit(goods: Goods, place: Place, left: Decimal) -> tuple[bool, bool, Decimal, int, str, int]:
    """Return the order of places in a group: beside the same product, where all of it fits, the
    tightest first (else the roomiest first), then along the way.
    """
    is_beside = any(product_id == goods.product_id for product_id, _lot in place.holds)
    fits = room(goods, place)
    slack = fits - left if fits >= left else -fits
    way = (place.walking_order, place.code, place.location_id)
    return (not is_beside, fits < left, slack, *way)


def _last_resort(
    goods: Goods,
    places: Sequence[Place],
    rules: Sequence[Rule],
    parents: Mapping[int, int | None],
) -> Place:
    """Return the place to overfill: fixed, else in a zone of the rules, else the first there is."""
    wanted = [why for why in Why if why not in {Why.SAME_LOT, Why.LAST_RESORT}]
    for why, tier in _tiers(goods, places, rules, parents):
        if why in wanted and tier:
            return min(tier, key=lambda place: (place.walking_order, place.code, place.location_id))
    return places[0]
