"""A warehouse where anybody does anything, in any order: what all rules of the floor share.

Every rule asks a service for something that may or may not be allowed. What is allowed happens,
what is not is a named refusal that changes nothing. After each step the whole book is checked.

The house is furnished once and committed; each run of the machine is one transaction on top of it
that is rolled back, so a long search does not wade through what earlier runs left behind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant

from inventory.models import (
    Allocation,
    InventorySettings,
    LotStatus,
    Packaging,
    StockMovement,
)
from inventory.queries.integrity import check_book
from tenancy.errors import Refused
from tenancy.scope import Actor, active_scope, tenant_scope
from tenancy.services.submissions import submit_once
from tests.cast import House
from tests.properties.floor_book import Fingerprint, PreparedBook, tidy_up
from tests.properties.floor_house import Furniture, furnish

choices = st.integers(min_value=0, max_value=10**6)
quantities = st.integers(min_value=1, max_value=9).map(Decimal)
few = st.integers(min_value=1, max_value=3).map(Decimal)
ages = st.integers(min_value=0, max_value=30).map(lambda days: timedelta(days=days))

RUNS_BETWEEN_TIDYING = 25


def nth(rows: Any, number: int) -> Any:
    """Return one of the rows by a number that may be any, or None when there are none."""
    found = list(rows.order_by("pk"))
    return found[number % len(found)] if found else None


def likely(rows: Any, number: int, **fitting: Any) -> Any:
    """Return one of the rows that fit, as a rule; one choice in four is any of the rows."""
    fits = None if number % 4 == 3 else nth(rows.filter(**fitting), number // 4)
    return fits or nth(rows, number // 4)


class Floor(RuleBasedStateMachine):
    """Two sites, three products (one in lots, one by serial number), everything by services."""

    happened: Counter[str] = Counter()
    refused: Counter[tuple[str, str]] = Counter()
    runs = 0

    house: House
    furniture: Furniture
    book: PreparedBook
    fingerprint: Fingerprint

    @classmethod
    def open_house(cls, house: House) -> None:
        """Furnish the house and put something of everything under way, so that runs get deep."""
        cls.house = house
        with house.scope():
            cls.furniture = furnish()
            cls.book, cls.fingerprint = PreparedBook(), Fingerprint()
        machine = cls("opening")
        machine.begin()
        machine.doors.close()
        cls.happened.clear()
        cls.refused.clear()

    def __init__(self, name: str = "run") -> None:
        super().__init__()
        self.doors = ExitStack()
        self.doors.enter_context(self.house.scope())
        self.name, self.keys = name, 0
        self.asked_last = ""
        self.site, self.other = self.furniture.site, self.furniture.other
        self.products, self.case = self.furniture.products, self.furniture.case
        self.supplier, self.channel = self.furniture.supplier, self.furniture.channel
        self.last_promise = self.last_movement = 0
        self._look_at_what_is_new()

    def begin(self) -> None:
        """Let the parts put something under way."""

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.doors.close()
        type(self).runs += 1
        if not connection.in_atomic_block and self.runs % RUNS_BETWEEN_TIDYING == 0:
            print(f"run {self.runs}: {sum(self.happened.values())} done", flush=True)
            tidy_up()

    # -- asking for something ---------------------------------------------------------------------
    def ask(self, what: str, effect: Callable[[], Any]) -> Any:
        """Ask once, and again with the same key: the second time nothing more may happen."""
        self.keys += 1
        self.asked_last = what
        key = f"{self.name}-{what}-{self.keys}"
        made: list[Any] = []

        def run() -> str:
            made.append(effect())
            return "/done"

        before = self.fingerprint.take()
        try:
            submit_once(key=key, effect=run)
        except Refused as refusal:
            type(self).refused[what, refusal.code] += 1
            assert self.fingerprint.take() == before, f"{what} was refused and changed something"
            return None
        type(self).happened[what] += 1
        after = self.fingerprint.take()
        submit_once(key=key, effect=run)
        assert len(made) == 1
        assert self.fingerprint.take() == after
        return made[0]

    def acting_as(self, role: str, effect: Callable[[], Any]) -> Any:
        """Do it as another person of that role."""
        person = Actor(kind="user", id=424_242, label=role, role=role)
        with tenant_scope(active_scope().tenant, actor=person):
            return effect()

    def packaging(self, number: int) -> Packaging | None:
        """Return the case of six of the first product, for one choice in four."""
        return self.case if number % 4 == 0 else None

    # -- what must hold, always ---------------------------------------------------------------------
    @invariant()
    def the_book_is_in_order(self) -> None:
        if self.book.is_in_disorder():
            assert check_book() == []
            raise AssertionError("the prepared check of the book found what check_book did not")

    @invariant()
    def every_row_points_inside_its_tenant(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")

    @invariant()
    def nothing_new_breaks_a_rule(self) -> None:
        """Only good lots are promised, and nothing is posted to a closed day."""
        promises = Allocation.objects.filter(pk__gt=self.last_promise, lot__isnull=False)
        for promise in promises.select_related("lot"):
            assert promise.lot.status == LotStatus.AVAILABLE
            assert promise.lot.code != "OLD"
        closed = InventorySettings.objects.get().closed_through
        if closed is not None:
            posted = StockMovement.objects.filter(pk__gt=self.last_movement)
            assert not posted.filter(business_day__lte=closed).exists()
        self._look_at_what_is_new()

    def _look_at_what_is_new(self) -> None:
        for rows, name in ((Allocation, "last_promise"), (StockMovement, "last_movement")):
            newest = rows.objects.order_by("-pk").values_list("pk", flat=True).first()
            setattr(self, name, newest or 0)
