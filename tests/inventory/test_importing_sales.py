"""Importing sales: every line once, cancellations taken back, nothing half done."""

import gzip
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from openpyxl import Workbook

from inventory.models import (
    Channel,
    ChannelKind,
    Customer,
    DailyDemand,
    ImportedFile,
    ImportedSale,
    Product,
    Warehouse,
)
from inventory.services.importing import sales_writing
from inventory.services.places import create_warehouse
from tenancy.permissions import PermissionRefused

HEADER = "invoice,sku,quantity,timestamp,unit_price,customer_id,country\n"
# 536365 is sold twice on one day and taken back once; 22423 is returned without a sale
LINES = """536365,85123A,6,2010-12-01 08:26,2.55,17850,United Kingdom
536366,85123A,6,2010-12-01 09:00,2.55,17850,United Kingdom
536367,71053,4,2010-12-02 10:00,3.39,,France
C536379,85123A,-6,2010-12-03 09:41,2.55,17850,United Kingdom
C536380,22423,-1,2010-12-03 10:00,10.95,17850,United Kingdom
536381,POST,1,2010-12-03 10:00,18.00,17850,United Kingdom
536382,22139,-10,2010-12-03 10:00,0.00,,United Kingdom
536383,22139,5,2010-12-03 10:00,0.00,,United Kingdom
"""


@pytest.fixture
def here(in_north, tmp_path):
    """A shop with one warehouse, and a way to run the command on a text."""
    create_warehouse(code="HAM", name="Hamburg")

    def run(text, name="sales.csv", kind="sales", **options):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        out = StringIO()
        call_command(f"import_{kind}", path, tenant="north", stdout=out, **options)
        return out.getvalue()

    return run


def demand():
    rows = DailyDemand.objects.order_by("product__sku", "business_day")
    return [
        (sku, str(day), int(quantity), lines)
        for sku, day, quantity, lines in rows.values_list(
            "product__sku", "business_day", "quantity", "order_lines"
        )
    ]


def nothing_was_stored():
    return not any(m.objects.exists() for m in (ImportedSale, DailyDemand, Product, Customer))


DEMAND = [("71053", "2010-12-02", 4, 1), ("85123A", "2010-12-01", 6, 1)]


def report():
    return ImportedFile.objects.latest("id").report


# -- what counts ----------------------------------------------------------------------------------
def test_sales_become_demand_and_the_report_accounts_for_every_row(here):
    said = here(HEADER + LINES)
    # two sales of 6, one taken back: 12 - 6 = 6
    assert demand() == DEMAND
    left_out = {reason: tally["rows"] for reason, tally in report()["left_out"].items()}
    assert left_out == {
        "cancellation": 1, "unmatched_return": 1, "not_goods": 1, "write_off": 1, "zero_price": 1,
    }  # fmt: skip
    assert report()["imported"] == {"rows": 3, "units": "16", "money": "44.16"}
    assert report()["rows_read"] == 3 + sum(left_out.values()) == 8
    assert report()["codes"] == {"POST": {"rows": 1, "units": "1", "money": "18"}}
    assert "Not goods" in said
    assert Customer.objects.get().country == "United Kingdom"


def test_the_same_file_again_changes_nothing_and_says_when_it_came(here):
    here(HEADER + LINES)
    assert "already imported on" in here(HEADER + LINES)
    assert demand() == DEMAND
    assert ImportedSale.objects.count() == 5


def test_the_same_lines_in_another_file_count_once(here):
    here(HEADER + LINES)
    said = here(gzip.compress((HEADER + LINES).encode()), name="again.csv.gz")
    assert "Nothing changed." in said
    assert demand() == DEMAND
    # an overlapping file brings only what is new; the cancellation does not strike a second sale
    here(HEADER + LINES + "536400,71053,3,2010-12-02 16:00,3.39,,France\n", name="december.csv")
    assert demand() == [("71053", "2010-12-02", 7, 2), ("85123A", "2010-12-01", 6, 1)]


def test_control_without_the_line_key_the_second_file_counts_twice(here, monkeypatch):
    here(HEADER + LINES)
    original = sales_writing.SalesWriter.write

    def with_other_keys(self, numbered):
        return original(
            self, [(n, line._replace(line_key=line.line_key[::-1])) for n, line in numbered]
        )

    monkeypatch.setattr(sales_writing.SalesWriter, "write", with_other_keys)
    here(gzip.compress((HEADER + LINES).encode()), name="again.csv.gz")
    assert demand() != DEMAND


