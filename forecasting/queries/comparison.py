"""Two trainings side by side: what differed, and how each method did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from forecasting.models import TrainedNetwork
from forecasting.queries.training import ALL_CLASSES


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
    """

    demand_class: str
    reason: str
    shares: list[tuple[str, float]]
    mean_shares: list[tuple[str, float]]


def who_serves(network: TrainedNetwork) -> list[ServingLine]:
    """Return the methods that serve each demand class with their weights: the gate's verdict."""
    blends: dict[str, dict[str, Any]] = network.league.get("blends", {})
    order = sorted(blends, key=lambda name: (name != ALL_CLASSES, name))
    return [_serving_line(name, blends[name]) for name in order]


def _serving_line(name: str, blend: dict[str, Any]) -> ServingLine:
    shares = list(zip(blend["methods"], blend["weights"], strict=True))
    of_mean = list(zip(blend.get("mean_methods", ()), blend.get("mean_weights", ()), strict=True))
    differs = sorted(of_mean) != sorted(shares)
    return ServingLine(name, str(blend.get("reason", "")), shares, of_mean if differs else [])
