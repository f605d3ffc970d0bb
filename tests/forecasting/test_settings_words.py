"""Settings of a training in words: every one has a name, and codes are never shown."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from forecasting.models import MissingDays, Scaling
from forecasting.pages.training_forms import TrainingChoicesForm
from forecasting.pipeline.cleaning import CleaningConfig
from forecasting.pipeline.settings import EngineConfig
from forecasting.pipeline.tuning import SPACE
from forecasting.queries.comparison import flat_settings
from forecasting.templatetags.training_settings import SETTINGS, setting_name, setting_value


def flat(config: EngineConfig) -> dict[str, Any]:
    return flat_settings(json.loads(json.dumps(config.to_json())))


def unnamed(paths: Any) -> list[str]:
    return [path for path in paths if not {path, path.rpartition(".")[2]} & set(SETTINGS)]


def test_every_setting_of_a_training_has_a_name_and_no_two_have_the_same() -> None:
    paths = list(flat(EngineConfig(tuned={"lstm": dict.fromkeys(SPACE, 0.1)})))
    assert unnamed(paths) == []
    assert unnamed([*paths, "training.new_one"]) == ["training.new_one"]  # it would be noticed
    names = [setting_name(path) for path in paths]
    assert len(set(names)) == len(names)
    used = {*paths, *(path.rpartition(".")[2] for path in paths)}
    assert set(SETTINGS) <= used  # no name of a setting that is gone


def test_codes_read_as_words_and_nothing_chosen_says_what_that_means() -> None:
    config = EngineConfig(
        networks=("lstm", "mlp"), cleaning=CleaningConfig(outliers=None), budget_seconds=200.0
    )
    told = {path: setting_value(value, path) for path, value in flat(config).items()}
    assert told["networks"] == "LSTM network, MLP network"
    assert told["baselines"].startswith("Same weekday last week, ")
    assert (told["cleaning.missing"], told["cleaning.outliers"]) == ("Leave them out", "never")
    assert (told["scaling"], told["contest"]) == ("The product's recent level", "yes")
    assert (told["budget_seconds"], told["training.learning_rate"]) == ("3 min 20 s", "0.003")
    assert not [path for path, words in told.items() if "_" in words]
    other = replace(config, cleaning=CleaningConfig(outliers=12.25), budget_seconds=None)
    changed = {path: setting_value(value, path) for path, value in flat(other).items()}
    assert changed["cleaning.outliers"] == "12.25 usual swings"
    assert changed["budget_seconds"] == "no limit"
    # the same code means one thing of days and another of scales
    assert setting_value("mean", "scaling") == Scaling.MEAN.label
    assert setting_value("mean", "cleaning.missing") == MissingDays.MEAN.label


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("tuned.lstm.hidden", "LSTM network, found by tuning: hidden units"),
        ("training.windows.batch", "batch"),
        ("training.gone_since", "gone since"),  # of a training of long ago
    ],
)
def test_a_setting_is_named_by_its_path_or_its_last_part(path: str, words: str) -> None:
    assert setting_name(path) == words


def test_the_form_calls_settings_as_the_comparison_does() -> None:
    labels = {name: str(field.label) for name, field in TrainingChoicesForm.base_fields.items()}
    assert labels["outlier_threshold"] == setting_name("cleaning.outliers").capitalize()
    assert labels["missing_days"] == "Days nobody saw"
