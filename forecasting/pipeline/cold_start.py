"""Forecasts of products that have hardly sold yet, from how similar products began.

Every donor is a product that was new once: what it sold in the same weeks of its life is a
distribution per weekday. The forecast is a mixture of these distributions. A mixture begins with
all donors alike and is drawn, source by source (an attribute, the price, the text, an embedding),
towards the donors that the source calls similar, by the share n / (n + prior), n being how many
such donors there are (empirical Bayes). The prior of each source is the one that would have
forecast the donors' own beginnings best, each without itself; a source that does not help a tenant
gets no share. What the product itself has sold reweighs the donors by how likely each makes it, and
enters as a further share. Only days up to the panel's end are looked at.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.pipeline.series import (
    HORIZON_DAYS,
    QUANTILES,
    Basis,
    BoolArray,
    FloatArray,
    SeriesPanel,
)
from forecasting.pipeline.similarity import Source, find_sources

METHOD = "cold_start"
WINDOW_DAYS = 28
MIN_DONORS = 10
MAX_DONORS = 2000
MIN_DONOR_DAYS = 14
FIRST_DAYS = 28
"""A series that begins within the first days of the panel may have sold before: no beginning."""
BINS = 96
PRIORS = (np.inf, 64.0, 16.0, 4.0, 1.0, 0.25)
JUDGED = 200
WORTH = 0.995
"""A source that brings less than half a percent is left out: among many, one always seems to."""
OWN_PRIOR_DAYS = 14.0
CAUTION = 0.3
"""Own days are worth less than independent ones: they share a level, a week and a season."""
SMALL_LEVEL = 0.1
ALL, OWN = "all", "own"
WEEK = 7
NAMED = 3
STANDS_OUT = 1.3
CHUNK = 512


@dataclass(frozen=True)
class ColdForecast:
    """mean: [R, H]; quantiles: [R, H, Q] of the rows asked for; basis: [R]."""

    mean: FloatArray
    quantiles: FloatArray
    basis: tuple[Basis, ...]


@dataclass(frozen=True)
class Donors:
    """Who is looked at: rows of the panel [L], and whether their beginnings are known."""

    rows: NDArray[np.intp]
    from_beginnings: bool


@dataclass(frozen=True)
class _Shapes:
    """Distributions of the donors' days. support: [B]; share: [L, 7, B]; rate: [L, 7]; fit: [L]."""

    support: FloatArray
    share: FloatArray
    rate: FloatArray
    fit: BoolArray


def find_donors(known: SeriesPanel, usable: BoolArray) -> Donors | None:
    """Return the products a new one can be compared with; None where there are too few.

    usable: [S], whose values may be trusted. Beginnings are preferred; without ten of them the last
    weeks of whatever has sold for a week serve: a tenant's first weeks have nothing else.
    """
    days = known.observed.sum(axis=1)
    grown = usable & (days >= WINDOW_DAYS)
    begins = known.begins
    launched = grown & (begins >= FIRST_DAYS) & (begins + WINDOW_DAYS <= known.n_days)
    if launched.sum() >= MIN_DONORS:
        rows = np.flatnonzero(launched)
        newest = rows[np.argsort(-begins[rows], kind="stable")[:MAX_DONORS]]
        return Donors(np.sort(newest), True)
    rows = np.flatnonzero(usable & (days >= WEEK))
    if len(rows) < MIN_DONORS:
        return None
    most = rows[np.argsort(-days[rows], kind="stable")[:MAX_DONORS]]
    return Donors(np.sort(most), False)


