"""What the tenant's received orders weighed, were worth and cost to move, and what that teaches."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
from django.db.models import Count, DecimalField, F, Q, Sum

from forecasting.decisions.freight import FreightModel, PastFreight, learn_freight
from inventory.models import PurchaseOrder, PurchaseOrderState
from tenancy.scope import active_scope

LOOKED_BACK_DAYS = 3 * 365
MOST_ORDERS = 2000
NUMBER: DecimalField[Decimal, Decimal] = DecimalField(max_digits=38, decimal_places=6)


def lane_of(from_country: str, to_country: str) -> str:
    """Return between which countries goods travel; nothing where one of them is not known."""
    return f"{from_country}-{to_country}" if from_country and to_country else ""


def read_freight(today: date) -> FreightModel:
    """Learn from the last 2,000 received orders of three years: one query.

    Orders of suppliers that invoice in another currency teach nothing: their value is no measure.
    """
    received = F("lines__quantity_received")
    own = active_scope().tenant.currency
    rows = (
        PurchaseOrder.objects.filter(
            state__in=[PurchaseOrderState.RECEIVED, PurchaseOrderState.CLOSED],
            supplier__currency__in=["", own],
            placed_at__date__gt=today - timedelta(days=LOOKED_BACK_DAYS),
        )
        .annotate(
            value=Sum(received * F("lines__unit_price"), output_field=NUMBER),
            weight=Sum(received * F("lines__product__weight_kg"), output_field=NUMBER),
            unweighed=Count(
                "lines",
                filter=Q(lines__quantity_received__gt=0)
                & (Q(lines__product__weight_kg=None) | Q(lines__product__weight_kg=0)),
            ),
        )
        .order_by("-placed_at", "-id")
        .values_list(
            "supplier_id",
            "supplier__country",
            "warehouse__country",
            "transport_mode",
            "transport_cost",
            "placed_at__date",
            "value",
            "weight",
            "unweighed",
        )[:MOST_ORDERS]
    )
    found = [row for row in rows if row[6]]
    return learn_freight(
        PastFreight(
            weight=np.array([0.0 if row[8] else float(row[7] or 0) for row in found]),
            value=np.array([float(row[6]) for row in found]),
            cost=np.array([np.nan if row[4] is None else float(row[4]) for row in found]),
            age_days=np.array([float((today - row[5]).days) for row in found]),
            supplier=np.array([str(row[0]) for row in found], dtype=str),
            mode=np.array([row[3] for row in found], dtype=str),
            lane=np.array([lane_of(row[1], row[2]) for row in found], dtype=str),
        )
    )
