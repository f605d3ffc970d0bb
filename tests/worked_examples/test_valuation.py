"""What stock is worth, by hand: the arithmetic stands beside each figure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from inventory.rules.valuation import (
    Entry,
    Layer,
    Move,
    NeverCovered,
    TakenBack,
    Worth,
    value_moves,
)

JANUARY = datetime(2026, 1, 1, tzinfo=UTC)
TEA, HERE, THERE = 1, 10, 20
METHODS = {"moving average": Worth, "first in, first out": lambda: Worth(layers=[])}


class Shop:
    """One product in two warehouses, one move a day."""

    def __init__(self, method: str) -> None:
        self.worths = {(TEA, HERE): METHODS[method](), (TEA, THERE): METHODS[method]()}
        self.days = 0

    def move(
        self, quantity: str, left: int | None, reached: int | None, **more: object
    ) -> list[Entry]:
        self.days += 1
        at = JANUARY + timedelta(days=self.days)
        move = Move(self.days, TEA, left, reached, Decimal(quantity), at, **more)
        entries, self.worths = value_moves(self.worths, [move])
        return entries

    def buy(self, quantity: str, cost: str) -> list[Entry]:
        return self.move(quantity, None, HERE, unit_cost=Decimal(cost))

    def sell(self, quantity: str) -> Decimal:
        """Return the cost of the goods sold."""
        [entry] = self.move(quantity, HERE, None)
        return -entry.value_change

    def take_back(self, entries: list[Entry], left: int | None, reached: int | None) -> list[Entry]:
        """Reverse a move."""
        original = TakenBack(entries[0].movement_id, abs(entries[0].value_change))
        quantity = str(abs(entries[0].quantity_change))
        return self.move(quantity, left, reached, taken_back=original)

    def here(self) -> tuple[Decimal, Decimal]:
        return self.worths[TEA, HERE].quantity, self.worths[TEA, HERE].value

    def there(self) -> tuple[Decimal, Decimal]:
        return self.worths[TEA, THERE].quantity, self.worths[TEA, THERE].value


# -- the textbook: purchases at rising prices, then an issue -----------------------------------------
def rising_prices(method: str) -> Shop:
    shop = Shop(method)
    shop.buy("100", "10.00")  # 1,000
    shop.buy("100", "12.00")  # 1,200
    shop.buy("100", "14.00")  # 1,400: 300 units for 3,600
    return shop


def test_moving_average_spreads_rising_prices() -> None:
    shop = rising_prices("moving average")
    assert shop.here() == (300, 3600)
    assert shop.sell("150") == 1800  # 150 of 300 at 3,600 / 300 = 12.00
    assert shop.here() == (150, 1800)
    shop.buy("50", "20.00")  # 1,800 + 1,000 = 2,800 for 200: 14.00 each
    assert shop.sell("10") == 140


def test_first_in_first_out_sells_the_old_prices_first() -> None:
    shop = rising_prices("first in, first out")
    assert shop.here() == (300, 3600)
    assert shop.sell("150") == 1600  # 100 x 10 + 50 x 12
    assert shop.here() == (150, 2000)  # 50 x 12 + 100 x 14
    shop.buy("50", "20.00")
    assert shop.sell("60") == 740  # 50 x 12 + 10 x 14
    left = [(layer.quantity, layer.value) for layer in shop.worths[TEA, HERE].layers if layer.value]
    assert left == [(90, 1260), (50, 1000)]  # 90 x 14, 50 x 20


def test_with_rising_prices_first_in_first_out_shows_the_greater_profit_by_the_difference() -> None:
    average, fifo = rising_prices("moving average"), rising_prices("first in, first out")
    assert average.sell("150") - fifo.sell("150") == 200  # 1,800 - 1,600
    assert fifo.here()[1] - average.here()[1] == 200  # 2,000 - 1,800: what was not sold keeps it


# -- a transfer leaves at the origin's cost and arrives with exactly that ----------------------------
@pytest.mark.parametrize(
    ("method", "value"),
    [
        ("moving average", Decimal(1440)),  # 120 x 12.00
        ("first in, first out", Decimal(1240)),  # 100 x 10 + 20 x 12
    ],
)
def test_a_transfer_arrives_with_the_value_it_left_with(method: str, value: Decimal) -> None:
    shop = rising_prices(method)
    shop.move("30", None, THERE, unit_cost=Decimal("50.00"))  # dearer there: that changes nothing
    left, arrived = shop.move("120", HERE, THERE)
    assert (left.warehouse_id, left.quantity_change, left.value_change) == (HERE, -120, -value)
    assert (arrived.warehouse_id, arrived.quantity_change) == (THERE, 120)
    assert arrived.value_change == value
    assert shop.here() == (180, 3600 - value)
    assert shop.there() == (150, 1500 + value)


# -- reversals and returns ---------------------------------------------------------------------------
def test_a_reversed_receipt_takes_its_own_value_along_not_the_average() -> None:
    shop = Shop("moving average")
    shop.buy("10", "1.00")
    wrong = shop.buy("10", "9.00")  # 100 for 20: 5.00 each
    [entry] = shop.take_back(wrong, HERE, None)
    assert entry.value_change == -90
    assert not entry.is_estimated
    assert shop.here() == (10, 10)  # as if it had never come


def test_a_reversed_receipt_takes_what_is_still_there_and_never_more() -> None:
    shop = Shop("moving average")
    shop.buy("10", "1.00")
    wrong = shop.buy("10", "9.00")
    assert shop.sell("8") == 40  # 8 x 5.00; 12 for 60 are left
    [entry] = shop.take_back(wrong, HERE, None)
    assert entry.value_change == -60  # 90 came, 60 are there
    assert entry.is_estimated
    assert shop.here() == (2, 0)


def test_a_reversed_receipt_takes_its_own_layer_first() -> None:
    shop = Shop("first in, first out")
    shop.buy("10", "1.00")
    wrong = shop.buy("10", "9.00")
    shop.buy("10", "2.00")
    [entry] = shop.take_back(wrong, HERE, None)
    assert entry.value_change == -90
    assert shop.sell("20") == 30  # 10 x 1 + 10 x 2


def test_a_reversed_receipt_takes_the_oldest_for_what_is_gone_of_it() -> None:
    shop = Shop("first in, first out")
    wrong = shop.buy("10", "9.00")
    shop.buy("10", "2.00")
    assert shop.sell("4") == 36  # 4 x 9: 6 of the wrong ones are left
    [entry] = shop.take_back(wrong, HERE, None)
    assert entry.value_change == -62  # 6 x 9 + 4 x 2
    assert entry.is_estimated
    assert shop.here() == (6, 12)


@pytest.mark.parametrize(("method", "cost"), [("moving average", 60), ("first in, first out", 50)])
def test_a_reversed_issue_brings_back_what_it_took(method: str, cost: int) -> None:
    shop = Shop(method)
    shop.buy("10", "10.00")
    shop.buy("10", "14.00")  # 240 for 20: 12.00 each
    [issue] = shop.move("5", HERE, None)
    assert issue.value_change == -cost  # 5 x 12, or 5 x 10
    shop.buy("20", "30.00")  # the average is another by now
    [back] = shop.take_back([issue], None, HERE)
    assert (back.value_change, back.is_estimated) == (cost, False)
    assert shop.here() == (40, 840)  # 240 + 600


def test_what_a_reversed_issue_brings_back_leaves_first_again() -> None:
    shop = Shop("first in, first out")
    shop.buy("5", "10.00")
    shop.buy("5", "20.00")
    [issue] = shop.move("5", HERE, None)
    shop.take_back([issue], None, HERE)
    assert shop.sell("5") == 50  # the old ones, not 5 x 20


def test_a_return_comes_back_at_the_value_it_left_with_where_the_movement_says_it() -> None:
    shop = Shop("moving average")
    shop.buy("10", "4.00")
    assert shop.sell("5") == 20
    shop.buy("5", "8.00")  # 20 + 40 = 60 for 10: 6.00 each
    [known] = shop.move("1", None, HERE, unit_cost=Decimal("4.00"))
    assert (known.value_change, known.is_estimated) == (4, False)
    [unknown] = shop.move("1", None, HERE)  # 64 for 11
    assert unknown.value_change == Decimal("5.818182")  # 64 / 11 = 5.8181818...
    assert unknown.is_estimated


def test_goods_of_unknown_cost_come_in_at_the_usual_cost_or_at_nothing_and_say_so() -> None:
    shop = Shop("moving average")
    [usual] = shop.move("4", None, HERE, usual_cost=Decimal("2.50"))
    assert (usual.value_change, usual.is_estimated) == (10, True)
    other = Shop("moving average")
    [nothing] = other.move("4", None, HERE)
    assert (nothing.value_change, nothing.is_estimated) == (0, True)


# -- rounding ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("method", METHODS)
def test_three_for_ten_taken_one_by_one_end_at_exactly_zero(method: str) -> None:
    shop = Shop(method)
    shop.move("3", None, HERE, taken_back=TakenBack(99, Decimal("10.00")))
    assert shop.sell("1") == Decimal("3.333333")  # 10 / 3
    assert shop.sell("1") == Decimal("3.333334")  # 6.666667 / 2 = 3.3333335, half to even
    assert shop.sell("1") == Decimal("3.333333")  # all that is left
    assert shop.here() == (0, 0)


@pytest.mark.parametrize("method", METHODS)
def test_sums_of_thirty_digits_are_exact(method: str) -> None:
    shop = Shop(method)
    shop.buy("999999999999.999999", "999999999999.999999")
    # (10^12 - 10^-6)^2 = 10^24 - 2 x 10^6 + 10^-12, to a millionth
    assert shop.here()[1] == Decimal("999999999999999998000000.000000")
    shop.sell("0.000001")
    shop.sell("999999999999.999998")
    assert shop.here() == (0, 0)


# -- the moves of one posting ------------------------------------------------------------------------
def move(number: int, quantity: int, left: int | None, reached: int | None, **more: object) -> Move:
    return Move(number, TEA, left, reached, Decimal(quantity), JANUARY, **more)


def test_moves_are_valued_in_their_order() -> None:
    dear = move(1, 10, None, HERE, unit_cost=Decimal(3))
    issue = move(2, 5, HERE, None)
    before = {(TEA, HERE): Worth(Decimal(10), Decimal(10))}
    first_in, _after = value_moves(before, [dear, issue])
    assert first_in[1].value_change == -10  # 5 of 20 worth 40
    first_out, _after = value_moves(before, [issue, dear])
    assert first_out[0].value_change == -5  # 5 of 10 worth 10
    assert before[TEA, HERE] == Worth(Decimal(10), Decimal(10))  # untouched


def test_a_move_waits_for_the_ones_behind_it_that_bring_what_it_takes() -> None:
    before = {(TEA, HERE): Worth()}
    entries, after = value_moves(
        before, [move(1, 5, HERE, None), move(2, 8, None, HERE, unit_cost=Decimal(2))]
    )
    assert [(e.movement_id, e.value_change) for e in entries] == [(2, 16), (1, -10)]
    assert after[TEA, HERE] == Worth(Decimal(3), Decimal(6))


def test_moves_that_only_chase_each_other_are_refused() -> None:
    before = {(TEA, HERE): Worth(), (TEA, THERE): Worth()}
    with pytest.raises(NeverCovered):
        value_moves(before, [move(1, 5, HERE, THERE), move(2, 5, THERE, HERE)])


def test_control_layers_that_do_not_cover_what_leaves_are_an_error() -> None:
    layers = [Layer(1, None, JANUARY, Decimal(3), Decimal(3))]
    before = {(TEA, HERE): Worth(Decimal(9), Decimal(9), layers)}
    with pytest.raises(ValueError, match="lack 2 of 5"):
        value_moves(before, [move(1, 5, HERE, None)])
