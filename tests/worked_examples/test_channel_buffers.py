"""How many of the last units to keep from a channel: Littlewood's rule with holding, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from forecasting.decisions.buffers import (
    ChannelNeed,
    expected_lost_margin,
    sold_under_buffers,
    suggest_buffers,
)
from forecasting.decisions.lead_time_demand import LEVELS, ItemDemand

WEB, STORE, OUTLET = 1, 2, 3


def evenly(most: float) -> ItemDemand:
    """Demand anywhere between nothing and the most, all equally likely."""
    values = tuple(float(one) for one in LEVELS * most)
    return ItemDemand(values, most / 2, 0, 0, 0, 0, beyond_horizon=False)


def surely(units: float) -> ItemDemand:
    return ItemDemand((units,) * len(LEVELS), units, 0, 0, 0, 0, beyond_horizon=False)


def test_units_are_kept_as_long_as_the_dearer_sale_is_likely_enough() -> None:
    """2 for sure in the store against 6 in the web shop, which asks for 0 to 100: a unit is kept
    while P(D > y) > 2 / 6, so up to 66. The web shop itself is kept nothing from."""
    web, store = suggest_buffers(
        [ChannelNeed(WEB, evenly(100), 6), ChannelNeed(STORE, evenly(100), 2)], 0
    )
    assert (web.units, store.units) == (0, 66)
    [part] = store.protections
    assert (part.key, part.ratio) == (WEB, pytest.approx(1 / 3))


def test_holding_what_nobody_asks_for_keeps_less() -> None:
    """Holding 0.4: P(D > y) x 6 - (1 - P) x 0.4 > 2, so P > 2.4 / 6.4 = 0.375 and y = 62.5."""
    needs = [ChannelNeed(WEB, evenly(100), 6), ChannelNeed(STORE, evenly(100), 2)]
    assert suggest_buffers(needs, 0.4)[1].units == 62
    assert suggest_buffers(needs, 0.4, whole_units=False)[1].units == pytest.approx(62.5)


def test_several_dearer_channels_add_up_and_what_is_fenced_for_them_counts() -> None:
    """From the outlet at 1: 5/6 of 100 for the web shop and half of 40 for the store at 2;
    of the 83 the web shop has 50 fenced already: 33 + 20 = 53."""
    needs = [
        ChannelNeed(WEB, evenly(100), 6, ring_fenced=50),
        ChannelNeed(STORE, evenly(40), 2),
        ChannelNeed(OUTLET, evenly(10), 1),
    ]
    web, store, outlet = suggest_buffers(needs, 0)
    assert [one.units for one in (web, store, outlet)] == [0, 66 - 50, 33 + 20]


@pytest.mark.parametrize("margin", [6, 7, -1])
def test_a_channel_that_earns_as_much_or_nothing_is_kept_nothing_for(margin: float) -> None:
    needs = [ChannelNeed(WEB, evenly(100), margin), ChannelNeed(STORE, evenly(100), margin)]
    assert all(one.units == 0 for one in suggest_buffers(needs, 0))


def test_a_buffer_loses_cheap_sales_to_save_dear_ones() -> None:
    """50 there, the web shop asks for 30 at 6 and the store for 70 at 2. Without a buffer each gets
    half: 15 x 6 + 35 x 2 = 160 lost. With 30 kept from the store both sell until 30 are left, 6 and
    14, then only the web shop its other 24: 56 x 2 = 112 lost, and 6 stay. 24 kept leave none: the
    store gets 18.2 of 26 shared, the web shop 7.8 and 22.2 more: 51.8 x 2 = 103.6."""
    needs = [ChannelNeed(WEB, surely(30), 6), ChannelNeed(STORE, surely(70), 2)]
    assert expected_lost_margin(needs, 50, {}) == pytest.approx(160)
    assert expected_lost_margin(needs, 50, {STORE: 30}) == pytest.approx(112)
    assert expected_lost_margin(needs, 50, {STORE: 24}) == pytest.approx(103.6)
    assert expected_lost_margin(needs, 100, {}) == 0
    assert expected_lost_margin(needs, 0, {STORE: 30}) == pytest.approx(180 + 140)


def test_no_more_is_sold_than_there_is_or_than_is_asked_for() -> None:
    asked = np.array([[30.0, 5.0], [70.0, 9.0], [10.0, 0.0]])
    for kept in ([0, 0, 0], [0, 20, 10], [5, 20, 20], [60, 60, 60]):
        sold = sold_under_buffers(asked, 50, np.array(kept, dtype=float))
        assert (sold <= asked + 1e-9).all()
        assert (sold.sum(axis=0) <= max(50 - min(kept), 0) + 1e-9).all()
