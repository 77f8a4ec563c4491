"""All singular values with a circular boundary against the dense matrix (convsvd.prop.13), and NumPy's transform."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from paperlib.spectra import circular_count, circular_singular_values
from paperlib.unfolding import UnfoldingError, convolution_matrices

CONV = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
# Name: settings of the layer and size of the input.
CASES = {
    "odd size": ({"kernel_size": 3}, (5, 7)),
    "even size": ({"kernel_size": 3}, (6, 4)),
    "odd and even": ({"kernel_size": 3}, (5, 6)),
    "more filters than channels": ({"in_channels": 2, "out_channels": 7, "kernel_size": 3}, (5, 6)),
    "fewer filters than channels": ({"in_channels": 7, "out_channels": 2, "kernel_size": 3}, (5, 6)),
    "square": ({"in_channels": 4, "out_channels": 4, "kernel_size": 3}, (5, 6)),
    "even kernel": ({"kernel_size": (2, 4)}, (6, 5)),
    "one pixel": ({"kernel_size": 1}, (4, 3)),
    "kernel larger than the input": ({"kernel_size": (5, 3)}, (2, 4)),
    "input of one entry": ({"kernel_size": 3}, (1, 1)),
    "stride": ({"kernel_size": 3, "stride": 2}, (6, 8)),
    "strides": ({"kernel_size": 3, "stride": (3, 2)}, (9, 6)),
    "stride of the whole input": ({"kernel_size": 3, "stride": 4}, (4, 4)),
    "stride beyond the kernel": ({"kernel_size": 2, "stride": 3}, (6, 6)),
    "stride, many filters": ({"in_channels": 1, "out_channels": 9, "kernel_size": 3, "stride": 2}, (6, 4)),
    "dilation": ({"kernel_size": 3, "dilation": (2, 3)}, (7, 8)),
    "dilation onto itself": ({"kernel_size": 3, "dilation": 2}, (4, 6)),
    "stride and dilation": ({"kernel_size": (3, 2), "stride": (2, 3), "dilation": (3, 2)}, (8, 9)),
    "groups": ({"in_channels": 4, "out_channels": 6, "kernel_size": 3, "groups": 2}, (5, 6)),
    "depthwise": ({"in_channels": 4, "out_channels": 4, "kernel_size": 3, "groups": 4}, (5, 6)),
    "depthwise, stride": ({"in_channels": 3, "out_channels": 6, "kernel_size": 3, "groups": 3, "stride": 2}, (4, 6)),
    "all": (
        {"in_channels": 4, "out_channels": 6, "kernel_size": (3, 2), "stride": 2, "dilation": 3, "groups": 2}, (6, 8),
    ),
    "1-D": ({"kernel_size": 4}, (9,)),
    "1-D, stride, wrapped": ({"kernel_size": 7, "stride": 2}, (4,)),
    "3-D": ({"kernel_size": (2, 3, 1)}, (3, 4, 5)),
    "3-D, all": ({"in_channels": 2, "out_channels": 4, "kernel_size": 2, "stride": (1, 2, 3), "groups": 2}, (3, 4, 6)),
}  # fmt: skip


def made(name: str) -> tuple[nn.Module, tuple[int, ...]]:
    words, size = CASES[name]
    layer = CONV[len(size)](**{"in_channels": 3, "out_channels": 4} | words).double()
    layer.weight.data.copy_(torch.randn(layer.weight.shape, generator=torch.Generator().manual_seed(0)))
    return layer, size


def dense(layer: nn.Module, size: tuple[int, ...], boundary: str = "circular") -> Tensor:
    return torch.linalg.svdvals(convolution_matrices(layer).operator_matrix(size, boundary))


@pytest.mark.parametrize("name", CASES)
def test_all_values_are_those_of_the_dense_matrix(name):
    layer, size = made(name)
    expected = dense(layer, size)
    found = circular_singular_values(layer, size)
    assert found.dtype == torch.float64
    assert len(found) == len(expected) == circular_count(layer, size)
    # A singular value decomposition errs by some eps of the largest value.
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12 * float(expected[0]))


@pytest.mark.parametrize("name", CASES)
def test_squares_add_up_to_the_frobenius_norm(name):
    """Each weight stands once in each row block: as often as there are positions."""
    layer, size = made(name)
    positions = np.prod(convolution_matrices(layer).output_size(size, "circular"))
    found = circular_singular_values(layer, size).square().sum()
    wrapped = any(
        step * (side - 1) >= length for step, side, length in zip(layer.dilation, layer.kernel_size, size, strict=True)
    )
    expected = convolution_matrices(layer).operator_matrix(size, "circular").square().sum()
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=0)
    if not wrapped:
        torch.testing.assert_close(found, positions * layer.weight.detach().square().sum(), rtol=1e-12, atol=0)


@pytest.mark.parametrize(("c_in", "c_out"), [(3, 4), (4, 3), (4, 4)])
def test_the_published_way_gives_the_same(c_in, c_out):
    """Sedghi et al.: fft2 of the kernel and a batched SVD, in double precision."""
    kernel = np.random.default_rng(0).standard_normal((c_out, c_in, 3, 3))
    transforms = np.fft.fft2(kernel.transpose(2, 3, 0, 1), (8, 6), axes=[0, 1])
    expected = np.sort(np.linalg.svd(transforms, compute_uv=False).ravel())[::-1]
    found = circular_singular_values(torch.from_numpy(kernel), (8, 6)).numpy()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13 * expected[0])


def test_a_planted_spectrum_is_found():
    """A kernel of one entry is the same matrix at each frequency; a shift is unitary."""
    generator = torch.Generator().manual_seed(0)
    U, V = (torch.linalg.qr(torch.randn(4, 4, generator=generator, dtype=torch.float64)).Q for _ in range(2))
    values = torch.tensor([3.0, 2.0, 0.5, 0.0], dtype=torch.float64)
    weight = torch.zeros(4, 4, 3, 3, dtype=torch.float64)
    weight[:, :, 0, 2] = U @ values.diag() @ V
    found = circular_singular_values(weight, (5, 6))
    torch.testing.assert_close(found, values.repeat_interleave(30), rtol=0, atol=1e-14)


def test_padding_and_its_mode_make_no_difference():
    plain = nn.Conv2d(2, 3, 3)
    other = nn.Conv2d(2, 3, 3, padding=1, padding_mode="reflect")
    other.load_state_dict(plain.state_dict())
    assert torch.equal(circular_singular_values(plain, (5, 6)), circular_singular_values(other, (5, 6)))


@pytest.mark.parametrize(("size", "stride"), [((5, 6), 2), ((6, 8), (1, 3)), ((3, 3), 4)])
def test_a_stride_that_does_not_divide_the_size_is_refused(size, stride):
    layer = nn.Conv2d(2, 3, 3, stride=stride)
    with pytest.raises(UnfoldingError, match="each stride must divide the size of its axis"):
        circular_singular_values(layer, size)


@pytest.mark.parametrize("tolerance", [0.0, -1.0, float("nan")])
def test_a_tolerance_that_is_not_positive_is_refused(tolerance):
    with pytest.raises(ValueError, match=f"tolerance is {tolerance}; expected a positive number"):
        circular_singular_values(torch.ones(2, 2, 3), (4,), tolerance=tolerance)


def test_bad_layers_and_sizes_are_refused():
    with pytest.raises(UnfoldingError, match="Linear is no convolution"):
        circular_singular_values(nn.Linear(2, 3), (4,))
    with pytest.raises(UnfoldingError, match="has 1 axes"):
        circular_singular_values(nn.Conv2d(2, 3, 3), (4,))
    with pytest.raises(UnfoldingError, match="weights are NaN or infinite"):
        circular_singular_values(torch.full((2, 2, 3), float("nan")), (4,))


def test_weights_that_are_zero_have_singular_values_zero():
    assert torch.equal(circular_singular_values(torch.zeros(2, 3, 3, 3), (4, 5)), torch.zeros(40, dtype=torch.float64))
