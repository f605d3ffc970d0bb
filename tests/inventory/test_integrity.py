"""The checks of the book find what is wrong, name it, and repair only when told to."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import psycopg
import pytest
from django.core.management import CommandError, call_command

from inventory.models import (
    DailyDemand,
    ImportedFile,
    ImportedSale,
    InventorySettings,
    StockBalance,
    SupplierReturn,
)
from inventory.queries.integrity import CHECKS, check_book
from inventory.services.ledger_rebuild import rebuild_book
from inventory.services.periods import close_period
from inventory.services.supplier_returns import send_supplier_return
from tenancy.models import AuditEvent
from tenancy.permissions import PermissionRefused
from tests import engines
from tests.cast import House
from tests.inventory.book import Site, make_lot, make_product, make_site, tamper
from tests.inventory.outbound_world import Floor
from tests.inventory.returns_world import Counter, supplied_by
from tests.inventory.selling import confirmed
from tests.inventory.shifting import Pair

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def book(north: House) -> tuple[House, Site]:
    """A committed book in order: products, a lot, a serial, FIFO layers, a transfer under way."""
    with north.scope():
        site = make_site()
        apple, milk = make_product(), make_product("MILK", lot_tracking="lot")
        site.receive(apple, 10)
        site.ship(apple, 4)
        site.receive(milk, 5, lot_id=make_lot(milk).pk)
        laptop = make_product("LAPTOP", lot_tracking="serial")
        site.receive(laptop, 1, lot_id=make_lot(laptop, "SN-1").pk)
        plum = make_product("PLUM")
        InventorySettings.objects.create(valuation_method="fifo")
        site.receive(plum, 3, unit_cost=Decimal(2))
        on_the_way(site)
        confirmed(site.warehouse, (apple, 2))
        long_ago = datetime.now(UTC) - timedelta(days=20)
        site.receive(plum, 1, unit_cost=Decimal(2), effective_at=long_ago)
        close_period(through=long_ago.date() + timedelta(days=2))
        assert check_book() == []
    return north, site


def on_the_way(site: Site) -> None:
    """Two of four cherries have left for another site, and one has arrived."""
    pair, cherry = Pair(site, make_site("THERE")), make_product("CHERRY")
    site.receive(cherry, 4)
    order = pair.released((cherry, 4))
    pair.send(order, 2)
    pair.receive(order, 1)


APPLE = "(SELECT id FROM inventory_product WHERE sku = 'APPLE')"
DAMAGE: dict[str, tuple[str, ...]] = {
    "balances_equal_the_ledger": (
        f"UPDATE inventory_stockbalance SET on_hand = 7 WHERE product_id = {APPLE}",
    ),
    "outside_places_carry_no_balance": (
        (
            "UPDATE inventory_stockbalance SET location_id = "
            "(SELECT min(id) FROM inventory_location WHERE kind = 'customer') "
            f"WHERE product_id = {APPLE}"
        ),
    ),
    "reversals_mirror_their_movement": (
        (
            "UPDATE inventory_stockmovement SET reverses_id = (SELECT min(id) FROM "
            "inventory_stockmovement) WHERE id = (SELECT max(id) FROM inventory_stockmovement)"
        ),
    ),
    "movements_carry_their_business_day": (
        "UPDATE inventory_stockmovement SET business_day = business_day - 1",
    ),
    "serials_are_single": (
        (
            "UPDATE inventory_stockbalance SET on_hand = 2 WHERE product_id = "
            "(SELECT id FROM inventory_product WHERE sku = 'LAPTOP')"
        ),
    ),
    "values_equal_their_entries": (
        "UPDATE inventory_valueentry SET value_change = value_change + 1 WHERE quantity_change > 0",
    ),
    "values_cover_the_stock": (
        "UPDATE inventory_stockvalue SET quantity = quantity + 1, value = value + 1",
    ),
    "layers_equal_the_value": (
        "UPDATE inventory_costlayer SET remaining_value = remaining_value + 1",
    ),
    "closings_are_what_is_closed": (
        "UPDATE inventory_inventorysettings SET closed_through = closed_through - 1",
    ),
    "stock_snapshots_equal_the_ledger": (
        "UPDATE inventory_stocksnapshot SET quantity = quantity + 1",
    ),
    "value_snapshots_equal_the_ledger": ("DELETE FROM inventory_valuesnapshot",),
    "entries_mirror_their_movements": (
        "UPDATE inventory_valueentry SET quantity_change = 2 * quantity_change",
    ),
    "promises_equal_their_allocations": (
        "UPDATE inventory_allocation SET quantity = quantity + 1",
    ),
    "order_lines_equal_their_allocations": (
        "UPDATE inventory_salesorderline SET quantity_allocated = 1",
    ),
    "only_owing_orders_hold_stock": ("UPDATE inventory_salesorder SET state = 'cancelled'",),
    "orders_follow_their_lines": ("UPDATE inventory_salesorder SET state = 'backordered'",),
    "demand_covers_its_sources": ("UPDATE inventory_dailydemand SET quantity = 1",),
    "receipts_are_in_the_ledger": (
        "UPDATE inventory_stockmovement SET document_kind = 'Receipt', document_id = 99",
    ),
    "transfers_equal_their_movements": (
        "UPDATE inventory_transferpiece SET quantity_received = 0, quantity_lost = 1",
        "UPDATE inventory_transferline SET quantity_received = 0, quantity_lost = 1",
    ),
    "in_transit_is_what_transfers_say": (
        (
            "UPDATE inventory_stockbalance SET on_hand = 7 WHERE location_id IN "
            "(SELECT id FROM inventory_location WHERE kind = 'in_transit') AND on_hand > 0"
        ),
    ),
    "transfer_lines_are_the_sum_of_their_pieces": (
        "UPDATE inventory_transferline SET quantity_lost = 1",
    ),
    "transfers_are_promised_what_is_still_to_go": (
        "UPDATE inventory_transferline SET quantity = 3",
    ),
    "receipts_are_on_their_order": (
        "UPDATE inventory_stockmovement SET document_kind = 'PurchaseOrder', document_id = 99",
    ),
}


@pytest.mark.parametrize("check", DAMAGE)
def test_damage_is_found_and_named(book: tuple[House, Site], check: str) -> None:
    house, _site = book
    tamper(*DAMAGE[check])
    with house.scope():
        assert check in {difference.check for difference in check_book()}


def coming_back(site: Site) -> None:
    """Three of four figs came back: one went to stock, one to scrap, one to its supplier."""
    counter, fig = Counter(Floor(site)), make_product("FIG")
    supplied_by("SAM", fig)
    back = counter.received(counter.shipped(fig, 4), 3)
    counter.inspect(back, ("restock", 1), ("scrap", 1), ("to_supplier", 1))
    send_supplier_return(supplier_return_id=SupplierReturn.objects.get().pk)


DAMAGE_TO_RETURNS = {
    "returns_equal_their_movements": (
        "UPDATE inventory_customerreturnline SET quantity_restocked = 0"
    ),
    "shipments_equal_their_movements": "UPDATE inventory_shipmentline SET quantity = 5",
    "shipments_count_their_returns": "UPDATE inventory_shipmentline SET quantity_returned = 4",
    "supplier_returns_equal_their_movements": (
        "UPDATE inventory_supplierreturn SET state = 'draft'"
    ),
    "returns_are_handed_on_once": (
        "UPDATE inventory_customerreturnline SET quantity_to_supplier = 0"
    ),
}


@pytest.mark.parametrize("check", DAMAGE_TO_RETURNS)
def test_damage_to_returns_is_found_and_named(book: tuple[House, Site], check: str) -> None:
    house, site = book
    with house.scope():
        coming_back(site)
        assert check_book() == []
    tamper(DAMAGE_TO_RETURNS[check])
    with house.scope():
        assert check in {difference.check for difference in check_book()}


NEEDS_NO_CHECK = (
    ("stockbalance", "balance_on_hand_not_negative"),
    ("stockbalance", "balance_allocated_within_on_hand"),
    ("stockvalue", "stock_value_zero_is_worth_zero"),
)


@pytest.mark.parametrize(
    ("check", "change"),
    [
        ("stock_is_never_negative", "stockbalance SET on_hand = -1"),
        ("allocations_are_covered", "stockbalance SET allocated = on_hand + 1"),
        ("nothing_is_worth_nothing", "stockvalue SET quantity = 0, value = 1"),
    ],
)
def test_damage_that_the_constraints_would_stop_is_found_too(
    book: tuple[House, Site], check: str, change: str
) -> None:
    """The constraints are dropped inside a transaction that is taken back."""
    house, _site = book
    found = check_as_superuser(
        house,
        check,
        *(
            f"ALTER TABLE inventory_{table} DROP CONSTRAINT {name}"
            for table, name in NEEDS_NO_CHECK
        ),
        f"UPDATE inventory_{change}",
    )
    assert found


def check_as_superuser(house: House, name: str, *statements: str) -> list[object]:
    """Run one check's own SQL on a damaged database, in a transaction that is taken back."""
    captured: list[str] = []
    [check] = [check for check in CHECKS if check.__name__ == name]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            f"{check.__module__}._differences",
            lambda _name, sql: captured.append(sql) or [],
        )
        check()
    with psycopg.connect(engines.superuser_url(engines.database_name())) as admin:
        for statement in statements:
            admin.execute(statement)
        rows = admin.execute(captured[0], {"tenant": house.tenant.pk}).fetchall()
        admin.rollback()
    return rows


