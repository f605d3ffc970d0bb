"""What each ABC/XYZ class deserves where nobody says otherwise.

Value decides how often to look, steadiness how much certainty is cheap: steady demand needs little
stock for a high service level, unsteady demand of little value is not worth it.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class ClassPolicy:
    """Chance of no stock-out in a cycle, days between two looks, days of cover that are fine."""

    service_level: Decimal
    review_period_days: int
    excess_cover_days: int


def _policy(level: str, review: int, cover: int) -> ClassPolicy:
    return ClassPolicy(Decimal(level), review, cover)


CLASS_POLICIES: dict[tuple[str, str], ClassPolicy] = {
    ("A", "X"): _policy("0.98", 7, 60),
    ("A", "Y"): _policy("0.96", 7, 60),
    ("A", "Z"): _policy("0.94", 7, 90),
    ("B", "X"): _policy("0.96", 7, 90),
    ("B", "Y"): _policy("0.95", 7, 120),
    ("B", "Z"): _policy("0.92", 7, 120),
    ("C", "X"): _policy("0.95", 14, 120),
    ("C", "Y"): _policy("0.92", 14, 180),
    ("C", "Z"): _policy("0.88", 14, 180),
}


def most_specific(
    scopes: set[tuple[int | None, int | None, str, str]],
    pair: tuple[int, int],
    classes: tuple[str, str],
) -> tuple[int | None, int | None, str, str] | None:
    """Return which of the scopes (product, warehouse, ABC, XYZ) holds for a product and warehouse.

    Product before class, both letters before one, class before everything; each with the
    warehouse before without.
    """
    product, warehouse = pair
    abc, xyz = classes
    whom = ((product, "", ""), (None, abc, xyz), (None, abc, ""), (None, "", xyz), (None, "", ""))
    for one, first, second in whom:
        for place in (warehouse, None):
            if (one, place, first, second) in scopes:
                return (one, place, first, second)
    return None
