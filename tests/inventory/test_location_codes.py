"""Many location codes from one pattern."""

from __future__ import annotations

import pytest

from inventory.rules.location_codes import MOST_CODES, PatternFault, expand_pattern


@pytest.mark.parametrize(
    ("pattern", "codes"),
    [
        ("A-01", ["A-01"]),
        ("A-[1-3]", ["A-1", "A-2", "A-3"]),
        ("[A-B]-[01-02]", ["A-01", "A-02", "B-01", "B-02"]),
        ("R[8-11]", ["R8", "R9", "R10", "R11"]),
        ("R[08-11]", ["R08", "R09", "R10", "R11"]),
        ("[a-c]", ["a", "b", "c"]),
        (" X[5-5] ", ["X5"]),
    ],
)
def test_ranges_count_the_last_fastest(pattern: str, codes: list[str]) -> None:
    assert expand_pattern(pattern) == codes


@pytest.mark.parametrize(
    ("pattern", "code"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("A-[]", "bad_range"),
        ("A-[1]", "bad_range"),
        ("A-[A-c]", "bad_range"),
        ("A-[1-x]", "bad_range"),
        ("A-[-1-2]", "bad_range"),
        ("A-[5-1]", "backwards"),
        ("A-[F-B]", "backwards"),
        ("A-[01-5]", "uneven"),
        ("A-[1-2", "bracket"),
        ("A-1-2]", "bracket"),
        ("A-[[1-2]]", "bracket"),
        ("[1-999999999]", "too_many"),
        ("[1-100][1-100]", "too_many"),
        ("X" * 47 + "[8-10]", "too_long"),
        ("[1-11][1-11]", "twice"),
    ],
)
def test_what_names_no_codes_is_refused_by_name(pattern: str, code: str) -> None:
    with pytest.raises(PatternFault) as refusal:
        expand_pattern(pattern)
    assert refusal.value.code == code


def test_as_many_as_a_hall_has_are_named_at_once() -> None:
    codes = expand_pattern("A-[001-625]-[1-8]")
    assert len(codes) == MOST_CODES == 5000
    assert (codes[0], codes[-1]) == ("A-001-1", "A-625-8")