def test_demand_below_its_imported_sales_is_found(book: tuple[House, Site]) -> None:
    house, site = book
    with house.scope():
        product = make_product("PEAR")
        file = ImportedFile.objects.create(
            kind="sales", file_name="a.csv", sha256="0" * 64, size_bytes=1
        )
        ImportedSale.objects.create(
            file=file,
            line_key=b"0" * 16,
            product=product,
            warehouse=site.warehouse,
            sold_at="2026-03-02T12:00:00Z",
            business_day="2026-03-02",
            quantity=Decimal(5),
        )
        assert [d.check for d in check_book()] == ["demand_covers_its_sources"]
        DailyDemand.objects.create(
            product=product, warehouse=site.warehouse, business_day="2026-03-02", quantity=5
        )
        assert check_book() == []


def test_every_check_is_shown_to_find_something() -> None:
    shown = (
        set(DAMAGE)
        | set(DAMAGE_TO_RETURNS)
        | {
            "stock_is_never_negative",
            "allocations_are_covered",
            "nothing_is_worth_nothing",
        }
    )
    assert {check.__name__ for check in CHECKS} == shown


def run_command(*arguments: str) -> str:
    output = io.StringIO()
    call_command("check_ledger", "--tenant", "north", *arguments, stdout=output)
    return output.getvalue()


