"""Four spaces of planted matrices: dimensions, orthogonality, completeness, pseudoinverse, projections, stability."""

import numpy as np
import pytest
import scipy.linalg
import torch
from subspaces_support import draw, planted, span
from torch import Tensor, nn

from paperlib.subspaces import (
    FourSpaces,
    energy,
    four_spaces,
    neuron_basis,
    project,
    rejected_energy,
    residual,
)

# Rows, columns and the singular values that are not zero.
PLANTED = {
    "wide": (5, 12, [4.0, 3.0, 2.0, 1.0, 0.5]),
    "wide deficient": (6, 15, [3.0, 1.0, 0.2]),
    "tall": (12, 5, [4.0, 3.0, 2.0, 1.0, 0.5]),
    "tall deficient": (15, 6, [3.0, 3.0, 0.2]),
    "square": (7, 7, [9.0, 5.0, 4.0, 3.0, 2.0, 1.0, 0.3]),
    "square deficient": (7, 7, [2.0, 1.0]),
    "rank 1": (8, 6, [5.0]),
    "rank 0": (4, 6, []),
    "one row": (1, 9, [2.0]),
    "one column": (9, 1, [2.0]),
    "one entry": (1, 1, [3.0]),
    "zero row": (1, 5, []),
    "zero column": (5, 1, []),
}
# In float64 what a backward stable decomposition of these sizes leaves; a float32 matrix is a planted one plus rounding
# of half a unit in 2^23 of its largest entry, so what was planted is met to some units of that.
TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-5}
EXACT = dict(rtol=0, atol=1e-12)


@pytest.fixture(params=PLANTED)
def plan(request) -> tuple[int, int, list[float]]:
    return PLANTED[request.param]


@pytest.fixture(params=[torch.float64, torch.float32], ids=["float64", "float32"])
def matrix(request, plan) -> Tensor:
    return planted(*plan)[0].to(request.param)


@pytest.fixture
def spaces(matrix) -> FourSpaces:
    return four_spaces(matrix)


def test_dimensions_and_singular_values_are_the_planted_ones(plan, matrix, spaces):
    m, n, values = plan
    r = len(values)
    assert spaces.rank == r and spaces.shape == (m, n)
    assert spaces.row_space.shape == (n, r) and spaces.null_space.shape == (n, n - r)
    assert spaces.column_space.shape == (m, r) and spaces.left_null_space.shape == (m, m - r)
    expected = torch.tensor(values + [0.0] * (min(m, n) - r), dtype=torch.float64)
    torch.testing.assert_close(spaces.singular_values, expected, rtol=0, atol=TOLERANCE[matrix.dtype])
    assert torch.equal(spaces.S, spaces.singular_values[:r])


def test_everything_is_float64(spaces):
    tensors = [spaces.U, spaces.S, spaces.Vh, spaces.singular_values, spaces.null_space, spaces.left_null_space]
    assert {tensor.dtype for tensor in tensors} == {torch.float64}


def test_triplets_give_the_matrix(matrix, spaces):
    rebuilt = (spaces.U * spaces.S) @ spaces.Vh
    # What lies below the rank tolerance is left out on purpose.
    left_out = spaces.tolerance * float(spaces.singular_values[0]) * min(matrix.shape)
    torch.testing.assert_close(rebuilt, matrix.double(), rtol=0, atol=1e-13 + left_out)


def test_bases_are_orthonormal(spaces):
    for basis in (spaces.row_space, spaces.null_space, spaces.column_space, spaces.left_null_space):
        identity = torch.eye(basis.shape[1], dtype=torch.float64)
        torch.testing.assert_close(basis.mT @ basis, identity, **EXACT)


def test_row_space_and_null_space_are_orthogonal_and_make_the_input_space(spaces):
    cross = spaces.row_space.mT @ spaces.null_space
    torch.testing.assert_close(cross, torch.zeros_like(cross), **EXACT)
    identity = torch.eye(spaces.shape[1], dtype=torch.float64)
    torch.testing.assert_close(span(spaces.row_space) + span(spaces.null_space), identity, **EXACT)


