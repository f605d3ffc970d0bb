"""Code 128 (ISO/IEC 15417, sets B and C): the symbol as numbers, once for PDF and ZPL."""

from __future__ import annotations

import re
from itertools import accumulate

from inventory.rules.gs1 import SEPARATOR

START_B, START_C, CODE_C, CODE_B, FNC1, STOP = 104, 105, 99, 100, 102, 106
WIDTHS = """
212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232
122132 122231 113222 123122 123221 223211 221132 221231 213212 223112 312131 311222 321122
321221 312212 322112 322211 212123 212321 232121 111323 131123 131321 112313 132113 132311
211313 231113 231311 112133 112331 132131 113123 113321 133121 313121 211331 231131 213113
213311 213131 311123 311321 331121 312113 312311 332111 314111 221411 431111 111224 111422
121124 121421 141122 141221 112214 112412 122114 122411 142112 142211 241211 221114 413111
241112 134111 111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 214121
412121 111143 111341 131141 114113 114311 411113 411311 113141 114131 311141 411131 211412
211214 211232 2331112
"""
PATTERNS = tuple(WIDTHS.split())
"""Widths of bars and spaces in turn, by value."""
QUIET = 10
"""Modules of quiet zone on each side."""
DIGITS = re.compile(f"[0-9{SEPARATOR}]+")
DIGITS_WORTH_SET_C, DIGITS_WORTH_SET_C_AT_AN_END = 6, 4


def symbol_values(data: str, *, is_gs1: bool) -> list[int]:
    """Return the values of the symbol without check value and stop; digits go in pairs.

    ``data`` is printable ASCII; ``SEPARATOR`` becomes FNC1, and so does the start of a GS1 symbol.
    Raises ``ValueError`` for anything else.
    """
    if any(c != SEPARATOR and not " " <= c <= "~" for c in data):
        raise ValueError(data)
    text = (SEPARATOR if is_gs1 else "") + data
    values: list[int] = []
    in_c = False
    for part, wants_c in _parts(text):
        if not values:
            values.append(START_C if wants_c else START_B)
        elif wants_c != in_c:
            values.append(CODE_C if wants_c else CODE_B)
        in_c = wants_c
        values += _pairs(part) if wants_c else [_value(c) for c in part]
    return values or [START_B]


def check_value(values: list[int]) -> int:
    """Return the check value of a symbol."""
    return (values[0] + sum(n * value for n, value in enumerate(values))) % 103


def bar_widths(data: str, *, is_gs1: bool) -> list[int]:
    """Return the widths in modules of bars and spaces in turn, without quiet zones."""
    values = symbol_values(data, is_gs1=is_gs1)
    whole = [*values, check_value(values), STOP]
    return [int(width) for value in whole for width in PATTERNS[value]]


def bars(widths: list[int]) -> list[tuple[int, int]]:
    """Return where each bar starts and how wide it is, in modules."""
    starts = [0, *accumulate(widths)]
    return [(starts[n], widths[n]) for n in range(0, len(widths), 2)]


def _parts(text: str) -> list[tuple[str, bool]]:
    """Split into runs for set B and runs of digits that are shorter in set C."""
    parts: list[tuple[str, bool]] = []
    done = 0
    for run in DIGITS.finditer(text):
        start, end = run.span()
        at_end = start == 0 or end == len(text)
        worth = DIGITS_WORTH_SET_C_AT_AN_END if at_end else DIGITS_WORTH_SET_C
        if len(run.group().replace(SEPARATOR, "")) < worth:
            continue
        for piece, is_paired in _paired(run.group()):
            if not is_paired:
                continue
            first = start + piece[0]
            if first > done:
                parts.append((text[done:first], False))
            parts.append((text[first : start + piece[1]], True))
            done = start + piece[1]
    if done < len(text):
        parts.append((text[done:], False))
    return parts


def _paired(run: str) -> list[tuple[tuple[int, int], bool]]:
    """Return the stretches of the run in which digits come in pairs between separators."""
    stretches: list[tuple[tuple[int, int], bool]] = []
    start, position = 0, 0
    while position < len(run):
        if run[position] == SEPARATOR:
            position += 1
        elif run[position : position + 2].isdigit() and len(run[position : position + 2]) == 2:
            position += 2
        else:  # a single digit before a separator or the end: set B
            stretches.append(((start, position), position > start))
            position += 1
            start = position
    stretches.append(((start, position), position > start))
    return stretches


def _pairs(part: str) -> list[int]:
    found = re.findall(f"{SEPARATOR}|[0-9]{{2}}", part)
    return [FNC1 if pair == SEPARATOR else int(pair) for pair in found]


def _value(character: str) -> int:
    return FNC1 if character == SEPARATOR else ord(character) - ord(" ")
