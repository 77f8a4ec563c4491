"""Table 1 and Lemmas 1 to 3 of `generalizability`: its worked examples, its matrices, and where it is wrong."""

from itertools import product

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from paperlib.flattening import pooling_regions
from paperlib.generalizability.table_one import mismatches, skip_mismatches, worked_examples
from paperlib.layers import ConcatenatedSkip, SumPool
from paperlib.operators import FrozenNetwork, LinearOperator, dot_test, freeze

# Sums of at most some hundred terms in float64.
CLOSE = dict(rtol=1e-12, atol=1e-12)
PAPER = torch.tensor([[1.0, -5.0], [3.0, 2.0]], dtype=torch.float64)


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def frozen_at(module: nn.Module, image: Tensor) -> LinearOperator:
    return freeze(module.double().eval(), image.unsqueeze(0))[0]


def plane(rows: list[list[float]]) -> Tensor:
    return torch.tensor([rows], dtype=torch.float64)


@pytest.mark.parametrize(
    ("layer", "output", "adjoint_input", "adjoint_output"),
    [
        (SumPool(2), [[1.0]], [[1.0]], [[1.0, 1.0], [1.0, 1.0]]),
        (nn.MaxPool2d(2), [[3.0]], [[3.0]], [[0.0, 0.0], [3.0, 0.0]]),
        (nn.ReLU(), [[1.0, 0.0], [3.0, 2.0]], [[5.0, 6.0], [7.0, 8.0]], [[5.0, 0.0], [7.0, 8.0]]),
    ],
    ids=["sum pooling", "max pooling", "ReLU"],
)
def test_worked_examples_are_exact(layer, output, adjoint_input, adjoint_output):
    operator = frozen_at(layer, PAPER.unsqueeze(0))
    assert torch.equal(operator.matvec(PAPER.unsqueeze(0)), plane(output))
    assert torch.equal(operator.rmatvec(plane(adjoint_input)), plane(adjoint_output))


def test_library_states_the_worked_examples_of_the_paper():
    pooled, maximum, relu = worked_examples()
    assert (pooled.operation, maximum.operation, relu.operation) == ("sum pooling", "max pooling", "ReLU")
    assert all(torch.equal(example.input, PAPER) for example in (pooled, maximum, relu))
    assert pooled.output.tolist() == [[1.0]] and pooled.adjoint_output.tolist() == [[1.0, 1.0], [1.0, 1.0]]
    assert maximum.output.tolist() == [[3.0]] and maximum.adjoint_output.tolist() == [[0.0, 0.0], [3.0, 0.0]]
    assert relu.output.tolist() == [[1.0, 0.0], [3.0, 2.0]]
    kept = torch.tensor([[1.0, 0.0], [1.0, 1.0]], dtype=torch.float64)
    assert torch.equal(relu.adjoint_output, relu.adjoint_input * kept)


def test_library_states_mismatches_within_the_bounds():
    rows = mismatches(seed=0)
    assert {row.dimension for row in rows} == {1, 2, 3}
    bounds = {"float32": 1e-5, "float64": 1e-12}
    assert {row.dtype for row in rows} == set(bounds)
    assert [row for row in rows if not row.mismatch < bounds[row.dtype]] == []


def regions(coarse: tuple[int, ...]) -> list[list[int]]:
    """Row-major fine-grid indices of the fine voxels of each coarse voxel, in row-major order of the coarse grid.

    Definition 1 with the strides of the fine grid, which the paper prints with those of the coarse one.
    """
    fine = [2 * side for side in coarse]
    strides = [int(torch.tensor(fine[axis + 1 :]).prod()) if axis + 1 < len(fine) else 1 for axis in range(len(fine))]
    return [
        [
            sum((2 * place + step) * stride for place, step, stride in zip(voxel, offset, strides, strict=True))
            for offset in product(range(2), repeat=len(coarse))
        ]
        for voxel in product(*(range(side) for side in coarse))
    ]


def pooling_matrix(coarse: tuple[int, ...]) -> Tensor:
    rows = regions(coarse)
    matrix = torch.zeros(len(rows), 2 ** len(coarse) * len(rows), dtype=torch.float64)
    for row, region in enumerate(rows):
        matrix[row, region] = 1
    return matrix


GRIDS = [(3, 2), (2, 5), (1, 4), (2, 3, 2), (3, 1, 2), (2, 4, 3)]


