"""Encoder: a stack of RNN layers over the past."""

from torch import Tensor, nn

from forecasting.pipeline.networks.base import Encoder, NetworkShape


class RnnEncoder(Encoder):
    """Reads the past with an RNN; its state is the last layer's output at each step."""

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        self.size = shape.hidden
        self.cells = nn.RNN(shape.past, shape.hidden, shape.layers, batch_first=True)

    def forward(self, past: Tensor) -> Tensor:
        """Return the state after each day: [B, L, channels] -> [B, L, size]."""
        states: Tensor = self.cells(past)[0]  # [B, L, hidden]
        return states
