"""How deliveries kept their promises, as decisions learn from it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np

from forecasting.decisions.delays import PastDeliveries, choose_rule, delay_settings
from forecasting.decisions.lead_times import LeadTimes
from forecasting.pipeline.series import FloatArray
from inventory.models import LeadTimeObservation

MOST_DELIVERIES = 20_000
GROUPINGS = (("supplier",), ("supplier", "product"))


def promised_lead_times(
    today: date, sources: Sequence[tuple[int, int]], promised: FloatArray
) -> LeadTimes | None:
    """Return the days that orders take by their own promise and how promises were kept: one query.

    sources: supplier and product of each order; promised: its days. None while too few orders with
    a promise were received to judge how they are kept.
    """
    past = read_deliveries()
    now = float(today.toordinal())
    rule = choose_rule(past, now, delay_settings(GROUPINGS))
    if rule is None:
        return None
    return rule.lead_times(past, now, _groups(sources), promised)


def read_deliveries() -> PastDeliveries:
    """Return the newest deliveries with a promise; lines placed on one day are one order's."""
    rows = LeadTimeObservation.objects.filter(promised_days__isnull=False).order_by("-id")
    found = list(
        rows.values_list("supplier_id", "product_id", "placed_on", "received_on", "promised_days")[
            :MOST_DELIVERIES
        ]
    )
    return PastDeliveries(
        placed=np.array([float(placed.toordinal()) for _, _, placed, _, _ in found]),
        received=np.array([float(received.toordinal()) for _, _, _, received, _ in found]),
        promised=np.array([float(days or 0) for *_, days in found]),
        orders=np.array([f"{one[0]}|{one[2]}" for one in found], dtype=np.str_),
        groups=_groups([(one[0], one[1]) for one in found]),
    )


def _groups(sources: Sequence[tuple[int, int]]) -> dict[str, np.ndarray]:
    return {
        "supplier": np.array([str(supplier) for supplier, _ in sources], dtype=np.str_),
        "product": np.array([str(product) for _, product in sources], dtype=np.str_),
    }