@pytest.mark.parametrize("coarse", GRIDS, ids=str)
def test_sum_pooling_is_the_matrix_of_regions(coarse):
    """generalizability.prop.01 (Lemma 1), each channel by itself."""
    channels, fine = 3, tuple(2 * side for side in coarse)
    X, matrix = draw(channels, *fine), pooling_matrix(coarse)
    expected = (X.flatten(1) @ matrix.T).unflatten(1, coarse)
    torch.testing.assert_close(SumPool(2)(X.unsqueeze(0))[0], expected, **CLOSE)
    operator = frozen_at(SumPool(2), X)
    torch.testing.assert_close(operator.matvec(X), expected, **CLOSE)
    assert torch.equal(operator.dense(), torch.block_diag(*[matrix] * channels))


@pytest.mark.parametrize("coarse", GRIDS, ids=str)
def test_up_sampling_is_the_matrix_of_region_columns(coarse):
    """generalizability.prop.02 (Lemma 2)."""
    channels, matrix = 2, pooling_matrix(coarse).T
    Y = draw(channels, *coarse)
    expected = (Y.flatten(1) @ matrix.T).unflatten(1, tuple(2 * side for side in coarse))
    assert torch.equal(nn.Upsample(scale_factor=2)(Y.unsqueeze(0))[0], expected)
    operator = frozen_at(nn.Upsample(scale_factor=2), Y)
    assert torch.equal(operator.matvec(Y), expected)
    assert torch.equal(operator.dense(), torch.block_diag(*[matrix] * channels))


@pytest.mark.parametrize("coarse", GRIDS, ids=str)
def test_pooling_and_up_sampling_are_adjoint(coarse):
    """generalizability.prop.03 (Lemma 3), and what follows: pooling after up-sampling multiplies by the window."""
    fine, window = tuple(2 * side for side in coarse), 2 ** len(coarse)
    down = frozen_at(SumPool(2), draw(1, *fine))
    up = frozen_at(nn.Upsample(scale_factor=2), draw(1, *coarse))
    assert dot_test(down) < 1e-12 and dot_test(up) < 1e-12
    assert torch.equal(down.dense().T, up.dense())
    assert torch.equal(down.T.dense(), up.dense())
    assert torch.equal((down @ up).dense(), window * torch.eye(down.shape[0], dtype=torch.float64))
    projector = (up @ down).dense() / window
    assert torch.equal(projector, projector.T)
    torch.testing.assert_close(projector @ projector, projector, **CLOSE)


def paper_index(i: int, j: int, k: int, row: int, slice_: int) -> int:
    return j + row * i + slice_ * k


def test_printed_strides_do_not_tile_the_fine_grid():
    """Definition 1 flattens fine indices with the coarse strides: on 2 x 3 x 2 voxels 33 of 96 are covered."""
    m, n, d = coarse = (2, 3, 2)

    def flat(row: int, slice_: int) -> list[int]:
        return [
            paper_index(2 * i + a, 2 * j + b, 2 * k + c, row, slice_)
            for i, j, k in product(range(m), range(n), range(d))
            for a, b, c in product(range(2), repeat=3)
        ]

    printed, corrected = flat(n, m * n), flat(2 * n, 4 * m * n)
    assert len(printed) == 96
    assert len(set(printed)) == 33
    assert len(printed) - len(set(printed)) == 63
    assert sorted(corrected) == list(range(96))
    assert sorted(pooling_regions(coarse, corrected=False).flatten().tolist()) == sorted(printed)
    assert sorted(pooling_regions(coarse).flatten().tolist()) == list(range(96))


