"""What cannot be frozen is refused with an error that says where and what to do."""

import pytest
import torch
import torch.nn.functional as F
from operator_cases import Applied
from torch import nn

from paperlib.layers import SumPool
from paperlib.models import mnist_cnn
from paperlib.operators import (
    Compiled,
    Frozen,
    NotFiniteError,
    OperatorError,
    ShapeError,
    UnsupportedLayerError,
    dot_test,
    freeze,
    register_module,
    supported_layers,
)
from paperlib.operators.operations import Diagonal
from paperlib.operators.rules import MODULE_RULES


@pytest.fixture
def images() -> torch.Tensor:
    return torch.randn(2, 2, 6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def nested(layer: nn.Module) -> nn.Module:
    return nn.ModuleDict({"encoder": nn.Sequential(nn.Identity(), layer)})["encoder"].double().eval()


@pytest.mark.parametrize(
    "layer",
    [
        nn.GELU(),
        nn.Softmax(dim=1),
        nn.Sigmoid(),
        nn.InstanceNorm2d(2),
        nn.GroupNorm(1, 2),
        nn.LocalResponseNorm(3),
        nn.Hardshrink(),
        nn.ELU(),
        nn.AdaptiveMaxPool2d(2),
        nn.LPPool2d(2, 2),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_unknown_layer_is_named_with_its_path_and_the_supported_ones(layer, images):
    model = nn.Sequential()
    model.add_module("encoder", nested(layer))
    with pytest.raises(UnsupportedLayerError) as caught:
        freeze(model, images)
    message = str(caught.value)
    assert "'encoder.1'" in message
    assert type(layer).__name__ in message
    assert all(name in message for name in supported_layers())


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (lambda x: F.softmax(x, dim=1), "softmax"),
        (lambda x: F.gelu(x), "gelu"),
        (lambda x: x * x, "mul"),
        (lambda x: 1 / x, "truediv"),
        (lambda x: x[:, torch.tensor([0])], "getitem"),
        (lambda x: x.abs(), "abs"),
        (lambda x: x.cumsum(2), "cumsum"),
        (lambda x: x.sum((2, 3)), "sum"),
        (lambda x: x.mT + x, "getattr"),
        (lambda x: x.real + x, "getattr"),
        (lambda x: torch.matmul(x, x), "matmul"),
        (lambda x: F.conv2d(x, x.mean((2, 3), keepdim=True)), "conv2d.*weights depend on the input"),
        (lambda x: F.conv2d(torch.ones(1, 2, 1, 1, dtype=torch.float64), x), "conv2d.*weights depend on the input"),
        (lambda x: torch.matmul(torch.ones(6, 6, dtype=torch.float64), x), "matmul"),
        (lambda x: F.max_pool2d(x, 2, return_indices=True)[0], "max_pool2d"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_unknown_function_is_named(function, name, images):
    with pytest.raises(UnsupportedLayerError, match=name):
        freeze(Applied(function), images)


@pytest.mark.parametrize(
    ("model", "why"),
    [
        (nn.MaxPool2d(2, return_indices=True), "return_indices"),
        (nn.AvgPool2d(3, 2, ceil_mode=True, divisor_override=4), "ceil_mode"),
        (nn.Upsample(scale_factor=2, mode="bicubic"), "bicubic"),
        # Twice the size by another factor: torch's forward and backward kernels take different samples there.
        (nn.Upsample(scale_factor=2.1), "scale_factor"),
        (nn.BatchNorm2d(2, track_running_stats=False), "statistics of the batch"),
        # An output padding of a stride or more adds positions that the forward convolution would read again.
        (nn.ConvTranspose2d(2, 2, 2, stride=1, dilation=3, output_padding=2), "output_padding"),
        (nn.Flatten(0), "mixes the images"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_setting_without_an_adjoint_is_refused(model, why, images):
    with pytest.raises(UnsupportedLayerError, match=why):
        freeze(model.double().eval(), images)


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (lambda x: torch.cat([x, x], dim=0), "batch axis"),
        (lambda x: x + x.mean((2, 3), keepdim=True), "must be equal"),
        (lambda x: x.mean(1), "mean over axes"),
        (lambda x: x.mean(), "dim"),
        (lambda x: x.reshape(1, -1), "mixes the images"),
        (lambda x: F.dropout(x), "training=True"),
        (lambda x: F.interpolate(x, scale_factor=2, mode="bilinear", antialias=True), "antialias"),
        (lambda x: torch.add(x, x, alpha=2), "alpha"),
        (lambda x: torch.div(x, 2, rounding_mode="floor"), "rounding_mode"),
        (lambda x: x.mean((2, 3)) + torch.ones(2, 1, 1, dtype=torch.float64), "changes the shape"),
        (lambda x: x + torch.ones(2, 1, 1, 1, dtype=torch.float64), "image to image"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_function_with_a_setting_without_an_adjoint_is_refused(function, why, images):
    with pytest.raises(UnsupportedLayerError, match=why):
        freeze(Applied(function), images)


def test_a_constant_among_joined_values_is_refused(images):
    model = Applied(lambda s, x: torch.cat([x, s.grid], 1), grid=torch.zeros(2, 1, 6, 6)).double()
    with pytest.raises(UnsupportedLayerError, match="constant"):
        freeze(model, images)


@pytest.mark.parametrize(
    "model",
    [
        Applied(lambda x: x if x.sum() > 0 else -x),
        Applied(lambda x: next(x for _ in range(int(x.sum())))),
    ],
)
def test_control_flow_that_depends_on_the_input_is_refused(model, images):
    with pytest.raises(UnsupportedLayerError, match="depends on the values of its input"):
        freeze(model, images)


@pytest.mark.parametrize(
    ("function", "why"),
    [(lambda x: x * len(x), "first image"), (lambda x: torch.cat([*x], 0), "unbind")],
)
def test_a_function_that_depends_on_the_batch_is_refused(function, why, images):
    with pytest.raises(UnsupportedLayerError, match=why):
        freeze(Applied(function), images)


@pytest.mark.parametrize(
    "layer", [nn.BatchNorm2d(2), nn.Dropout(0.5), nn.Dropout2d(0.5), nn.AlphaDropout(0.5)], ids=lambda m: str(type(m))
)
def test_training_mode_is_refused(layer, images):
    model = nn.Sequential(nn.Conv2d(2, 2, 1), layer).double()
    with pytest.raises(UnsupportedLayerError, match=r"'1'.*call model\.eval\(\)"):
        freeze(model, images)
    freeze(model.eval(), images)


def test_dropout_that_drops_nothing_may_train(images):
    frozen = freeze(nn.Dropout(0.0), images)
    assert torch.equal(frozen.outputs, images)


class TwoInputs(nn.Module):
    def forward(self, x, y):
        return x + y


def test_more_than_one_input_is_refused(images):
    with pytest.raises(UnsupportedLayerError, match="TwoInputs must take exactly one input"):
        freeze(TwoInputs(), images)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: (x, x.relu()),
        lambda x: {"logits": x},
        lambda x: [x],
        lambda x: x.shape[0],
        lambda x: torch.ones(3),
    ],
)
def test_other_than_one_tensor_as_output_is_refused(function, images):
    with pytest.raises(UnsupportedLayerError, match="exactly one tensor"):
        freeze(Applied(function), images)


def test_wrong_input_shape_names_the_layer_and_the_shapes():
    model = mnist_cnn().eval()
    with pytest.raises(ShapeError) as caught:
        freeze(model, torch.rand(2, 3, 28, 28))
    assert "conv1" in str(caught.value) and "(2, 3, 28, 28)" in str(caught.value)
    with pytest.raises(ShapeError) as caught:
        freeze(model, torch.rand(2, 1, 32, 32))
    assert "linear1" in str(caught.value) and "(2, 1, 32, 32)" in str(caught.value) and "(2, 4096)" in str(caught.value)
    with pytest.raises(ShapeError, match=r"pool1.*multiples"):
        freeze(model, torch.rand(2, 1, 27, 27))


@pytest.mark.parametrize(
    "model",
    [
        nn.Conv2d(2, 3, 1),
        nn.ConvTranspose2d(2, 3, 1),
        nn.MaxPool2d(2),
        nn.AvgPool2d(2),
        nn.AdaptiveAvgPool2d(2),
        Applied(lambda x: F.max_pool2d(x, 2)),
        Applied(lambda x: F.avg_pool2d(x, 2)),
        Applied(lambda x: F.adaptive_avg_pool2d(x, 2)),
    ],
    ids=str,
)
def test_an_image_without_its_batch_axis_is_refused(model, images):
    """torch takes (channels, height, width) for one image; a frozen network would take the channels for a batch."""
    with pytest.raises(ShapeError, match=r"\(2, 6, 6\)"):
        freeze(model.double(), images[0])


def test_wrong_dtype_names_the_layer_and_the_dtypes():
    with pytest.raises(ShapeError, match=r"conv1.*float64"):
        freeze(mnist_cnn().eval(), torch.rand(1, 1, 28, 28, dtype=torch.float64))
    with pytest.raises(ShapeError, match=r"conv1.*uint8"):
        freeze(mnist_cnn().eval(), torch.zeros(1, 1, 28, 28, dtype=torch.uint8))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_weights_that_are_not_finite_are_refused_by_name(value):
    model = mnist_cnn().eval()
    with torch.no_grad():
        model.linear2.weight[3, 4] = value
    with pytest.raises(NotFiniteError, match=r"'linear2\.weight'"):
        Compiled(model)


def test_buffers_that_are_not_finite_are_refused_by_name(images):
    model = nn.Sequential(nn.BatchNorm2d(2)).double().eval()
    model[0].running_var[0] = float("inf")
    with pytest.raises(NotFiniteError, match=r"'0\.running_var'"):
        freeze(model, images)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_images_that_are_not_finite_are_refused(value):
    images = torch.rand(2, 1, 28, 28)
    images[1, 0, 5, 5] = value
    with pytest.raises(NotFiniteError, match="images"):
        freeze(mnist_cnn().eval(), images)


def test_vectors_of_another_shape_dtype_or_count_are_refused(images):
    frozen = freeze(nn.Conv2d(2, 3, 3).double(), images)
    double = dict(dtype=torch.float64)
    with pytest.raises(ShapeError, match=r"product expects vectors of shape \(batch, k, 2, 6, 6\), got \(2, 1, 3, 4"):
        frozen.product(torch.zeros(2, 1, 3, 4, 4, **double))
    with pytest.raises(ShapeError, match=r"adjoint expects vectors of shape \(batch, k, 3, 4, 4\), got \(2, 3, 4, 4"):
        frozen.adjoint(torch.zeros(2, 3, 4, 4, **double))
    with pytest.raises(ShapeError, match="float32"):
        frozen.product(torch.zeros(2, 1, 2, 6, 6))
    with pytest.raises(ShapeError, match="for 2 images, got 3"):
        frozen.product(torch.zeros(3, 1, 2, 6, 6, **double))
    with pytest.raises(ShapeError, match=r"matmat expects vectors of shape \(k, 2, 6, 6\), got \(1, 72\)"):
        frozen[0].matvec(torch.zeros(72, **double))
    with pytest.raises(ShapeError, match="rmatmat"):
        frozen[0].rmatmat(torch.zeros(1, 2, 6, 6, **double))


def overwritten_by_function(x):
    y = x * 2
    torch.relu_(y)
    return y


def overwritten_by_method(x):
    y = x * 2
    y.add_(1.0)
    return y + x


def overwritten_by_augmented_assignment(x):
    before = y = x * 2
    y += 1.0
    return before * 3


class OverwrittenByLayer(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.relu = nn.Conv2d(2, 2, 1), nn.ReLU(inplace=True)

    def forward(self, x):
        before = self.conv(x)
        return self.relu(before) + before


@pytest.mark.parametrize(
    "model",
    [
        Applied(overwritten_by_function),
        Applied(overwritten_by_method),
        Applied(overwritten_by_augmented_assignment),
        OverwrittenByLayer(),
    ],
    ids=["function", "method", "augmented assignment", "layer"],
)
def test_a_value_that_is_overwritten_in_place_is_read_as_torch_reads_it(model, images):
    """torch.fx does not see that the old value is gone; torch.export does."""
    model = model.double().eval()
    frozen = freeze(model, images)
    linear = frozen.product(images.unsqueeze(1)).squeeze(1)
    torch.testing.assert_close(linear + frozen.offset(), model(images).detach())
    assert dot_test(frozen[0]) < 1e-12


def overwritten_through_a_view(x):
    y = x * 2
    y[:, :1].relu_()
    return y


def test_a_value_that_is_overwritten_through_a_view_is_refused(images):
    """A graph that still reads the old value would give another network in silence."""
    with pytest.raises(UnsupportedLayerError, match="in place"):
        freeze(Applied(overwritten_through_a_view), images)


class Scale(nn.Module):
    def forward(self, x):
        return torch.add(x, x, alpha=2.0)


def test_a_layer_of_ones_own_joins_by_registering_a_rule(images):
    with pytest.raises(UnsupportedLayerError):
        freeze(nn.Sequential(Scale(), SumPool(2)), images)
    try:
        register_module(Scale)(lambda module, x: Frozen(module(x), Diagonal(x.new_tensor(3.0))))
        frozen = freeze(nn.Sequential(Scale(), SumPool(2)), images)
        assert "Scale" in supported_layers()
        assert dot_test(frozen[0]) < 1e-12
        torch.testing.assert_close(frozen.product(images.unsqueeze(1)).squeeze(1), SumPool(2)(3 * images))
    finally:
        MODULE_RULES.pop(Scale, None)


def test_every_refusal_is_an_operator_error():
    assert issubclass(UnsupportedLayerError, OperatorError)
    assert issubclass(ShapeError, (OperatorError, ValueError))
    assert issubclass(NotFiniteError, (OperatorError, ValueError))


def test_vectors_on_another_device_are_refused():
    """With the device that every machine has beside the processor: one whose tensors have no memory."""
    operator = freeze(nn.Conv2d(1, 2, 3), torch.ones(1, 1, 6, 6))[0]
    for product, shape in ((operator.matvec, (1, 6, 6)), (operator.rmatvec, (2, 4, 4))):
        with pytest.raises(ShapeError, match=r"expects torch\.float32 on cpu, got torch\.float32 on meta"):
            product(torch.ones(shape, device="meta"))
