"""The stitched operator of a volume: its adjoint, MONAI's inference, the formula by hand."""

import pytest
import torch
from monai.data import MetaTensor
from monai.inferers import sliding_window_inference
from sliding_window_support import CLOSE, MODES, OVERLAPS, SIZES, draw, network, per_axis
from torch import nn
from torch.autograd.functional import jacobian

from paperlib.operators import dot_test, freeze, sliding_window


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("overlap", OVERLAPS.values(), ids=OVERLAPS)
@pytest.mark.parametrize(("spatial", "roi_size"), SIZES.values(), ids=SIZES)
def test_stitched_operator_passes_the_dot_test(spatial, roi_size, overlap, mode):
    """generalizability.prop.16."""
    overlap = per_axis(overlap, len(spatial))
    operator = sliding_window(network(len(spatial)), draw(2, *spatial), roi_size, overlap=overlap, mode=mode)
    assert operator.domain_shape == (2, *spatial) and operator.range_shape == (3, *spatial)
    assert dot_test(operator, trials=2) < 1e-10


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("overlap", OVERLAPS.values(), ids=OVERLAPS)
@pytest.mark.parametrize(("spatial", "roi_size"), SIZES.values(), ids=SIZES)
def test_is_the_sliding_window_inference_of_monai(spatial, roi_size, overlap, mode):
    model, volume = network(len(spatial)), draw(2, *spatial)
    settings = dict(overlap=per_axis(overlap, len(spatial)), mode=mode)
    calls = []

    def counted(window):
        calls.append(len(window))
        return model(window)

    with torch.no_grad():
        expected = sliding_window_inference(volume.unsqueeze(0), roi_size, 1, counted, **settings)[0]
    operator = sliding_window(model, volume, roi_size, **settings)
    assert operator.windows == sum(calls)
    torch.testing.assert_close(operator.output, expected, **CLOSE)
    torch.testing.assert_close(operator.matvec(volume), expected, **CLOSE)


@pytest.mark.parametrize("sigma_scale", [0.05, 0.5, (0.3, 0.1)])
def test_sigma_scale_is_that_of_monai(sigma_scale):
    """At 0.05 the Gaussian falls below MONAI's smallest weight in the corners."""
    model, volume = network(2), draw(2, 13, 11)
    settings = dict(overlap=0.5, mode="gaussian", sigma_scale=sigma_scale)
    with torch.no_grad():
        expected = sliding_window_inference(volume.unsqueeze(0), (8, 8), 1, model, **settings)[0]
    operator = sliding_window(model, volume, (8, 8), **settings)
    torch.testing.assert_close(operator.output, expected, **CLOSE)
    assert dot_test(operator) < 1e-10


def by_hand(model: nn.Module, volume: torch.Tensor, starts, side: int, weight: torch.Tensor) -> torch.Tensor:
    """``D^-1 sum_w R_w^T diag(g) A_w R_w`` as dense matrices, ``A_w`` the Jacobian that autograd finds."""
    channels, height, width = volume.shape
    place = torch.arange(volume.numel()).reshape(volume.shape)
    total = torch.zeros(3 * height * width, volume.numel(), dtype=torch.float64)
    count = torch.zeros(3 * height * width, dtype=torch.float64)
    out = torch.arange(3 * height * width).reshape(3, height, width)
    g = weight.expand(3, side, side).flatten()
    for top, left in starts:
        cut = (slice(None), slice(top, top + side), slice(left, left + side))
        window = volume[cut].unsqueeze(0)
        matrix = jacobian(model, window).reshape(3 * side * side, channels * side * side)
        rows, columns = out[cut].flatten(), place[cut].flatten()
        total[rows.unsqueeze(1), columns] += g.unsqueeze(1) * matrix
        count[rows] += g
    return total / count.unsqueeze(1)


def gaussian(side: int, sigma: float) -> torch.Tensor:
    distance = torch.arange(side) - (side - 1) / 2
    bump = torch.exp(-(distance**2) / (2 * sigma**2))
    return torch.outer(bump, bump).clamp_min(1e-3).double()


@pytest.mark.parametrize(
    ("mode", "weight"), [("constant", torch.ones(4, 4).double()), ("gaussian", gaussian(4, 0.125 * 4))]
)
def test_is_the_matrix_of_the_formula(mode, weight):
    """Sides 6 and 7 with windows of 4: a step of 3 at overlap 0.25, the last window moved back into the volume."""
    model, volume = network(2), draw(2, 6, 7)
    starts = [(top, left) for top in (0, 2) for left in (0, 3)]
    expected = by_hand(model, volume, starts, 4, weight)
    operator = sliding_window(model, volume, 4, mode=mode)
    torch.testing.assert_close(operator.dense(), expected, **CLOSE)
    some = draw(3, *operator.range_shape)
    torch.testing.assert_close(operator.rmatmat(some).flatten(1), some.flatten(1) @ expected, **CLOSE)
    some = draw(3, *operator.domain_shape)
    torch.testing.assert_close(operator.matmat(some).flatten(1), some.flatten(1) @ expected.T, **CLOSE)


