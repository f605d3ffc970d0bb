"""Who serves which demand class: rolling origins, a league table, blends, and the publish gate."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from forecasting.pipeline import metrics
from forecasting.pipeline.judging import (
    MAX_CASES,
    Cases,
    Entry,
    Holdout,
    MeanCases,
)
from forecasting.pipeline.predict import blend, present
from forecasting.pipeline.series import QUANTILES, BoolArray, Reason

ALL_CLASSES = "all"
MEDIAN = len(QUANTILES) // 2
MIN_SERIES_PER_CLASS = 30
ROUNDS = 8
"""Choices of the greedy selection: weights come in eighths or coarser."""
MIN_GAIN = 0.001
GATE_GAIN = 0.002
"""A network must beat the best blend of baselines by this share of its loss."""
WORTH_MIXING = 1.08
"""A method whose loss is larger than this many times the best one's is not tried in a blend."""


@dataclass(frozen=True)
class LeagueRow:
    """A method's scores on the holdout within one demand class."""

    demand_class: str
    method: str
    series: int
    spl: float
    wspl: float
    rmsse: float
    wrmsse: float
    bias: float
    coverage_80: float
    weight: float
    wape: float = math.nan
    """Of the median, as MASE and MAE; RMSE is of the mean. Older contests did not measure them."""
    mase: float = math.nan
    mae: float = math.nan
    rmse: float = math.nan


@dataclass(frozen=True)
class Blend:
    """The methods that serve a class together and what each counts.

    The mean is chosen by its own error and may come from other methods than the quantiles; without
    `mean_methods` it comes from the same.
    """

    methods: tuple[str, ...]
    weights: tuple[float, ...]
    reason: Reason
    mean_methods: tuple[str, ...] = ()
    mean_weights: tuple[float, ...] = ()

    @property
    def mean_shares(self) -> tuple[tuple[str, float], ...]:
        """The methods of the mean and their weights."""
        if self.mean_methods:
            return tuple(zip(self.mean_methods, self.mean_weights, strict=True))
        return tuple(zip(self.methods, self.weights, strict=True))

    @property
    def every_method(self) -> tuple[str, ...]:
        """Every method that takes part in the quantiles or the mean."""
        return tuple(sorted({*self.methods, *self.mean_methods}))

    def label(self) -> str:
        """Return the name under which its forecasts are stored, at most 32 characters."""
        if len(self.methods) == 1:
            return self.methods[0]
        first = max(zip(self.weights, self.methods, strict=True))[1]
        return f"blend:{first}+{len(self.methods) - 1}"


JuryReason = Literal["all", "many", "budget"]


@dataclass(frozen=True)
class Jury:
    """Who judged: so many of the series learned from, on so many cases a class, and why not all."""

    series: int
    of: int
    cases: int
    reason: JuryReason


