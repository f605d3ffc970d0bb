"""Labels as ZPL II. Whatever comes from people is written in hex escapes, never as commands."""

from __future__ import annotations

from collections.abc import Sequence

from inventory.rules.labels.code128 import (
    CODE_B,
    CODE_C,
    FNC1,
    QUIET,
    START_C,
    bar_widths,
    symbol_values,
)
from inventory.rules.labels.contents import ENGLISH, Face, Label, LabelWords, Symbol
from inventory.rules.labels.fonts import printable
from inventory.rules.labels.sizes import LabelSize

DOTS_PER_MM = (6, 8, 12, 24)
PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 .-/:()")
"""What is written as it is; the caret, tilde, comma, backslash and underscore are not among it."""
INVOKED = {CODE_C: ">5", CODE_B: ">6", FNC1: ">8"}
STARTS = {True: ">;", False: ">:"}
OF_A_CHARACTER = {">": ">0", "^": "><", "~": ">="}
NARROWEST, WIDEST = 2, 6


def labels_zpl(
    labels: Sequence[Label],
    *,
    size: LabelSize,
    copies: int = 1,
    dots_per_mm: int = 8,
    words: LabelWords = ENGLISH,
) -> str:
    """Return one ``^XA...^XZ`` per label for a printer of that resolution (8: 203 dpi)."""
    return "".join(
        _format(label.face(words), size, copies=copies, dots=dots_per_mm) for label in labels
    )


def field_data(text: str) -> str:
    """Return the text for ``^FD`` after ``^FH``: UTF-8, all but the plainest characters in hex."""
    return "".join(
        chr(byte) if byte in PLAIN else f"_{byte:02X}" for byte in printable(text).encode()
    )


def bar_data(symbol: Symbol) -> str:
    """Return the data of ``^BC`` with every change of set and FNC1 named: its mode N."""
    values = symbol_values(symbol.data, is_gs1=symbol.is_gs1)
    in_c = values[0] == START_C
    written = [STARTS[in_c]]
    for value in values[1:]:
        if value in {FNC1, CODE_B if in_c else CODE_C}:
            written.append(INVOKED[value])
            in_c = in_c if value == FNC1 else value == CODE_C
        elif in_c:
            written.append(f"{value:02d}")
        else:
            character = chr(value + ord(" "))
            written.append(OF_A_CHARACTER.get(character) or field_data_of(character))
    return "".join(written)


def field_data_of(character: str) -> str:
    """Return one character of a symbol, as it is or in hex."""
    return character if ord(character) in PLAIN else f"_{ord(character):02X}"


def _format(face: Face, size: LabelSize, *, copies: int, dots: int) -> str:
    width, height = (length * dots // 10 for length in (size.width, size.height))
    margin = dots * 5 // 2
    room = width - 2 * margin
    lines = ["^XA", "^CI28", f"^PW{width}", f"^LL{height}", "^LH0,0"]
    module = _module(face.symbol, room)
    if module:
        below = 3 * dots
        high = min(height // 3, 25 * dots)
        top = height - margin - below - high
        lines += _text(face, margin, room, top - dots, dots)
        lines.append(f"^FO{margin + QUIET * module},{top}^BY{module}")
        lines.append(f"^BCN,{high},N,N,N,N^FH^FD{bar_data(face.symbol)}^FS")
        lines.append(_line(margin, top + high + dots // 2, below, face.symbol.readable, room))
    else:
        lines += _text(face, margin, room * 3 // 5, height - margin, dots)
        magnification = max(2, min(10, dots * size.height // 450))
        lines.append(f"^FO{margin + room * 3 // 5 + dots},{margin}^BQN,2,{magnification}")
        lines.append(f"^FH^FDMA,{_square_data(face.symbol)}^FS")
    return "\n".join([*lines, f"^PQ{copies}", "^XZ"]) + "\n"


def _module(symbol: Symbol, room: int) -> int:
    """Return the width of a bar in dots, or 0 when the symbol does not fit as bars."""
    try:
        widths = bar_widths(symbol.data, is_gs1=symbol.is_gs1)
    except ValueError:
        return 0
    module = min(room // (sum(widths) + 2 * QUIET), WIDEST)
    return module if module >= NARROWEST else 0


def _text(face: Face, left: int, room: int, bottom: int, dots: int) -> list[str]:
    rest = [*face.lines, *(f"{word}: {value}" for word, value in face.facts)]
    head = min(8 * dots, max(3 * dots, (bottom - left) // (len(rest) + 2) * 2))
    head = max(min(head, room * 5 // 3 // max(len(face.head), 1)), 3 * dots)
    small = min(4 * dots, max(2 * dots, (bottom - left - head) // max(len(rest), 1) * 4 // 5))
    lines = [_line(left, left, head, face.head, room)]
    top = left + head * 5 // 4
    for line in rest:
        if top + small > bottom:
            break
        lines.append(_line(left, top, small, line, room))
        top += small * 5 // 4
    return lines


def _line(left: int, top: int, high: int, text: str, room: int) -> str:
    # font 0 is about six tenths as wide as high; what does not fit is cut, not printed over
    most = max(room * 5 // 3 // high, 1)
    clean = printable(text)
    shown = clean if len(clean) <= most else f"{clean[: most - 1].rstrip()}…"
    return f"^FO{left},{top}^A0N,{high}^FH^FD{field_data(shown)}^FS"


def _square_data(symbol: Symbol) -> str:
    return "".join(chr(byte) if byte in PLAIN else f"_{byte:02X}" for byte in symbol.data.encode())
