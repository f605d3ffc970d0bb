"""How long stock has been lying in its warehouse, by when goods arrived."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Exists, F, OuterRef, Q, Sum

from inventory.models import OUTSIDE_KINDS, LocationKind, StockMovement

Pair = tuple[int, int]
AGE_LIMITS = (30, 60, 90)
"""Upper ends of the age classes, in days; the last class is older than all of them."""


def arrived_since(today: date) -> dict[Pair, tuple[Decimal, ...]]:
    """Return what arrived of each product in each warehouse in every age class: one query.

    An arrival comes from outside, from another warehouse or from the way between them; found and
    counted goods were there before, and what was reversed has not arrived.
    """
    away = (*OUTSIDE_KINDS, LocationKind.IN_TRANSIT)
    reversal = StockMovement.objects.filter(reverses=OuterRef("pk"))
    arrivals = (
        StockMovement.objects.filter(
            Q(from_location__kind__in=away)
            | ~Q(from_location__warehouse_id=F("to_location__warehouse_id")),
            ~Exists(reversal),
            reverses=None,
            business_day__gt=today - timedelta(days=AGE_LIMITS[-1]),
        )
        .exclude(to_location__kind__in=away)
        .exclude(from_location__kind=LocationKind.LOSS)
        .order_by()
        .values_list("product_id", "to_location__warehouse_id")
    )
    sums = {}
    newest = 0
    for limit in AGE_LIMITS:
        days = Q(business_day__gt=today - timedelta(days=limit))
        if newest:
            days &= Q(business_day__lte=today - timedelta(days=newest))
        sums[f"to_{limit}"] = Sum("quantity", filter=days)
        newest = limit
    rows = arrivals.annotate(**sums)
    return {
        (product, place): tuple(one or Decimal(0) for one in parts)
        for product, place, *parts in rows
    }


def by_age(on_hand: Decimal, arrived: tuple[Decimal, ...]) -> tuple[Decimal, ...]:
    """Return stock split by age class, the oldest class last: what came first left first."""
    left = max(on_hand, Decimal(0))
    classes = []
    for quantity in arrived or (Decimal(0),) * len(AGE_LIMITS):
        own = min(left, quantity)
        classes.append(own)
        left -= own
    return (*classes, left)
