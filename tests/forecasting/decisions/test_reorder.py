"""Reorder decisions: every missing or absurd input has its reason, and invariants for any input."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings, strategies as st

from forecasting.decisions.lead_time_demand import LEVELS, ItemDemand
from forecasting.decisions.reorder import ReorderStatus, decide_reorder, replay
from forecasting.decisions.reorder_inputs import (
    ForecastState,
    PriceBreak,
    ReorderInputs,
    ReorderPolicy,
    StockPosition,
    SupplyTerms,
)
from forecasting.decisions.reorder_reasons import SENTENCES, Reason
from tests.worked_examples.decision_makers import inputs, uniform_demand


def blocked_by(decision):
    assert decision.status is ReorderStatus.BLOCKED
    assert decision.quantity == 0
    return [one.code for one in decision.reasons]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"terms": None}, Reason.NO_SUPPLIER),
        ({"terms": SupplyTerms(10, lead_time_known=False)}, Reason.NO_LEAD_TIME),
        ({"demand": None}, Reason.NO_FORECAST),
        ({"forecast_state": ForecastState.MISSING}, Reason.NO_FORECAST),
        ({"terms": SupplyTerms(-1)}, Reason.INVALID_TERMS),
        ({"terms": SupplyTerms(float("nan"))}, Reason.INVALID_TERMS),
        ({"terms": SupplyTerms(10, order_multiple=0)}, Reason.INVALID_TERMS),
        ({"terms": SupplyTerms(10, order_multiple=2.5)}, Reason.INVALID_TERMS),
        ({"terms": SupplyTerms(10, minimum_order_quantity=-4)}, Reason.INVALID_TERMS),
        ({"terms": SupplyTerms(10, price_breaks=(PriceBreak(5, -2),))}, Reason.INVALID_TERMS),
        ({"policy": ReorderPolicy(service_level=1.0)}, Reason.INVALID_TERMS),
        ({"policy": ReorderPolicy(holding_rate_per_year=-0.1)}, Reason.INVALID_TERMS),
        ({"policy": ReorderPolicy(lost_margin_per_unit=-3)}, Reason.INVALID_TERMS),
        ({"position": StockPosition(float("inf"))}, Reason.INVALID_TERMS),
        (
            {"terms": SupplyTerms(10, currency="USD"), "policy": ReorderPolicy(currency="EUR")},
            Reason.CURRENCY_MIXED,
        ),
        ({"terms": SupplyTerms(10, minimum_order_quantity=5000)}, Reason.MINIMUM_ABOVE_YEAR),
        (
            {
                "terms": SupplyTerms(10, minimum_order_quantity=100),
                "policy": ReorderPolicy(service_level=0.9, shelf_life_days=5),
            },
            Reason.MINIMUM_ABOVE_SHELF_LIFE,
        ),
        (
            {
                "terms": SupplyTerms(10, minimum_order_quantity=100),
                "policy": ReorderPolicy(service_level=0.9, maximum_stock=120),
            },
            Reason.MINIMUM_ABOVE_MAXIMUM,
        ),
    ],
)
def test_what_prevents_an_order_is_named(changes, reason):
    assert reason in blocked_by(decide_reorder(inputs(**changes)))


def test_several_obstacles_are_all_named():
    assert blocked_by(decide_reorder(inputs(terms=None, demand=None))) == [
        Reason.NO_SUPPLIER,
        Reason.NO_FORECAST,
    ]


def test_a_minimum_above_a_years_demand_still_says_what_was_needed():
    decision = decide_reorder(inputs(terms=SupplyTerms(10, minimum_order_quantity=5000)))
    assert decision.needed_quantity == 120
    assert "5000" in str(decision.explain()[-1])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"forecast_state": ForecastState.STALE}, Reason.STALE_FORECAST),
        ({"terms": SupplyTerms(None)}, Reason.NO_PRICE),
        ({"terms": SupplyTerms(0)}, Reason.INVALID_TERMS),
    ],
)
def test_what_someone_should_look_at_first_needs_confirmation(changes, reason):
    decision = decide_reorder(inputs(**changes))
    assert decision.status is ReorderStatus.ORDER
    assert decision.needs_confirmation
    assert decision.has_reason(reason)
    assert not decide_reorder(inputs()).needs_confirmation


def test_a_confirmed_stale_forecast_is_ordered_from():
    policy = ReorderPolicy(service_level=0.9, confirmed=True)
    decision = decide_reorder(inputs(policy=policy, forecast_state=ForecastState.STALE))
    assert not decision.needs_confirmation


def test_without_a_price_the_value_is_unknown_not_zero():
    assert decide_reorder(inputs(terms=SupplyTerms(None))).order_value is None


def test_a_baseline_forecast_is_said():
    decision = decide_reorder(inputs(forecast_state=ForecastState.BASELINE))
    assert decision.has_reason(Reason.BASELINE_FORECAST)
    assert not decision.needs_confirmation


def test_enough_stock_orders_nothing_and_says_so():
    decision = decide_reorder(inputs(position=StockPosition(181)))
    assert decision.status is ReorderStatus.ENOUGH
    assert decision.has_reason(Reason.ENOUGH_STOCK)
    assert decision.reorder_point == 180


def test_a_product_not_to_be_stocked_is_never_ordered():
    policy = ReorderPolicy(do_not_stock=True)
    decision = decide_reorder(inputs(policy=policy, terms=None))
    assert (decision.status, decision.reasons[0].code) == (
        ReorderStatus.ENOUGH,
        Reason.DO_NOT_STOCK,
    )


def test_no_demand_orders_nothing():
    decision = decide_reorder(inputs(demand=uniform_demand(0, 0)))
    assert (decision.status, decision.reasons[0].code) == (ReorderStatus.ENOUGH, Reason.NO_DEMAND)


def test_every_reason_has_a_sentence():
    assert set(SENTENCES) == set(Reason)


@st.composite
def demands(draw):
    values = sorted(
        draw(
            st.lists(
                st.floats(0, 1e6, allow_subnormal=False), min_size=len(LEVELS), max_size=len(LEVELS)
            )
        )
    )
    mean = sum(values) / len(values)
    lead, review = draw(st.floats(0, 100)), draw(st.floats(0.0, 30))
    days = max(lead + review, 1.0)
    return ItemDemand(
        tuple(values), mean, mean * lead / days, mean / days, lead, days, draw(st.booleans())
    )


@st.composite
def any_inputs(draw):
    whole = draw(st.booleans())
    multiple = (
        draw(st.integers(1, 500))
        if whole
        else draw(st.decimals(Decimal("0.01"), Decimal(500), places=2))
    )
    optional = st.none() | st.floats(0, 1e6)
    return ReorderInputs(
        key="P",
        position=StockPosition(
            draw(st.floats(-100, 1e6)), draw(st.floats(0, 1e4)), 0, draw(st.floats(0, 1e4))
        ),
        policy=ReorderPolicy(
            service_level=draw(st.none() | st.floats(0.01, 0.999)),
            fill_rate=draw(st.none() | st.floats(0.01, 0.999)),
            lost_margin_per_unit=draw(optional),
            minimum_stock=draw(optional),
            maximum_stock=draw(optional),
            shelf_life_days=draw(st.none() | st.integers(0, 1000)),
            whole_units=whole,
        ),
        terms=SupplyTerms(
            unit_price=draw(optional),
            minimum_order_quantity=draw(st.integers(0, 1000)),
            order_multiple=multiple,
            price_breaks=draw(
                st.lists(
                    st.builds(PriceBreak, st.integers(1, 10_000), st.floats(0, 100)), max_size=3
                )
            ),
            fixed_order_cost=draw(st.floats(0, 1000)),
        ),
        demand=draw(demands()),
    )


@settings(max_examples=150, deadline=None)
@given(any_inputs())
def test_a_quantity_is_nothing_or_a_multiple_of_at_least_the_minimum(given_inputs):
    decision = decide_reorder(given_inputs)
    terms, quantity = given_inputs.terms, decision.quantity
    if decision.status is not ReorderStatus.ORDER:
        assert quantity == 0
        assert decision.reasons
        return
    assert quantity > 0
    assert quantity >= terms.minimum_order_quantity
    assert Decimal(quantity) % Decimal(terms.order_multiple) == 0
    assert isinstance(quantity, int if given_inputs.policy.whole_units else Decimal)
    if given_inputs.policy.maximum_stock is not None:
        position = given_inputs.position.inventory_position
        assert position + float(quantity) <= given_inputs.policy.maximum_stock + 1e-6
    assert decision.stockout_probability_after <= decision.stockout_probability_before
    assert all(str(one) for one in decision.explain())
    assert replay(decision) == decision


@settings(max_examples=80, deadline=None)
@given(any_inputs(), st.floats(0.05, 0.95), st.floats(0.0, 0.04))
def test_more_service_never_orders_less_stock(given_inputs, level, more):
    def needed(service_level):
        policy = replace(
            given_inputs.policy,
            service_level=service_level,
            fill_rate=None,
            lost_margin_per_unit=None,
        )
        decision = decide_reorder(replace(given_inputs, policy=policy))
        return decision.order_up_to or 0.0

    assert needed(level + more) >= needed(level)
