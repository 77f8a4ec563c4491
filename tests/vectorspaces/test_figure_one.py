"""The data of Figure 1 on planted weights and means."""

import pytest
import torch

from paperlib.plotting import draw_image_rows
from paperlib.vectorspaces.figure_one import FigureOne, figure_one, statements


def planted():
    generator = torch.Generator().manual_seed(0)
    basis = torch.linalg.qr(torch.randn(784, 10, generator=generator, dtype=torch.float64)).Q
    mixing = torch.linalg.qr(torch.randn(10, 10, generator=generator, dtype=torch.float64)).Q
    values = torch.linspace(7, 1, 10, dtype=torch.float64)
    return mixing @ torch.diag(values) @ basis.T, values, torch.rand(10, 1, 28, 28, generator=generator)


def test_planted_singular_values_and_both_residuals():
    weight, values, means = planted()
    figure = figure_one(weight, means)
    torch.testing.assert_close(figure.singular_values, values, rtol=1e-12, atol=0)
    # The residual of a row is orthogonal to that row, that of the row space to all of them; both lose little more
    # than rounding in float64.
    assert ((figure.row * weight).sum(1).abs() < 1e-12 * weight.norm(dim=1) * 28).all()
    assert (figure.rowspace @ weight.T).abs().max() < 1e-11
    assert (figure.rowspace.norm(dim=1) <= figure.row.norm(dim=1)).all()


def test_statements_of_planted_weights():
    weight, _, means = planted()
    found = statements(figure_one(weight, means))
    assert found["condition_number"] == pytest.approx(7, rel=1e-12) and found["decreasing"]
    assert found["last_over_first"] == pytest.approx(1 / 7, rel=1e-12)
    energy, cosine = (torch.tensor(found["residual"]["row"][name]) for name in ("energy", "cosine"))
    torch.testing.assert_close(cosine.square(), energy, rtol=1e-6, atol=0)


def test_a_smooth_first_and_a_noisy_last_signal_vector_are_told_apart():
    ramp = torch.linspace(-1, 1, 28).expand(28, 28).flatten()
    noise = torch.randn(9, 784, generator=torch.Generator().manual_seed(1))
    weight = torch.cat([50 * ramp.unsqueeze(0), noise])
    found = statements(figure_one(weight, torch.rand(10, 784, generator=torch.Generator().manual_seed(2))))
    assert found["pixel_correlation"]["signal_vectors"][0] > 0.9
    assert found["correlation_first_minus_last"] > 0.8


def test_the_hole_of_zero_is_measured_where_it_is():
    means = torch.zeros(10, 28, 28)
    means[:, 2:5, :] = 1
    weight = torch.zeros(10, 784)
    weight[range(10), range(10)] = 1
    # The first row reads the frame and is negative in the middle: without its projection the middle is brighter.
    row = means[0].clone()
    row[12:16, 12:16] = -1
    weight[0] = row.flatten()
    assert statements(figure_one(weight, means.flatten(1)))["hole_filled"] > 0.1
    weight[0] = means[0].flatten()
    assert statements(figure_one(weight, means.flatten(1)))["hole_filled"] == pytest.approx(0, abs=1e-12)


def test_lists_give_the_figure_back_and_it_draws():
    weight, _, means = planted()
    figure = figure_one(weight, means)
    again = FigureOne.from_lists(figure.as_lists(digits=8))
    torch.testing.assert_close(again.rowspace, figure.rowspace, rtol=0, atol=1e-6)
    drawn = draw_image_rows(figure.rows("rowspace", "own"))
    assert len([axis for axis in drawn.axes if axis.images]) == 30