def test_the_command_says_that_all_is_well(book: tuple[House, Site]) -> None:
    assert run_command() == "The book of north is in order.\n"


@pytest.mark.parametrize(
    ("damage", "differences"),
    [
        (f"UPDATE inventory_stockbalance SET on_hand = 7 WHERE product_id = {APPLE}", 2),
        (f"DELETE FROM inventory_stockbalance WHERE product_id = {APPLE}", 3),
    ],
)
def test_the_command_fails_and_repairs_only_when_told(
    book: tuple[House, Site], damage: str, differences: int
) -> None:
    house, _site = book
    tamper(damage)
    with pytest.raises(CommandError, match=f"{differences} differences"):
        run_command()
    with pytest.raises(CommandError):
        run_command()  # nothing was repaired
    assert "rebuilt  balances_equal_the_ledger" in run_command("--rebuild")
    assert run_command() == "The book of north is in order.\n"
    with house.scope():
        row = StockBalance.objects.get(product__sku="APPLE")
        assert (row.on_hand, row.allocated) == (6, 2)  # 10 - 4
        assert AuditEvent.objects.filter(action="balances.rebuilt").count() == 1


def test_an_unknown_tenant_is_named(db: None) -> None:
    with pytest.raises(CommandError, match="no active tenant 'north'"):
        run_command()


def test_a_planner_does_not_rebuild(book: tuple[House, Site]) -> None:
    house, _site = book
    with house.scope("planner"), pytest.raises(PermissionRefused):
        rebuild_book()
