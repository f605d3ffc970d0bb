"""What a scanned code stands for, and what is said when it stands for nothing, or for too much."""

from __future__ import annotations

import contextlib
from datetime import date
from decimal import Decimal

import pytest

from inventory.models import Barcode, DocumentKind, Location, LotTracking, Packaging
from inventory.queries.scanning import (
    DOCUMENTS,
    GOODS,
    PLACE,
    CodeAmbiguous,
    CodeUnexpected,
    CodeUnknown,
    CodeUnreadable,
    LotUnknown,
    ScannedKind,
    resolve_scan,
)
from inventory.rules.scan_codes import location_code, lot_code, packaging_code, product_code
from inventory.services.places import create_location
from tests.cast import House
from tests.inventory.book import Site, make_lot, make_product, make_site
from tests.inventory.test_purchase_order_pages import world

GTIN = "4006381333931"


@pytest.fixture
def shelf(site: Site) -> Location:
    return create_location(warehouse_id=site.warehouse.pk, code="A-01")


def test_a_location_is_found_by_its_code_in_any_case_and_by_its_label(shelf: Location) -> None:
    for code in ("A-01", "a-01", location_code("MAIN", "A-01")):
        found = resolve_scan(code)
        assert (found.kind, found.id, found.location_id) == ("location", shelf.pk, shelf.pk)
    assert found.label == "A-01 (Main)"


def test_the_same_code_in_two_warehouses_is_ambiguous_until_one_is_chosen(shelf: Location) -> None:
    south = make_site("SOUTH").warehouse
    other = create_location(warehouse_id=south.pk, code="A-01")
    with pytest.raises(CodeAmbiguous) as refusal:
        resolve_scan("A-01")
    assert {c["id"] for c in refusal.value.data["candidates"]} == {shelf.pk, other.pk}
    assert "Choose your warehouse" in str(refusal.value)
    assert resolve_scan("A-01", warehouse_id=south.pk).id == other.pk
    # our own label says which
    assert resolve_scan(location_code("MAIN", "A-01")).id == shelf.pk


@pytest.mark.parametrize("code", ["SUPPLIER", "LOSS", "CUSTOMER", "IN-TRANSIT"])
def test_places_that_bear_no_label_are_not_scanned(site: Site, code: str) -> None:
    codes = {place.code.upper() for place in site.places.values()}
    assert code in codes
    with pytest.raises(CodeUnknown):
        resolve_scan(code)


@pytest.mark.parametrize("stored", [GTIN, f"0{GTIN}"])
@pytest.mark.parametrize("scanned", [GTIN, f"0{GTIN}", f"]E0{GTIN}", f"(01)0{GTIN}"])
def test_a_barcode_matches_in_every_length_of_its_gtin(site, stored: str, scanned: str) -> None:
    apple = make_product()
    Barcode.objects.create(code=stored, product=apple)
    found = resolve_scan(scanned)
    assert (found.kind, found.product_id, found.quantity) == ("product", apple.pk, 1)


def test_a_packaging_counts_its_units_times_the_count_of_the_label(site: Site) -> None:
    apple = make_product()
    case = Packaging.objects.create(product=apple, name="case", units=Decimal(12))
    Barcode.objects.create(code=f"0{GTIN}", product=apple, packaging=case)
    found = resolve_scan(GTIN)
    assert (found.kind, found.packaging_id, found.quantity) == ("packaging", case.pk, 12)
    # 12 units x 4 cases = 48
    assert resolve_scan(f"]C102{'0' + GTIN}374").quantity == 48


def test_a_packaging_without_a_barcode_is_found_by_our_label(site: Site) -> None:
    apple = make_product()
    case = Packaging.objects.create(product=apple, name="case 4/6", units=Decimal(24))
    found = resolve_scan(packaging_code("APPLE", "case 4/6"))
    assert (found.kind, found.id, found.quantity) == ("packaging", case.pk, 24)
    with pytest.raises(CodeUnknown):
        resolve_scan(packaging_code("APPLE", "pallet"))


def test_a_lot_is_found_by_gtin_and_lot_by_our_label_and_by_its_code(site: Site) -> None:
    milk = make_product("MILK", lot_tracking=LotTracking.LOT)
    Barcode.objects.create(code=GTIN, product=milk)
    lot = make_lot(milk, "L7")
    for code in (f"]C1010{GTIN}1726123110L7", lot_code("MILK", "L7"), "L7"):
        found = resolve_scan(code)
        assert (found.kind, found.id, found.product_id) == ("lot", lot.pk, milk.pk)
    assert resolve_scan(f"]C1010{GTIN}1726123110L7").expires_on == date(2026, 12, 31)