def test_a_cancellation_in_a_later_file_takes_back_a_sale_of_an_earlier_one(here):
    here(HEADER + "1,A1,6,2011-01-03,2,17,UK\n1,A2,1,2011-01-03,2,17,UK\n")
    assert demand() == [("A1", "2011-01-03", 6, 1), ("A2", "2011-01-03", 1, 1)]
    here(HEADER + "C2,A1,-6,2011-02-01,2,17,UK\n", name="february.csv")
    # the day without a sale has no row any more
    assert demand() == [("A2", "2011-01-03", 1, 1)]


def test_a_sale_that_arrives_after_its_cancellation_is_taken_back_too(here):
    here(HEADER + "C2,A1,-6,2011-02-01,2,17,UK\n")
    here(HEADER + "1,A1,6,2011-01-03,2,17,UK\n", name="january.csv")
    assert demand() == []


def test_an_unknown_customer_cancels_nothing(here):
    here(HEADER + "1,A1,6,2011-01-03,2,,UK\nC2,A1,-6,2011-02-01,2,,UK\n")
    assert demand() == [("A1", "2011-01-03", 6, 1)]


def test_identical_lines_of_one_file_are_all_counted(here):
    line = "1,A1,2,2011-01-03,2,17,UK\n"
    here(HEADER + line * 3)
    assert demand() == [("A1", "2011-01-03", 6, 3)]


# -- forms of files -------------------------------------------------------------------------------
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_every_usual_encoding_is_read(here, encoding):
    here((HEADER + "1,Ä1,6,2011-01-03,2,17,Österreich\n").encode(encoding))
    assert Product.objects.get().sku == "Ä1"
    assert Customer.objects.get().country == "Österreich"


def test_a_european_file_is_understood(here):
    here("Artikelnummer;Menge;Datum;Preis\nA1;1.250,5;13.01.2011;0,25\nA1;2;1.2.2011;1.000,00\n")
    quantities = DailyDemand.objects.order_by("business_day").values_list(
        "business_day", "quantity", "revenue"
    )
    # 1250.5 x 0.25 = 312.625
    assert [(str(d), q, r) for d, q, r in quantities] == [
        ("2011-01-13", Decimal("1250.5"), Decimal("312.625")),
        ("2011-02-01", Decimal(2), Decimal(2000)),
    ]
    assert Product.objects.get().whole_units is False


def test_a_workbook_is_read_like_a_csv(here, tmp_path):
    from datetime import datetime

    book = Workbook()
    book.active.append(
        ["Invoice", "StockCode", "Quantity", "InvoiceDate", "Price", "Customer ID", "Description"]
    )
    book.active.append(
        [489434, 85048, 12, datetime(2009, 12, 1, 7, 45), 6.95, 13085.0, "CHRISTMAS GLASS BALL"]
    )
    book.save(tmp_path / "book.xlsx")
    here((tmp_path / "book.xlsx").read_bytes(), name="sales.xlsx")
    assert demand() == [("85048", "2009-12-01", 12, 1)]
    assert Product.objects.get().name == "CHRISTMAS GLASS BALL"
    assert Customer.objects.get().code == "13085"


def test_columns_can_be_named_by_hand(here):
    text = "a,b,c\n2011-01-03,A1,4\n"
    here(text, mapping=["a=sold_at", "b=sku", "c=quantity"])
    assert demand() == [("A1", "2011-01-03", 4, 1)]


def test_channel_and_warehouse_come_from_columns_or_choice(here):
    create_warehouse(code="BER", name="Berlin")
    here(
        "date,sku,qty,store,channel\n2011-01-03,A1,4,ber,web\n2011-01-03,A1,5,,\n", warehouse="HAM"
    )
    found = set(DailyDemand.objects.values_list("warehouse__code", "channel__code", "quantity"))
    assert found == {("BER", "web", 4), ("HAM", None, 5)}
    here("date,sku,qty\n2011-01-03,A1,7\n", name="b.csv", warehouse="HAM", channel="shop")
    names = [
        "Web shop",
        "web",
        "Onlineshop",
        "E-Commerce",
        "Amazon DE",
        "shop",
        "Weber store",
        "Counter",
    ]
    rows = "".join(f"2011-01-04,A1,1,{name}\n" for name in names)
    here(f"date,sku,qty,channel\n{rows}", name="c.csv", warehouse="HAM")
    online = Channel.objects.filter(kind=ChannelKind.ONLINE).values_list("code", flat=True)
    assert set(online) == set(names[:5])
    assert Channel.objects.get(code="shop").kind == ChannelKind.OFFLINE


