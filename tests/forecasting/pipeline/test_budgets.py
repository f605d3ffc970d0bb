"""A budget bounds the whole fit: a clock that counts the work done says what it would have cost."""

from dataclasses import replace

import numpy as np
import pytest

from forecasting.pipeline import backtest, budgets, contest, engine, settings, training
from forecasting.pipeline.budgets import choose_jury
from forecasting.pipeline.contest import ContestResult
from forecasting.pipeline.engine import EngineConfig, fit
from forecasting.pipeline.judging import MAX_CASES
from forecasting.pipeline.series import QUANTILES
from forecasting.pipeline.settings import (
    CONTINUED_EPOCHS,
    EMIT_SECONDS,
    STEP_SECONDS,
    judged_rows,
)
from forecasting.pipeline.training import Callbacks
from tests.forecasting.pipeline.worlds import TINY, day, make_panel

SERIES, DAYS = 800, 172
BUDGET = 11
CONFIG = EngineConfig(baselines=("seasonal_naive", "empirical_quantiles"))


@pytest.fixture(scope="module")
def panel():
    return make_panel(SERIES, DAYS)


@pytest.fixture
def clock(monkeypatch):
    """Count CPU seconds by the work that is done, without doing its arithmetic."""
    asked = []
    spent = {"training": 0.0, "networks": 0.0, "baselines": 0.0, "choice": 0.0}

    def run_epoch(state, store, config, epoch):
        windows = config.windows
        each = STEP_SECONDS + EMIT_SECONDS * windows.batch * windows.emits
        spent["training"] += each * config.steps_per_epoch
        return 1.0

    def everywhere(value, series, horizon):
        mean = np.full((series, horizon), value)
        return mean, np.repeat(mean[..., None], len(QUANTILES), axis=2)

    def predict_with(networks, store, length):
        spent["networks"] += budgets.FORECAST_SECONDS * store.n_series * len(networks)
        both = (3.0, 10.0)  # too low and too high: together they are best, so both are kept
        return [
            everywhere(both[k], store.n_series, store.plan.horizon) for k in range(len(networks))
        ]

    def predict_blocks(networks, blocks):
        series = sum(len(block.rows) for block in blocks)
        spent["networks"] += budgets.VALIDATED_SECONDS * series
        asked.append(series)
        return [everywhere(1000 / len(asked), series, blocks[0].target.shape[-1])]  # ever better

    def run_baseline(name, known, horizon):
        spent["baselines"] += budgets.BASELINE_SECONDS * known.n_series * known.n_days
        mean = np.full((known.n_series, horizon), 5000.0)
        return mean, np.repeat(mean[..., None], len(QUANTILES), axis=2)

    gather = contest.Cases.gather

    def gathered(*args):
        cases = gather(*args)
        spent["choice"] += budgets.CASE_SECONDS * len(cases.actual)
        some = slice(50)
        quantiles = [one[some] for one in cases.quantiles]
        return contest.Cases(quantiles, cases.actual[some], cases.weight[some], cases.whole[some])

    monkeypatch.setattr(training, "_run_epoch", run_epoch)
    monkeypatch.setattr(backtest, "predict_with", predict_with)
    monkeypatch.setattr(backtest, "predict_blocks", predict_blocks)
    monkeypatch.setattr(engine, "run_baseline", run_baseline)
    monkeypatch.setattr(contest.Cases, "gather", gathered)
    return spent


def cost_of(panel, config, clock):
    seconds = Callbacks(cpu_seconds=lambda: sum(clock.values()))
    fitted = fit(panel, day(DAYS - 1), config, seconds)
    return fitted, fitted.cpu_seconds


def test_the_whole_fit_keeps_to_its_budget_and_says_who_judged(panel, clock):
    config = replace(CONFIG, budget_seconds=BUDGET)
    fitted, cost = cost_of(panel, config, clock)
    assert cost <= 1.15 * BUDGET
    assert cost >= 0.8 * BUDGET
    assert clock["training"] >= 0.5 * BUDGET
    jury = fitted.contest.jury
    assert (jury.reason, jury.of) == ("budget", SERIES)
    assert 200 <= jury.series < SERIES
    assert jury.cases < MAX_CASES
    assert ContestResult.from_json(fitted.contest.to_json()) == fitted.contest
    assert len(judged_rows(panel, config)) == jury.series


def test_many_days_are_taught_on_from_what_was_judged_within_the_same_budget(
    panel, clock, monkeypatch
):
    monkeypatch.setattr(settings, "FEW_DAYS", 0)
    large = 25.0  # enough for several large batches an epoch
    fitted, cost = cost_of(panel, replace(CONFIG, budget_seconds=large), clock)
    # counted as two whole trainings each, it would spend 0.59 of it
    assert 0.75 * large <= cost <= 1.15 * large
    assert {member.network.config.epochs for member in fitted.members} == {CONTINUED_EPOCHS}


def test_control_with_everyone_judging_the_same_budget_is_overdrawn(panel, clock, monkeypatch):
    monkeypatch.setattr(budgets, "JUDGING_SHARE", 1e9)
    fitted, cost = cost_of(panel, replace(CONFIG, budget_seconds=BUDGET), clock)
    assert fitted.contest.jury.reason == "all"
    assert cost > 1.5 * BUDGET


def test_without_a_budget_or_with_a_large_one_everyone_may_judge(panel):
    for seconds in (None, 10_000.0):
        jury = choose_jury(panel, replace(CONFIG, budget_seconds=seconds))
        assert (jury.series, jury.cases, jury.reason) == (SERIES, MAX_CASES, "all")
    few = choose_jury(panel, replace(CONFIG, judged_series=300))
    assert (few.series, few.reason) == (300, "many")


def test_the_smallest_budget_still_trains_and_judges(panel, clock):
    config = replace(CONFIG, training=TINY, budget_seconds=0.1)
    fitted, _cost = cost_of(panel, config, clock)
    assert fitted.contest.jury.series == budgets.FEWEST_JUDGED
    assert clock["training"] > 0
