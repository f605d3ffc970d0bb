"""The ledger keeps value beside quantity: written with the posting, refused with it, rebuilt."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction

from inventory.models import (
    CostLayer,
    InventorySettings,
    MovementReason,
    Product,
    StockValue,
    ValueEntry,
)
from inventory.queries.integrity import check_book
from inventory.queries.integrity_values import VALUE_CHECKS
from inventory.services.ledger import (
    InsufficientStock,
    MovementLine,
    post_movements,
    reverse_movement,
)
from tenancy.errors import Invalid
from tests.inventory.book import Site, make_product, make_site

METHODS = ["moving_average", "fifo"]


@pytest.fixture(params=METHODS)
def method(request: pytest.FixtureRequest, site: Site) -> str:
    """Both methods, in a tenant that has chosen it before its first posting."""
    InventorySettings.objects.create(valuation_method=request.param)
    return str(request.param)


def worth(product: Product, site: Site) -> tuple[Decimal, Decimal]:
    row = StockValue.objects.get(product=product, warehouse=site.warehouse)
    return row.quantity, row.value


def entries(movement_ids: list[int]) -> list[tuple[Decimal, Decimal, bool]]:
    rows = ValueEntry.objects.filter(movement_id__in=movement_ids).order_by("id")
    return [(row.quantity_change, row.value_change, row.is_estimated) for row in rows]


def test_a_receipt_brings_value_and_an_issue_takes_its_share(site: Site, method: str) -> None:
    apple = make_product()
    received = site.receive(apple, 10, unit_cost=Decimal("2.00"))
    site.receive(apple, 10, unit_cost=Decimal("3.00"))
    shipped = site.ship(apple, 5)
    cost = {"moving_average": Decimal("12.5"), "fifo": Decimal(10)}[method]  # 5 x 2.50 or 5 x 2.00
    assert entries(received) == [(10, 20, False)]
    assert entries(shipped) == [(-5, -cost, False)]
    assert worth(apple, site) == (15, 50 - cost)
    site.ship(apple, 15)
    assert worth(apple, site) == (0, 0)
    assert check_book() == []


def test_what_moves_inside_a_warehouse_keeps_its_value_and_writes_none(
    site: Site, method: str
) -> None:
    apple = make_product()
    site.receive(apple, 10, unit_cost=Decimal(2))
    moved = post_movements(
        lines=[
            site.line(apple, 4, "storage", "packing"),
            site.line(apple, 1, "storage", "damaged", reason=MovementReason.DAMAGE),
        ]
    )
    assert entries(moved) == []
    assert worth(apple, site) == (10, 20)
    assert check_book() == []


def test_a_transfer_carries_its_value_through_transit(site: Site, method: str) -> None:
    other = make_site("OTHER")
    apple = make_product()
    site.receive(apple, 10, unit_cost=Decimal(2))
    site.receive(apple, 10, unit_cost=Decimal(4))
    out = MovementLine(
        apple.pk,
        site.at("storage"),
        site.at("in_transit"),
        Decimal(12),
        MovementReason.TRANSFER_OUT,
    )
    left = post_movements(lines=[out])
    assert entries(left) == []  # it is on the way, and still the origin's
    assert worth(apple, site) == (20, 60)
    arrival = MovementLine(
        apple.pk,
        site.at("in_transit"),
        other.at("receiving"),
        Decimal(12),
        MovementReason.TRANSFER_IN,
    )
    arrived = post_movements(lines=[arrival])
    value = {"moving_average": 36, "fifo": 28}[method]  # 12 x 3, or 10 x 2 + 2 x 4
    assert entries(arrived) == [(-12, -value, False), (12, value, False)]
    assert worth(apple, site) == (8, 60 - value)
    assert worth(apple, other) == (12, value)
    reverse_movement(movement_id=arrived[0])
    assert worth(apple, site) == (20, 60)
    assert worth(apple, other) == (0, 0)
    reverse_movement(movement_id=left[0])
    assert check_book(VALUE_CHECKS) == []  # no order says what is on the way


def test_a_reversal_takes_back_what_its_movement_brought(site: Site, method: str) -> None:
    apple = make_product()
    site.receive(apple, 10, unit_cost=Decimal(1))
    [wrong] = site.receive(apple, 10, unit_cost=Decimal(9))
    reversal = reverse_movement(movement_id=wrong)
    assert entries([reversal.pk]) == [(-10, -90, False)]
    [shipped] = site.ship(apple, 4)
    site.receive(apple, 6, unit_cost=Decimal(5))
    back = reverse_movement(movement_id=shipped)
    assert entries([back.pk]) == [(4, 4, False)]
    assert worth(apple, site) == (16, 40)  # 10 x 1 + 6 x 5
    assert check_book() == []


def test_goods_without_a_cost_come_in_at_the_average_or_the_usual_cost_and_say_so(
    site: Site, method: str
) -> None:
    apple = make_product(unit_cost=Decimal("1.50"))
    assert entries(site.receive(apple, 2)) == [(2, 3, True)]  # nothing there: the usual cost
    site.receive(apple, 2, unit_cost=Decimal("2.50"))
    found = post_movements(lines=[site.line(apple, 1, "loss", "storage")])
    assert entries(found) == [(1, 2, True)]  # 8 / 4
    assert entries(site.receive(make_product("PEAR"), 5)) == [(5, 0, True)]
    assert check_book() == []


def test_lines_of_one_posting_are_valued_in_their_order(site: Site) -> None:
    apple = make_product()
    site.receive(apple, 10, unit_cost=Decimal(1))
    dear = site.line(apple, 10, "supplier", "storage", unit_cost=Decimal(3))
    issue = site.line(apple, 4, "storage", "customer")
    ids = post_movements(lines=[issue, dear, issue])
    by_movement = {e.movement_id: e.value_change for e in ValueEntry.objects.all()}
    # 4 of 10 for 10; then 6 + 30 = 36 for 16, of which 4
    assert [by_movement[i] for i in ids] == [-4, 30, -9]
    assert check_book() == []


def test_a_posting_that_is_refused_leaves_no_value_behind(site: Site, method: str) -> None:
    apple, pear = make_product(), make_product("PEAR")
    site.receive(apple, 10, unit_cost=Decimal(2))
    before = ValueEntry.objects.count(), StockValue.objects.count()
    with pytest.raises(InsufficientStock):
        post_movements(
            lines=[
                site.line(apple, 4, "storage", "customer"),
                site.line(pear, 1, "storage", "customer"),
            ]
        )
    assert (ValueEntry.objects.count(), StockValue.objects.count()) == before
    assert worth(apple, site) == (10, 20)
    assert check_book() == []


def test_lines_that_only_chase_each_other_are_refused(site: Site) -> None:
    other = make_site("OTHER")
    apple = make_product()

    def line(start: int, end: int) -> MovementLine:
        return MovementLine(apple.pk, start, end, Decimal(5), MovementReason.TRANSFER_OUT)

    with pytest.raises(Invalid) as refusal:
        post_movements(
            lines=[
                line(site.at("in_transit"), other.at("storage")),
                line(other.at("storage"), site.at("in_transit")),
            ]
        )
    assert refusal.value.problems[0].code == "circular"
    assert ValueEntry.objects.count() == 0


def test_the_greatest_quantities_at_the_greatest_cost_fit(site: Site, method: str) -> None:
    gold = make_product("GOLD", whole_units=False)
    most = Decimal("999999999999.999999")
    site.receive(gold, most, unit_cost=most)
    post_movements(lines=[site.line(gold, most, "supplier", "packing", unit_cost=most)])
    site.ship(gold, most)
    assert worth(gold, site) == (most, Decimal("999999999999999998000000.000000"))
    assert check_book() == []


def test_more_layers_than_are_read_at_first_are_found_when_they_are_needed(site: Site) -> None:
    InventorySettings.objects.create(valuation_method="fifo")
    apple = make_product()
    for cost in range(1, 62):
        site.receive(apple, 1, unit_cost=Decimal(cost))
    site.ship(apple, 60)
    assert worth(apple, site) == (1, 61)
    assert CostLayer.objects.filter(remaining_quantity__gt=0).count() == 1
    assert check_book() == []


def test_layers_stand_in_the_order_in_which_the_goods_came(site: Site) -> None:
    InventorySettings.objects.create(valuation_method="fifo")
    apple = make_product()
    site.receive(apple, 5, unit_cost=Decimal(7))
    yesterday = datetime.now(UTC) - timedelta(days=1)
    site.receive(apple, 5, unit_cost=Decimal(3), effective_at=yesterday)  # recorded late
    assert entries(site.ship(apple, 5)) == [(-5, -15, False)]
    assert check_book() == []


@pytest.mark.parametrize("change", ["UPDATE {} SET value_change = 1", "DELETE FROM {}"])
def test_the_application_cannot_change_a_value_entry(site: Site, change: str) -> None:
    site.receive(make_product(), 1)
    refused = pytest.raises(DatabaseError, match="permission denied")
    with refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change.format("inventory_valueentry"))


@pytest.mark.parametrize("change", ["value = -1", "quantity = -1", "quantity = 0, value = 1"])
def test_the_database_refuses_a_value_that_cannot_be(site: Site, change: str) -> None:
    site.receive(make_product(), 1)
    refused = pytest.raises(DatabaseError, match="violates check")
    with refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE inventory_stockvalue SET {change}")
