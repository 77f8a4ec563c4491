"""What the sliding-window operator refuses, and how it says so."""

import pytest
import torch
from sliding_window_support import draw, network
from torch import nn

from paperlib.operators import NotFiniteError, ShapeError, UnsupportedLayerError, sliding_window


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"roi_size": (4, 4, 4)}, ShapeError, r"roi_size is \(4, 4, 4\); .* each of the 2 spatial axes"),
        ({"roi_size": (4,)}, ShapeError, r"roi_size is \(4,\)"),
        ({"roi_size": (4, 0)}, ValueError, r"roi_size is \(4, 0\); expected whole numbers of voxels"),
        ({"roi_size": (-4, 4)}, ValueError, r"roi_size is \(-4, 4\)"),
        ({"roi_size": 4.0}, ValueError, r"roi_size is \(4.0, 4.0\)"),
        ({"overlap": 1.0}, ValueError, r"overlap is \(1.0, 1.0\); .* from 0 to below 1"),
        ({"overlap": -0.1}, ValueError, "overlap is"),
        ({"overlap": (0.5, 1.5)}, ValueError, r"overlap is \(0.5, 1.5\)"),
        ({"overlap": (0.5, 0.5, 0.5)}, ShapeError, "overlap is .* each of the 2 spatial axes"),
        ({"mode": "linear"}, ValueError, "mode is 'linear'; expected one of constant, gaussian"),
        ({"sigma_scale": 0.0}, ValueError, "sigma_scale is"),
        ({"sigma_scale": (0.1,)}, ShapeError, "sigma_scale is"),
        ({"masks": "bytes"}, ValueError, "masks is 'bytes'; expected one of bool, bits, recompute"),
        ({"windows_at_once": 0}, ValueError, "windows_at_once is 0; expected 1 or more"),
    ],
    ids=lambda value: "-".join(f"{name} {setting}" for name, setting in value.items()) if type(value) is dict else "",
)
def test_settings_out_of_range(settings, error, message):
    roi_size = settings.pop("roi_size", 4)
    with pytest.raises(error, match=message):
        sliding_window(network(2), draw(2, 9, 9), roi_size, **settings)


@pytest.mark.parametrize("shape", [(9,), (1, 2, 9, 9, 9)])
def test_volume_of_another_number_of_axes(shape):
    with pytest.raises(ShapeError, match=r"expected \(channels, \*spatial\) with one to three spatial axes"):
        sliding_window(network(3), draw(*shape), 4)


def test_picture_for_a_network_of_volumes():
    with pytest.raises(ShapeError, match=r"encoder1.conv1 does not accept its input"):
        sliding_window(network(3), draw(2, 9, 9), 4)


def test_volume_of_another_number_of_channels():
    with pytest.raises(ShapeError, match=r"encoder1.conv1 does not accept its input \(\(1, 3, 4, 4\)"):
        sliding_window(network(2), draw(3, 9, 9), 4)


def test_volume_of_another_dtype():
    with pytest.raises(ShapeError, match=r"encoder1.conv1 does not accept"):
        sliding_window(network(2), draw(2, 9, 9).float(), 4)


def test_window_that_the_network_cannot_halve():
    with pytest.raises(ShapeError, match="sum pooling by 2 needs spatial sides that are multiples of it"):
        sliding_window(network(2), draw(2, 9, 9), 5)


def test_volume_on_another_device():
    with pytest.raises(ShapeError, match="the volume is on meta and the model on cpu; move one to the other"):
        sliding_window(network(2), draw(2, 9, 9).to("meta"), 4)


@pytest.mark.parametrize("masks", ["bits", "recompute"])
@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_volume_with_a_voxel_that_is_not_finite(value, masks):
    volume = draw(2, 9, 9)
    volume[1, 8, 8] = value
    with pytest.raises(NotFiniteError, match="the images hold NaN or infinity"):
        sliding_window(network(2), volume, 4, masks=masks)


def test_network_with_a_weight_that_is_not_finite():
    model = network(2)
    model.head.weight.data[0, 0] = torch.nan
    with pytest.raises(NotFiniteError, match=r"weight 'head.weight' holds NaN"):
        sliding_window(model, draw(2, 9, 9), 4)


@pytest.mark.parametrize(
    "layers",
    [
        [nn.Conv2d(2, 2, 3)],
        [nn.Conv2d(2, 2, 1, stride=2)],
        [nn.Conv2d(2, 2, 1), nn.Upsample(scale_factor=2)],
        [nn.Flatten()],
    ],
    ids=["valid convolution", "stride", "up-sampling", "flat"],
)
def test_network_whose_output_is_of_another_size(layers):
    model = nn.Sequential(*layers).double().eval()
    with pytest.raises(ShapeError, match=r"for a window of shape \(2, 4, 4\); stitching needs \(channels, \*spatial\)"):
        sliding_window(model, draw(2, 9, 9), 4)


def test_layer_without_an_adjoint_is_named():
    model = nn.Sequential(network(2), nn.Softmax(dim=1))
    with pytest.raises(UnsupportedLayerError, match="layer '1' \\(Softmax\\)"):
        sliding_window(model, draw(2, 9, 9), 4)


def test_vectors_of_another_shape():
    operator = sliding_window(network(2), draw(2, 9, 9), 4)
    with pytest.raises(ShapeError, match="matmat expects vectors of shape"):
        operator.matvec(draw(2, 9, 8))
    with pytest.raises(ShapeError, match="rmatmat expects vectors of shape"):
        operator.rmatvec(draw(2, 9, 9))
