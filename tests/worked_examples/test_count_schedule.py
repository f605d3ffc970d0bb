"""Which place is counted next, with the arithmetic of the risk."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from inventory.rules.count_schedule import PlaceFacts, PlaceRisk, rank_places


def place(location_id: int, **known: Any) -> PlaceFacts:
    usual = {
        "value": Decimal(100),
        "variability": Decimal(0),
        "days_since_count": 90,
        "anomalies": 0,
        "short_picks": 0,
    }
    return PlaceFacts(location_id=location_id, **(usual | known))


def ranked(*places: PlaceFacts) -> dict[int, PlaceRisk]:
    return {risk.location_id: risk for risk in rank_places(places)}


def test_three_places_of_a_warehouse() -> None:
    """A holds 400, B 150, C 50: the mean is 200.

    A: value 400/200 = 2, unsteady demand 1 + 0.5 = 1.5, 45 days = 0.5:   2 x 1.5 x 0.5 = 1.5
    B: value 150/200 = 0.75, 90 days = 1, 2 anomalies 1 + 2 x 0.5 = 2,
       1 short pick 1 + 1 = 2:                                            0.75 x 1 x 2 x 2 = 3
    C: value 50/200 = 0.25, never counted 365/90 = 4.0556:                0.25 x 4.0556 = 1.0139
    """
    risks = rank_places(
        [
            place(1, value=Decimal(400), variability=Decimal("0.5"), days_since_count=45),
            place(2, value=Decimal(150), anomalies=2, short_picks=1),
            place(3, value=Decimal(50), days_since_count=None),
        ]
    )
    assert [(risk.location_id, risk.risk) for risk in risks] == [
        (2, 3),
        (1, Decimal("1.5")),
        (3, Decimal("1.0139")),
    ]
    first = risks[0]
    assert (first.value, first.variability, first.age, first.anomalies, first.short_picks) == (
        Decimal("0.75"),
        1,
        1,
        2,
        2,
    )


def test_an_ordinary_place_has_a_risk_of_one() -> None:
    assert ranked(place(1), place(2))[1].risk == 1


def test_a_place_counted_today_has_none_whatever_went_wrong_there() -> None:
    assert ranked(place(1, days_since_count=0, anomalies=9, short_picks=9))[1].risk == 0


def test_each_reason_raises_the_risk_and_none_is_without_bounds() -> None:
    usual = ranked(place(1), place(2))[1].risk
    for more in (
        {"variability": Decimal(1)},
        {"days_since_count": 91},
        {"anomalies": 1},
        {"short_picks": 1},
    ):
        assert ranked(place(1, **more), place(2))[1].risk > usual
    wild = ranked(place(1, variability=Decimal(500), anomalies=500, short_picks=500), place(2))[1]
    assert (wild.variability, wild.anomalies, wild.short_picks) == (4, 4, 4)
    assert wild.risk == 64  # 1 x 4 x 1 x 4 x 4


def test_cheap_places_get_their_turn_when_they_have_waited() -> None:
    """Worth nothing counts as a tenth: after 1,000 days it overtakes a place counted 90 days ago."""
    risks = ranked(place(1, value=Decimal(0), days_since_count=1000), place(2))
    assert risks[1].value == Decimal("0.1")
    assert risks[1].risk == Decimal("1.1111")  # 0.1 x 1000/90
    assert risks[1].risk > risks[2].risk


def test_equals_are_ranked_in_one_order_and_nothing_is_ranked_of_nothing() -> None:
    assert [risk.location_id for risk in rank_places([place(9), place(3), place(5)])] == [3, 5, 9]
    assert rank_places([]) == []
    assert rank_places([place(1, value=Decimal(0))])[0].risk == Decimal("0.1")
