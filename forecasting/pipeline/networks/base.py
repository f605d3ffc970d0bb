"""What all networks share: an encoder that remembers the past, and one direct decoder.

The encoder turns the past into a state at *every* step. The decoder turns the state of any step,
the facts at that step and the facts of each day ahead into a whole forecast: forking sequences, so
that one pass over a window trains on many origins.
"""

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from forecasting.pipeline.networks.bins import Bins

EMBEDDING_SIZE = 4


class Encoder(nn.Module):
    """Reads the past; `size` is the width of its state.

    `forward` returns the state after each step: [B, L, P] -> [B, L, size].
    """

    size: int


@dataclass(frozen=True)
class NetworkShape:
    """Everything that fixes a network's tensors.

    origin_numbers, ahead_numbers: the columns read by `bins` bins each, see `Bins`.
    """

    name: str
    past: int
    origin: int
    ahead: int
    attributes: tuple[int, ...]
    quantiles: int
    hidden: int = 64
    decoder: int = 64
    layers: int = 1
    dropout: float = 0.0
    bins: int = 0
    origin_numbers: tuple[int, ...] = ()
    ahead_numbers: tuple[int, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "NetworkShape":
        fields: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in data.items()
        }
        return cls(**fields)


class ForecastNetwork(nn.Module):
    """An encoder and the direct decoder; demand comes out in multiples of the series' level."""

    def __init__(self, shape: NetworkShape, encoder: Encoder) -> None:
        super().__init__()
        self.shape = shape
        self.encoder: Encoder = encoder
        tables = [nn.Embedding(count, EMBEDDING_SIZE) for count in shape.attributes]
        self.embeddings = nn.ModuleList(tables)
        facts = encoder.size + shape.origin + EMBEDDING_SIZE * len(shape.attributes)
        self.from_origin = nn.Linear(facts, shape.decoder)
        self.from_ahead = nn.Linear(shape.ahead, shape.decoder, bias=False)
        self.origin_bins = _bins(shape, shape.origin_numbers)
        self.ahead_bins = _bins(shape, shape.ahead_numbers)
        self.deep = shape.name != "linear"
        self.mix = nn.Linear(shape.decoder, shape.decoder) if self.deep else nn.Identity()
        self.dropout = nn.Dropout(shape.dropout)
        self.head = nn.Linear(shape.decoder, shape.quantiles + 1)
        with torch.no_grad():
            self.head.bias[:-1] = -2.0
            self.head.bias[-1] = 0.5
            for table in tables:
                table.weight.mul_(0.1)

    def forward(
        self, past: Tensor, origin: Tensor, ahead: Tensor, attributes: Tensor, emits: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the mean [B, K, H] and rising quantiles [B, K, H, Q] after steps `emits` [K]."""
        state = self.encoder(past)[:, emits]  # [B, K, size]
        steps = len(emits)
        known = [state, origin]
        for column, embedding in enumerate(self.embeddings):
            own = embedding(attributes[:, column])  # [B, E]
            known.append(own[:, None].expand(-1, steps, -1))  # [B, K, E]
        base = self.from_origin(torch.cat(known, dim=-1))  # [B, K, D]
        if self.origin_bins is not None:
            base = base + self.origin_bins(origin)  # [B, K, D]
        hidden = base.unsqueeze(2) + self.from_ahead(ahead)  # [B, K, H, D]
        if self.ahead_bins is not None:
            hidden += self.ahead_bins(ahead)  # [B, K, H, D]
        if self.deep:
            hidden = torch.relu_(hidden)  # [B, K, H, D]
            hidden = torch.relu_(self.mix(self.dropout(hidden)))  # [B, K, H, D]
        out = nn.functional.softplus(self.head(hidden))  # [B, K, H, Q + 1]
        return out[..., -1], out[..., :-1].cumsum(dim=-1)  # [B, K, H], [B, K, H, Q]


def _bins(shape: NetworkShape, columns: tuple[int, ...]) -> Bins | None:
    return Bins(columns, shape.bins, shape.decoder) if shape.bins and columns else None
