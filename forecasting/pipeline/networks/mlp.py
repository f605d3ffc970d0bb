"""Encoder: a multilayer perceptron on the last days, each step by itself."""

import torch
from torch import Tensor, nn

from forecasting.pipeline.networks.base import Encoder, NetworkShape

DAYS = 28
DEMAND_CHANNELS = 2


class MlpEncoder(Encoder):
    """Reads the last DAYS days' demand and whether it was observed."""

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        self.size = shape.hidden
        self.enter = nn.Linear(DAYS * DEMAND_CHANNELS, shape.hidden)

    def forward(self, past: Tensor) -> Tensor:
        """Return the state after each day: [B, L, channels] -> [B, L, size]."""
        demand = past[..., :DEMAND_CHANNELS].transpose(1, 2)  # [B, 2, L]
        padded = nn.functional.pad(demand, (DAYS - 1, 0))  # [B, 2, L + DAYS - 1]
        days = padded.unfold(2, DAYS, 1).transpose(1, 2).flatten(2)  # [B, L, 2 * DAYS]
        return torch.relu(self.enter(days))  # [B, L, hidden]
