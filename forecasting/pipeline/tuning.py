"""The search for better settings of a network, within a budget of CPU time.

`tune(panel, origin, search, ...)` trains with one choice of settings after the other on days up to
the first holdout origin and scores each on the holdout, as the contest does: nothing after `origin`
is used. The first trial is what would be trained without a search, so that the best is never worse
than that on the holdout. Optuna proposes (tree-structured Parzen estimator) and ends hopeless
trials early (median of the earlier ones after each epoch). Each proposal depends on the seed and
the trials before it alone: a search that goes on from stored trials makes the same proposals as one
that was never interrupted.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

import numpy as np
import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
)
from optuna.trial import FrozenTrial, TrialState, create_trial

from forecasting.pipeline.backtest import make_holdout, stores_at, validator
from forecasting.pipeline.compute import use_one_core
from forecasting.pipeline.feature_plan import plan_features
from forecasting.pipeline.features import FeatureStore
from forecasting.pipeline.known import known_at
from forecasting.pipeline.networks import ForecastNetwork
from forecasting.pipeline.series import SeriesPanel
from forecasting.pipeline.settings import (
    EngineConfig,
    apply_settings,
    holdout_days,
    judged_rows,
    training_config,
)
from forecasting.pipeline.training import (
    Callbacks,
    EpochReport,
    TrainingConfig,
    TrainingDiverged,
    train_network,
)
from forecasting.pipeline.triage import enough_to_train, sanitise, trainable, triage

SPACE: Mapping[str, BaseDistribution] = {
    "learning_rate": FloatDistribution(5e-4, 1e-2, log=True),
    "batch": CategoricalDistribution((16, 32, 64, 128)),
    "hidden": CategoricalDistribution((32, 48, 64, 96)),
    "dropout": FloatDistribution(0.0, 0.3),
    "weight_decay": FloatDistribution(1e-6, 1e-2, log=True),
    "l1": FloatDistribution(1e-8, 1e-4, log=True),
    "context_days": CategoricalDistribution((28, 56, 91)),
    "jitter": FloatDistribution(0.0, 0.2),
    "rescale": FloatDistribution(0.0, 0.5),
}
"""What is searched: Optuna's names are those of `TrainingConfig` and `WindowConfig`."""
UNSAID: Mapping[str, float] = {"jitter": 0.0, "rescale": 0.0}
"""What a stored trial of an earlier version did not say."""
RANDOM_TRIALS = 6
WARM_TRIALS, WARM_EPOCHS = 3, 2
"""No trial is ended early before so many are complete, nor before so many epochs."""
MOST_TRIALS = 200
COMPLETE, PRUNED, DIVERGED = "complete", "pruned", "diverged"

Settings = dict[str, float | int]


class NothingToTune(ValueError):
    """Too little history to train a network and hold days out."""


@dataclass(frozen=True)
class Trial:
    """One choice of settings; losses: [epochs done] on the holdout, the best of them is `loss`."""

    number: int
    settings: Settings
    state: str
    losses: tuple[float, ...]
    cpu_seconds: float

    @property
    def loss(self) -> float | None:
        """The least validation loss of an epoch; None before the first."""
        return min(self.losses, default=None)

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"losses": [round(one, 6) for one in self.losses]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Trial":
        return cls(
            number=int(data["number"]),
            settings=dict(data["settings"]),
            state=str(data["state"]),
            losses=tuple(data["losses"]),
            cpu_seconds=float(data["cpu_seconds"]),
        )


@dataclass(frozen=True)
class Search:
    """What is tuned and for how long. earlier: the trials of a search that goes on."""

    network: str
    budget_seconds: float
    config: EngineConfig = field(default_factory=EngineConfig)
    earlier: tuple[Trial, ...] = ()
    most_trials: int = MOST_TRIALS


@dataclass(frozen=True)
class Watch:
    """How a caller follows a search.

    cpu_seconds: a clock of CPU time. should_stop is asked between epochs; a trial under way is
    given up then, those before it are kept.
    """

    cpu_seconds: Callable[[], float]
    on_trial: Callable[[Trial], None]
    on_epoch: Callable[[int, EpochReport], None] | None = None
    should_stop: Callable[[], bool] | None = None


class _Stopped(Exception):
    """The caller asked to stop, or the budget is spent."""


class _Hopeless(Exception):
    """The trial is worse than half of those before it were after as many epochs."""


@dataclass(frozen=True)
class _Ground:
    """What every trial is trained and judged on."""

    store: FeatureStore
    base: TrainingConfig
    validate: Callable[[TrainingConfig], Callable[[ForecastNetwork], float]]


def tune(panel: SeriesPanel, origin: date, search: Search, watch: Watch) -> list[Trial]:
    """Search until the budget is spent and return all trials, the earlier ones included.

    Raises NothingToTune, UnknownNetwork.
    """
    use_one_core()
    ground = _prepare(panel, origin, search)
    trials = list(search.earlier)
    began = watch.cpu_seconds() - sum(trial.cpu_seconds for trial in trials)
    while len(trials) < search.most_trials:
        if watch.cpu_seconds() - began >= search.budget_seconds:
            break
        study = _study(search.config.seed, trials)
        asked = study.ask(dict(SPACE)) if trials else None
        chosen = dict(asked.params) if asked else settings_of(ground.base)
        try:
            trial = _try(len(trials), chosen, ground, watch, (trials, began, search.budget_seconds))
        except _Stopped:
            break
        trials.append(trial)
        watch.on_trial(trial)
    return trials


