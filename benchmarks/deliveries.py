"""Lead times and freight on the shared SCMS deliveries: trained before 2013, scored after.

    python -m benchmarks.deliveries

Lead times: ours learns how far deliveries miss the promised date, by country, vendor and mode; the
promise itself is known when the order is placed. Beside it: the vendor's empirical quantiles of
days, and the promised date taken at its word. Groups, prior weight and half-life are chosen once,
on orders placed in the three years before 2013, each week predicted from what had come before it.
Scored twice: by what was known at the start of 2013, and by what was known when each week of the
scored orders began, as the product learns (the setting stays the one chosen before 2013).
Freight: mean absolute error in dollars beside a linear fit on weight and value, chosen likewise.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import pandas as pd

from benchmarks.forecast import RESULTS, SHARED
from forecasting.decisions.delays import (
    LEVELS,
    DelayRule,
    PastDeliveries,
    choose_rule,
    delay_settings,
    recency_weights,
)
from forecasting.decisions.transport_cost import Deliveries, fit_transport_cost
from forecasting.pipeline.metrics import pinball
from forecasting.pipeline.series import FloatArray

CHECKED_FROM = pd.Timestamp("2011-07-01")
SCORED_FROM = pd.Timestamp("2013-01-01")
GROUPS = (
    ("vendor",),
    ("country",),
    ("country", "vendor"),
    ("vendor", "country"),
    ("mode", "country", "vendor"),
)
FREIGHT_GROUPS = (
    ("mode",),
    ("mode", "country"),
    ("mode", "country", "vendor"),
    ("mode", "country", "vendor", "inco_term"),
)


def read_lines() -> pd.DataFrame:
    """Return the delivery lines with days, promised days and mode."""
    lines = pd.read_csv(
        SHARED / "data" / "scms_deliveries" / "deliveries.csv.gz",
        parse_dates=["order_date", "scheduled_delivery", "delivered"],
    )
    lines["days"] = (lines.delivered - lines.order_date).dt.days
    lines["promised"] = (lines.scheduled_delivery - lines.order_date).dt.days
    lines["mode"] = lines.shipment_mode.fillna("not recorded")
    return lines


def _past(lines: pd.DataFrame) -> PastDeliveries:
    day = pd.Timedelta(days=1)
    epoch = pd.Timestamp(0)
    return PastDeliveries(
        ((lines.order_date - epoch) / day).to_numpy(float),
        ((lines.delivered - epoch) / day).to_numpy(float),
        lines.promised.to_numpy(float),
        lines.order_no.to_numpy(str),
        {name: lines[name].to_numpy(str) for name in ("vendor", "country", "mode")},
    )


def our_quantiles(
    rule: DelayRule, known: pd.DataFrame, scored: pd.DataFrame, *, until: pd.Timestamp | None
) -> FloatArray:
    """Return the quantiles of days of the scored orders, by what is known as their week begins.

    until: nothing that was delivered later is known.
    """
    days = np.empty((len(scored), len(LEVELS)))
    weeks = scored.order_date.dt.to_period("W")
    for week in weeks.unique():
        begins = week.to_timestamp()
        rows = np.flatnonzero(weeks == week)
        past = _past(known[known.delivered < (begins if until is None else until)])
        new = _past(scored.iloc[rows])
        today = float((begins - pd.Timestamp(0)).days)
        late = rule.quantiles(past, today, new.groups, new.promised)
        days[rows] = new.promised[:, None] + late
    return days


def vendor_quantiles(past: pd.DataFrame, new: pd.DataFrame) -> FloatArray:
    """Return the empirical quantiles of each order's vendor, of all where it is new."""
    own = past.groupby("vendor").days.quantile(list(LEVELS)).unstack()  # noqa: PD010
    usual = past.days.quantile(list(LEVELS)).to_numpy()
    return np.array([own.loc[v].to_numpy() if v in own.index else usual for v in new.vendor])


