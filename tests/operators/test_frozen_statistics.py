"""Instance, group and layer norm: refused, unless their statistics at the images are kept as constants."""

import pytest
import torch
from frozen_statistics_support import OF_ONE_IMAGE, STATISTICS_CASES, drawn
from operator_cases import Case
from torch import Tensor, nn
from torch.autograd.functional import jacobian

from paperlib.operators import Compiled, UnsupportedLayerError, dot_test, freeze

# Means and deviations of a few dozen numbers of size one, in another order: some hundred units of rounding.
CLOSE = {torch.float32: dict(rtol=1e-4, atol=1e-4), torch.float64: dict(rtol=1e-11, atol=1e-12)}
MISMATCH = {torch.float32: 1e-5, torch.float64: 1e-12}

every_case = pytest.mark.parametrize("case", STATISTICS_CASES, ids=lambda case: case.name)
both_dtypes = pytest.mark.parametrize("dtype", MISMATCH, ids=str)


def count(case: Case) -> int:
    return 1 if case is OF_ONE_IMAGE else 3


@both_dtypes
@every_case
def test_linear_and_constant_part_together_are_the_layer(case, dtype):
    model, images = case.model(dtype), case.images(count(case), dtype)
    frozen = freeze(model, images, frozen_statistics=True)
    expected = model(images).detach()
    linear = frozen.product(images.unsqueeze(1)).squeeze(1)
    torch.testing.assert_close(frozen.outputs, expected, **CLOSE[dtype])
    torch.testing.assert_close(linear + frozen.offset(), expected, **CLOSE[dtype])
    assert max(dot_test(frozen[index]) for index in range(len(frozen))) < MISMATCH[dtype]


@every_case
def test_without_the_option_it_is_refused_by_a_message_that_names_it(case):
    with pytest.raises(UnsupportedLayerError, match=r"statistics of its input.*frozen_statistics=True"):
        freeze(case.model(), case.images())


