"""Which promises are used up when goods leave."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, strategies as st

from inventory.rules.promises import Leaving, Promise, use_promises


def promise(promise_id: int, location_id: int, quantity: int, line_id: int = 1) -> Promise:
    return Promise(promise_id, line_id, location_id, None, Decimal(quantity))


def leaving(location_id: int, quantity: int, line_id: int = 1) -> Leaving:
    return Leaving(line_id, location_id, None, Decimal(quantity))


def used(*arguments: object) -> list[tuple[int, int, int, int]]:
    uses = use_promises(*arguments)  # type: ignore[arg-type]
    return [(u.promise.promise_id, int(u.shipped), int(u.freed), int(u.left)) for u in uses]


def test_goods_from_a_promised_place_use_that_promise() -> None:
    promises = [promise(1, 10, 5), promise(2, 20, 5)]
    assert used(promises, [leaving(20, 3)], {1: Decimal(7)}) == [(2, 3, 0, 2)]


def test_goods_from_elsewhere_free_the_last_promises_that_are_not_needed_any_more() -> None:
    promises = [promise(1, 10, 5), promise(2, 20, 5)]
    assert used(promises, [leaving(30, 7)], {1: Decimal(3)}) == [(1, 0, 2, 3), (2, 0, 5, 0)]


def test_a_line_that_was_promised_less_than_it_asks_for_keeps_its_promises() -> None:
    """Ten asked, six promised, four taken from elsewhere: the six are still to go."""
    assert used([promise(1, 10, 6)], [leaving(30, 4)], {1: Decimal(6)}) == []


def test_lines_do_not_use_each_others_promises() -> None:
    promises = [promise(1, 10, 5, line_id=1), promise(2, 10, 5, line_id=2)]
    assert used(promises, [leaving(10, 5, line_id=2)], {1: Decimal(5), 2: Decimal(0)}) == [
        (2, 5, 0, 0)
    ]


@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(1, 9)), max_size=5),
    st.lists(st.tuples(st.integers(1, 4), st.integers(1, 9)), max_size=5),
    st.integers(0, 20),
)
def test_no_promise_is_used_twice_and_none_exceeds_what_is_still_to_go(
    promised: list[tuple[int, int]], going: list[tuple[int, int]], open_after: int
) -> None:
    promises = [promise(n, place, quantity) for n, (place, quantity) in enumerate(promised)]
    parts = [leaving(place, quantity) for place, quantity in going]
    uses = use_promises(promises, parts, {1: Decimal(open_after)})
    assert all(u.shipped >= 0 and u.freed >= 0 and u.left >= 0 for u in uses)
    for place in {part.location_id for part in parts}:
        shipped = sum(u.shipped for u in uses if u.promise.location_id == place)
        assert shipped <= sum(part.quantity for part in parts if part.location_id == place)
    total = sum(p.quantity for p in promises)
    kept = total - sum(u.shipped + u.freed for u in uses)
    assert kept == min(total - sum(u.shipped for u in uses), open_after)
