"""Networks behind one interface: `build_network(shape)` by name; LSTM is the default."""

from collections.abc import Callable

from forecasting.pipeline.networks.base import Encoder, ForecastNetwork, NetworkShape
from forecasting.pipeline.networks.cnn import CnnEncoder
from forecasting.pipeline.networks.gru import GruEncoder
from forecasting.pipeline.networks.linear import LinearEncoder
from forecasting.pipeline.networks.lstm import LstmEncoder
from forecasting.pipeline.networks.mlp import MlpEncoder
from forecasting.pipeline.networks.rnn import RnnEncoder

__all__ = [
    "ENCODERS",
    "ForecastNetwork",
    "NetworkShape",
    "UnknownNetwork",
    "build_network",
    "require_known",
]

ENCODERS: dict[str, Callable[[NetworkShape], Encoder]] = {
    "lstm": LstmEncoder,
    "gru": GruEncoder,
    "rnn": RnnEncoder,
    "cnn": CnnEncoder,
    "mlp": MlpEncoder,
    "linear": LinearEncoder,
    "article": LstmEncoder,
}


class UnknownNetwork(ValueError):
    """No network has this name; `known` lists those that do."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.known = tuple(ENCODERS)
        super().__init__(f"There is no network {name!r}; choose from {', '.join(self.known)}.")


def require_known(name: str) -> None:
    """Raise UnknownNetwork unless there is a network of this name."""
    if name not in ENCODERS:
        raise UnknownNetwork(name)


def build_network(shape: NetworkShape) -> ForecastNetwork:
    """Build an untrained network of this shape. Raises UnknownNetwork."""
    require_known(shape.name)
    return ForecastNetwork(shape, ENCODERS[shape.name](shape))
