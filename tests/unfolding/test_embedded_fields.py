"""Embedding receptive fields in an input, the adjoint of taking them (convsvd.prop.04)."""

import pytest
import torch
from torch import Tensor, nn

from paperlib.unfolding import embedded_fields, output_unfolding, receptive_fields

LAYERS = {
    "plain": nn.Conv2d(2, 3, 3),
    "stride, dilation, padding": nn.Conv2d(2, 3, (3, 2), stride=(2, 1), dilation=(1, 2), padding=(1, 2)),
    "circular": nn.Conv2d(2, 3, 3, padding=1, padding_mode="circular"),
    "1-D": nn.Conv1d(2, 3, 4, padding=2),
    "3-D": nn.Conv3d(2, 3, (2, 1, 3), stride=2),
}


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", LAYERS)
def test_embedding_is_the_adjoint(name):
    layer = LAYERS[name]
    x = draw(3, 2, *[7, 6, 8][: len(layer.kernel_size)])
    taken = receptive_fields(layer, x)
    fields = draw(*taken.shape, seed=1)
    embedded = embedded_fields(layer, fields, tuple(x.shape[2:]))
    assert embedded.shape == x.shape
    both = zip((taken * fields).flatten(1).sum(1), (x * embedded).flatten(1).sum(1), strict=True)
    for one, other in both:
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("position", [0, 7, 23])
def test_of_one_position_it_is_a_right_inverse_and_the_other_way_round_a_projection(position):
    layer, size = nn.Conv2d(2, 3, (3, 2)), (6, 7)
    x, field = draw(1, 2, *size), torch.zeros(1, 24, 12, dtype=torch.float64)
    field[0, position] = draw(12, seed=1)
    embedded = embedded_fields(layer, field, size)
    assert torch.equal(receptive_fields(layer, embedded)[0, position], field[0, position])
    assert embedded.count_nonzero() == 12

    def projected(image: Tensor) -> Tensor:
        kept = torch.zeros_like(field)
        kept[0, position] = receptive_fields(layer, image)[0, position]
        return embedded_fields(layer, kept, size)

    once = projected(x)
    assert torch.equal(projected(once), once)
    torch.testing.assert_close(((x - once) * once).sum(), torch.zeros((), dtype=torch.float64))


def test_an_embedded_filter_gives_the_output_of_its_position():
    """`convsvd`, eq. 5: the product with a filter embedded at a position is the output there."""
    layer, size = nn.Conv2d(2, 3, (3, 2), bias=False).double(), (6, 7)
    x, matrix = draw(1, 2, *size), output_unfolding(layer.weight.detach())
    y = layer(x).detach().flatten(2)
    for position in (0, 5, 23):
        field = torch.zeros(1, 24, 12, dtype=torch.float64)
        for out in range(3):
            field[0, position] = matrix[out]
            product = (embedded_fields(layer, field, size) * x).sum()
            torch.testing.assert_close(product, y[0, out, position], rtol=1e-12, atol=1e-12)
