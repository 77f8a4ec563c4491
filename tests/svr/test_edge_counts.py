"""Edges before and after training: counts of planted networks, tables, and the rate of untrained ones."""

import pytest
import torch
from torch import nn

from paperlib.svr.experiments.edge_counts import (
    EdgeCounts,
    count_rows,
    count_values,
    trained_counts,
    untrained_counts,
    untrained_rates,
)
from paperlib.svr.samples import haar_frames
from paperlib.training import Recipe
from paperlib.training.ensembles import Ensemble

RECIPE = Recipe(
    architecture="fully_connected",
    options={"widths": (16, 8, 8), "activation": "relu"},
    data="none",
    epochs=1,
    learning_rate=1.0,
)


def planted(turn: torch.Tensor) -> Ensemble:
    """One network whose first layer writes along the axes and whose second reads along the columns of ``turn``."""
    values = torch.linspace(2, 1, 8, dtype=torch.float64)
    first = torch.eye(8, 16, dtype=torch.float64) * values.unsqueeze(1)
    second = (turn * values).mT
    weights = {"linear1.weight": first.float().unsqueeze(0), "linear2.weight": second.float().unsqueeze(0)}
    return Ensemble(RECIPE, (0,), weights, torch.zeros(1, 1), torch.zeros(2, 1), 0.0)


def test_edges_of_a_network_that_reads_what_it_writes():
    (found,) = trained_counts(planted(torch.eye(8, dtype=torch.float64)), p=0.05)
    # Eight coefficients are 1 and the others 0; two of them are among the first two neurons of both layers.
    assert found.count.tolist() == [8] and found.pairs == 64
    assert found.largest.item() == pytest.approx(1, abs=1e-6) and found.leading.item() == pytest.approx(2 / 8)
    assert found.excess.item() == pytest.approx(4 - 4 * 4 / 8, abs=1e-5)


def test_edges_at_random_are_as_many_as_p_says():
    generator = torch.Generator().manual_seed(0)
    counts = [trained_counts(planted(haar_frames(1, 8, 8, generator)[0]), p=0.15)[0].count for _ in range(100)]
    # The limit law at eight channels: some 16 % of 64.
    assert torch.cat(counts).mean().item() == pytest.approx(0.16 * 64, abs=1.0)


def test_a_network_without_edges_has_no_leading_ones():
    even = nn.functional.normalize(torch.tensor([[1.0, 1.0], [1.0, -1.0]]), dim=0).double()
    hadamard = torch.kron(torch.kron(even, even), even)
    (found,) = trained_counts(planted(hadamard), p=0.15)
    assert found.count.item() == 0 and found.leading.item() == 0


def test_untrained_networks_are_those_of_the_seeds():
    first, again, other = (untrained_counts(RECIPE, seeds, 0.15)[0] for seeds in ((0, 1), (0, 1), (2, 3)))
    assert torch.equal(first.largest, again.largest) and not torch.equal(first.largest, other.largest)


def test_untrained_networks_show_the_share_of_the_exact_law():
    """svr.claim.08: 15 % in the paper, 15.24 % by the exact law for 40 channels."""
    found = untrained_rates((784, 40, 40, 40, 10), 0.15, range(15))
    assert found.keys() == {"0 and 1", "1 and 2", "2 and 3", "all"}
    assert found["all"].mean == pytest.approx(0.1524, abs=0.006)
    # 1600, 1600 and 400 pairs.
    expected = (4 * found["0 and 1"].mean + 4 * found["1 and 2"].mean + found["2 and 3"].mean) / 9
    assert found["all"].mean == pytest.approx(expected)


def test_tables_and_records_have_means_over_networks():
    before = EdgeCounts(*(torch.tensor(v) for v in ([200.0, 240.0], [0.2, 0.4], [0.0, 0.1], [0.5, 0.7])), pairs=1600)
    after = EdgeCounts(*(torch.tensor(v) for v in ([230.0, 230.0], [0.8, 0.8], [0.5, 0.5], [5.0, 5.0])), pairs=1600)
    rows = count_rows([before], [after], 0.15)
    assert rows[0][:2] == ["0 and 1", "before"] and rows[0][2].startswith("220 ± ") and rows[0][3] == "240"
    assert rows[1] == ["0 and 1", "after", "230 ± 0", "240", "0.80 ± 0.00", "0.50 ± 0.00", "5.00 ± 0.00"]
    (values,) = count_values([before])
    assert values["largest"]["mean"] == pytest.approx(0.3) and values["count"]["count"] == 2
