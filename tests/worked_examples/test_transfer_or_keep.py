"""Moving stock between warehouses, by expected margin."""

import pytest

from forecasting.decisions.channels import Place, find_transfers
from tests.worked_examples.decision_makers import uniform_demand


def place(key, stock, most, margin=2.0):
    return Place(key, stock, uniform_demand(0, most), margin)


def test_surplus_moves_to_where_it_sells():
    # north holds 200 for a demand of at most 100, south nothing: at 0.5 a unit a move pays while
    # 2 * P(south > s) > 0.5, that is up to 75 (100 come free)
    (move,) = find_transfers([place("north", 200, 100), place("south", 0, 100)], 0.5)
    assert (move.from_key, move.to_key) == ("north", "south")
    assert move.units == pytest.approx(75, abs=4)
    # shortage of south falls from 50 to 25^2 / 200 = 3.125: 46.875 * 2 - 75 * 0.5 = 56.25
    assert move.saving == pytest.approx(56.25, rel=0.02)


def test_a_move_that_costs_more_than_it_saves_is_not_made():
    places = [place("north", 200, 100), place("south", 0, 100)]
    assert find_transfers(places, 2.5) == ()
    assert find_transfers(places, 0.5, cost_per_transfer=60) == ()
    assert find_transfers(places, 0.5, cost_per_transfer=50)[0].saving == pytest.approx(
        6.25, abs=1.5
    )


def test_nothing_moves_in_a_circle():
    places = [place("a", 120, 100), place("b", 10, 100), place("c", 60, 100)]
    moves = find_transfers(places, 0.01)
    assert not {one.from_key for one in moves} & {one.to_key for one in moves}


def test_one_place_has_nowhere_to_send():
    assert find_transfers([place("a", 500, 10)], 0.1) == ()
    assert find_transfers([], 0.1) == ()