def test_a_serial_number_is_the_lot_of_a_product_tracked_by_serial(site: Site) -> None:
    drill = make_product("DRILL", lot_tracking=LotTracking.SERIAL)
    Barcode.objects.create(code=GTIN, product=drill)
    serial = make_lot(drill, "S-1")
    assert resolve_scan(f"]d2010{GTIN}10B9\x1d21S-1").lot_id == serial.pk


def test_the_lot_of_an_untracked_product_is_left_out(site: Site) -> None:
    apple = make_product()
    Barcode.objects.create(code=GTIN, product=apple)
    found = resolve_scan(f"]C1010{GTIN}10L7")
    assert (found.kind, found.lot_code) == ("product", "")


def test_an_unknown_lot_is_goods_for_receiving_and_refused_where_a_lot_is_asked(site) -> None:
    milk = make_product("MILK", lot_tracking=LotTracking.LOT)
    Barcode.objects.create(code=GTIN, product=milk)
    found = resolve_scan(f"]C1010{GTIN}10NEW", expects=GOODS)
    assert (found.kind, found.lot_id, found.lot_code) == ("product", None, "NEW")
    with pytest.raises(LotUnknown):
        resolve_scan(f"]C1010{GTIN}10NEW", expects={ScannedKind.LOT})


def test_the_same_lot_code_of_two_products_needs_the_product(site: Site) -> None:
    milk, soy = (make_product(sku, lot_tracking=LotTracking.LOT) for sku in ("MILK", "SOY"))
    make_lot(milk, "L7")
    lot = make_lot(soy, "L7")
    with pytest.raises(CodeAmbiguous):
        resolve_scan("L7")
    assert resolve_scan("L7", product_id=soy.pk).lot_id == lot.pk


def test_a_document_is_found_by_its_number(north: House) -> None:
    _site, _apple, order = world(north)
    with north.scope():
        found = resolve_scan(order.number.lower())
    assert (found.kind, found.document_kind, found.id) == ("document", "PurchaseOrder", order.pk)


def test_every_kind_of_document_that_has_a_number_can_be_scanned() -> None:
    assert set(DOCUMENTS) == set(DocumentKind)
    for model in DOCUMENTS.values():
        assert model._meta.get_field("number")


def test_a_code_with_two_meanings_means_what_the_step_expects(site: Site, shelf) -> None:
    product = make_product("A-01")
    assert resolve_scan("A-01", expects=PLACE).id == shelf.pk
    assert resolve_scan("A-01", expects=GOODS).product_id == product.pk
    with pytest.raises(CodeAmbiguous):
        resolve_scan("A-01")


def test_a_product_whose_barcode_is_its_sku_is_one_thing(site: Site) -> None:
    product = make_product(GTIN)
    Barcode.objects.create(code=GTIN, product=product)
    assert resolve_scan(GTIN).product_id == product.pk
    assert resolve_scan(product_code(GTIN)).product_id == product.pk


def test_the_wrong_kind_of_thing_is_named_in_the_refusal(shelf: Location) -> None:
    with pytest.raises(CodeUnexpected) as refusal:
        resolve_scan("A-01", expects=GOODS)
    assert str(refusal.value) == (
        "A-01 (Main) is a location. Scan a product or a packaging or a lot."
    )


def test_nothing_found_says_what_was_looked_for(site: Site) -> None:
    with pytest.raises(CodeUnknown) as refusal:
        resolve_scan("NOSUCH")
    assert refusal.value.data["looked_for"] == ["location", "SKU", "barcode", "lot"]
    with pytest.raises(CodeUnknown) as refusal:
        resolve_scan("4006381333932")
    assert "may be misread" in str(refusal.value)


def test_what_cannot_be_read_is_said_in_words(site: Site) -> None:
    with pytest.raises(CodeUnreadable) as refusal:
        resolve_scan("]C117261301")
    assert str(refusal.value) == "The label has a date that does not exist: (17)261301."


@pytest.mark.parametrize("code", ["A-01", GTIN, f"]C1010{GTIN}10L7", "PO-000001", "LOT:A/B", "?"])
def test_a_scan_costs_five_statements_at_most(
    site: Site, shelf, code: str, django_assert_max_num_queries
) -> None:
    for number in range(30):
        Barcode.objects.create(code=f"{number}", product=make_product(f"P{number}"))
        create_location(warehouse_id=site.warehouse.pk, code=f"B-{number}")
    with django_assert_max_num_queries(5), contextlib.suppress(CodeUnknown):
        resolve_scan(code)


def test_what_another_tenant_has_is_unknown_here(north: House, south: House) -> None:
    with south.scope():
        site = make_site()
        create_location(warehouse_id=site.warehouse.pk, code="S-01")
        Barcode.objects.create(code=GTIN, product=make_product("THEIRS"))
    with north.scope():
        make_site()
        for code in ("S-01", GTIN, "THEIRS", location_code("MAIN", "S-01")):
            with pytest.raises(CodeUnknown):
                resolve_scan(code)
