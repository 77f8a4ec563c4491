"""What the layers of a network reject: planted shares, chance, and nothing changed in the network."""

import pytest
import torch
import torch.nn.functional as F
from subspaces_support import draw, planted
from torch import Tensor, nn

from paperlib.models import build
from paperlib.subspaces import (
    LayerError,
    energy,
    four_spaces,
    layer_input_shapes,
    layer_rejections,
    rejected_energy,
    split_input,
)
from paperlib.subspaces.layers import linear_layers
from paperlib.svd import SvdError


class Nested(nn.Module):
    """A model of a user's own: layers in sub-modules, defined in another order than they run, one never run."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(12, 5)
        self.unused = nn.Linear(5, 5)
        self.body = nn.ModuleDict({"late": nn.Conv2d(4, 3, 3, stride=2), "early": nn.Conv2d(2, 4, 3, bias=False)})
        self.norm = nn.BatchNorm2d(4)
        self.drop = nn.Dropout(0.5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.drop(F.relu(self.norm(self.body["early"](x))))
        return self.head(self.body["late"](x).flatten(1))


@pytest.fixture
def nested() -> nn.Module:
    return Nested().double()


@pytest.fixture
def images() -> Tensor:
    return draw(7, 2, 7, 7)


def weighted(matrix: Tensor) -> nn.Linear:
    layer = nn.Linear(matrix.shape[1], matrix.shape[0], bias=False).double()
    layer.weight.data = matrix
    return layer


def test_planted_shares_of_a_fully_connected_layer():
    matrix, _, V = planted(4, 12, [3.0, 2.0, 0.5])
    inside, outside = V[:, 0] + 2 * V[:, 2], four_spaces(matrix).null_space[:, 3]
    images = torch.stack([inside, outside, 3 * V[:, 1] + 3 * outside, V[:, 0] + 2 * outside, 0 * inside])
    found = layer_rejections(nn.Sequential(nn.Flatten(), weighted(matrix)), images.reshape(5, 1, 3, 4))
    assert list(found) == ["1"]
    layer = found["1"]
    expected = torch.tensor([0.0, 1.0, 0.5, 0.8, 0.0], dtype=torch.float64)
    torch.testing.assert_close(layer.rejected, expected, rtol=0, atol=1e-12)
    assert layer.rejected.max() <= 1
    assert (layer.path, layer.kind, layer.input_shape) == ("1", "Linear", (12,))
    assert (layer.shape, layer.rank, layer.chance) == ((4, 12), 3, 0.75)
    assert layer.condition_number == pytest.approx(6.0, rel=1e-12)


def test_planted_share_of_a_convolution():
    """Two filters that read the middle of the first channel and all of the second."""
    layer = nn.Conv2d(2, 2, 3, bias=False).double()
    layer.weight.data.zero_()
    layer.weight.data[0, 0, 1, 1] = 2
    layer.weight.data[1, 1] = 1
    x = draw(4, 2, 3, 3)
    found = layer_rejections(nn.Sequential(layer), x)["0"]
    read = x[:, 0, 1, 1] ** 2 + x[:, 1].sum((1, 2)) ** 2 / 9
    torch.testing.assert_close(found.rejected, 1 - read / x.square().sum((1, 2, 3)), rtol=0, atol=1e-12)
    assert (found.shape, found.rank, found.input_shape) == ((2, 18), 2, (2, 3, 3))


@pytest.mark.parametrize("reading", ["kernels", "unfolding", "map"])
def test_shares_are_those_of_the_inputs_that_each_layer_gets(nested, images, reading):
    nested.eval()
    with torch.no_grad():
        hidden = F.relu(nested.norm(nested.body["early"](images)))
        last = nested.body["late"](hidden).flatten(1)
    found = layer_rejections(nested, images, reading=reading)
    assert list(found) == ["body.early", "body.late", "head"]
    assert [layer.path for layer in found.values()] == list(found)
    assert [layer.kind for layer in found.values()] == ["Conv2d", "Conv2d", "Linear"]
    assert [layer.input_shape for layer in found.values()] == [(2, 7, 7), (4, 5, 5), (12,)]
    head = rejected_energy(four_spaces(nested.head.weight).row_space, last)
    torch.testing.assert_close(found["head"].rejected, head, rtol=0, atol=1e-12)
    weight = nested.body["late"].weight.detach()
    fields = F.unfold(hidden, 3, stride=2)
    if reading == "unfolding":
        left = fields - torch.linalg.pinv(weight.flatten(1)) @ weight.flatten(1) @ fields
        expected = left.square().sum((1, 2)) / fields.square().sum((1, 2))
    elif reading == "kernels":
        # Twelve kernels of nine entries in general position read everything.
        expected = torch.zeros(7, dtype=torch.float64)
    else:
        columns = nested.body["late"](torch.eye(100, dtype=torch.float64).reshape(100, 4, 5, 5)).detach().flatten(1)
        dense = (columns - nested.body["late"](torch.zeros(1, 4, 5, 5).double()).detach().flatten(1)).mT
        flat = hidden.flatten(1)
        expected = (flat - flat @ (torch.linalg.pinv(dense) @ dense).mT).square().sum(1) / flat.square().sum(1)
    torch.testing.assert_close(found["body.late"].rejected, expected, rtol=0, atol=1e-12)


def test_random_images_lose_what_chance_says():
    """The mean over directions is 1 - r / n exactly; 0.008 is five standard errors of 4,000 draws."""
    found = layer_rejections(nn.Sequential(weighted(draw(20, 50))), draw(4000, 50, seed=1), batch_size=1000)["0"]
    assert found.chance == 0.6
    assert abs(found.rejected.mean().item() - 0.6) < 0.008
    assert found.rejected.std() > 0.01


def test_a_layer_that_reads_everything_rejects_exactly_nothing():
    model = nn.Sequential(weighted(draw(30, 8)), nn.ReLU(), weighted(draw(4, 30)))
    found = layer_rejections(model, draw(50, 8, seed=1))
    assert found["0"].rejected.tolist() == [0.0] * 50 and found["0"].chance == 0
    assert found["2"].rejected.min() > 0


def test_a_tolerance_moves_weak_directions_into_the_null_space():
    matrix, _, V = planted(4, 6, [1.0, 1e-3])
    model, image = nn.Sequential(weighted(matrix)), V[:, 1].unsqueeze(0)
    assert layer_rejections(model, image)["0"].rejected.item() == pytest.approx(0, abs=1e-12)
    strict = layer_rejections(model, image, tolerance=0.01)["0"]
    assert strict.rejected.item() == pytest.approx(1, abs=1e-12) and strict.rank == 1


class Twice(nn.Module):
    def __init__(self, layer: nn.Module):
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(torch.tanh(self.layer(x)))


def test_a_layer_that_runs_twice_counts_both_inputs():
    matrix, x = planted(6, 6, [2.0, 1.0, 0.5])[0], draw(5, 6)
    found = layer_rejections(Twice(weighted(matrix)), x)
    assert list(found) == ["layer"]
    second = torch.tanh(x @ matrix.mT)
    null = four_spaces(matrix).null_space
    lost = (x @ null).square().sum(1) + (second @ null).square().sum(1)
    expected = lost / (x.square().sum(1) + second.square().sum(1))
    torch.testing.assert_close(found["layer"].rejected, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("batch_size", [1, 3, 7])
def test_batches_of_images_are_one_batch(nested, images, batch_size):
    whole, parts = layer_rejections(nested, images), layer_rejections(nested, images, batch_size=batch_size)
    for path in whole:
        torch.testing.assert_close(parts[path].rejected, whole[path].rejected, rtol=0, atol=1e-12)
        assert parts[path].rejected.dtype == torch.float64 and parts[path].rejected.shape == (7,)


def test_only_the_named_layers_are_measured(nested, images):
    every = layer_rejections(nested, images)
    found = layer_rejections(nested, images, layers=["head", "body.early"])
    assert list(found) == ["body.early", "head"]
    assert torch.equal(found["head"].rejected, every["head"].rejected)


def test_input_shapes_are_in_the_order_of_running(nested, images):
    found = layer_input_shapes(nested, images, linear_layers(nested))
    assert list(found.items()) == [("body.early", (2, 7, 7)), ("body.late", (4, 5, 5)), ("head", (12,))]


def test_a_split_input_is_the_part_that_is_read_and_the_part_that_is_not(nested, images):
    nested.train()
    found, late = split_input(nested, images, "body.late"), nested.body["late"]
    assert found.inputs.shape == found.kept.shape == found.rejected.shape == (7, 4, 5, 5)
    torch.testing.assert_close(found.kept + found.rejected, found.inputs, rtol=0, atol=1e-14)
    total = energy(found.kept.flatten(1)) + energy(found.rejected.flatten(1))
    torch.testing.assert_close(total, energy(found.inputs.flatten(1)), rtol=1e-12, atol=0)
    # The layer's outputs show nothing of what was rejected, its bias apart.
    torch.testing.assert_close(late(found.kept), late(found.inputs), rtol=0, atol=1e-12)
    torch.testing.assert_close(late(found.rejected), late(0 * found.inputs), rtol=0, atol=1e-12)
    share = layer_rejections(nested, images, reading="map", layers=["body.late"])["body.late"].rejected
    left = energy(found.rejected.flatten(1)) / energy(found.inputs.flatten(1))
    torch.testing.assert_close(left, share, rtol=0, atol=1e-12)
    assert share.min() > 0.1 and nested.training and hooks(nested) == 0


def test_a_split_input_is_what_the_layer_is_given(nested, images):
    nested.eval()
    hidden = F.relu(nested.norm(nested.body["early"](images)))
    torch.testing.assert_close(split_input(nested, images, "body.late").inputs, hidden.detach(), rtol=0, atol=0)


def test_planted_split_input():
    matrix, _, V = planted(4, 12, [3.0, 2.0, 1e-3])
    outside = four_spaces(matrix).null_space[:, 2]
    image = (V[:, 0] + 2 * V[:, 2] - 5 * outside).unsqueeze(0)
    model = nn.Sequential(nn.Flatten(), weighted(matrix)).float()
    found = split_input(model, image.float().reshape(1, 3, 4), "1")
    assert found.kept.dtype == torch.float64
    torch.testing.assert_close(found.kept[0], V[:, 0] + 2 * V[:, 2], rtol=0, atol=1e-3)
    weak = split_input(model, image.float().reshape(1, 3, 4), "1", tolerance=0.1)
    torch.testing.assert_close(weak.kept[0], V[:, 0], rtol=0, atol=1e-3)
    torch.testing.assert_close(weak.rejected[0], 2 * V[:, 2] - 5 * outside, rtol=0, atol=1e-3)


def test_an_input_that_no_layer_gets_cannot_be_split(nested, images):
    with pytest.raises(LayerError, match="Nested does not run its layer unused"):
        split_input(nested, images, "unused")
    with pytest.raises(LayerError, match="Nested has no linear layer 'norm'; its linear layers are: head"):
        split_input(nested, images, "norm")


def state(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def hooks(model: nn.Module) -> int:
    return sum(len(module._forward_pre_hooks) + len(module._forward_hooks) for module in model.modules())


def modes(model: nn.Module) -> list[bool]:
    return [module.training for module in model.modules()]


def test_modes_statistics_hooks_and_gradients_stay_as_they_were(nested, images):
    nested.train()
    nested.body.eval()
    before, switched = state(nested), modes(nested)
    assert True in switched and False in switched
    found = layer_rejections(nested, images)
    assert modes(nested) == switched
    assert all(torch.equal(value, before[name]) for name, value in nested.state_dict().items())
    assert hooks(nested) == 0
    assert all(parameter.grad is None and parameter.requires_grad for parameter in nested.parameters())
    # Evaluation mode while measuring: dropout is off, so a second look is the same.
    again = layer_rejections(nested, images)
    assert all(torch.equal(found[path].rejected, again[path].rejected) for path in found)


class Breaks(nn.Module):
    def __init__(self, calls: int):
        super().__init__()
        self.layer, self.calls = nn.Linear(4, 2), calls

    def forward(self, x: Tensor) -> Tensor:
        y = self.layer(x)
        self.calls -= 1
        if self.calls < 0:
            raise KeyboardInterrupt
        return y


@pytest.mark.parametrize("calls", [0, 1, 2])
def test_an_interrupted_run_leaves_no_hook_and_the_mode(calls):
    model = Breaks(calls).train()
    with pytest.raises(KeyboardInterrupt):
        layer_rejections(model, torch.rand(4, 4), batch_size=2)
    assert hooks(model) == 0 and model.training and model.layer.training


def test_a_hook_of_the_user_stays(nested, images):
    seen = []
    handle = nested.head.register_forward_pre_hook(lambda _layer, inputs: seen.append(len(inputs[0])))
    layer_rejections(nested, images)
    assert 7 in seen and hooks(nested) == 1
    handle.remove()


def test_a_layer_that_does_not_exist_lists_the_ones_there_are(nested, images):
    words = "Nested has no linear layer 'norm'; its linear layers are: head, unused, body.late, body.early"
    with pytest.raises(LayerError, match=words):
        layer_rejections(nested, images, layers=["head", "norm"])


def test_a_model_that_runs_no_linear_layer_says_so(nested, images):
    with pytest.raises(LayerError, match="Nested does not run these linear layers: unused"):
        layer_rejections(nested, images, layers=["unused"])
    with pytest.raises(LayerError, match=r"ReLU does not run these linear layers: \(it has none\)"):
        layer_rejections(nn.ReLU(), images)


def test_weights_that_are_not_finite_are_refused_with_the_path(nested, images):
    with torch.no_grad():
        nested.body["late"].weight[0, 1, 2, 0] = float("nan")
        nested.body["late"].weight[1, 1, 2, 0] = float("inf")
    with pytest.raises(ValueError, match=r"layer body\.late: 2 of the 108 entries of the matrix are NaN or infinite"):
        layer_rejections(nested, images)


def test_a_map_too_large_is_refused_with_the_path():
    model = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1))
    with pytest.raises(SvdError, match=r"layer 0: .*4225 x 4225 has none of at most 4096"):
        layer_rejections(model, torch.zeros(1, 1, 65, 65), reading="map")


@pytest.fixture(scope="module")
def resnet() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return build("resnet18")


@pytest.mark.parametrize("reading", ["kernels", "unfolding"])
def test_resnet18_of_the_paper_layer_by_layer(resnet, reading):
    images = torch.rand(2, 1, 28, 28, generator=torch.Generator().manual_seed(1))
    found = layer_rejections(resnet, images, reading=reading)
    assert len(found) == 21
    paths = list(found)
    assert paths[:3] == ["conv1", "layer1.0.conv1", "layer1.0.conv2"] and paths[-1] == "fc"
    assert set(paths) == set(linear_layers(resnet))
    assert found["conv1"].input_shape == (1, 28, 28) and found["layer1.0.conv1"].input_shape == (64, 7, 7)
    for path, layer in found.items():
        assert layer.rejected.shape == (2,) and ((layer.rejected >= 0) & (layer.rejected <= 1)).all()
        if reading == "kernels" and path != "fc":
            # Random kernels, far more of them than entries: they span everything.
            assert layer.rank == layer.shape[1] and layer.rejected.tolist() == [0.0, 0.0], path
        elif layer.shape[0] < layer.shape[1]:
            assert layer.rank == layer.shape[0] and layer.rejected.min() > 0, path
    expected = {"kernels": ((4096, 9), 0.0), "unfolding": ((64, 576), 1 - 64 / 576)}[reading]
    assert (found["layer1.0.conv1"].shape, found["layer1.0.conv1"].chance) == expected
    assert (found["fc"].shape, found["fc"].chance) == ((10, 512), 1 - 10 / 512)
    assert resnet.training and hooks(resnet) == 0


def test_nan_images_are_not_reported_as_read_completely():
    model = nn.Sequential(nn.Linear(8, 2))
    found = layer_rejections(model, torch.full((2, 8), float("nan")))["0"].rejected
    assert found.isnan().all()
    assert rejected_energy(torch.eye(3)[:, :1].double(), torch.tensor([float("nan"), 1, 2])).isnan()


@pytest.mark.parametrize("batch_size", [0, -1])
def test_a_batch_size_below_one_is_refused(batch_size):
    with pytest.raises(ValueError, match="batch_size"):
        layer_rejections(nn.Sequential(nn.Linear(8, 2)), torch.rand(3, 8), batch_size=batch_size)


def test_a_layer_without_adjoint_is_named_by_its_path():
    model = nn.Sequential()
    model.add_module("stem", nn.ConvTranspose2d(1, 1, 3, dilation=2, output_padding=1))
    with pytest.raises(Exception, match="layer stem"):
        layer_rejections(model, torch.rand(1, 1, 5, 5), reading="map")


class Folds(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 2)

    def forward(self, x):
        return self.layer(x.reshape(-1, 4))


def test_a_layer_that_gets_another_batch_than_the_images_says_so():
    with pytest.raises(LayerError, match=r"layer.*10 inputs.*5 images"):
        layer_rejections(Folds(), torch.rand(5, 8))


class ByName(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(8, 2)

    def forward(self, x):
        return self.layer(input=x)


def test_an_input_given_by_name_is_seen():
    assert layer_rejections(ByName(), torch.rand(5, 8))["layer"].rejected.shape == (5,)
