"""Which places to count next: by risk, not by calendar.

    risk = value x variability x age x anomalies x short picks

Each factor is 1 for an ordinary place, so that 2 means twice the reason to count:

- *value*: what lies there, by the mean of the places with stock; at least 0.1, so that cheap places
  get their turn when they have waited long enough.
- *variability*: 1 + the coefficient of variation of daily demand of what lies there, weighted by
  value; at most 4. What sells unsteadily goes wrong unnoticed.
- *age*: days since the place was last counted, by 90. Never counted counts as a year. Counted today
  is 0: no risk at all.
- *anomalies*: 1 + 0.5 for each correction (a count's variance, goods found) and each reversed
  movement there in the last 90 days; at most 4.
- *short picks*: 1 + 1 for each pick in the last 90 days that found less than the book; at most 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

ONE = Decimal(1)
LEAST_VALUE = Decimal("0.1")
MOST_FACTOR = Decimal(4)
USUAL_DAYS = Decimal(90)
NEVER_COUNTED_DAYS = 365
PER_ANOMALY = Decimal("0.5")
PER_SHORT_PICK = ONE
PRECISION = Decimal("0.0001")
LARGEST_RISK = Decimal("9999999999.9999")
LOOK_BACK_DAYS = 90
"""How far anomalies, short picks and demand are looked back for."""


@dataclass(frozen=True, slots=True)
class PlaceFacts:
    """What is known of a place; ``days_since_count`` is None when it was never counted."""

    location_id: int
    value: Decimal
    variability: Decimal
    days_since_count: int | None
    anomalies: int
    short_picks: int


@dataclass(frozen=True, slots=True)
class PlaceRisk:
    """The risk of a place and the factors that make it."""

    location_id: int
    risk: Decimal
    value: Decimal
    variability: Decimal
    age: Decimal
    anomalies: Decimal
    short_picks: Decimal


def rank_places(places: Sequence[PlaceFacts]) -> list[PlaceRisk]:
    """Return the places of one warehouse, the riskiest first; equals in the order of their ids."""
    stocked = [place.value for place in places if place.value > 0]
    mean = sum(stocked, Decimal(0)) / len(stocked) if stocked else ONE
    risks = [_risk(place, mean) for place in places]
    return sorted(risks, key=lambda place: (-place.risk, place.location_id))


def _risk(place: PlaceFacts, mean_value: Decimal) -> PlaceRisk:
    days = NEVER_COUNTED_DAYS if place.days_since_count is None else place.days_since_count
    value = max(place.value / mean_value, LEAST_VALUE)
    variability = min(ONE + place.variability, MOST_FACTOR)
    age = max(days, 0) / USUAL_DAYS
    anomalies = min(ONE + PER_ANOMALY * place.anomalies, MOST_FACTOR)
    short_picks = min(ONE + PER_SHORT_PICK * place.short_picks, MOST_FACTOR)
    risk = min(value * variability * age * anomalies * short_picks, LARGEST_RISK)
    return PlaceRisk(
        location_id=place.location_id,
        risk=_rounded(risk),
        value=_rounded(value),
        variability=_rounded(variability),
        age=_rounded(age),
        anomalies=anomalies,
        short_picks=short_picks,
    )


def _rounded(number: Decimal) -> Decimal:
    return number.quantize(PRECISION, ROUND_HALF_UP)
