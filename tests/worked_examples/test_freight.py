"""Freight of an order line and lead times by mode: the arithmetic in full."""

from __future__ import annotations

import numpy as np
import pytest

from forecasting.decisions.freight import (
    FreightBasis,
    FreightModel,
    Lane,
    PastFreight,
    StatedCost,
    learn_freight,
)
from forecasting.decisions.lead_times import (
    LeadTimeError,
    LeadTimeHistory,
    lead_times_from_levels,
)
from forecasting.decisions.reorder_inputs import SupplyTerms
from forecasting.decisions.sourcing import Need, buy_option
from forecasting.decisions.suppliers import ItemNeed, OfferFreight, SupplierOffer, landed_cost
from tests.worked_examples.decision_makers import fixed_lead_times

LANE = Lane(supplier="7", mode="ocean", lane="CN-DE", unit_weight=2.0)
STATED = StatedCost(per_unit=0.3, per_order=40.0)


def past(count: int, *, cost: float | None = None, noise: float = 0.0) -> PastFreight:
    """Ocean orders of 100 to 400 kg, each kg worth 5; moving w kg costs 6 x w ^ 0.5."""
    rng = np.random.default_rng(3)
    weight = np.linspace(100, 400, count)[rng.permutation(count)]
    moved = 6 * np.sqrt(weight) * np.exp(noise * rng.standard_normal(count))
    return PastFreight(
        weight=weight,
        value=5 * weight,
        cost=moved if cost is None else np.full(count, cost),
        age_days=np.arange(count, dtype=float) * 7,
        supplier=np.full(count, "7"),
        mode=np.full(count, "ocean"),
        lane=np.full(count, "CN-DE"),
    )


def test_a_line_pays_its_share_of_the_usual_order_by_weight() -> None:
    """The usual order weighs 250 kg and costs 6 x 250 ^ 0.5 = 94.87. A line of 25 units x 2 kg is
    50 kg of it, a fifth: 18.97, which is 0.759 a unit."""
    model = learn_freight(past(41))
    assert (model.basis, model.deliveries) == (FreightBasis.LEARNED, 41)
    assert model.usual["7"] == pytest.approx((250, 1250))
    quote = model.quote(LANE, 25, 10, STATED)
    assert quote.basis is FreightBasis.LEARNED
    assert quote.delivery_weight == pytest.approx(250)
    assert quote.delivery_cost == pytest.approx(6 * 250**0.5, rel=0.02)
    assert quote.per_unit == pytest.approx(6 * 250**0.5 * 50 / 250 / 25, rel=0.02)


def test_a_line_heavier_than_the_usual_order_is_a_delivery_of_its_own() -> None:
    """180 units x 2 kg = 360 kg: 6 x 360 ^ 0.5 = 113.84 for all of it, 0.632 a unit."""
    quote = learn_freight(past(41)).quote(LANE, 180, 10, STATED)
    assert quote.delivery_weight == 360
    assert quote.per_unit == pytest.approx(6 * 360**0.5 / 180, rel=0.02)


@pytest.mark.parametrize(
    ("model", "lane", "quantity", "basis"),
    [
        (learn_freight(past(29)), LANE, 25, FreightBasis.FEW_DELIVERIES),
        (FreightModel(), LANE, 25, FreightBasis.FEW_DELIVERIES),
        (learn_freight(past(41)), Lane("7", "air", "", 2.0), 25, FreightBasis.MODE_SELDOM),
        (learn_freight(past(41)), Lane("7", "ocean", "", None), 25, FreightBasis.NO_WEIGHT),
        (learn_freight(past(41)), LANE, 500, FreightBasis.BEYOND_SEEN),
    ],
)
def test_what_the_model_cannot_know_costs_what_is_stated_and_says_why(
    model: FreightModel, lane: Lane, quantity: float, basis: FreightBasis
) -> None:
    quote = model.quote(lane, quantity, 10, STATED)
    assert quote.basis is basis
    value, usual = quantity * 10, model.usual.get("7", (0, 0))[1]
    assert quote.per_unit == pytest.approx(0.3 + 40 * value / max(value, usual) / quantity)


def test_the_stated_cost_of_an_order_is_shared_by_value() -> None:
    """A line of 25 x 10 = 250 in orders of 1,250: a fifth of 40 is 8, 0.32 a unit beside 0.30."""
    quote = learn_freight(past(29)).quote(LANE, 25, 10, STATED)
    assert quote.per_unit == pytest.approx(0.62, rel=0.05)


