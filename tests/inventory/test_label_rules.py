"""Labels: what is printed is read back, in PDF and in ZPL, and names stay data."""

from __future__ import annotations

import base64
import re
import zlib
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
import reportlab
from hypothesis import given, settings, strategies as st
from reportlab.graphics.barcode.code128 import _patterns

from inventory.rules.gs1 import SEPARATOR, Elements, read_elements
from inventory.rules.labels import (
    SIZES,
    Fonts,
    LocationLabel,
    LotLabel,
    PackageLabel,
    PickLine,
    PickList,
    ProductLabel,
    labels_pdf,
    labels_zpl,
    pick_list_pdf,
    unprintable,
)
from inventory.rules.labels.code128 import PATTERNS, bar_widths, check_value, symbol_values
from inventory.rules.labels.contents import ENGLISH
from inventory.rules.labels.fonts import BOX
from inventory.rules.scan_codes import LabelKind, read_code

TODAY = date(2026, 11, 26)
GTIN = "04006381333931"
LOCATION = LocationLabel("MAIN", "Hauptlager", "A-01-02", zone="Zone A")
PRODUCT = ProductLabel(
    "APPLE", "Äpfel, 1 kg", barcode="4006381333931", packaging="case", contents="12 pcs"
)
LOT = LotLabel("MILK", "Milk", "L-2026-11", expires_on=date(2026, 12, 31), gtin=GTIN)
PACKAGE = PackageLabel(
    "PK-000042", "SO-000007", ("Müller GmbH", "Hafenstr. 7", "20457 Hamburg"), weight="3.2 kg"
)
DEJAVU = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")


# -- a reader of what was printed -----------------------------------------------------------------
def pages(pdf: bytes) -> list[str]:
    """Return the drawing of each page; fonts are streams as well, but begin otherwise."""
    found = re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL)
    encoded = [raw.strip() for raw in found if raw.strip().endswith(b"~>")]
    drawn = [zlib.decompress(base64.a85decode(raw.removesuffix(b"~>"))) for raw in encoded]
    return [page.decode("latin-1") for page in drawn if page.startswith(b"1 0 0 1 0 0 cm")]


def media_boxes(pdf: bytes) -> list[tuple[float, float]]:
    boxes = re.findall(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+) \]", pdf)
    return [(float(width), float(height)) for width, height in boxes]


def drawn_bars(page: str) -> list[str]:
    """Return what the bars of a page say, read off their rectangles like a scanner does."""
    found: dict[tuple[float, float], list[tuple[float, float]]] = {}
    for x, y, width, height in re.findall(r"([-\d.]+) ([-\d.]+) ([-\d.]+) ([-\d.]+) re", page):
        found.setdefault((float(y), float(height)), []).append((float(x), float(width)))
    rows = [sorted(row) for row in found.values() if len(row) > 15]
    return [scanned(row) for row in rows]


