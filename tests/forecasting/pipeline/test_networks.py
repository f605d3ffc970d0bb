"""The networks: the LSTM's equations by hand, no look ahead in any encoder, quantiles that rise."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from forecasting.pipeline.networks import ENCODERS, NetworkShape, UnknownNetwork, build_network
from forecasting.pipeline.networks.bins import Bins, number_columns
from forecasting.pipeline.networks.lstm import LstmEncoder

every_network = pytest.mark.parametrize("name", sorted(ENCODERS))


def shape_of(name: str) -> NetworkShape:
    return NetworkShape(name, past=4, origin=3, ahead=5, attributes=(3,), quantiles=19, hidden=6)


def forward(name: str, past: torch.Tensor, emits: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    network = build_network(shape_of(name)).eval()
    generator = torch.Generator().manual_seed(2)
    batch, steps = len(past), len(emits)
    return network(
        past,
        torch.randn(batch, steps, 3, generator=generator),
        torch.randn(batch, steps, 7, 5, generator=generator),
        torch.tensor([[1]] * batch),
        torch.tensor(emits),
    )


def test_the_lstm_cell_agrees_with_its_equations_computed_by_hand():
    """Hochreiter & Schmidhuber (1997) with forget gate, tanh for candidate and output.

    One input, one unit, all weights given: two steps x = 1, -0.5.
    """
    encoder = LstmEncoder(NetworkShape("lstm", 1, 1, 1, (), 19, hidden=1))
    weights = {
        "i": (0.5, 0.1, 0.2),
        "f": (-0.3, 0.4, 1.0),
        "g": (0.8, -0.6, 0.0),
        "o": (0.2, 0.7, -0.1),
    }
    with torch.no_grad():
        for row, gate in enumerate("ifgo"):  # the order of torch
            w, u, b = weights[gate]
            encoder.cells.weight_ih_l0[row, 0] = w
            encoder.cells.weight_hh_l0[row, 0] = u
            encoder.cells.bias_ih_l0[row] = b
            encoder.cells.bias_hh_l0[row] = 0.0

    def sigmoid(z: float) -> float:
        return 1 / (1 + math.exp(-z))

    def step(x: float, h: float, c: float) -> tuple[float, float]:
        z = {gate: w * x + u * h + b for gate, (w, u, b) in weights.items()}
        c = sigmoid(z["f"]) * c + sigmoid(z["i"]) * math.tanh(z["g"])
        return sigmoid(z["o"]) * math.tanh(c), c

    h1, c1 = step(1.0, 0.0, 0.0)
    h2, _ = step(-0.5, h1, c1)
    # the first step in figures: i = s(0.7) = 0.66819, g = tanh(0.8) = 0.66404, c = 0.44371
    assert c1 == pytest.approx(0.66819 * 0.66404, abs=1e-4)
    # o = s(0.1) = 0.52498, h = 0.52498 * tanh(0.44371)
    assert h1 == pytest.approx(0.52498 * math.tanh(0.44371), abs=1e-4)
    states = encoder(torch.tensor([[[1.0], [-0.5]]]))
    assert states[0, :, 0].tolist() == pytest.approx([h1, h2], abs=1e-6)


@every_network
def test_a_forecast_does_not_depend_on_days_after_its_step(name):
    past = torch.randn(2, 40, 4, generator=torch.Generator().manual_seed(3))
    changed = past.clone()
    changed[:, 31:] += 100.0
    for one, other in zip(forward(name, past, [30]), forward(name, changed, [30]), strict=True):
        torch.testing.assert_close(one, other)
    # control: a change at the step itself is seen
    changed[:, 30] += 1.0
    assert not torch.equal(forward(name, past, [30])[0], forward(name, changed, [30])[0])


@every_network
def test_every_step_emits_a_whole_forecast_with_rising_quantiles(name):
    past = 5 * torch.randn(3, 40, 4, generator=torch.Generator().manual_seed(4))
    mean, quantiles = forward(name, past, [10, 20, 39])
    assert mean.shape == (3, 3, 7)
    assert quantiles.shape == (3, 3, 7, 19)
    assert (mean >= 0).all()
    assert (quantiles >= 0).all()
    assert (np.diff(quantiles.detach().numpy(), axis=-1) >= 0).all()


def test_an_unknown_network_is_refused_with_the_names_that_exist():
    with pytest.raises(UnknownNetwork, match="lstm"):
        build_network(shape_of("transformer"))


def test_a_number_fills_the_bins_below_it_by_hand():
    """Edges at the quantiles 0, 1/2, 1 of 0, 1, 2, 6, 10 are 0, 2 and 10."""
    bins = Bins((1,), 2, size=2)
    bins.learn(np.array([[9, 0], [9, 1], [9, 2], [9, 6], [9, 10]], dtype=np.float32))
    with torch.no_grad():
        bins.layer.weight.copy_(torch.eye(2))
    numbers = torch.tensor([[7.0, -3.0], [7.0, 1.0], [7.0, 4.0], [7.0, 99.0]])
    # 1 is half of 0..2; 4 is past 2 and a quarter of 2..10
    assert bins(numbers).tolist() == [[0, 0], [0.5, 0], [1, 0.25], [1, 1]]


def test_edges_that_fall_together_leave_empty_bins_and_flags_have_none():
    sample = np.array([[0, 1], [0, 0], [0, 1], [0, 0], [8, 1]], dtype=np.float32)
    bins = Bins((0,), 4, size=4)
    bins.learn(sample)  # the quantiles are 0, 0, 0, 0, 8: one edge pair is left
    with torch.no_grad():
        bins.layer.weight.copy_(torch.eye(4))
    filled = bins(torch.tensor([[4.0, 0.0]]))
    assert filled.tolist() == [[0.5, 0, 0, 0]]
    assert number_columns(np.array([[0, 1, 5], [1, 0, 6], [2, 1, 5]], np.float32)) == (0,)


def test_a_network_without_numbers_to_bin_still_forecasts():
    shape = replace(shape_of("lstm"), bins=4)
    mean, _ = build_network(shape).eval()(
        torch.zeros(1, 8, 4), torch.zeros(1, 1, 3), torch.zeros(1, 1, 7, 5),
        torch.tensor([[1]]), torch.tensor([7]),
    )  # fmt: skip
    assert torch.isfinite(mean).all()
