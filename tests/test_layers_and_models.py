"""The layers that torch does not have, and the papers' networks by name."""

import pytest
import torch
from torch import nn

from paperlib.layers import ConcatenatedSkip, ResidualSkip, SumPool
from paperlib.models import ARCHITECTURES, build, mnist_cnn


@pytest.mark.parametrize("shape", [(2, 3, 6), (2, 3, 4, 6), (1, 2, 4, 2, 6)], ids=str)
@pytest.mark.parametrize("window", [1, 2])
def test_sum_pooling_sums_windows(shape, window):
    X = torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    expected = X
    for axis in range(2, X.dim()):
        expected = expected.unflatten(axis, (-1, window)).sum(axis + 1)
    torch.testing.assert_close(SumPool(window)(X), expected, rtol=1e-13, atol=1e-13)


def test_sum_pooling_refuses_sides_that_the_window_does_not_divide():
    with pytest.raises(ValueError, match=r"sum pooling by 2 needs .* multiples of it, got \(4, 5\)"):
        SumPool(2)(torch.zeros(1, 1, 4, 5))


def test_sum_pooling_says_its_window():
    assert repr(SumPool(3)) == "SumPool(kernel_size=3)"


def test_skips():
    branch, x = nn.Conv2d(2, 2, 1), torch.rand(1, 2, 3, 3)
    assert torch.equal(ConcatenatedSkip(branch)(x), torch.cat([branch(x), x], 1))
    assert torch.equal(ResidualSkip(branch)(x), branch(x) + x)


@pytest.mark.parametrize(("padding", "weights", "features"), [("same", 1_791_264, 3136), ("valid", 709_920, 1024)])
def test_mnist_cnn_is_that_of_the_paper(padding, weights, features):
    model = mnist_cnn(padding)
    assert sum(parameter.numel() for parameter in model.parameters()) == weights
    assert [name for name, _ in model.named_parameters() if name.endswith("bias")] == []
    assert model.linear1.in_features == features
    kinds = [type(layer).__name__ for layer in model]
    block = ["Conv2d", "ReLU", "SumPool"]
    assert kinds == [*block, *block, "Flatten", "Linear", "ReLU", "Linear", "ReLU", "Linear"]
    shapes = [tuple(parameter.shape) for parameter in model.parameters()]
    assert shapes == [(32, 1, 5, 5), (64, 32, 5, 5), (512, features), (256, 512), (10, 256)]
    assert model(torch.zeros(2, 1, 28, 28)).shape == (2, 10)


def test_shapes_with_zeros_around_are_those_of_the_paper():
    x, shapes = torch.zeros(1, 1, 28, 28), []
    for layer in mnist_cnn():
        x = layer(x)
        shapes.append(tuple(x.shape[1:]))
    assert shapes[0] == (32, 28, 28) and shapes[2] == (32, 14, 14)
    assert shapes[3] == (64, 14, 14) and shapes[5] == (64, 7, 7) and shapes[6] == (3136,)


def test_unknown_padding_is_refused():
    with pytest.raises(ValueError, match="padding is 'reflect'; expected one of"):
        mnist_cnn("reflect")


def test_networks_are_built_by_name():
    assert isinstance(build("mnist_cnn", padding="valid").conv1, nn.Conv2d)
    assert "mnist_cnn" in ARCHITECTURES
    with pytest.raises(KeyError, match=r"unknown architecture 'minst_cnn'; known: .*mnist_cnn"):
        build("minst_cnn")
