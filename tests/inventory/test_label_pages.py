"""Printing labels from the pages: what is in the file, and what is refused."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from inventory.models import (
    Allocation,
    Barcode,
    Channel,
    LotTracking,
    Package,
    Packaging,
    PickTask,
    SalesOrder,
    SalesOrderLine,
    Wave,
    Zone,
)
from inventory.pages.labels import SIZE_NAMES
from inventory.queries.labels import (
    label_fonts,
    label_of_lot,
    label_of_package,
    labels_of_locations,
    labels_of_product,
    pick_list_of,
)
from inventory.queries.scanning import resolve_scan
from inventory.rules.labels import SIZES, LotLabel
from inventory.rules.labels.contents import ENGLISH
from inventory.services.places import create_location
from tenancy.errors import NotFound
from tests.cast import House
from tests.inventory.book import Site, make_lot, make_product, make_site
from tests.inventory.test_label_rules import drawn_bars, media_boxes, pages, zpl_bars

GTIN = "4006381333931"


@pytest.fixture
def hall(north: House) -> Site:
    with north.scope():
        site = make_site()
        for code in ("A-01", "A-02", "B-01"):
            create_location(warehouse_id=site.warehouse.pk, code=code)
    return site


def zpl(house: House, path: str, query: str = "") -> str:
    answer = house.client("viewer").get(
        house.path(path),
        {"file": "zpl", "size": "100x50", "copies": "1", "dots": "8"}
        | dict(pair.split("=") for pair in query.split("&") if pair),
    )
    assert answer.status_code == 200, answer.content
    assert "attachment" in answer["Content-Disposition"]
    return answer.content.decode()


def test_every_size_has_a_name_on_the_page() -> None:
    assert set(SIZE_NAMES) == set(SIZES)


def test_the_labels_of_a_warehouse_stand_along_the_walk_without_the_places_outside(
    north: House, hall: Site
) -> None:
    with north.scope():
        codes = [label.location for label in labels_of_locations(hall.warehouse.pk)]
    assert {"A-01", "A-02", "B-01"} <= set(codes)
    assert not {"SUPPLIER", "CUSTOMER", "LOSS", "IN-TRANSIT"} & {code.upper() for code in codes}


def test_a_printed_location_label_is_found_when_it_is_scanned(north: House, hall: Site) -> None:
    text = zpl(north, f"warehouses/{hall.warehouse.pk}/labels/", "q=A-0")
    labels = text.split("^XA")[1:]
    assert len(labels) == 2
    with north.scope():
        found = [resolve_scan(zpl_bars("^XA" + label)).label for label in labels]
    assert found == ["A-01 (Main)", "A-02 (Main)"]


def test_the_labels_of_a_zone_only(north: House, hall: Site) -> None:
    with north.scope():
        zone = Zone.objects.create(warehouse=hall.warehouse, code="Z", name="Cold")
        place = create_location(warehouse_id=hall.warehouse.pk, code="C-01")
        place.zone = zone
        place.save()
    text = zpl(north, f"warehouses/{hall.warehouse.pk}/labels/", f"zone={zone.pk}")
    assert text.count("^XA") == 1
    assert "Cold" in text


def test_the_label_of_one_location(north: House, hall: Site) -> None:
    with north.scope():
        place = create_location(warehouse_id=hall.warehouse.pk, code="D-01")
    assert "D-01" in zpl(north, f"locations/{place.pk}/labels/")


def test_a_product_prints_its_unit_and_the_packagings_that_were_chosen(
    north: House, hall: Site
) -> None:
    with north.scope():
        apple = make_product("APPLE")
        Barcode.objects.create(code="ZZ-1", product=apple)
        Barcode.objects.create(code=GTIN, product=apple)
        case = Packaging.objects.create(product=apple, name="case", units=Decimal(12))
        unit, packed = labels_of_product(apple.pk)
        assert unit.label.barcode == GTIN  # the trade number rather than the house's own
        assert (packed.key, packed.name) == (str(case.pk), "case (12 pcs)")
        # a packaging without a barcode is scanned by our own label, with its units
        assert resolve_scan(packed.label.face(ENGLISH).symbol.data).quantity == 12
    text = zpl(north, f"products/{apple.pk}/labels/", f"what={case.pk}")
    assert text.count("^XA") == 1
    assert "case_2C 12 pcs" in text


def test_a_lot_label_carries_the_gtin_of_the_unit(north: House, hall: Site) -> None:
    with north.scope():
        milk = make_product("MILK", lot_tracking=LotTracking.LOT)
        case = Packaging.objects.create(product=milk, name="case", units=Decimal(12))
        Barcode.objects.create(code="14006381333938", product=milk, packaging=case)
        Barcode.objects.create(code=GTIN, product=milk)
        lot = make_lot(milk, "L7", expires_on=date(2026, 12, 31))
        assert label_of_lot(lot.pk) == LotLabel(
            "MILK", "Milk", "L7", expires_on=date(2026, 12, 31), gtin=f"0{GTIN}"
        )
    text = zpl(north, f"lots/{lot.pk}/labels/")
    with north.scope():
        assert resolve_scan("]C1" + zpl_bars(text).removeprefix("\x1d")).lot_id == lot.pk


def test_pdf_has_a_page_per_copy_and_the_sheet_skips_what_is_used(north: House, hall: Site) -> None:
    path = north.path(f"warehouses/{hall.warehouse.pk}/labels/")
    client = north.client()
    query = {"file": "pdf", "size": "57x32", "copies": "3", "q": "B-01"}
    answer = client.get(path, query)
    assert answer["Content-Type"] == "application/pdf"
    assert len(media_boxes(answer.content)) == 3
    assert drawn_bars(pages(answer.content)[0]) == ["LOC:MAIN/B-01"]
    sheet = client.get(path, query | {"size": "a4-2x4", "copies": "8", "skip": "1"})
    assert len(media_boxes(sheet.content)) == 2


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"size": "a4-3x8", "file": "zpl"}, "choose a roll for ZPL"),
        ({"copies": "0"}, "greater than or equal to 1"),
        ({"copies": "201"}, "less than or equal to 200"),
        ({"copies": "x"}, "Enter a whole number"),
        ({"size": "9x9"}, "Select a valid choice"),
        ({"q": "NOSUCH"}, "No location matches"),
        ({"file": "exe"}, "Select a valid choice"),
        ({"zone": "999999"}, "Select a valid choice"),
    ],
)
def test_wrong_choices_are_said_on_the_page(north: House, hall: Site, wrong, words: str) -> None:
    query = {"file": "pdf", "size": "57x32", "copies": "1"} | wrong
    answer = north.client().get(north.path(f"warehouses/{hall.warehouse.pk}/labels/"), query)
    assert answer.status_code == 422
    assert words in answer.content.decode()


def test_a_file_has_a_thousand_labels_at_most(north: House, hall: Site) -> None:
    with north.scope():
        for number in range(6):
            create_location(warehouse_id=hall.warehouse.pk, code=f"C-{number}")
    query = {"file": "zpl", "size": "57x32", "copies": "200", "q": "C-"}
    answer = north.client().get(north.path(f"warehouses/{hall.warehouse.pk}/labels/"), query)
    assert answer.status_code == 422  # 6 x 200 = 1,200
    assert "At most 1000 labels" in answer.content.decode()


def test_a_name_without_a_font_is_announced_before_printing(
    north: House, hall: Site, settings
) -> None:
    settings.LABEL_FONTS = ["/nowhere/font.ttf"]
    with north.scope():
        assert label_fonts().files == ()
        product = make_product("TEA", description="")
        product.name = "\u0627\u0644\u0634\u0627\u064a"
        product.save()
    text = north.client().get(north.path(f"products/{product.pk}/labels/")).content.decode()
    assert "Some characters are printed as boxes" in text


@pytest.mark.parametrize(
    "path",
    [
        "products/{}/labels/",
        "warehouses/{}/labels/",
        "lots/{}/labels/",
        "locations/{}/labels/",
        "packages/{}/labels/",
    ],
)
def test_what_does_not_exist_has_no_labels(north: House, path: str) -> None:
    assert north.client().get(north.path(path.format(987654321))).status_code == 404


# -- packages and pick lists ----------------------------------------------------------------------
@pytest.fixture
def packed(north: House, hall: Site) -> tuple[Package, Wave]:
    """An order of two packages and a wave with one open pick and one that is done."""
    with north.scope():
        apple = make_product()
        channel = Channel.objects.create(code="WEB", name="Web")
        order = SalesOrder.objects.create(
            number="SO-000007",
            warehouse=hall.warehouse,
            channel=channel,
            ship_to_name="Müller GmbH",
            ship_to_address="Hafenstr. 7\r\n\r\n20457 Hamburg",
        )
        line = SalesOrderLine.objects.create(order=order, product=apple, quantity=Decimal(5))
        Package.objects.create(number="PK-000001", sales_order=order)
        package = Package.objects.create(
            number="PK-000002", sales_order=order, weight_kg=Decimal("3.200")
        )
        wave = Wave.objects.create(
            number="WV-000012",
            warehouse=hall.warehouse,
            kind="batch",
            to_location_id=hall.at("packing"),
        )
        for sequence, state in enumerate(("open", "picked")):
            allocation = Allocation.objects.create(
                order_line=line,
                product=apple,
                location_id=hall.at("storage"),
                quantity=Decimal(5),
                state="allocated" if state == "open" else "picked",
                picked_into_id=None if state == "open" else hall.at("packing"),
            )
            PickTask.objects.create(
                wave=wave,
                allocation=allocation,
                sales_order=order,
                product=apple,
                location_id=hall.at("storage"),
                sequence=sequence,
                quantity=Decimal(5),
                state=state,
            )
    return package, wave


def test_a_package_label_says_where_to_and_which_of_how_many(north: House, packed) -> None:
    package, _wave = packed
    with north.scope():
        label = label_of_package(package.pk)
    assert label.ship_to == ("Müller GmbH", "Hafenstr. 7", "20457 Hamburg")
    assert (label.weight, label.part, label.order_number) == ("3.2 kg", "2/2", "SO-000007")
    text = zpl(north, f"packages/{package.pk}/labels/", "size=100x150")
    assert zpl_bars(text) == "PK-000002"


def test_a_pick_list_has_what_is_still_to_be_picked(north: House, packed) -> None:
    _package, wave = packed
    with north.scope():
        [line] = pick_list_of(wave.pk).lines
    assert (line.sku, line.quantity, line.order_number) == ("APPLE", "5 pcs", "SO-000007")
    answer = north.client("operator").get(north.path(f"waves/{wave.pk}/pick-list.pdf"))
    assert answer["Content-Type"] == "application/pdf"
    assert drawn_bars(pages(answer.content)[0]) == ["WV-000012"]


def test_packages_and_waves_of_other_warehouses_print_nothing(north: House, packed) -> None:
    from inventory.models import WarehouseAccess
    from tenancy.models import Membership

    package, wave = packed
    with north.scope():
        other = make_site("SOUTH").warehouse
        member = Membership.objects.get(user=north.members["operator"])
        WarehouseAccess.objects.create(membership=member, warehouse=other)
    with north.scope("operator"):
        with pytest.raises(NotFound):
            label_of_package(package.pk)
        with pytest.raises(NotFound):
            pick_list_of(wave.pk)
