"""The layers that torch does not have, and the papers' networks by name."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from paperlib.layers import ConcatenatedSkip, ResidualSkip, Standardise, SumPool
from paperlib.models import ACTIVATIONS, ARCHITECTURES, build, fully_connected, mnist_cnn


@pytest.mark.parametrize("shape", [(2, 3, 6), (2, 3, 4, 6), (1, 2, 4, 2, 6)], ids=str)
@pytest.mark.parametrize("window", [1, 2])
def test_sum_pooling_sums_windows(shape, window):
    X = torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    expected = X
    for axis in range(2, X.dim()):
        expected = expected.unflatten(axis, (-1, window)).sum(axis + 1)
    torch.testing.assert_close(SumPool(window)(X), expected, rtol=1e-13, atol=1e-13)


def test_sum_pooling_refuses_sides_that_the_window_does_not_divide():
    with pytest.raises(ValueError, match=r"sum pooling by 2 needs .* multiples of it, got \(4, 5\)"):
        SumPool(2)(torch.zeros(1, 1, 4, 5))


def test_sum_pooling_says_its_window():
    assert repr(SumPool(3)) == "SumPool(kernel_size=3)"


def test_skips():
    branch, x = nn.Conv2d(2, 2, 1), torch.rand(1, 2, 3, 3)
    assert torch.equal(ConcatenatedSkip(branch)(x), torch.cat([branch(x), x], 1))
    assert torch.equal(ResidualSkip(branch)(x), branch(x) + x)


@pytest.mark.parametrize(("padding", "weights", "features"), [("same", 1_791_264, 3136), ("valid", 709_920, 1024)])
def test_mnist_cnn_is_that_of_the_paper(padding, weights, features):
    model = mnist_cnn(padding)
    assert sum(parameter.numel() for parameter in model.parameters()) == weights
    assert [name for name, _ in model.named_parameters() if name.endswith("bias")] == []
    assert model.linear1.in_features == features
    kinds = [type(layer).__name__ for layer in model]
    block = ["Conv2d", "ReLU", "SumPool"]
    assert kinds == [*block, *block, "Flatten", "Linear", "ReLU", "Linear", "ReLU", "Linear"]
    shapes = [tuple(parameter.shape) for parameter in model.parameters()]
    assert shapes == [(32, 1, 5, 5), (64, 32, 5, 5), (512, features), (256, 512), (10, 256)]
    assert model(torch.zeros(2, 1, 28, 28)).shape == (2, 10)


def test_shapes_with_zeros_around_are_those_of_the_paper():
    x, shapes = torch.zeros(1, 1, 28, 28), []
    for layer in mnist_cnn():
        x = layer(x)
        shapes.append(tuple(x.shape[1:]))
    assert shapes[0] == (32, 28, 28) and shapes[2] == (32, 14, 14)
    assert shapes[3] == (64, 14, 14) and shapes[5] == (64, 7, 7) and shapes[6] == (3136,)


def test_unknown_padding_is_refused():
    with pytest.raises(ValueError, match="padding is 'reflect'; expected one of"):
        mnist_cnn("reflect")


def test_networks_are_built_by_name():
    assert isinstance(build("mnist_cnn", padding="valid").conv1, nn.Conv2d)
    assert "mnist_cnn" in ARCHITECTURES
    with pytest.raises(KeyError, match=r"unknown architecture 'minst_cnn'; known: .*mnist_cnn"):
        build("minst_cnn")


@pytest.mark.parametrize(
    ("last", "names"),
    [
        (False, ["flatten", "linear1", "tanh1", "linear2", "tanh2", "linear3"]),
        (True, ["flatten", "linear1", "tanh1", "linear2", "tanh2", "linear3", "tanh3"]),
    ],
)
def test_fully_connected_layers_have_names_and_activations_between(last, names):
    model = fully_connected((12, 8, 8, 3), "tanh", last_activation=last)
    assert [name for name, _ in model.named_children()] == names
    shapes = {name: tuple(parameter.shape) for name, parameter in model.named_parameters()}
    assert shapes == {"linear1.weight": (8, 12), "linear2.weight": (8, 8), "linear3.weight": (3, 8)}
    assert model(torch.rand(5, 3, 2, 2)).shape == (5, 3)


def test_fully_connected_network_is_the_product_of_its_layers():
    model, x = fully_connected([6, 4, 2], "selu", last_activation=True, bias=True), torch.rand(3, 1, 2, 3)
    inner = F.selu(x.flatten(1) @ model.linear1.weight.T + model.linear1.bias)
    expected = F.selu(inner @ model.linear2.weight.T + model.linear2.bias)
    torch.testing.assert_close(model(x), expected)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_has_its_layer(activation):
    model = fully_connected((4, 3, 2), activation)
    functions = {"none": lambda x: x} | {name: getattr(F, name) for name in ACTIVATIONS if name != "none"}
    x = torch.linspace(-2, 2, 12).reshape(3, 4)
    torch.testing.assert_close(model(x), functions[activation](x @ model.linear1.weight.T) @ model.linear2.weight.T)


@pytest.mark.parametrize("widths", [(), (5,), (5, 0), (5, -1, 2)], ids=str)
def test_widths_that_make_no_network_are_refused(widths):
    with pytest.raises(ValueError, match=r"widths are .*; expected two or more positive numbers"):
        fully_connected(widths)


def test_unknown_activation_is_refused():
    with pytest.raises(ValueError, match="activation is 'swish'; expected one of none, relu, leaky_relu, selu"):
        fully_connected((4, 2), "swish")


def torchvision_names() -> set[str]:
    """State dict of torchvision's ResNet18, by its documented modules."""
    norms = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    modules = ["", *(f"layer{stage}.{block}." for stage in range(1, 5) for block in range(2))]
    names = {"fc.weight", "fc.bias"}
    for module in modules:
        for number in (1, 2) if module else (1,):
            names |= {f"{module}conv{number}.weight", *(f"{module}bn{number}.{entry}" for entry in norms)}
    for stage in (2, 3, 4):
        down = f"layer{stage}.0.downsample."
        names |= {f"{down}0.weight", *(f"{down}1.{entry}" for entry in norms)}
    return names