def forecast_cold(
    known: SeriesPanel,
    rows: NDArray[np.intp],
    donors: Donors,
    horizon: int = HORIZON_DAYS,
    using: Collection[str] | None = None,
) -> ColdForecast:
    """Forecast some series of a panel that was cut at the origin, for the days after it.

    rows: which series, [N]; the forecasts are in that order. using: names of the sources of
    likeness that may count; None for all.
    """
    sources = [
        one for one in find_sources(known, donors.rows) if using is None or one.name in using
    ]
    chosen = _choose_priors(known, donors, sources)
    age = known.n_days - known.begins[rows]
    week = np.clip(age // WEEK, 0, 3)
    mean = np.zeros((len(rows), horizon))
    quantiles = np.zeros((len(rows), horizon, len(QUANTILES)))
    bases: dict[int, Basis] = {}
    for one in np.unique(week):
        shapes = _shapes(known, donors, int(one) * WEEK, also=rows)
        places = np.flatnonzero(week == one)
        for start in range(0, len(places), CHUNK):
            part = places[start : start + CHUNK]
            made = _mix(known, rows[part], donors, shapes, sources, chosen)
            mean[part], quantiles[part] = _read_off(made, shapes, known, horizon)
            bases.update(zip(part.tolist(), made.bases(known, donors), strict=True))
    waits = known.descriptions.starts_in if known.descriptions else None
    if waits is not None:
        sold = np.arange(horizon) >= waits[rows][:, None]
        mean, quantiles = mean * sold, quantiles * sold[..., None]
    return ColdForecast(mean, quantiles, tuple(bases[k] for k in range(len(rows))))


def _windows(known: SeriesPanel, donors: Donors, age: int) -> NDArray[np.intp]:
    """Return the columns that are looked at: [L, WINDOW_DAYS]; past the end = no day."""
    start = (
        known.begins[donors.rows] + age
        if donors.from_beginnings
        else np.full(len(donors.rows), known.n_days - WINDOW_DAYS)
    )
    return np.asarray(start[:, None] + np.arange(WINDOW_DAYS), dtype=np.intp)


def _shapes(
    known: SeriesPanel, donors: Donors, age: int, also: NDArray[np.intp] | None = None
) -> _Shapes:
    columns = _windows(known, donors, age)
    inside = (columns >= 0) & (columns < known.n_days)
    at = donors.rows[:, None], np.clip(columns, 0, known.n_days - 1)
    seen = inside & known.observed[at]
    values = np.where(seen, known.demand[at], 0).astype(np.float64)
    pool = values[seen]
    if also is not None:
        pool = np.concatenate([pool, known.demand[also][known.observed[also]]])
    support = _support(pool)
    weekday = (known.first_day.weekday() + columns) % WEEK
    counts = np.zeros((len(donors.rows), WEEK, len(support)))
    totals = np.zeros((len(donors.rows), WEEK))
    line = np.broadcast_to(np.arange(len(donors.rows))[:, None], columns.shape)
    np.add.at(counts, (line[seen], weekday[seen], _bins(support, values[seen])), 1.0)
    np.add.at(totals, (line[seen], weekday[seen]), values[seen])
    return _with_weekdays(support, counts, totals)


def _with_weekdays(support: FloatArray, counts: FloatArray, totals: FloatArray) -> _Shapes:
    """A weekday counts as its own days and, as if one day had been seen, as all days together."""
    every = counts.sum(axis=1)
    days = every.sum(axis=1)
    usual = every / np.maximum(days, 1)[:, None]
    level = totals.sum(axis=1) / np.maximum(days, 1)
    share = (counts + usual[:, None]) / (counts.sum(axis=2, keepdims=True) + 1)
    rate = (totals + level[:, None]) / (counts.sum(axis=2) + 1)
    return _Shapes(support, share, rate, np.asarray(days >= MIN_DONOR_DAYS))


def _support(pool: FloatArray) -> FloatArray:
    """Return the values a distribution can take: all that were seen, or BINS of them."""
    values = np.unique(pool)
    if len(values) > BINS:
        sold = pool[pool > 0]
        levels = np.linspace(0, 1, BINS - 1)
        values = np.unique(np.append(np.quantile(sold, levels, method="nearest"), 0.0))
    return values if len(values) else np.zeros(1)


def _bins(support: FloatArray, values: FloatArray) -> NDArray[np.intp]:
    """Return the nearest value of the support."""
    middle = (support[1:] + support[:-1]) / 2
    return np.asarray(np.searchsorted(middle, values), dtype=np.intp)


@dataclass(frozen=True)
class _Mixture:
    """weights: [R, L]; own: [R, 7, B], own_rate: [R, 7], own_share: [R]; shares: per source [R]."""

    weights: FloatArray
    own: FloatArray
    own_rate: FloatArray
    own_share: FloatArray
    own_days: FloatArray
    shares: dict[str, FloatArray]

    def bases(self, known: SeriesPanel, donors: Donors) -> list[Basis]:
        found = []
        usual = 1 / max(self.weights.shape[1], 1)
        for row, weights in enumerate(self.weights):
            best = np.argsort(-weights, kind="stable")[:NAMED]
            found.append(
                Basis(
                    neighbours=tuple(
                        (known.series_ids[donors.rows[one]], float(weights[one]))
                        for one in best
                        if weights[one] > STANDS_OUT * usual
                    ),
                    shares={name: float(share[row]) for name, share in self.shares.items()},
                    own_days=int(self.own_days[row]),
                    compared_with=len(donors.rows),
                    from_beginnings=donors.from_beginnings,
                )
            )
        return found


def _mix(
    known: SeriesPanel,
    rows: NDArray[np.intp],
    donors: Donors,
    shapes: _Shapes,
    sources: Sequence[Source],
    priors: Sequence[float],
) -> _Mixture:
    allowed = shapes.fit[None, :] & (rows[:, None] != donors.rows[None, :])
    used = [(s, prior) for s, prior in zip(sources, priors, strict=True) if np.isfinite(prior)]
    weights, shares = _weigh(
        allowed,
        [source.likeness(rows) for source, _ in used],
        [source.name for source, _ in used],
        [prior for _, prior in used],
    )
    seen = known.observed[rows]
    demand = np.where(seen, known.demand[rows], 0).astype(np.float64)
    line, column = np.nonzero(seen)
    place = _bins(shapes.support, demand[line, column])
    own = np.zeros((len(rows), len(shapes.support)))
    np.add.at(own, (line, place), 1.0)
    days = own.sum(axis=1)
    weights = _reweigh(weights, own, shapes)
    own_share = days / (days + OWN_PRIOR_DAYS)
    return _Mixture(
        weights=weights,
        own=own / np.maximum(days, 1)[:, None],
        own_rate=demand.sum(axis=1) / np.maximum(days, 1),
        own_share=own_share,
        own_days=days,
        shares={name: share * (1 - own_share) for name, share in shares.items()} | {OWN: own_share},
    )


def _weigh(
    allowed: BoolArray, likes: Sequence[FloatArray], names: Sequence[str], priors: Sequence[float]
) -> tuple[FloatArray, dict[str, FloatArray]]:
    """Return the weight of each donor for each row, adding up to 1, and the share of each source.

    allowed: [R, L]; likes: [R, L] per source.
    """
    weights: FloatArray = allowed / np.maximum(allowed.sum(axis=1, keepdims=True), 1)
    shares: dict[str, FloatArray] = {ALL: np.ones(len(allowed))}
    for like, name, prior in zip(likes, names, priors, strict=True):
        if np.isinf(prior):
            continue
        likeness = like * allowed
        count = likeness.sum(axis=1)
        share = count / (count + prior)
        toward = likeness / np.where(count > 0, count, 1)[:, None]
        weights = (1 - share)[:, None] * weights + share[:, None] * toward
        shares = {other: value * (1 - share) for other, value in shares.items()}
        shares[name] = share
    return weights, shares


def _reweigh(weights: FloatArray, own: FloatArray, shapes: _Shapes) -> FloatArray:
    """Return the donors' weights after the product's own days, by Bayes' rule."""
    usual = shapes.share.mean(axis=1)
    pooled = usual.mean(axis=0)
    chance = 0.9 * usual + 0.1 * pooled + 1e-9
    loglik = CAUTION * own @ np.log(chance).T
    weighed = weights * np.exp(loglik - loglik.max(axis=1, keepdims=True))
    total = weighed.sum(axis=1, keepdims=True)
    return np.where(total > 0, weighed / np.where(total > 0, total, 1), weights)


def _read_off(
    made: _Mixture, shapes: _Shapes, known: SeriesPanel, horizon: int
) -> tuple[FloatArray, FloatArray]:
    """Return mean [R, H] and quantiles [R, H, Q] of the mixtures."""
    n, bins = len(made.weights), len(shapes.support)
    donors = (made.weights @ shapes.share.reshape(len(shapes.share), -1)).reshape(n, WEEK, bins)
    own = made.own_share[:, None]
    mixed = (1 - own[..., None]) * donors + own[..., None] * made.own[:, None]
    heaped = np.cumsum(mixed, axis=2)
    by_day = np.empty((n, WEEK, len(QUANTILES)))
    for column, level in enumerate(QUANTILES):
        place = (heaped < level - 1e-9).sum(axis=2)
        by_day[..., column] = shapes.support[np.minimum(place, bins - 1)]
    rate = (1 - own) * (made.weights @ shapes.rate) + own * made.own_rate[:, None]
    ahead = (known.first_day.weekday() + known.n_days + np.arange(horizon)) % WEEK
    return rate[:, ahead], by_day[:, ahead]


def _choose_priors(
    known: SeriesPanel, donors: Donors, sources: Sequence[Source]
) -> tuple[float, ...]:
    """Return each source's prior: what would have forecast the donors best, each without itself."""
    shapes = _shapes(known, donors, 0)
    fit = np.flatnonzero(shapes.fit)
    if not len(fit):
        return (np.inf,) * len(sources)
    judged = fit[:: max(len(fit) // JUDGED, 1)]
    rows = donors.rows[judged]
    allowed = shapes.fit[None, :] & (rows[:, None] != donors.rows[None, :])
    heaped = np.cumsum(shapes.share, axis=2, dtype=np.float32)
    names = [source.name for source in sources]
    likes: list[FloatArray] = []
    chosen: list[float] = []
    for number, source in enumerate(sources, start=1):
        likes.append(source.likeness(rows))
        losses = {}
        for prior in PRIORS:
            weights, _ = _weigh(allowed, likes, names[:number], [*chosen, prior])
            losses[prior] = _loss(weights.astype(np.float32), heaped, shapes, judged)
        best = min(losses, key=losses.__getitem__)
        chosen.append(best if losses[best] < WORTH * losses[np.inf] else np.inf)
    return tuple(chosen)


def _loss(
    weights: FloatArray, heaped: FloatArray, shapes: _Shapes, judged: NDArray[np.intp]
) -> float:
    """Return how far forecast and actual distributions lie apart, half by series, half by volume.

    The continuous ranked probability score on the common support: what the pinball losses of all
    quantiles add up to. heaped: [L, 7, B], the donors' accumulated distributions.
    """
    mixed = (weights @ heaped.reshape(len(heaped), -1)).reshape(len(judged), WEEK, -1)
    gap = mixed[..., :-1] - heaped[judged][..., :-1]
    score = (gap**2 * np.diff(shapes.support)).sum(axis=2).mean(axis=1)
    level = shapes.rate[judged].mean(axis=1)
    by_series = (score / np.maximum(level, SMALL_LEVEL)).mean()
    return float(by_series + score.sum() / max(level.sum(), SMALL_LEVEL))
