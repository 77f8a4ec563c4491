"""Products by automatic differentiation are those of the frozen network."""

import torch

from paperlib.costs.autograd import AutogradOperator
from paperlib.costs.machine import processor
from paperlib.models import unet
from paperlib.operators import dot_test, freeze


def test_products_are_those_of_the_frozen_network():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = unet(2, 3, depth=2, filters=3).double().eval().requires_grad_(False)
    image = torch.randn(1, 2, 4, 4, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    operator, frozen = AutogradOperator(model, image), freeze(model, image)[0]
    assert (operator.domain_shape, operator.range_shape) == (frozen.domain_shape, frozen.range_shape)
    assert dot_test(operator) < 1e-13
    torch.testing.assert_close(operator.dense(), frozen.dense(), rtol=0, atol=1e-13)
    with torch.no_grad():
        assert operator.rmatvec(operator.matvec(image[0])).abs().max() > 0


def test_the_processor_has_a_name_and_cores():
    name, _, cores = processor().rpartition(", ")
    assert name
    assert int(cores.split()[0]) >= 1
