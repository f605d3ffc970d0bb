"""The one door to the pipeline: `fit` a panel, `forecast` from any origin, keep it as bytes.

fitted = fit(panel, origin, EngineConfig())
forecast = fitted.forecast(panel, origin)
data = fitted.to_bytes(); fitted = FittedForecaster.from_bytes(data)
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np

from forecasting.pipeline.arrays import row_chunks
from forecasting.pipeline.artifact import (
    ArtifactError,
    report_from_json,
    report_to_json,
    seal,
    unseal,
)
from forecasting.pipeline.backtest import (
    Member,
    make_holdout,
    run_baseline,
    run_networks,
    store_to_forecast,
    validator,
)
from forecasting.pipeline.budgets import choose_jury
from forecasting.pipeline.compute import use_one_core
from forecasting.pipeline.contest import ALL_CLASSES, Blend, ContestResult, Entry, hold_contest
from forecasting.pipeline.day_channels import day_channel_names
from forecasting.pipeline.features import (
    Channels,
    FeaturePlan,
    FeatureStore,
    plan_channels,
    plan_features,
)
from forecasting.pipeline.metrics import demand_class
from forecasting.pipeline.networks import NetworkShape
from forecasting.pipeline.newcomers import COLD_START, serve_newcomers
from forecasting.pipeline.predict import CHUNK, Prediction, blend, present, whole_units
from forecasting.pipeline.series import (
    HORIZON_DAYS,
    QUANTILES,
    BoolArray,
    FloatArray,
    Forecast,
    Reason,
    SeriesPanel,
)
from forecasting.pipeline.settings import (
    EngineConfig,
    holdout_days,
    judged_rows,
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

FALLBACK = "empirical_quantiles"
SMALL_HOLDOUT = 0.1
"""A holdout below this share of the days is not worth a second training: what was judged serves."""
__all__ = ["EngineConfig", "FittedForecaster", "ForecastRefused", "fit"]

NO_CALLBACKS = Callbacks()
DEFAULTS = EngineConfig()


class ForecastRefused(ValueError):
    """A forecast that cannot be made, with the remedy in the message."""


@dataclass(frozen=True)
class FittedForecaster:
    """Trained networks, who serves which demand class, and how that was decided.

    members: the networks that serve, by method name; several members of a name are averaged.
    """

    config: EngineConfig
    trained_until: date
    plan: FeaturePlan
    members: tuple[Member, ...]
    contest: ContestResult
    history: tuple[EpochReport, ...]
    cpu_seconds: float | None

    def forecast(self, panel: SeriesPanel, origin: date, horizon: int = HORIZON_DAYS) -> Forecast:
        """Forecast every series of the panel for the days after `origin`.

        Only what was known at the end of `origin` is used. Days past the trained horizon repeat
        the last whole weeks of it. Raises ForecastRefused for a horizon below one day.
        """
        if horizon < 1:
            raise ForecastRefused("The horizon must be at least one day.")
        use_one_core()
        everyone = panel.up_to(origin, self.plan.horizon)
        days = _days_served(self.plan.horizon, horizon)
        mean = np.zeros((panel.n_series, horizon), dtype=np.float32)
        quantiles = np.zeros((*mean.shape, len(QUANTILES)), dtype=np.float32)
        served: list[Blend] = []
        for rows in row_chunks(panel.n_series, everyone.n_days, CHUNK):
            known, spoiled = sanitise(everyone.rows(rows))
            blends = serving_blends(self, known, spoiled)
            whole = whole_units(known.demand, known.observed)
            made = present(*self._serve(known, blends), whole)
            mean[rows], quantiles[rows] = made[0][:, days], made[1][:, days]
            served += blends
        reasons = [one.reason for one in served]
        cold, newcomers = serve_newcomers(everyone, reasons, self.plan.horizon)
        if newcomers is not None:
            mean[cold] = newcomers.mean[:, days]
            quantiles[cold] = newcomers.quantiles[:, days]
            for row in cold:
                served[row] = Blend((COLD_START,), (1.0,), served[row].reason)
        return Forecast(
            series_ids=panel.series_ids,
            origin=origin,
            mean=mean,
            quantiles=quantiles,
            method=tuple(one.label() for one in served),
            reason=tuple(one.reason for one in served),
            basis=dict(zip(cold.tolist(), newcomers.basis, strict=True)) if newcomers else {},
        )

    def _serve(self, known: SeriesPanel, blends: list[Blend]) -> tuple[FloatArray, FloatArray]:
        """Return mean [S, H] and quantiles [S, H, Q], making only the forecasts that are served.

        Called with some of the series at a time: what a series gets depends on no other one.
        """
        shape = (known.n_series, self.plan.horizon)
        mean, quantiles = np.zeros(shape), np.zeros((*shape, len(QUANTILES)))
        wanted = {method for one in blends for method in one.every_method}
        members = [member for member in self.members if member.method in wanted]
        made: dict[str, Prediction] = {}
        if members:
            days = max(member.network.config.reading_days for member in members)
            made = run_networks(members, store_to_forecast(known, self.plan, days))
        for method in sorted(wanted - set(made)):
            made[method] = run_baseline(method, known, self.plan.horizon)
        for one in set(blends):
            rows = np.array([k for k, other in enumerate(blends) if other == one])
            parts = [made[method] for method in one.methods]
            weights = np.array(one.weights)
            mean[rows] = sum(share * made[name][0][rows] for name, share in one.mean_shares)
            quantiles[rows] = blend([p[1][rows] for p in parts], weights)
        return mean, quantiles

    def to_bytes(self) -> bytes:
        """Return everything as one sealed artefact: safetensors and JSON."""
        tensors = {
            f"{index}/{key}": value
            for index, member in enumerate(self.members)
            for key, value in member.network.weights.items()
        }
        header = {
            "kind": "forecaster",
            "config": self.config.to_json(),
            "trained_until": self.trained_until.isoformat(),
            "plan": self.plan.to_json(),
            "day_channels": list(day_channel_names(self.plan)),
            "members": [_member_to_json(member) for member in self.members],
            "contest": self.contest.to_json(),
            "history": [report_to_json(report) for report in self.history],
            "cpu_seconds": self.cpu_seconds,
        }
        return seal(tensors, header)

    @classmethod
    def from_bytes(cls, data: bytes) -> "FittedForecaster":
        """Return the forecaster of an artefact. Raises ArtifactError."""
        tensors, header = unseal(data)
        if header.get("kind") != "forecaster":
            raise ArtifactError("unfit", "it is not a forecaster.")
        try:
            members = tuple(
                _member_from_json(one, tensors, index)
                for index, one in enumerate(header["members"])
            )
            plan = FeaturePlan.from_json(header["plan"])
            _check_channels(plan, header["day_channels"], members)
            return cls(
                config=EngineConfig.from_json(header["config"]),
                trained_until=date.fromisoformat(header["trained_until"]),
                plan=plan,
                members=members,
                contest=ContestResult.from_json(header["contest"]),
                history=tuple(report_from_json(one) for one in header["history"]),
                cpu_seconds=header["cpu_seconds"],
            )
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise ArtifactError("unfit", str(error)) from error


def serving_blends(fitted: FittedForecaster, known: SeriesPanel, spoiled: BoolArray) -> list[Blend]:
    """Return who serves each series of a panel that was cut at the origin and sanitised."""
    classes = demand_class(known.demand, known.observed)
    return [
        fitted.contest.blend_for(str(name)) if reason is None else _fallback(reason)
        for name, reason in zip(classes, triage(known, spoiled), strict=True)
    ]


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
    known, spoiled = sanitise(panel.up_to(origin, config.horizon))
    usable = trainable(known, triage(known, spoiled))
    learned = known.select(np.flatnonzero(usable)) if usable.any() else known
    plan = plan_features(learned, config.horizon)
    if not enough_to_train(known, usable) or not config.networks:
        return _without_networks(config, origin, plan)
    origins = holdout_days(learned, config)
    settings = [training_config(config, name, learned) for name in config.networks]
    if not config.contest or not origins:
        members, history = _train_final(learned, plan, settings, callbacks)
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
    holdout, stores = make_holdout(jury, origins, plan, max(s.reading_days for s in settings))
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
    entries += [_baseline_entry(name, jury, origins, config) for name in config.baselines]
    contest = hold_contest(entries, holdout, choose_jury(learned, config))
    winners = [m for m in judged if m.method in contest.methods]
    if (learned.last_day - origins[0]).days < SMALL_HOLDOUT * learned.n_days:
        return tuple(winners), tuple(history), contest
    settings = [_refit_config(member.network) for member in winners]
    final, more = _train_final(learned, plan, settings, callbacks)
    return final, (*history, *more), contest


def _train_final(
    learned: SeriesPanel,
    plan: FeaturePlan,
    settings: list[TrainingConfig],
    callbacks: Callbacks,
) -> tuple[tuple[Member, ...], tuple[EpochReport, ...]]:
    store = FeatureStore(learned, plan)
    members: list[Member] = []
    history: list[EpochReport] = []
    for setting in settings:
        _announce(callbacks, f"final {setting.network}")
        network = train_network(store, setting, callbacks, name=f"final-{setting.network}")
        members.append(Member(setting.network, network))
        history += network.history
    return tuple(members), tuple(history)


def _refit_config(judged: TrainedNetwork) -> TrainingConfig:
    """Train as long as was best on the holdout, with draws of its own."""
    config = judged.config
    return replace(config, stop_after=judged.best_epoch, seed=config.seed + 1)


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


def _baseline_entry(
    name: str, jury: SeriesPanel, origins: list[date], config: EngineConfig
) -> Entry:
    made = [run_baseline(name, jury.up_to(day, config.horizon), config.horizon) for day in origins]
    return Entry(name, False, np.stack([m for m, _ in made]), np.stack([q for _, q in made]))


def _without_networks(config: EngineConfig, origin: date, plan: FeaturePlan) -> FittedForecaster:
    blends = {ALL_CLASSES: Blend((FALLBACK,), (1.0,), Reason.NO_NETWORK)}
    return FittedForecaster(config, origin, plan, (), ContestResult(blends, ()), (), None)


def _uncontested(config: EngineConfig) -> ContestResult:
    share = 1 / len(config.networks)
    blends = {ALL_CLASSES: Blend(config.networks, (share,) * len(config.networks), Reason.CONTEST)}
    return ContestResult(blends, ())


def _fallback(reason: Reason) -> Blend:
    return Blend((FALLBACK,), (1.0,), reason)


def _days_served(trained: int, wanted: int) -> np.ndarray:
    """Return which trained day serves each day wanted; later days repeat the last whole weeks."""
    days = np.arange(wanted)
    weeks = max(trained // 7 * 7, 1) if trained >= 7 else trained
    return np.where(days < trained, days, trained - weeks + (days - trained) % weeks)


def _announce(callbacks: Callbacks, stage: str) -> None:
    if callbacks.on_stage:
        callbacks.on_stage(stage)


def _member_to_json(member: Member) -> dict[str, Any]:
    return {
        "method": member.method,
        "shape": member.network.shape.to_json(),
        "config": member.network.config.to_json(),
        "history": [report_to_json(report) for report in member.network.history],
    }


def _check_channels(plan: FeaturePlan, names: list[str], members: tuple[Member, ...]) -> None:
    """Raise ArtifactError where the networks were trained on other channels than we would feed."""
    if tuple(names) != day_channel_names(plan):
        raise ArtifactError("unfit", "its channels of a day are not those of this version.")
    for member in members:
        shape = member.network.shape
        made = Channels(shape.past, shape.origin, shape.ahead, shape.attributes)
        if made != plan_channels(plan):
            raise ArtifactError("unfit", f"{member.method} reads other channels than are made.")


def _member_from_json(data: dict[str, Any], tensors: dict[str, Any], index: int) -> Member:
    prefix = f"{index}/"
    own = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
    network = TrainedNetwork(
        shape=NetworkShape.from_json(data["shape"]),
        config=TrainingConfig.from_json(data["config"]),
        weights=own,
        history=tuple(report_from_json(one) for one in data["history"]),
    )
    network.build()
    return Member(str(data["method"]), network)
