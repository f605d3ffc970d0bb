"""Integrated gradients (Sundararajan, Taly, Yan 2017): what moves a forecast away from ordinary.

Along the straight line from the ordinary input to the real one the gradient of each day's mean is
averaged and multiplied by the distance, so that all parts add up to the difference of the two
forecasts.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.func import functional_call

from forecasting.pipeline.channels import ChannelMap, ordinary_days
from forecasting.pipeline.compute import from_device, to_device
from forecasting.pipeline.features import Block, FeatureStore
from forecasting.pipeline.networks import ForecastNetwork
from forecasting.pipeline.series import FloatArray
from forecasting.pipeline.training import TrainedNetwork

STEPS = 32
GOOD_ENOUGH = 0.005
"""With a larger gap between the parts and the difference, finer steps are taken."""
FINER = 3
"""The middle of every step is that of the middle one of its thirds: nothing is computed twice.
Networks read numbers by bins, so their slope jumps along the line: a rule for smooth functions,
such as Gauss's, gains nothing there. 96 middles miss 0.1 to 0.4 % of what moves."""


@dataclass(frozen=True)
class Attribution:
    """One network's forecast of one series, taken apart. Units per day.

    features: [H, F], how much each feature moves each day; past_days: [L], how much each day that
    was read moves the sum of all days; prediction, ordinary: [H].
    """

    features: FloatArray
    past_days: FloatArray
    prediction: FloatArray
    ordinary: FloatArray

    @property
    def gap(self) -> float:
        """What the parts miss of the difference, as a share of all that moved."""
        missed = self.prediction - self.ordinary - self.features.sum(axis=1)
        moved = np.abs(self.features).sum()
        return float(np.abs(missed).sum() / max(moved, 1e-9))


@dataclass(frozen=True)
class _Line:
    """Both ends of the line for H copies of the window: floats of the block, embedding rows."""

    start: list[Tensor]
    way: list[Tensor]
    emits: Tensor


def attribute(
    trained: TrainedNetwork, store: FeatureStore, row: int, channels: ChannelMap
) -> Attribution:
    """Take the forecast of one series after the store's last day apart."""
    length = trained.config.reading_days
    block = store.block(
        np.array([row]), np.array([store.n_days - length]), length, np.array([length - 1])
    )
    network = trained.build()
    line = _draw_line(network, block, channels)
    coarse = (np.arange(STEPS) + 0.5) / STEPS
    slopes = _slopes(network, line, coarse)
    found = _attribution(network, line, block, channels, [one / STEPS for one in slopes])
    if found.gap <= GOOD_ENOUGH:
        return found
    steps = STEPS * FINER
    places = np.arange(steps)
    thirds = (places[places % FINER != FINER // 2] + 0.5) / steps
    slopes = [a + b for a, b in zip(slopes, _slopes(network, line, thirds), strict=True)]
    return _attribution(network, line, block, channels, [one / steps for one in slopes])


def _draw_line(network: ForecastNetwork, block: Block, channels: ChannelMap) -> _Line:
    horizon = block.ahead.shape[2]
    plain = ordinary_days(block, channels)
    start, way = [], []
    for real, usual in zip(
        (block.past, block.origin, block.ahead), (plain.past, plain.origin, plain.ahead),
        strict=True,
    ):  # fmt: skip
        first = to_device(np.ascontiguousarray(usual, dtype=np.float32))
        last = to_device(np.ascontiguousarray(real, dtype=np.float32))
        start.append(first.expand(horizon, *first.shape[1:]))
        way.append((last - first).expand(horizon, *first.shape[1:]))
    tables = dict(network.named_parameters())
    for column in range(len(network.embeddings)):
        rows = tables[f"embeddings.{column}.weight"].detach()
        usual_row = rows[1:].mean(dim=0) if len(rows) > 1 else rows[0]
        real_row = rows[int(block.attributes[0, column])]
        start.append(usual_row.expand(horizon, -1))
        way.append((real_row - usual_row).expand(horizon, -1))
    return _Line(start, way, to_device(block.emits))


def _slopes(network: ForecastNetwork, line: _Line, places: FloatArray) -> list[Tensor]:
    """Return the sum of the slopes at some places of the line, 0 its start and 1 its end."""
    totals = [torch.zeros_like(way) for way in line.way]
    for place in places:
        inputs = [
            (first + float(place) * way).requires_grad_()
            for first, way in zip(line.start, line.way, strict=True)
        ]
        with torch.backends.cudnn.flags(enabled=False):  # it has no gradient outside training
            own_day = torch.diagonal(_means(network, inputs, line.emits)).sum()
            slopes: tuple[Tensor | None, ...] = torch.autograd.grad(
                own_day, inputs, allow_unused=True
            )
        totals = [
            total if slope is None else total + slope
            for total, slope in zip(totals, slopes, strict=True)
        ]
    return totals


def _attribution(
    network: ForecastNetwork,
    line: _Line,
    block: Block,
    channels: ChannelMap,
    slopes: list[Tensor],
) -> Attribution:
    """Return what the mean slopes along the line make of the way."""
    moved = [from_device(slope * way) for slope, way in zip(slopes, line.way, strict=True)]
    level = float(block.level[0, 0])
    with torch.no_grad():
        ordinary = from_device(torch.diagonal(_means(network, line.start, line.emits)))
        ends = [first + way for first, way in zip(line.start, line.way, strict=True)]
        prediction = from_device(torch.diagonal(_means(network, ends, line.emits)))
    return Attribution(
        features=_by_feature(moved, channels) * level,
        past_days=moved[0].sum(axis=(0, 2), dtype=np.float64) * level,
        prediction=prediction.astype(np.float64) * level,
        ordinary=ordinary.astype(np.float64) * level,
    )


def _means(network: ForecastNetwork, inputs: list[Tensor], emits: Tensor) -> Tensor:
    """Return the means [H, H] of H windows that each have attributes of their own.

    The embedding tables are replaced by one row per window, so that a row can lie between two.
    """
    past, origin, ahead, *rows = inputs
    tables = {f"embeddings.{column}.weight": row for column, row in enumerate(rows)}
    ids = torch.arange(len(past), device=past.device)[:, None].expand(-1, len(rows))
    mean, _ = functional_call(network, tables, (past, origin, ahead, ids, emits))
    found: Tensor = mean[:, 0]
    return found


def _by_feature(moved: list[FloatArray], channels: ChannelMap) -> FloatArray:
    """Add channels up to features: [H, F]."""
    past, origin, ahead, *rows = moved
    place = {name: column for column, name in enumerate(channels.features)}
    found = np.zeros((len(past), len(place)))
    parts = [
        (past.sum(axis=1), channels.past),
        (origin.sum(axis=1), channels.origin),
        (ahead.sum(axis=(1, 2)), channels.ahead),
    ]
    for values, meanings in parts:
        for column, channel in enumerate(meanings):
            found[:, place[channel.feature]] += values[:, column]
    for own, channel in zip(rows, channels.attributes, strict=True):
        found[:, place[channel.feature]] += own.sum(axis=1)
    return found