def test_costs_without_a_pattern_are_not_learned() -> None:
    """Random costs and weights: the usual cost per kg misses the last quarter by less."""
    random = past(60)
    rng = np.random.default_rng(0)
    cost = random.weight * np.where(random.age_days < 105, 1.0, rng.uniform(0.2, 1.9, 60))
    random = PastFreight(**(vars(random) | {"cost": cost}))
    model = learn_freight(random)
    assert model.basis is FreightBasis.NOT_BETTER
    assert model.fitted is None
    assert model.error is not None
    assert model.plain_error is not None
    assert model.error >= model.plain_error
    assert model.quote(LANE, 25, 10, STATED).basis is FreightBasis.NOT_BETTER


def test_a_supplier_whose_orders_cost_no_transport_is_free() -> None:
    quote = learn_freight(past(5, cost=0.0)).quote(LANE, 25, 10, STATED)
    assert (quote.per_unit, quote.basis) == (0, FreightBasis.FREE)


def test_the_curve_of_some_groups_says_what_the_model_says() -> None:
    """The shortcut for one delivery at a time against the matrix; an unknown group adds nothing."""
    some = past(41, noise=0.2)
    mode = np.where(np.arange(41) % 3 == 0, "air", "ocean")
    model = learn_freight(PastFreight(**(vars(some) | {"mode": mode})))
    assert model.fitted is not None
    from forecasting.decisions.transport_cost import Deliveries

    for group in ("air", "ocean", "mule"):
        groups = {"supplier": "7", "mode": group, "lane": "CN-DE"}
        one = Deliveries(
            np.array([123.0]), np.array([777.0]), {k: np.array([v]) for k, v in groups.items()}
        )
        expected = float(model.fitted.predict(one)[0])
        assert model.fitted.curve(groups).cost(123, 777) == pytest.approx(expected)


def test_learned_freight_is_part_of_the_landed_cost_and_of_the_way_to_get_it() -> None:
    """Price 10, freight 0.759 instead of the stated 3; 10.759 is kept a day for 0.0107590."""
    terms = SupplyTerms(10, transport_cost_per_unit=3)
    freight = OfferFreight(learn_freight(past(41)), LANE, StatedCost(3))
    offer = SupplierOffer("1", terms, fixed_lead_times([20]).one(0), freight=freight)
    need = ItemNeed(quantity=25, mean_daily=5, daily_deviation=0, holding_rate_per_year=0.365)
    cost = landed_cost(offer, need)
    assert cost.transport == pytest.approx(0.759, rel=0.02)
    assert cost.in_transit == pytest.approx((10 + cost.transport) * 0.001 * 20)
    way = buy_option(Need(25, 10, 4, 5, 0, 0.365), 1, cost)
    assert way.moving == pytest.approx(0.759, rel=0.02)
    assert way.freight is not None
    assert way.freight.basis is FreightBasis.LEARNED


def test_lead_times_shrink_from_the_item_by_its_mode_to_the_mode_to_the_supplier_to_all() -> None:
    """Promised 10 and all orders punctual: 10 days. The supplier took 12 four times, by that mode
    14 four times, the item by that mode 20 four times; four orders count as much as what is wider:
    1/2 of 20, 1/4 of 14, 1/8 of 12, 1/8 of 10, which is 16.25 days on average."""
    history = LeadTimeHistory(10, ([12.0] * 4, [14.0] * 4, [20.0] * 4))
    table = lead_times_from_levels([history])
    assert table.probabilities[0, [10, 12, 14, 20]] == pytest.approx([1 / 8, 1 / 8, 1 / 4, 1 / 2])
    assert table.mean_days[0] == pytest.approx(16.25)
    assert [int(table.quantile(p)[0]) for p in (0.1, 0.5, 0.9)] == [10, 14, 20]


def test_a_new_item_by_a_known_mode_takes_what_the_mode_takes() -> None:
    """Nothing of the item itself: 1/2 of the mode's 30, 1/4 of the supplier's 12, 1/4 of 10."""
    table = lead_times_from_levels([LeadTimeHistory(10, ([12.0] * 4, [30.0] * 4, ()))])
    assert table.mean_days[0] == pytest.approx(15 + 3 + 2.5)


def test_the_delay_of_everybody_stretches_a_promise_nobody_has_tested() -> None:
    """All orders took half as long again: a promise of 20 is 30; without one nothing is known."""
    assert lead_times_from_levels([LeadTimeHistory(20)], [1.5] * 9).mean_days[0] == 30
    with pytest.raises(LeadTimeError):
        lead_times_from_levels([LeadTimeHistory(None, ((), ()))])