def scanned(row: list[tuple[float, float]]) -> str:
    """Turn bars (start, width) into the text of a Code 128 symbol; check digit and all."""
    widths = [width for _start, width in row]
    spaces = [following[0] - (start + width) for (start, width), following in pairwise(row)]
    total = row[-1][0] + row[-1][1] - row[0][0]
    # a symbol has 11 modules for each of its three bars, and two more at the stop
    module = total / ((len(row) - 4) // 3 * 11 + 13)
    elements = [widths[0]]
    for space, width in zip(spaces, widths[1:]):
        elements += [space, width]
    return decoded("".join(str(round(element / module)) for element in elements))


def decoded(modules: str) -> str:
    table = {"".join(str(ord(c.lower()) - 96) for c in p): v for v, p in _patterns.items()}
    values = [table[modules[n : n + 6]] for n in range(0, len(modules) - 7, 6)]
    assert table[modules[-7:]] == 106
    *values, check = values
    assert check == (values[0] + sum(n * v for n, v in enumerate(values))) % 103
    return text_of(values)


def text_of(values: list[int]) -> str:
    in_c, text = values[0] == 105, ""
    for value in values[1:]:
        if value == 102:
            text += SEPARATOR
        elif in_c and value == 100:
            in_c = False
        elif not in_c and value == 99:
            in_c = True
        else:
            text += f"{value:02d}" if in_c else chr(value + 32)
    return text


def zpl_fields(zpl: str) -> list[str]:
    """Return the field data as a printer understands it: hex escapes undone."""
    fields = re.findall(r"\^FH\^FD(.*?)\^FS", zpl)
    return [
        re.sub(rb"_([0-9A-F]{2})", lambda m: bytes([int(m.group(1), 16)]), f.encode()).decode()
        for f in fields
    ]


def zpl_bars(zpl: str) -> str:
    """Return what the printer's ^BC encodes, following its invocation characters."""
    [data] = zpl_fields("".join(re.findall(r"\^BCN[^\n]*", zpl)))
    in_c, text, rest = data[1] == ";", "", data[2:]
    while rest:
        if rest[:2] in {">5", ">6"}:
            in_c, rest = rest[1] == "5", rest[2:]
        elif rest[:2] == ">8":
            text, rest = text + SEPARATOR, rest[2:]
        elif rest[0] == ">":
            text, rest = text + {"0": ">", "<": "^", "=": "~"}[rest[1]], rest[2:]
        elif in_c:
            assert rest[:2].isdigit()
            text, rest = text + rest[:2], rest[2:]
        else:
            text, rest = text + rest[0], rest[1:]
    return text


# -- symbols --------------------------------------------------------------------------------------
def test_the_table_of_bars_is_that_of_the_standard() -> None:
    theirs = ["".join(str(ord(c.lower()) - 96) for c in _patterns[v]) for v in range(107)]
    assert list(PATTERNS) == theirs
    assert {sum(map(int, pattern)) for pattern in PATTERNS[:-1]} == {11}


def test_the_example_of_the_standard_has_its_check_value() -> None:
    # ISO/IEC 15417: "AIM" in set B is 104 33 41 45; 104 + 1*33 + 2*41 + 3*45 = 354; 354 mod 103 = 45
    assert symbol_values("AIM", is_gs1=False) == [104, 33, 41, 45]
    assert check_value([104, 33, 41, 45]) == 45


def test_digits_go_in_pairs() -> None:
    assert symbol_values("12345678", is_gs1=False) == [105, 12, 34, 56, 78]
    # GS1-128 begins with FNC1, in set C at once
    assert symbol_values("0112", is_gs1=True) == [105, 102, 1, 12]


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60), st.booleans())
@settings(max_examples=200)
def test_every_text_is_read_back_from_its_bars(text: str, is_gs1: bool) -> None:
    modules = "".join(map(str, bar_widths(text, is_gs1=is_gs1)))
    assert decoded(modules) == (SEPARATOR if is_gs1 else "") + text


@given(st.text(f"0123456789A{SEPARATOR}", max_size=40))
@settings(max_examples=200)
def test_separators_between_digits_are_kept(text: str) -> None:
    assert decoded("".join(map(str, bar_widths(text, is_gs1=True)))) == SEPARATOR + text


# -- PDF ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("size", list(SIZES))
def test_what_a_scanner_reads_off_the_printed_label_is_what_was_meant(size: str) -> None:
    for label in (LOCATION, PRODUCT, PACKAGE):
        [page] = pages(labels_pdf([label], size=SIZES[size]))
        assert label.face(ENGLISH).symbol.data in drawn_bars(page)


def test_a_lot_label_is_scanned_as_the_lot_it_stands_for() -> None:
    [page] = pages(labels_pdf([LOT], size=SIZES["100x50"]))
    [text] = drawn_bars(page)
    assert text[0] == SEPARATOR
    code = read_code(f"]C1{text[1:]}", today=TODAY)
    assert (code.gtin, code.lot, code.expires_on) == (GTIN, "L-2026-11", date(2026, 12, 31))


def test_a_location_label_is_scanned_as_its_warehouse_and_location() -> None:
    code = read_code(LOCATION.face(ENGLISH).symbol.data, today=TODAY)
    assert (code.label, code.parts) == (LabelKind.LOCATION, ("MAIN", "A-01-02"))


def test_a_serial_number_goes_into_its_own_identifier() -> None:
    label = LotLabel("DRILL", "Drill", "S-1", gtin=GTIN, is_serial=True)
    elements = read_elements(label.symbol().data, today=TODAY)
    assert (elements.serial, elements.lot) == ("S-1", "")


