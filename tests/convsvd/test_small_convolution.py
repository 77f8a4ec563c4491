"""Figures 1 and 2: the small convolution, its two matrices and their drawings."""

import pytest
import torch
import torch.nn.functional as F
from matplotlib.figure import Figure

from paperlib.convsvd.figure_one import (
    block_difference,
    commutation,
    identities,
    places_in_filter,
    small_convolution,
)
from paperlib.plotting.matrizations import MatrizationSquare, draw_coloured_matrices, draw_matrization_square

SIZES = [(2, 2, 2, 3), (1, 1, 1, 1), (3, 1, 2, 2), (2, 3, 3, 6)]


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_both_squares_commute_exactly(sizes):
    small = small_convolution(*sizes)
    d, c, k, m = sizes
    n = m - k + 1
    assert torch.equal(small.Y, F.conv2d(small.X.unsqueeze(0), small.W)[0])
    assert commutation(small) == {"W1": 0.0, "W2": 0.0}
    assert small.W1.shape == (d, c * k**2)
    assert small.psi.shape == (c * k**2, n**2)
    assert small.W2.shape == (d * n**2, c * m**2)


def test_a_wrong_matrix_does_not_commute():
    small = small_convolution(2, 2, 2, 3)
    small.W2[0, 0] += 1
    assert commutation(small)["W2"] == abs(float(small.X.flatten()[0])) > 0
    assert block_difference(small)[0] > 0


@pytest.mark.parametrize("sizes", [(2, 2, 2, 3), (3, 2, 3, 6)], ids=str)
def test_identities(sizes):
    small = small_convolution(*sizes)
    difference, outside = block_difference(small)
    assert difference == 0.0
    assert outside > 0.1
    found = identities(small)
    assert found["frobenius"] == pytest.approx(0, abs=1e-14)
    assert 1 / sizes[2] < found["norm_ratio"] <= 1
    assert found["tensor_svd"] < 1e-13


def test_places_are_those_of_the_weights():
    """Weights read at the places make the matrices of any filter."""
    W1, W2 = places_in_filter(3, 3, 2, 3)
    assert W1.shape == (3, 12)
    assert W2.shape == (12, 27)
    small = small_convolution(3, 3, 2, 3)
    filters = torch.cat([small.W.flatten(1), torch.zeros(3, 1, dtype=torch.float64)], 1)
    assert torch.equal(torch.stack([filters[row][W1[row]] for row in range(3)]), small.W1)
    assert torch.equal(torch.stack([filters[row // 4][W2[row]] for row in range(12)]), small.W2)
    # Each weight stands once for each of the four positions.
    assert all(int((W2 == place).sum()) == 3 * 4 for place in range(12))


@pytest.mark.parametrize("sizes", [(2, 2, 4, 3), (0, 2, 2, 3), (2, 2, 0, 3)], ids=str)
def test_sizes_that_do_not_fit_are_refused(sizes):
    for function in (small_convolution, places_in_filter):
        with pytest.raises(ValueError, match=r"expected at least 1 of each, and k at most m"):
            function(*sizes)


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_squares_are_drawn_with_every_number_once(sizes):
    small = small_convolution(*sizes)
    names, arrows = ("A", "B", "C"), ("p", "q", "r")
    square = MatrizationSquare(small.W, small.X, small.Y, small.W1, small.psi, small.W1 @ small.psi, names, arrows)
    figure = draw_matrization_square(square)
    assert isinstance(figure, Figure)
    assert figure.get_size_inches()[0] <= 8.5
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert set(names + arrows) <= set(texts)
    cells = sum(part.numel() for part in (small.W, small.X, small.Y, small.W1, small.psi, small.W1 @ small.psi))
    rectangles = [patch for patch in figure.axes[0].patches if type(patch).__name__ == "Rectangle"]
    assert len(rectangles) == cells


@pytest.mark.parametrize("sizes", [(3, 3, 2, 3), (1, 1, 1, 1), (2, 5, 3, 5)], ids=str)
def test_a_colour_is_a_place(sizes):
    W1, W2 = places_in_filter(*sizes)
    figure = draw_coloured_matrices((*sizes[:2], sizes[2], sizes[2]), (W1, W2), ("first", "second"))
    assert max(figure.get_size_inches()) <= 9.5
    rectangles = [patch for patch in figure.axes[0].patches if type(patch).__name__ == "Rectangle"]
    assert len(rectangles) == W1.numel() + W2.numel()
    colours = [patch.get_facecolor() for patch in rectangles]
    entries = torch.cat([W1.flatten(), W2.flatten()]).tolist()
    by_place = {}
    for place, colour in zip(entries, colours, strict=True):
        assert by_place.setdefault(place, colour) == colour
    assert by_place.get(-1, (1.0, 1.0, 1.0, 1.0)) == (1.0, 1.0, 1.0, 1.0)
    if sizes[1] <= 4:
        assert len(set(by_place.values())) == len(by_place)
