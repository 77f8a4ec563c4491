"""Networks whose inverse is known: exact ones, wide and tall layers, and layers of low rank."""

import copy

import pytest
import torch
from inverse_support import ACTIVATIONS, draw, linear, orthonormal, planted, relative_error
from torch import nn

from paperlib.inverse import OutOfRangeError, invert

# Outputs of a float32 network carry errors of 1e-7, seen through the slopes of activations and condition numbers.
TOLERANCES = {torch.float32: 1e-4, torch.float64: 1e-10}


def square_network(side, depth, activation, bias, well_conditioned, seed=0):
    """Square layers, orthogonal or with a condition number of 4, with an activation after each."""
    layers = []
    for number in range(depth):
        values = torch.linspace(1.0, 0.25, side).tolist() if well_conditioned else [1.0] * side
        matrix = planted(side, side, values, seed=seed + number)
        shift = 0.3 * draw(side, seed=50 + number) if bias else None
        layers += [linear(matrix, shift), copy.deepcopy(activation)]
    return nn.Sequential(*layers)


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("well_conditioned", [False, True])
@pytest.mark.parametrize(("side", "depth"), [(1, 1), (7, 2), (30, 3)])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_square_network_returns_its_input(name, side, depth, well_conditioned, bias, dtype):
    model = square_network(side, depth, ACTIVATIONS[name], bias, well_conditioned).to(dtype)
    inputs = 0.5 * draw(5, side, seed=9).to(dtype)
    found = invert(model, model(inputs), (side,))
    assert found.inputs.dtype == dtype
    assert [step.kind for step in found.linear_steps] == ["exact"] * depth
    assert relative_error(found.inputs, inputs) < TOLERANCES[dtype]
    assert found.relative_distances.max() < TOLERANCES[dtype]


@pytest.mark.parametrize("dtype", TOLERANCES)
def test_a_deep_square_selu_network_returns_its_input(dtype):
    model = square_network(64, 6, nn.SELU(), True, False).to(dtype)
    inputs = draw(20, 64, seed=9).to(dtype)
    assert relative_error(invert(model, model(inputs), (64,)).inputs, inputs) < TOLERANCES[dtype]


@pytest.mark.parametrize("dtype", TOLERANCES)
def test_convolutions_nested_and_reshaped(dtype):
    first, second = nn.Conv2d(2, 2, 3, padding="same"), nn.Conv2d(2, 2, 1)
    with torch.no_grad():
        # Near the identity, so that the matrices are well-conditioned.
        for layer, share in ((first, 0.2), (second, 0.3)):
            layer.weight.copy_(nn.init.dirac_(torch.empty_like(layer.weight)) + share * layer.weight)
    body = nn.Sequential(first, nn.SELU(), nn.Sequential(second, nn.Tanh(), nn.Dropout(0.5)))
    model = nn.Sequential(nn.Unflatten(1, (2, 4, 5)), body, nn.Identity(), nn.Flatten(), linear(orthonormal(40, 40)))
    model = model.to(dtype).eval()
    inputs = draw(6, 40, seed=4).to(dtype)
    found = invert(model, model(inputs), (40,))
    assert [step.path for step in found.steps] == ["4", "1.2.1", "1.2.0", "1.1", "1.0"]
    assert [step.kind for step in found.linear_steps] == ["exact"] * 3
    assert relative_error(found.inputs, inputs) < TOLERANCES[dtype]


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Conv1d(3, 3, 3, padding=1), (3, 7)),
        (nn.Conv1d(4, 4, 1, groups=2), (4, 3)),
        (nn.Conv2d(1, 4, 2, stride=2), (1, 4, 6)),
        (nn.Conv2d(2, 2, 3, padding=1, padding_mode="circular"), (2, 5, 4)),
        (nn.Conv3d(1, 1, 3, padding=1), (1, 3, 4, 3)),
        (nn.Linear(6, 6), (2, 3, 6)),
    ],
)
def test_square_maps_of_other_layers(layer, shape):
    model = nn.Sequential(layer, nn.LeakyReLU(0.2)).double()
    inputs = draw(3, *shape, seed=8)
    found = invert(model, model(inputs), shape)
    assert found.inputs.shape == inputs.shape
    assert found.linear_steps[0].kind == "exact"
    # A random layer's condition number times the rounding of float64.
    assert relative_error(found.inputs, inputs) < 1e-14 * found.linear_steps[0].condition_number * 10


