"""Where goods belong: the pure rules, by example and by property."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given, settings, strategies as st

from inventory.rules.put_away import (
    Goods,
    Limit,
    Mixing,
    Place,
    Rule,
    Suggestion,
    Why,
    may_mix,
    misfits,
    room,
    rules_for,
    suggest,
)

APPLE, PEAR = 1, 2
LOT, OTHER_LOT = 11, 12
HALL, COLD, FLOOR = 7, 8, 9


def goods(quantity: Any = 10, **more: Any) -> Goods:
    fields = {"product_id": APPLE, "lot_id": None, "quantity": Decimal(str(quantity))}
    return Goods(**(fields | {"unit_volume_l": Decimal(1)} | more))


def place(location_id: int, room_for: Any = None, **more: Any) -> Place:
    """Return an empty place with room for so many litres; its number is its way."""
    volume = None if room_for is None else Decimal(str(room_for))
    fields = {"walking_order": location_id, "max_volume_l": volume}
    return Place(location_id, **(fields | more))


def holding(location_id: int, *held: tuple[int, int | None], **more: Any) -> Place:
    products = {product for product, _lot in held}
    known = {"products": len(products), "lots": len(held), "holds": frozenset(held)}
    return place(location_id, **(known | more))


def told(suggestions: list[Suggestion]) -> list[tuple[int, int, str]]:
    return [(s.location_id, int(s.quantity), str(s.why)) for s in suggestions]


# -- the order of what is tried -------------------------------------------------------------------
def test_the_same_lot_comes_before_the_fixed_place_before_the_zone() -> None:
    places = [
        place(1),
        place(2, zone_id=HALL),
        place(3),
        holding(4, (APPLE, LOT), max_volume_l=Decimal(3)),
    ]
    rules = [Rule(1, 10, zone_id=HALL), Rule(2, 10, product_id=APPLE, location_id=3)]
    found = suggest(goods(lot_id=LOT), places, rules_for(rules, APPLE), {})
    assert told(found) == [(4, 3, "same_lot"), (3, 7, "fixed_place")]


def test_goods_without_lots_have_no_lot_to_join() -> None:
    places = [holding(5, (APPLE, None)), place(6)]
    rule = Rule(1, 10, product_id=APPLE, location_id=6)
    assert told(suggest(goods(), places, [rule])) == [(6, 10, "fixed_place")]


def test_a_full_zone_overflows_into_its_parent_and_then_anywhere() -> None:
    places = [
        place(1, 4, zone_id=COLD),
        place(2, 3, zone_id=HALL),
        place(3, 100, zone_id=FLOOR),
    ]
    found = suggest(goods(), places, [Rule(1, 10, zone_id=COLD)], {COLD: HALL, HALL: None})
    assert told(found) == [(1, 4, "zone"), (2, 3, "overflow_zone"), (3, 3, "room")]


def test_zones_that_overflow_into_each_other_end() -> None:
    circle = {COLD: HALL, HALL: COLD}
    found = suggest(goods(), [place(1, zone_id=HALL)], [Rule(1, 10, zone_id=COLD)], circle)
    assert told(found) == [(1, 10, "overflow_zone")]


def test_in_a_zone_beside_the_same_product_then_the_tightest_that_takes_all_then_the_way() -> None:
    roomy, tight, small = place(1, 100), place(2, 12), place(3, 5)
    beside = holding(4, (APPLE, OTHER_LOT), max_volume_l=Decimal(50))
    assert told(suggest(goods(), [roomy, tight, small, beside])) == [(4, 10, "room")]
    assert told(suggest(goods(), [roomy, tight, small])) == [(2, 10, "room")]
    assert told(suggest(goods(), [roomy, small])) == [(1, 10, "room")]
    equal = [place(9, 12, walking_order=2), place(8, 12, walking_order=1)]
    assert told(suggest(goods(), equal)) == [(8, 10, "room")]


def test_what_no_place_takes_whole_goes_into_as_few_as_possible() -> None:
    places = [place(1, 3), place(2, 6), place(3, 2)]
    # 6 in the roomiest, then 3, then the last of 1 in the tightest that takes it
    found = suggest(goods(), places)
    assert told(found) == [(2, 6, "room"), (1, 3, "room"), (3, 1, "room")]


def test_it_never_blocks() -> None:
    full = [place(1, 0), place(2, 2)]
    found = suggest(goods(), full, [Rule(1, 10, product_id=APPLE, location_id=1)])
    assert told(found) == [(2, 2, "room"), (1, 8, "last_resort")]
    only_pears = holding(3, (PEAR, None), mixing=Mixing.ONE_PRODUCT)
    assert told(suggest(goods(), [only_pears])) == [(3, 10, "last_resort")]
    assert suggest(goods(), []) == []


# -- mixing and room ------------------------------------------------------------------------------
def test_the_mixing_rule_says_what_may_lie_together() -> None:
    for mixing, held, allowed in [
        (Mixing.ANY, [(PEAR, None)], True),
        (Mixing.ONE_PRODUCT, [], True),
        (Mixing.ONE_PRODUCT, [(APPLE, OTHER_LOT)], True),
        (Mixing.ONE_PRODUCT, [(PEAR, None)], False),
        (Mixing.ONE_PRODUCT, [(APPLE, LOT), (PEAR, None)], False),
        (Mixing.ONE_LOT, [], True),
        (Mixing.ONE_LOT, [(APPLE, LOT)], True),
        (Mixing.ONE_LOT, [(APPLE, OTHER_LOT)], False),
        (Mixing.ONE_LOT, [(APPLE, LOT), (APPLE, OTHER_LOT)], False),
    ]:
        assert may_mix(goods(lot_id=LOT), holding(1, *held, mixing=mixing)) is allowed, held


def test_room_is_what_volume_and_weight_both_allow_in_whole_units() -> None:
    heavy = goods(unit_volume_l=Decimal("1.5"), unit_weight_kg=Decimal(4))
    spot = place(1, 10, max_weight_kg=Decimal(21), used_weight_kg=Decimal(8))
    # 10 l / 1.5 l = 6.67 -> 6; (21 - 8) kg / 4 kg = 3.25 -> 3
    assert room(heavy, spot) == 3
    loose = goods(whole_units=False, unit_volume_l=Decimal(3))
    assert room(loose, place(1, 1)) == Decimal("0.333333")
    assert room(heavy, place(1, 5, used_volume_l=Decimal(9))) == 0
    assert room(goods(unit_volume_l=Decimal(0)), place(1, 1)) == Decimal("Infinity")


def test_misfits_name_every_limit_with_its_numbers() -> None:
    spot = holding(
        1,
        (PEAR, None),
        mixing=Mixing.ONE_PRODUCT,
        max_volume_l=Decimal(8),
        used_volume_l=Decimal(3),
        max_weight_kg=Decimal(100),
    )
    found = misfits(goods(unit_weight_kg=Decimal(2)), spot)
    assert [misfit.limit for misfit in found] == [Limit.MIXING, Limit.VOLUME]
    assert (found[1].needed, found[1].free) == (10, 5)
    assert misfits(goods(5), place(1, 5)) == []


# -- which rules apply ----------------------------------------------------------------------------
def test_rules_apply_by_priority_and_then_from_near_to_far() -> None:
    fruit, food = 21, 20
    rules = [
        Rule(1, 10, zone_id=HALL),
        Rule(2, 10, category_id=food, zone_id=HALL),
        Rule(3, 10, category_id=fruit, zone_id=COLD),
        Rule(4, 10, product_id=APPLE, zone_id=COLD),
        Rule(5, 5, category_id=food, zone_id=FLOOR),
        Rule(6, 1, product_id=PEAR, zone_id=FLOOR),
        Rule(7, 1, category_id=99, zone_id=FLOOR),
    ]
    found = rules_for(rules, APPLE, (fruit, food))
    assert [rule.rule_id for rule in found] == [5, 4, 3, 2, 1]


# -- properties -----------------------------------------------------------------------------------
AMOUNTS = st.decimals(0, 50, places=1)
HELD = st.frozensets(
    st.tuples(st.sampled_from([APPLE, PEAR]), st.sampled_from([None, LOT, OTHER_LOT])), max_size=3
)


@st.composite
def warehouses(draw: Any) -> list[Place]:
    count = draw(st.integers(1, 8))
    built = []
    for location_id in range(1, count + 1):
        held = draw(HELD)
        built.append(
            Place(
                location_id,
                zone_id=draw(st.sampled_from([None, HALL, COLD, FLOOR])),
                walking_order=draw(st.integers(0, 3)),
                mixing=draw(st.sampled_from(Mixing)),
                max_volume_l=draw(st.none() | AMOUNTS),
                max_weight_kg=draw(st.none() | AMOUNTS),
                used_volume_l=draw(AMOUNTS),
                used_weight_kg=draw(AMOUNTS),
                products=len({product for product, _lot in held}),
                lots=len(held),
                holds=held,
            )
        )
    return built


GOODS = st.builds(
    Goods,
    product_id=st.just(APPLE),
    lot_id=st.sampled_from([None, LOT]),
    quantity=st.integers(1, 60).map(Decimal),
    unit_volume_l=st.decimals(0, 5, places=2),
    unit_weight_kg=st.decimals(0, 5, places=2),
)
RULES = st.lists(
    st.builds(
        Rule,
        rule_id=st.integers(1, 99),
        priority=st.integers(0, 3),
        zone_id=st.sampled_from([HALL, COLD, FLOOR]),
    )
    | st.builds(
        Rule,
        rule_id=st.integers(1, 99),
        priority=st.integers(0, 3),
        product_id=st.just(APPLE),
        location_id=st.integers(1, 9),
    ),
    max_size=4,
)
PARENTS = st.dictionaries(
    st.sampled_from([HALL, COLD, FLOOR]), st.sampled_from([None, HALL, COLD, FLOOR])
)


@settings(max_examples=150, deadline=None)
@given(goods=GOODS, places=warehouses(), rules=RULES, parents=PARENTS)
def test_everything_gets_a_place_within_its_limits_and_always_the_same(
    goods: Goods, places: list[Place], rules: list[Rule], parents: dict[int, int | None]
) -> None:
    applied = rules_for(rules, goods.product_id)
    found = suggest(goods, places, applied, parents)
    known = {place.location_id: place for place in places}
    assert sum(s.quantity for s in found) == goods.quantity
    assert all(s.quantity > 0 and s.location_id in known for s in found)
    sound = [s for s in found if s.why != Why.LAST_RESORT]
    assert len({s.location_id for s in sound}) == len(sound)
    for suggestion in sound:
        part = Goods(
            goods.product_id,
            goods.lot_id,
            suggestion.quantity,
            unit_volume_l=goods.unit_volume_l,
            unit_weight_kg=goods.unit_weight_kg,
        )
        assert misfits(part, known[suggestion.location_id]) == []
    # the last resort is one place, comes last, and only when nothing else has room
    assert [s.why for s in found[:-1]].count(Why.LAST_RESORT) == 0
    if found[-1].why == Why.LAST_RESORT:
        taken = {s.location_id for s in sound}
        free = [p for p in places if p.location_id not in taken and may_mix(goods, p)]
        assert all(room(goods, place) == 0 for place in free)
    assert suggest(goods, places[::-1], applied, parents) == found
