"""Costs of the products of a U-Net, beside automatic differentiation, at tiny sizes."""

import pytest
import torch

from paperlib.costs import ApartError, Measured, child, measured_apart, products

# torch.func.jvp writes its rules in TorchScript, and torch.func.linearize folds constants in a way that torch.fx minds.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*torch.jit.script. is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Attempted to insert a get_attr Node:UserWarning"),
]

TINY = dict(filters=2, depth=2, channels=1)


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch):
    """The same work without a dozen processes, each of which would import torch."""

    def run(work: str, *, threads: int, **arguments) -> Measured:
        return Measured(**child.measured(getattr(products, work.partition(":")[2]), arguments))

    monkeypatch.setattr(products, "measured_apart", run)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_every_way_is_measured_and_gives_the_same(dimensions: int, in_this_process):
    costs = products.product_costs(dimensions, 4, rounds=3, **TINY)
    expected = [(direction, way) for direction, ways in products.WAYS.items() for way in ways]
    assert [(cost.direction, cost.way) for cost in costs] == expected
    for cost in costs:
        assert 0 < cost.fastest <= cost.seconds <= cost.slowest
        assert cost.peak_mib >= cost.product_mib
        # float64: sums of some hundred products through five layers.
        assert cost.difference < 1e-12


def test_global_generator_is_left_as_it_was(in_this_process):
    before = torch.get_rng_state()
    products.differences(dimensions=2, **TINY)
    assert torch.equal(torch.get_rng_state(), before)


def test_peak_of_two_products_is_measured_apart():
    settings = dict(direction="adjoint", way="frozen network", dimensions=3, side=16, filters=16, depth=2, channels=1)
    result = measured_apart("paperlib.costs.products:two_products", **settings).result
    # Between one activation (16 filters of 16^3) and some hundred of them.
    assert 0.25 < result["product_mib"] <= result["peak_mib"] < 100


def test_side_that_the_network_does_not_take_is_refused_with_its_own_message():
    with pytest.raises(ApartError, match=r"ShapeError: .* sum pooling by 2 needs spatial sides that are multiples"):
        products.product_costs(2, 5, rounds=1, **TINY)
