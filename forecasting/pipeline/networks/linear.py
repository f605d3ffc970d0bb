"""Encoder: none. With the linear decoder this is a linear regression on the facts at the origin."""

from torch import Tensor

from forecasting.pipeline.networks.base import Encoder, NetworkShape


class LinearEncoder(Encoder):
    """Passes on today's demand channels; everything else the decoder is told."""

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        self.size = shape.past

    def forward(self, past: Tensor) -> Tensor:
        """Return the state after each day: [B, L, channels] -> [B, L, size]."""
        return past  # [B, L, P]
