"""The tensor SVD: three convolutions against the one that they make up (`convsvd`, eq. 14; prop.06)."""

import pytest
import torch
from torch import Tensor, nn

from paperlib.unfolding import UnfoldingError, output_unfolding, tensor_svd

LAYERS = {
    "plain": lambda: nn.Conv2d(3, 5, 3),
    "more filters than entries": lambda: nn.Conv2d(2, 20, (2, 3), padding=1),
    "stride, dilation, padding": lambda: nn.Conv2d(3, 4, (3, 2), stride=(2, 1), dilation=(1, 2), padding=(1, 2)),
    "no bias": lambda: nn.Conv2d(3, 4, 3, bias=False),
    "groups": lambda: nn.Conv2d(4, 6, 3, groups=2, padding=1),
    "depthwise": lambda: nn.Conv2d(4, 8, 3, groups=4, stride=2),
    "circular": lambda: nn.Conv2d(3, 4, 3, padding=1, padding_mode="circular"),
    "same": lambda: nn.Conv2d(3, 4, 3, padding="same", dilation=2),
    "1-D": lambda: nn.Conv1d(3, 4, 5, padding=2),
    "3-D": lambda: nn.Conv3d(2, 3, (2, 1, 3), padding=(1, 0, 1)),
}


def made(name: str, dtype: torch.dtype = torch.float64) -> tuple[nn.Module, Tensor]:
    torch.manual_seed(0)
    layer = LAYERS[name]().to(dtype)
    generator = torch.Generator().manual_seed(1)
    return layer, torch.randn(2, layer.in_channels, *[9, 8, 7][: len(layer.kernel_size)], generator=generator).to(dtype)


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("name", LAYERS)
def test_three_convolutions_are_the_layer(name, full):
    layer, x = made(name)
    torch.testing.assert_close(tensor_svd(layer, full=full)(x), layer(x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", LAYERS)
def test_in_single_precision_to_its_rounding(name):
    layer, x = made(name, torch.float32)
    three = tensor_svd(layer)
    assert {weight.dtype for weight in three.parameters()} == {torch.float32}
    torch.testing.assert_close(three(x), layer(x), rtol=0, atol=5e-6)


def test_shapes_are_those_of_the_paper():
    """``V`` (c k^2, c, k, k), ``S`` (d, c k^2, 1, 1), ``U`` (d, d, 1, 1); reduced, r singular triplets."""
    layer, _ = made("plain")
    assert [tuple(part.weight.shape) for part in tensor_svd(layer, full=True)] == [
        (27, 3, 3, 3), (5, 27, 1, 1), (5, 5, 1, 1),
    ]  # fmt: skip
    assert [tuple(part.weight.shape) for part in tensor_svd(layer)] == [(5, 3, 3, 3), (5, 5, 1, 1), (5, 5, 1, 1)]


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("name", ["plain", "more filters than entries"])
def test_the_parts_are_the_factors_of_the_unfolding(name, full):
    layer, _ = made(name)
    V, S, U = (output_unfolding(part.weight) for part in tensor_svd(layer, full=full))
    torch.testing.assert_close(U @ S @ V, output_unfolding(layer.weight), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(V @ V.T, torch.eye(len(V), dtype=V.dtype), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(U.T @ U, torch.eye(U.shape[1], dtype=V.dtype), rtol=1e-12, atol=1e-12)
    values = torch.linalg.svdvals(output_unfolding(layer.weight))
    torch.testing.assert_close(S.diagonal(), values, rtol=1e-12, atol=1e-12)
    assert S.count_nonzero() == len(values)


def test_the_layer_itself_is_left_alone():
    layer, _ = made("plain")
    before = layer.weight.clone()
    three = tensor_svd(layer)
    three.U.bias.add_(1)
    three.V.weight.zero_()
    assert torch.equal(layer.weight, before)
    assert layer.weight.requires_grad
    assert not any(weight.requires_grad for weight in three.parameters())


def test_other_layers_are_refused():
    with pytest.raises(UnfoldingError, match="Linear is no convolution"):
        tensor_svd(nn.Linear(2, 3))
