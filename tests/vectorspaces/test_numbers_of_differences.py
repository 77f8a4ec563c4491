"""Numbers of the differences from the authors' code, on planted matrices."""

import pytest
import torch
from torch import nn

from paperlib.ideal_inputs import output_ranges
from paperlib.subspaces import four_spaces
from paperlib.vectorspaces import differences
from paperlib.vectorspaces.figure_three import PAPER_WINNERS


def test_left_null_space_does_not_overlap_with_the_column_space():
    spaces = four_spaces(torch.randn(8, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64))
    found = differences.left_null_overlaps(spaces)
    assert found["theirs"] == pytest.approx(1) and found["ours"] < 1e-28


def test_the_copied_minimum_changes_ideal_outputs_where_minima_differ():
    same = output_ranges(torch.tensor([[0.0, 1.0], [1.0, 0.0]]), torch.tensor([0, 1]))
    assert differences.ideal_minimum_change(same) == 0
    unlike = output_ranges(torch.tensor([[0.0, 1.0], [1.0, -2.0]]), torch.tensor([0, 1]))
    # Ideal outputs [[1, -2], [0, 1]] become [[1, 0], [-2, 1]].
    assert differences.ideal_minimum_change(unlike) == pytest.approx((8 / 6) ** 0.5)


def test_a_change_in_the_null_space_moves_images_and_not_outputs():
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 3, bias=False), nn.SELU())
    found = differences.rejected_part_changes(
        model, four_spaces(model[1].weight), torch.rand(5, 1, 4, 4), torch.Generator().manual_seed(0)
    )
    assert found["image_change"] == pytest.approx(1)
    assert found["output_change"] < 1e-13
    assert model[1].weight.dtype == torch.float32


def test_identities_hold_and_a_wrong_matrix_breaks_them():
    generator = torch.Generator().manual_seed(1)
    matrix, x = (torch.randn(6, 9, generator=generator, dtype=torch.float64) for _ in range(2))
    found = differences.decomposition_errors(matrix, four_spaces(matrix), x)
    assert max(found.values()) < 1e-14
    assert differences.decomposition_errors(2 * matrix, four_spaces(matrix), x)["decomposition"] > 1e-2


def test_the_caption_names_one_digit_twice():
    counts = {name: differences.caption_assignments(winners) for name, winners in PAPER_WINNERS.items()}
    assert counts["resnet18"] == {"assignments": 11, "digits": 10, "repeated": [4]}
    assert all(counts[name]["assignments"] == counts[name]["digits"] == 10 for name in ("one_layer", "five_layer"))
