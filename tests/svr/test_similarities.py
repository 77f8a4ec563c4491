"""Sobel's magnitude, its alignment with a layer's map, and cosines against planted edge detectors."""

import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy import ndimage
from torch import nn

from paperlib.subspaces import LayerError
from paperlib.svr.images.filters import random_filters, spectral_filters
from paperlib.svr.images.similarities import (
    SimilarityCurves,
    SobelSimilarity,
    mean_similarity,
    similarity_curves,
    sobel_similarities,
)
from paperlib.svr.images.sobel import sobel_magnitude, sobel_proxy

GX = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])


def pictures(count: int = 6, side: int = 16, channels: int = 3) -> torch.Tensor:
    return torch.rand(count, channels, side, side, generator=torch.Generator().manual_seed(4))


def edge_detectors() -> nn.Sequential:
    """One convolution of a grey image whose spectral neurons are the two Sobel filters, the first one stronger."""
    layer = nn.Conv2d(1, 2, 3, bias=False)
    with torch.no_grad():
        layer.weight[0, 0], layer.weight[1, 0] = 2 * GX, GX.T
    return nn.Sequential(layer)


def test_magnitude_is_scipys_with_the_border_repeated():
    images = pictures(2)
    found = sobel_magnitude(images)
    for image, one in zip(images.double().mean(1).numpy(), found.numpy(), strict=True):
        across, down = (ndimage.sobel(image, axis, mode="nearest") for axis in (1, 0))
        np.testing.assert_allclose(one, np.hypot(across, down), rtol=0, atol=1e-14)
    assert found.dtype == torch.float64


def test_proxy_averages_first_and_grey_and_averaging_commute():
    images = pictures(2)
    pooled = F.avg_pool2d(images.double(), 4)
    torch.testing.assert_close(sobel_proxy(images, (4, 4)), sobel_magnitude(pooled), rtol=0, atol=1e-14)
    torch.testing.assert_close(sobel_proxy(images, (16, 16)), sobel_magnitude(images), rtol=0, atol=0)


