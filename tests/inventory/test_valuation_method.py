"""Choosing the method and correcting a value: nothing changes silently, and the book stays in order."""

from __future__ import annotations

from decimal import Decimal

import pytest

from inventory.models import (
    CostLayer,
    InventorySettings,
    Product,
    StockValue,
    ValuationMethod,
    ValueEntry,
)
from inventory.queries.integrity import check_book
from inventory.services.valuation import (
    NothingToValue,
    Revaluation,
    change_valuation_method,
    revalue_stock,
)
from tenancy.errors import Invalid, NotFound, StaleVersion
from tenancy.models import AuditEvent
from tenancy.permissions import PermissionRefused
from tests.cast import House
from tests.inventory.book import Site, make_product

FIFO, AVERAGE = ValuationMethod.FIFO, ValuationMethod.MOVING_AVERAGE


@pytest.fixture
def apples(site: Site) -> Product:
    """Ten apples for 10 and ten for 30."""
    apple = make_product()
    site.receive(apple, 10, unit_cost=Decimal(1))
    site.receive(apple, 10, unit_cost=Decimal(3))
    return apple


def worth() -> tuple[Decimal, Decimal]:
    row = StockValue.objects.get()
    return row.quantity, row.value


def cost_of(ids: list[int]) -> Decimal:
    return -sum(e.value_change for e in ValueEntry.objects.filter(movement_id__in=ids))


def test_a_change_of_method_changes_no_value_and_counts_from_the_next_posting(
    site: Site, apples: Product
) -> None:
    entries = ValueEntry.objects.count()
    settings = change_valuation_method(method=FIFO)
    assert settings.valuation_method == "fifo"
    assert worth() == (20, 40)
    assert ValueEntry.objects.count() == entries
    assert check_book() == []
    site.receive(apples, 10, unit_cost=Decimal(6))
    assert cost_of(site.ship(apples, 10)) == 20  # the twenty that were there, at 2.00 each
    assert cost_of(site.ship(apples, 15)) == 50  # 10 x 2 + 5 x 6
    change_valuation_method(method=AVERAGE)
    assert worth() == (5, 30)
    assert not CostLayer.objects.filter(remaining_quantity__gt=0).exists()
    site.receive(apples, 5, unit_cost=Decimal(8))
    assert cost_of(site.ship(apples, 1)) == 7  # 70 / 10
    assert check_book() == []
    told = AuditEvent.objects.filter(action="valuation_method.changed").order_by("id")
    assert told[0].data == {"before": "moving_average", "after": "fifo"}


def test_products_that_come_later_are_valued_by_the_chosen_method(
    site: Site, apples: Product
) -> None:
    change_valuation_method(method=FIFO)
    pear = make_product("PEAR")
    site.receive(pear, 5, unit_cost=Decimal(1))
    assert StockValue.objects.get(product=pear).method == "fifo"
    assert check_book() == []


def test_the_method_in_use_is_not_chosen_again(site: Site, apples: Product) -> None:
    with pytest.raises(Invalid) as refusal:
        change_valuation_method(method=AVERAGE)
    assert refusal.value.problems[0].code == "in_use"
    assert AuditEvent.objects.filter(action="valuation_method.changed").count() == 0


def test_a_stale_page_does_not_change_the_method(site: Site) -> None:
    version = change_valuation_method(method=FIFO).version
    change_valuation_method(method=AVERAGE, version=version)
    with pytest.raises(StaleVersion):
        change_valuation_method(method=FIFO, version=version)
    assert InventorySettings.objects.get().valuation_method == "moving_average"


@pytest.mark.parametrize("method", [AVERAGE, FIFO])
def test_a_value_is_corrected_by_an_entry_that_says_why(
    site: Site, apples: Product, method: ValuationMethod
) -> None:
    if method == FIFO:
        change_valuation_method(method=FIFO)
        site.receive(apples, 20, unit_cost=Decimal(1))  # 40 + 20 for 40
    before = worth()
    entry = revalue_stock(
        revaluation=Revaluation(
            apples.pk, site.warehouse.pk, Decimal("100.000001"), "invoice of May"
        )
    )
    assert (entry.kind, entry.quantity_change, entry.note) == ("revaluation", 0, "invoice of May")
    assert entry.value_change == Decimal("100.000001") - before[1]
    assert worth() == (before[0], Decimal("100.000001"))
    assert check_book() == []
    site.ship(apples, before[0])
    assert worth() == (0, 0)
    assert check_book() == []
    event = AuditEvent.objects.get(action="stock.revalued")
    assert event.data["note"] == "invoice of May"


def test_stock_that_was_worth_nothing_is_valued_by_quantity(site: Site) -> None:
    change_valuation_method(method=FIFO)
    apple = make_product()
    site.receive(apple, 1)
    site.receive(apple, 2)
    revalue_stock(revaluation=Revaluation(apple.pk, site.warehouse.pk, Decimal(10), "now known"))
    values = list(CostLayer.objects.order_by("id").values_list("remaining_value", flat=True))
    assert values == [Decimal("3.333333"), Decimal("6.666667")]  # 10 x 1/3, and the rest
    assert check_book() == []


@pytest.mark.parametrize(
    ("value", "note", "code"),
    [
        ("-1", "wrong", "not_an_amount"),
        ("NaN", "wrong", "not_an_amount"),
        ("1e400", "wrong", "not_an_amount"),
        ("1.0000001", "wrong", "not_an_amount"),
        ("40", "same", "unchanged"),
        ("50", " ", "bad_length"),
        ("50", "x" * 201, "bad_length"),
    ],
)
def test_an_absurd_value_or_none_of_the_reasons_is_refused(
    site: Site, apples: Product, value: str, note: str, code: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        revalue_stock(revaluation=Revaluation(apples.pk, site.warehouse.pk, Decimal(value), note))
    assert refusal.value.problems[0].code == code
    assert worth() == (20, 40)


def test_what_is_not_there_has_no_value_to_correct(site: Site) -> None:
    apple = make_product()
    with pytest.raises(NothingToValue):
        revalue_stock(revaluation=Revaluation(apple.pk, site.warehouse.pk, Decimal(1), "a present"))
    for wrong in (
        Revaluation(987654321, site.warehouse.pk, Decimal(1), "foreign"),
        Revaluation(apple.pk, 987654321, Decimal(1), "foreign"),
    ):
        with pytest.raises(NotFound):
            revalue_stock(revaluation=wrong)


def test_only_managers_choose_and_correct(north: House) -> None:
    with north.scope("planner"):
        with pytest.raises(PermissionRefused):
            change_valuation_method(method=FIFO)
        with pytest.raises(PermissionRefused):
            revalue_stock(revaluation=Revaluation(1, 1, Decimal(1), "because"))
    with north.scope("manager"):
        change_valuation_method(method=FIFO)
