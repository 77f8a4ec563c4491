"""Planted blocks of adjacency matrices: exact ones, under noise, with gaps, and none at all."""

import pytest
import torch

from paperlib.svr import Adjacency
from paperlib.svr.pruning.blocks import diagonal_blocks


def haar(n: int, generator: torch.Generator) -> torch.Tensor:
    Q, R = torch.linalg.qr(torch.randn(n, n, dtype=torch.float64, generator=generator))
    return Q * R.diagonal().sign()


def planted(sizes: tuple[int, ...], generator: torch.Generator, noise: float = 0.0) -> Adjacency:
    """Orthogonal blocks of these sizes, turned by a random rotation as in `svr`, Section B.1."""
    n = sum(sizes)
    A = torch.randn(n, n, dtype=torch.float64, generator=generator)
    blocks = torch.block_diag(*[haar(size, generator) for size in sizes])
    return Adjacency((blocks @ torch.linalg.matrix_exp(noise * (A - A.T))).square(), n, 1)


def values(n: int) -> torch.Tensor:
    return torch.linspace(2, 1, n, dtype=torch.float64)


def find(found: Adjacency, **settings):
    rows, columns = found.coefficients.shape
    return diagonal_blocks(found, values(rows), values(columns), **settings)


def sizes(structure) -> list[tuple[int, int]]:
    return [(len(rows), len(columns)) for rows, columns in zip(structure.rows, structure.columns, strict=True)]


@pytest.mark.parametrize("noise", [0.0, 0.01, 0.03])
@pytest.mark.parametrize("blocks", [(30, 70), (60, 20, 20), (34, 33, 33), (50, 2, 48), (1, 99), (10, 90), (25,) * 4])
def test_planted_blocks_are_found_exactly(blocks, noise):
    found = find(planted(blocks, torch.Generator().manual_seed(sum(blocks[:1])), noise), leakage=0.25)
    assert sizes(found) == [(size, size) for size in blocks]
    assert len(found) == len(blocks) and len(found.borders) == len(blocks) - 1
    # The first order of the rotation puts 4 noise^2 on an entry outside, where chance has 1 / 100.
    for border in found.borders:
        assert border.leakage <= 0.01 + 3 * noise**2 * 100
        assert border.p_value == pytest.approx(1 / 101)
        assert border.chance > 0.5
    assert found.off_block <= found.off_block_chance * (0.01 + 3 * noise**2 * 100)


def test_off_block_energy_is_counted_over_all_blocks():
    matrix = planted((4, 3, 5), torch.Generator().manual_seed(0), 0.05)
    found = find(matrix, leakage=1.0, p=0.2, draws=50)
    inside = sum(
        matrix.coefficients[rows.start : rows.stop, columns.start : columns.stop].sum()
        for rows, columns in zip(found.rows, found.columns, strict=True)
    )
    assert found.off_block == pytest.approx(1 - inside.item() / 12, abs=1e-12)
    area = sum(len(rows) * len(columns) for rows, columns in zip(found.rows, found.columns, strict=True))
    assert found.off_block_chance == pytest.approx(1 - area / 144, abs=1e-12)


def test_neurons_without_a_counterpart_are_no_blocks():
    """Four neurons that write what no one reads, and five that read what no one writes."""
    generator = torch.Generator().manual_seed(8)
    coefficients = torch.zeros(12, 11, dtype=torch.float64)
    coefficients[:7, :7] = haar(7, generator).square()
    found = find(Adjacency(coefficients, 16, 1))
    assert sizes(found) == [(12, 11)] and len(found.refused) == 1
    single = torch.zeros(3, 4, dtype=torch.float64)
    single[0, 0] = 1
    assert find(Adjacency(single, 16, 1)).refused == () and len(find(Adjacency(0 * single, 16, 1))) == 1


@pytest.mark.parametrize("n", [2, 5, 40, 100])
def test_random_matrices_have_no_blocks(n):
    generator = torch.Generator().manual_seed(n)
    for _ in range(20):
        found = find(Adjacency(haar(n, generator).square(), n, 1))
        assert len(found) == 1 and found.borders == () and found.off_block == 0
        assert found.rows == (range(n),) and found.columns == (range(n),)
        assert len(found.refused) == 1


