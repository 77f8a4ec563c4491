"""Masks of one byte and of one bit an activation: the same products, the bytes held, and nothing overwritten."""

import pytest
import torch
from torch import Tensor, nn

from paperlib.layers import ConcatenatedSkip, ResidualSkip, SumPool
from paperlib.models import mnist_cnn, unet
from paperlib.operators import Compiled, dot_test, freeze
from paperlib.operators.operations import GatedWindowSum, MaxSelection

# torch.func.jvp writes its rules in TorchScript.
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.script. is deprecated:DeprecationWarning")

# A sum of some thousand products in another order: a few hundred units of rounding.
CLOSE = dict(rtol=1e-10, atol=1e-12)


class Shared(nn.Module):
    """Values with several readers, of which gates are the last, and aliases of values that gates read."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(2, 3, 3, padding=1), nn.Conv2d(3, 3, 1)
        self.drop = nn.Dropout(0.5)

    def forward(self, x: Tensor) -> Tensor:
        y = self.first(x)
        alias, opened = self.drop(y), y.relu()
        z = self.second(opened + alias)
        flat, gated = z.flatten(1), torch.relu(z)
        return torch.cat([flat, gated.flatten(1), torch.nn.functional.leaky_relu(flat, 0.3), y.flatten(1)], 1)


def _convolution_then(*layers: nn.Module, axes: int = 2) -> nn.Module:
    convolution = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}[axes]
    return nn.Sequential(convolution(2, 3, 3, padding=1), *layers)


MODELS = {
    "ReLU": (lambda: _convolution_then(nn.ReLU()), (2, 5, 7)),
    "ReLU of a volume": (lambda: _convolution_then(nn.ReLU(), axes=3), (2, 3, 5, 3)),
    "ReLU of a signal": (lambda: _convolution_then(nn.ReLU(), SumPool(2), axes=1), (2, 10)),
    "ReLU of a vector": (lambda: nn.Sequential(nn.Linear(7, 13), nn.ReLU()), (7,)),
    "leaky ReLU": (lambda: _convolution_then(nn.LeakyReLU(0.2)), (2, 5, 7)),
    "leaky ReLU of a negative slope": (lambda: _convolution_then(nn.LeakyReLU(-0.5)), (2, 5, 7)),
    "gated window sums": (lambda: _convolution_then(nn.ReLU(), SumPool(2)), (2, 6, 10)),
    "leaky gated window sums": (lambda: _convolution_then(nn.LeakyReLU(0.1), SumPool(3), axes=3), (2, 3, 6, 9)),
    "PReLU": (lambda: _convolution_then(nn.PReLU(3)), (2, 5, 7)),
    "max pool": (lambda: _convolution_then(nn.MaxPool2d(2)), (2, 6, 8)),
    "max pool of a volume": (lambda: _convolution_then(nn.MaxPool3d((2, 3, 1), ceil_mode=True), axes=3), (2, 5, 7, 3)),
    "max pool with gaps": (lambda: _convolution_then(nn.MaxPool2d(2, stride=3, padding=1)), (2, 7, 8)),
    "max pool with dilation": (lambda: _convolution_then(nn.MaxPool2d(2, stride=4, dilation=3)), (2, 9, 8)),
    "max pool with overlap": (lambda: _convolution_then(nn.MaxPool2d(3, stride=2, padding=1)), (2, 7, 8)),
    "max pool of a large window": (lambda: _convolution_then(nn.MaxPool2d(17)), (2, 17, 34)),
    "skips": (lambda: ConcatenatedSkip(ResidualSkip(nn.Sequential(nn.Conv2d(2, 2, 1), nn.ReLU()))), (2, 3, 5)),
    "shared values": (Shared, (2, 4, 3)),
    "U-Net": (lambda: unet(1, 2, depth=3, filters=16, spatial_dims=2), (1, 8, 12)),
    "3-D U-Net": (lambda: unet(1, 2, depth=2, filters=16, spatial_dims=3), (1, 4, 6, 2)),
    "up-sampling by three": (
        lambda: nn.Sequential(nn.ReLU(), nn.Upsample(scale_factor=3), nn.Conv2d(2, 3, 5, padding=2)), (2, 4, 3)
    ),
}  # fmt: skip

every_model = pytest.mark.parametrize("name", MODELS)
both_masks = pytest.mark.parametrize("masks", ["bool", "bits"])


def made(name: str, count: int = 3) -> tuple[nn.Module, Tensor]:
    make, shape = MODELS[name]
    torch.manual_seed(5)
    model = make().double().eval()
    return model, torch.randn(count, *shape, dtype=torch.float64)


@both_masks
@every_model
def test_products_are_those_of_autograd(name: str, masks: str):
    model, images = made(name)
    frozen = freeze(model, images, masks=masks)
    vectors = torch.randn(3, 2, *frozen.domain_shape, dtype=torch.float64)
    kept = vectors.clone()
    ours = frozen.product(vectors)
    for k in range(2):
        expected = torch.func.jvp(lambda x: model(x), (images,), (vectors[:, k],))[1]
        torch.testing.assert_close(ours[:, k], expected, **CLOSE)
    z = torch.randn(3, 2, *frozen.range_shape, dtype=torch.float64)
    kept_z = z.clone()
    ours = frozen.adjoint(z)
    for k in range(2):
        expected = torch.func.vjp(lambda x: model(x), images)[1](z[:, k])[0]
        torch.testing.assert_close(ours[:, k], expected, **CLOSE)
    assert torch.equal(vectors, kept) and torch.equal(z, kept_z)


@both_masks
@every_model
def test_dot_test_in_both_dtypes(name: str, masks: str):
    model, images = made(name)
    assert dot_test(freeze(model, images, masks=masks)[1]) < 1e-12
    # Hundreds of units of rounding for some hundred terms.
    assert dot_test(freeze(model.float(), images.float(), masks=masks)[1]) < 1e-5


@every_model
def test_both_ways_give_the_same_numbers_and_the_same_again(name: str):
    model, images = made(name)
    frozen = [freeze(model, images, masks=masks) for masks in ("bool", "bits")]
    vectors = torch.randn(3, 2, *frozen[0].domain_shape, dtype=torch.float64)
    first, second = (network.product(vectors) for network in frozen)
    assert torch.equal(first, second)
    # No product has overwritten what it will be read from again.
    assert torch.equal(frozen[0].product(vectors), first)
    z = torch.randn(3, 2, *frozen[0].range_shape, dtype=torch.float64)
    first, second, again = (network.adjoint(z) for network in (*frozen, frozen[0]))
    assert torch.equal(first, second) and torch.equal(first, again)


@both_masks
@every_model
def test_parts_and_single_images(name: str, masks: str):
    model, images = made(name, count=4)
    frozen = freeze(model, images, masks=masks)
    vectors = torch.randn(4, 2, *frozen.domain_shape, dtype=torch.float64)
    whole = frozen.product(vectors)
    torch.testing.assert_close(frozen.part(slice(1, 3)).product(vectors[1:3]), whole[1:3], **CLOSE)
    torch.testing.assert_close(frozen[3].matmat(vectors[3]), whole[3], **CLOSE)


def test_bytes_are_those_of_the_gates():
    images = torch.randn(5, 2, 6, 10)
    model = _convolution_then(nn.ReLU())
    # 3 channels of 6 x 10: 180 activations, 23 bytes of eight.
    assert freeze(model, images).mask_bytes == 5 * 180
    assert freeze(model, images, masks="bits").mask_bytes == 5 * 23
    assert freeze(model, images, masks="bits").part(slice(0, 2)).mask_bytes == 2 * 23


def test_bytes_of_the_gates_that_are_joined_with_window_sums():
    frozen = freeze(_convolution_then(nn.ReLU(), SumPool(2)), torch.randn(1, 2, 6, 10), masks="bits")
    assert isinstance(frozen.steps[-1].operation, GatedWindowSum)
    assert frozen.mask_bytes == 23


def test_bytes_of_learned_slopes():
    assert freeze(_convolution_then(nn.PReLU(3)), torch.randn(1, 2, 6, 10), masks="bits").mask_bytes == 23


@pytest.mark.parametrize(
    ("pool", "dtype", "bytes_each"),
    [
        (nn.MaxPool2d(2), torch.uint8, 1),
        (nn.MaxPool2d(2, stride=3), torch.uint8, 1),
        (nn.MaxPool2d(2, stride=1), torch.int32, 4),
        (nn.MaxPool2d(3, stride=3, dilation=2), torch.int32, 4),
        (nn.MaxPool2d(17), torch.int32, 4),
    ],
)
def test_bytes_of_places_of_maxima(pool: nn.Module, dtype: torch.dtype, bytes_each: int):
    frozen = freeze(pool, torch.randn(2, 3, 19, 18))
    (selection,) = (step.operation for step in frozen.steps)
    assert isinstance(selection, MaxSelection) and selection.places.dtype == dtype
    assert frozen.mask_bytes == bytes_each * frozen.outputs.numel()


def test_network_of_the_book_holds_a_quarter_of_a_float_and_an_eighth_of_that():
    images = torch.rand(4, 1, 28, 28)
    sizes = [freeze(mnist_cnn().eval(), images, masks=masks).mask_bytes for masks in ("bool", "bits")]
    activations = 32 * 28**2 + 64 * 14**2 + 512 + 256
    assert sizes == [4 * activations, 4 * activations // 8]


def test_unknown_masks_are_refused():
    with pytest.raises(ValueError, match=r"masks is 'byte'; expected 'bool' .* or 'bits'"):
        freeze(nn.ReLU(), torch.randn(1, 3), masks="byte")
    with pytest.raises(ValueError, match=r"expected 'bool' .* or 'bits'"):
        Compiled(nn.ReLU()).freeze(torch.randn(1, 3), masks="recompute")
