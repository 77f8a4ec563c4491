"""Where descent on the input ends for one layer, and at which rate."""

import pytest
import torch
from torch import nn

from paperlib.ideal_inputs import train_inputs
from paperlib.subspaces import four_spaces


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def planted(rows: int, columns: int, values: list[float]) -> torch.Tensor:
    U, V = torch.linalg.qr(draw(rows, len(values))).Q, torch.linalg.qr(draw(columns, len(values), seed=1)).Q
    return U * torch.tensor(values).double() @ V.mT


def layer_of(W: torch.Tensor) -> nn.Linear:
    layer = nn.Linear(W.shape[1], W.shape[0], bias=False).double().eval()
    with torch.no_grad():
        layer.weight.copy_(W)
    return layer


# Wide, tall, and of a rank below both sides: in the last two most targets are out of reach.
SHAPES = [(4, 9, [3.0, 2.0, 1.5, 1.0]), (9, 4, [3.0, 2.0, 1.5, 1.0]), (6, 8, [2.0, 1.5, 1.0])]


@pytest.mark.parametrize(("rows", "columns", "values"), SHAPES)
@pytest.mark.parametrize("share_of_the_largest_step", [0.3, 0.9])
def test_descent_ends_at_the_nearest_image_with_the_nearest_output(rows, columns, values, share_of_the_largest_step):
    W = planted(rows, columns, values)
    spaces, start, target = four_spaces(W), draw(7, columns, seed=2), draw(7, rows, seed=3)
    rate = share_of_the_largest_step * rows / values[0] ** 2
    found = train_inputs(layer_of(W), start, target, steps=2000, learning_rate=rate)
    limit = start + spaces.pseudoinverse(target - start @ W.mT)
    torch.testing.assert_close(found.images, limit, rtol=0, atol=1e-9)
    # Any other image with the same output is farther from the start.
    if spaces.null_space.shape[1]:
        other = limit + 0.1 * draw(7, spaces.null_space.shape[1], seed=4) @ spaces.null_space.mT
        assert ((other - start).norm(dim=1) > (limit - start).norm(dim=1)).all()


def test_each_direction_has_its_own_rate():
    W = planted(4, 9, [3.0, 2.0, 1.5, 1.0])
    spaces, start, target = four_spaces(W), draw(7, 9, seed=2), draw(7, 4, seed=3)
    found = train_inputs(layer_of(W), start, target, steps=25, learning_rate=0.2)
    before, after = ((images @ W.mT - target) @ spaces.U for images in (start, found.images))
    torch.testing.assert_close(after, before * (1 - 2 * 0.2 * spaces.S**2 / 4) ** 25, rtol=0, atol=1e-10)


def test_a_step_above_the_bound_leads_away():
    W = planted(4, 9, [3.0, 2.0, 1.5, 1.0])
    start, target = draw(7, 9, seed=2), draw(7, 4, seed=3)
    found = train_inputs(layer_of(W), start, target, steps=200, learning_rate=1.05 * 4 / 9)
    assert (found.after > found.before).all()
