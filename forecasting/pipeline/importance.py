"""Permutation importance (Breiman 2001): what a network loses when one feature is shuffled.

On the windows held out, the channels of one feature are exchanged between series, so that they
keep their distribution and lose their meaning; the relative growth of the loss is the importance.
What is said of days, such as weekdays, holidays and promotions, is exchanged between days as well:
often it is the same for all series, and an exchange between them would change nothing.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch

from forecasting.pipeline.backtest import Member
from forecasting.pipeline.channels import (
    SEASON,
    SIGNAL,
    WEEKDAY,
    Channel,
    ChannelMap,
    map_channels,
)
from forecasting.pipeline.compute import from_device
from forecasting.pipeline.features import Block, FeatureStore
from forecasting.pipeline.judging import Holdout
from forecasting.pipeline.series import QUANTILES, FloatArray
from forecasting.pipeline.training import as_tensors

MOST_SERIES = 192
REPEATS = 3


@dataclass(frozen=True)
class Importance:
    """How much worse the network's pinball loss gets without a feature: 0.1 = ten per cent.

    spread: largest minus smallest of the repeats.
    """

    network: str
    feature: str
    increase: float
    spread: float

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"increase": round(self.increase, 5), "spread": round(self.spread, 5)}


def permutation_importance(
    members: Sequence[Member],
    holdout: Holdout,
    stores: Sequence[FeatureStore],
    seed: int = 0,
) -> tuple[Importance, ...]:
    """Return the importance of every feature for every network, the most important first."""
    if not members or not stores or stores[0].n_series < 2:
        return ()
    rng = np.random.default_rng(seed)
    channels = map_channels(stores[0].plan)
    rows = np.arange(stores[0].n_series)
    if len(rows) > MOST_SERIES:
        rows = np.sort(rng.choice(rows, MOST_SERIES, replace=False))
    orders = [(rng.permutation(len(rows)), int(rng.integers(2**32))) for _ in range(REPEATS)]
    found: list[Importance] = []
    for member in members:
        blocks = [_block(store, rows, member) for store in stores]
        whole = _loss(member, blocks, holdout, rows)
        for feature in channels.features:
            if whole <= 0 or not _reaches(channels, feature):
                continue
            shuffled = [
                _loss(
                    member,
                    [_shuffle(b, channels, feature, *order) for b in blocks],
                    holdout,
                    rows,
                )
                for order in orders
            ]
            growth = [loss / whole - 1 for loss in shuffled]
            found.append(
                Importance(
                    member.method, feature, float(np.mean(growth)), max(growth) - min(growth)
                )
            )
    return tuple(sorted(found, key=lambda one: (one.network, -one.increase, one.feature)))


def _reaches(channels: ChannelMap, feature: str) -> bool:
    every = (*channels.past, *channels.origin, *channels.ahead, *channels.attributes)
    return any(channel.feature == feature for channel in every)


def _block(store: FeatureStore, rows: np.ndarray, member: Member) -> Block:
    length = member.network.config.reading_days
    starts = np.full(len(rows), store.n_days - length)
    return store.block(rows, starts, length, np.array([length - 1]), scaled=False)


def _shuffle(
    block: Block, channels: ChannelMap, feature: str, order: np.ndarray, seed: int
) -> Block:
    """Give each series the feature of another, and each day that of another where days have it."""
    rng = np.random.default_rng(seed)
    of_days = feature in (WEEKDAY, SEASON) or feature.startswith(SIGNAL)
    past = rng.permutation(block.past.shape[1]) if of_days else slice(None)
    ahead = rng.permutation(block.ahead.shape[2]) if of_days else slice(None)
    attributes = block.attributes.copy()
    for column, channel in enumerate(channels.attributes):
        if channel.feature == feature:
            attributes[:, column] = attributes[order, column]
    return replace(
        block,
        past=_exchanged(block.past, channels.past, feature, order, (past,)),
        origin=_exchanged(block.origin, channels.origin, feature, order),
        ahead=_exchanged(block.ahead, channels.ahead, feature, order, (slice(None), ahead)),
        attributes=attributes,
    )


def _exchanged(
    values: FloatArray,
    channels: tuple[Channel, ...],
    feature: str,
    order: np.ndarray,
    days: tuple[slice | np.ndarray, ...] = (),
) -> FloatArray:
    """Return the block with the feature's columns of other series, and of other days where said."""
    columns = [place for place, channel in enumerate(channels) if channel.feature == feature]
    if not columns:
        return values
    found = values.copy()
    found[..., columns] = values[order][(slice(None), *days)][..., columns]
    return found


@torch.no_grad()
def _loss(member: Member, blocks: Sequence[Block], holdout: Holdout, rows: np.ndarray) -> float:
    """Return the scaled pinball loss over the origins, every series alike."""
    network = member.network.build()
    total, count = 0.0, 0
    for index, block in enumerate(blocks):
        _, rising = network(*as_tensors(block))
        quantiles = from_device(rising[:, 0]) * block.level[:, 0, None, None]
        error = holdout.actual[index][rows][..., None] - quantiles
        loss = np.maximum(QUANTILES * error, (QUANTILES - 1) * error).mean(axis=-1)
        scale = holdout.scale[index][rows]
        seen = holdout.seen[index][rows] & (scale > 0)[:, None]
        total += float((loss / np.maximum(scale, 1e-9)[:, None] * seen).sum())
        count += int(seen.sum())
    return total / max(count, 1)