# -- what is refused: a clear message, nothing half done ----------------------------------------------
GOOD = "1,A1,6,2011-01-03,2,17,UK\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "The file is empty"),
        ("\n\n", "The file is empty"),
        (HEADER, "no data rows"),
        (
            "sku,colour\nA1,red\n",
            "No column was found for quantity, sold_at. The file has these columns: sku, colour",
        ),
        ("sku,quantity,date,sku\nA1,1,2011-01-03,A1\n", "Several columns have the same name: sku"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + b"\x00\x01\x02" * 50, "not text"),
        (HEADER.encode() + b"1,\x81\x8d,6,2011-01-03,2,17,UK\n", "neither UTF-8"),
        (b"\x1f\x8b\x08\x00broken", ".gz file is broken"),
        (b"PK\x03\x04broken", "workbook cannot be read"),
        (HEADER + GOOD + '"' + "x" * 300_000, "longer than"),
    ],
)
def test_a_file_that_is_no_table_of_sales_is_refused_in_words(here, text, told):
    with pytest.raises(CommandError, match=r"[.]") as refusal:
        here(text)
    assert told in str(refusal.value)
    assert nothing_was_stored()
    assert told in report()["refused"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("1,A1,6,1989-12-31,2,17,UK", "row 3, sold_at '1989-12-31' is before 1990"),
        ("1,A1,6,2999-01-01,2,17,UK", "lies in the future"),
        ("1,A1,6,someday,2,17,UK", "sold_at 'someday' is not a date"),
        ("1,A1,5000000000,2011-01-03,2,17,UK", "beyond 1,000,000,000"),
        ("1,A1,many,2011-01-03,2,17,UK", "quantity 'many' is not a number"),
        ("1,,6,2011-01-03,2,17,UK", "sku is empty"),
        ("1,A1,6,2011-01-03,2,17,UK,Wales,x", "more cells than the header"),
    ],
)
def test_one_wrong_row_stops_the_import_or_is_left_out_by_choice(here, line, told):
    text = HEADER + GOOD + line + "\n" + GOOD
    with pytest.raises(CommandError) as refusal:
        here(text)
    assert told in str(refusal.value)
    assert nothing_was_stored()
    here(text, skip_bad_rows=True)
    assert demand() == [("A1", "2011-01-03", 12, 2)]
    assert report()["bad_rows"] == 1
    assert report()["left_out"]["bad"]["rows"] == 1


def test_an_unknown_sku_is_created_or_refused_by_choice(here):
    with pytest.raises(CommandError, match="not a known SKU"):
        here(HEADER + GOOD, refuse_unknown_skus=True)
    assert nothing_was_stored()
    here(HEADER + GOOD)
    assert Product.objects.get().sku == "A1"


def test_a_known_sku_is_found_whatever_its_capitals(here):
    here(HEADER + "1,ab1,6,2011-01-03,2,17,UK\n2,AB1,1,2011-01-04,2,17,UK\n")
    assert [product.sku for product in Product.objects.all()] == ["ab1"]


def test_once_corrected_a_file_with_left_out_rows_can_be_imported_again(here):
    text = HEADER + GOOD + "2,B7,1,2011-01-03,2,17,UK\n"
    Product.objects.create(sku="A1", name="A1")
    here(text, skip_bad_rows=True, refuse_unknown_skus=True)
    Product.objects.create(sku="B7", name="B7")
    here(text, skip_bad_rows=True, refuse_unknown_skus=True)
    assert [row[0] for row in demand()] == ["A1", "B7"]


def test_without_a_choice_among_several_warehouses_nothing_is_guessed(here):
    create_warehouse(code="BER", name="Berlin")
    with pytest.raises(CommandError, match="BER, HAM"):
        here(HEADER + GOOD)
    with pytest.raises(CommandError, match="There is no active warehouse XXX"):
        here(HEADER + GOOD, warehouse="XXX")