def test_a_smaller_volume_is_the_middle_of_a_padded_one():
    """Three voxels in a window of six: one zero before them, two behind."""
    model, volume = network(2), draw(2, 3, 6)
    padded = torch.zeros(2, 6, 6, dtype=torch.float64)
    padded[:, 1:4] = volume
    whole = freeze(model, padded.unsqueeze(0))[0].dense().reshape(3, 6, 6, 2, 6, 6)
    operator = sliding_window(model, volume, 6)
    assert operator.windows == 1
    torch.testing.assert_close(operator.dense(), whole[:, 1:4, :, :, 1:4].reshape(operator.shape), **CLOSE)


def test_one_window_is_the_frozen_network():
    model, volume = network(3), draw(2, 4, 6, 4)
    operator, frozen = sliding_window(model, volume, (4, 6, 4)), freeze(model, volume.unsqueeze(0))[0]
    v, z = draw(2, *frozen.domain_shape), draw(2, *frozen.range_shape)
    torch.testing.assert_close(operator.matmat(v), frozen.matmat(v), **CLOSE)
    torch.testing.assert_close(operator.rmatmat(z), frozen.rmatmat(z), **CLOSE)


def test_signals_of_one_axis():
    model, volume = network(1), draw(2, 19)
    operator = sliding_window(model, volume, 8, overlap=0.5)
    with torch.no_grad():
        expected = sliding_window_inference(volume.unsqueeze(0), (8,), 1, model, overlap=0.5)[0]
    torch.testing.assert_close(operator.matvec(volume), expected, **CLOSE)
    assert dot_test(operator) < 1e-10


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("spatial", "roi_size"), [SIZES["2-D"], SIZES["3-D, smaller on an axis"]])
def test_biases_are_the_offset(spatial, roi_size, mode):
    model, volume = network(len(spatial), bias=True), draw(2, *spatial)
    operator = sliding_window(model, volume, roi_size, overlap=0.5, mode=mode)
    with torch.no_grad():
        expected = sliding_window_inference(volume.unsqueeze(0), roi_size, 1, model, 0.5, mode)[0]
    offset = operator.offset()
    assert offset.norm() > 1e-3 * expected.norm()
    torch.testing.assert_close(operator.matvec(volume) + offset, expected, **CLOSE)
    torch.testing.assert_close(operator.output, expected, **CLOSE)
    assert dot_test(operator) < 1e-10


def test_without_biases_the_offset_is_zero():
    operator = sliding_window(network(2), draw(2, 9, 13), (6, 4))
    assert torch.equal(operator.offset(), torch.zeros_like(operator.output))


def test_no_graph_is_kept():
    volume = draw(2, 9, 13).requires_grad_()
    operator = sliding_window(network(2, bias=True), volume, (6, 4))
    v, z = draw(2, 9, 13).requires_grad_(), draw(3, 9, 13).requires_grad_()
    results = operator.output, operator.offset(), operator.matvec(v), operator.rmatvec(z)
    assert not any(result.requires_grad for result in results)


def test_volumes_of_monai():
    """A MetaTensor carries an affine and its history; products of the operator are plain tensors."""
    model, volume = network(2), draw(2, 9, 13)
    operator = sliding_window(model, MetaTensor(volume), (6, 4))
    assert type(operator.output) is torch.Tensor
    assert torch.equal(operator.output, sliding_window(model, volume, (6, 4)).output)


def test_float32():
    model, volume = network(3).float(), draw(2, 6, 7, 5).float()
    operator = sliding_window(model, volume, 4, overlap=0.5, mode="gaussian")
    assert operator.dtype == operator.output.dtype == torch.float32
    assert dot_test(operator) < 1e-5


def test_exported_program():
    model, volume = network(2), draw(2, 9, 13)
    program = torch.export.export(model, (draw(1, 2, 6, 4),))
    expected = sliding_window(model, volume, (6, 4))
    operator = sliding_window(program, volume, (6, 4))
    torch.testing.assert_close(operator.output, expected.output, **CLOSE)
    torch.testing.assert_close(operator.matvec(volume), expected.output, **CLOSE)
    assert dot_test(operator) < 1e-10
