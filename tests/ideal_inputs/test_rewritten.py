"""The rewritten network has the outputs and the input gradients of the model, and leaves the model alone."""

import pytest
import torch
from ideal_support import problem, seeded, small_net
from torch import nn

from paperlib.ideal_inputs import rewritten
from paperlib.ideal_inputs.frozen import MatrixConvolution, PatchConvolution
from paperlib.models import resnet18

# Relative to the largest output.
TOLERANCES = {torch.float32: 1e-5, torch.float64: 1e-12}


def difference(found: torch.Tensor, wanted: torch.Tensor) -> float:
    return ((found - wanted).abs().max() / wanted.abs().max()).item()


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("channels", [1, 2])
def test_same_outputs_and_gradients(channels, dtype):
    model, (images, _) = small_net(channels, dtype), problem(7, channels, dtype)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    function = rewritten(model, images[:2])
    kinds = [type(module) for module in function.modules()]
    assert nn.BatchNorm2d not in kinds and kinds.count(MatrixConvolution) == 2
    assert (PatchConvolution in kinds) == (channels == 1)
    assert difference(function(images), model(images)) < TOLERANCES[dtype]
    gradients = []
    for network in (function, model):
        x = images.clone().requires_grad_(True)
        gradients += torch.autograd.grad(network(x).square().sum(), x)
    assert difference(*gradients) < 10 * TOLERANCES[dtype]
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert isinstance(model.norm1, nn.BatchNorm2d) and model.act.inplace
    assert model.stem.weight.is_contiguous()


@pytest.mark.parametrize("dtype", TOLERANCES)
def test_resnet18_is_rewritten(dtype):
    model = seeded(resnet18(), dtype).to(memory_format=torch.channels_last)
    images = torch.rand(2, 1, 28, 28, dtype=dtype, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        function = rewritten(model, images)
        assert difference(function(images), model(images)) < TOLERANCES[dtype]
    kinds = [type(module) for module in function.modules()]
    # The maps of the last block are 2 x 2 and then single pixels; the stem has one input channel.
    assert (
        kinds.count(nn.BatchNorm2d) == 0 and kinds.count(MatrixConvolution) == 7 and kinds.count(PatchConvolution) == 1
    )


@pytest.mark.parametrize(
    ("convolution", "size"),
    [
        (nn.Conv2d(3, 5, 3, padding=1), (2, 2)),
        (nn.Conv2d(2, 4, (3, 5), stride=(2, 1), padding=(1, 2)), (2, 3)),
        (nn.Conv2d(2, 3, 2, padding=1, dilation=2, bias=False), (2, 3)),
        (nn.Conv2d(4, 2, 3, padding="same"), (1, 1)),
        (nn.Conv2d(4, 2, 3, padding="valid"), (3, 3)),
    ],
)
def test_matrix_of_a_convolution(convolution, size):
    convolution = convolution.double()
    x = torch.randn(4, convolution.in_channels, *size, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        wanted = convolution(x)
        found = MatrixConvolution(convolution, x.shape[1:], wanted.shape[1:])(x)
        torch.testing.assert_close(found, wanted, rtol=1e-12, atol=1e-12)
        for memory_format in (torch.contiguous_format, torch.channels_last):
            inner = MatrixConvolution(convolution, x.shape[1:], wanted.shape[1:])
            again = inner(x.contiguous(memory_format=memory_format))
            assert torch.equal(again, found)


class Shared(nn.Module):
    """A convolution used twice, and one whose output is needed before and after its batch norm."""

    def __init__(self) -> None:
        super().__init__()
        self.twice, self.norm = nn.Conv2d(1, 1, 3, padding=1), nn.BatchNorm2d(1)
        self.split, self.other = nn.Conv2d(1, 2, 3, padding=1), nn.BatchNorm2d(2)

    def forward(self, x):
        x = self.norm(self.twice(self.twice(x)[..., ::2, ::2]))
        y = self.split(x)
        return (self.other(y) * y).flatten(1)


def test_a_shared_convolution_keeps_its_batch_norm():
    model, (images, _) = seeded(Shared()), problem()
    function = rewritten(model, images)
    assert function is not model
    assert sum(isinstance(module, nn.BatchNorm2d) for module in function.modules()) == 2
    assert difference(function(images), model(images)) < 1e-12


class Branching(nn.Module):
    def forward(self, x):
        return x.flatten(1) if x.sum() > 0 else -x.flatten(1)


class Counting(nn.Module):
    calls = 0

    def forward(self, x):
        self.calls += 1
        return x.flatten(1) * self.calls


def test_what_cannot_be_traced_is_returned_as_it_is():
    images, _ = problem()
    for model in (Branching(), Counting()):
        assert rewritten(model.eval(), images) is model
    hooked = small_net()
    hooked.pool.register_forward_hook(lambda module, inputs, output: 2 * output)
    assert rewritten(hooked, images) is hooked
