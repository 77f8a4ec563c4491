"""What cannot be inverted is said by name, with what to do."""

import pytest
import torch
from inverse_support import draw, linear, orthonormal
from torch import nn

from paperlib.inverse import NotInvertibleError, invert


def small(*layers: nn.Module) -> nn.Sequential:
    return nn.Sequential(linear(orthonormal(4, 4)), *layers)


@pytest.mark.parametrize(
    ("module", "kind"),
    [
        (nn.ReLU(), "ReLU"),
        (nn.GELU(), "GELU"),
        (nn.MaxPool1d(2), "MaxPool1d"),
        (nn.BatchNorm1d(4), "BatchNorm1d"),
        (nn.LeakyReLU(0.0), r"LeakyReLU with slope 0\.0"),
        (nn.ModuleList(), "ModuleList"),
    ],
)
def test_unsupported_modules_are_named_with_their_path(module, kind):
    model = nn.Sequential(small(), nn.Sequential(nn.Identity(), module))
    with pytest.raises(
        NotInvertibleError, match=rf"{kind} at '1\.1' has no inverse here; supported are Sequential, Lin"
    ):
        invert(model, draw(2, 4), (4,))


@pytest.mark.parametrize("method", ["pseudoinverse", "constrained"])
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_outputs_that_are_not_finite(bad, method):
    outputs = draw(2, 4)
    outputs[1, 2] = bad
    with pytest.raises(ValueError, match="1 of the 8 wanted outputs are NaN or infinite"):
        invert(small(), outputs, (4,), method=method)


@pytest.mark.parametrize("shape", [(2, 5), (4,), (2, 4, 1), (0, 4), ()])
def test_outputs_of_another_shape(shape):
    with pytest.raises(ValueError, match=r"the model's have \(count, 4\)"):
        invert(small(), torch.zeros(shape), (4,))


def test_an_input_shape_that_does_not_fit():
    with pytest.raises(ValueError, match=r"Linear at '0' does not take inputs of shape \(2, 3\)"):
        invert(small(), draw(2, 4), (2, 3))


def test_the_batch_axis_must_stay():
    with pytest.raises(ValueError, match="Flatten at '1' does not keep the batch axis"):
        invert(small(nn.Flatten(0)), draw(2, 4), (4,))


def test_dropout_matters_in_training_mode_only():
    model = small(nn.Dropout(0.3))
    with pytest.raises(ValueError, match=r"Dropout at '1' is in training mode.*model\.eval\(\)"):
        invert(model.train(), draw(2, 4), (4,))
    assert invert(model.eval(), draw(2, 4), (4,)).relative_distances.max() < 1e-12
    # Without dropout the mode changes nothing.
    assert invert(small().train(), draw(2, 4), (4,)).relative_distances.max() < 1e-12


def test_matrices_above_the_limit():
    with pytest.raises(ValueError, match="Conv2d at '0' is 72 x 36; sides above 40 are refused: raise largest_side"):
        invert(nn.Sequential(nn.Conv2d(1, 2, 3, padding=1)), torch.zeros(1, 2, 6, 6), (1, 6, 6), largest_side=40)


def test_weights_that_are_not_finite():
    model = small(linear(torch.full((4, 4), float("nan"))).double())
    with pytest.raises(ValueError, match="Linear at '1': 16 of the 16 entries of the matrix are NaN"):
        invert(model, draw(2, 4), (4,))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"method": "newton"}, "method is 'newton'; expected one of 'pseudoinverse', 'constrained'"),
        ({"sweeps": 0, "refinements": 0}, "sweeps is 0, refinements 0"),
        ({"sweeps": -1}, "sweeps is -1"),
        ({"margin": 1.0}, r"margin 1\.0"),
        ({"weight": 0.0}, r"weight 0\.0"),
        ({"tolerance": 2.0}, "tolerance is 2.0"),
    ],
)
def test_settings_out_of_range(settings, message):
    with pytest.raises(ValueError, match=message):
        invert(small(), draw(2, 4), (4,), **settings)