def test_the_left_null_space_is_orthogonal_to_the_column_space(matrix, spaces):
    """No output that can be reached has a part in it: ``N(W^T)`` is not the column space under another name."""
    cross = spaces.column_space.mT @ spaces.left_null_space
    torch.testing.assert_close(cross, torch.zeros_like(cross), **EXACT)
    identity = torch.eye(spaces.shape[0], dtype=torch.float64)
    torch.testing.assert_close(span(spaces.column_space) + span(spaces.left_null_space), identity, **EXACT)
    outputs = draw(20, matrix.shape[1]) @ matrix.double().mT
    reached = outputs @ spaces.left_null_space
    bound = spaces.tolerance * float(spaces.singular_values[0]) * 10 + 1e-12
    assert reached.numel() == 0 or reached.abs().max() < bound


def test_subspaces_are_those_of_scipy(matrix, spaces):
    array, cut = matrix.double().numpy(), spaces.tolerance
    reference = {
        "row_space": scipy.linalg.orth(array.T, rcond=cut),
        "column_space": scipy.linalg.orth(array, rcond=cut),
        "null_space": scipy.linalg.null_space(array, rcond=cut),
        "left_null_space": scipy.linalg.null_space(array.T, rcond=cut),
    }
    for name, basis in reference.items():
        found = getattr(spaces, name)
        assert found.shape == basis.shape, name
        # A basis is free up to a rotation, its projector is not; the planted gaps of at least 0.2 keep it stable.
        torch.testing.assert_close(span(found), torch.from_numpy(basis @ basis.T), **EXACT)


def test_null_spaces_have_no_effect(matrix, spaces):
    W = matrix.double()
    # Columns of the null space meet only singular values below the tolerance.
    bound = spaces.tolerance * float(spaces.singular_values[0]) + 1e-13
    assert torch.linalg.vector_norm(W @ spaces.null_space, dim=0).le(bound).all()
    assert torch.linalg.vector_norm(W.mT @ spaces.left_null_space, dim=0).le(bound).all()


def test_adding_any_vector_of_the_null_space_changes_no_output(matrix, spaces):
    W, x = matrix.double(), draw(8, matrix.shape[1])
    added = draw(8, spaces.null_space.shape[1], seed=1) @ spaces.null_space.mT
    bound = spaces.tolerance * float(spaces.singular_values[0]) * 10 + 1e-12
    torch.testing.assert_close((x + added) @ W.mT, x @ W.mT, rtol=0, atol=bound)
    torch.testing.assert_close(project(spaces.row_space, x) @ W.mT, x @ W.mT, rtol=0, atol=bound)


def test_output_is_the_weighed_sum_of_the_output_directions(matrix, spaces):
    x = draw(matrix.shape[1])
    y = torch.zeros(matrix.shape[0], dtype=torch.float64)
    for i in range(spaces.rank):
        y += spaces.S[i] * (spaces.Vh[i] @ x) * spaces.U[:, i]
    bound = spaces.tolerance * float(spaces.singular_values[0]) * 10 + 1e-12
    torch.testing.assert_close(y, matrix.double() @ x, rtol=0, atol=bound)


def inverse_matrix(spaces: FourSpaces) -> Tensor:
    """``W^+`` ``(n, m)`` from its products with the unit vectors."""
    return spaces.pseudoinverse(torch.eye(spaces.shape[0], dtype=torch.float64)).mT


def test_pseudoinverse_is_that_of_numpy(matrix, spaces):
    expected = np.linalg.pinv(matrix.double().numpy(), rcond=spaces.tolerance)
    torch.testing.assert_close(inverse_matrix(spaces), torch.from_numpy(expected), **EXACT)


