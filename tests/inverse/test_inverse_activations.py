"""Each activation and its inverse, up to the bound of its range and beyond."""

import math

import pytest
import torch
from inverse_support import ACTIVATIONS
from torch import nn

from paperlib.inverse import NotInvertibleError, OutOfRangeError, activation_range, invert_activation, outside_range

RANGES = {
    "identity": (-math.inf, math.inf),
    "leaky_relu": (-math.inf, math.inf),
    "selu": (-1.7580993408473766, math.inf),
    "sigmoid": (0, 1),
    "softplus": (0, math.inf),
    "softplus_steep": (0, math.inf),
    "tanh": (-1, 1),
}
BOUNDED = [name for name, (low, _) in RANGES.items() if low > -math.inf]
DTYPES = [torch.float32, torch.float64]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_range(name):
    # An ulp: the bound is what the activation itself gives for minus infinity.
    assert activation_range(ACTIVATIONS[name]) == pytest.approx(RANGES[name], rel=1e-15)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_grid_round_trip(name, dtype):
    z = torch.linspace(-5, 5, 2001, dtype=dtype).requires_grad_()
    y = ACTIVATIONS[name](z)
    (slope,) = torch.autograd.grad(y.sum(), z)
    found = invert_activation(ACTIVATIONS[name], y.detach())
    assert found.dtype == dtype
    # The rounding of y and of what f adds up in it (numbers of order 1), seen through the slope, and that of z.
    allowed = 4 * torch.finfo(dtype).eps * ((1 + y.abs()) / slope + z.abs())
    assert ((found - z).abs() <= allowed).all()
    assert (found - z).abs().max() < (1e-10 if dtype == torch.float64 else 1e-2)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_outputs_all_over_the_range_come_back(name):
    low, high = activation_range(ACTIVATIONS[name])
    shares = torch.tensor([1e-12, 1e-6, 1e-3, 0.2, 0.5, 0.9, 0.999], dtype=torch.float64)
    start, end = max(low, -40), min(high, 40)
    y = start + shares * (end - start)
    assert torch.allclose(ACTIVATIONS[name](invert_activation(ACTIVATIONS[name], y)), y, rtol=1e-13, atol=1e-15)


def test_selu_by_its_two_formulas():
    scale, alpha = 1.0507009873554805, 1.6732632423543772
    y = torch.tensor([-1.75, -0.5, -1e-9, 0.0, 1e-9, 2.0], dtype=torch.float64)
    by_hand = [math.log1p(v / (scale * alpha)) if v < 0 else v / scale for v in y.tolist()]
    assert invert_activation(nn.SELU(), y).tolist() == pytest.approx(by_hand, rel=1e-14)
    assert -scale * alpha == pytest.approx(-1.7580993408473766, rel=1e-15)


def test_softplus_inverts_both_of_its_branches_and_their_overlap():
    softplus = nn.Softplus(beta=2.0, threshold=3.0)
    # 1.51 lies above threshold / beta but below where the logarithm ends, log1p(e^3) / 2 = 1.524.
    y = torch.tensor([1e-8, 1.0, 1.499, 1.51, 1.53, 100.0], dtype=torch.float64)
    assert torch.allclose(softplus(invert_activation(softplus, y)), y, rtol=1e-13, atol=0)


@pytest.mark.parametrize("dtype", [torch.bfloat16, *DTYPES])
@pytest.mark.parametrize("name", BOUNDED)
def test_the_bound_itself_is_outside(name, dtype):
    activation = ACTIVATIONS[name]
    saturated = activation(torch.tensor([-1e4, 0.5], dtype=dtype))
    assert outside_range(activation, saturated).tolist() == [True, False]
    with pytest.raises(OutOfRangeError, match=f"{type(activation).__name__}: 1 of 2 entries are outside"):
        invert_activation(activation, saturated)
    moved = invert_activation(activation, saturated, clip=1e-6)
    assert torch.isfinite(moved).all()
    # bfloat16 has eight bits, and the output itself was rounded to them.
    assert moved[1].item() == pytest.approx(0.5, abs=0.01 if dtype == torch.bfloat16 else 1e-6)
    assert moved[0] < -3


@pytest.mark.parametrize("name", ["sigmoid", "tanh"])
def test_the_upper_bound_is_outside_too(name):
    with pytest.raises(OutOfRangeError, match="largest 1;"):
        invert_activation(ACTIVATIONS[name], ACTIVATIONS[name](torch.tensor([0.1, 100.0])))


def test_clip_is_a_share_of_the_distance_from_the_bound_to_the_output_at_zero():
    y = torch.tensor([-5.0, 0.2, 7.0], dtype=torch.float64)
    back = nn.Sigmoid()(invert_activation(nn.Sigmoid(), y, clip=0.1))
    assert back.tolist() == pytest.approx([0.05, 0.2, 0.95], rel=1e-14)
    back = nn.SELU()(invert_activation(nn.SELU(), y, clip=0.1))
    assert back.tolist() == pytest.approx([-0.9 * 1.7580993408473766, 0.2, 7.0], rel=1e-14)


def test_the_message_counts_and_says_what_to_do():
    with pytest.raises(OutOfRangeError) as caught:
        invert_activation(nn.SELU(), torch.tensor([-9.25, -1.0, 3.5, -2.0]), path="body.selu2")
    text = str(caught.value)
    for part in ("SELU at 'body.selu2'", "2 of 4", "smallest -9.25, largest 3.5", "(-1.7580993, inf)"):
        assert part in text
    assert "clip=1e-6" in text
    assert 'method="constrained"' in text
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("clip", [None, 1e-6])
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_nan_and_infinity_are_refused_clipped_or_not(bad, clip):
    with pytest.raises(OutOfRangeError, match="1 of 2"):
        invert_activation(nn.SELU(), torch.tensor([0.5, bad]), clip)


def test_infinity_towards_a_finite_bound_can_be_clipped():
    moved = invert_activation(nn.SELU(), torch.tensor([-math.inf], dtype=torch.float64), clip=0.5)
    assert moved.item() == pytest.approx(math.log(0.5))


@pytest.mark.parametrize("clip", [0.0, -1.0, 1.0, 1e-15, math.nan])
def test_clip_out_of_range(clip):
    with pytest.raises(ValueError, match="share of the distance scale"):
        invert_activation(nn.SELU(), torch.zeros(1), clip)


@pytest.mark.parametrize("module", [nn.ReLU(), nn.GELU(), nn.LeakyReLU(0.0), nn.LeakyReLU(-0.1), nn.Linear(1, 1)])
def test_unsupported_activation(module):
    with pytest.raises(NotInvertibleError, match=f"{type(module).__name__}.*'top'.*LeakyReLU, SELU, Sigmoid, Softplus"):
        invert_activation(module, torch.zeros(1), path="top")
    with pytest.raises(NotInvertibleError):
        activation_range(module)


def test_a_subclass_may_compute_something_else():
    class Shifted(nn.SELU):
        def forward(self, x):
            return super().forward(x) + 1

    with pytest.raises(NotInvertibleError, match="Shifted"):
        invert_activation(Shifted(), torch.zeros(1))
