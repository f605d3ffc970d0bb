"""A warehouse where anybody does anything, in any order: what all rules of the floor share.

Every rule asks a service for something that may or may not be allowed. What is allowed happens,
what is not is a named refusal that changes nothing. After each step the whole book is checked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from inventory.models import Channel, InventorySettings, Lot, Product
from inventory.queries.integrity import check_book
from inventory.services.ledger import post_movements
from inventory.services.suppliers import SupplierFields, create_supplier
from tenancy.errors import Refused
from tenancy.scope import Actor, active_scope
from tenancy.services.submissions import submit_once
from tests.inventory.book import Site, make_lot, make_product, make_site

choices = st.integers(min_value=0, max_value=10**6)
quantities = st.integers(min_value=1, max_value=9).map(Decimal)
few = st.integers(min_value=1, max_value=3).map(Decimal)
ages = st.integers(min_value=0, max_value=30).map(lambda days: timedelta(days=days))


def nth(rows: Any, number: int) -> Any:
    """Return one of the rows by a number that may be any, or None when there are none."""
    found = list(rows.order_by("pk"))
    return found[number % len(found)] if found else None


class Floor(RuleBasedStateMachine):
    """Two sites, three products (one in lots, one by serial number), everything by services."""

    happened: Counter[str] = Counter()
    refused: Counter[str] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.savepoint = transaction.savepoint()
        self.keys = 0

    @initialize()
    def open_house(self) -> None:
        self.site: Site = make_site("EAST")
        self.other: Site = make_site("WEST")
        self.products: list[Product] = [
            make_product("FLOUR", unit_cost=Decimal(2)),
            make_product("MILK", lot_tracking="lot", unit_cost=Decimal("0.7")),
            make_product("DRILL", lot_tracking="serial", unit_cost=Decimal(90)),
        ]
        self.lots: list[list[Lot | None]] = [
            [None],
            [make_lot(self.products[1], code) for code in ("M1", "M2")],
            [make_lot(self.products[2], f"S{n}") for n in range(4)],
        ]
        self.channel = Channel.objects.create(code="web", name="Web")
        self.supplier = create_supplier(fields=SupplierFields(code="ACME", name="Acme"))
        tenant = active_scope().tenant
        InventorySettings.objects.create(tenant=tenant, count_tolerance_percent=50)
        self.approver = Actor(kind="user", id=424_242, label="approver", role="manager")
        for number, lots in enumerate(self.lots):
            for lot in lots:
                self._bring(number, Decimal(1) if number == 2 else Decimal(12), lot)
        self.begin()

    def begin(self) -> None:
        """Let the parts put something under way, so that a short run gets deep."""

    def _bring(self, number: int, quantity: Decimal, lot: Lot | None) -> None:
        line = self.site.line(
            self.products[number],
            quantity,
            "supplier",
            "storage",
            lot_id=lot.pk if lot else None,
            unit_cost=Decimal(3 + number),
        )
        post_movements(lines=[line])

    def teardown(self) -> None:
        transaction.savepoint_rollback(self.savepoint)

    # -- asking for something ---------------------------------------------------------------------
    def ask(self, what: str, effect: Callable[[], Any]) -> Any:
        """Ask once, and again with the same key: the second time nothing more may happen."""
        self.keys += 1
        key = f"{what}-{self.keys}"
        made: list[Any] = []

        def run() -> str:
            made.append(effect())
            return "/done"

        before = self._fingerprint()
        try:
            submit_once(key=key, effect=run)
        except Refused as refusal:
            type(self).refused[f"{what}: {refusal.code}"] += 1
            assert self._fingerprint() == before, f"{what} was refused and changed something"
            return None
        type(self).happened[what] += 1
        after = self._fingerprint()
        submit_once(key=key, effect=run)
        assert len(made) == 1
        assert self._fingerprint() == after
        return made[0]

    def _fingerprint(self) -> tuple[Any, ...]:
        """Return what any change of stock or promises shows in: counts and sums."""
        with connection.cursor() as cursor:
            cursor.execute(FINGERPRINT)
            row: tuple[Any, ...] = cursor.fetchone()
        return row

    # -- what must hold, always ---------------------------------------------------------------------
    @invariant()
    def the_book_is_in_order(self) -> None:
        assert check_book() == []

    @invariant()
    def every_row_points_inside_its_tenant(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")


TABLES = ("salesorder", "purchaseorder", "receipt", "allocation", "picktask", "wave", "package")
TABLES += ("transferorder", "cyclecount", "customerreturn", "supplierreturn")
FINGERPRINT = "SELECT " + ", ".join(
    [
        "(SELECT count(*) FROM inventory_stockmovement)",
        "(SELECT coalesce(sum(on_hand * id), 0) FROM inventory_stockbalance)",
        "(SELECT coalesce(sum(allocated * id), 0) FROM inventory_stockbalance)",
        "(SELECT coalesce(sum(value * id), 0) FROM inventory_stockvalue)",
        "(SELECT coalesce(sum(quantity), 0) FROM inventory_dailydemand)",
        "(SELECT count(*) FROM inventory_shipmentline)",
        "(SELECT count(*) FROM inventory_countline)",
        *(
            f"(SELECT string_agg(state, ',' ORDER BY id) FROM inventory_{table})"
            for table in TABLES
        ),
    ]
)
"""What any change of stock, promises or documents shows in."""
