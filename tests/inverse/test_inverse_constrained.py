"""Inversion inside the ranges of the activations, where the pseudoinverse leaves them."""

from itertools import pairwise

import pytest
import torch
from inverse_support import ACTIVATIONS, draw, linear, orthonormal, planted, relative_error
from torch import nn

from paperlib.inverse import OutOfRangeError, invert, newton

WIDTHS = (60, 40, 40, 25, 12, 5)


def narrowing_network(activation: nn.Module, gain: float = 2.0, seed: int = 0) -> nn.Sequential:
    """Random layers of decreasing widths whose hidden activations come near to the bounds of their range."""
    layers: list[nn.Module] = []
    for number, (before, after) in enumerate(pairwise(WIDTHS)):
        layers += [linear(gain * draw(after, before, seed=seed + number) / before**0.5), activation]
    return nn.Sequential(*layers[:-1])


@pytest.fixture(scope="module")
def selu():
    model = narrowing_network(nn.SELU())
    return model, model(draw(40, WIDTHS[0], seed=77))


def test_where_the_pseudoinverse_leaves_the_range_the_constrained_inverse_reaches_the_output(selu):
    model, wanted = selu
    with pytest.raises(OutOfRangeError):
        invert(model, wanted, (60,))
    clipped = invert(model, wanted, (60,), clip=1e-6)
    left = torch.stack([step.left_range for step in clipped.activation_steps]).any(0)
    assert left.double().mean() > 0.9
    assert clipped.relative_distances.median() > 0.5
    swept = invert(model, wanted, (60,), method="constrained", sweeps=25, refinements=0)
    assert swept.relative_distances.median() < 1e-8
    # 0.16; it would be 0.29 if pre-images had to keep the margin even where the network itself does not.
    assert swept.relative_distances.max() < 0.2
    found = invert(model, wanted, (60,), method="constrained")
    assert found.relative_distances.max() < 1e-8
    assert torch.equal(found.reached, model(found.inputs))
    assert relative_error(found.reached, wanted) == found.relative_distances.max()
    assert [step.kind for step in found.linear_steps] == ["constrained"] * 5
    assert not any(step.left_range.any() for step in found.activation_steps)


def test_history_never_rises_and_ends_at_the_result(selu):
    model, wanted = selu
    found = invert(model, wanted, (60,), method="constrained", sweeps=6, refinements=4)
    assert [part.kind for part in found.history] == ["sweep"] * 6 + ["step"] * 4
    medians, largest = zip(*((part.median, part.largest) for part in found.history), strict=True)
    assert sorted(medians, reverse=True) == list(medians)
    assert sorted(largest, reverse=True) == list(largest)
    assert found.relative_distances.median().item() == pytest.approx(medians[-1], rel=1e-6)
    assert found.relative_distances.max().item() == pytest.approx(largest[-1], rel=1e-6)
    assert not any(part.unconverged for part in found.history)


