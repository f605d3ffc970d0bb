"""The score after every epoch: of some series, evenly spread, whose past is read once."""

import numpy as np
import pytest

from forecasting.pipeline import backtest
from forecasting.pipeline.feature_plan import plan_features
from forecasting.pipeline.training import new_network
from tests.forecasting.pipeline.worlds import TINY, day, make_panel

ORIGINS = [day(140), day(168)]


@pytest.fixture(scope="module")
def held_out():
    panel = make_panel()
    plan = plan_features(panel.up_to(ORIGINS[0]), 28)
    made = {}
    for name, rows in (("all", np.arange(12)), ("every third", np.arange(0, 12, 3))):
        some = panel.select(rows)
        made[name] = (
            backtest.make_holdout(some, ORIGINS, plan.horizon),
            backtest.stores_at(some, ORIGINS, plan, TINY.reading_days),
        )
    return made


def test_where_there_are_too_many_series_every_nth_one_is_scored(held_out, monkeypatch):
    network = new_network(held_out["all"][1][0], TINY).eval()
    alone = backtest.validator(*held_out["every third"], TINY)(network)
    whole = backtest.validator(*held_out["all"], TINY)(network)
    monkeypatch.setattr(backtest, "VALIDATED", 4)
    assert backtest.validator(*held_out["all"], TINY)(network) == pytest.approx(alone)
    assert whole != pytest.approx(alone)


def test_what_a_network_reads_is_made_ready_once_for_all_epochs(held_out, monkeypatch):
    read = []
    last_blocks = backtest.last_blocks
    monkeypatch.setattr(
        backtest, "last_blocks", lambda *given: read.append(given) or last_blocks(*given)
    )
    network = new_network(held_out["all"][1][0], TINY).eval()
    score = backtest.validator(*held_out["all"], TINY)
    assert score(network) == score(network)
    assert len(read) == len(ORIGINS)