@pytest.mark.parametrize(("axes", "kernel"), [(1, 3), (1, 5), (2, 3), (2, 5), (3, 3), (2, 1)])
def test_adjoint_of_a_same_convolution_is_the_flipped_swapped_one(axes, kernel):
    """generalizability.prop.04: stride 1, zeros around, odd kernel."""
    conv, function = {1: (nn.Conv1d, F.conv1d), 2: (nn.Conv2d, F.conv2d), 3: (nn.Conv3d, F.conv3d)}[axes]
    sides = (7, 6, 5)[:axes]
    layer = conv(3, 4, kernel, padding="same", bias=False)
    operator = frozen_at(layer, draw(3, *sides))
    Z = draw(4, *sides, seed=1)
    flipped = layer.weight.detach().flip(*range(2, 2 + axes)).transpose(0, 1)
    torch.testing.assert_close(operator.rmatvec(Z), function(Z.unsqueeze(0), flipped, padding=kernel // 2)[0], **CLOSE)
    assert dot_test(operator) < 1e-12


@pytest.mark.parametrize("kernel", [2, 3, 5])
def test_adjoint_of_an_unpadded_convolution_needs_full_padding(kernel):
    """generalizability.prop.04: the flipped, swapped kernel with padding k - 1, and no smaller one, fits."""
    layer = nn.Conv2d(2, 3, kernel, bias=False)
    operator = frozen_at(layer, draw(2, 10, 11))
    Z = draw(*operator.range_shape, seed=1)
    flipped = layer.weight.detach().flip(2, 3).transpose(0, 1)
    torch.testing.assert_close(operator.rmatvec(Z), F.conv2d(Z[None], flipped, padding=kernel - 1)[0], **CLOSE)
    for smaller in range(kernel - 1):
        assert F.conv2d(Z[None], flipped, padding=smaller).shape[2:] != operator.domain_shape[1:]


def test_frozen_relu_is_a_symmetric_projector():
    """generalizability.prop.05, with a closed gate at exactly zero."""
    X = draw(2, 3, 4)
    X[0, 0, 0] = 0.0
    operator = frozen_at(nn.ReLU(), X)
    matrix = operator.dense()
    assert torch.equal(matrix, torch.diag((X.flatten() > 0).double()))
    assert torch.equal(matrix, matrix.T) and torch.equal(matrix @ matrix, matrix)
    assert torch.equal(operator.matvec(X), X.relu())
    assert operator.matvec(torch.ones_like(X))[0, 0, 0] == 0


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_adjoint_of_max_pooling_stuffs_zeros(axes):
    """generalizability.prop.06, also where a window holds its maximum several times."""
    pool = {1: nn.MaxPool1d, 2: nn.MaxPool2d, 3: nn.MaxPool3d}[axes](2)
    X = draw(2, *(4, 6, 2)[:axes])
    X[1] = 1.0
    operator = frozen_at(pool, X)
    assert dot_test(operator) < 1e-12
    assert torch.equal(operator.matvec(X), pool(X.unsqueeze(0))[0])
    matrix = operator.dense()
    assert torch.equal(matrix.sum(1), torch.ones(len(matrix), dtype=torch.float64))
    assert matrix.unique().tolist() == [0.0, 1.0]
    Z = draw(*operator.range_shape, seed=1)
    stuffed = operator.rmatvec(Z)
    assert torch.equal(stuffed[stuffed != 0].sort().values, Z.flatten().sort().values)


@pytest.mark.parametrize("size", [3, 6])
def test_adjoint_of_a_skip_needs_the_transpose(size):
    """generalizability.prop.07: the printed M y_a + y_b is no adjoint of [M; I] unless M is symmetric."""
    branch = nn.Linear(size, size, bias=False)
    operator = frozen_at(ConcatenatedSkip(branch), draw(size))
    M = branch.weight.detach()
    ya, yb = draw(2, size, seed=1)
    y = torch.cat([ya, yb])
    torch.testing.assert_close(operator.rmatvec(y), M.T @ ya + yb, **CLOSE)
    assert dot_test(operator) < 1e-12
    x = draw(size, seed=2)
    forward = torch.cat([M @ x, x]) @ y
    assert abs(forward - x @ (M.T @ ya + yb)) < 1e-12
    assert abs(forward - x @ (M @ ya + yb)) > 1e-2
    symmetric = (M + M.T) / 2
    assert abs(torch.cat([symmetric @ x, x]) @ y - x @ (symmetric @ ya + yb)) < 1e-12


def test_library_states_the_mismatch_of_the_printed_skip():
    printed, transposed = skip_mismatches(seed=0)
    assert transposed < 1e-12 < 1e-2 < printed


def test_a_skip_around_a_convolution_has_the_adjoint_of_its_branch():
    X = draw(2, 5, 6)
    branch = nn.Conv2d(2, 3, 3, padding=1, bias=False)
    skip, alone = frozen_at(ConcatenatedSkip(branch), X), frozen_at(branch, X)
    Z = draw(5, 5, 6, seed=1)
    torch.testing.assert_close(skip.rmatvec(Z), alone.rmatvec(Z[:3]) + Z[3:], **CLOSE)


def test_frozen_layers_compose_like_their_network():
    """generalizability, equations 3 and 4: A = A_L ... A_0, and the adjoints in the other order."""
    layers = [nn.Conv2d(1, 3, 3, padding=1, bias=False), nn.ReLU(), SumPool(2), nn.Flatten(), nn.Linear(18, 4)]
    image = draw(1, 4, 6)
    whole = frozen_at(nn.Sequential(*layers), image)
    product_of_layers, value = None, image.unsqueeze(0)
    for layer in layers:
        here: FrozenNetwork = freeze(layer, value)
        product_of_layers = here[0] if product_of_layers is None else here[0] @ product_of_layers
        value = here.outputs
    torch.testing.assert_close(product_of_layers.dense(), whole.dense(), **CLOSE)
    torch.testing.assert_close(product_of_layers.T.dense(), whole.T.dense(), **CLOSE)