@dataclass(frozen=True)
class ContestResult:
    """A blend per demand class, and `all` for classes too small to judge."""

    blends: dict[str, Blend]
    league: tuple[LeagueRow, ...]
    jury: Jury | None = None

    def blend_for(self, demand_class: str) -> Blend:
        return self.blends.get(demand_class, self.blends[ALL_CLASSES])

    @property
    def methods(self) -> tuple[str, ...]:
        """Every method that serves some class."""
        return tuple(sorted({m for one in self.blends.values() for m in one.every_method}))

    def to_json(self) -> dict[str, Any]:
        return {
            "blends": {name: asdict(one) for name, one in self.blends.items()},
            "league": [_finite_row(row) for row in self.league],
            "jury": asdict(self.jury) if self.jury else None,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "ContestResult":
        blends = {
            name: Blend(
                tuple(b["methods"]),
                tuple(b["weights"]),
                Reason(b["reason"]),
                tuple(b["mean_methods"]),
                tuple(b["mean_weights"]),
            )
            for name, b in data["blends"].items()
        }
        rows: list[dict[str, Any]] = [
            {k: float("nan") if v is None else v for k, v in row.items()} for row in data["league"]
        ]
        jury = data.get("jury")
        return cls(blends, tuple(LeagueRow(**row) for row in rows), Jury(**jury) if jury else None)


def _finite_row(row: LeagueRow) -> dict[str, Any]:
    scores = asdict(row)
    return {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in scores.items()}


def hold_contest(
    entries: Sequence[Entry], holdout: Holdout, jury: Jury | None = None
) -> ContestResult:
    """Choose the blend of each demand class and score every method and the blend itself."""
    most_cases = jury.cases if jury else MAX_CASES
    everyone = np.ones(len(holdout.whole), dtype=bool)
    groups = {ALL_CLASSES: everyone}
    for name in np.unique(holdout.demand_class):
        members = holdout.demand_class == name
        if members.sum() >= MIN_SERIES_PER_CLASS:
            groups[str(name)] = members
    blends, league = {}, []
    for name, members in groups.items():
        chosen = choose_blend(entries, holdout, members, most_cases)
        blends[name] = chosen
        weight = dict(zip(chosen.methods, chosen.weights, strict=True))
        league += [
            score_entry(one, holdout, members, name, weight.get(one.method, 0.0)) for one in entries
        ]
        if len(chosen.every_method) > 1:
            joint = blend_entries(entries, chosen, "blend")
            league.append(score_entry(joint, holdout, members, name, 1.0))
    return ContestResult(blends, tuple(league), jury)


def blend_entries(entries: Sequence[Entry], chosen: Blend, method: str) -> Entry:
    """Return the blended forecasts of a choice as an entry of its own."""
    by_name = {entry.method: entry for entry in entries}
    parts = [by_name[name] for name in chosen.methods]
    weights = np.array(chosen.weights)
    shape = parts[0].quantiles.shape
    flat = [part.quantiles.reshape(-1, *shape[2:]) for part in parts]
    mean = sum(share * by_name[name].mean for name, share in chosen.mean_shares)
    return Entry(
        method,
        any(part.is_network for part in parts),
        np.asarray(mean),
        blend(flat, weights).reshape(shape),
    )


def choose_blend(
    entries: Sequence[Entry], holdout: Holdout, members: BoolArray, most_cases: int = MAX_CASES
) -> Blend:
    """Choose by greedy selection (Caruana et al. 2004), then let networks pass the gate.

    Starting from half the rounds for the best single method, the method is added that lowers the
    loss of the blend most, with replacement; how often a method was chosen is its weight.
    """
    cases = Cases.gather(entries, holdout, members, most_cases)
    loss_of = cases.energies().loss
    baselines = [k for k, entry in enumerate(entries) if not entry.is_network]
    everything = list(range(len(entries)))
    best = _select(everything, loss_of)
    reason = Reason.CONTEST
    if baselines and len(baselines) < len(entries):
        if any(entries[k].is_network for k in best):
            fallback = _select(baselines, loss_of)
            if cases.loss(best) > cases.loss(fallback) * (1 - GATE_GAIN):
                best, reason = fallback, Reason.GATE
        else:
            reason = Reason.GATE
    elif baselines:
        reason = Reason.NO_NETWORK
    allowed = baselines if reason == Reason.GATE else everything
    of_mean = _select(allowed, MeanCases(entries, holdout, members).loss)
    return Blend(*_shares(best, entries), reason, *_shares(of_mean, entries))


def _shares(
    chosen: list[int], entries: Sequence[Entry]
) -> tuple[tuple[str, ...], tuple[float, ...]]:
    counts = {k: chosen.count(k) for k in chosen}
    names = tuple(entries[k].method for k in counts)
    return names, tuple(count / len(chosen) for count in counts.values())


def _select(allowed: list[int], loss_of: Callable[[list[int]], float]) -> list[int]:
    """Return the chosen methods, repeated by weight."""
    alone = {k: loss_of([k]) for k in allowed}
    best, first = min((loss, k) for k, loss in alone.items())
    partners = [k for k in allowed if alone[k] <= best * WORTH_MIXING]
    chosen = kept = [first] * (ROUNDS // 2)
    for _ in range(ROUNDS - len(chosen)):
        loss, added = min((loss_of([*chosen, k]), k) for k in partners)
        chosen = [*chosen, added]
        if loss < best * (1 - MIN_GAIN):
            best, kept = loss, chosen
    return kept


def score_entry(
    entry: Entry, holdout: Holdout, members: BoolArray, name: str, weight: float
) -> LeagueRow:
    """Score one method on the members of a class; formulas of `metrics`."""
    shape = entry.quantiles.shape
    whole = np.tile(holdout.whole, shape[0])
    mean, quantiles = present(
        entry.mean.reshape(-1, shape[2]), entry.quantiles.reshape(-1, *shape[2:]), whole
    )
    fine = members[None] & (holdout.scale > 0) & holdout.seen.any(axis=2)
    rows = fine.reshape(-1)
    actual = holdout.actual.reshape(-1, shape[2])[rows]
    seen = holdout.seen.reshape(-1, shape[2])[rows]
    mean, quantiles = mean[rows], quantiles[rows]
    scales = _scales_of(holdout, fine)
    spl = metrics.spl(actual, quantiles, scales, seen)
    rmsse = metrics.rmsse(actual, mean, scales, seen)
    median, alike = quantiles[..., MEDIAN], np.ones(len(actual))
    return LeagueRow(
        demand_class=name,
        method=entry.method,
        series=int(members.sum()),
        spl=metrics.weighted_mean(spl, alike),
        wspl=metrics.weighted_mean(spl, scales.recent),
        rmsse=metrics.weighted_mean(rmsse, alike),
        wrmsse=metrics.weighted_mean(rmsse, scales.recent),
        bias=metrics.bias(actual, mean, seen),
        coverage_80=metrics.coverage(actual, quantiles[..., 1], quantiles[..., -2], seen),
        weight=weight,
        wape=metrics.wape(actual, median, seen),
        mase=metrics.weighted_mean(metrics.mase(actual, median, scales, seen), alike),
        mae=metrics.mae(actual, median, seen),
        rmse=metrics.rmse(actual, mean, seen),
    )


def _scales_of(holdout: Holdout, fine: BoolArray) -> metrics.HistoryScales:
    """Return the scales of the series and origins that count; NaN where there is none."""
    step, square, season = (
        np.where(scale[fine] > 0, scale[fine], np.nan)
        for scale in (holdout.scale, holdout.square_scale, holdout.season_scale)
    )
    return metrics.HistoryScales(square, step, season, holdout.volume[fine])