def test_the_baseline_is_the_best_border_of_random_orthogonal_matrices():
    generator = torch.Generator().manual_seed(9)
    drawn = [find(Adjacency(haar(20, generator).square(), 20, 1), draws=99) for _ in range(60)]
    refused = [one.refused[0] for one in drawn]
    leakages = torch.tensor([border.leakage for border in refused])
    # Both are medians of the same law, whose standard deviation is about 0.05.
    assert leakages.median().item() == pytest.approx(refused[0].chance, abs=0.04)
    p_values = torch.tensor([border.p_value for border in refused])
    # Uniform on (0, 1): four standard errors of the mean of 60.
    assert p_values.mean().item() == pytest.approx(0.5, abs=0.15)


def test_rectangular_matrices_and_kernels_have_blocks_too():
    """A later layer that reads 12 of 30 channels, of which the first 5 are those that 8 neurons write."""
    generator = torch.Generator().manual_seed(3)
    U = torch.block_diag(haar(10, generator)[:, :8], haar(20, generator)[:, :14])
    V = torch.block_diag(haar(10, generator)[:, :5], haar(20, generator)[:, :7])
    found = find(Adjacency((V.T @ U).square(), 30, 1))
    assert sizes(found) == [(5, 8), (7, 14)]


def test_a_kernel_of_several_entries_counts_as_degrees():
    """Fully connected behind a map of four places: random matrices are smoother, their best borders leak more."""
    generator = torch.Generator().manual_seed(4)
    V = torch.linalg.qr(torch.randn(80, 20, dtype=torch.float64, generator=generator)).Q.reshape(20, 4, 20)
    U = haar(20, generator)
    smooth = Adjacency(torch.einsum("czn,cm->nmz", V, U).square().sum(2), 20, 4)
    found = find(smooth)
    assert len(found) == 1 and 0.01 < found.refused[0].p_value
    assert found.refused[0].chance > find(Adjacency(U.square(), 20, 1)).refused[0].chance


def test_of_equally_good_borders_the_one_at_the_gap_is_taken():
    """A row without energy, one neuron that reads what no one writes, fits either block: its own value decides."""
    generator = torch.Generator().manual_seed(5)
    coefficients = torch.block_diag(haar(6, generator).square(), haar(7, generator).square())
    coefficients = torch.cat([coefficients[:6], torch.zeros(1, 13), coefficients[6:]])
    found = Adjacency(coefficients, 14, 1)
    earlier = torch.tensor([1.0] * 6 + [1e-4] * 7, dtype=torch.float64)
    for own, expected in ((1.0, [(7, 6), (7, 7)]), (1e-3, [(6, 6), (8, 7)])):
        later = torch.tensor([1.0] * 6 + [own] + [1e-3] * 7, dtype=torch.float64)
        structure = diagonal_blocks(found, later, earlier)
        assert sizes(structure) == expected
        assert structure.borders[0].later_gap == pytest.approx(1e3)
        assert structure.borders[0].earlier_gap == pytest.approx(1e4)


def test_the_limit_of_the_leakage_decides():
    matrix = planted((30, 70), torch.Generator().manual_seed(6), 0.04)
    (border,) = find(matrix, leakage=0.5).borders
    assert (border.row, border.column) == (30, 30) and 0.15 < border.leakage < 0.4
    nothing = find(matrix, leakage=0.1)
    assert len(nothing) == 1
    assert nothing.refused[0].row == 30 and nothing.refused[0].leakage == pytest.approx(border.leakage)


def test_seeds_decide_the_random_matrices_alone():
    matrix = planted((3, 4), torch.Generator().manual_seed(0))
    first, again, other = (find(matrix, seed=seed) for seed in (1, 1, 2))
    assert first == again and first != other and first.rows == other.rows


def test_bad_settings_and_values_that_do_not_fit_are_refused():
    matrix = planted((3, 4), torch.Generator().manual_seed(0))
    with pytest.raises(ValueError, match="6 and 7 singular values of the later and the earlier layer do not fit"):
        diagonal_blocks(matrix, values(6), values(7))
    for settings in ({"leakage": 1.5}, {"p": 0.0}, {"p": 0.01, "draws": 98}):
        with pytest.raises(ValueError, match="expected a leakage in"):
            find(matrix, **settings)