def test_the_matrix_of_a_convolution_is_that_of_autograd():
    layer = nn.Conv2d(2, 3, 3, stride=2, padding=1).double()
    jacobian = torch.func.jacrev(lambda x: layer(x.reshape(1, 2, 5, 5)).flatten())(torch.zeros(50).double())
    y = draw(4, 3, 3, 3, seed=2)
    found = invert(nn.Sequential(layer), y, (2, 5, 5))
    bias = layer(torch.zeros(1, 2, 5, 5).double()).flatten()
    expected = (y.flatten(1) - bias) @ torch.linalg.pinv(jacobian).T
    assert torch.allclose(found.inputs.flatten(1), expected, atol=1e-12)
    assert found.linear_steps[0].shape == (27, 50)


def test_activations_that_work_in_place_leave_everything_as_it_is():
    model = nn.Sequential(nn.SELU(inplace=True), linear(orthonormal(5, 5)), nn.SELU(inplace=True))
    inputs = draw(4, 5, seed=1)
    outputs = model(inputs.clone())
    wanted = outputs.clone()
    for method in ("pseudoinverse", "constrained"):
        found = invert(model, outputs, (5,), method=method)
        assert torch.equal(outputs, wanted)
        assert torch.allclose(model(found.inputs.clone()), wanted, atol=1e-8)
    assert model[0].inplace


def test_one_activation_object_may_stand_in_two_places():
    shared = nn.Tanh()
    model = nn.Sequential(shared, linear(orthonormal(4, 4)), shared)
    inputs = draw(3, 4, seed=2)
    assert relative_error(invert(model, model(inputs), (4,)).inputs, inputs) < 1e-10


def test_wide_layers_give_the_shortest_input_that_reaches_the_output():
    # Leaky ReLU has all numbers for its range, and every layer has full row rank: nothing can go wrong.
    matrices = [
        planted(20, 40, [2 - 0.05 * i for i in range(20)], 1),
        planted(8, 20, [1 + 0.1 * i for i in range(8)], 2),
    ]
    model = nn.Sequential(linear(matrices[0], draw(20)), nn.LeakyReLU(0.1), linear(matrices[1]), nn.LeakyReLU(0.3))
    wanted = draw(10, 8, seed=5)
    found = invert(model, wanted, (40,))
    assert [step.kind for step in found.linear_steps] == ["pseudoinverse"] * 2
    assert relative_error(found.reached, wanted) < 1e-8
    assert found.relative_distances.max() < 1e-8
    assert [float(step.unreachable.max()) for step in found.linear_steps] == pytest.approx([0, 0], abs=1e-25)
    by_hand = nn.functional.leaky_relu(wanted, 1 / 0.3) @ torch.linalg.pinv(matrices[1]).T
    by_hand = (nn.functional.leaky_relu(by_hand, 10) - draw(20)) @ torch.linalg.pinv(matrices[0]).T
    assert torch.allclose(found.inputs, by_hand, atol=1e-10)


def test_tall_layers_say_what_no_input_can_reach():
    matrix, bias = planted(12, 5, [3, 2, 1, 0.7, 0.5], 3), draw(12, seed=7)
    wanted = draw(6, 12, seed=8)
    found = invert(linear(matrix, bias), wanted, (5,))
    (step,) = found.steps
    left = torch.linalg.svd(matrix).U[:, 5:]
    share = ((wanted - bias) @ left).square().sum(1) / (wanted - bias).square().sum(1)
    assert torch.allclose(step.unreachable, share, atol=1e-12)
    # The distance is that part alone.
    assert torch.allclose(found.distances, ((wanted - bias) @ left).norm(dim=1), atol=1e-12)
    assert (step.path, step.kind, step.shape, step.rank) == ("", "pseudoinverse", (12, 5), 5)
    assert step.condition_number == pytest.approx(6)


