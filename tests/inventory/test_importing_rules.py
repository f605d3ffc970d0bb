"""What imported cells and lines mean. Pure: no database."""

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from inventory.rules.importing.columns import (
    duplicated_headers,
    mapping_by_content,
    mapping_by_header,
)
from inventory.rules.importing.sales import (
    Candidate,
    GoodsRule,
    LeftOut,
    LineReader,
    SaleLine,
    SalesRules,
    match_cancellations,
)
from inventory.rules.importing.values import (
    BadValue,
    Conventions,
    guess_date_order,
    guess_decimal_mark,
    neutralised,
    parse_moment,
    parse_number,
    plain,
)

COLUMNS = {"document": 0, "sku": 1, "quantity": 2, "sold_at": 3, "unit_price": 4, "customer": 5}


def reader(**changes) -> LineReader:
    rules = SalesRules(columns=COLUMNS, latest=date(2026, 12, 31), **changes)
    return LineReader(rules, {"MAIN": ZoneInfo("Europe/London")}, "MAIN")


def row(
    document="536365", sku="85123A", quantity="6", at="2010-12-01 08:26", price="2.55", who="17850"
):
    return [document, sku, quantity, at, price, who]


# -- columns --------------------------------------------------------------------------------------
def test_headers_of_online_retail_are_recognised_in_both_spellings():
    ours = ["invoice", "sku", "quantity", "timestamp", "unit_price_gbp", "customer_id", "country"]
    assert mapping_by_header("sales", ours) == {
        "sku": "sku", "quantity": "quantity", "sold_at": "timestamp", "document": "invoice",
        "unit_price": "unit_price_gbp", "customer": "customer_id", "country": "country",
    }  # fmt: skip
    uci = [
        "InvoiceNo",
        "StockCode",
        "Description",
        "Quantity",
        "InvoiceDate",
        "UnitPrice",
        "CustomerID",
    ]
    mapping = mapping_by_header("sales", uci)
    assert mapping["document"] == "InvoiceNo"
    assert mapping["product_name"] == "Description"
    assert mapping["sold_at"] == "InvoiceDate"


def test_the_closest_name_wins_a_field():
    assert mapping_by_header("sales", ["Date", "Timestamp", "SKU", "Qty"])["sold_at"] == "Timestamp"


def test_a_lone_description_names_the_product():
    assert mapping_by_header("products", ["sku", "description"])["name"] == "description"
    both = mapping_by_header("products", ["sku", "description", "name"])
    assert (both["name"], both["description"]) == ("name", "description")


def test_content_suggests_what_no_header_gives_away():
    rows = [["2026-01-05", "A-17", "3"], ["2026-01-06", "B-2", "14"]]
    assert mapping_by_content("sales", ["x", "y", "z"], rows, {}) == {
        "sold_at": "x", "sku": "y", "quantity": "z",
    }  # fmt: skip


def test_a_name_heading_two_columns_is_named():
    assert duplicated_headers(["sku", "qty", "sku", "", ""]) == ["sku"]


# -- numbers --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "mark", "number"),
    [
        ("1,234.50", ".", "1234.5"),
        ("1.234,50", ",", "1234.5"),
        ("£2.55", ".", "2.55"),
        ("(12)", ".", "-12"),
        ("5-", ".", "-5"),
        ("1\u00a0250,5", ",", "1250.5"),
        ("-80995", ".", "-80995"),
    ],
)
def test_a_number_is_read_as_people_write_it(text, mark, number):
    assert parse_number(text, "quantity", mark) == Decimal(number)


@pytest.mark.parametrize("text", ["", "abc", "1.2.3", "12,34", "NaN", "inf", "--5", "=1+1"])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(BadValue, match="not_a_number"):
        parse_number(text, "quantity")


@pytest.mark.parametrize("text", ["1000000001", "-9999999999", "1e30"])
def test_an_absurd_number_is_refused(text):
    with pytest.raises(BadValue, match="number_absurd"):
        parse_number(text, "quantity")


def test_the_decimal_mark_is_found_by_spellings_that_mean_one_thing():
    assert guess_decimal_mark(["1,5", "2,75", "1.234"]) == ","
    assert guess_decimal_mark(["1.5", "2", "1,234"]) == "."
    assert guess_decimal_mark(["1,234"]) == "."
    assert guess_decimal_mark(["1,234"], ";") == ","


def test_one_number_has_one_plain_spelling():
    assert {plain(Decimal(x)) for x in ("6", "6.0", "6.000000")} == {"6"}
    assert plain(Decimal("100")) == "100"


# -- dates ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "order", "moment"),
    [
        ("2010-12-01 08:26", "dmy", datetime(2010, 12, 1, 8, 26)),
        ("1/12/2010 8:26", "dmy", datetime(2010, 12, 1, 8, 26)),
        ("12/1/2010 8:26", "mdy", datetime(2010, 12, 1, 8, 26)),
        ("12/1/10 8:26 PM", "mdy", datetime(2010, 12, 1, 20, 26)),
        ("31.12.2010", "dmy", datetime(2010, 12, 31)),
        ("20101201", "dmy", datetime(2010, 12, 1)),
        ("01-Dec-2010", "dmy", datetime(2010, 12, 1)),
    ],
)
def test_a_date_is_read_in_the_order_of_its_country(text, order, moment):
    assert parse_moment(text, "sold_at", Conventions(date_order=order)) == moment


