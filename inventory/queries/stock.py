"""Read what lies where."""

from __future__ import annotations

from django.db.models import QuerySet

from inventory.models import StockBalance


def balances() -> QuerySet[StockBalance]:
    """Return every balance that is not empty, with product, location and lot."""
    return (
        StockBalance.objects.filter(on_hand__gt=0)
        .select_related("product", "location__warehouse", "lot")
        .order_by("id")
    )
