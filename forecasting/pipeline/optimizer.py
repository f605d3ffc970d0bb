"""How weights move: matrices by Muon, everything else by AdamW.

Muon (Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks") takes the
momentum of a matrix and makes its singular values alike before it steps, so that a layer learns in
all directions at once, not only in those that the data shows most often. Size of the step and
weight decay are those of Liu et al. (2025), "Muon is scalable for LLM training", by which AdamW's
learning rates fit. AdamW: Loshchilov & Hutter (2019), "Decoupled weight decay regularization".

torch has both. Its Muon works in bfloat16, which costs seven times as much on a CPU, and its
optimizers load a compiler that nobody uses: two to three CPU seconds in every process.
"""

from collections.abc import Iterable
from typing import Literal

import torch
from torch import Tensor, nn

OptimizerName = Literal["muon", "adamw"]
FIRST, SECOND, TINY = 0.9, 0.999, 1e-8
"""AdamW's decay of the mean and of the mean square, and what keeps it from dividing by nothing."""
PACE = 2.0
"""With Muon everything moves so many times as far as the learning rate says, at which AdamW learns
best: fewer steps lead as far."""
MOMENTUM = 0.95
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
NEWTON_SCHULZ_STEPS = 5
ADAM_SIZE = 0.2
"""Root mean square of an update of AdamW, by which one of Muon is measured."""


class Optimizer:
    """Moves the weights of one network and knows what it needs to go on later."""

    def __init__(self, network: nn.Module, name: OptimizerName, weight_decay: float) -> None:
        matrices, others = split(network) if name == "muon" else ([], [*network.parameters()])
        self.pace, self.weight_decay = PACE if name == "muon" else 1.0, weight_decay
        self.matrices, self.others = matrices, others
        self.momentum = _zeros(matrices)
        self.first, self.second = _zeros(others), _zeros(others)
        self.steps = 0

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Move all weights along their gradients at a learning rate, and forget the gradients."""
        self.steps += 1
        rate = rate * self.pace
        kept = 1 - rate * self.weight_decay
        for matrix, momentum in zip(self.matrices, self.momentum, strict=True):
            if matrix.grad is not None:
                momentum.lerp_(matrix.grad, 1 - MOMENTUM)
                update = orthogonalise(matrix.grad.lerp(momentum, MOMENTUM))
                size = ADAM_SIZE * max(matrix.shape) ** 0.5
                matrix.mul_(kept).add_(update, alpha=-rate * size)
        for weight, first, second in zip(self.others, self.first, self.second, strict=True):
            if weight.grad is not None:
                first.lerp_(weight.grad, 1 - FIRST)
                second.lerp_(weight.grad.square(), 1 - SECOND)
                spread = (second / (1 - SECOND**self.steps)).sqrt_().add_(TINY)
                size = rate / (1 - FIRST**self.steps)
                weight.mul_(kept).addcdiv_(first, spread, value=-size)
        for weight in (*self.matrices, *self.others):
            weight.grad = None

    def moments(self) -> dict[str, Tensor]:
        """Return what has to be kept to go on later, as tensors by name, on the CPU."""
        kept = {
            f"{name}.{k}": value.to("cpu", copy=True)
            for name, values in self._state().items()
            for k, value in enumerate(values)
        }
        return {**kept, "steps": torch.tensor(self.steps)}

    def restore(self, moments: dict[str, Tensor]) -> None:
        """Go on from what `moments` returned."""
        self.steps = int(moments["steps"])
        for name, values in self._state().items():
            for k, value in enumerate(values):
                value.copy_(moments[f"{name}.{k}"])

    def _state(self) -> dict[str, list[Tensor]]:
        return {"momentum": self.momentum, "first": self.first, "second": self.second}


@torch.no_grad()
def orthogonalise(matrix: Tensor) -> Tensor:
    """Return about U V' of the singular value decomposition U S V', by Newton-Schulz: [R, C]."""
    tall = matrix.shape[0] > matrix.shape[1]
    flow = matrix.T if tall else matrix
    flow = flow / flow.norm().clamp(min=1e-7)
    a, b, c = NEWTON_SCHULZ
    for _ in range(NEWTON_SCHULZ_STEPS):
        gram = flow @ flow.T
        flow = torch.addmm(flow, torch.addmm(gram, gram, gram, beta=b, alpha=c), flow, beta=a)
    return flow.T if tall else flow


def split(network: nn.Module) -> tuple[list[Tensor], list[Tensor]]:
    """Return the matrices that map facts or hidden layers to hidden layers, and all the rest.

    Tables of embeddings and the last layer stay with AdamW: their rows are things, not directions.
    """
    matrices: list[Tensor] = []
    others: list[Tensor] = []
    for name, weight in network.named_parameters():
        maps = weight.ndim == 2 and not name.startswith(("embeddings.", "head."))
        (matrices if maps else others).append(weight)
    return matrices, others


def _zeros(weights: Iterable[Tensor]) -> list[Tensor]:
    return [torch.zeros_like(weight) for weight in weights]
