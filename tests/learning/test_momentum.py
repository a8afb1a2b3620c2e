"""The optimizer: what torch's own does, and nothing of its compiler."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from srclib.learning.momentum import Momentum

UNLOADED = """
import sys
import torch
from tests.cells import awake
from srclib.learning.training import train

settings = awake()
model = settings.network()
x, y = torch.rand(40, settings.layers[0]), torch.arange(40) % settings.layers[-1]
train(model, settings.optimizer(model), x, y, loss=settings.loss, epochs=1, batch=4)
assert "torch._dynamo" not in sys.modules
torch.optim.SGD(model.parameters(), lr=0.1)
assert "torch._dynamo" in sys.modules  # else `torch.optim.SGD` would do
"""


@pytest.mark.parametrize("momentum", [0.0, 0.5])
def test_does_what_torch_does(momentum: float) -> None:
    generator = torch.Generator().manual_seed(0)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator)

    start = [draw(7, 3), draw(2, 7)]
    ours, theirs = ([nn.Parameter(w.clone()) for w in start] for _ in range(2))
    optimizer, expected = Momentum(ours, 0.1, momentum), torch.optim.SGD(theirs, lr=0.1, momentum=momentum, fused=True)
    for step in range(5):
        optimizer.lr = expected.param_groups[0]["lr"] = 0.1 / (1 + step)
        if step == 3:
            optimizer.rest()
            expected.state.clear()
        for i, (mine, other) in enumerate(zip(ours, theirs, strict=True)):
            gradient = None if (step, i) == (2, 1) else draw(*mine.shape)
            mine.grad, other.grad = gradient, gradient
        optimizer.step()
        expected.step()
        assert all(torch.equal(mine, other) for mine, other in zip(ours, theirs, strict=True))
    assert not any(torch.equal(w, old) for w, old in zip(ours, start, strict=True))
    assert [v is None for v in optimizer.velocity] == [momentum == 0] * 2


def test_training_does_not_load_the_compiler_of_torch() -> None:
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", UNLOADED], capture_output=True, text=True, cwd=root)
    assert done.returncode == 0, done.stderr