@pytest.mark.parametrize("padding", ["layer", "none"])
@pytest.mark.parametrize(
    "settings",
    [
        {"kernel_size": 3, "padding": 1},
        {"kernel_size": 5, "padding": 2, "stride": 2},
        {"kernel_size": (1, 3), "padding": (0, 1), "stride": (3, 1)},
        {"kernel_size": 3, "padding": "same", "dilation": 2},
        {"kernel_size": 3},
    ],
    ids=str,
)
def test_edges_are_read_where_the_kernels_have_their_centres(settings, padding):
    """A filter that reads the middle of its field sees the Sobel map itself, shifted and strided as the layer is."""
    side = torch.rand(5, 1, 12, 12, generator=torch.Generator().manual_seed(0))
    layer = nn.Conv2d(1, 1, bias=False, **settings)
    with torch.no_grad():
        layer.weight.zero_()
        layer.weight[0, 0, layer.kernel_size[0] // 2, layer.kernel_size[1] // 2] = 1

    class Edges(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = layer

        def forward(self, x):
            return self.layer(sobel_magnitude(x).unsqueeze(1).float())

    found = sobel_similarities(Edges(), side, ["layer"], 1, padding=padding)["layer"]
    # The map is rounded to float32 on its way.
    torch.testing.assert_close(found.spectral, torch.ones(5, 1, dtype=torch.float64), rtol=0, atol=1e-6)
    assert found.other_images.max() < 0.99


def test_edge_detectors_see_edges_of_their_own_direction():
    upright = torch.zeros(1, 1, 12, 12)
    upright[..., 5:] = 1.0
    slanted = torch.tril(torch.ones(12, 12)).reshape(1, 1, 12, 12)
    found = sobel_similarities(edge_detectors(), torch.cat([upright, slanted]), ["0"], 2, padding="none")["0"]
    # Behind an upright edge there is nothing for the filter of level edges: its image is zero, the cosine defined as 0.
    assert found.spectral[0].tolist() == pytest.approx([1.0, 0.0], abs=1e-6)
    across, down = (F.conv2d(slanted, kernel.reshape(1, 1, 3, 3)).flatten().double() for kernel in (GX, GX.T))
    both = torch.hypot(across, down)
    expected = [(part.abs() @ both / part.norm() / both.norm()).item() for part in (across, down)]
    assert found.spectral[1].tolist() == pytest.approx(expected, abs=1e-6)
    assert found.map_size == (10, 10)


def test_cosines_and_baselines_are_those_of_the_definitions():
    layer = nn.Conv2d(3, 5, 3, padding=1)
    images = pictures(3)
    found = sobel_similarities(nn.Sequential(layer), images, ["0"], 4, seed=7, batch_size=2)["0"]
    proxy = sobel_magnitude(images).flatten(1)

    def cosines(filters, edges):
        maps = F.conv2d(images.double(), filters, padding=1).abs().flatten(2)
        return F.cosine_similarity(maps, edges.unsqueeze(1), dim=2)

    filters = spectral_filters(layer, 4)
    torch.testing.assert_close(found.spectral, cosines(filters, proxy), rtol=0, atol=1e-6)
    # With three images and none left with its own proxy, the others are the next or the one before for all.
    shifted = [cosines(filters, proxy.roll(step, 0)) for step in (1, 2)]
    assert any(torch.allclose(found.other_images, other, rtol=0, atol=1e-6) for other in shifted)
    generator = torch.Generator().manual_seed(7)
    torch.randperm(3, generator=generator)
    expected = cosines(random_filters(layer, 4, generator), proxy)
    torch.testing.assert_close(found.random_filters, expected, rtol=0, atol=1e-6)
    another = sobel_similarities(nn.Sequential(layer), images, ["0"], 4, seed=8)["0"]
    assert torch.equal(another.spectral, found.spectral) or (another.spectral - found.spectral).abs().max() < 1e-6
    assert (another.random_filters - found.random_filters).abs().max() > 1e-3


def test_signs_count_unless_magnitudes_are_asked_for():
    upright = torch.zeros(2, 1, 12, 12)
    upright[0, ..., 5:], upright[1, ..., :5] = 1.0, 1.0
    model = edge_detectors()
    signed = sobel_similarities(model, upright, ["0"], 1, absolute=False, padding="none")["0"].spectral[:, 0]
    # The sign of a singular vector is a convention; that the two edges face opposite ways is not.
    assert sorted(signed.tolist()) == pytest.approx([-1.0, 1.0], abs=1e-6)
    absolute = sobel_similarities(model, upright, ["0"], 1, padding="none")["0"].spectral[:, 0]
    assert absolute.tolist() == pytest.approx([1.0, 1.0], abs=1e-6)


def test_images_of_one_colour_have_no_edges():
    flat = torch.full((2, 1, 8, 8), 0.5)
    found = sobel_similarities(edge_detectors(), flat, ["0"], 2)["0"]
    for cosines in (found.spectral, found.random_filters, found.other_images):
        assert (cosines == 0).all()


def test_intervals_are_of_the_mean_and_the_spread_is_of_the_images():
    values = torch.randn(400, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    found = mean_similarity(values, z=2.0)
    np.testing.assert_allclose(found.mean, values.numpy().mean(0), rtol=1e-12)
    np.testing.assert_allclose(found.deviation, values.numpy().std(0, ddof=1), rtol=1e-12)
    np.testing.assert_allclose(found.half_width, 2.0 * values.numpy().std(0, ddof=1) / 20, rtol=1e-12)
    assert found.images == 400
    torch.testing.assert_close(mean_similarity(values).half_width, 2 * found.half_width, rtol=1e-12, atol=0)


def test_what_cannot_be_compared_is_refused():
    model = nn.Sequential(nn.Conv2d(3, 4, 3, stride=4), nn.Conv2d(4, 4, 1), nn.Flatten(), nn.Linear(16, 2))
    with pytest.raises(LayerError, match="layer 3 is a Linear; edges can be compared with 2-D convolutions only"):
        sobel_similarities(model, pictures(side=8), ["3"])
    with pytest.raises(ValueError, match=r"at least 3 x 3 pixels, got \(6, 1, 2, 2\)"):
        sobel_similarities(model, pictures(side=8), ["1"])
    with pytest.raises(ValueError, match="1 image has no other one"):
        sobel_similarities(model, pictures(1), ["0"])
    with pytest.raises(ValueError, match="needs 3 x 3 at least: give larger images"):
        sobel_similarities(nn.Sequential(nn.Conv2d(3, 4, 3, padding=1)), pictures(side=2), ["0"], padding="none")
    with pytest.raises(ValueError, match="1 images have no spread"):
        mean_similarity(torch.zeros(1, 3))
    with pytest.raises(ValueError, match=r"got \(3, 16, 16\)"):
        sobel_magnitude(pictures()[0])


def test_curves_are_kept_as_plain_numbers():
    values = torch.rand(3, 20, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    curves = similarity_curves(SobelSimilarity("layer", (4, 4), *values), z=2.0)
    assert torch.equal(curves.own.mean, mean_similarity(values[0], 2.0).mean)
    assert torch.equal(curves.other.half_width, mean_similarity(values[2], 2.0).half_width)
    means = values[1].mean(0).sort().values
    assert means[0] < curves.random[0] < curves.random[1] == means[3] < curves.random[2] < means[6]
    again = SimilarityCurves.from_lists(json.loads(json.dumps(curves.as_lists(digits=4))))
    torch.testing.assert_close(again.own.mean, curves.own.mean, rtol=0, atol=5e-5)
    torch.testing.assert_close(again.other.deviation, curves.other.deviation, rtol=0, atol=5e-5)
    assert again.random == pytest.approx(curves.random, abs=5e-5) and again.own.images == 20