def test_each_sample_is_inverted_as_if_alone(selu):
    model, wanted = selu
    together = invert(model, wanted[:5], (60,), method="constrained", sweeps=4, refinements=2)
    alone = invert(model, wanted[3:4], (60,), method="constrained", sweeps=4, refinements=2)
    assert torch.allclose(alone.inputs[0], together.inputs[3], rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation(name):
    model = narrowing_network(ACTIVATIONS[name])
    wanted = model(draw(20, WIDTHS[0], seed=5))
    found = invert(model, wanted, (60,), method="constrained", sweeps=8)
    # The network itself gave these outputs, so that they can be reached.
    assert found.relative_distances.max() < 1e-8


@pytest.mark.parametrize("name", ["leaky_relu", "identity"])
def test_where_no_range_is_left_one_sweep_is_exact(name):
    model = narrowing_network(ACTIVATIONS[name])
    wanted = draw(5, 5, seed=5)
    found = invert(model, wanted, (60,), method="constrained")
    assert len(found.history) == 1
    assert found.relative_distances.max() < 1e-10


def test_an_input_too_large_for_the_dtype_is_not_taken():
    # Slopes of 0.001 and a pseudoinverse with a factor of 1e4: the shortest input is of order 1e10 or more.
    layers = [linear(planted(20, 30, [1.0] * 19 + [1e-4], 1)), nn.LeakyReLU(1e-3), linear(planted(8, 20, [1.0] * 8, 2))]
    model = nn.Sequential(*layers[:2], linear(planted(20, 20, [1.0] * 19 + [1e-3], 3)), nn.LeakyReLU(1e-3), layers[2])
    wanted = model(draw(10, 30, seed=4))
    exact = invert(model, wanted, (30,))
    assert exact.inputs.norm(dim=1).median() > 1e6
    assert exact.relative_distances.max() < 1e-4
    single = model.float()
    assert invert(single, wanted.float(), (30,)).relative_distances.median() > 0.01
    found = invert(single, wanted.float(), (30,), method="constrained")
    assert found.relative_distances.median() < 1e-5
    assert found.inputs.norm(dim=1).median() < 1e3


@pytest.mark.parametrize("widths", [(7, 6, 3), (3, 6, 7)])
def test_a_step_of_gauss_newton_against_autograd(widths):
    layers = [linear(draw(after, before, seed=after), draw(after)) for before, after in pairwise(widths)]
    model = nn.Sequential(layers[0], nn.Tanh(), layers[1], nn.Softplus())
    wanted = model(draw(2, widths[0], seed=3))
    found = invert(model, wanted, widths[:1], method="constrained", sweeps=0, refinements=1)
    zero = torch.zeros(widths[0], dtype=torch.float64)
    jacobian = torch.func.jacrev(model)(zero)
    damping = 0.01 * jacobian.square().sum() / min(jacobian.shape)
    expected = (
        (wanted - model(zero)) @ jacobian @ torch.linalg.inv(jacobian.T @ jacobian + damping * torch.eye(len(zero)))
    )
    nearer = (model(expected) - wanted).norm(dim=1) < (model(zero) - wanted).norm(dim=1)
    assert nearer.any()
    assert torch.allclose(found.inputs, torch.where(nearer.unsqueeze(1), expected, 0.0), atol=1e-12)


def test_steps_in_pieces_are_the_same_steps(selu, monkeypatch):
    model, wanted = selu
    settings = {"method": "constrained", "sweeps": 0, "refinements": 3}
    whole = invert(model, wanted[:7], (60,), **settings)
    monkeypatch.setattr(newton, "_PIECE", 2 * 8 * 5 * 60)
    assert torch.allclose(invert(model, wanted[:7], (60,), **settings).inputs, whole.inputs, rtol=1e-9)


def test_activations_first_last_and_twice_in_a_row():
    layers = [linear(draw(8, 10, seed=1) / 3), nn.Tanh(), nn.Softplus(), linear(draw(4, 8, seed=2) / 2), nn.Sigmoid()]
    model = nn.Sequential(nn.SELU(), *layers)
    wanted = model(draw(10, 10, seed=3))
    found = invert(model, wanted, (10,), method="constrained")
    assert [step.path for step in found.steps] == ["5", "4", "3", "2", "1", "0"]
    assert found.relative_distances.max() < 1e-8


def test_a_square_network_is_exact_here_too():
    model = nn.Sequential(linear(orthonormal(9, 9)), nn.SELU(), linear(orthonormal(9, 9, 1), draw(9)))
    inputs = draw(6, 9, seed=4)
    found = invert(model, model(inputs), (9,), method="constrained")
    assert relative_error(found.inputs, inputs) < 1e-6


def test_a_model_of_activations_alone():
    inputs = draw(3, 4)
    model = nn.Sequential(nn.Tanh(), nn.SELU())
    found = invert(model, model(inputs), (4,), method="constrained")
    assert torch.allclose(found.inputs, inputs, atol=1e-12)
    assert found.history == ()


def test_what_the_network_cannot_reach_is_a_distance_and_no_error():
    # Tall: four outputs from two inputs, and a last sigmoid that gives neither 0 nor 1.
    model = nn.Sequential(linear(planted(3, 6, [2, 1, 0.5], 1)), nn.Tanh(), linear(draw(4, 3, seed=6)), nn.Sigmoid())
    wanted = torch.tensor([[1.0, 0.0, 0.0, 0.0], [0.5, 0.5, 0.5, 0.5]], dtype=torch.float64)
    found = invert(model, wanted, (6,), method="constrained")
    outputs, last, _, _ = found.steps
    assert outputs.left_range.tolist() == [True, False]
    assert found.distances[0] > 0.05
    assert found.distances[1] < 1e-8
    assert last.unreachable[0] > 1e-3
    nearest = min((model(draw(20000, 6, seed=seed)) - wanted[0]).norm(dim=1).min().item() for seed in range(2))
    # As good as the best of 40,000 random inputs, up to what the recipe's distance before the sigmoid costs.
    assert found.distances[0] < 1.5 * nearest


def test_unreachable_range_of_a_bounded_hidden_layer():
    # |W tanh(.)| is at most 2: an output of 10 stays 8 away.
    model = nn.Sequential(linear(torch.eye(1).double()), nn.Tanh(), linear(torch.tensor([[2.0]]).double()))
    found = invert(model, torch.tensor([[10.0]], dtype=torch.float64), (1,), method="constrained", sweeps=30)
    assert found.distances.item() == pytest.approx(8, abs=1e-3)
    assert found.distances.item() >= 8


def test_a_zero_layer_and_a_wanted_output_of_zero():
    model = nn.Sequential(linear(orthonormal(3, 3)), nn.Sigmoid(), linear(torch.zeros(2, 3).double()))
    found = invert(model, torch.tensor([[0.0, 0.0], [1.0, 1.0]]).double(), (3,), method="constrained")
    assert found.distances.tolist() == pytest.approx([0, 2**0.5])
    assert found.linear_steps[0].unreachable.tolist() == [0, 1]
    assert torch.isfinite(found.inputs).all()


def test_float32_networks(selu):
    _, wanted = selu
    single = narrowing_network(nn.SELU()).float()
    found = invert(single, wanted.float(), (60,), method="constrained")
    assert found.inputs.dtype == torch.float32
    # The search is in float64, but its result is rounded: 1e-7 through five layers.
    assert found.relative_distances.median() < 1e-5