def test_the_first_import_of_an_empty_tenant_creates_its_warehouse(in_north, tmp_path):
    path = tmp_path / "sales.csv"
    path.write_text(HEADER + GOOD)
    call_command("import_sales", path, tenant="north", stdout=StringIO())
    assert Warehouse.objects.get().code == "MAIN"


def test_a_file_above_the_limit_is_refused_before_it_is_read(here, settings, monkeypatch):
    settings.UPLOAD_MOST_BYTES = 2**20
    with pytest.raises(CommandError, match=r"The file has 2 MB; at most 1 MB"):
        here(HEADER + GOOD * 50_000)
    assert nothing_was_stored()


def test_a_packed_file_that_unpacks_for_ever_is_refused(here, monkeypatch):
    monkeypatch.setattr("inventory.services.importing.reading.MOST_TEXT_BYTES", 2**20)
    with pytest.raises(CommandError, match="Unpacked, the file has more than 1 MB"):
        here(gzip.compress((HEADER + GOOD * 60_000).encode()), name="bomb.csv.gz")


def test_too_many_rows_are_refused(here, monkeypatch):
    monkeypatch.setattr("inventory.services.importing.reading.MOST_ROWS", 10)
    with pytest.raises(CommandError, match="more than 10 rows"):
        here(HEADER + GOOD * 11)
    assert nothing_was_stored()


def test_a_failure_in_the_middle_leaves_nothing(here, monkeypatch):
    monkeypatch.setattr("inventory.services.importing.sales.CHUNK_ROWS", 1)

    def fall(self):
        raise RuntimeError("the machine stopped")

    monkeypatch.setattr(sales_writing.SalesWriter, "settle", fall)
    with pytest.raises(RuntimeError):
        here(HEADER + LINES)
    assert nothing_was_stored()
    monkeypatch.undo()
    here(HEADER + LINES)
    assert demand() == DEMAND


def test_only_who_may_import_imports(north, tmp_path):
    from inventory.services.importing.files import note_file

    path = tmp_path / "sales.csv"
    path.write_text(HEADER + GOOD)
    with north.scope("operator"), pytest.raises(PermissionRefused):
        note_file(kind="sales", path=path)


def test_imports_of_two_tenants_do_not_meet(north, south, tmp_path):
    path = tmp_path / "sales.csv"
    path.write_text(HEADER + LINES)
    for slug in ("north", "south"):
        call_command("import_sales", path, tenant=slug, stdout=StringIO())
    for house in (north, south):
        with house.scope():
            assert demand() == DEMAND


def test_a_product_without_a_price_learns_what_it_last_sold_for_and_one_with_a_price_keeps_it(here):
    Product.objects.create(sku="OWN1", name="Own", unit_price=Decimal(5))
    here(
        HEADER
        + "1,NEW1,1,2010-12-01 08:00,2.00,,\n"
        + "2,NEW1,1,2010-12-05 08:00,2.50,,\n"
        + "3,OWN1,1,2010-12-05 08:00,9.00,,\n"
    )
    prices = dict(Product.objects.values_list("sku", "unit_price"))
    assert prices == {"NEW1": Decimal("2.5"), "OWN1": Decimal(5)}


# -- which codes are goods ------------------------------------------------------------------------
LETTERS = "sku,quantity,date,unit_price\nAPPLE,3,2011-01-03,2\nPEAR,1,2011-01-03,2\n"


def test_a_file_without_any_goods_is_refused_and_says_how_to_take_it(here):
    with pytest.raises(CommandError) as refusal:
        here(LETTERS)
    assert "None of the 2 rows counts as goods (APPLE, PEAR)" in str(refusal.value)
    assert nothing_was_stored()
    here(LETTERS, goods_pattern=".")
    assert [row[0] for row in demand()] == ["APPLE", "PEAR"]


def test_a_code_of_a_known_product_is_goods_whatever_the_pattern(here):
    Product.objects.create(sku="Apple", name="Apple")
    here(LETTERS)
    assert [row[0] for row in demand()] == ["Apple"]
    # control: the pear is no product yet, so the rule leaves it out
    assert report()["codes"].keys() == {"PEAR"}
