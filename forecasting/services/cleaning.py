"""What cleaning found in the demand before a training, as it is kept with the network."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from forecasting.queries.series import DemandPanel

if TYPE_CHECKING:
    from forecasting.pipeline.cleaning import CleaningConfig
    from forecasting.pipeline.closures import Closures

DECIMALS = 3


def cleaning_report(demand: DemandPanel, config: CleaningConfig) -> dict[str, Any]:
    """Return what was found in the demand before training: what was masked, cut, filled, and why.

    Days out of stock are counted as recorded, apart from the closed days that are found here.
    """
    from forecasting.pipeline.cleaning import report
    from forecasting.pipeline.closures import find_closures, without_closed_days
    from forecasting.pipeline.triage import sanitise, triage

    panel = demand.panel
    clean, spoiled = sanitise(panel)
    reasons = [str(reason) for reason in triage(clean, spoiled) if reason is not None]
    begun = ~np.isnan(panel.demand)
    closures = find_closures(panel)
    changes = report(without_closed_days(panel, closures), config)
    return {
        "series": panel.n_series,
        "days": panel.n_days,
        "series_days": int(begun.sum()),
        "out_of_stock_days": int((begun & ~panel.observed).sum()),
        "closures": closed_days(demand, closures),
        "spoiled_series": int(spoiled.sum()),
        "left_to_baselines": {reason: reasons.count(reason) for reason in sorted(set(reasons))},
        **changes,
        "examples": [_example_to_json(demand, one) for one in changes["examples"]],
    }


def closed_days(demand: DemandPanel, closures: Sequence[Closures]) -> list[dict[str, Any]]:
    """Return the closed days of each warehouse that has any, as JSON."""
    return [_closure_to_json(demand, one) for one in closures]


def _closure_to_json(demand: DemandPanel, closure: Closures) -> dict[str, Any]:
    """Return the closed days of a warehouse; its id is null where all of them closed together."""
    warehouses = {demand.keys[row].warehouse_id for row in np.flatnonzero(closure.rows)}
    days = [demand.panel.first_day + timedelta(days=int(n)) for n in np.flatnonzero(closure.days)]
    return {
        "warehouse_id": warehouses.pop() if len(warehouses) == 1 else None,
        "days": [day.isoformat() for day in days],
    }


def _example_to_json(demand: DemandPanel, cut: dict[str, Any]) -> dict[str, Any]:
    key = demand.keys[cut["row"]]
    return {
        "product_id": key.product_id,
        "warehouse_id": key.warehouse_id,
        "day": (demand.panel.first_day + timedelta(days=cut["day"])).isoformat(),
        "recorded": round(cut["recorded"], DECIMALS),
        "used": round(cut["used"], DECIMALS),
    }
