"""Training of one network: one loop in plain sight, resumable after every epoch."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from forecasting.pipeline.compute import device, to_device
from forecasting.pipeline.features import Block, FeatureStore
from forecasting.pipeline.losses import (
    pinball_loss,
    squared_loss,
    tweedie_loss,
    weighted_mean,
)
from forecasting.pipeline.networks import ForecastNetwork, NetworkShape, build_network
from forecasting.pipeline.networks.bins import number_columns
from forecasting.pipeline.optimizer import Optimizer, OptimizerName
from forecasting.pipeline.series import QUANTILES, FloatArray
from forecasting.pipeline.windows import MAX_SHARE, WindowConfig, draw_rates, draw_windows

SAMPLED_BATCHES = 20
"""Batches of windows that are looked at to see where the numbers lie."""
SAMPLED_EVERY = 11
"""Of the days ahead one in so many is looked at; no whole weeks, or it were always the same day."""


@dataclass(frozen=True)
class TrainingConfig:
    """Everything that decides how a network is trained; kept in checkpoint and artefact."""

    network: str = "lstm"
    hidden: int = 64
    decoder: int = 160
    bins: int = 8
    """Bins by which each number is read; 0: as it is."""
    layers: int = 1
    dropout: float = 0.0
    windows: WindowConfig = field(default_factory=WindowConfig)
    epochs: int = 12
    steps_per_epoch: int = 60
    optimizer: OptimizerName = "muon"
    """How weight matrices move; everything else by AdamW."""
    learning_rate: float = 3e-3
    """That of AdamW; Muon goes `optimizer.PACE` times as far."""
    weight_decay: float = 1e-4
    l1: float = 0.0
    clip: float = 1.0
    ema: float = 0.99
    patience: int = 4
    stop_after: int | None = None
    """Stop after this epoch although the learning rate was planned for `epochs`."""
    mean_loss: str = "tweedie"
    mean_weight: float = 0.15
    volume_share: float = 0.7
    """How much of a series' weight in the loss of the quantiles grows with its volume."""
    mean_volume_share: float = 1.0
    """The same for the loss of the mean."""
    seed: int = 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "TrainingConfig":
        return cls(**{**data, "windows": WindowConfig(**data["windows"])})

    @property
    def reading_days(self) -> int:
        """Days a network reads before it forecasts: the middle of what it was trained on."""
        return self.windows.context_days + self.windows.span_days // 2

    @property
    def digest(self) -> str:
        """The same for the same settings: a checkpoint of others is not gone on with."""
        text = json.dumps(self.to_json(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class EpochReport:
    """What one epoch brought; `validation_loss` is NaN where nothing was held out."""

    network: str
    epoch: int
    epochs: int
    training_loss: float
    validation_loss: float
    best: bool


@dataclass(frozen=True)
class Checkpoint:
    """The whole state of a training after an epoch. Draws depend on seed and epoch alone."""

    config_digest: str
    epoch: int
    weights: dict[str, Tensor]
    average: dict[str, Tensor]
    best: dict[str, Tensor]
    moments: dict[str, Tensor]
    history: tuple[EpochReport, ...]


@dataclass(frozen=True)
class Callbacks:
    """How a caller follows a training and stops it. All are optional.

    should_stop is asked between epochs. save and load keep one checkpoint per name.
    cpu_seconds is a clock of CPU time; without it no cost is reported.
    """

    on_epoch: Callable[[EpochReport], None] | None = None
    should_stop: Callable[[], bool] | None = None
    on_stage: Callable[[str], None] | None = None
    save_checkpoint: Callable[[str, Checkpoint], None] | None = None
    load_checkpoint: Callable[[str], Checkpoint | None] | None = None
    cpu_seconds: Callable[[], float] | None = None
    on_judged: Callable[..., None] | None = None
    """Called once with the judged networks, the holdout and its stores."""


class TrainingStopped(Exception):
    """The caller asked to stop between two epochs."""


class TrainingDiverged(ArithmeticError):
    """The loss is no longer a finite number."""

    def __init__(self, network: str, epoch: int) -> None:
        self.network, self.epoch = network, epoch
        super().__init__(f"The training of {network} diverged in epoch {epoch}.")


@dataclass(frozen=True)
class TrainedNetwork:
    """Averaged weights, how they came about, and the shape they fit."""

    shape: NetworkShape
    config: TrainingConfig
    weights: dict[str, Tensor]
    history: tuple[EpochReport, ...]

    @property
    def best_epoch(self) -> int:
        marked = [report.epoch for report in self.history if report.best]
        return marked[-1] if marked else len(self.history)

    def build(self) -> ForecastNetwork:
        """Return the network on the device in use, ready to forecast."""
        network = build_network(self.shape)
        network.load_state_dict(self.weights)
        return network.to(device()).eval()


def new_network(store: FeatureStore, config: TrainingConfig) -> ForecastNetwork:
    """Return an untrained network for this store, its bins where the store's numbers lie."""
    sample = _sample(store, config) if config.bins else None
    network = build_network(_shape(store, config, sample))
    if sample is not None:
        for layer, numbers in zip((network.origin_bins, network.ahead_bins), sample, strict=True):
            if layer is not None:
                layer.learn(numbers)
    return network


def _sample(store: FeatureStore, config: TrainingConfig) -> tuple[FloatArray, FloatArray]:
    """Return some facts of origins [N, O] and of days ahead [M, A] as training will see them."""
    rng = np.random.default_rng((config.seed, 0))
    blocks = list(draw_windows(store, config.windows, SAMPLED_BATCHES, rng))
    if not blocks:
        channels = store.channels
        return np.zeros((1, channels.origin)), np.zeros((1, channels.ahead))
    origins = [block.origin.reshape(-1, block.origin.shape[-1]) for block in blocks]
    ahead = [block.ahead.reshape(-1, block.ahead.shape[-1])[::SAMPLED_EVERY] for block in blocks]
    return np.concatenate(origins), np.concatenate(ahead)


def _shape(
    store: FeatureStore, config: TrainingConfig, sample: tuple[FloatArray, FloatArray] | None
) -> NetworkShape:
    channels = store.channels
    origin, ahead = ((), ()) if sample is None else map(number_columns, sample)
    return NetworkShape(
        name=config.network,
        past=channels.past,
        origin=channels.origin,
        ahead=channels.ahead,
        attributes=channels.attributes,
        quantiles=len(QUANTILES),
        hidden=config.hidden,
        decoder=config.decoder,
        layers=config.layers,
        dropout=config.dropout,
        bins=config.bins,
        origin_numbers=origin,
        ahead_numbers=ahead,
    )


def train_network(
    store: FeatureStore,
    config: TrainingConfig,
    callbacks: Callbacks = Callbacks(),
    validate: Callable[[ForecastNetwork], float] | None = None,
    name: str = "network",
    start: TrainedNetwork | None = None,
) -> TrainedNetwork:
    """Train one network on all windows of the store and return its averaged weights.

    `start`: a network to go on from, whose shape and bins stay; without it the network is new.
    `validate` scores the averaged weights after each epoch; the best are kept, and training ends
    after `patience` epochs without a better one. Raises TrainingStopped and TrainingDiverged.
    """
    torch.manual_seed(config.seed)
    network = (new_network(store, config) if start is None else start.build()).to(device())
    average = build_network(network.shape).to(device()).eval()
    average.load_state_dict(network.state_dict())
    optimizer = Optimizer(network, config.optimizer, config.weight_decay)
    history: list[EpochReport] = []
    best = _copy(average)
    saved = callbacks.load_checkpoint(name) if callbacks.load_checkpoint else None
    if saved is not None and saved.config_digest == config.digest:
        network.load_state_dict(saved.weights)
        average.load_state_dict(saved.average)
        optimizer.restore(saved.moments)
        best, history = dict(saved.best), list(saved.history)

    state = _State(network, average, optimizer, _weigher(store, config.windows))
    for epoch in range(len(history) + 1, (config.stop_after or config.epochs) + 1):
        if _is_over(history, config.patience):
            break
        if callbacks.should_stop and callbacks.should_stop():
            raise TrainingStopped
        loss = _run_epoch(state, store, config, epoch)
        score = validate(average) if validate else float("nan")
        earlier = [r.validation_loss for r in history]
        better = validate is None or not earlier or score < min(earlier)
        best = _copy(average) if better else best
        report = EpochReport(config.network, epoch, config.epochs, loss, score, bool(better))
        history.append(report)
        if callbacks.save_checkpoint:
            callbacks.save_checkpoint(name, _checkpoint(state, config, best, history))
        if callbacks.on_epoch:
            callbacks.on_epoch(report)
    return TrainedNetwork(network.shape, config, best, tuple(history))


@dataclass(frozen=True)
class _State:
    """What changes from step to step, and how days are weighed."""

    network: ForecastNetwork
    average: ForecastNetwork
    optimizer: Optimizer
    weigh: Callable[[Block, float], Tensor]


def _run_epoch(state: _State, store: FeatureStore, config: TrainingConfig, epoch: int) -> float:
    """Take the steps of one epoch and return their mean loss. All chance follows from the epoch."""
    torch.manual_seed(config.seed * 1000 + epoch)
    rng = np.random.default_rng((config.seed, epoch))
    state.network.train()
    taken: list[Tensor] = []
    blocks = draw_windows(store, config.windows, config.steps_per_epoch, rng)
    for done, block in enumerate(blocks, start=(epoch - 1) * config.steps_per_epoch):
        loss = _loss(state.network, block, state.weigh, config)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(state.network.parameters(), config.clip)
        state.optimizer.step(learning_rate(config, done))
        _follow(state.average, state.network, min(config.ema, (1 + done) / (10 + done)))
        taken.append(loss.detach())  # asking for its value would wait for a GPU after every step
    losses = torch.stack(taken).tolist() if taken else []
    if not np.isfinite(losses).all():
        raise TrainingDiverged(config.network, epoch)
    return float(np.mean(losses)) if losses else 0.0


def _is_over(history: list[EpochReport], patience: int) -> bool:
    last_best = max((r.epoch for r in history if r.best), default=0)
    return len(history) - last_best >= patience


def _weigher(store: FeatureStore, config: WindowConfig) -> Callable[[Block, float], Tensor]:
    """Return how much each day counts: level over the metric's scale, and a share by volume."""
    typical, drawn = store.typical_demand, draw_rates(store, config.draw_power)

    def weigh(block: Block, volume_share: float) -> Tensor:
        volume = np.minimum(block.volume / max(typical, 1e-6), MAX_SHARE)
        each = block.level / block.scale * (1 - volume_share + volume_share * volume)
        each = each / drawn[block.rows][:, None]
        weights = each[..., None] * block.target_seen
        return to_device(weights.astype(np.float32))

    return weigh


def _loss(
    network: ForecastNetwork,
    block: Block,
    weigh: Callable[[Block, float], Tensor],
    config: TrainingConfig,
) -> Tensor:
    mean, quantiles = network(*as_tensors(block))  # [B, K, H], [B, K, H, Q]
    target = to_device(block.target / block.level[..., None])  # [B, K, H]
    levels = to_device(QUANTILES.astype(np.float32))
    mean_loss = squared_loss if config.mean_loss == "squared" else tweedie_loss
    of_quantiles = pinball_loss(quantiles, target, levels)  # [B, K, H]
    loss = weighted_mean(of_quantiles, weigh(block, config.volume_share))
    of_mean = weighted_mean(mean_loss(mean, target), weigh(block, config.mean_volume_share))
    loss = loss + config.mean_weight * of_mean
    if config.l1:
        size = torch.stack([p.abs().sum() for p in network.parameters()]).sum()
        loss = loss + config.l1 * size
    return loss


def as_tensors(block: Block) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Return what `ForecastNetwork.forward` takes, on the device in use; shapes as in `Block`."""
    return (
        to_device(block.past),
        to_device(block.origin),
        to_device(block.ahead),
        to_device(block.attributes),
        to_device(block.emits),
    )


def learning_rate(config: TrainingConfig, step: int) -> float:
    """Return the rate of a step: warm up over the first 3 % of all, then half a cosine to 2 %."""
    total = config.epochs * config.steps_per_epoch
    warm = max(total * 0.03, 1)
    done = (step - warm) / max(total - warm, 1)
    factor = (step + 1) / warm if step < warm else 0.02 + 0.49 * (1 + np.cos(np.pi * min(done, 1)))
    return config.learning_rate * min(float(factor), 1.0)


@torch.no_grad()
def _follow(average: ForecastNetwork, network: ForecastNetwork, decay: float) -> None:
    for mine, theirs in zip(average.parameters(), network.parameters(), strict=True):
        mine.lerp_(theirs, 1 - decay)


def _copy(network: ForecastNetwork) -> dict[str, Tensor]:
    return {key: _kept(value) for key, value in network.state_dict().items()}


def _kept(value: Tensor) -> Tensor:
    """Return a copy on the CPU: what is kept belongs to no device."""
    return value.detach().to("cpu", copy=True)


def _checkpoint(
    state: _State, config: TrainingConfig, best: dict[str, Tensor], history: list[EpochReport]
) -> Checkpoint:
    return Checkpoint(
        config_digest=config.digest,
        epoch=len(history),
        weights=_copy(state.network),
        average=_copy(state.average),
        best=best,
        moments=state.optimizer.moments(),
        history=tuple(history),
    )
