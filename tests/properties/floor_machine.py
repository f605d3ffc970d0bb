"""A warehouse where anybody does anything, in any order: the rules of the floor machine.

Every rule asks a service for something that may or may not be allowed. What is allowed happens,
what is not is a named refusal that changes nothing. After each step the whole book is checked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from inventory.models import (
    Allocation,
    Channel,
    CustomerReturn,
    CustomerReturnLine,
    CycleCount,
    Lot,
    MovementReason,
    Package,
    PickTask,
    Product,
    PurchaseOrder,
    SalesOrder,
    SalesOrderLine,
    Shipment,
    StockBalance,
    StockMovement,
    TransferOrder,
    Wave,
)
from inventory.queries.integrity import check_book
from inventory.queries.waves import WaveRequest
from inventory.rules.wave_plan import PlanKind
from inventory.services.adjustments import Adjustment, adjust_stock
from inventory.services.allocation import allocate_warehouse, release_allocations
from inventory.services.ledger import MovementLine, post_movements, reverse_movement
from inventory.services.packing import close_package, open_package, pack_rest
from inventory.services.picking import Pick, pick, undo_pick
from inventory.services.purchasing import OrderLine, cancel_order, create_draft_order, place_order
from inventory.services.receiving import ReceiptLine, receive_order
from inventory.services.sales import cancel_sales_order, confirm_sales_order
from inventory.services.sales_entry import SalesOrderFields, create_sales_order
from inventory.services.sales_lines import SalesLine
from inventory.services.shipping import ship_order
from inventory.services.short_picks import pick_short
from inventory.services.stock import move_stock
from inventory.services.waves import cancel_wave, release_waves
from tenancy.errors import Refused
from tenancy.services.submissions import submit_once
from tests.inventory.book import Site, make_lot, make_product, make_site

choices = st.integers(min_value=0, max_value=10**6)
quantities = st.integers(min_value=1, max_value=9).map(Decimal)
few = st.integers(min_value=1, max_value=3).map(Decimal)


def nth(rows: Any, number: int) -> Any:
    """Return one of the rows by a number that may be any, or None when there are none."""
    found = list(rows.order_by("pk"))
    return found[number % len(found)] if found else None


class FloorMachine(RuleBasedStateMachine):
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
        self.supplier = self._make_supplier()
        for number, lots in enumerate(self.lots):
            for lot in lots:
                self._bring(number, Decimal(1) if number == 2 else Decimal(12), lot)

    def _make_supplier(self) -> Any:
        from inventory.services.suppliers import SupplierFields, create_supplier

        return create_supplier(fields=SupplierFields(code="ACME", name="Acme"))

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

    # -- inbound ------------------------------------------------------------------------------------
    @rule(n=choices, quantity=quantities)
    def buy(self, n: int, quantity: Decimal) -> None:
        product = self.products[n % 2]
        line = OrderLine(product.pk, quantity, unit_price=Decimal("1.5"))

        def place() -> Any:
            order = create_draft_order(
                supplier_id=self.supplier.pk, warehouse_id=self.site.warehouse.pk, lines=[line]
            )
            return place_order(order_id=order.pk)

        self.ask("buy", place)

    @rule(n=choices, quantity=quantities, m=choices)
    def receive(self, n: int, quantity: Decimal, m: int) -> None:
        order = nth(PurchaseOrder.objects.all(), n)
        if order is None:
            return
        line = order.lines.select_related("product").get()
        lot = ("M1", "M2", "M3")[m % 3] if line.product.lot_tracking == "lot" else ""
        arrived = ReceiptLine(line_id=line.pk, quantity=quantity, lot_code=lot)
        self.ask("receive", lambda: receive_order(order_id=order.pk, lines=[arrived]))

    @rule(n=choices)
    def cancel_purchase(self, n: int) -> None:
        order = nth(PurchaseOrder.objects.all(), n)
        if order is not None:
            self.ask("cancel purchase", lambda: cancel_order(order_id=order.pk))

    # -- inside -------------------------------------------------------------------------------------
    @rule(n=choices, quantity=few, to=choices, age=st.integers(min_value=0, max_value=30))
    def move(self, n: int, quantity: Decimal, to: int, age: int) -> None:
        found = nth(StockBalance.objects.filter(on_hand__gt=0), n)
        if found is None:
            return
        places = [self.site.at(kind) for kind in ("receiving", "storage", "quarantine", "packing")]
        places += [self.other.at("storage")]
        line = MovementLine(
            found.product_id,
            found.location_id,
            places[to % len(places)],
            quantity,
            MovementReason.MOVE,
            lot_id=found.lot_id,
        )
        when = datetime.now(UTC) - timedelta(days=age) if age else None
        self.ask("move", lambda: move_stock(lines=[line], effective_at=when))

    @rule(n=choices, change=few, down=st.booleans())
    def adjust(self, n: int, change: Decimal, down: bool) -> None:
        found = nth(StockBalance.objects.filter(location__warehouse=self.site.warehouse), n)
        if found is None:
            return
        adjustment = Adjustment(
            found.product_id,
            found.location_id,
            -change if down else change,
            MovementReason.SCRAP if down else MovementReason.FOUND,
            found.lot_id,
        )
        site = self.site.warehouse.pk
        self.ask("adjust", lambda: adjust_stock(warehouse_id=site, adjustments=[adjustment]))

    @rule(n=choices)
    def reverse(self, n: int) -> None:
        """Take back a movement of no document; those of documents have corrections of their own."""
        found = nth(StockMovement.objects.filter(document_kind="", reverses=None), n)
        if found is not None:
            self.ask("reverse", lambda: reverse_movement(movement_id=found.pk))

    # -- outbound -----------------------------------------------------------------------------------
    @rule(quantity=quantities, n=choices, second=st.booleans(), firm=st.integers(0, 3))
    def sell(self, quantity: Decimal, n: int, second: bool, firm: int) -> None:
        wanted = [n % 3, (n + 1) % 3][: 1 + second]
        lines = [
            SalesLine(self.products[k].pk, Decimal(1) if k == 2 else quantity, Decimal(5))
            for k in wanted
        ]
        fields = SalesOrderFields(
            warehouse_id=self.site.warehouse.pk, channel_id=self.channel.pk, priority=1 + n % 9
        )
        order = self.ask("sell", lambda: create_sales_order(fields=fields, lines=lines))
        if firm and order is not None:
            self.ask("confirm", lambda: confirm_sales_order(sales_order_id=order.pk))

    def order(self, n: int) -> SalesOrder | None:
        found: SalesOrder | None = nth(SalesOrder.objects.all(), n)
        return found

    @rule(n=choices)
    def confirm(self, n: int) -> None:
        if (order := self.order(n)) is not None:
            self.ask("confirm", lambda: confirm_sales_order(sales_order_id=order.pk))

    @rule()
    def allocate_all(self) -> None:
        site = self.site.warehouse.pk
        self.ask("allocate", lambda: allocate_warehouse(warehouse_id=site))

    @rule(n=choices)
    def release(self, n: int) -> None:
        found = nth(Allocation.objects.filter(order_line__isnull=False), n)
        if found is not None:
            self.ask("release", lambda: release_allocations(allocation_ids=[found.pk]))

    @rule(n=choices, back=st.booleans())
    def cancel_sale(self, n: int, back: bool) -> None:
        if (order := self.order(n)) is not None:
            self.ask(
                "cancel sale",
                lambda: cancel_sales_order(sales_order_id=order.pk, take_back_demand=back),
            )

    @rule(kind=st.sampled_from(PlanKind))
    def release_wave(self, kind: PlanKind) -> None:
        request = WaveRequest(self.site.warehouse.pk, kind=kind)
        self.ask("release wave", lambda: release_waves(request=request))

    @rule(n=choices)
    def call_off_wave(self, n: int) -> None:
        wave = nth(Wave.objects.all(), n)
        if wave is not None:
            self.ask("call off wave", lambda: cancel_wave(wave_id=wave.pk))

    @rule(n=choices)
    def pick_one(self, n: int) -> None:
        task = nth(PickTask.objects.all(), n)
        if task is None:
            return
        scanned = Pick(task.pk, task.location_id, task.product_id, task.lot_id)
        self.ask("pick", lambda: pick(wave_id=task.wave_id, picks=[scanned]))

    @rule(n=choices)
    def pick_a_wave(self, n: int) -> None:
        tasks = PickTask.objects.filter(state="open")
        first = nth(tasks, n)
        if first is None:
            return
        picks = [
            Pick(task.pk, task.location_id, task.product_id, task.lot_id)
            for task in tasks.filter(wave_id=first.wave_id).order_by("sequence")
        ]
        self.ask("pick wave", lambda: pick(wave_id=first.wave_id, picks=picks))

    @rule(n=choices, found=st.integers(min_value=0, max_value=5).map(Decimal))
    def pick_too_little(self, n: int, found: Decimal) -> None:
        task = nth(PickTask.objects.filter(state="open"), n)
        if task is None:
            return
        scanned = Pick(task.pk, task.location_id, task.product_id, task.lot_id, found)
        self.ask(
            "pick short",
            lambda: pick_short(wave_id=task.wave_id, pick=scanned, reason="not_found"),
        )

    @rule(n=choices)
    def put_back(self, n: int) -> None:
        task = nth(PickTask.objects.all(), n)
        if task is not None:
            self.ask("undo pick", lambda: undo_pick(wave_id=task.wave_id, task_ids=[task.pk]))

    @rule(n=choices)
    def pack(self, n: int) -> None:
        if (order := self.order(n)) is None:
            return

        def fill() -> Any:
            package = open_package(sales_order_id=order.pk)
            pack_rest(package_id=package.pk)
            return close_package(package_id=package.pk)

        self.ask("pack", fill)

    @rule(n=choices, everything=st.booleans())
    def ship(self, n: int, everything: bool) -> None:
        if (order := self.order(n)) is not None:
            self.ask("ship", lambda: ship_order(sales_order_id=order.pk, pack_all=everything))

    # -- what must hold, always ---------------------------------------------------------------------
    @invariant()
    def the_book_is_in_order(self) -> None:
        assert check_book() == []

    @invariant()
    def every_row_points_inside_its_tenant(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")


FINGERPRINT = """
    SELECT
        (SELECT count(*) FROM inventory_stockmovement),
        (SELECT coalesce(sum(on_hand * id), 0) FROM inventory_stockbalance),
        (SELECT coalesce(sum(allocated * id), 0) FROM inventory_stockbalance),
        (SELECT coalesce(sum(value * id), 0) FROM inventory_stockvalue),
        (SELECT coalesce(sum(quantity), 0) FROM inventory_dailydemand),
        (SELECT string_agg(state, ',' ORDER BY id) FROM inventory_salesorder),
        (SELECT string_agg(state, ',' ORDER BY id) FROM inventory_purchaseorder),
        (SELECT string_agg(state, ',' ORDER BY id) FROM inventory_allocation),
        (SELECT string_agg(state, ',' ORDER BY id) FROM inventory_picktask),
        (SELECT string_agg(state, ',' ORDER BY id) FROM inventory_package),
        (SELECT count(*) FROM inventory_shipmentline)
"""

UNUSED = (CustomerReturn, CustomerReturnLine, CycleCount, Package, Shipment, TransferOrder)
UNUSED += (SalesOrderLine,)
