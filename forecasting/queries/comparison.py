"""Two trainings side by side: what differed, and how each method did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from forecasting.models import TrainedNetwork
from forecasting.queries.training import ALL_CLASSES, LeagueTable, league_tables

LEAST_BEHIND = 0.00005
"""Share of the loss; what is less reads 0.00%."""


@dataclass(frozen=True)
class MethodLine:
    """A method's weighted loss in both contests; change: of the second against the first."""

    method: str
    first: float | None
    second: float | None

    @property
    def change(self) -> float | None:
        if not self.first or self.second is None:
            return None
        return self.second / self.first - 1


@dataclass(frozen=True)
class Difference:
    """A setting of the training that is not the same in both."""

    name: str
    first: Any
    second: Any


def compare_methods(first: TrainedNetwork, second: TrainedNetwork) -> list[MethodLine]:
    """Return every method that took part in one of the contests, over all products."""
    one, other = _losses(first), _losses(second)
    lines = [MethodLine(name, one.get(name), other.get(name)) for name in {**one, **other}]
    return sorted(lines, key=lambda line: (line.second is None, line.second or line.first or 0.0))


def _losses(network: TrainedNetwork) -> dict[str, float]:
    return {
        row["method"]: row["wspl"]
        for row in network.league.get("rows", [])
        if row["demand_class"] == ALL_CLASSES and row["wspl"] is not None
    }


def compare_settings(first: TrainedNetwork, second: TrainedNetwork) -> list[Difference]:
    """Return the settings that differ, nested ones by their path."""
    one, other = flat_settings(first.config), flat_settings(second.config)
    return [
        Difference(name, one.get(name), other.get(name))
        for name in sorted({*one, *other})
        if one.get(name) != other.get(name)
    ]


def flat_settings(config: dict[str, Any], before: str = "") -> dict[str, Any]:
    """Return the settings of a training by their path: `training.windows.batch`."""
    found: dict[str, Any] = {}
    for name, value in config.items():
        if isinstance(value, dict):
            found |= flat_settings(value, f"{before}{name}.")
        else:
            found[before + name] = value
    return found


@dataclass(frozen=True)
class ServingLine:
    """Who serves a demand class, and why.

    mean_shares: who makes the mean, where that is not who makes the range; else empty.
    behind: the method of the lowest wSPL in the league table, and by what share of it that of who
    serves is larger; None where nobody's is lower (to a hundredth of a percent).
    """

    demand_class: str
    reason: str
    shares: list[tuple[str, float]]
    mean_shares: list[tuple[str, float]]
    behind: tuple[str, float] | None = None


def who_serves(network: TrainedNetwork) -> list[ServingLine]:
    """Return the methods that serve each demand class with their weights: the gate's verdict."""
    blends: dict[str, dict[str, Any]] = network.league.get("blends", {})
    order = sorted(blends, key=lambda name: (name != ALL_CLASSES, name))
    tables = {table.demand_class: table for table in league_tables(network)}
    return [_serving_line(name, blends[name], tables.get(name)) for name in order]


def _serving_line(name: str, blend: dict[str, Any], table: LeagueTable | None) -> ServingLine:
    shares = list(zip(blend["methods"], blend["weights"], strict=True))
    of_mean = list(zip(blend.get("mean_methods", ()), blend.get("mean_weights", ()), strict=True))
    differs = sorted(of_mean) != sorted(shares)
    reason, means = str(blend.get("reason", "")), of_mean if differs else []
    return ServingLine(name, reason, shares, means, _behind(table))


def _behind(table: LeagueTable | None) -> tuple[str, float] | None:
    """Return whose loss is lower than that of who serves, and by how much.

    Who serves was chosen by a loss in which every series counts half alike and half by its volume,
    on at most so many days; a network must beat the simple methods clearly. The table counts by
    volume alone, on all days: what was chosen may stand a little behind there.
    """
    serving, best = (table.serving, table.lines[0]) if table else (None, None)
    if serving is None or best is None or not serving.wspl or not best.wspl:
        return None
    share = serving.wspl / best.wspl - 1
    return (best.method, share) if share >= LEAST_BEHIND else None
