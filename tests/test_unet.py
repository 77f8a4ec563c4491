"""The U-Net of volumes: its shapes, its size, and what a network without biases promises."""

import pytest
import torch
from torch import Tensor
from torch.autograd.functional import jacobian

from paperlib.models import UNet, build, unet
from paperlib.operators import ShapeError, dot_test, freeze

SPATIAL = {1: (16,), 2: (8, 16), 3: (8, 4, 12)}

# Some ten layers, each a sum of up to some hundred products: a few thousand units of rounding of float64.
CLOSE = dict(rtol=1e-10, atol=1e-11)


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(params=SPATIAL, ids=lambda axes: f"{axes}-D")
def small(request) -> tuple[UNet, Tensor]:
    """A network of three levels and two inputs of its kind."""
    axes = request.param
    model = unet(2, 3, depth=3, filters=4, spatial_dims=axes).double().eval()
    return model, draw(2, 2, *SPATIAL[axes])


def test_output_has_the_spatial_shape_of_the_input(small):
    model, images = small
    assert model(images).shape == (2, 3, *images.shape[2:])


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_depth_counts_the_levels_of_resolution(depth):
    model = unet(1, 2, depth=depth, filters=2, spatial_dims=2)
    sides = []
    for name, module in model.named_children():
        if name.startswith("encoder"):
            module.register_forward_hook(lambda _module, _inputs, output: sides.append(output.shape[-1]))
    assert model(torch.zeros(1, 1, 16, 16)).shape == (1, 2, 16, 16)
    assert sides == [16 // 2**level for level in range(depth)]


@pytest.mark.parametrize("axes", SPATIAL)
@pytest.mark.parametrize(("depth", "filters", "inputs", "outputs"), [(1, 3, 1, 2), (3, 4, 2, 3), (5, 8, 4, 2)])
def test_number_of_weights(axes, depth, filters, inputs, outputs):
    model = unet(inputs, outputs, depth=depth, filters=filters, spatial_dims=axes)
    squares = 1 + 2 * (depth - 1) + 3 * (depth - 1)  # of filters x filters kernels: level one, down, up
    kernels = filters * inputs + squares * filters**2
    expected = 3**axes * kernels + filters * outputs
    assert sum(value.numel() for value in model.parameters()) == expected
    assert not any(name.endswith("bias") for name, _ in model.named_parameters())


def test_the_network_of_the_paper():
    model = build("unet")
    assert sum(value.numel() for value in model.parameters()) == 584_128
    assert model.encoder1.conv1.weight.shape == (32, 4, 3, 3, 3)
    assert model.decoder1.conv1.weight.shape == (32, 64, 3, 3, 3)
    assert model.head.weight.shape == (2, 32, 1, 1, 1)
    names = [name for name, _ in model.named_children()]
    assert names == [
        *["encoder1", "pool1", "encoder2", "pool2", "encoder3", "pool3", "encoder4", "pool4", "encoder5"],
        *["up4", "decoder4", "up3", "decoder3", "up2", "decoder2", "up1", "decoder1", "head"],
    ]
    assert [name for name, _ in model.decoder3.named_children()] == ["conv1", "relu1", "conv2", "relu2"]


def test_up_sampled_features_come_before_the_skipped_ones():
    """The skip connection is x -> [M x; x] (Table 1): the last channels of the decoder's input are the encoder's."""
    model = unet(1, 1, depth=2, filters=3, spatial_dims=2)
    seen = {}
    model.encoder1.register_forward_hook(lambda _module, _inputs, output: seen.update(skipped=output))
    model.up1.register_forward_hook(lambda _module, _inputs, output: seen.update(up=output))
    model.decoder1.register_forward_hook(lambda _module, inputs, _output: seen.update(joined=inputs[0]))
    model(torch.rand(1, 1, 4, 6))
    assert torch.equal(seen["joined"], torch.cat([seen["up"], seen["skipped"]], dim=1))


@pytest.mark.parametrize("factor", [1e-3, 0.37, 40.0])
def test_network_is_positively_homogeneous(small, factor):
    """generalizability.prop.10: F(c x) = c F(x) for c > 0."""
    model, images = small
    torch.testing.assert_close(model(factor * images), factor * model(images), rtol=1e-10, atol=1e-11 * factor)


def test_frozen_network_is_the_network(small):
    model, images = small
    frozen = freeze(model, images)
    assert not frozen.has_offset
    torch.testing.assert_close(frozen.outputs, model(images).detach(), **CLOSE)
    torch.testing.assert_close(frozen.product(images.unsqueeze(1)).squeeze(1), frozen.outputs, **CLOSE)
    assert max(dot_test(frozen[index]) for index in range(2)) < 1e-12


@pytest.mark.parametrize(("axes", "spatial"), [(1, (8,)), (2, (4, 6)), (3, (2, 4, 2))])
def test_matrix_is_the_jacobian(axes, spatial):
    model = unet(1, 2, depth=2, filters=3, spatial_dims=axes).double().eval()
    images = draw(1, 1, *spatial)
    operator = freeze(model, images)[0]
    torch.testing.assert_close(operator.dense(), jacobian(model, images).reshape(operator.shape), **CLOSE)


def test_activations_keep_their_size_from_level_to_level():
    """Without the division by the window a bottom level's features are near 8^3 times those of the first."""
    model = unet(2, 2, depth=4, filters=16)
    sizes = {}
    for name, module in model.named_children():
        if name.startswith(("encoder", "head")):
            module.register_forward_hook(
                lambda _module, _inputs, output, name=name: sizes.update({name: output.square().mean().sqrt().item()})
            )
    with torch.no_grad():
        model(torch.randn(2, 2, 16, 16, 16))
    assert len(sizes) == 5
    assert all(1e-2 < size < 10 for size in sizes.values()), sizes


def test_it_learns_to_mark_bright_voxels():
    generator = torch.Generator().manual_seed(0)
    coarse = torch.randn(4, 1, 4, 4, generator=generator)
    images = torch.nn.functional.interpolate(coarse, scale_factor=4) + 0.1 * torch.randn(
        4, 1, 16, 16, generator=generator
    )
    labels = (images[:, 0] > 0).long()
    model = unet(1, 2, depth=3, filters=8, spatial_dims=2)
    optimiser = torch.optim.Adam(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(60):
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(images), labels)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.1 * losses[0], losses


@pytest.mark.parametrize(("axes", "spatial"), [(1, (20,)), (2, (16, 12)), (3, (8, 8, 4))])
def test_a_side_that_cannot_be_halved_often_enough_is_refused(axes, spatial):
    model = unet(1, 2, depth=4, filters=2, spatial_dims=axes)
    message = "sum pooling by 2 needs spatial sides that are multiples of it"
    with pytest.raises(ValueError, match=message):
        model(torch.zeros(1, 1, *spatial))
    with pytest.raises(ShapeError, match=rf"layer pool.*{message}"):
        freeze(model.eval(), torch.zeros(1, 1, *spatial))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"spatial_dims": 4}, "spatial_dims is 4; expected 1, 2 or 3"),
        ({"depth": 0}, "depth is 0; expected 1 or more"),
        ({"filters": -1}, "filters is -1; expected 1 or more"),
        ({"in_channels": 0}, "in_channels is 0; expected 1 or more"),
        ({"out_channels": 0}, "out_channels is 0; expected 1 or more"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_impossible_sizes_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        unet(**options)