def reference_resnet18(weights: dict[str, Tensor], x: Tensor) -> Tensor:
    """ResNet18 of He et al. (2016), Table 1, by functions on a state dict with torchvision's names."""

    def norm(name: str, y: Tensor) -> Tensor:
        mean, var, scale, shift = (
            weights[f"{name}.{entry}"] for entry in ("running_mean", "running_var", "weight", "bias")
        )
        return F.batch_norm(y, mean, var, scale, shift)

    x = F.relu(norm("bn1", F.conv2d(x, weights["conv1.weight"], stride=2, padding=3)))
    x = F.max_pool2d(x, 3, stride=2, padding=1)
    for stage in range(1, 5):
        for block in range(2):
            name, stride = f"layer{stage}.{block}", 2 if stage > 1 and block == 0 else 1
            y = F.relu(norm(f"{name}.bn1", F.conv2d(x, weights[f"{name}.conv1.weight"], stride=stride, padding=1)))
            y = norm(f"{name}.bn2", F.conv2d(y, weights[f"{name}.conv2.weight"], padding=1))
            if stride == 2:
                shortcut = F.conv2d(x, weights[f"{name}.downsample.0.weight"], stride=2)
                x = norm(f"{name}.downsample.1", shortcut)
            x = F.relu(x + y)
    return F.linear(x.mean((2, 3)), weights["fc.weight"], weights["fc.bias"])


def test_resnet18_has_the_names_and_the_outputs_of_torchvisions():
    model = build("resnet18", channels=3, classes=4).double().eval()
    weights = model.state_dict()
    assert set(weights) == torchvision_names()
    generator = torch.Generator().manual_seed(0)
    for module in model.modules():
        # Statistics that a fresh network lacks, so that a norm in the wrong place shows.
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(generator=generator)
            module.running_var.uniform_(0.5, 2, generator=generator)
            module.weight.data.uniform_(0.5, 2, generator=generator)
            module.bias.data.normal_(generator=generator)
    x = torch.rand(2, 3, 40, 37, dtype=torch.float64, generator=generator)
    torch.testing.assert_close(model(x).detach(), reference_resnet18(model.state_dict(), x), rtol=1e-10, atol=1e-10)


