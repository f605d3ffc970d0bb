"""The one door to the pipeline: `fit` a panel, `forecast` from any origin, keep it as bytes.

fitted = fit(panel, origin, EngineConfig())
forecast = fitted.forecast(panel, origin)
data = fitted.to_bytes(); fitted = FittedForecaster.from_bytes(data)
"""

from collections.abc import Sequence
from datetime import date

import numpy as np

from forecasting.pipeline.backtest import (
    Member,
    make_holdout,
    run_baseline,
    run_networks,
    stores_at,
    validator,
)
from forecasting.pipeline.budgets import choose_jury
from forecasting.pipeline.compute import use_one_core
from forecasting.pipeline.contest import ALL_CLASSES, Blend, ContestResult, hold_contest
from forecasting.pipeline.feature_plan import FeaturePlan, plan_features
from forecasting.pipeline.features import FeatureStore
from forecasting.pipeline.forecaster import FALLBACK, FittedForecaster, ForecastRefused
from forecasting.pipeline.judging import Entry
from forecasting.pipeline.known import known_at
from forecasting.pipeline.series import (
    Reason,
    SeriesPanel,
)
from forecasting.pipeline.settings import (
    EngineConfig,
    final_config,
    has_many_days,
    holdout_days,
    is_trained_again,
    judged_rows,
    simple_holdout,
    training_config,
)
from forecasting.pipeline.training import (
    Callbacks,
    EpochReport,
    TrainedNetwork,
    TrainingConfig,
    train_network,
)
from forecasting.pipeline.triage import (
    enough_to_train,
    sanitise,
    trainable,
    triage,
)

__all__ = ["EngineConfig", "FittedForecaster", "ForecastRefused", "fit"]

NO_CALLBACKS = Callbacks()
DEFAULTS = EngineConfig()


def fit(
    panel: SeriesPanel,
    origin: date,
    config: EngineConfig = DEFAULTS,
    callbacks: Callbacks = NO_CALLBACKS,
) -> FittedForecaster:
    """Train the networks on days up to `origin`, hold the contest, and return what will serve.

    Too little data is no error: the baselines serve then, with their reason. Raises TrainingStopped
    when the caller asks to stop, TrainingDiverged, UnknownNetwork.
    """
    use_one_core()
    started = callbacks.cpu_seconds() if callbacks.cpu_seconds else None
    known, spoiled = sanitise(known_at(panel, origin, config.horizon, config.cleaning))
    usable = trainable(known, triage(known, spoiled))
    learned = known.select(np.flatnonzero(usable)) if usable.any() else known
    plan = plan_features(learned, config.horizon, config.scaling)
    if not enough_to_train(known, usable) or not config.networks:
        contest = _simple_contest(known.select(np.flatnonzero(usable)), config)
        return FittedForecaster(config, origin, plan, (), contest, (), None)
    origins = holdout_days(learned, config)
    settings = [training_config(config, name, learned) for name in config.networks]
    if not config.contest or not origins:
        members, history = _train_final(learned, plan, settings, [None] * len(settings), callbacks)
        contest = _uncontested(config)
    else:
        members, history, contest = _train_and_judge(
            learned, plan, config, settings, origins, callbacks
        )
    ended = callbacks.cpu_seconds() if callbacks.cpu_seconds else None
    spent = ended - started if started is not None and ended is not None else None
    served = set(contest.methods)
    members = tuple(member for member in members if member.method in served)
    return FittedForecaster(config, origin, plan, members, contest, history, spent)


