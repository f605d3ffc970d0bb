"""What is trained and how it is chosen, and how much work the data is worth."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecasting.pipeline.budgets import choose_jury, training_seconds
from forecasting.pipeline.cleaning import CleaningConfig
from forecasting.pipeline.scaling import ScaleKind
from forecasting.pipeline.series import HORIZON_DAYS, SeriesPanel
from forecasting.pipeline.training import TrainedNetwork, TrainingConfig
from forecasting.pipeline.windows import WindowConfig

DEFAULT_BASELINES = (
    "seasonal_naive",
    "moving_average",
    "empirical_quantiles",
    "empirical_weekday",
    "croston",
    "sba",
    "tsb",
    "exponential_smoothing",
    "theta",
)
STEPS_PER_ROOT_DAY = 0.65
MIN_STEPS, MAX_STEPS = 112, 1200
FEW_DAYS = 500_000
FEW_DAYS_WINDOWS = {"batch": 16, "emits": 7}
FEW_DAYS_STEPS = 2.04
"""Up to so many observed days, more steps on a third of the forecasts each teach better; with more
days they see too little, see decisions 0040 and 0048. Where there is little to learn Muon learns
chance by heart: AdamW is 0.3 % better there, see decision 0046."""
WEEK = 7
SIMPLE_DAYS = 28
"""What a simple method reads before it is judged where no network can be trained yet."""
FEWEST_CASES = 30
"""Series times origins that judge simple methods at least: with fewer the best one of the last
weeks is the luckiest, see decision 0054."""
LEARNING_DAYS = 84
"""What a network learns from before it is judged; with fewer days one origin has to do."""
FEW_LEARNING_DAYS, FEW_JUDGED_DAYS = 42, 14
"""The same for a tenant of its first weeks."""
SMALL_HOLDOUT = 0.1
"""A holdout below this share of the days is not worth a second training: what was judged serves."""
CONTINUED_EPOCHS = 3
CONTINUED_RATE = 1 / 3
"""With many days, what was judged goes on learning for so many epochs at so much of its learning
rate; with few, the held-out days are too large a part to be added so quickly."""
STEP_SECONDS, EMIT_SECONDS = 0.003, 0.00017
"""CPU seconds of one training step, and of each forecast emitted in it, with the default sizes;
only used to keep to a budget."""
WHOLE_SETTINGS = ("batch", "context_days", "hidden")
WINDOW_SETTINGS = ("batch", "context_days", "jitter", "rescale")
PRESETS: dict[str, dict[str, Any]] = {
    "linear": {"bins": 0, "optimizer": "adamw"},
    "mlp": {"volume_share": 0.3},
    "article": {
        "hidden": 50,
        "decoder": 64,
        "bins": 0,
        "optimizer": "adamw",
        "layers": 2,
        "mean_loss": "squared",
        "mean_weight": 1.0,
        "learning_rate": 1e-3,
        "ema": 0.0,
        "windows": WindowConfig(context_days=60, span_days=28, emits=7, batch=32),
    },
}
"""What a name changes in the training's config. The MLP learns for the many small series, the LSTM
for volume: a blend has need of both. `article`: windows of 60 days, two LSTM layers of 50, squared
error, Adam, batches of 32; trained on all series at once, as long as the others, in multiples of
the tenant's scale instead of min-max, told demand and not stock, with our decoder's quantiles."""


@dataclass(frozen=True)
class EngineConfig:
    """What is trained and how it is chosen; kept in the artefact.

    budget_seconds bounds the CPU seconds of the whole fit, by fewer steps and a smaller jury, not
    by a clock, so that the same budget gives the same network.
    """

    networks: tuple[str, ...] = ("lstm", "mlp")
    baselines: tuple[str, ...] = DEFAULT_BASELINES
    contest: bool = True
    holdout_origins: int = 2
    judged_series: int = 3000
    """So many series, drawn at random where there are more, judge networks and baselines."""
    horizon: int = HORIZON_DAYS
    cleaning: CleaningConfig = field(default_factory=CleaningConfig)
    scaling: ScaleKind = ScaleKind.LEVEL
    """What the networks' demand is divided by."""
    training: TrainingConfig = field(default_factory=TrainingConfig)
    budget_seconds: float | None = None
    seed: int = 0
    tuned: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Settings that a search found better, by network."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"training": self.training.to_json()}

    def with_networks(self, names: tuple[str, ...]) -> "EngineConfig":
        """Return the same config with other networks."""
        return replace(self, networks=tuple(dict.fromkeys(names)))

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "EngineConfig":
        return cls(
            **{
                **data,
                "networks": tuple(data["networks"]),
                "baselines": tuple(data["baselines"]),
                "cleaning": CleaningConfig(**data["cleaning"]),
                "scaling": ScaleKind(data["scaling"]),
                "training": TrainingConfig.from_json(data["training"]),
            }
        )


