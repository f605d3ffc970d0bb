"""Stock from before values were kept is taken on; values out of step are found, and rebuilt when told to."""

from __future__ import annotations

import io
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command

from inventory.models import CostLayer, InventorySettings, Product, StockValue, ValueEntry
from inventory.queries.integrity import check_book
from inventory.services.ledger import reverse_movement
from inventory.services.ledger_errors import ValueOutOfStep
from tenancy.models import AuditEvent
from tests.cast import House
from tests.inventory.book import Site, make_product, make_site, tamper

pytestmark = pytest.mark.django_db(transaction=True)

FORGET = tuple(
    f"DELETE FROM inventory_{table}" for table in ("valueentry", "stockvalue", "costlayer")
)


@pytest.fixture(params=["moving_average", "fifo"])
def old_book(request: pytest.FixtureRequest, north: House) -> tuple[House, Site, Product]:
    """Ten apples, 2.50 each as a rule, bought before values were kept."""
    with north.scope():
        InventorySettings.objects.create(valuation_method=request.param)
        site, apple = make_site(), make_product(unit_cost=Decimal("2.50"))
        site.receive(apple, 12, unit_cost=Decimal(9))
        site.ship(apple, 2)
        site.receive(make_product("PEAR"), 1)
    tamper(*FORGET)
    return north, site, apple


def check_ledger(*options: str) -> str:
    out = io.StringIO()
    call_command("check_ledger", *options, tenant="north", stdout=out)
    return out.getvalue()


def test_the_first_posting_takes_on_what_lies_there_at_the_usual_cost(
    old_book: tuple[House, Site, Product],
) -> None:
    house, site, apple = old_book
    with house.scope():
        site.ship(apple, 4)
        taken_on, issue = ValueEntry.objects.order_by("id")
        assert (taken_on.kind, taken_on.quantity_change, taken_on.value_change) == (
            "taken_on",
            10,
            25,
        )
        assert taken_on.is_estimated
        assert issue.value_change == -10  # 4 of 10 for 25
        row = StockValue.objects.get()
        assert (row.quantity, row.value) == (6, 15)


def test_what_is_reversed_may_be_older_than_the_values(
    old_book: tuple[House, Site, Product],
) -> None:
    house, site, apple = old_book
    with house.scope():
        shipment = site.ship(apple, 1)[0] - 2  # the one before the pear and this
        reverse_movement(movement_id=shipment)
        row = StockValue.objects.get()
        assert (row.quantity, row.value) == (11, Decimal("27.5"))  # at the average: 22.50 / 9 x 2


def test_the_command_finds_stock_that_was_never_valued_and_takes_it_on_when_told_to(
    old_book: tuple[House, Site, Product],
) -> None:
    house, _site, apple = old_book
    with pytest.raises(CommandError, match="2 differences"):
        check_ledger()
    with pytest.raises(CommandError):
        check_ledger()  # nothing was repaired
    assert check_ledger("--rebuild").count("rebuilt  values_cover_the_stock") == 2
    assert check_ledger() == "The book of north is in order.\n"
    with house.scope():
        row = StockValue.objects.get(product=apple)
        assert (row.quantity, row.value) == (10, 25)
        assert AuditEvent.objects.filter(action="values.rebuilt").count() == 1
        assert not AuditEvent.objects.filter(action="balances.rebuilt").exists()


@pytest.mark.parametrize(
    ("damage", "worth"),
    [
        ("UPDATE inventory_stockvalue SET value = value + 1", 25),
        ("UPDATE inventory_stockvalue SET quantity = quantity + 1, value = value * 2", 25),
        ("DELETE FROM inventory_stockvalue", 25),
        # the truth itself is damaged: what is there is valued at what is left of it
        ("UPDATE inventory_valueentry SET quantity_change = 5, value_change = 20", 40),
        ("DELETE FROM inventory_valueentry", 25),
        ("UPDATE inventory_costlayer SET remaining_value = remaining_value + 1", 25),
        ("DELETE FROM inventory_costlayer", 25),
        ("UPDATE inventory_stockbalance SET on_hand = 7", 25),
    ],
)
def test_damage_to_values_is_rebuilt_when_told_to(
    old_book: tuple[House, Site, Product], damage: str, worth: int
) -> None:
    house, _site, apple = old_book
    check_ledger("--rebuild")
    tamper(damage)
    check_ledger("--rebuild")
    assert check_ledger() == "The book of north is in order.\n"
    with house.scope():
        row = StockValue.objects.get(product=apple)
        assert (row.quantity, row.value) == (10, worth)
        layers = CostLayer.objects.filter(product=apple, remaining_quantity__gt=0)
        assert len(layers) == (1 if row.method == "fifo" else 0)


def test_a_posting_that_the_value_cannot_follow_says_what_to_do(
    old_book: tuple[House, Site, Product],
) -> None:
    house, site, apple = old_book
    check_ledger("--rebuild")
    tamper("UPDATE inventory_stockvalue SET quantity = 3")
    with house.scope():
        with pytest.raises(ValueOutOfStep, match="--rebuild") as refusal:
            site.ship(apple, 4)
        assert refusal.value.data["missing"] == "1"
        assert StockValue.objects.get(product=apple).quantity == 3
    check_ledger("--rebuild")
    with house.scope():
        site.ship(apple, 4)
        assert check_book() == []