@pytest.mark.parametrize(
    ("matrix", "rank", "exact"),
    [
        (planted(6, 6, [2, 1, 0.5], 4), 3, False),
        (torch.zeros(4, 4, dtype=torch.float64), 0, False),
        (planted(1, 6, [2], 5), 1, False),
        (planted(6, 1, [2], 6), 1, False),
        (torch.tensor([[-3.0]], dtype=torch.float64), 1, True),
    ],
)
@pytest.mark.parametrize("dtype", TOLERANCES)
def test_ranks_and_shapes_at_the_edge(matrix, rank, exact, dtype):
    # A matrix of low rank that is rounded to float32 has a rank of float32: its own dtype sets the tolerance.
    layer = linear(matrix.to(dtype))
    wanted = draw(3, len(matrix), seed=1).to(dtype)
    found = invert(nn.Sequential(layer), wanted, (matrix.shape[1],))
    (step,) = found.steps
    assert step.rank == rank
    assert step.kind == ("exact" if exact else "pseudoinverse")
    assert relative_error(found.inputs + 1, wanted.double() @ torch.linalg.pinv(matrix).T + 1) < 1e-5
    reachable = torch.linalg.svd(matrix).U[:, :rank]
    missed = wanted.double() - wanted.double() @ reachable @ reachable.T
    assert torch.allclose(found.distances, missed.norm(dim=1), atol=1e-5)
    assert step.unreachable.min() >= 0


def test_the_rank_tolerance_is_the_callers():
    matrix = planted(4, 4, [1, 0.5, 0.1, 1e-4])
    wanted = draw(2, 4)
    assert invert(linear(matrix), wanted, (4,)).steps[0].kind == "exact"
    cut = invert(linear(matrix), wanted, (4,), tolerance=1e-3)
    assert (cut.steps[0].kind, cut.steps[0].rank) == ("pseudoinverse", 3)


def test_clipping_marks_the_samples_that_left_the_range():
    model = nn.Sequential(linear(torch.eye(3, dtype=torch.float64)), nn.SELU(), linear(2 * torch.eye(3).double()))
    wanted = torch.tensor([[1.0, -1.0, 0.5], [1.0, -8.0, -5.0]], dtype=torch.float64)
    with pytest.raises(OutOfRangeError, match=r"SELU at '1': 2 of 6 entries .*smallest -4"):
        invert(model, wanted, (3,))
    found = invert(model, wanted, (3,), clip=1e-6)
    (activation,) = found.activation_steps
    assert activation.left_range.tolist() == [False, True]
    assert activation.share == 0.5
    low = -1.7580993408473766
    assert found.distances.tolist() == pytest.approx([0, ((8 + 2 * low) ** 2 + (5 + 2 * low) ** 2) ** 0.5], abs=1e-5)


def test_a_wanted_output_of_zero_has_a_relative_distance():
    matrix = torch.tensor([[1.0], [1.0]], dtype=torch.float64)
    found = invert(linear(matrix, torch.tensor([0.0, 2.0])), torch.zeros(1, 2), (1,))
    assert found.relative_distances.tolist() == [float("inf")]
    assert invert(linear(matrix), torch.zeros(1, 2), (1,)).relative_distances.tolist() == [0]


def test_a_saturated_float32_output_is_out_of_range():
    model = nn.Sequential(linear(torch.eye(2)), nn.Tanh())
    with pytest.raises(OutOfRangeError, match=r"Tanh at '1': 1 of 2 entries are outside .* torch.float32"):
        invert(model, model(torch.tensor([[20.0, 0.1]])), (2,))
