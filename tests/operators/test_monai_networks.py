"""Which of MONAI's networks can be frozen, with which settings, and why the others can not."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from monai.networks import nets
from torch import Tensor, nn

from paperlib.operators import Compiled, UnsupportedLayerError, dot_test, freeze

# torch warns of its own deprecated parts while it exports.
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")

# Some ten layers deep, each a sum of up to some thousand products: a few thousand units of rounding.
CLOSE = dict(rtol=1e-9, atol=1e-10)


@dataclass(frozen=True)
class Network:
    """A network of MONAI, the shape of one image, and how it must be frozen.

    ``exported`` says that torch.fx cannot follow its forward function.
    """

    name: str
    settings: str
    build: Callable[[], nn.Module]
    shape: tuple[int, ...]
    statistics: bool = False
    exported: bool = False

    def model(self) -> nn.Module:
        """In double precision and evaluation mode, with drawn running statistics."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            model = self.build().double().eval()
            for module in model.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    nn.init.normal_(module.running_mean, std=0.1)
                    nn.init.uniform_(module.running_var, 0.5, 2)
        return model

    def images(self, count: int = 2) -> Tensor:
        return torch.randn(count, *self.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def basic_unet(**settings) -> Callable[[], nn.Module]:
    return lambda: nets.BasicUNet(2, 1, 2, features=(4, 4, 4, 4, 4, 4), **settings)


def unet(axes: int, **settings) -> Callable[[], nn.Module]:
    return lambda: nets.UNet(axes, 1, 2, (4, 8, 8), (2, 2), **settings)


def dyn_unet(**settings) -> Callable[[], nn.Module]:
    return lambda: nets.DynUNet(2, 1, 2, [3, 3, 3], [1, 2, 2], [2, 2], filters=[4, 8, 8], **settings)


def seg_res_net(axes: int, **settings) -> Callable[[], nn.Module]:
    return lambda: nets.SegResNet(axes, 8, 1, 2, blocks_down=(1, 2), blocks_up=(1,), **settings)


def dense_net(**settings) -> Callable[[], nn.Module]:
    return lambda: nets.DenseNet(2, 1, 3, init_features=4, growth_rate=2, block_config=(2, 2), **settings)


def res_net(block: str, axes: int, **settings) -> Callable[[], nn.Module]:
    words = dict(spatial_dims=axes, n_input_channels=1, num_classes=3) | settings
    return lambda: nets.ResNet(block, [1, 1, 1, 1], [4, 8, 8, 8], **words)


def high_res_net() -> nn.Module:
    layers = (
        {"name": "conv_0", "n_features": 4, "kernel_size": 3},
        {"name": "res_1", "n_features": 4, "kernels": (3, 3), "repeat": 2},
        {"name": "res_2", "n_features": 8, "kernels": (3, 3), "repeat": 1},
        {"name": "conv_1", "n_features": 8, "kernel_size": 1},
        {"name": "conv_2", "kernel_size": 1},
    )
    return nets.HighResNet(2, 1, 2, norm_type="batch", acti_type="relu", layer_params=layers)


SMALL, PLANE, SPACE = (1, 8, 8), (1, 16, 16), (1, 4, 4, 4)
LEAKY = ("leakyrelu", {"negative_slope": 0.01})
SUPPORTED = [
    Network("UNet", "2-D, batch, relu", unet(2, norm="batch", act="relu"), SMALL),
    Network("UNet", "3-D, batch, leakyrelu, residual", unet(3, norm="batch", act=LEAKY, num_res_units=1), SPACE),
    Network("UNet", "2-D, instance, prelu, residual", unet(2, num_res_units=2), SMALL, statistics=True),
    Network("BasicUNet", "batch, relu, uneven sides", basic_unet(norm="batch", act="relu"), (1, 16, 17), exported=True),
    Network("BasicUNet", "batch, prelu, pixelshuffle", basic_unet(norm="batch", act="prelu", upsample="pixelshuffle"),
            PLANE, exported=True),
    Network("BasicUNet", "batch, leakyrelu, nontrainable", basic_unet(norm="batch", upsample="nontrainable"), PLANE,
            exported=True),
    Network("BasicUNet", "instance, leakyrelu", basic_unet(), (1, 32, 32), statistics=True, exported=True),
    Network("DynUNet", "batch, leakyrelu", dyn_unet(norm_name="batch"), SMALL),
    Network("DynUNet", "instance, leakyrelu, residual", dyn_unet(res_block=True), SMALL, statistics=True),
    Network("DynUNet", "batch, deep supervision", lambda: nets.DynUNet(
        2, 1, 2, [3, 3, 3, 3], [1, 2, 2, 2], [2, 2, 2], filters=[4, 8, 8, 8], norm_name="batch",
        deep_supervision=True), PLANE),
    Network("SegResNet", "3-D, batch, relu", seg_res_net(3, norm="batch"), SPACE),
    Network("SegResNet", "2-D, batch, relu, deconv", seg_res_net(2, norm="batch", upsample_mode="deconv"), SMALL),
    Network("SegResNet", "2-D, group, relu", seg_res_net(2), SMALL, statistics=True),
    Network("SegResNet", "2-D, instance, relu", seg_res_net(2, norm="instance"), SMALL, statistics=True),
    Network("SegResNet", "2-D, batch, pixelshuffle", seg_res_net(2, norm="batch", upsample_mode="pixelshuffle"), SMALL,
            exported=True),
    Network("SegResNetDS", "2-D, batch, relu", lambda: nets.SegResNetDS(2, 8, 1, 2, blocks_down=(1, 1), norm="batch"),
            SMALL, exported=True),
    Network("VNet", "2-D, batch, relu", lambda: nets.VNet(2, 1, 2, act="relu"), PLANE),
    Network("VNet", "2-D, batch, prelu", lambda: nets.VNet(2, 1, 2, act="prelu"), PLANE),
    Network("FlexibleUNet", "2-D, resnet10, batch, relu", lambda: nets.FlexibleUNet(
        1, 2, "resnet10", decoder_channels=(8, 8, 8, 8, 8), spatial_dims=2), (1, 32, 32), exported=True),
    Network("HighResNet", "2-D, batch, relu", high_res_net, SMALL, exported=True),
    Network("VoxelMorphUNet", "2-D, leakyrelu", lambda: nets.VoxelMorphUNet(2, 2, 32, (4,) * 6, (4, 4)), (2, 16, 16)),
    Network("DenseNet", "2-D, batch, relu", dense_net(), PLANE),
    Network("DenseNet", "2-D, instance, prelu", dense_net(norm="instance", act="prelu"), PLANE, statistics=True),
    Network("ResNet", "2-D, basic, batch, relu", res_net("basic", 2), PLANE),
    Network("ResNet", "2-D, bottleneck, batch, leakyrelu", res_net("bottleneck", 2, act=LEAKY), PLANE),
    Network("ResNet", "3-D, basic, batch, relu", res_net("basic", 3), (1, 8, 8, 8)),
    Network("NetAdapter", "2-D, resnet10", lambda: nets.NetAdapter(
        nets.resnet10(spatial_dims=2, n_input_channels=1), num_classes=2, dim=2, in_channels=512, pool=None,
        use_conv=False), (1, 32, 32), exported=True),
    Network("Regressor", "batch, prelu", lambda: nets.Regressor(SMALL, (2,), (4, 8), (2, 2), norm="batch"), SMALL),
    Network("Classifier", "batch, relu", lambda: nets.Classifier(SMALL, 3, (4, 8), (2, 2), norm="batch", act="relu"),
            SMALL),
    Network("Classifier", "instance, prelu", lambda: nets.Classifier(SMALL, 3, (4, 8), (2, 2)), SMALL,
            statistics=True),
    Network("Discriminator", "batch, prelu", lambda: nets.Discriminator(
        SMALL, (4, 8), (2, 2), norm="batch", last_act=None), SMALL),
    Network("Generator", "batch, prelu", lambda: nets.Generator((4,), (4, 4, 4), (4, 2), (2, 2), norm="batch"), (4,)),
    Network("AutoEncoder", "batch, prelu", lambda: nets.AutoEncoder(2, 1, 1, (4, 8), (2, 2), norm="batch"), SMALL),
    Network("AutoEncoder", "instance, prelu, residual", lambda: nets.AutoEncoder(
        2, 1, 1, (4, 8), (2, 2), num_res_units=2), SMALL, statistics=True),
    Network("FullyConnectedNet", "prelu", lambda: nets.FullyConnectedNet(6, 3, (8, 8)), (6,)),
]  # fmt: skip
REFUSED = [
    Network("AttentionUnet", "Sigmoid.*not piecewise", lambda: nets.AttentionUnet(2, 1, 2, (4, 8), (2,)), SMALL),
    Network("SEResNet50", "Sigmoid.*not piecewise", lambda: nets.SEResNet50(
        spatial_dims=2, in_channels=1, num_classes=2, layers=[1, 1, 1, 1]), (1, 32, 32)),
    Network("EfficientNetBN", "silu.*not piecewise", lambda: nets.EfficientNetBN(
        "efficientnet-b0", spatial_dims=2, in_channels=1, num_classes=2, pretrained=False), (1, 32, 32)),
    Network("VNet", "ELU.*not piecewise", lambda: nets.VNet(2, 1, 2), PLANE),
    Network("MedNeXt", "GELU.*not piecewise", lambda: nets.MedNeXt(2, 4, 1, 2), PLANE),
    Network("VarAutoEncoder", "exp.*not piecewise", lambda: nets.VarAutoEncoder(2, SMALL, 1, 4, (4, 8), (2, 2)), SMALL),
    Network("Discriminator", "Sigmoid.*give the model without it", lambda: nets.Discriminator(
        SMALL, (4, 8), (2, 2), norm="batch"), SMALL),
    Network("BasicUNetPlusPlus", "exactly one tensor.*wrap it", lambda: nets.BasicUNetPlusPlus(
        2, 1, 2, features=(4, 4, 4, 4, 4, 4)), (1, 32, 32)),
    Network("SegResNetVAE", "exactly one tensor.*wrap it", lambda: nets.SegResNetVAE(
        (8, 8), spatial_dims=2, init_filters=8, in_channels=1, out_channels=2), SMALL),
]  # fmt: skip


def label(network: Network) -> str:
    return f"{network.name}: {network.settings}"


@pytest.mark.parametrize("network", SUPPORTED, ids=label)
def test_supported_network(network):
    model, images = network.model(), network.images()
    compiled = Compiled(model, frozen_statistics=network.statistics)
    frozen = compiled.freeze(images, masks="bits")
    assert (compiled.graph is None) == network.exported
    expected = model(images).detach()
    linear = frozen.product(images.unsqueeze(1)).squeeze(1)
    torch.testing.assert_close(linear + frozen.offset(), expected, **CLOSE)
    assert max(dot_test(frozen[index], trials=1) for index in range(2)) < 1e-12

    image = images[:1].clone().requires_grad_()
    output = model(image)
    z = torch.randn(output.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    (gradient,) = torch.autograd.grad(output, image, z)
    row = frozen[0].rmatvec(z[0])
    if network.statistics:
        assert (row - gradient[0]).norm() > 1e-3 * gradient.norm()
        with pytest.raises(UnsupportedLayerError, match="frozen_statistics=True"):
            freeze(model, images)
    else:
        torch.testing.assert_close(row, gradient[0], **CLOSE)


@pytest.mark.parametrize("network", REFUSED, ids=label)
def test_refused_network(network):
    with pytest.raises(UnsupportedLayerError, match=network.settings):
        freeze(network.model(), network.images(), frozen_statistics=True)
