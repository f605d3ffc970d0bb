"""What a training leaves: networks, who serves which series, and its forecasts; kept as bytes."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from forecasting.pipeline.anchor import anchor_factor, knows_no_turn, last_level
from forecasting.pipeline.arrays import row_chunks
from forecasting.pipeline.artifact import (
    ArtifactError,
    report_from_json,
    report_to_json,
    seal,
    unseal,
)
from forecasting.pipeline.backtest import Member, run_baseline, run_networks, store_to_forecast
from forecasting.pipeline.compute import use_one_core
from forecasting.pipeline.contest import Blend, ContestResult
from forecasting.pipeline.day_channels import day_channel_names, past_channel_names
from forecasting.pipeline.feature_plan import FeaturePlan
from forecasting.pipeline.features import Channels, plan_channels
from forecasting.pipeline.known import known_at
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
from forecasting.pipeline.settings import EngineConfig
from forecasting.pipeline.training import EpochReport, TrainedNetwork, TrainingConfig
from forecasting.pipeline.triage import sanitise, triage

FALLBACK = "empirical_quantiles"


class ForecastRefused(ValueError):
    """A forecast that cannot be made, with the remedy in the message."""


@dataclass(frozen=True)
class _Served:
    """What the methods say, S series of H days, and what the anchor has to know of it.

    last: [S], units per day of the last month; blends: who serves, one per series.
    """

    mean: FloatArray
    quantiles: FloatArray
    whole: BoolArray
    by_network: BoolArray
    last: FloatArray
    blends: list[Blend]

    @classmethod
    def nothing(cls, shape: tuple[int, int]) -> "_Served":
        flags = np.zeros(shape[0], dtype=bool)
        return cls(
            mean=np.zeros(shape, dtype=np.float32),
            quantiles=np.zeros((*shape, len(QUANTILES)), dtype=np.float32),
            whole=flags,
            by_network=flags.copy(),
            last=np.zeros(shape[0]),
            blends=[],
        )

    @property
    def level(self) -> FloatArray:
        return np.asarray(self.last * self.by_network)

    @property
    def forecast(self) -> FloatArray:
        return np.asarray(self.mean.mean(axis=1, dtype=np.float64) * self.by_network)


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
        everyone = known_at(panel, origin, self.plan.horizon, self.config.cleaning)
        made = self._serve_all(everyone)
        factor = anchor_factor(made.level, made.forecast) if knows_no_turn(self.plan) else 1.0
        days = _days_served(self.plan.horizon, horizon)
        mean = np.zeros((panel.n_series, horizon), dtype=np.float32)
        quantiles = np.zeros((*mean.shape, len(QUANTILES)), dtype=np.float32)
        for rows in row_chunks(panel.n_series, everyone.n_days, CHUNK):
            moved = np.where(made.by_network[rows], factor, 1.0)[:, None]
            own = made.mean[rows] * moved, made.quantiles[rows] * moved[..., None]
            shown = present(*own, made.whole[rows])
            mean[rows], quantiles[rows] = shown[0][:, days], shown[1][:, days]
        served = made.blends
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
            level_factor=factor,
        )

    def _serve_all(self, everyone: SeriesPanel) -> "_Served":
        """Return what each series gets before the anchor, some of the series at a time."""
        shape = (everyone.n_series, self.plan.horizon)
        made = _Served.nothing(shape)
        for rows in row_chunks(everyone.n_series, everyone.n_days, CHUNK):
            known, spoiled = sanitise(everyone.rows(rows))
            blends = serving_blends(self, known, spoiled)
            made.mean[rows], made.quantiles[rows] = self._serve(known, blends)
            made.whole[rows] = whole_units(known.demand, known.observed)
            made.by_network[rows] = self.by_network(blends)
            made.last[rows] = last_level(known.demand, known.observed)
            made.blends.extend(blends)
        return made

    def by_network(self, blends: list[Blend]) -> BoolArray:
        """Return which series are served by a network, alone or with others: [S]."""
        names = {member.method for member in self.members}
        return np.array([not names.isdisjoint(one.every_method) for one in blends], dtype=bool)

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
            "day_channels": list(_channel_names(self.plan)),
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


def _fallback(reason: Reason) -> Blend:
    return Blend((FALLBACK,), (1.0,), reason)


def _days_served(trained: int, wanted: int) -> np.ndarray:
    """Return which trained day serves each day wanted; later days repeat the last whole weeks."""
    days = np.arange(wanted)
    weeks = max(trained // 7 * 7, 1) if trained >= 7 else trained
    return np.where(days < trained, days, trained - weeks + (days - trained) % weeks)


def _member_to_json(member: Member) -> dict[str, Any]:
    return {
        "method": member.method,
        "shape": member.network.shape.to_json(),
        "config": member.network.config.to_json(),
        "history": [report_to_json(report) for report in member.network.history],
    }


def _channel_names(plan: FeaturePlan) -> tuple[str, ...]:
    return (*day_channel_names(plan), *past_channel_names(plan))


def _check_channels(plan: FeaturePlan, names: list[str], members: tuple[Member, ...]) -> None:
    """Raise ArtifactError where the networks were trained on other channels than we would feed."""
    if tuple(names) != _channel_names(plan):
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
