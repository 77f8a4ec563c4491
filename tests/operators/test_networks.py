"""Whole networks: `A[x]` and its adjoint against autograd, in batches, with skips, biases and constants."""

import pytest
import torch
from torch import Tensor, nn
from torch.autograd.functional import jacobian

from paperlib.layers import ConcatenatedSkip, ResidualSkip, SumPool
from paperlib.models import mnist_cnn
from paperlib.operators import dot_test, freeze

CONV = {2: nn.Conv2d, 3: nn.Conv3d}
CONV_TRANSPOSE = {2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
MAX_POOL = {2: nn.MaxPool2d, 3: nn.MaxPool3d}
BATCH_NORM = {2: nn.BatchNorm2d, 3: nn.BatchNorm3d}

MISMATCH = {torch.float32: 1e-5, torch.float64: 1e-12}
# Some layers deep, each a sum of up to some thousand products: a few thousand units of rounding.
CLOSE = {torch.float32: dict(rtol=1e-3, atol=1e-4), torch.float64: dict(rtol=1e-10, atol=1e-11)}


class SmallUNet(nn.Module):
    """Two levels with every layer that a segmentation network has; spatial sides are multiples of four."""

    def __init__(self, axes: int, width: int = 3):
        super().__init__()
        conv, norm = CONV[axes], BATCH_NORM[axes]
        self.stem = nn.Sequential(conv(2, width, 3, padding=1), norm(width), nn.ReLU(inplace=True))
        bottom = nn.Sequential(
            MAX_POOL[axes](2),
            ResidualSkip(nn.Sequential(conv(width, width, 3, padding=1), nn.LeakyReLU(0.1), nn.Dropout(0.5))),
            CONV_TRANSPOSE[axes](width, width, 2, stride=2),
        )
        self.level = ConcatenatedSkip(
            nn.Sequential(SumPool(2), ConcatenatedSkip(bottom), nn.ReLU(), nn.Upsample(scale_factor=2))
        )
        self.head = conv(3 * width, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.level(self.stem(x)))


class ResidualBlock(nn.Module):
    """A block as torchvision writes it, and around it what real forward functions do with values and constants."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.3, -0.2]).reshape(2, 1, 1))
        self.conv1 = nn.Conv2d(2, 4, 3, stride=2, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(4)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(4, 4, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(4)
        self.shortcut = nn.Sequential(nn.Conv2d(2, 4, 1, stride=2, bias=False), nn.BatchNorm2d(4))
        self.fc = nn.Linear(24, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = x / 2 - self.mean
        out = self.relu(self.norm1(self.conv1(x)))
        out = self.norm2(self.conv2(out))
        out += self.shortcut(x)
        out = self.relu(out)
        pooled = out.mean((2, 3))
        again = out.view(out.size(0), out.size(1), -1).mean(2)
        doubled = torch.add(pooled, pooled)
        joined = torch.cat([pooled, pooled, 1 - again], dim=1)
        return self.fc(torch.cat([joined, doubled + again, torch.flatten(pooled, 1), again], 1))


def drawn(model: nn.Module, dtype: torch.dtype = torch.float64) -> nn.Module:
    """The model in evaluation mode with drawn running statistics, its weights still wanting gradients."""
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2)
    return model.to(dtype).eval()


NETWORKS = {
    "mnist_cnn same": (mnist_cnn, (1, 28, 28)),
    "mnist_cnn valid": (lambda: mnist_cnn("valid"), (1, 28, 28)),
    "u-net 2-D": (lambda: SmallUNet(2), (2, 8, 4)),
    "u-net 3-D": (lambda: SmallUNet(3), (2, 4, 4, 8)),
    "residual block": (ResidualBlock, (2, 6, 7)),
}


@pytest.fixture(params=NETWORKS)
def network(request) -> tuple[nn.Module, tuple[int, ...]]:
    build, shape = NETWORKS[request.param]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return drawn(build()), shape


def draw(*shape: int, dtype: torch.dtype = torch.float64, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("dtype", MISMATCH, ids=str)
def test_adjoint_passes_the_dot_product_test(network, dtype):
    model, shape = network
    frozen = freeze(model.to(dtype), draw(2, *shape, dtype=dtype))
    assert max(dot_test(frozen[index]) for index in range(2)) < MISMATCH[dtype]


@pytest.mark.parametrize("dtype", MISMATCH, ids=str)
def test_matrix_is_the_jacobian_of_the_network(network, dtype):
    model, shape = network
    model, images = model.to(dtype), draw(1, *shape, dtype=dtype)
    operator = freeze(model, images)[0]
    expected = jacobian(model, images).reshape(operator.shape)
    torch.testing.assert_close(operator.dense(), expected, **CLOSE[dtype])
    # The transpose is formed by the other product, since `dense` takes the smaller side of either.
    some = draw(3, *operator.domain_shape, dtype=dtype)
    torch.testing.assert_close(operator.matmat(some).flatten(1), some.flatten(1) @ expected.T, **CLOSE[dtype])
    some = draw(3, *operator.range_shape, dtype=dtype)
    torch.testing.assert_close(operator.rmatmat(some).flatten(1), some.flatten(1) @ expected, **CLOSE[dtype])


@pytest.mark.parametrize("dtype", MISMATCH, ids=str)
def test_network_is_linear_part_plus_constant_part(network, dtype):
    model, shape = network
    model, images = model.to(dtype), draw(3, *shape, dtype=dtype)
    frozen = freeze(model, images)
    expected = model(images).detach()
    linear = frozen.product(images.unsqueeze(1)).squeeze(1)
    torch.testing.assert_close(frozen.outputs, expected, **CLOSE[dtype])
    torch.testing.assert_close(linear + frozen.offset(), expected, **CLOSE[dtype])


def test_only_a_network_without_constants_is_its_linear_part(network):
    model, shape = network
    images = draw(2, *shape)
    frozen = freeze(model, images)
    linear = frozen.product(images.unsqueeze(1)).squeeze(1)
    if any(value is not None for name, value in model.named_parameters() if name.endswith("bias")):
        assert frozen.has_offset
        assert (linear - frozen.outputs).norm() > 1e-3 * frozen.outputs.norm()
    else:
        assert not frozen.has_offset
        assert torch.equal(frozen.offset(), torch.zeros_like(frozen.outputs))
        torch.testing.assert_close(linear, frozen.outputs, **CLOSE[torch.float64])


def test_a_batch_gives_what_its_images_give_one_by_one(network):
    model, shape = network
    images = draw(4, *shape)
    frozen = freeze(model, images)
    assert len(frozen) == 4
    v, z = draw(4, 3, *frozen.domain_shape), draw(4, 3, *frozen.range_shape)
    forward, adjoint, offset = frozen.product(v), frozen.adjoint(z), frozen.offset()
    for index in (0, 2, -1):
        image = images[index].unsqueeze(0)
        alone = freeze(model, image)
        torch.testing.assert_close(alone.outputs[0], frozen.outputs[index], **CLOSE[torch.float64])
        torch.testing.assert_close(alone.offset()[0], offset[index], **CLOSE[torch.float64])
        for operator in (alone[0], frozen[index]):
            torch.testing.assert_close(operator.matmat(v[index]), forward[index], **CLOSE[torch.float64])
            torch.testing.assert_close(operator.rmatmat(z[index]), adjoint[index], **CLOSE[torch.float64])
    middle = frozen.part(slice(1, 3))
    assert len(middle) == 2
    torch.testing.assert_close(middle.product(v[1:3]), forward[1:3], **CLOSE[torch.float64])
    torch.testing.assert_close(middle.adjoint(z[1:3]), adjoint[1:3], **CLOSE[torch.float64])
    torch.testing.assert_close(middle.offset(), offset[1:3], **CLOSE[torch.float64])
    with pytest.raises(IndexError):
        frozen[4]


def test_no_graph_is_kept_and_nothing_is_modified(network):
    model, shape = network
    images = draw(2, *shape).requires_grad_()
    before, weights = images.detach().clone(), {name: value.clone() for name, value in model.state_dict().items()}
    assert any(parameter.requires_grad for parameter in model.parameters())
    frozen = freeze(model, images)
    v = draw(2, 1, *frozen.domain_shape).requires_grad_()
    z = draw(2, 1, *frozen.range_shape).requires_grad_()
    kept_v, kept_z = v.detach().clone(), z.detach().clone()
    results = frozen.outputs, frozen.images, frozen.product(v), frozen.adjoint(z), frozen.offset(), frozen[0].dense()
    assert not any(result.requires_grad for result in results)
    assert torch.equal(images, before) and torch.equal(v, kept_v) and torch.equal(z, kept_z)
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_images_survive_a_first_layer_that_works_in_place():
    images = draw(2, 1, 4, 4)
    before = images.clone()
    frozen = freeze(nn.Sequential(nn.ReLU(inplace=True), nn.Flatten()), images)
    frozen.product(images.unsqueeze(1))
    assert torch.equal(images, before)
    assert torch.equal(frozen.outputs, before.relu().flatten(1))


def test_a_frozen_network_does_not_follow_its_images():
    """The matrix belongs to the image at which it was frozen; at another the network is another matrix."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = mnist_cnn().double().eval()
    first, second = draw(2, 1, 28, 28)
    frozen = freeze(model, first.unsqueeze(0))[0]
    assert (frozen.matvec(second) - model(second.unsqueeze(0))[0]).norm() > 1e-2 * model(second.unsqueeze(0)).norm()


@pytest.mark.parametrize("factor", [1e-3, 0.37, 40.0])
def test_bias_free_network_is_positively_homogeneous(factor):
    """generalizability.prop.10: F(c x) = c F(x) and A[c x] = A[x] for c > 0."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = mnist_cnn().double().eval()
    images = draw(2, 1, 28, 28)
    here, there = freeze(model, images), freeze(model, factor * images)
    torch.testing.assert_close(there.outputs, factor * here.outputs, **CLOSE[torch.float64])
    torch.testing.assert_close(there[1].dense(), here[1].dense(), **CLOSE[torch.float64])


def test_a_gate_that_is_read_twice_is_not_joined_with_the_pooling_behind_it():
    class TwoReaders(nn.Module):
        def __init__(self):
            super().__init__()
            self.relu, self.pool, self.up = nn.ReLU(), SumPool(2), nn.Upsample(scale_factor=2)

        def forward(self, x):
            gated = self.relu(x)
            return self.up(self.pool(gated)) + gated

    images = draw(1, 2, 4, 6)
    operator = freeze(TwoReaders(), images)[0]
    torch.testing.assert_close(operator.matvec(images[0]), TwoReaders()(images)[0], **CLOSE[torch.float64])
    assert dot_test(operator) < 1e-12


def test_a_branch_whose_value_nobody_returns_does_not_count():
    class Unused(nn.Module):
        def __init__(self):
            super().__init__()
            self.relu, self.pool, self.head = nn.ReLU(), SumPool(2), nn.Conv2d(2, 7, 1)

        def forward(self, x):
            features = self.relu(x)
            self.head(self.pool(features))
            return features

    images = draw(2, 2, 4, 6)
    frozen = freeze(Unused().double(), images)
    assert torch.equal(frozen.product(images.unsqueeze(1)).squeeze(1), images.relu())
    assert dot_test(frozen[0]) < 1e-12