def best_trial(trials: Sequence[Trial]) -> Trial | None:
    """Return the trial with the lowest loss on the holdout; None before any is complete."""
    complete = [trial for trial in trials if trial.state == COMPLETE and trial.losses]
    return min(complete, key=lambda trial: min(trial.losses), default=None)


def settings_of(config: TrainingConfig) -> Settings:
    """Return the settings of a config that are searched, moved into the space."""
    found: Settings = {
        "learning_rate": config.learning_rate,
        "batch": config.windows.batch,
        "hidden": config.hidden,
        "dropout": config.dropout,
        "weight_decay": config.weight_decay,
        "l1": config.l1,
        "context_days": config.windows.context_days,
        "jitter": config.windows.jitter,
        "rescale": config.windows.rescale,
    }
    return {name: _inside(SPACE[name], value) for name, value in found.items()}


def _inside(space: BaseDistribution, value: float) -> float | int:
    if isinstance(space, FloatDistribution):
        return float(np.clip(value, space.low, space.high))
    return min(_choices(space), key=lambda one: abs(one - value))


def _choices(space: BaseDistribution) -> list[int]:
    assert isinstance(space, CategoricalDistribution)  # noqa: S101  the space has no third kind
    return [one for one in space.choices if isinstance(one, int)]


def _prepare(panel: SeriesPanel, origin: date, search: Search) -> _Ground:
    config = search.config.with_networks((search.network,))
    known, spoiled = sanitise(known_at(panel, origin, config.horizon, config.cleaning))
    usable = trainable(known, triage(known, spoiled))
    if not enough_to_train(known, usable):
        raise NothingToTune
    learned = known.select(np.flatnonzero(usable))
    origins = holdout_days(learned, config)
    if not origins:
        raise NothingToTune
    plan = plan_features(learned, config.horizon, config.scaling)
    base = training_config(config, search.network, learned)
    jury = learned.select(judged_rows(learned, config))
    longest = max(_choices(SPACE["context_days"])) + base.windows.span_days
    holdout = make_holdout(jury, origins, config.horizon)
    stores = stores_at(jury, origins, plan, longest)
    return _Ground(
        store=FeatureStore(learned.up_to(origins[0], config.horizon), plan),
        base=base,
        validate=lambda setting: validator(holdout, stores, setting),
    )


def _try(
    number: int,
    chosen: Settings,
    ground: _Ground,
    watch: Watch,
    so_far: tuple[Sequence[Trial], float, float],
) -> Trial:
    """Train with these settings; raise _Stopped when nothing of the trial may be kept."""
    earlier, began, budget = so_far
    config = apply_settings(ground.base, chosen)
    losses: list[float] = []
    started = watch.cpu_seconds()

    def on_epoch(report: EpochReport) -> None:
        losses.append(report.validation_loss)
        if watch.on_epoch:
            watch.on_epoch(number, report)
        if _is_hopeless(losses, earlier):
            raise _Hopeless

    def should_stop() -> bool:
        asked = watch.should_stop is not None and watch.should_stop()
        if asked or watch.cpu_seconds() - began >= budget:
            raise _Stopped
        return False

    state = COMPLETE
    try:
        train_network(
            ground.store,
            config,
            Callbacks(on_epoch=on_epoch, should_stop=should_stop),
            ground.validate(config),
        )
    except _Hopeless:
        state = PRUNED
    except TrainingDiverged:
        state = DIVERGED
    spent = round(watch.cpu_seconds() - started, 3)
    return Trial(number, chosen, state, tuple(round(one, 6) for one in losses), spent)


def _is_hopeless(losses: Sequence[float], earlier: Sequence[Trial]) -> bool:
    """Tell whether the best so far is above the median of the complete trials' at this epoch."""
    done = len(losses)
    others = [
        min(trial.losses[:done])
        for trial in earlier
        if trial.state == COMPLETE and len(trial.losses) >= done
    ]
    if done < WARM_EPOCHS or len(others) < WARM_TRIALS:
        return False
    return bool(min(losses) > float(np.median(others)))


def _study(seed: int, trials: Sequence[Trial]) -> optuna.Study:
    """Return a study that knows the trials so far, its chance made from them alone."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.TPESampler(
        seed=seed * MOST_TRIALS + len(trials), n_startup_trials=RANDOM_TRIALS
    )
    study = optuna.create_study(sampler=sampler)
    study.add_trials([_frozen(trial) for trial in trials])
    return study


def _frozen(trial: Trial) -> FrozenTrial:
    value = trial.loss
    chosen = {**UNSAID, **trial.settings}
    if trial.state == DIVERGED or value is None:
        return create_trial(state=TrialState.FAIL, params=chosen, distributions=dict(SPACE))
    # a trial that was ended early still tells how good its settings at least looked
    return create_trial(value=value, params=chosen, distributions=dict(SPACE))


__all__ = [
    "COMPLETE",
    "DIVERGED",
    "PRUNED",
    "SPACE",
    "NothingToTune",
    "Search",
    "Trial",
    "Watch",
    "best_trial",
    "settings_of",
    "tune",
]
