"""Find where demand comes from."""

from __future__ import annotations

from django.db.models import QuerySet

from inventory.models import Channel, CustomerSegment


def channels() -> QuerySet[Channel]:
    """Return every channel by code."""
    return Channel.objects.order_by("code", "id")


def segments() -> QuerySet[CustomerSegment]:
    """Return every customer segment by code."""
    return CustomerSegment.objects.order_by("code", "id")
