"""Random work in a warehouse, checked against a dict, and the whole book after every step.

Short by default; ``STOCKCAST_LONG=1`` searches far longer.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from inventory.models import MovementReason, StockBalance, StockMovement
from inventory.queries.as_of import stock_as_of
from inventory.queries.integrity import LEDGER_CHECKS, check_book
from inventory.services import ledger_balances
from inventory.services.adjustments import Adjustment, adjust_stock
from inventory.services.ledger import (
    AllocationLine,
    AlreadyReversed,
    InsufficientStock,
    NotAllocated,
    allocate,
    post_movements,
    release,
    reverse_movement,
)
from tests.cast import House
from tests.inventory.book import Site, make_lot, make_product, make_site

LONG = os.environ.get("STOCKCAST_LONG") == "1"
EXAMPLES, STEPS = (200, 50) if LONG else (8, 20)

INSIDE = ("storage", "packing", "quarantine")
places = st.sampled_from(INSIDE)
fractions = st.decimals(min_value="0.000001", max_value=9, places=6, allow_nan=False)
quantities = st.integers(min_value=1, max_value=6).map(Decimal) | fractions
stuff = st.integers(min_value=0, max_value=1)
ages = st.integers(min_value=0, max_value=400)

Key = tuple[int, str]


class LedgerMachine(RuleBasedStateMachine):
    """Two products (one in lots) in three places; the model is what a child would write down."""

    movements = Bundle("movements")

    def __init__(self) -> None:
        super().__init__()
        self.savepoint = transaction.savepoint()
        self.stock: dict[Key, Decimal] = {}
        self.promised: dict[Key, Decimal] = {}
        self.posted: dict[int, tuple[int, str, str, Decimal]] = {}
        self.reversed: set[int] = set()

    @initialize()
    def open_house(self) -> None:
        self.site: Site = make_site()
        self.products = [
            make_product("FLOUR", whole_units=False),
            make_product("MILK", whole_units=False, lot_tracking="lot"),
        ]
        self.lots = [None, make_lot(self.products[1]).pk]

    def teardown(self) -> None:
        transaction.savepoint_rollback(self.savepoint)

    # -- what the child writes down -------------------------------------------------------------
    def has(self, key: Key) -> Decimal:
        return self.stock.get(key, Decimal(0))

    def free(self, key: Key) -> Decimal:
        return self.has(key) - self.promised.get(key, Decimal(0))

    def write_down(self, movement_id: int, n: int, start: str, end: str, q: Decimal) -> None:
        self.posted[movement_id] = (n, start, end, q)
        for place, change in ((start, -q), (end, q)):
            if place in INSIDE:
                self.stock[n, place] = self.has((n, place)) + change

    def line(self, n: int, quantity: Decimal, start: str, end: str, **more: Any) -> Any:
        return self.site.line(self.products[n], quantity, start, end, lot_id=self.lots[n], **more)

    def post(self, n: int, quantity: Decimal, start: str, end: str, age: int = 0) -> Any:
        """Post if the child says it can be done; otherwise it must be refused."""
        when = datetime.now(UTC) - timedelta(days=age) if age else None
        lines = [self.line(n, quantity, start, end)]
        if start in INSIDE and self.free((n, start)) < quantity:
            with pytest.raises(InsufficientStock):
                post_movements(lines=lines, effective_at=when)
            return multiple()
        [movement_id] = post_movements(lines=lines, effective_at=when)
        self.write_down(movement_id, n, start, end, quantity)
        return movement_id

    # -- what may happen ------------------------------------------------------------------------
    @rule(target=movements, n=stuff, quantity=quantities, place=places, age=ages)
    def receive(self, n: int, quantity: Decimal, place: str, age: int) -> Any:
        return self.post(n, quantity, "supplier", place, age)

    @rule(target=movements, n=stuff, quantity=quantities, age=ages)
    def ship(self, n: int, quantity: Decimal, age: int) -> Any:
        return self.post(n, quantity, "storage", "customer", age)

    @rule(target=movements, n=stuff, quantity=quantities, start=places, end=places)
    def move(self, n: int, quantity: Decimal, start: str, end: str) -> Any:
        return self.post(n, quantity, start, end) if start != end else multiple()

    @rule(target=movements, n=stuff, quantity=quantities)
    def return_from_customer(self, n: int, quantity: Decimal) -> Any:
        return self.post(n, quantity, "customer", "quarantine")

    @rule(n=stuff, place=places, change=quantities, down=st.booleans())
    def adjust(self, n: int, place: str, change: Decimal, down: bool) -> None:
        reason = MovementReason.SCRAP if down else MovementReason.FOUND
        signed = -change if down else change
        adjustment = Adjustment(
            self.products[n].pk, self.site.at(place), signed, reason, self.lots[n]
        )
        arguments = {"warehouse_id": self.site.warehouse.pk, "adjustments": [adjustment]}
        if down and self.free((n, place)) < change:
            with pytest.raises(InsufficientStock):
                adjust_stock(**arguments)
            return
        [movement_id] = adjust_stock(**arguments)
        self.write_down(movement_id, n, *((place, "loss") if down else ("loss", place)), change)

    @rule(n=stuff, place=places, q=quantities)
    def promise(self, n: int, place: str, q: Decimal) -> None:
        line = AllocationLine(self.products[n].pk, self.site.at(place), q, self.lots[n])
        if self.free((n, place)) < q:
            with pytest.raises(InsufficientStock):
                allocate(lines=[line])
            return
        allocate(lines=[line])
        self.promised[n, place] = self.promised.get((n, place), Decimal(0)) + q

    @rule(n=stuff, place=places, q=quantities, all_of_it=st.booleans())
    def take_back_promise(self, n: int, place: str, q: Decimal, all_of_it: bool) -> None:
        held = self.promised.get((n, place), Decimal(0))
        q = held if all_of_it and held else q
        line = AllocationLine(self.products[n].pk, self.site.at(place), q, self.lots[n])
        if held < q:
            with pytest.raises((NotAllocated, InsufficientStock)):
                release(lines=[line])
            return
        release(lines=[line])
        self.promised[n, place] = held - q

    @rule(n=stuff, place=places)
    def ship_all_that_is_promised(self, n: int, place: str) -> None:
        held = self.promised.get((n, place), Decimal(0))
        if not held:
            return
        freed = AllocationLine(self.products[n].pk, self.site.at(place), held, self.lots[n])
        [movement_id] = post_movements(
            lines=[self.line(n, held, place, "customer")], releases=[freed]
        )
        self.promised[n, place] = Decimal(0)
        self.write_down(movement_id, n, place, "customer", held)

    @rule(movement_id=movements)
    def reverse(self, movement_id: int) -> None:
        n, start, end, q = self.posted[movement_id]
        if movement_id in self.reversed:
            with pytest.raises(AlreadyReversed):
                reverse_movement(movement_id=movement_id)
        elif end in INSIDE and self.free((n, end)) < q:
            with pytest.raises(InsufficientStock):
                reverse_movement(movement_id=movement_id)
        else:
            reversal = reverse_movement(movement_id=movement_id)
            self.reversed.add(movement_id)
            self.write_down(reversal.pk, n, end, start, q)

    # -- what must hold, always -----------------------------------------------------------------
    @invariant()
    def the_book_is_in_order(self) -> None:
        assert check_book(LEDGER_CHECKS) == []  # what is promised here has no orders behind it

    @invariant()
    def the_balances_are_what_the_child_wrote_down(self) -> None:
        found = {
            (self.index(row.product_id), row.location.kind): (row.on_hand, row.allocated)
            for row in StockBalance.objects.select_related("location")
            if row.on_hand or row.allocated
        }
        expected = {
            key: (quantity, self.promised.get(key, Decimal(0)))
            for key, quantity in self.stock.items()
            if quantity
        }
        assert found == expected

    @invariant()
    def stock_as_of_now_is_the_stock(self) -> None:
        found = {
            (row.product_id, row.location_id): row.quantity
            for row in stock_as_of(datetime.now(UTC) + timedelta(minutes=1))
        }
        balances = {
            (row.product_id, row.location_id): row.on_hand
            for row in StockBalance.objects.filter(on_hand__gt=0)
        }
        assert found == balances
        assert StockMovement.objects.count() == len(self.posted)

    @invariant()
    def every_row_points_inside_its_tenant(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")

    def index(self, product_id: int) -> int:
        return [product.pk for product in self.products].index(product_id)


PROFILE = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    database=None,
    derandomize=not LONG,
    suppress_health_check=list(HealthCheck),
)


def test_whatever_happens_the_book_stays_in_order(in_north: House) -> None:
    run_state_machine_as_test(LedgerMachine, settings=PROFILE)


def tell_a_story() -> None:
    """Do by hand what the search does at random: a little of everything, looking after each step."""
    machine = LedgerMachine()
    try:
        machine.open_house()
        for step in (
            lambda: machine.receive(0, Decimal(5), "storage", 0),
            lambda: machine.ship(0, Decimal(2), 0),
            lambda: machine.promise(0, "storage", Decimal(9)),  # 3 are there
            lambda: machine.ship(0, Decimal(9), 0),
        ):
            step()
            machine.the_book_is_in_order()
            machine.the_balances_are_what_the_child_wrote_down()
    finally:
        machine.teardown()


def test_the_story_of_the_controls_is_fine_as_it_is(in_north: House) -> None:
    tell_a_story()


@pytest.mark.parametrize(
    ("protection", "without"),
    [
        # a posting that forgets one side of what it nets
        (" on_hand = b.on_hand + change.on_hand", " on_hand = b.on_hand + abs(change.on_hand)"),
        # a posting that forgets the promises
        (
            "AND b.allocated + change.allocated BETWEEN 0 AND b.on_hand + change.on_hand",
            "AND b.allocated + change.allocated >= 0",
        ),
        # a posting that forgets the guard
        ("AND b.on_hand + change.on_hand >= 0", ""),
    ],
)
def test_control_a_broken_posting_is_found(
    in_north: House, monkeypatch: pytest.MonkeyPatch, protection: str, without: str
) -> None:
    assert protection in ledger_balances.CHANGE_BALANCES
    broken = ledger_balances.CHANGE_BALANCES.replace(protection, without)
    if "on_hand >= 0" in protection:  # the second condition implies the first: take both
        broken = broken.split("AND b.allocated")[0]
    monkeypatch.setattr(ledger_balances, "CHANGE_BALANCES", broken)
    with pytest.raises((AssertionError, InsufficientStock, DatabaseError, pytest.fail.Exception)):
        tell_a_story()