@pytest.mark.parametrize("lot", ["L" * 21, "Ö-1", "a lot"])
def test_a_lot_that_gs1_cannot_carry_gets_our_own_label(lot: str) -> None:
    symbol = LotLabel("MILK", "Milk", lot, gtin=GTIN).symbol()
    assert not symbol.is_gs1
    assert read_code(symbol.data, today=TODAY).parts == ("MILK", lot)


def test_rolls_have_a_page_per_label_and_sheets_fill_up() -> None:
    roll = media_boxes(labels_pdf([LOCATION, PRODUCT], size=SIZES["100x50"], copies=3))
    # 100 mm x 72 / 25.4 = 283.46 points
    assert roll == [(pytest.approx(283.46, abs=0.01), pytest.approx(141.73, abs=0.01))] * 6
    # 24 cells: 2 used, 23 labels: the last one stands on a second sheet
    sheet = labels_pdf([LOCATION], size=SIZES["a4-3x8"], copies=23, skip=2)
    assert (
        media_boxes(sheet)
        == [(pytest.approx(595.28, abs=0.01), pytest.approx(841.89, abs=0.01))] * 2
    )
    assert [len(drawn_bars_of_sheet(page)) for page in pages(sheet)] == [22, 1]


def drawn_bars_of_sheet(page: str) -> list[str]:
    """Return one entry per symbol: each is one path."""
    return [path for path in re.split(r"\bf\*?\s", page) if path.count(" re") > 15]


def test_labels_stay_on_their_sheet() -> None:
    for size in SIZES.values():
        left, top = size.corner(size.columns * size.rows - 1)
        assert left + size.width <= size.page[0]
        assert top + size.height <= size.page[1]


def test_bars_that_would_be_too_fine_become_a_square() -> None:
    [page] = pages(labels_pdf([LOT], size=SIZES["57x32"]))
    assert not any(GTIN in text for text in _tried(page))
    assert page.count(" re") > 100


def _tried(page: str) -> list[str]:
    try:
        return drawn_bars(page)
    except (KeyError, AssertionError, IndexError):
        return []


def test_the_same_labels_are_the_same_bytes() -> None:
    assert labels_pdf([LOT], size=SIZES["100x50"]) == labels_pdf([LOT], size=SIZES["100x50"])


def test_western_names_print_with_the_font_that_comes_along_embedded() -> None:
    assert unprintable(["Äpfel Ångström ñandú Œuvre Šaty Žena Łódź 5 € …"], Fonts()) == "ź"
    pdf = labels_pdf([PRODUCT], size=SIZES["100x50"])
    assert b"BitstreamVera" in pdf
    assert b"/FontFile2" in pdf


def test_what_no_font_has_is_shown_as_a_box_and_named() -> None:
    fonts = Fonts()
    assert fonts.runs("A\u0416", is_bold=False) == [("label-Vera", "A"), (BOX, "\u0416")]
    assert unprintable(["A\u0416\u0416"], fonts) == "\u0416"
    # letters that join are not printed apart, whatever the font
    assert unprintable(["\u0645\u0631\u062d\u0628\u0627 \u0e2a\u0e27\u0e31"], fonts)


def test_chinese_japanese_and_korean_use_the_fonts_of_the_reader() -> None:
    label = ProductLabel("MILK", "\u725b\u5976 \u30df\u30eb\u30af \uc6b0\uc720")
    assert unprintable([label.name], Fonts()) == ""
    pdf = labels_pdf([label], size=SIZES["100x50"])
    assert b"STSong-Light" in pdf
    assert b"HeiseiKakuGo-W5" in pdf
    assert b"HYSMyeongJo-Medium" in pdf


@pytest.mark.skipif(not DEJAVU.exists(), reason="no second font on this machine")
def test_a_font_of_the_operator_prints_what_vera_lacks() -> None:
    fonts = Fonts((str(DEJAVU),))
    assert (
        unprintable(["\u041c\u043e\u043b\u043e\u043a\u043e \u0393\u03ac\u03bb\u03b1"], fonts) == ""
    )


def test_a_font_file_that_is_none_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "bad.ttf").write_bytes(b"no font")
    fonts = Fonts((str(tmp_path / "bad.ttf"), str(tmp_path / "missing.ttf")))
    assert fonts.runs("A", is_bold=True)[0][0] == "label-VeraBd"