def test_pseudoinverse_has_the_four_properties_of_moore_and_penrose(plan):
    A = planted(*plan)[0]
    spaces = four_spaces(A)
    inverse = inverse_matrix(spaces)
    torch.testing.assert_close(A @ inverse @ A, A, **EXACT)
    torch.testing.assert_close(inverse @ A @ inverse, inverse, **EXACT)
    torch.testing.assert_close(inverse @ A, span(spaces.row_space), **EXACT)
    torch.testing.assert_close(A @ inverse, span(spaces.column_space), **EXACT)
    torch.testing.assert_close((inverse @ A).mT, inverse @ A, **EXACT)
    torch.testing.assert_close((A @ inverse).mT, A @ inverse, **EXACT)


def test_pseudoinverse_gives_back_the_signal_component():
    """vectorspaces.claim.20: exact for outputs in the column space, the shortest input of all."""
    W, _, _ = planted(6, 15, [3.0, 1.0, 0.2])
    spaces, x = four_spaces(W), draw(4, 5, 15)
    found = spaces.pseudoinverse(x @ W.mT)
    assert found.shape == (4, 5, 15)
    torch.testing.assert_close(found, project(spaces.row_space, x), **EXACT)
    torch.testing.assert_close(found @ W.mT, x @ W.mT, **EXACT)
    assert (energy(found) < energy(x)).all()
    single = spaces.pseudoinverse((x @ W.mT).float())
    # Rounding of the outputs to float32, raised by at most 1 / 0.2.
    torch.testing.assert_close(single, found, rtol=0, atol=1e-5)


def test_pseudoinverse_of_an_output_out_of_reach_is_the_nearest():
    W, _, _ = planted(9, 4, [3.0, 2.0, 1.0, 0.5])
    spaces, y = four_spaces(W), draw(9)
    found = spaces.pseudoinverse(y)
    reference = scipy.linalg.lstsq(W.numpy(), y.numpy())[0]
    torch.testing.assert_close(found, torch.from_numpy(reference), **EXACT)
    torch.testing.assert_close(W @ found - y, -residual(spaces.column_space, y), **EXACT)


def test_signal_and_residual_add_up_and_so_do_their_energies(spaces):
    """vectorspaces.claim.21 and prop.04, to some units of float64 rounding."""
    x = draw(3, 7, spaces.shape[1])
    signal, left = project(spaces.row_space, x), residual(spaces.row_space, x)
    torch.testing.assert_close(signal + left, x, rtol=1e-14, atol=1e-14)
    torch.testing.assert_close(energy(signal) + energy(left), energy(x), rtol=1e-12, atol=0)
    torch.testing.assert_close(left, project(spaces.null_space, x), **EXACT)
    torch.testing.assert_close(project(spaces.row_space, signal), signal, **EXACT)
    torch.testing.assert_close(project(spaces.row_space, left), torch.zeros_like(left), **EXACT)


def test_energy_is_the_squared_norm_in_float64():
    x = torch.tensor([[3.0, 4.0], [1e-25, 0.0]])
    found = energy(x)
    assert found.dtype == torch.float64
    # 1e-50 is below the smallest float32.
    torch.testing.assert_close(found, torch.tensor([25.0, 1e-50], dtype=torch.float64), rtol=1e-6, atol=0)


def test_rejected_energy_is_one_less_the_projection_ratio():
    W, _, _ = planted(6, 15, [3.0, 1.0, 0.2])
    spaces, x = four_spaces(W), draw(4, 5, 15)
    found = rejected_energy(spaces.row_space, x)
    assert found.shape == (4, 5)
    ratio = energy(project(spaces.row_space, x)) / energy(x)
    torch.testing.assert_close(found, 1 - ratio, **EXACT)
    torch.testing.assert_close(rejected_energy(spaces.null_space, x), ratio, **EXACT)
    assert found[2, 3] == rejected_energy(spaces.row_space, x[2, 3])


