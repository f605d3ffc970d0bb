"""Muon moves matrices in all directions alike, AdamW moves the rest, and both go on where they were."""

import pytest
import torch
from torch import nn

from forecasting.pipeline.optimizer import ADAM_SIZE, PACE, Optimizer, orthogonalise, split


class Small(nn.Module):
    """A table, a layer and a last layer, named as the networks name theirs."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.embeddings = nn.ModuleList([nn.Embedding(5, 4)])
        self.mix = nn.Linear(4, 6)
        self.head = nn.Linear(6, 2)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        made: torch.Tensor = self.head(torch.relu(self.mix(self.embeddings[0](rows))))
        return made


def teach(network: Small, optimizer: Optimizer, steps: int) -> None:
    rows = torch.arange(5)
    for _ in range(steps):
        (network(rows) - rows[:, None]).square().mean().backward()
        optimizer.step(0.01)


def weights(network: Small) -> torch.Tensor:
    return torch.cat([one.detach().flatten() for one in network.parameters()])


@pytest.mark.parametrize("shape", [(40, 12), (12, 40), (20, 20)])
def test_all_singular_values_come_out_near_one(shape: tuple[int, int]) -> None:
    """One direction is a hundred times as strong as the weakest; Newton-Schulz ends in 0.7..1.2."""
    torch.manual_seed(1)
    left, _, right = torch.linalg.svd(torch.randn(shape), full_matrices=False)
    strengths = torch.logspace(0, -2, min(shape))
    found = torch.linalg.svdvals(orthogonalise(left * strengths @ right))
    assert found.min() > 0.6
    assert found.max() < 1.25


def test_a_step_is_as_large_as_one_of_adam_whatever_the_gradient() -> None:
    """Root mean square of U V' of [R, C] is 1 / sqrt(max(R, C)), so the step's is 0.2 of twice the rate."""
    for size in (1e-4, 1.0, 1e4):
        layer = nn.Sequential(nn.Linear(10, 30, bias=False))
        before = layer[0].weight.detach().clone()
        torch.manual_seed(2)
        layer[0].weight.grad = size * torch.randn(30, 10)
        Optimizer(layer, "muon", weight_decay=0.0).step(0.5)
        moved = (layer[0].weight.detach() - before).square().mean().sqrt().item()
        assert moved == pytest.approx(0.5 * PACE * ADAM_SIZE, rel=0.2)


def test_tables_and_the_last_layer_are_left_to_adam() -> None:
    network = Small()
    matrices, others = split(network)
    assert [one is network.mix.weight for one in matrices] == [True]
    assert len(others) == 4
    assert Optimizer(network, "adamw", 0.0).matrices == []


def test_without_muon_it_is_the_adamw_of_torch() -> None:
    ours, theirs = Small(), Small()
    peer = torch.optim.AdamW(theirs.parameters(), 0.01, weight_decay=0.1)
    teach(ours, Optimizer(ours, "adamw", 0.1), 10)
    rows = torch.arange(5)
    for _ in range(10):
        peer.zero_grad()
        (theirs(rows) - rows[:, None]).square().mean().backward()
        peer.step()
    assert torch.allclose(weights(ours), weights(theirs), atol=1e-6)


def test_a_training_that_is_taken_up_again_ends_where_it_would_have() -> None:
    whole = Small()
    teach(whole, Optimizer(whole, "muon", 1e-4), 20)
    first = Small()
    earlier = Optimizer(first, "muon", 1e-4)
    teach(first, earlier, 8)
    second = Small()
    second.load_state_dict(first.state_dict())
    later = Optimizer(second, "muon", 1e-4)
    later.restore(earlier.moments())
    teach(second, later, 12)
    assert torch.equal(weights(second), weights(whole))

    forgetful = Small()
    forgetful.load_state_dict(first.state_dict())
    teach(forgetful, Optimizer(forgetful, "muon", 1e-4), 12)
    assert not torch.equal(weights(forgetful), weights(whole))
