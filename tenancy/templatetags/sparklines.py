"""A sparkline as server-side SVG path data: numbers in, two path strings out."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

WIDTH = 100.0
HEIGHT = 32.0
PADDING = 2.0
MOST_POINTS = 120


@dataclass(frozen=True)
class SparkPaths:
    """The line and the area under it, in a 100 x 32 view box."""

    line: str
    area: str


def spark_paths(values: Iterable[float | None]) -> SparkPaths | None:
    """Draw the values left to right with gaps where one is missing; None when nothing is known."""
    points = _thinned([_known(value) for value in values])
    known = [value for value in points if value is not None]
    if not known:
        return None
    lowest, highest = min(0.0, *known), max(known)
    span = (highest - lowest) or 1.0
    step = WIDTH / max(len(points) - 1, 1)
    floor = HEIGHT - PADDING
    runs: list[list[tuple[float, float]]] = [[]]
    for position, value in enumerate(points):
        if value is None:
            runs.append([])
            continue
        height = floor - (value - lowest) / span * (HEIGHT - 2 * PADDING)
        runs[-1].append((round(position * step, 2), round(height, 2)))
    drawn = [_widened(run) for run in runs if run]
    line = " ".join("M" + "L".join(f"{x:g} {y:g}" for x, y in run) for run in drawn)
    area = " ".join(
        f"M{run[0][0]:g} {HEIGHT:g}L"
        + "L".join(f"{x:g} {y:g}" for x, y in run)
        + f"L{run[-1][0]:g} {HEIGHT:g}Z"
        for run in drawn
    )
    return SparkPaths(line=line, area=area)


def _known(value: float | None) -> float | None:
    """Return the value as a finite float, None for a gap."""
    if value is None:
        return None
    number = float(value)
    return number if math.isfinite(number) else None


def _thinned(points: list[float | None]) -> list[float | None]:
    """Average neighbours until the line has no more points than pixels."""
    if len(points) <= MOST_POINTS:
        return points
    size = math.ceil(len(points) / MOST_POINTS)
    thinned: list[float | None] = []
    for start in range(0, len(points), size):
        known = [value for value in points[start : start + size] if value is not None]
        thinned.append(sum(known) / len(known) if known else None)
    return thinned


def _widened(run: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Give a lone point between gaps a visible width."""
    if len(run) > 1:
        return run
    x, y = run[0]
    return [(max(x - 1, 0.0), y), (min(x + 1, WIDTH), y)]