def test_rejected_energy_of_planted_vectors():
    spaces = four_spaces(torch.tensor([[1.0, 0.0, 0.0], [0.0, 2.0, 0.0]]))
    x = torch.tensor([[3.0, 4.0, 0.0], [0.0, 0.0, 5.0], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0]])
    expected = torch.tensor([0.0, 1.0, 1 / 3, 0.0], dtype=torch.float64)
    torch.testing.assert_close(rejected_energy(spaces.row_space, x), expected, rtol=0, atol=1e-15)
    nothing = four_spaces(torch.zeros(2, 3)).row_space
    assert rejected_energy(nothing, x).tolist() == [1.0, 1.0, 1.0, 0.0]


def test_residual_on_one_neuron_is_equation_4():
    w, x = draw(12), draw(5, 12, seed=1)
    basis = neuron_basis(w)
    expected = x - ((x @ w) / (w @ w)).unsqueeze(1) * w
    assert basis.shape == (12, 1)
    torch.testing.assert_close(residual(basis, x), expected, **EXACT)
    torch.testing.assert_close(project(basis, x), x - expected, **EXACT)
    torch.testing.assert_close(residual(basis, x) @ w, torch.zeros(5, dtype=torch.float64), **EXACT)
    share = energy(expected) / energy(x)
    torch.testing.assert_close(rejected_energy(basis, x), share, **EXACT)
    # Neither the length of the weights nor their sign matters, nor the shape of an image.
    torch.testing.assert_close(span(neuron_basis(-3e-6 * w.reshape(3, 4))), span(basis), **EXACT)


def test_a_neuron_without_weights_sees_nothing():
    basis, x = neuron_basis(torch.zeros(6)), draw(3, 6)
    assert basis.shape == (6, 0)
    assert torch.equal(project(basis, x), torch.zeros_like(x))
    assert torch.equal(residual(basis, x), x)
    assert rejected_energy(basis, x).tolist() == [1.0, 1.0, 1.0]


def test_residual_on_the_row_space_is_smaller_than_on_one_row():
    """A single weight row sees one direction, the layer all of its row space: what one row misses is not lost."""
    W = draw(10, 40)
    spaces, x = four_spaces(W), draw(25, 40, seed=1)
    whole = energy(residual(spaces.row_space, x))
    for row in W:
        assert (whole < energy(residual(neuron_basis(row), x))).all()
    seen = draw(5, 10, seed=2) @ W
    assert rejected_energy(spaces.row_space, seen).max() < 1e-25
    assert min(rejected_energy(neuron_basis(row), seen).min() for row in W) > 0.1
    # With one row only, the two are the same.
    torch.testing.assert_close(
        residual(four_spaces(W[:1]).row_space, x), residual(neuron_basis(W[0]), x), rtol=0, atol=1e-15
    )


def test_condition_number_is_that_of_the_planted_values(plan, matrix, spaces):
    values = plan[2]
    if not values:
        assert np.isnan(spaces.condition_number)
        return
    assert isinstance(spaces.condition_number, float)
    assert spaces.condition_number == pytest.approx(values[0] / values[-1], rel=TOLERANCE[matrix.dtype])


def test_condition_number_leaves_out_what_the_tolerance_cuts():
    matrix, _, _ = planted(6, 9, [4.0, 2.0, 1e-3])
    values = np.linalg.svd(matrix.numpy(), compute_uv=False)
    assert four_spaces(matrix).condition_number == pytest.approx(values[0] / values[2], rel=1e-10)
    assert four_spaces(matrix).condition_number == pytest.approx(4e3, rel=1e-10)
    assert four_spaces(matrix, tolerance=1e-2).condition_number == pytest.approx(2.0, rel=1e-12)


def test_default_tolerance_is_what_rounding_to_the_matrix_dtype_makes():
    matrix, _, _ = planted(5, 8, [1.0, 1e-3, 1e-9])
    exact, rounded = four_spaces(matrix), four_spaces(matrix.float())
    # 1e-9 is far below the rounding of float32 and far above that of float64.
    assert (exact.rank, rounded.rank) == (3, 2)
    assert exact.tolerance == 8 * np.finfo(np.float64).eps
    assert rounded.tolerance == 8 * np.finfo(np.float32).eps
    assert rounded.rank == np.linalg.matrix_rank(matrix.float().numpy())
    # The rest is noise of rounding, not the planted value: to take float64's tolerance would count it in.
    assert four_spaces(matrix.float(), exact.tolerance).rank == 5