def holdout_days(learned: SeriesPanel, config: EngineConfig) -> list[date]:
    """Return the validation origins, oldest first: as many as leave enough days to learn from.

    Where not even one does, the last days alone judge, fewer than a horizon.
    """
    days = float(np.median(learned.n_days - learned.begins))
    count = min(config.holdout_origins, int((days - LEARNING_DAYS) // config.horizon))
    if count > 0:
        return _days_back(learned, config.horizon, count)
    few = min(FEW_JUDGED_DAYS, config.horizon)
    enough = config.holdout_origins > 0 and days >= FEW_LEARNING_DAYS + few
    return _days_back(learned, few, 1) if enough else []


def simple_holdout(learned: SeriesPanel, config: EngineConfig) -> list[date]:
    """Return the origins on which simple methods alone are judged, oldest first.

    By a horizon at most, of whole weeks, as many as leave them SIMPLE_DAYS to learn from; with few
    series from earlier origins too. None where so little came that chance would decide.
    """
    days = float(np.median(learned.n_days - learned.begins))
    room = int((days - SIMPLE_DAYS) // WEEK) * WEEK
    back = min(config.horizon, room)
    if back <= 0:
        return []
    wanted = max(config.holdout_origins, -(-FEWEST_CASES // learned.n_series))
    count = min(wanted, room // back)
    return _days_back(learned, back, count) if count * learned.n_series >= FEWEST_CASES else []


def _days_back(learned: SeriesPanel, days: int, count: int) -> list[date]:
    return [learned.last_day - timedelta(days=days * k) for k in range(count, 0, -1)]


def is_trained_again(learned: SeriesPanel, config: EngineConfig) -> bool:
    """Tell whether what was judged is worth teaching the held-out days as well."""
    held_out = len(holdout_days(learned, config)) * config.horizon
    return held_out >= SMALL_HOLDOUT * learned.n_days


def judged_rows(learned: SeriesPanel, config: EngineConfig) -> NDArray[np.intp]:
    """Return which series judge: all, or as many as config and budget say, drawn by the seed."""
    everyone = np.arange(learned.n_series)
    count = choose_jury(learned, config).series
    if count == learned.n_series:
        return everyone
    rng = np.random.default_rng(config.seed)
    return np.sort(rng.choice(everyone, count, replace=False))


def training_config(config: EngineConfig, network: str, learned: SeriesPanel) -> TrainingConfig:
    """Set windows and number of steps by the data there is and by the budget.

    A batch or a number of emits that somebody chose stays as it is.
    """
    many = has_many_days(learned)
    days = float(learned.observed.sum())
    steps = float(np.clip(STEPS_PER_ROOT_DAY * days**0.5, MIN_STEPS, MAX_STEPS))
    base = replace(config.training, **PRESETS.get(network, {}))
    usual = WindowConfig()
    chosen = (base.windows.batch, base.windows.emits) != (usual.batch, usual.emits)
    if not many:
        base = replace(base, optimizer="adamw")
        if not chosen:
            base = replace(base, windows=replace(base.windows, **FEW_DAYS_WINDOWS))
            steps *= FEW_DAYS_STEPS
    if config.budget_seconds is not None:
        again = CONTINUED_EPOCHS / base.epochs if many else 1.0
        again *= config.contest and is_trained_again(learned, config)
        trainings = len(config.networks) * (1 + again)
        each = STEP_SECONDS + EMIT_SECONDS * base.windows.batch * base.windows.emits
        steps = min(steps, training_seconds(learned, config) / each / trainings)
    per_epoch = max(round(steps / base.epochs), 1)
    sized = replace(base, network=network, steps_per_epoch=per_epoch, seed=config.seed * 10)
    return apply_settings(sized, config.tuned.get(network, {}))


def has_many_days(learned: SeriesPanel) -> bool:
    """Tell whether there are more observed days than small batches serve."""
    return int(learned.observed.sum()) > FEW_DAYS


def final_config(judged: TrainedNetwork, *, goes_on: bool) -> TrainingConfig:
    """Return how to train on all days what was judged without the last ones, anew or going on."""
    config = replace(judged.config, seed=judged.config.seed + 1)
    if not goes_on:
        return replace(config, stop_after=judged.best_epoch)
    rate = config.learning_rate * CONTINUED_RATE
    return replace(config, epochs=CONTINUED_EPOCHS, learning_rate=rate)


def apply_settings(config: TrainingConfig, chosen: Mapping[str, float]) -> TrainingConfig:
    """Return the config with settings by name; as many windows are seen whatever the batch."""
    whole: dict[str, Any] = {n: int(v) if n in WHOLE_SETTINGS else v for n, v in chosen.items()}
    own = {name: value for name, value in whole.items() if name not in WINDOW_SETTINGS}
    of_windows = {name: value for name, value in whole.items() if name in WINDOW_SETTINGS}
    windows = replace(config.windows, **of_windows)
    steps = max(round(config.steps_per_epoch * config.windows.batch / windows.batch), 1)
    return replace(config, **own, windows=windows, steps_per_epoch=steps)
