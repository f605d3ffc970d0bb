"""Encoder: causal convolutions over the past with growing dilation."""

import torch
from torch import Tensor, nn

from forecasting.pipeline.networks.base import Encoder, NetworkShape

DILATIONS = (1, 2, 7, 14)
KERNEL = 3


class CnnEncoder(Encoder):
    """Reads the past through dilated convolutions that never look ahead."""

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        self.size = shape.hidden
        self.enter = nn.Linear(shape.past, shape.hidden)
        self.layers = nn.ModuleList(
            nn.Conv1d(shape.hidden, shape.hidden, KERNEL, dilation=step) for step in DILATIONS
        )

    def forward(self, past: Tensor) -> Tensor:
        """Return the state after each day: [B, L, channels] -> [B, L, size]."""
        flow: Tensor = self.enter(past).transpose(1, 2)  # [B, hidden, L]
        for layer, step in zip(self.layers, DILATIONS, strict=True):
            padded = nn.functional.pad(flow, ((KERNEL - 1) * step, 0))  # [B, hidden, L + pad]
            flow = flow + torch.relu(layer(padded))  # [B, hidden, L]
        return flow.transpose(1, 2)  # [B, L, hidden]
