"""Past weeks that looked like the last ones: the nearest windows after scaling."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from forecasting.pipeline.series import FloatArray, SeriesPanel
from forecasting.pipeline.triage import sanitise

WINDOW_DAYS = 28
FOLLOWING_DAYS = 28
ENOUGH_SEEN = 20
ENOUGH_WINDOWS = 8
"""With fewer windows of its own a series also looks at others."""
MOST_OTHERS = 200
SHOWN = 5


@dataclass(frozen=True)
class SimilarWeeks:
    """Four past weeks, how far they lie from the last four, and what came after them.

    distance: root mean square difference of daily demand, both divided by their mean.
    followed: demand per day of the weeks after over demand per day of the weeks themselves.
    """

    series_id: str
    first_day: date
    last_day: date
    distance: float
    mean: float
    followed: float
    values: tuple[float, ...]


def similar_weeks(panel: SeriesPanel, row: int, shown: int = SHOWN) -> tuple[SimilarWeeks, ...]:
    """Return the past weeks nearest to the panel's last four; none where little was sold.

    Windows begin on the same weekday. A series with a short past also looks at the others.
    """
    if panel.n_days < WINDOW_DAYS:
        return ()
    looked_at, _spoiled = sanitise(panel.select(np.array([row])))
    now, now_seen = _past(looked_at, 0)
    now, now_seen = now[-WINDOW_DAYS:], now_seen[-WINDOW_DAYS:]
    if now_seen.sum() < ENOUGH_SEEN or not now.sum():
        return ()
    wanted = now / (now.sum() / now_seen.sum())
    starts = np.arange(panel.n_days - 2 * WINDOW_DAYS, -1, -7)
    own = int((starts >= looked_at.begins[0]).sum())
    if own < ENOUGH_WINDOWS:
        others = [other for other in range(panel.n_series) if other != row][:MOST_OTHERS]
        looked_at, _spoiled = sanitise(panel.select(np.array([row, *others])))
    found: list[SimilarWeeks] = []
    for place, begin in enumerate(looked_at.begins):
        past = _past(looked_at, place)
        found += _nearest(looked_at, place, starts[starts >= begin], past, (wanted, now_seen))
    found.sort(key=lambda one: (one.distance, one.series_id, one.first_day))
    return tuple(_apart(found)[:shown])


def _past(panel: SeriesPanel, row: int) -> tuple[FloatArray, np.ndarray]:
    """Return demand and whether it was observed, day by day: [T], [T]."""
    seen = panel.observed[row]
    return np.where(seen, panel.demand[row], 0).astype(np.float64), seen


def _nearest(
    panel: SeriesPanel,
    row: int,
    starts: np.ndarray,
    past: tuple[FloatArray, np.ndarray],
    wanted: tuple[FloatArray, np.ndarray],
) -> list[SimilarWeeks]:
    demand, seen = past
    if not len(starts):
        return []
    days = starts[:, None] + np.arange(WINDOW_DAYS)
    values, known = demand[days], seen[days]
    count = known.sum(axis=1)
    mean = values.sum(axis=1) / np.maximum(count, 1)
    both = known & wanted[1]
    scaled = values / np.maximum(mean, 1e-12)[:, None]
    square = np.where(both, (scaled - wanted[0]) ** 2, 0).sum(axis=1)
    distance = np.sqrt(square / np.maximum(both.sum(axis=1), 1))
    good = (count >= ENOUGH_SEEN) & (mean > 0) & (both.sum(axis=1) >= ENOUGH_SEEN / 2)
    found = []
    for place in np.flatnonzero(good):
        start = int(starts[place])
        after = slice(start + WINDOW_DAYS, start + WINDOW_DAYS + FOLLOWING_DAYS)
        later = demand[after].sum() / max(int(seen[after].sum()), 1)
        first = panel.first_day + timedelta(days=start)
        found.append(
            SimilarWeeks(
                series_id=panel.series_ids[row],
                first_day=first,
                last_day=first + timedelta(days=WINDOW_DAYS - 1),
                distance=float(distance[place]),
                mean=float(mean[place]),
                followed=float(later / mean[place]),
                values=tuple(float(one) for one in values[place]),
            )
        )
    return found


def _apart(found: list[SimilarWeeks]) -> list[SimilarWeeks]:
    """Leave out windows that share most of their days with a nearer one of the same series."""
    kept: list[SimilarWeeks] = []
    for one in found:
        near = [
            other for other in kept
            if other.series_id == one.series_id
            and abs((other.first_day - one.first_day).days) < WINDOW_DAYS // 2
        ]  # fmt: skip
        if not near:
            kept.append(one)
    return kept
