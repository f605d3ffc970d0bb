"""How a budget of CPU seconds is shared out: a part for judging, the rest for training.

Costs are counted from sizes and the measured cost of one piece of work, never from a clock: the
same budget and data give the same network, on any machine and after any interruption.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecasting.pipeline.backtest import VALIDATED
from forecasting.pipeline.contest import MIN_SERIES_PER_CLASS, Jury, JuryReason
from forecasting.pipeline.judging import MAX_CASES, thinning

if TYPE_CHECKING:
    from forecasting.pipeline.series import SeriesPanel
    from forecasting.pipeline.settings import EngineConfig

JUDGING_SHARE = 0.3
"""Of the budget, for validation and contest; where all would cost more, fewer judge."""
LEAST_TRAINING_SHARE = 0.5
"""Training keeps so much even where the fewest that may judge cost more than their share."""
FEWEST_JUDGED, FEWEST_CASES = 200, 1000
FORECAST_SECONDS = 0.00033
"""CPU seconds of a network's forecast of one series from one origin, scored."""
VALIDATED_SECONDS = 0.0002
"""The same of a series that is validated again and again and was made ready before."""
BASELINE_SECONDS = 6e-8
"""The same of a simple method, for each day it reads."""
CASE_SECONDS = 0.0001
"""To compare all blends of one class on one case."""
CELL_SECONDS = 1.5e-7
"""To clean a day of a series and to prepare the learning from it."""
DEMAND_CLASSES = 4


def choose_jury(learned: SeriesPanel, config: EngineConfig) -> Jury:
    """Return how many series judge, on how many cases a class, and why not all of them."""
    everyone = learned.n_series
    series = min(everyone, config.judged_series)
    reason: JuryReason = "all" if series == everyone else "many"
    if config.budget_seconds is None:
        return Jury(series, everyone, MAX_CASES, reason)
    whole = _judging_seconds(learned, config, series, MAX_CASES)
    share = JUDGING_SHARE * config.budget_seconds / max(whole, 1e-9)
    if share >= 1:
        return Jury(series, everyone, MAX_CASES, reason)
    judging = min(series, max(int(series * share), FEWEST_JUDGED))
    cases = max(int(MAX_CASES * share), FEWEST_CASES)
    fewer = judging < series or cases < _cases(config, judging, MAX_CASES)
    return Jury(judging, everyone, cases, "budget" if fewer else reason)


def training_seconds(learned: SeriesPanel, config: EngineConfig) -> float:
    """Return what the budget leaves for the steps of all trainings; infinite without a budget."""
    if config.budget_seconds is None:
        return float("inf")
    spent = CELL_SECONDS * learned.n_series * learned.n_days
    if config.contest:
        jury = choose_jury(learned, config)
        spent += _judging_seconds(learned, config, jury.series, jury.cases)
    left = config.budget_seconds - spent
    return max(left, LEAST_TRAINING_SHARE * config.budget_seconds)


def _judging_seconds(learned: SeriesPanel, config: EngineConfig, series: int, cases: int) -> float:
    """Return the CPU seconds of validation after every epoch, of the contest and of its choice."""
    validated = config.training.epochs * min(series, VALIDATED) * VALIDATED_SECONDS
    networks = len(config.networks) * (validated + series * FORECAST_SECONDS)
    baselines = series * BASELINE_SECONDS * len(config.baselines) * learned.n_days
    groups = 1 + min(DEMAND_CLASSES, series // MIN_SERIES_PER_CLASS)
    compared = CASE_SECONDS * groups * _cases(config, series, cases)
    return config.holdout_origins * (networks + baselines) + compared


def _cases(config: EngineConfig, series: int, most: int) -> int:
    """Return on how many cases of so many series blends are compared."""
    found = series * config.holdout_origins * config.horizon
    return found // thinning(found, most)