def _train_and_judge(
    learned: SeriesPanel,
    plan: FeaturePlan,
    config: EngineConfig,
    settings: list[TrainingConfig],
    origins: list[date],
    callbacks: Callbacks,
) -> tuple[tuple[Member, ...], tuple[EpochReport, ...], ContestResult]:
    """Train without the holdout, hold the contest on it, then train on all days what won."""
    store = FeatureStore(learned.up_to(origins[0], config.horizon), plan)
    jury = learned.select(judged_rows(learned, config))
    holdout = make_holdout(jury, origins, config.horizon)
    stores = stores_at(jury, origins, plan, max(s.reading_days for s in settings))
    judged: list[Member] = []
    history: list[EpochReport] = []
    for setting in settings:
        _announce(callbacks, f"holdout {setting.network}")
        network = train_network(
            store, setting, callbacks, validator(holdout, stores, setting),
            name=f"holdout-{setting.network}",
        )  # fmt: skip
        judged.append(Member(setting.network, network))
        history += network.history
    del store  # its scale is as large as the demand
    if callbacks.on_judged:
        callbacks.on_judged(judged, holdout, stores)
    _announce(callbacks, "contest")
    entries = _network_entries(judged, stores)
    entries += [_baseline_entry(name, jury, origins, config.horizon) for name in config.baselines]
    contest = hold_contest(entries, holdout, choose_jury(learned, config))
    winners = [m for m in judged if m.method in contest.methods]
    if not is_trained_again(learned, config):
        return tuple(winners), tuple(history), contest
    final, more = _train_again(learned, plan, winners, callbacks)
    return final, (*history, *more), contest


def _train_again(
    learned: SeriesPanel, plan: FeaturePlan, winners: list[Member], callbacks: Callbacks
) -> tuple[tuple[Member, ...], tuple[EpochReport, ...]]:
    """Teach what was judged the held-out days too, from where it stands or anew."""
    judged = [winner.network for winner in winners]
    goes_on = has_many_days(learned)
    settings = [final_config(network, goes_on=goes_on) for network in judged]
    starts = judged if goes_on else [None] * len(judged)
    return _train_final(learned, plan, settings, starts, callbacks)


def _train_final(
    learned: SeriesPanel,
    plan: FeaturePlan,
    settings: list[TrainingConfig],
    starts: Sequence[TrainedNetwork | None],
    callbacks: Callbacks,
) -> tuple[tuple[Member, ...], tuple[EpochReport, ...]]:
    store = FeatureStore(learned, plan)
    members: list[Member] = []
    history: list[EpochReport] = []
    for setting, start in zip(settings, starts, strict=True):
        _announce(callbacks, f"final {setting.network}")
        name = f"final-{setting.network}"
        network = train_network(store, setting, callbacks, name=name, start=start)
        members.append(Member(setting.network, network))
        history += network.history
    return tuple(members), tuple(history)


def _network_entries(members: list[Member], stores: list[FeatureStore]) -> list[Entry]:
    made = [run_networks(members, store) for store in stores]
    return [
        Entry(
            member.method,
            True,
            np.stack([one[member.method][0] for one in made]),
            np.stack([one[member.method][1] for one in made]),
        )
        for member in members
    ]


def _baseline_entry(name: str, jury: SeriesPanel, origins: list[date], horizon: int) -> Entry:
    made = [run_baseline(name, jury.up_to(day, horizon), horizon) for day in origins]
    return Entry(name, False, np.stack([m for m, _ in made]), np.stack([q for _, q in made]))


def _simple_contest(learned: SeriesPanel, config: EngineConfig) -> ContestResult:
    """Return which simple methods serve while no network can: those that did best lately."""
    origins = simple_holdout(learned, config) if learned.n_series else []
    if not origins or not config.contest or not config.baselines:
        blends = {ALL_CLASSES: Blend((FALLBACK,), (1.0,), Reason.NO_NETWORK)}
        return ContestResult(blends, ())
    jury = learned.select(judged_rows(learned, config))
    entries = [_baseline_entry(name, jury, origins, config.horizon) for name in config.baselines]
    holdout = make_holdout(jury, origins, config.horizon)
    return hold_contest(entries, holdout, choose_jury(learned, config))


def _uncontested(config: EngineConfig) -> ContestResult:
    share = 1 / len(config.networks)
    blends = {ALL_CLASSES: Blend(config.networks, (share,) * len(config.networks), Reason.CONTEST)}
    return ContestResult(blends, ())


def _announce(callbacks: Callbacks, stage: str) -> None:
    if callbacks.on_stage:
        callbacks.on_stage(stage)