def test_explicit_tolerance_is_relative_and_strict():
    matrix = 1000 * torch.diag(torch.tensor([1.0, 0.5, 0.25, 0.0]))
    ranks = {tolerance: four_spaces(matrix, tolerance).rank for tolerance in (0.0, 0.1, 0.25, 0.3, 0.5, 0.9)}
    assert ranks == {0.0: 3, 0.1: 3, 0.25: 2, 0.3: 2, 0.5: 1, 0.9: 1}
    assert four_spaces(matrix, 0.3).tolerance == 0.3
    assert four_spaces(matrix, 0.3).null_space.shape == (4, 2)
    assert four_spaces(matrix, 0.3).singular_values.tolist() == [1000.0, 500.0, 250.0, 0.0]


def test_largest_entry_of_each_signal_vector_is_positive():
    matrix = draw(6, 11)
    found, opposite = four_spaces(matrix), four_spaces(-matrix)
    assert (found.Vh.gather(1, found.Vh.abs().argmax(1, keepdim=True)) > 0).all()
    torch.testing.assert_close(opposite.Vh, found.Vh, **EXACT)
    torch.testing.assert_close(opposite.U, -found.U, **EXACT)


def test_whole_numbers_and_weights_that_are_trained_are_accepted():
    assert four_spaces(torch.tensor([[1, 2], [2, 4]])).rank == 1
    weight = nn.Linear(4, 2).weight
    spaces = four_spaces(weight)
    assert not spaces.U.requires_grad and not spaces.S.requires_grad and not spaces.Vh.requires_grad
    assert weight.dtype == torch.float32


@pytest.mark.parametrize(
    ("matrix", "shape"),
    [
        (torch.zeros(0, 3), r"\(0, 3\)"),
        (torch.zeros(3, 0), r"\(3, 0\)"),
        (torch.zeros(3), r"\(3,\)"),
        (torch.zeros(2, 3, 4), r"\(2, 3, 4\)"),
        (torch.tensor(1.0), r"\(\)"),
    ],
    ids=["no rows", "no columns", "vector", "three axes", "number"],
)
def test_anything_but_a_matrix_is_refused_by_its_shape(matrix, shape):
    with pytest.raises(ValueError, match=f"expected a matrix with rows and columns, got a tensor of shape {shape}"):
        four_spaces(matrix)


def test_entries_that_are_not_finite_are_counted():
    matrix = torch.zeros(4, 5)
    matrix[0, 1], matrix[2, 3], matrix[3, 3] = float("nan"), float("inf"), -float("inf")
    with pytest.raises(ValueError, match="3 of the 20 entries of the matrix are NaN or infinite"):
        four_spaces(matrix)


@pytest.mark.parametrize("tolerance", [-1e-9, 1.0, 2.5, float("nan")])
def test_tolerance_out_of_range_is_refused(tolerance):
    with pytest.raises(ValueError, match=rf"tolerance is {tolerance}; expected a number in \[0, 1\)"):
        four_spaces(torch.eye(3), tolerance)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_has_a_default_tolerance(dtype):
    matrix = torch.randn(10, 2000, generator=torch.Generator().manual_seed(0)).to(dtype)
    assert four_spaces(matrix).rank == 10


def test_rejected_energy_stays_within_its_range():
    worst = 0.0
    for seed in range(500):
        generator = torch.Generator().manual_seed(seed)
        full = torch.linalg.qr(torch.randn(20, 20, generator=generator, dtype=torch.float64)).Q
        x = full[:, 5:] @ torch.randn(15, generator=generator, dtype=torch.float64)
        worst = max(worst, rejected_energy(full[:, :5], x).item())
    assert worst <= 1
