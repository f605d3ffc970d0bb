"""Losses over quantiles and means that are given in multiples of the series' level."""

import torch
from torch import Tensor

TWEEDIE_POWER = 1.5


def pinball_loss(quantiles: Tensor, target: Tensor, levels: Tensor) -> Tensor:
    """Return the pinball loss averaged over the levels: [..., Q], [...], [Q] -> [...]."""
    error = target.unsqueeze(-1) - quantiles
    return torch.maximum(levels * error, (levels - 1) * error).mean(dim=-1)


def tweedie_loss(mean: Tensor, target: Tensor, power: float = TWEEDIE_POWER) -> Tensor:
    """Return half the Tweedie deviance up to a constant: [...], [...] -> [...].

    Joergensen (1987); 1 < power < 2 is a Poisson number of gamma distributed sales.
    """
    safe = mean.clamp_min(1e-4)
    return safe.pow(2 - power) / (2 - power) - target * safe.pow(1 - power) / (1 - power)


def squared_loss(mean: Tensor, target: Tensor) -> Tensor:
    """Return the squared error: [...], [...] -> [...]."""
    return (mean - target) ** 2


def weighted_mean(losses: Tensor, weights: Tensor) -> Tensor:
    """Return the weighted mean, 0 where nothing has weight: [...], [...] -> []."""
    return (losses * weights).sum() / weights.sum().clamp_min(1e-6)
