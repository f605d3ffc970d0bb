"""Products, packagings, barcodes, lots: refused by the name of the field."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from inventory.models import LotStatus, Product
from inventory.services.catalog import (
    ProductFields,
    ProductInUse,
    add_barcode,
    add_packaging,
    create_category,
    create_product,
    update_product,
)
from inventory.services.lots import LotLabel, create_lot, ensure_lots, set_lot_status
from tenancy.errors import Invalid, NotFound, StaleVersion
from tenancy.models import AuditEvent
from tenancy.permissions import PermissionRefused
from tests.cast import House
from tests.inventory.book import Site, make_lot, make_product


def faults(refusal: pytest.ExceptionInfo[Invalid]) -> list[tuple[str, str]]:
    return [(p.field, p.code) for p in refusal.value.problems]


def test_a_product_is_created_with_a_category(in_north: House) -> None:
    fruit = create_category(name="Fruit")
    product = create_product(
        fields=ProductFields(sku="APPLE", name="Apple", category_id=fruit.pk, unit_cost=Decimal(1))
    )
    assert (product.category, product.version) == (fruit, 1)
    assert AuditEvent.objects.filter(action="product.created", subject_id=product.pk).exists()


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"sku": "TAKEN"}, ("sku", "taken")),
        ({"sku": ""}, ("sku", "blank")),
        ({"sku": "x" * 65}, ("sku", "max_length")),
        ({"unit_cost": Decimal(-1)}, ("unit_cost", "min_value")),
        ({"unit_cost": Decimal("NaN")}, ("unit_cost", "invalid")),
        ({"unit_cost": Decimal("1e400")}, ("unit_cost", "max_digits")),
        ({"lot_tracking": "batch"}, ("lot_tracking", "invalid_choice")),
    ],
)
def test_a_bad_field_is_named(
    in_north: House, fields: dict[str, Any], fault: tuple[str, str]
) -> None:
    make_product("TAKEN")
    with pytest.raises(Invalid) as refusal:
        create_product(fields=ProductFields(**({"sku": "NEW", "name": "New"} | fields)))
    assert fault in faults(refusal)


def test_the_same_sku_may_exist_in_another_tenant(north: House, south: House) -> None:
    for house in (north, south):
        with house.scope():
            create_product(fields=ProductFields(sku="APPLE", name="Apple"))


def test_a_foreign_category_is_not_found(north: House, south: House) -> None:
    with south.scope():
        theirs = create_category(name="Fruit")
    with north.scope(), pytest.raises(NotFound):
        create_product(fields=ProductFields(sku="A", name="A", category_id=theirs.pk))


def test_a_change_counts_the_version_and_is_audited(in_north: House) -> None:
    apple = make_product()
    changed = update_product(product_id=apple.pk, changes={"name": "Red apple"}, version=1)
    assert changed.version == 2
    event = AuditEvent.objects.get(action="product.updated")
    assert event.data == {"before": {"name": "Apple"}, "after": {"name": "Red apple"}}
    with pytest.raises(StaleVersion):
        update_product(product_id=apple.pk, changes={"name": "Green apple"}, version=1)
    same = update_product(product_id=apple.pk, changes={"name": "Red apple"}, version=2)
    assert same.version == 2


def test_an_unknown_field_is_named(in_north: House) -> None:
    with pytest.raises(Invalid) as refusal:
        update_product(product_id=make_product().pk, changes={"colour": "red", "tenant_id": 1})
    assert faults(refusal) == [("colour", "unknown_field"), ("tenant_id", "unknown_field")]


def test_how_stock_is_counted_is_fixed_once_it_moved(site: Site) -> None:
    apple = make_product()
    update_product(product_id=apple.pk, changes={"whole_units": False})
    site.receive(apple, 1)
    with pytest.raises(ProductInUse):
        update_product(product_id=apple.pk, changes={"lot_tracking": "lot"})
    assert Product.objects.get(pk=apple.pk).lot_tracking == "none"


def test_a_barcode_belongs_to_one_thing(in_north: House) -> None:
    apple, pear = make_product(), make_product("PEAR")
    case = add_packaging(product_id=apple.pk, name="Case", units=Decimal(12))
    add_barcode(product_id=apple.pk, code=" 4006381333931 ", packaging_id=case.pk)
    with pytest.raises(Invalid) as refusal:
        add_barcode(product_id=pear.pk, code="4006381333931")
    assert faults(refusal) == [("code", "taken")]
    with pytest.raises(Invalid) as refusal:
        add_barcode(product_id=pear.pk, code="123", packaging_id=case.pk)
    assert faults(refusal) == [("packaging_id", "other_product")]
    with pytest.raises(Invalid) as refusal:
        add_packaging(product_id=apple.pk, name="Case", units=Decimal(6))
    assert faults(refusal) == [("name", "taken")]


@pytest.mark.parametrize("units", ["0", "-1", "NaN", "2.5", "1e400"])
def test_a_packaging_holds_an_exact_number_of_units(in_north: House, units: str) -> None:
    with pytest.raises(Invalid) as refusal:
        add_packaging(product_id=make_product().pk, name="Case", units=Decimal(units))
    assert refusal.value.problems[0].field == "units"


def test_lots_are_found_or_created_in_the_order_of_their_labels(in_north: House) -> None:
    milk = make_product("MILK", lot_tracking="lot")
    known = make_lot(milk, "B", expires_on=date(2026, 6, 1))
    labels = [LotLabel(milk.pk, "C"), LotLabel(milk.pk, "B"), LotLabel(milk.pk, "C")]
    first, second, third = ensure_lots(labels=labels)
    assert second == known.pk
    assert first == third != known.pk
    assert ensure_lots(labels=[]) == []


def test_labels_that_cannot_be_are_refused(in_north: House) -> None:
    apple, milk = make_product(), make_product("MILK", lot_tracking="lot")
    with pytest.raises(Invalid) as refusal:
        ensure_lots(labels=[LotLabel(apple.pk, "A"), LotLabel(milk.pk, "")])
    assert faults(refusal) == [("lot_code", "lot_forbidden"), ("lot_code", "bad_length")]


def test_a_lot_is_held_and_released(in_north: House) -> None:
    milk = make_product("MILK", lot_tracking="lot")
    lot = create_lot(product_id=milk.pk, code="A")
    assert set_lot_status(lot_id=lot.pk, status=LotStatus.ON_HOLD).status == "on_hold"
    with pytest.raises(Invalid):
        create_lot(product_id=milk.pk, code="A")


def test_an_operator_does_not_edit_the_catalogue(north: House) -> None:
    with north.scope("operator"), pytest.raises(PermissionRefused):
        create_product(fields=ProductFields(sku="A", name="A"))
