"""Codes of many locations from a pattern: aisles, racks and levels in one line.

``A-[01-20]-[1-4]`` names 80 places: A-01-1, A-01-2 ... A-20-4. A range counts numbers, as wide as
they are written, or single letters.
"""

from __future__ import annotations

import re
from itertools import product

MOST_CODES = 5_000
LONGEST_CODE = 48
RANGE = re.compile(r"\[([^\[\]]*)\]")
NUMBERS = re.compile(r"([0-9]{1,9})-([0-9]{1,9})")
LETTERS = re.compile(r"([A-Z])-([A-Z])|([a-z])-([a-z])")


class PatternFault(ValueError):
    """A pattern that names no codes; ``code`` says why, ``part`` where."""

    def __init__(self, code: str, part: str) -> None:
        self.code, self.part = code, part
        super().__init__(f"{code}: {part}")


def expand_pattern(pattern: str) -> list[str]:
    """Return the codes, in the order of the pattern: the last range counts fastest.

    Raises ``PatternFault``: ``empty``, ``bad_range``, ``backwards``, ``uneven`` (01-5),
    ``bracket``, ``too_many``, ``too_long``, ``twice`` ([1-11][1-11] names 1 + 11 and 11 + 1).
    """
    text = pattern.strip()
    if not text:
        raise PatternFault("empty", pattern)
    fixed = RANGE.split(text)
    # split puts what is outside the brackets at even places, what is inside at odd ones
    for part in fixed[::2]:
        if "[" in part or "]" in part:
            raise PatternFault("bracket", part)
    choices = [
        _counted(part) if number % 2 else [part]
        for number, part in enumerate(fixed)
        if part or number % 2
    ]
    count = 1
    for choice in choices:
        count *= len(choice)
        if count > MOST_CODES:
            raise PatternFault("too_many", text)
    codes = ["".join(parts) for parts in product(*choices)]
    seen: set[str] = set()
    for code in codes:
        if len(code) > LONGEST_CODE:
            raise PatternFault("too_long", code)
        if code in seen:
            raise PatternFault("twice", code)
        seen.add(code)
    return codes


def _counted(part: str) -> list[str]:
    if found := NUMBERS.fullmatch(part):
        return _numbers(found.group(1), found.group(2), part)
    if found := LETTERS.fullmatch(part):
        first, last = (letter for letter in found.groups() if letter)
        if first > last:
            raise PatternFault("backwards", part)
        return [chr(number) for number in range(ord(first), ord(last) + 1)]
    raise PatternFault("bad_range", part)


def _numbers(first: str, last: str, part: str) -> list[str]:
    is_padded = first.startswith("0") and len(first) > 1
    if is_padded and len(first) != len(last):
        raise PatternFault("uneven", part)
    start, end = int(first), int(last)
    if start > end:
        raise PatternFault("backwards", part)
    if end - start >= MOST_CODES:
        raise PatternFault("too_many", part)
    width = len(first) if is_padded else 0
    return [str(number).zfill(width) for number in range(start, end + 1)]
