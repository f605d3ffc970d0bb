"""Importing products, suppliers and opening stock; hostile workbooks."""

import zipfile
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from openpyxl import Workbook

from inventory.models import (
    Barcode,
    ImportedFile,
    Location,
    Lot,
    PriceBreak,
    Product,
    StockBalance,
    StockMovement,
    Supplier,
    SupplierItem,
)
from inventory.services.importing.errors import ImportRefused
from inventory.services.importing.workbook import workbook_rows
from inventory.services.places import create_warehouse


@pytest.fixture
def run(in_north, tmp_path):
    """Run an import command on a text."""
    create_warehouse(code="HAM", name="Hamburg")

    def run(kind, text, name="file.csv", **options):
        path = tmp_path / name
        path.write_text(text)
        out = StringIO()
        call_command(f"import_{kind}", path, tenant="north", stdout=out, **options)
        return out.getvalue()

    return run


def report():
    return ImportedFile.objects.latest("id").report


# -- products -------------------------------------------------------------------------------------
PRODUCTS = """sku,name,category,unit,cost,price,ean,shelf life,weight
A1,Apples,Fruit,kg,1.20,2.50,4006381333931,14,1
B1,Bread,Bakery,pcs,0.80,2.00,,2,
"""


def test_products_are_created_and_only_changed_where_the_file_differs(run):
    run("products", PRODUCTS)
    apples = Product.objects.get(sku="A1")
    assert (apples.name, apples.category.name, apples.base_unit) == ("Apples", "Fruit", "kg")
    assert (apples.unit_cost, apples.shelf_life_days) == (Decimal("1.2"), 14)
    assert Barcode.objects.get().product == apples
    run("products", "sku,price\nA1,2.60\nB1,\n", name="prices.csv")
    apples.refresh_from_db()
    assert (apples.unit_price, apples.unit_cost, apples.version) == (
        Decimal("2.6"),
        Decimal("1.2"),
        2,
    )
    assert Product.objects.get(sku="B1").version == 1
    assert report()["left_out"]["unchanged"]["rows"] == 1


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("A1,Again,,,,,,,", "sku 'A1' comes twice"),
        ("C1,Cake,,,-1,,,,", "unit_cost '-1' must not be negative"),
        ("C1,Cake,,,x,,,,", "is not a number"),
        ("C1,Cake,,,,,,1.5,", "whole number"),
        ("C1,Cake,,,,,4006381333931,,", "belongs to another product"),
        (",Cake,,,,,,,", "sku is empty"),
    ],
)
def test_a_wrong_product_stops_the_import(run, line, told):
    with pytest.raises(CommandError) as refusal:
        run("products", PRODUCTS + line + "\n")
    assert told in str(refusal.value)
    assert not Product.objects.exists()


def test_a_product_whose_stock_has_moved_keeps_its_unit(run):
    run("products", PRODUCTS)
    run("stock", "sku,quantity\nA1,5\n", name="stock.csv")
    with pytest.raises(CommandError, match="stock of the product has moved"):
        run("products", "sku,unit\nA1,g\n", name="units.csv")


# -- suppliers ------------------------------------------------------------------------------------
SUPPLIERS = """supplier,supplier name,sku,price,moq,multiple,lead time,price breaks,preferred
FARM,Green Farm,A1,1.10,10,5,3,100:1.00; 500:0.90,yes
MILL,Old Mill,B1,0.70,1,1,2,,
"""


def test_suppliers_come_with_what_they_sell(run):
    run("products", PRODUCTS)
    run("suppliers", SUPPLIERS)
    item = SupplierItem.objects.get(supplier__code="FARM")
    assert (item.price, item.minimum_order_quantity, item.order_multiple) == (Decimal("1.1"), 10, 5)
    assert (item.lead_time_days, item.is_preferred) == (3, True)
    breaks = list(PriceBreak.objects.values_list("from_quantity", "price"))
    assert breaks == [(100, Decimal("1")), (500, Decimal("0.9"))]
    run("suppliers", "supplier,sku,price,breaks\nFARM,A1,1.05,200:0.95\n", name="new.csv")
    item.refresh_from_db()
    assert (item.price, item.minimum_order_quantity) == (Decimal("1.05"), 10)
    assert PriceBreak.objects.get().from_quantity == 200
    assert Supplier.objects.count() == 2
    run("suppliers", "supplier,sku,freight per unit,mode\nFARM,A1,0.20,Sea\n", name="freight.csv")
    item.refresh_from_db()
    assert (item.transport_cost_per_unit, item.transport_mode) == (Decimal("0.2"), "ocean")
    with pytest.raises(CommandError, match="is none of air"):
        run("suppliers", "supplier,sku,mode\nFARM,A1,mule\n", name="mule.csv")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("FARM,,B1,,,,,,", "price is empty"),
        ("FARM,,B1,1,0,,,,", "must be greater than zero"),
        ("FARM,,B1,1,,,,ten:1,", "is not a list like"),
        ("FARM,,A1,1,,,,,", "comes twice"),
        ("MILL,,A1,1,,,,,yes", "already has a preferred supplier"),
        ("FARM,,Z9,1,,,,,", "not a known SKU"),
    ],
)
def test_a_wrong_offer_stops_the_import(run, line, told):
    run("products", PRODUCTS)
    with pytest.raises(CommandError) as refusal:
        run("suppliers", SUPPLIERS + line + "\n", refuse_unknown_skus=True)
    assert told in str(refusal.value)
    assert not Supplier.objects.exists()