def test_the_licence_of_the_font_lies_beside_it() -> None:
    fonts = Path(reportlab.__file__).parent / "fonts"
    assert "redistribution" in (fonts / "bitstream-vera-license.txt").read_text()


@given(st.text(max_size=120), st.text(min_size=1, max_size=60), st.sampled_from(list(SIZES)))
@settings(max_examples=40, deadline=None)
def test_no_name_keeps_a_label_from_being_printed(name: str, code: str, size: str) -> None:
    clean = code.encode("utf-8", "replace").decode().replace("\0", "x")
    labels = [LocationLabel("MAIN", name, clean), ProductLabel(clean, name, barcode=clean)]
    assert labels_pdf(labels, size=SIZES[size]).startswith(b"%PDF")
    zpl = labels_zpl(labels, size=SIZES[size])
    assert (zpl.count("^XA"), zpl.count("^XZ")) == (2, 2)


# -- ZPL ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("label", [LOCATION, PRODUCT, PACKAGE, LOT])
def test_the_printer_encodes_what_was_meant(label) -> None:
    symbol = label.face(ENGLISH).symbol
    zpl = labels_zpl([label], size=SIZES["100x50"])
    assert zpl_bars(zpl) == (SEPARATOR if symbol.is_gs1 else "") + symbol.data
    assert label.face(ENGLISH).head in zpl_fields(zpl)


def test_a_label_has_its_size_in_dots_and_its_copies() -> None:
    zpl = labels_zpl([LOCATION], size=SIZES["100x50"], copies=7, dots_per_mm=12)
    assert "^PW1200\n^LL600\n" in zpl
    assert "^PQ7\n" in zpl


@pytest.mark.parametrize(
    "evil", ["^XZ^XA^FDowned^FS", "~JR", "A^FS^FO0,0", "_5EXZ", "\\&", "^CC~", "a\n^XZ\n", ">8>;"]
)
def test_a_name_never_becomes_a_command(evil: str) -> None:
    usual, zpl = (
        labels_zpl([ProductLabel("X", name, barcode="1", contents=name)], size=SIZES["100x50"])
        for name in ("Name", evil)
    )
    assert re.findall(r"[\^~][A-Z][A-Z0-9]", zpl) == re.findall(r"[\^~][A-Z][A-Z0-9]", usual)
    assert evil.replace("\n", " ").strip() in zpl_fields(zpl)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=30))
@settings(max_examples=80)
def test_every_code_is_encoded_as_it_is(code: str) -> None:
    zpl = labels_zpl([ProductLabel("X", "Name", barcode=code)], size=SIZES["100x150"])
    if "^BCN" in zpl:
        assert zpl_bars(zpl) == code
    else:
        assert f"MA,{code}" in zpl_fields(zpl)
    assert zpl.count("^FS") == zpl.count("^FD")


def test_a_long_name_is_cut_and_not_printed_over() -> None:
    zpl = labels_zpl([ProductLabel("X", "word " * 60)], size=SIZES["57x32"])
    assert zpl_fields(zpl)[0].endswith("…")


# -- the pick list --------------------------------------------------------------------------------
def test_a_pick_list_has_its_lines_on_as_many_pages_as_it_needs() -> None:
    lines = tuple(PickLine(f"A-{n:02}", "APPLE", "Apple", f"{n} pcs", lot="L7") for n in range(40))
    pdf = pick_list_pdf(PickList("WV-000012", "Wave", lines, (("Warehouse", "Main"),)))
    drawn = pages(pdf)
    # a page has room for 19 lines: 40 lines need three
    assert len(drawn) == 3
    assert all("WV-000012" in drawn_bars(page) for page in drawn)


def test_a_pick_list_of_nothing_is_one_page() -> None:
    assert len(pages(pick_list_pdf(PickList("WV-000001", "Wave", ())))) == 1


def test_elements_are_written_in_the_order_gs1_asks_for() -> None:
    assert LOT.symbol().data == f"01{GTIN}17261231" + "10L-2026-11"
    assert read_elements(LOT.symbol().data, today=TODAY) == Elements(
        gtin=GTIN, lot="L-2026-11", expires_on=date(2026, 12, 31)
    )
