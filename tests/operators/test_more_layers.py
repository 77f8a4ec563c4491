"""PReLU, layers with bounds, padding and slices: what the tests of every operator do not ask, and the refusals."""

import pytest
import torch
import torch.nn.functional as F
from operator_cases import Applied
from torch import Tensor, nn
from torch.autograd.functional import jacobian

from paperlib.operators import UnsupportedLayerError, freeze

CLOSE = dict(rtol=1e-12, atol=1e-13)


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def test_prelu_has_the_slope_of_its_channel_where_the_input_is_negative():
    layer = nn.PReLU(3).double()
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([0.5, -1.0, 2.0]))
    image = torch.tensor([[[1.0, -1.0], [-2.0, 2.0], [-3.0, 0.0]]], dtype=torch.float64)
    slopes = freeze(layer, image)[0].dense().diagonal()
    # At exactly zero the slope of the negative side, as in torch.
    assert slopes.tolist() == [1.0, 0.5, -1.0, 1.0, 2.0, 2.0]


@pytest.mark.parametrize("masks", ["bool", "bits"])
@pytest.mark.parametrize(
    ("layer", "image", "slopes", "offset"),
    [
        (nn.ReLU6(), [-1.0, 0.0, 2.0, 6.0, 7.0], [0, 0, 1, 0, 0], [0, 0, 0, 6, 6]),
        (nn.Hardtanh(-2, 3), [-3.0, -2.0, 0.0, 3.0, 4.0], [0, 0, 1, 0, 0], [-2, -2, 0, 3, 3]),
        (nn.Threshold(1.0, -4.0), [-3.0, 1.0, 2.0], [0, 0, 1], [-4, -4, 0]),
        (Applied(lambda x: x.clamp(-1, 1)), [-3.0, -1.0, 0.5, 1.0, 2.0], [0, 1, 1, 1, 0], [-1, 0, 0, 0, 1]),
    ],
    ids=["ReLU6", "Hardtanh", "Threshold", "clamp"],
)
def test_bounds_are_constants_of_the_image(layer, image, slopes, offset, masks):
    x = torch.tensor([image], dtype=torch.float64)
    frozen = freeze(layer, x, masks=masks)
    assert frozen[0].dense().diagonal().tolist() == slopes
    assert frozen.offset()[0].tolist() == offset
    torch.testing.assert_close(frozen[0].dense(), jacobian(layer, x).reshape(len(image), -1))


def test_offsets_of_a_batch_are_those_of_its_images():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = nn.Sequential(
            nn.Conv2d(1, 3, 3), nn.ReLU6(), nn.Conv2d(3, 2, 2), nn.Hardtanh(-0.1, 0.1), nn.ReplicationPad2d(1),
            nn.AvgPool2d(2), nn.Flatten(), nn.Linear(18, 2),
        ).double().eval()  # fmt: skip
    images = 4 * draw(3, 1, 7, 7)
    frozen = freeze(model, images)
    offset = frozen.offset()
    assert (offset[0] - offset[1]).abs().max() > 1e-3
    for index in range(3):
        alone = freeze(model, images[index : index + 1])
        torch.testing.assert_close(alone.offset()[0], offset[index], **CLOSE)
        torch.testing.assert_close(frozen.part(slice(index, index + 1)).offset()[0], offset[index], **CLOSE)
        torch.testing.assert_close(alone[0].dense(), frozen[index].dense(), **CLOSE)


def test_a_bounded_layer_keeps_its_constants_in_front_of_a_sum_pool():
    """Pooling joined with the gate before it must not lose the gate's constant part."""
    images = 3 * draw(2, 2, 4, 4)
    model = nn.Sequential(nn.Hardtanh(), nn.AvgPool2d(2))
    frozen = freeze(model, images)
    linear = frozen.product(images.unsqueeze(1)).squeeze(1)
    torch.testing.assert_close(linear + frozen.offset(), model(images), **CLOSE)
    assert frozen.offset().abs().max() > 0.1


def test_padding_with_a_constant_is_an_offset():
    frozen = freeze(nn.ConstantPad1d((1, 2), 5.0), torch.ones(1, 1, 2))
    assert frozen.offset().tolist() == [[[5.0, 0.0, 0.0, 5.0, 5.0]]]
    assert frozen[0].matvec(torch.tensor([[3.0, 4.0]])).tolist() == [[0.0, 3.0, 4.0, 0.0, 0.0]]


def test_adjoint_of_replication_adds_up_the_copies():
    operator = freeze(nn.ReplicationPad1d((2, 1)), torch.ones(1, 1, 3))[0]
    assert operator.rmatvec(torch.tensor([[1.0, 2.0, 4.0, 8.0, 16.0, 32.0]])).tolist() == [[7.0, 8.0, 48.0]]


@pytest.mark.parametrize("last", [nn.Softmax(1), nn.Sigmoid(), Applied(lambda x: x.sigmoid().flatten(1))])
def test_a_curved_last_layer_is_refused_with_the_advice_to_leave_it_out(last):
    model = nn.Sequential(nn.Conv2d(1, 2, 1), last)
    with pytest.raises(UnsupportedLayerError, match=r"not piecewise linear.*give the model without it"):
        freeze(model, torch.ones(1, 1, 2, 2))


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (lambda x: F.silu(x) + x, r"silu\(\).*not piecewise linear, so"),
        (lambda x: torch.exp(x).flatten(1) @ torch.ones(36, 1, dtype=torch.float64), "exp.*not piecewise linear"),
        (lambda x: x * x.relu(), "product or quotient of values that both depend on the input"),
        (lambda x: x[0], "along the batch axis"),
        (lambda x: x[None], "along the batch axis"),
        (lambda x: x[1:], "batch axis"),
        (lambda x: torch.ops.aten.slice.Tensor(x, 0, 1), "a slice of the batch axis"),
        (lambda x: x.transpose(0, 1), "moving the batch axis"),
        (lambda x: x.chunk(2, 0)[0], "cutting along the batch axis"),
        (lambda x: x.repeat(2, 1, 1, 1), "repetition by"),
        (lambda x: x.expand(3, 2, 2, 6, 6), "expansion of"),
        (lambda x: x.flip(0), "flipping the batch axis"),
        (lambda x: F.pad(x, (0, 0, 0, 0, 0, 0, 1, 0)), "padding of the batch axis"),
        (lambda x: x.clamp(torch.zeros(6, dtype=torch.float64)), "constant tensor"),
        (lambda x: x.float(), "float"),
        (lambda x: x.to(torch.float32), "conversion from torch.float64 to torch.float32"),
        (lambda x: torch.matmul(x, torch.ones(2, 6, 6, dtype=torch.float64)), "supported is a matrix"),
        (lambda x: torch.ops.aten.index.Tensor(x, [torch.tensor([0])]), "indices of the batch axis"),
        (
            lambda x: torch.ops.aten.index.Tensor(x, [None, None, torch.tensor([0, 1]), torch.tensor([0, 1])]),
            "an axis of their own",
        ),
        (lambda x: x * (x > 0), "decided by the input"),
        (lambda x: x * (x > 0).double(), "double.*decided by the input"),
        (lambda x: torch.where(x > 0, x, 0.0), "a choice between"),
        (lambda x: F.instance_norm(x, x.mean((2, 3))), "weights depend on the input"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_refused_functions_say_why(function, why):
    with pytest.raises(UnsupportedLayerError, match=why):
        freeze(Applied(function), draw(2, 2, 6, 6))
