"""Spectral images against convolutions written out, at the inputs of the layers of whole networks."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from paperlib.models import build
from paperlib.subspaces import LayerError
from paperlib.svr import spectral_neurons
from paperlib.svr.images.filters import random_filters, spectral_filters, with_filters
from paperlib.svr.images.layer_inputs import visit_inputs
from paperlib.svr.images.spectral_images import spectral_images

# Sums of up to a few hundred float32 products of order 1.
FLOAT32 = {"rtol": 0, "atol": 2e-5}


def network() -> nn.Sequential:
    """In-place activations overwrite what a hook that keeps references would have kept."""
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 6, (3, 5), stride=2, padding=(1, 2), dilation=(2, 1)),
        nn.ReLU(inplace=True),
        nn.Flatten(),
        nn.Linear(6 * 3 * 4, 5),
        nn.ReLU(inplace=True),
        nn.Linear(5, 2),
    )


def pictures(count: int = 7) -> torch.Tensor:
    return torch.rand(count, 3, 16, 16, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("batch_size", [1, 3, 7, 100])
def test_images_are_convolutions_of_the_layers_own_inputs(batch_size):
    model, x = network(), pictures()
    found = spectral_images(model, x, ["0", "3", "6"], 4, batch_size=batch_size)
    first, second, third = (spectral_neurons(model[place]).V[..., :4].float() for place in (0, 3, 6))
    expected = F.conv2d(x, first.permute(2, 0, 1).unflatten(2, (3, 3)), padding=1)
    torch.testing.assert_close(found["0"], expected, **FLOAT32)
    with torch.no_grad():
        y, z = model[:3](x), model[:6](x)
    filters = second.permute(2, 0, 1).unflatten(2, (3, 5))
    expected = F.conv2d(y, filters, stride=2, padding=(1, 2), dilation=(2, 1))
    torch.testing.assert_close(found["3"], expected, **FLOAT32)
    torch.testing.assert_close(found["6"], z @ third[:, 0], **FLOAT32)


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(4, 6, 3, stride=2, padding=1),
        nn.Conv2d(4, 6, 3, padding="same", padding_mode="reflect"),
        nn.Conv2d(4, 6, (2, 3), padding=(0, 2), padding_mode="circular", dilation=2),
        nn.Conv2d(4, 6, 3, groups=2),
        nn.Conv2d(4, 8, 3, groups=4, padding=1),
        nn.Conv1d(4, 6, 4, padding="valid"),
        nn.Conv3d(4, 5, (1, 2, 3), padding=1),
        nn.Linear(4, 3),
    ],
    ids=["stride", "reflect", "circular", "grouped", "depthwise", "1-D", "3-D", "linear"],
)
def test_scaled_images_recombine_to_the_layers_output(layer):
    """svr.prop.09 for every kind of layer: channel k is the sum of u_km s_m y_m, and the bias."""
    layer = layer.double()
    spatial = {nn.Conv1d: (9,), nn.Conv2d: (9, 8), nn.Conv3d: (5, 6, 7)}.get(type(layer), ())
    x = torch.randn(3, 4, *spatial, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    neurons = spectral_neurons(layer)
    images = spectral_images(nn.Sequential(layer), x, ["0"])["0"]
    found = torch.einsum("om,m,bm...->bo...", neurons.U[:, 0], neurons.S, images)
    found += layer.bias.detach().reshape(-1, *(1 for _ in spatial))
    torch.testing.assert_close(found, layer(x).detach(), rtol=0, atol=1e-12)


def test_without_padding_filters_stay_inside_the_map():
    layer = nn.Conv2d(3, 6, 3, padding=1)
    x = pictures(2)
    padded = spectral_images(nn.Sequential(layer), x, ["0"])["0"]
    bare = spectral_images(nn.Sequential(layer), x, ["0"], padding="none")["0"]
    assert bare.shape == (2, 6, 14, 14)
    torch.testing.assert_close(bare, padded[..., 1:-1, 1:-1], **FLOAT32)


def test_each_image_goes_through_once_and_no_further_than_needed():
    model, x = network(), pictures()
    seen = {0: 0, 3: 0, 6: 0}
    for place in seen:
        model[place].register_forward_hook(
            lambda _m, inputs, _y, place=place: seen.update({place: seen[place] + len(inputs[0])})
        )
    spectral_images(model, x, ["0", "3"], batch_size=3)
    # One image more finds the shapes; the second convolution itself need not run, nor what is behind.
    assert seen == {0: 8, 3: 1, 6: 1}


def test_one_batch_of_inputs_is_seen_at_a_time_and_in_order():
    model, x = network(), pictures()
    parts = []
    visit_inputs(model, x, ["3", "0"], lambda path, part, y: parts.append((path, part, len(y))), batch_size=3)
    expected = [(path, slice(a, b), b - a) for a, b in ((0, 3), (3, 6), (6, 7)) for path in ("0", "3")]
    assert parts == expected


def test_the_model_is_left_as_it_was():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(), nn.Conv2d(4, 4, 3)).train()
    model[2].eval()
    spectral_images(model, pictures(2), ["3"])
    assert [module.training for module in model] == [True, True, False, True]
    assert model[1].num_batches_tracked == 0
    assert not any(module._forward_pre_hooks for module in model.modules())
    with pytest.raises(ValueError, match="cannot run on images"):
        spectral_images(model, torch.zeros(1, 2, 9, 9), ["3"])
    assert not any(module._forward_pre_hooks for module in model.modules())


def test_fewer_neurons_than_asked_for_are_all():
    model = build("mnist_cnn")
    found = spectral_images(model, torch.rand(2, 1, 28, 28), ["conv1", "linear3"], 100)
    assert found["conv1"].shape == (2, 25, 28, 28) and found["linear3"].shape == (2, 10)


def test_filters_are_orthonormal_spectral_or_random():
    layer = nn.Conv2d(4, 6, (3, 2))
    generator = torch.Generator().manual_seed(0)
    for filters in (spectral_filters(layer, 5), random_filters(layer, 5, generator)):
        assert filters.shape == (5, 4, 3, 2)
        gram = filters.flatten(1) @ filters.flatten(1).T
        torch.testing.assert_close(gram, torch.eye(5, dtype=torch.float64), rtol=0, atol=1e-12)
    again = random_filters(layer, 5, torch.Generator().manual_seed(0))
    assert torch.equal(again, filters) and not torch.equal(random_filters(layer, 5, generator), filters)


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer, self.idle = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x):
        return self.layer(torch.relu(self.layer(x)))


def test_layers_that_do_not_run_once_are_named():
    with pytest.raises(LayerError, match=r"runs layer \(2 times\), idle \(0 times\)"):
        spectral_images(Twice(), torch.rand(2, 4), ["layer", "idle"])
    with pytest.raises(LayerError, match="no linear layer 'missing'"):
        spectral_images(Twice(), torch.rand(2, 4), ["missing"])


def test_small_images_and_bad_settings_are_refused():
    model = build("vgg", depth=11, width=0.1, pooled=1, hidden=8)
    with pytest.raises(
        ValueError, match=r"layer features.18 gets maps of 2 x 2 from images \(3, 32, 32\).*needs 3 x 3"
    ):
        spectral_images(model, torch.rand(1, 3, 32, 32), ["features.0", "features.18"], padding="none")
    assert spectral_images(model, torch.rand(1, 3, 32, 32), ["features.8"])["features.8"].shape[2:] == (8, 8)
    with pytest.raises(ValueError, match=r"VGG cannot run on images \(3, 8, 8\)"):
        spectral_images(model, torch.rand(1, 3, 8, 8), ["features.0"])
    with pytest.raises(ValueError, match="0 images and 1 layers"):
        spectral_images(model, torch.rand(0, 3, 32, 32), ["features.0"])
    with pytest.raises(ValueError, match="batch_size is 0"):
        spectral_images(model, torch.rand(1, 3, 32, 32), ["features.0"], batch_size=0)
    with pytest.raises(ValueError, match="padding is 'same'; expected one of layer, none"):
        with_filters(nn.Conv2d(3, 4, 3), torch.zeros(2, 3, 3, 3), "same")
    with pytest.raises(ValueError, match="10 filters of 9 entries cannot be orthonormal"):
        random_filters(nn.Conv2d(1, 4, 3), 10, torch.Generator())
    with pytest.raises(LayerError, match="layer 0 is a ConvTranspose2d, which has no spectral images"):
        spectral_images(nn.Sequential(nn.ConvTranspose2d(3, 2, 3)), pictures(1), ["0"])
