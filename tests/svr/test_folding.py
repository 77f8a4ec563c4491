"""Which batch norms belong to a layer's weights, against fused networks."""

import pytest
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from paperlib.models import evaluating, resnet18
from paperlib.svr import GraphError, batch_norm_scales, representation


def with_statistics(model, seed=0):
    """Scales, shifts and running statistics far from those of a new norm, some scales negative."""
    torch.manual_seed(seed)
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.running_var.uniform_(0.2, 3)
            module.running_mean.normal_()
            if module.affine:
                nn.init.normal_(module.weight)
                nn.init.normal_(module.bias)
    return model


def same(first, second):
    assert [(a.path, a.side) for a in first.layers] == [(b.path, b.side) for b in second.layers]
    for a, b in zip(first.layers, second.layers, strict=True):
        torch.testing.assert_close(a.singular_values, b.singular_values, rtol=1e-6, atol=1e-6)
    for a, b in zip(first.connections, second.connections, strict=True):
        assert (a.earlier, a.later) == (b.earlier, b.later)
        # Fused weights are rounded to single precision once more, and close singular values turn by more than that.
        torch.testing.assert_close(a.adjacency.coefficients, b.adjacency.coefficients, rtol=0, atol=1e-3)


@pytest.mark.parametrize("kind", ["svr", "co_svr", "mixed"])
def test_a_folded_representation_is_that_of_the_fused_network(kind):
    model = with_statistics(
        nn.Sequential(
            nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(8, 6, 3, groups=2), nn.BatchNorm2d(6, affine=False), nn.ReLU(), nn.Flatten(),
            nn.Linear(6, 9), nn.BatchNorm1d(9), nn.ReLU(), nn.Linear(9, 4),
        )
    )  # fmt: skip
    with evaluating(model):
        fused = nn.Sequential(
            fuse_conv_bn_eval(model[0], model[1]), nn.ReLU(), nn.MaxPool2d(2),
            fuse_conv_bn_eval(model[4], model[5]), nn.ReLU(), nn.Flatten(),
            fuse_linear_bn_eval(model[8], model[9]), nn.ReLU(), model[11],
        )  # fmt: skip
        images = torch.randn(5, 3, 8, 8)
        torch.testing.assert_close(fused(images), model(images), rtol=1e-4, atol=1e-5)
    named = nn.Sequential()
    for path, index in (("0", 0), ("1", 1), ("2", 2), ("4", 3), ("5", 4), ("7", 5), ("8", 6), ("9", 7), ("11", 8)):
        named.add_module(path, fused[index])
    found = representation(model, images, kind=kind, batch_norm="folded")
    assert found.batch_norm == "folded"
    same(found, representation(named, images, kind=kind))
    ignored = representation(model, images, kind=kind).layers[0].singular_values
    assert not torch.allclose(found.layers[0].singular_values, ignored, rtol=0.01)


def test_every_norm_of_a_resnet_belongs_to_the_convolution_before_it():
    model = with_statistics(resnet18())
    scales = batch_norm_scales(model)
    assert len(scales) == 20 and "fc" not in scales and "layer2.0.downsample.0" in scales
    norm = model.get_submodule("layer1.0.bn1")
    expected = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
    torch.testing.assert_close(scales["layer1.0.conv1"], expected.detach(), rtol=1e-12, atol=0)


class Branching(nn.Module):
    """The convolution's outputs go through a norm, and past it."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.last = nn.Conv2d(2, 3, 1), nn.BatchNorm2d(3), nn.Conv2d(3, 2, 1)

    def forward(self, x):
        x = self.conv(x)
        return self.last(self.norm(x) + x)


class Repeated(nn.Module):
    """One layer with another norm each time that it runs."""

    def __init__(self):
        super().__init__()
        self.conv, self.first, self.second = nn.Conv2d(2, 2, 1), nn.BatchNorm2d(2), nn.BatchNorm2d(2)

    def forward(self, x):
        return self.first(self.conv(x)) + self.second(self.conv(-x))


ELSEWHERE = {
    "in front": nn.Sequential(nn.BatchNorm2d(2), nn.Conv2d(2, 3, 1)),
    "behind a pooling": nn.Sequential(nn.Conv2d(2, 3, 1), nn.AvgPool2d(2), nn.BatchNorm2d(3), nn.Conv2d(3, 3, 1)),
    "behind an activation": nn.Sequential(nn.Conv2d(2, 3, 1), nn.ReLU(), nn.BatchNorm2d(3)),
    "outputs that others read": Branching(),
    "a layer that runs twice": Repeated(),
    "no batch norm": nn.Sequential(nn.Conv2d(2, 4, 1), nn.GroupNorm(2, 4)),
}


@pytest.mark.parametrize("where", ELSEWHERE)
def test_norms_elsewhere_are_left_out(where):
    assert batch_norm_scales(ELSEWHERE[where]) == {}


def test_norms_inside_blocks_of_their_own_are_found():
    model = nn.Sequential(nn.Conv2d(2, 3, 1), nn.Sequential(nn.BatchNorm2d(3), nn.ReLU()))
    assert list(batch_norm_scales(with_statistics(model))) == ["0"]


def test_a_norm_without_statistics_cannot_be_folded():
    model = nn.Sequential(nn.Conv2d(2, 3, 1), nn.BatchNorm2d(3, track_running_stats=False), nn.Conv2d(3, 3, 1))
    with pytest.raises(GraphError, match="batch norm '1' keeps no running statistics"):
        representation(model, torch.zeros(2, 2, 4, 4), batch_norm="folded")
    assert len(representation(model, torch.zeros(2, 2, 4, 4)).connections) == 1


class Branches(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x):
        return self.layer(x) if x.sum() > 0 else x


def test_models_that_cannot_be_traced_are_named():
    with pytest.raises(GraphError, match=r"Branches cannot be traced by torch.fx"):
        batch_norm_scales(Branches())