def test_resnet18_of_digits():
    model = build("resnet18").eval()
    assert model.conv1.weight.shape == (64, 1, 7, 7) and model.fc.weight.shape == (10, 512)
    assert [name for name, _ in model.named_parameters() if "conv" in name and name.endswith("bias")] == []
    assert model(torch.zeros(2, 1, 28, 28)).shape == (2, 10)


def reference_vgg(weights: dict[str, Tensor], x: Tensor, pooled: int) -> Tensor:
    """VGG by functions on a state dict with torchvision's names, the numbers of its layers taken from Table 1."""
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    x = ((x - mean[:, None, None]) / deviation[:, None, None]).to(x.dtype)
    normed = "features.1.running_mean" in weights
    last = max(int(name.split(".")[1]) for name in weights if name.startswith("features"))
    number = 0
    while number <= last:
        if f"features.{number}.weight" not in weights:
            x, number = F.max_pool2d(x, 2), number + 1
            continue
        name = f"features.{number}"
        x = F.conv2d(x, weights[f"{name}.weight"], weights[f"{name}.bias"], padding=1)
        if normed:
            norm = f"features.{number + 1}"
            statistics = (weights[f"{norm}.{entry}"] for entry in ("running_mean", "running_var", "weight", "bias"))
            x = F.batch_norm(x, *statistics)
        x, number = F.relu(x), number + (3 if normed else 2)
    x = F.adaptive_avg_pool2d(F.max_pool2d(x, 2), pooled).flatten(1)
    for layer in (0, 3, 6):
        x = F.linear(x, weights[f"classifier.{layer}.weight"], weights[f"classifier.{layer}.bias"])
        x = F.relu(x) if layer < 6 else x
    return x


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("depth", [11, 13, 16, 19])
def test_vgg_has_the_outputs_of_torchvisions(depth, batch_norm):
    torch.manual_seed(depth)
    model = (
        build("vgg", depth=depth, width=1 / 16, batch_norm=batch_norm, classes=5, hidden=12, pooled=2).double().eval()
    )
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 2)
            nn.init.normal_(module.bias)
        elif isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.normal_(module.bias)
    x = torch.rand(2, 3, 64, 70, dtype=torch.float64)
    # The constants of the standardisation are float32, in the network as in torchvision's preprocessing.
    torch.testing.assert_close(model(x).detach(), reference_vgg(model.state_dict(), x, 2), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("depth", "batch_norm", "parameters"),
    [(11, False, 132_863_336), (13, False, 133_047_848), (16, False, 138_357_544), (19, True, 143_678_248)],
)
def test_vgg_has_as_many_parameters_as_torchvisions(depth, batch_norm, parameters):
    # Counts of torchvision's documentation.
    with torch.device("meta"):
        model = build("vgg", depth=depth, batch_norm=batch_norm)
    assert sum(parameter.numel() for parameter in model.parameters()) == parameters


@pytest.mark.parametrize(
    ("options", "words"),
    [({"depth": 12}, "depth is 12; expected one of 11, 13, 16, 19"), ({"width": 0.001}, "one channel")],
)
def test_a_vgg_that_cannot_be_is_refused(options, words):
    with pytest.raises(ValueError, match=words):
        build("vgg", **options)


def test_standardised_images_have_mean_0_and_deviation_1():
    images = torch.rand(50, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    mean, deviation = images.mean((0, 2, 3)), images.std((0, 2, 3))
    layer = Standardise(mean.tolist(), deviation.tolist())
    found = layer(images)
    torch.testing.assert_close(found.mean((0, 2, 3)), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(found.std((0, 2, 3)), torch.ones(3), atol=1e-5, rtol=0)
    assert not layer.state_dict() and not list(layer.parameters())


def test_networks_of_the_book_are_all_registered():
    assert {"mnist_cnn", "fully_connected", "resnet18", "vgg"} <= set(ARCHITECTURES)
    assert isinstance(build("fully_connected", widths=(4, 2)).linear1, nn.Linear)