def frozen_matrix(normed: nn.Module, image: Tensor) -> Tensor:
    return freeze(normed, image, frozen_statistics=True)[0].dense()


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_difference_from_the_jacobian_is_the_projection_terms(groups):
    """With y the normalised n values of a group, J = w/s (I - 1 1^T / n - y y^T / n) and A = w/s I."""
    image = torch.randn(1, 4, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    norm = nn.GroupNorm(groups, 4, eps=1e-3).double()
    with torch.no_grad():
        norm.weight.copy_(torch.tensor([1.0, -2.0, 0.5, 3.0]))
        norm.bias.copy_(torch.tensor([0.1, 0.2, 0.3, 0.4]))
    n = 12 // groups
    values = image.reshape(groups, n)
    deviation = (values.var(1, correction=0) + 1e-3).sqrt()
    normalised = (values - values.mean(1, keepdim=True)) / deviation.unsqueeze(1)
    terms = [(torch.ones(n, n, dtype=torch.float64) + torch.outer(y, y)) / (n * s)
             for y, s in zip(normalised, deviation, strict=True)]  # fmt: skip
    scale = norm.weight.detach().repeat_interleave(3)
    expected = scale.unsqueeze(1) * torch.block_diag(*terms)
    A = frozen_matrix(norm, image)
    J = jacobian(norm, image).reshape(12, 12)
    torch.testing.assert_close(A, torch.diag(scale / deviation.repeat_interleave(n)), **CLOSE[torch.float64])
    torch.testing.assert_close(A - J, expected, **CLOSE[torch.float64])
    assert (A - J).norm() > 0.1 * J.norm()


def network() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers = (
            nn.Conv2d(1, 4, 3, padding=1), drawn(nn.InstanceNorm2d(4, affine=True)), nn.PReLU(), nn.MaxPool2d(2),
            nn.Conv2d(4, 4, 3), drawn(nn.GroupNorm(2, 4)), nn.ReLU6(), nn.Flatten(), drawn(nn.LayerNorm(16)),
            nn.Linear(16, 3),
        )  # fmt: skip
        return nn.Sequential(*layers).double().eval()


def images(count: int) -> Tensor:
    return torch.randn(count, 1, 8, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


class Constants(nn.Module):
    """A normalisation whose mean and deviation are given numbers."""

    def __init__(self, norm: nn.Module, groups: int, x: Tensor):
        super().__init__()
        grouped = x.reshape(groups, -1)
        self.norm = norm
        self.mean = grouped.mean(1).repeat_interleave(x.numel() // groups).reshape(x.shape)
        spread = (grouped.var(1, correction=0) + norm.eps).sqrt()
        self.deviation = spread.repeat_interleave(x.numel() // groups).reshape(x.shape)

    def forward(self, x: Tensor) -> Tensor:
        shape = (-1,) if x.dim() == 2 else (-1, 1, 1)
        return (x - self.mean) / self.deviation * self.norm.weight.reshape(shape) + self.norm.bias.reshape(shape)


def test_matrix_of_a_network_is_the_jacobian_of_the_network_with_given_statistics():
    model, image = network(), images(1)
    given, x = [], image
    for layer in model:
        groups = {nn.InstanceNorm2d: 4, nn.GroupNorm: 2, nn.LayerNorm: 1}.get(type(layer))
        given.append(layer if groups is None else Constants(layer, groups, x.detach()))
        x = layer(x)
    expected = jacobian(nn.Sequential(*given), image).reshape(3, 64)
    A = frozen_matrix(model, image)
    torch.testing.assert_close(A, expected, **CLOSE[torch.float64])
    assert (A - jacobian(model, image).reshape(3, 64)).norm() > 0.1 * A.norm()


@pytest.mark.parametrize("masks", ["bool", "bits"])
def test_a_batch_gives_what_its_images_give_one_by_one(masks):
    model, batch = network(), images(4)
    compiled = Compiled(model, frozen_statistics=True)
    frozen = compiled.freeze(batch, masks=masks)
    generator = torch.Generator().manual_seed(2)
    v = torch.randn(4, 2, 1, 8, 8, generator=generator, dtype=torch.float64)
    z = torch.randn(4, 2, 3, generator=generator, dtype=torch.float64)
    forward, adjoint, offset = frozen.product(v), frozen.adjoint(z), frozen.offset()
    assert (offset[0] - offset[1]).norm() > 1e-3
    for index in (0, 3):
        alone = compiled.freeze(batch[index : index + 1], masks=masks)
        torch.testing.assert_close(alone.offset()[0], offset[index], **CLOSE[torch.float64])
        torch.testing.assert_close(alone[0].matmat(v[index]), forward[index], **CLOSE[torch.float64])
        torch.testing.assert_close(frozen[index].rmatmat(z[index]), adjoint[index], **CLOSE[torch.float64])
    middle = frozen.part(slice(1, 3))
    torch.testing.assert_close(middle.offset(), offset[1:3], **CLOSE[torch.float64])
    torch.testing.assert_close(middle.product(v[1:3]), forward[1:3], **CLOSE[torch.float64])
    linear = middle.product(batch[1:3].unsqueeze(1)).squeeze(1)
    torch.testing.assert_close(linear + middle.offset(), model(batch[1:3]).detach(), **CLOSE[torch.float64])


def test_several_images_in_a_decomposed_instance_norm_are_refused():
    with pytest.raises(UnsupportedLayerError, match="mix its images"):
        freeze(OF_ONE_IMAGE.model(), OF_ONE_IMAGE.images(2), frozen_statistics=True)


def test_a_deviation_of_a_single_value_is_refused():
    with pytest.raises(ValueError, match="no deviation"):
        freeze(nn.InstanceNorm2d(2), torch.ones(1, 2, 1, 1), frozen_statistics=True)
