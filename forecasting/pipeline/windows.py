"""Which windows a network is trained on, drawn anew in every epoch, and their augmentation."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from forecasting.pipeline.feature_plan import FeaturePlan
from forecasting.pipeline.features import (
    LEVEL_GAIN,
    PAST_LEVEL,
    Block,
    FeatureStore,
    origin_level,
)
from forecasting.pipeline.series import FloatArray

MAX_SHARE = 8.0
"""No series counts more than this many times the mean one by its volume."""
LEAST_DRAWN = 0.05
"""No series is drawn less often than this share of the mean one, by what it counts."""
MIN_AGE_DAYS = 7
"""A forecast is asked of a network only this many days after a series' first."""


@dataclass(frozen=True)
class WindowConfig:
    """Shape and choice of training windows.

    A window is `context_days` to warm up and `span_days` in which `emits` steps, drawn at random,
    emit a forecast each, for `ahead` days drawn from the horizon: days of one forecast are so alike
    that all of them teach little more and cost three times as much.
    """

    context_days: int = 28
    span_days: int = 84
    emits: int = 10
    ahead: int = 10
    batch: int = 32
    half_life_days: float = 730.0
    draw_power: float = 1 / 3
    """How much more often series are drawn that count for more, see `draw_rates`; 0: not at all."""
    jitter: float = 0.0
    """Spread of what is added to the demand a network reads on days with a sale; augmentation."""
    rescale: float = 0.0
    """Spread of the logarithm of what each window's level is taken to be larger by; likewise."""

    @property
    def length(self) -> int:
        """Days of a window: those read before the first forecast, and the span of origins."""
        return self.context_days + self.span_days


def draw_windows(
    store: FeatureStore, config: WindowConfig, steps: int, rng: np.random.Generator
) -> Iterator[Block]:
    """Yield `steps` batches of windows; recent days are drawn more often by the half life.

    Days after the store's last one have no target, so a window may reach past it.
    """
    eligible = np.flatnonzero(store.n_days - 1 - store.begins > MIN_AGE_DAYS)
    if not eligible.size:
        return
    share = _recency(store, config.half_life_days) * draw_rates(store, config.draw_power)
    share = share[eligible] / share[eligible].sum()
    for _ in range(steps):
        rows = rng.choice(eligible, size=config.batch, p=share)
        oldest = store.n_days - 2 - store.begins[rows] - MIN_AGE_DAYS
        anchor = store.n_days - 2 - _draw_age(oldest, config.half_life_days, rng)
        position = config.context_days + rng.integers(0, config.span_days, config.batch)
        emits = config.context_days + np.sort(
            rng.choice(config.span_days, size=config.emits, replace=False)
        )
        ahead = np.sort(rng.permutation(store.plan.horizon)[: config.ahead])
        block = store.block(rows, anchor - position, config.length, emits, ahead=ahead)
        grown = _mask_newborn(block, store, rows, anchor - position, emits)
        yield _augment(grown, store.plan, config, rng)


def draw_rates(store: FeatureStore, power: float) -> FloatArray:
    """Return how much more often than by its days alone each series is drawn: [S], mean 1.

    A power of what a series counts in the loss, half by volume. A few series count for most of the
    loss: drawn by days alone, most of a batch says next to nothing. Training divides a window's
    weight by this, so that the loss it expects stays the same.
    """
    units, days = store.totals.T
    demand = units / np.maximum(days, 1)
    volume = np.minimum(demand / max(store.typical_demand, 1e-6), MAX_SHARE)
    counts = demand / store.scale[:, -1] * (1 + volume)
    counts = np.maximum(counts, LEAST_DRAWN * counts.mean()) + 1e-9  # where nobody sells, all alike
    drawn = counts**power
    return np.asarray(drawn / drawn.mean())


def _recency(store: FeatureStore, half_life: float) -> FloatArray:
    """Give every series the weight of its days, older days counting less: [S]."""
    return np.asarray(1 - np.exp2(-(store.n_days - store.begins) / half_life))


def _draw_age(oldest: np.ndarray, half_life: float, rng: np.random.Generator) -> np.ndarray:
    """Draw ages in days from an exponential cut off at `oldest`."""
    reach = 1 - np.exp2(-(oldest + 1) / half_life)
    age = -np.log2(1 - rng.random(len(oldest)) * reach) * half_life
    return np.asarray(np.clip(age.astype(np.int64), 0, np.maximum(oldest, 0)))


def _mask_newborn(
    block: Block, store: FeatureStore, rows: np.ndarray, starts: np.ndarray, emits: np.ndarray
) -> Block:
    old_enough = starts[:, None] + emits >= (store.begins[rows] + MIN_AGE_DAYS)[:, None]
    return replace(block, target_seen=block.target_seen & old_enough[..., None])


def _augment(
    block: Block, plan: FeaturePlan, config: WindowConfig, rng: np.random.Generator
) -> Block:
    """Shake what is read, where the config asks for it; the targets stay as they are.

    Cropping, the third kind of augmentation, is how windows are drawn: they begin anywhere, and
    emit after steps drawn at random.
    """
    if config.jitter:
        past = block.past.copy()
        past[..., 0] += rng.normal(0, config.jitter, past.shape[:2]) * (past[..., 0] > 0)
        block = replace(block, past=past)
    if config.rescale:
        # demand is read in multiples of the level: a larger series differs in its level alone
        larger = rng.normal(0, config.rescale, (len(block.past), 1)).astype(np.float32)
        past, origin = block.past.copy(), block.origin.copy()
        past[..., PAST_LEVEL] += LEVEL_GAIN * larger
        origin[..., origin_level(plan)] += LEVEL_GAIN * larger
        block = replace(block, past=past, origin=origin)
    return block