def test_a_day_above_twelve_settles_the_order():
    assert guess_date_order(["1/2/2010", "1/13/2010"], "dmy") == "mdy"
    assert guess_date_order(["1/2/2010", "13/1/2010"], "mdy") == "dmy"
    assert guess_date_order(["1/2/2010"], "mdy") == "mdy"


def test_the_report_names_how_dates_were_read():
    read = Conventions(date_order="mdy")
    assert read.dates_of(["2010-12-01 08:26", "", "20101202"]) == "ymd"
    assert read.dates_of(["2010-12-01", "1/2/2010"]) == "mdy"
    assert read.dates_of(["", " "]) == ""
    assert Conventions(date_format="%Y-%m-%d").dates_of(["2010-12-01"]) == "%Y-%m-%d"


@pytest.mark.parametrize("text", ["31/02/2010", "soon", "2010-13-01", "0", ""])
def test_what_is_no_date_is_refused(text):
    with pytest.raises(BadValue, match="not_a_date"):
        parse_moment(text, "sold_at", Conventions())


# -- lines ----------------------------------------------------------------------------------------
def test_a_line_becomes_a_sale_on_the_day_of_the_warehouse():
    line = reader().read(row(at="2010-07-01T23:30:00Z"))
    assert isinstance(line, SaleLine)
    # half past eleven in the evening at Greenwich is already the next day in a London summer
    assert line.business_day == "2010-07-02"


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        (row(sku="POST"), "not_goods"),
        (row(sku="BANK CHARGES"), "not_goods"),
        (row(sku="AMAZONFEE", price="-5"), "not_goods"),
        (row(quantity="0"), "zero_quantity"),
        (row(quantity="-10", price="0"), "write_off"),
        (row(price="0"), "zero_price"),
        (row(price="-1"), "negative_price"),
    ],
)
def test_a_line_that_is_no_sale_is_left_out_with_its_reason(cells, reason):
    line = reader().read(cells)
    assert isinstance(line, LeftOut)
    assert line.reason == reason


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        (row(sku=" "), "missing"),
        (row(sku="1" * 65), "too_long"),
        (row(quantity=""), "missing"),
        (row(quantity="six"), "not_a_number"),
        (row(quantity="2000000000"), "number_absurd"),
        (row(at="1989-12-31"), "before_1990"),
        (row(at="2027-01-01"), "in_the_future"),
        (row(at="yesterday"), "not_a_date"),
    ],
)
def test_a_wrong_line_is_refused_by_name(cells, problem):
    with pytest.raises(BadValue) as caught:
        reader().read(cells)
    assert caught.value.problem == problem


def test_the_same_line_has_the_same_key_in_any_file_and_twins_have_their_own():
    first, twin = reader(), reader()
    keys = [first.read(row()).line_key, first.read(row()).line_key]
    assert keys[0] != keys[1]
    # another export writes the numbers differently and has other lines in between
    twin.read(row(sku="22423"))
    again = [twin.read(row(quantity="6.0", price="2.550")).line_key, twin.read(row()).line_key]
    assert again == keys


def test_a_cancellation_invoice_without_its_minus_takes_back_all_the_same():
    assert reader().read(row(document="C536379")).quantity == "-6"
    assert reader(cancellation_prefix="").read(row(document="C536379")).quantity == "6"
    assert reader().read(row(document="CH-1")).quantity == "6"


def test_the_goods_rule_can_be_narrowed_by_pattern_and_list():
    rule = GoodsRule(r"\d{5}[A-Za-z]{0,2}$", frozenset({"84029"}))
    assert [rule.is_goods(x) for x in ("85123A", "C2", "GIFT_0001_20", "84029")] == [
        True,
        False,
        False,
        False,
    ]


# -- cancellations --------------------------------------------------------------------------------
def line(line_id, quantity, customer=1, product=1, price="2"):
    return Candidate(line_id, product, customer, Decimal(quantity), Decimal(price))


def test_a_cancellation_takes_back_the_latest_equal_sale_once():
    lines = [line(1, 6), line(2, 6), line(3, 5), line(4, -6), line(5, -6), line(6, -6), line(7, 6)]
    assert match_cancellations(lines) == [(4, 2), (5, 1)]


@pytest.mark.parametrize("other", [{"customer": 2}, {"product": 2}])
def test_a_cancellation_leaves_sales_of_others_alone(other):
    assert match_cancellations([line(1, 6, **other), line(2, -6)]) == []


def test_another_price_matters_only_when_asked():
    lines = [line(1, 6, price="2"), line(2, -6, price="1.9")]
    assert match_cancellations(lines) == [(2, 1)]
    assert match_cancellations(lines, same_price=True) == []


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_no_spreadsheet_takes_a_cell_for_a_formula(cell):
    assert neutralised(cell) == f"'{cell}"
