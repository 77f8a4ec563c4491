"""Random kernels beside the trained ones of Figure 2: spectra that follow a generator, and what is drawn of them."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from paperlib.subspaces import four_spaces, layer_matrix
from paperlib.vectorspaces.figure_two import agreement_table, random_spectra, signal_rows
from paperlib.vectorspaces.statements import mean_random_cosine, noise_edge


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def condition_numbers(spectra: Tensor) -> Tensor:
    return spectra[:, 0] / spectra[:, -1]


@pytest.mark.parametrize("law", ["normal", "uniform"])
@pytest.mark.parametrize("shape", [(40, 6), (6, 40), (9, 9)], ids=str)
def test_random_spectra_are_those_of_the_matrices(law, shape):
    found = random_spectra(*shape, 5, generator(3), law)
    source, rule = generator(3), {"normal": torch.randn, "uniform": torch.rand}[law]
    matrices = [rule(*shape, generator=source, dtype=torch.float64) - (law == "uniform") / 2 for _ in range(5)]
    expected = np.linalg.svd(torch.stack(matrices).numpy(), compute_uv=False)
    torch.testing.assert_close(found, torch.from_numpy(expected), rtol=0, atol=1e-12)
    conditions = torch.tensor([np.linalg.cond(matrix.numpy()) for matrix in matrices], dtype=torch.float64)
    # The smallest value of a square matrix has few of its digits.
    torch.testing.assert_close(condition_numbers(found), conditions, rtol=1e-9, atol=0)


def test_random_spectra_follow_the_generator_alone():
    before = torch.get_rng_state()
    first, again, other = (random_spectra(30, 4, 6, generator(seed), "normal") for seed in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert len(first.unique(dim=0)) == 6
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(("law", "median"), [("normal", 1.081), ("uniform", 1.074)])
def test_untrained_kernels_are_as_well_conditioned_as_the_paper_prints(law, median):
    """vectorspaces.claim.05: 1.07 lies inside of what 4,096 x 9 noise gives."""
    found = condition_numbers(random_spectra(4096, 9, 200, generator(), law))
    low, high = found.quantile(torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
    assert 1.05 < low < 1.07 < high < 1.11
    # A standard error of the median of 0.0008.
    assert abs(found.median().item() - median) < 0.004
    assert found.median() < noise_edge(4096, 9)


def test_unknown_law_is_refused():
    with pytest.raises(ValueError, match="law is 'cauchy'; expected one of normal, uniform"):
        random_spectra(4, 3, 1, generator(), "cauchy")


def test_signal_kernels_are_scaled_by_their_singular_values():
    model = nn.Sequential(nn.Conv2d(4, 6, (2, 3), bias=False).double())
    spaces = four_spaces(layer_matrix(model[0], "kernels"))
    (row,) = signal_rows(spaces, model, "0", 5, "common")
    assert row.images.shape == (5, 2, 3) and row.scale == "common"
    expected = spaces.S[:5, None, None] * spaces.Vh[:5].reshape(5, 2, 3)
    torch.testing.assert_close(row.images, expected, rtol=0, atol=1e-15)
    assert list(row.titles) == [f"{value:.2f}" for value in spaces.S[:5]]


def test_a_vector_over_several_channels_is_shown_by_its_strongest():
    model = nn.Sequential(nn.Conv2d(3, 20, 3, bias=False).double())
    spaces = four_spaces(layer_matrix(model[0], "unfolding"))
    rows = signal_rows(spaces, model, "0", 12, "own")
    assert [len(row.images) for row in rows] == [9, 3] and [len(row.titles) for row in rows] == [9, 3]
    images = torch.cat([row.images for row in rows])
    for image, value, vector in zip(images, spaces.S, spaces.Vh, strict=False):
        channels = value * vector.reshape(3, 3, 3)
        energies = channels.square().sum((1, 2))
        torch.testing.assert_close(image, channels[energies.argmax()], rtol=0, atol=1e-15)


@pytest.mark.parametrize(
    ("layer", "reading", "shape"),
    [
        (nn.Linear(8, 3), "unfolding", (3, 1, 8)),
        (nn.Conv1d(2, 4, 5), "kernels", (3, 1, 5)),
        (nn.Conv3d(2, 4, (2, 3, 4)), "kernels", (3, 6, 4)),
    ],
    ids=["Linear", "Conv1d", "Conv3d"],
)
def test_other_layers_are_shown_as_images_too(layer, reading, shape):
    model = nn.Sequential(layer)
    spaces = four_spaces(layer_matrix(layer, reading))
    (row,) = signal_rows(spaces, model, "0", 3, "own")
    assert row.images.shape == shape
    torch.testing.assert_close(row.images.flatten(1), spaces.S[:3, None] * spaces.Vh[:3], rtol=0, atol=1e-15)


def test_agreement_is_one_with_itself_whatever_the_signs():
    draw = torch.randn(60, 4, generator=generator(5), dtype=torch.float64)
    # Well separated values, so that each vector is its own.
    spaces = four_spaces(torch.linalg.qr(draw).Q * torch.tensor([8.0, 4.0, 2.0, 1.0], dtype=torch.float64))
    header, rows, numbers = agreement_table(spaces, four_spaces(-(spaces.U * spaces.S) @ spaces.Vh))
    assert numbers["before_training"] == pytest.approx([1.0] * 4)
    assert len(header) == 4 and [row[0] for row in rows] == [0, 1, 2, 3]
    assert [row[1] for row in rows] == ["8.000", "4.000", "2.000", "1.000"] and rows[0][2:] == ["1.00", "0.42"]


@pytest.mark.parametrize("columns", [2, 4, 9])
def test_chance_is_the_mean_agreement_of_random_matrices(columns):
    pairs = torch.randn(4000, 2, 12, columns, generator=generator(columns), dtype=torch.float64)
    first = torch.linalg.svd(pairs)[2][:, :, 0]
    cosines = (first[:, 0] * first[:, 1]).sum(1).abs()
    # Four standard errors of the simulated mean.
    assert mean_random_cosine(columns) == pytest.approx(cosines.mean().item(), abs=4 * cosines.std().item() / 4000**0.5)


def test_agreement_compares_as_many_vectors_as_both_have():
    whole = four_spaces(torch.diag(torch.tensor([4.0, 2.0, 1.0])))
    part = four_spaces(torch.diag(torch.tensor([4.0, 2.0, 0.0])))
    _, rows, numbers = agreement_table(whole, part)
    assert len(rows) == len(numbers["before_training"]) == 2
