"""What can go wrong besides stock itself: late orders, drift, uneven places, counts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forecasting.decisions.demand_paths import DemandForecast, path_chunks
from forecasting.decisions.lead_times import LeadTimes
from forecasting.decisions.risk import (
    HALF_A_UNIT,
    WARN_FROM,
    RiskFinding,
    RiskKind,
    SuggestedAction,
    most_expensive_first,
)
from forecasting.pipeline.series import BoolArray, FloatArray

PROBABLY = 0.5
NORMAL_995 = 2.576
WEEK = 7
SEEN_DAYS = 4
SEEN_WEEKS = 4


@dataclass(frozen=True)
class LateOrderRisk(RiskFinding):
    """An open order line that will probably come after its promise.

    probability: of coming late, given how long it has taken already; expected_days_late: beyond
    the promise; short_units: expected to be missing for that; severity: their margin.
    """

    kind = RiskKind.LATE_SUPPLIER
    order: int
    number: str
    probability: float
    age_days: int
    promised_days: int
    expected_days_late: float
    open_units: float
    short_units: float


@dataclass(frozen=True)
class OpenLine:
    """An order line that has not come: whose (row), of which order, its age and promise in days.

    lead_time_row: of the lead times; the days that deliveries of this supplier take. least_short:
    units that are missing at least where something is.
    """

    row: int
    order: int
    number: str
    units: float
    age_days: int
    promised_days: int
    lead_time_row: int
    least_short: float = HALF_A_UNIT


def late_probability(probabilities: FloatArray, age_days: int, promised_days: int) -> float:
    """Return the chance that an order comes after its promise, given that it has not come yet.

    P(L > promised | L > age): one where the promise has passed. An order older than anything seen
    is late by all that is known.
    """
    if age_days >= promised_days:
        return 1.0
    still = float(probabilities[age_days + 1 :].sum())
    if still <= 0:
        return 1.0
    return float(probabilities[promised_days + 1 :].sum()) / still


def expected_lateness(probabilities: FloatArray, age_days: int, promised_days: int) -> float:
    """Return the expected days beyond the promise, given that the order has not come yet."""
    days = np.arange(len(probabilities))
    weights = np.where(days > age_days, probabilities, 0.0)
    if weights.sum() <= 0:
        return float(max(age_days + 1 - promised_days, 1))
    late = np.maximum(days - promised_days, 0)
    return float((weights * late).sum() / weights.sum())


def find_late_orders(
    keys: Sequence[str],
    lines: Sequence[OpenLine],
    lead_times: LeadTimes,
    forecast: DemandForecast,
    free: FloatArray,
    unit_margin: FloatArray,
) -> tuple[LateOrderRisk, ...]:
    """Return the open lines that come late more probably than not, and are missed then.

    free: [S] units that serve demand now; what is short while the order is late costs its margin.
    Where stock outlasts the wait hurrying gains nothing: of a demo company's 56 late lines 39 would
    be warnings of a cost of 0.00. So something must be short for it in as many futures as a
    stock-out is warned of from.
    """
    late = [one for line in lines if (one := _late_line(line, lead_times)).chance >= PROBABLY]
    if not late:
        return ()
    by_row: dict[int, list[_LateLine]] = {}
    for one in late:
        by_row.setdefault(one.line.row, []).append(one)
    members = np.array(sorted(by_row))
    reach = np.array([max(one.comes_in_days for one in by_row[row]) for row in members])
    found: list[LateOrderRisk] = []
    for rows, paths in path_chunks(forecast.select(members), reach):
        for k, row in enumerate(int(members[member]) for member in rows):
            for one in by_row[row]:
                short = one.short_units(paths[k], max(float(free[row]), 0.0))
                if (short >= one.line.least_short).mean() >= WARN_FROM:
                    found.append(one.finding(keys[row], float(short.mean()), unit_margin[row]))
    return most_expensive_first(found)


@dataclass(frozen=True)
class _LateLine:
    """A line that may be late: with what chance, by how many days, and in how many it comes."""

    line: OpenLine
    chance: float
    days_late: float
    comes_in_days: int

    def short_units(self, demand: FloatArray, free: float) -> FloatArray:
        """Return what its lateness leaves short in each future: cumulative demand [N, D] -> [N].

        What would be short though it came as promised is no fault of its lateness.
        """
        as_promised = demand[:, max(self.line.promised_days - self.line.age_days, 0)]
        short = np.maximum(demand[:, self.comes_in_days] - np.maximum(as_promised, free), 0.0)
        return np.minimum(short, self.line.units)

    def finding(self, key: str, short: float, unit_margin: float) -> LateOrderRisk:
        line = self.line
        return LateOrderRisk(
            key=key,
            severity=short * max(float(unit_margin), 0.0),
            action=SuggestedAction.EXPEDITE,
            order=line.order,
            number=line.number,
            probability=self.chance,
            age_days=line.age_days,
            promised_days=line.promised_days,
            expected_days_late=self.days_late,
            open_units=line.units,
            short_units=short,
        )


def _late_line(line: OpenLine, lead_times: LeadTimes) -> _LateLine:
    """Return how late a line is by all that is known; of its lateness some may have passed."""
    table = lead_times.probabilities[line.lead_time_row]
    days_late = expected_lateness(table, line.age_days, line.promised_days)
    left = max(round(line.promised_days + days_late - line.age_days), 1)
    chance = late_probability(table, line.age_days, line.promised_days)
    return _LateLine(line, chance, days_late, left)


@dataclass(frozen=True)
class DriftRisk(RiskFinding):
    """A forecast that has been off in one direction for weeks.

    bias: summed error over summed demand; signal: summed error over mean absolute error, the
    tracking signal of Brown (1959).
    """

    kind = RiskKind.FORECAST_DRIFT
    bias: float
    signal: float
    weeks: int
    predicted: float
    actual: float


def find_drift(
    keys: Sequence[str],
    predicted: FloatArray,
    actual: FloatArray,
    swing: FloatArray,
    unit_value: FloatArray,
    limit: float = 4.0,
) -> tuple[DriftRisk, ...]:
    """Return the items whose weekly forecasts were off the same way: [S, weeks] each.

    swing: [S] standard deviation of the demand of a week. Four errors of one sign are a signal of
    4, and one forecast in eight that is right has them; where most weeks sell nothing, nearly every
    one. So the summed error must also lie beyond 99% of what the weeks' demand swings by itself,
    single units (Poisson) at least. Where the swing is not known (NaN) nothing is said.
    severity: what the summed error is worth. Weeks that are not known are NaN.
    """
    error = predicted - actual
    known = np.isfinite(error)
    weeks = known.sum(axis=1)
    total = np.where(known, error, 0.0).sum(axis=1)
    mean_error = np.where(known, np.abs(error), 0.0).sum(axis=1) / np.maximum(weeks, 1)
    signal = total / np.maximum(mean_error, 1e-9)
    asked = np.where(known, actual, 0.0).sum(axis=1)
    said = np.where(known, predicted, 0.0).sum(axis=1)
    by_itself = NORMAL_995 * np.sqrt(np.maximum(weeks * swing**2, said))
    drifting = np.flatnonzero((np.abs(signal) >= limit) & (weeks >= 4) & (abs(total) > by_itself))
    return most_expensive_first(
        DriftRisk(
            key=keys[row],
            severity=float(abs(total[row]) * max(unit_value[row], 0.0)),
            action=SuggestedAction.REVIEW_FORECAST,
            bias=float(total[row] / max(asked[row], 1e-9)),
            signal=float(signal[row]),
            weeks=int(weeks[row]),
            predicted=float(said[row]),
            actual=float(asked[row]),
        )
        for row in (int(one) for one in drifting)
    )


def weekly_swing(demand: FloatArray, observed: BoolArray, weeks: int = 26) -> FloatArray:
    """Return the standard deviation of a week's demand over the last weeks of [S, D] days: [S].

    A week counts by its days seen, four at least; with fewer than four such weeks: NaN.
    """
    days = min(weeks, demand.shape[1] // WEEK) * WEEK
    shape = (demand.shape[0], days // WEEK, WEEK)
    first = demand.shape[1] - days
    seen = observed[:, first:].reshape(shape)
    counts = seen.sum(axis=2)
    sums = np.where(seen, demand[:, first:].reshape(shape), 0.0).sum(axis=2)
    counted = counts >= SEEN_DAYS
    weekly = np.where(counted, sums * WEEK / np.maximum(counts, 1), 0.0)
    known = counted.sum(axis=1)
    mean = weekly.sum(axis=1) / np.maximum(known, 1)
    squares = np.where(counted, (weekly - mean[:, None]) ** 2, 0.0).sum(axis=1)
    swing: FloatArray = np.sqrt(squares / np.maximum(known - 1, 1))
    return np.where(known >= SEEN_WEEKS, swing, np.nan)


@dataclass(frozen=True)
class ImbalanceRisk(RiskFinding):
    """A product short in one place while another has too much; severity: what moving saves."""

    kind = RiskKind.CHANNEL_IMBALANCE
    from_place: int
    from_name: str
    units: float
    cost: float


@dataclass(frozen=True)
class CountRisk(RiskFinding):
    """Counts that found much more or less than the records; severity: what that is worth."""

    kind = RiskKind.COUNT_ANOMALY
    counted: float
    recorded: float
    variance: float
    counts: int


@dataclass(frozen=True)
class Counted:
    """What counts of an item found in a quarter: how many, counted and recorded units."""

    row: int
    counts: int
    counted: float
    recorded: float


def find_count_anomalies(
    keys: Sequence[str], counted: Sequence[Counted], unit_cost: FloatArray, share: float = 0.1
) -> tuple[CountRisk, ...]:
    """Return the items whose counts differ from the records by more than a share of them."""
    found = []
    for one in counted:
        variance = one.counted - one.recorded
        if abs(variance) <= share * max(one.recorded, 1.0):
            continue
        found.append(
            CountRisk(
                key=keys[one.row],
                severity=abs(variance) * max(float(unit_cost[one.row]), 0.0),
                action=SuggestedAction.COUNT_AGAIN,
                counted=one.counted,
                recorded=one.recorded,
                variance=variance,
                counts=one.counts,
            )
        )
    return most_expensive_first(found)
