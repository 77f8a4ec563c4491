"""Steps joined into one: the same operator, without the tensors between them."""

import pytest
import torch
from torch import Tensor, nn

from paperlib.models import unet
from paperlib.operators import dot_test, freeze
from paperlib.operators.operations import Concatenation, Convolution, ConvolutionOfSeveral, Transposed, WindowSum

CONV = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
# One layer: sums of up to some thousand products in another order, about a hundred units of rounding.
CLOSE = {torch.float32: dict(rtol=1e-4, atol=1e-4), torch.float64: dict(rtol=1e-11, atol=1e-12)}

both_dtypes = pytest.mark.parametrize("dtype", CLOSE, ids=lambda dtype: str(dtype).removeprefix("torch."))


class Joining(nn.Module):
    """A convolution of three arguments: the input, the input up-sampled from a half, and a convolution of the input."""

    def __init__(self, axes: int, channels: int):
        super().__init__()
        self.down, self.up = nn.AvgPool2d(2) if axes == 2 else nn.AvgPool3d(2), nn.Upsample(scale_factor=2)
        self.side = CONV[axes](channels, channels, 1)
        self.join = CONV[axes](3 * channels, 5, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.join(torch.cat([x, self.up(self.down(x)), self.side(x)], dim=1))


def drawn(model: nn.Module, dtype: torch.dtype, *shape: int) -> tuple[nn.Module, Tensor]:
    torch.manual_seed(2)
    for parameter in model.parameters():
        nn.init.normal_(parameter)
    return model.to(dtype).eval().requires_grad_(False), torch.randn(2, *shape, dtype=dtype)


def check_linear_part(model: nn.Module, images: Tensor) -> None:
    """These models are affine: their own difference at two inputs is the product, and autograd's is the adjoint."""
    frozen = freeze(model, images)
    vectors = torch.randn_like(images)
    torch.testing.assert_close(
        frozen.product(vectors.unsqueeze(1)).squeeze(1),
        model(vectors) - model(torch.zeros_like(vectors)),
        **CLOSE[images.dtype],
    )
    z = torch.randn_like(frozen.outputs)
    expected = torch.func.vjp(model, images)[1](z)[0]
    torch.testing.assert_close(frozen.adjoint(z.unsqueeze(1)).squeeze(1), expected, **CLOSE[images.dtype])
    torch.testing.assert_close(frozen.outputs, model(images), **CLOSE[images.dtype])


@both_dtypes
@pytest.mark.parametrize(
    ("axes", "factor", "kernel"), [(1, 2, 3), (2, 2, 3), (2, 3, 5), (2, (2, 3), 3), (3, 2, 3), (3, (1, 2, 3), 1)]
)
def test_convolution_of_an_up_sampled_input(axes: int, factor, kernel: int, dtype: torch.dtype):
    convolution = CONV[axes](3, 6, kernel, padding=kernel // 2)
    model, images = drawn(nn.Sequential(nn.Upsample(scale_factor=factor), convolution), dtype, 3, *(3, 4, 2)[:axes])
    (step,) = freeze(model, images).steps
    assert isinstance(step.operation, Transposed) and isinstance(step.operation.operation, Convolution)
    check_linear_part(model, images)


@both_dtypes
@pytest.mark.parametrize(
    "settings", [dict(padding=0), dict(padding=1, stride=2), dict(padding=2, dilation=2), dict(padding=1, groups=3)]
)
def test_other_convolutions_are_left_behind_the_up_sampling(settings: dict, dtype: torch.dtype):
    convolution = nn.Conv2d(3, 6, 3, **settings)
    model, images = drawn(nn.Sequential(nn.Upsample(scale_factor=2), convolution), dtype, 3, 3, 4)
    up, last = (step.operation for step in freeze(model, images).steps)
    assert isinstance(up, Transposed) and isinstance(up.operation, WindowSum) and isinstance(last, Convolution)
    check_linear_part(model, images)


@both_dtypes
@pytest.mark.parametrize("axes", [2, 3])
def test_convolution_of_a_concatenation(axes: int, dtype: torch.dtype):
    model, images = drawn(Joining(axes, 16), dtype, 16, *(4, 6, 2)[:axes])
    steps = freeze(model, images).steps
    assert [step.path.split(" and ")[-1] for step in steps] == ["down", "side", "join"]
    assert isinstance(steps[-1].operation, ConvolutionOfSeveral)
    check_linear_part(model, images)


def test_few_channels_are_concatenated():
    model, images = drawn(Joining(2, 4), torch.float64, 4, 4, 6)
    assert any(isinstance(step.operation, Concatenation) for step in freeze(model, images).steps)
    check_linear_part(model, images)


def test_values_that_others_read_too_are_kept():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.up, self.first, self.second = nn.Upsample(scale_factor=2), nn.Conv2d(3, 4, 1), nn.Conv2d(3, 4, 1)

        def forward(self, x: Tensor) -> Tensor:
            x = self.up(x)
            return self.first(x) + self.second(x)

    model, images = drawn(Twice(), torch.float64, 3, 4, 5)
    assert len(freeze(model, images).steps) == 4
    check_linear_part(model, images)


def test_bias_before_the_convolution_keeps_the_steps_apart():
    model, images = drawn(nn.Sequential(nn.ConvTranspose2d(3, 3, 2, 2), nn.Conv2d(3, 4, 1)), torch.float64, 3, 4, 5)
    assert len(freeze(model, images).steps) == 2
    check_linear_part(model, images)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_unet_forms_no_concatenation(dimensions: int):
    model, images = drawn(unet(2, 3, depth=3, filters=16, spatial_dims=dimensions), torch.float32, 2, *[8] * dimensions)
    frozen = freeze(model, images)
    kinds = [type(step.operation) for step in frozen.steps]
    assert kinds.count(ConvolutionOfSeveral) == 2 and Concatenation not in kinds and Transposed not in kinds
    # Fifteen layers in single precision.
    assert dot_test(frozen[0]) < 1e-5
