"""Moments on a line: nothing lies outside it, nothing is too thin to be seen."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given, strategies as st

from inventory.rules.timeline import LENGTH, THINNEST, Timeline

START = datetime(2026, 1, 1)
moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1))


def test_a_span_lies_where_its_days_are() -> None:
    line = Timeline.over([START, START + timedelta(days=100)])
    assert line is not None
    mark = line.span(START + timedelta(days=25), START + timedelta(days=75))
    assert (mark.start, mark.width) == (250, 500)


def test_one_moment_alone_lies_in_the_middle() -> None:
    line = Timeline.over([START])
    assert line is not None
    assert line.moment(START).start == LENGTH // 2 - THINNEST // 2


def test_nothing_has_no_line() -> None:
    assert Timeline.over([]) is None


@given(moments, moments, moments, moments)
def test_every_mark_is_on_the_line_and_wide_enough(a, b, c, d) -> None:
    line = Timeline.over([a, b])
    assert line is not None
    for mark in (line.moment(c), line.span(min(c, d), max(c, d))):
        assert mark.start >= 0
        assert mark.width >= THINNEST
        assert mark.start + mark.width <= LENGTH
