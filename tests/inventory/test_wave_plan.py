"""The rules of waves: the way through the aisles, and who is picked together."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings, strategies as st

from inventory.rules.walking import Place, walking_path
from inventory.rules.wave_plan import (
    Candidate,
    Limits,
    PlanKind,
    in_walking_order,
    plan_waves,
)

D = Decimal


def places(*codes: str) -> list[Place]:
    return [Place(number, code) for number, code in enumerate(codes)]


def walked(*codes: str) -> list[str]:
    return [codes[pk] for pk in walking_path(places(*codes))]


def pick(pk: int, order: int, code: str = "A-1", **fields: object) -> Candidate:
    """A candidate at the place of that code."""
    place = Place(sum(map(ord, code)), code)
    return Candidate(pk, order, product_id=1, place=place, **fields)


def ids(waves: list) -> list[list[int]]:
    return [[p.allocation_id for p in wave.picks] for wave in waves]


# -- the way ---------------------------------------------------------------------------------------
def test_one_aisle_is_walked_up_and_the_next_one_down() -> None:
    assert walked("B-1", "A-2", "A-1", "C-1", "B-2", "C-2") == [
        *("A-1", "A-2"),
        *("B-2", "B-1"),
        *("C-1", "C-2"),
    ]


def test_aisles_that_are_not_visited_do_not_turn_the_way() -> None:
    assert walked("A-1", "A-2", "D-1", "D-2") == ["A-1", "A-2", "D-2", "D-1"]


def test_numbers_in_codes_count_as_numbers() -> None:
    assert walked("A-10", "A-9", "A-2") == ["A-2", "A-9", "A-10"]
    assert walked("10", "9", "2") == ["2", "9", "10"]


def test_the_walking_order_goes_before_the_code() -> None:
    way = walking_path([Place(1, "A-1", 30), Place(2, "Z-9", 10), Place(3, "B-1", 20)])
    assert way == [2, 3, 1]


def test_a_place_is_visited_once() -> None:
    assert walking_path([Place(7, "A-1"), Place(8, "A-2"), Place(7, "A-1")]) == [7, 8]


def test_nowhere_to_go_is_no_way() -> None:
    assert walking_path([]) == []


# -- waves -----------------------------------------------------------------------------------------
def test_single_waves_hold_one_order_each_the_urgent_first() -> None:
    waves = plan_waves(
        [pick(1, order=10), pick(2, order=11, priority=1), pick(3, order=10, code="A-2")],
        PlanKind.SINGLE,
        Limits(),
    )
    assert ids(waves) == [[2], [1, 3]]
    assert [wave.order_count for wave in waves] == [1, 1]


def test_the_promised_day_decides_between_equal_priorities_and_none_comes_last() -> None:
    waves = plan_waves(
        [
            pick(1, order=10),
            pick(2, order=11, promised_on=date(2026, 12, 2)),
            pick(3, order=12, promised_on=date(2026, 12, 1)),
        ],
        PlanKind.SINGLE,
        Limits(),
    )
    assert ids(waves) == [[3], [2], [1]]


def test_a_batch_gathers_orders_up_to_each_limit() -> None:
    four = [pick(n, order=n, volume_l=D(4)) for n in range(1, 5)]
    assert ids(plan_waves(four, PlanKind.BATCH, Limits(orders=3))) == [[1, 2, 3], [4]]
    assert ids(plan_waves(four, PlanKind.BATCH, Limits(lines=2))) == [[1, 2], [3, 4]]
    assert ids(plan_waves(four, PlanKind.BATCH, Limits(volume_l=D("12.5")))) == [[1, 2, 3], [4]]
    assert ids(plan_waves(four, PlanKind.BATCH, Limits())) == [[1, 2, 3, 4]]


def test_an_order_is_not_torn_apart_to_fill_a_batch() -> None:
    waves = plan_waves(
        [pick(1, order=1), pick(2, order=1), pick(3, order=2), pick(4, order=2)],
        PlanKind.BATCH,
        Limits(lines=3),
    )
    assert ids(waves) == [[1, 2], [3, 4]]


def test_an_order_too_large_for_one_walk_is_cut_along_the_way() -> None:
    big = [pick(n, order=1, code=f"A-{9 - n}") for n in range(1, 6)]
    waves = plan_waves([*big, pick(6, order=2)], PlanKind.BATCH, Limits(lines=2))
    # the rest of the big order (one pick) and the next order share the last wave
    assert ids(waves) == [[5, 4], [3, 2], [6, 1]]


def test_goods_larger_than_the_cart_go_alone() -> None:
    waves = plan_waves(
        [pick(1, order=1, volume_l=D(900)), pick(2, order=2, volume_l=D(1))],
        PlanKind.BATCH,
        Limits(volume_l=D(100)),
    )
    assert ids(waves) == [[1], [2]]


def test_a_zone_wave_stays_in_its_zone_and_the_rest_comes_last() -> None:
    waves = plan_waves(
        [
            pick(1, order=1, zone_id=5),
            pick(2, order=1, zone_id=6),
            pick(3, order=2, zone_id=5),
            pick(4, order=2),
        ],
        PlanKind.ZONE,
        Limits(),
    )
    assert [(wave.zone_id, ids([wave])[0]) for wave in waves] == [
        (5, [1, 3]),
        (6, [2]),
        (None, [4]),
    ]


def test_picks_of_one_place_lie_together_by_product_and_lot() -> None:
    place = Place(1, "A-1")
    mixed = [
        Candidate(1, 1, product_id=2, place=place),
        Candidate(2, 1, product_id=1, place=place, lot_id=9),
        Candidate(3, 2, product_id=2, place=place),
        Candidate(4, 2, product_id=1, place=place, lot_id=8),
    ]
    assert [p.allocation_id for p in in_walking_order(mixed)] == [4, 2, 1, 3]


@pytest.mark.parametrize("limits", [Limits(orders=0), Limits(lines=0), Limits(volume_l=D(0))])
def test_a_wave_without_room_is_refused(limits: Limits) -> None:
    with pytest.raises(ValueError, match="room"):
        plan_waves([pick(1, order=1)], PlanKind.BATCH, limits)


# -- properties ------------------------------------------------------------------------------------
candidates = st.lists(
    st.builds(
        Candidate,
        allocation_id=st.integers(1, 10**6),
        order_id=st.integers(1, 12),
        product_id=st.integers(1, 3),
        place=st.integers(0, 30).map(
            lambda n: Place(n, f"{'ABC'[n % 3]}-{n:02d}", walking_order=n % 2)
        ),
        zone_id=st.none() | st.integers(1, 3),
        volume_l=st.integers(0, 40).map(D),
        priority=st.integers(1, 9),
    ),
    unique_by=lambda candidate: candidate.allocation_id,
    max_size=40,
)
limits = st.builds(
    Limits,
    orders=st.integers(1, 6),
    lines=st.integers(1, 10),
    volume_l=st.none() | st.integers(1, 60).map(D),
)


@given(candidates, st.sampled_from(PlanKind), limits)
@settings(max_examples=150, deadline=None)
def test_each_allocation_is_in_one_wave_and_no_wave_is_over_its_limits(
    wanted: list[Candidate], kind: PlanKind, most: Limits
) -> None:
    waves = plan_waves(wanted, kind, most)
    planned = Counter(p.allocation_id for wave in waves for p in wave.picks)
    assert planned == Counter(p.allocation_id for p in wanted)
    for wave in waves:
        assert 1 <= len(wave.picks) <= most.lines
        assert wave.order_count <= (1 if kind == PlanKind.SINGLE else most.orders)
        if most.volume_l is not None and len(wave.picks) > 1:
            assert wave.volume_l <= most.volume_l
        if kind == PlanKind.ZONE:
            assert {p.zone_id for p in wave.picks} == {wave.zone_id}
        assert list(wave.picks) == in_walking_order(wave.picks)


@given(candidates, limits)
@settings(max_examples=60, deadline=None)
def test_nobody_walks_past_a_place_twice(wanted: list[Candidate], most: Limits) -> None:
    for wave in plan_waves(wanted, PlanKind.BATCH, most):
        stops = [p.place.location_id for p in wave.picks]
        changes = 1 + sum(a != b for a, b in pairwise(stops))
        assert changes == wave.stop_count