# -- opening stock --------------------------------------------------------------------------------
def test_opening_stock_is_posted_through_the_ledger_once(run):
    run("products", "sku,lot tracking\nA1,lot\nB1,\n")
    text = (
        "sku,location,qty,lot,expiry,unit cost\nA1,STORAGE,12,L7,2027-03-31,1.20\nB1,,30,,,0.80\n"
    )
    run("stock", text, name="stock.csv")
    found = set(
        StockBalance.objects.values_list("product__sku", "location__code", "lot__code", "on_hand")
    )
    assert found == {("A1", "STORAGE", "L7", 12), ("B1", "STORAGE", None, 30)}
    assert str(Lot.objects.get().expires_on) == "2027-03-31"
    assert StockMovement.objects.count() == 2
    assert "already imported" in run("stock", text, name="stock.csv")
    assert StockMovement.objects.count() == 2


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("B1,NOWHERE,1,,,", "not a location of the warehouse"),
        ("B1,,0,,,", "greater than zero"),
        ("B1,,-4,,,", "must not be negative"),
        ("B1,,1.5,,,", "must be a whole number"),
        ("B1,,1,L1,,", "not tracked by lot"),
        ("A1,,1,,,", "tracked by lot"),
        ("Z9,,1,,,", "not a known SKU"),
        ("A1,,1,L7,2028-01-01,", "known with the expiry date"),
    ],
)
def test_wrong_stock_posts_nothing(run, line, told):
    run("products", "sku,lot tracking\nA1,lot\nB1,\n")
    text = "sku,location,qty,lot,expiry,unit cost\nA1,,12,L7,2027-03-31,1.20\n" + line + "\n"
    with pytest.raises(CommandError) as refusal:
        run("stock", text, name="stock.csv", refuse_unknown_skus=True)
    assert told in str(refusal.value)
    assert not StockMovement.objects.exists()
    assert not StockBalance.objects.exists()
    assert Location.objects.exists()


# -- hostile workbooks ------------------------------------------------------------------------------
def workbook(tmp_path, **parts):
    """Write a workbook whose named parts are replaced."""
    clean, path = tmp_path / "clean.xlsx", tmp_path / "hostile.xlsx"
    book = Workbook()
    book.active.append(["sku", "quantity", "date"])
    book.active.append(["A1", 1, "2011-01-03"])
    book.save(clean)
    with (
        zipfile.ZipFile(clean) as source,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            content = parts.pop(name, source.read(name))
            target.writestr(name, content)
        for name, content in parts.items():
            target.writestr(name, content)
    return path


def test_a_zip_bomb_is_refused_by_its_directory_alone(tmp_path):
    path = workbook(tmp_path, **{"xl/worksheets/sheet2.xml": b" " * 60_000_000})
    assert path.stat().st_size < 100_000
    with pytest.raises(ImportRefused) as refusal:
        next(workbook_rows(path))
    assert refusal.value.code == "workbook_bomb"
    assert refusal.value.data["megabytes"] == 57


def test_control_the_same_workbook_without_the_bomb_is_read(tmp_path):
    assert next(workbook_rows(workbook(tmp_path))) == ["sku", "quantity", "date"]


def test_a_billion_laughs_is_refused(tmp_path):
    laughs = (
        '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
        '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>&b;</t></si></sst>'
    )
    path = workbook(tmp_path, **{"xl/sharedStrings.xml": laughs.encode()})
    with pytest.raises(ImportRefused) as refusal:
        list(workbook_rows(path))
    assert refusal.value.code == "broken_workbook"


def test_a_wrong_row_of_opening_stock_creates_no_product(run):
    text = "sku,location,quantity\nNEW,NOWHERE,1\nGOOD,,2\n"
    run("stock", text, skip_bad_rows=True)
    assert [product.sku for product in Product.objects.all()] == ["GOOD"]


def test_an_absurd_lead_time_is_told_as_such(run):
    with pytest.raises(CommandError, match="more than a year"):
        run("suppliers", "supplier,sku,lead_time_days\nACME,X1,99999\n")