def score_lead_times(lines: pd.DataFrame) -> dict[str, object]:
    """Choose on the past, score once: mean pinball loss of each method."""
    known = lines[(lines.days >= 0) & lines.promised.notna()]
    past = known[known.delivered < SCORED_FROM]
    scored = known[known.order_date >= SCORED_FROM]
    today = float((SCORED_FROM - pd.Timestamp(0)).days)
    rule = choose_rule(_past(past), today, delay_settings(GROUPS))
    assert rule is not None
    promise = np.repeat(scored.promised.to_numpy(float)[:, None], 3, axis=1)
    methods = {
        "ours": our_quantiles(rule, known, scored, until=SCORED_FROM),
        "ours, learning every week": our_quantiles(rule, known, scored, until=None),
        "vendor's empirical quantiles": vendor_quantiles(past, scored),
        "promised date": promise,
    }
    days = scored.days.to_numpy(float)[:, None]
    losses = {
        name: pinball(days, one, np.array(LEVELS)).mean(axis=0) for name, one in methods.items()
    }
    return {
        "scored": len(scored),
        "delivered on the promised day": float((scored.days == scored.promised).mean()),
        "chosen": asdict(rule),
        "pinball": {
            name: {**{str(q): round(float(x), 4) for q, x in zip(LEVELS, one, strict=True)},
                   "mean": round(float(one.mean()), 4)}
            for name, one in losses.items()
        },
    }  # fmt: skip


def _deliveries(lines: pd.DataFrame, groups: Sequence[str]) -> Deliveries:
    return Deliveries(
        lines.weight_kg.to_numpy(float),
        lines.line_value_usd.to_numpy(float),
        {name: lines[name].fillna("").to_numpy(str) for name in groups},
    )


def our_freight(
    past: pd.DataFrame, new: pd.DataFrame, until: pd.Timestamp, groups: Sequence[str]
) -> FloatArray:
    age = (until - past.delivered).dt.days.to_numpy(float)
    model = fit_transport_cost(
        _deliveries(past, groups), past.freight_usd.to_numpy(float), recency_weights(age, 730.0)
    )
    return model.predict(_deliveries(new, groups))


def linear_freight(past: pd.DataFrame, new: pd.DataFrame) -> FloatArray:
    def columns(lines: pd.DataFrame) -> FloatArray:
        return np.column_stack([np.ones(len(lines)), lines.weight_kg, lines.line_value_usd])

    found = np.linalg.lstsq(columns(past), past.freight_usd.to_numpy(float), rcond=None)[0]
    cost: FloatArray = columns(new) @ found
    return cost


def score_freight(lines: pd.DataFrame) -> dict[str, object]:
    """Choose the groups on the past, score once: mean absolute error of each method."""
    known = lines[(lines.freight_usd > 0) & (lines.weight_kg > 0) & (lines.line_value_usd > 0)]
    early = known[known.delivered < CHECKED_FROM]
    past, scored = known[known.delivered < SCORED_FROM], known[known.delivered >= SCORED_FROM]
    checked = past[past.delivered >= CHECKED_FROM]

    def error(new: pd.DataFrame, cost: FloatArray) -> float:
        return float(np.abs(new.freight_usd.to_numpy(float) - cost).mean())

    losses = [
        error(checked, our_freight(early, checked, CHECKED_FROM, one)) for one in FREIGHT_GROUPS
    ]
    best = FREIGHT_GROUPS[int(np.argmin(losses))]
    ours = error(scored, our_freight(past, scored, SCORED_FROM, best))
    linear = error(scored, linear_freight(past, scored))
    return {
        "scored": len(scored), "chosen": best, "mean freight": float(scored.freight_usd.mean()),
        "mean absolute error": {"ours": ours, "linear on weight and value": linear},
        "below linear": 1 - ours / linear,
    }  # fmt: skip


def main() -> None:
    lines = read_lines()
    result = {"lead times": score_lead_times(lines), "freight": score_freight(lines)}
    text = json.dumps(result, indent=1)
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "deliveries.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
