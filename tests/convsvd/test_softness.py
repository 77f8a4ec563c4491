"""Edges of images that were drawn by hand, and permutation tests with an answer that can be counted."""

import pytest
import torch

from paperlib.convsvd.softness import compare_groups, gradient_magnitudes, sharpness
from paperlib.plotting.softness import draw_group_edges


def ramp(width: int) -> torch.Tensor:
    """Grey levels that rise from left to right over ``width`` pixels in the middle of 16."""
    profile = ((torch.arange(16.0) - 8 + width // 2) / width).clamp(0, 1)
    return profile.expand(1, 1, 16, 16)


def test_of_a_plane_both_are_its_slope():
    y, x = torch.meshgrid(torch.arange(6.0), torch.arange(7.0), indexing="ij")
    image = torch.stack([3 * x + 4 * y, torch.zeros_like(x)]).unsqueeze(0)
    # A length of (3, 4) at every pixel; the second channel halves the variance.
    contrast = image[:, 0].var(correction=0).item() ** 0.5 / 2**0.5
    for measure in (gradient_magnitudes, sharpness):
        assert measure(image).item() == pytest.approx(5 / contrast)


def test_soft_edges_are_less_sharp_but_no_fewer():
    images = torch.cat([ramp(width) for width in (1, 2, 4, 8)])
    contrast = (images - images.mean((2, 3), keepdim=True)).square().mean((1, 2, 3)).sqrt()
    assert (sharpness(images).diff() < 0).all()
    # The rise of 1 in 15 differences, over however many pixels.
    assert torch.allclose(gradient_magnitudes(images) * contrast, torch.tensor(1 / 15, dtype=torch.float64), rtol=1e-5)
    # And w differences of 1 / w.
    widths = torch.tensor([1, 2, 4, 8], dtype=torch.float64)
    assert torch.allclose((sharpness(images) * contrast).square() * 15, 1 / widths, rtol=1e-5)


def test_more_edges_have_a_larger_mean_length():
    stripes = [(torch.arange(16) // width % 2).float().expand(1, 1, 16, 16) for width in (1, 2, 4, 8)]
    assert (gradient_magnitudes(torch.cat(stripes)).diff() < 0).all()


def test_contrast_does_not_count():
    image = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    for measure in (gradient_magnitudes, sharpness):
        assert measure(image).dtype == torch.float64
        # Single precision of the images themselves.
        assert torch.allclose(measure(image), measure(0.3 + 0.1 * image), rtol=1e-5)


def test_an_image_of_one_colour_has_no_edges():
    image = torch.full((2, 3, 4, 4), 0.5)
    assert gradient_magnitudes(image).tolist() == sharpness(image).tolist() == [0, 0]


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"\(3, 4, 4\); expected \(count, channels, height, width\)"):
        gradient_magnitudes(torch.zeros(3, 4, 4))
    with pytest.raises(ValueError, match="at least 2 x 2"):
        sharpness(torch.zeros(1, 3, 1, 4))


def test_the_share_of_divisions_is_that_of_all_of_them():
    # Of the 20 divisions into three and three only the one given puts the smallest first, one the largest.
    found = compare_groups([1, 2, 3], [10, 20, 30], draws=20_000, seed=0)
    assert (found.first_mean, found.second_mean, found.difference) == (2, 20, -18)
    # Standard errors of shares of 20,000 draws: 0.0015 and 0.0021.
    assert found.p_below == pytest.approx(1 / 20, abs=0.006)
    assert found.p_two_sided == pytest.approx(2 / 20, abs=0.009)


def test_groups_that_do_not_differ_have_no_small_share():
    generator = torch.Generator().manual_seed(2)
    values = torch.randn(12, generator=generator).tolist()
    assert compare_groups(values[:6], values[6:], draws=2000, seed=1).p_two_sided > 0.05
    same = compare_groups([1, 1], [1, 1, 1], draws=50, seed=1)
    assert (same.p_below, same.p_two_sided) == (1, 1)


def test_the_larger_group_first_is_not_softer():
    assert compare_groups([10, 20, 30], [1, 2, 3], draws=500, seed=0).p_below == 1


def test_empty_groups_are_refused():
    with pytest.raises(ValueError, match="groups of 0 and 2 numbers and 5 draws"):
        compare_groups([], [1, 2], draws=5, seed=0)


def test_all_numbers_are_drawn_with_the_means_of_groups():
    panels = {
        "optimised": {"living": {"v1": [1.0, 2.0], "v4": [4.0]}, "vehicles": {"v2": [6.0]}},
        "none": {"living": {}, "vehicles": {"v2": [3.0]}},
    }
    figure = draw_group_edges(panels, "sharpness")
    figure.canvas.draw()
    left, right = figure.axes
    assert figure.get_supxlabel() == "sharpness"
    assert [label.get_text() for label in left.get_yticklabels()] == ["v1", "v4", "v2"]
    dots = [tuple(line.get_xdata()) for line in left.lines if line.get_marker() in ("o", "s")]
    assert dots == [(1, 2), (4,), (6,)]
    middles = {line.get_label(): line.get_xdata()[0] for line in left.lines if not line.get_label().startswith("_")}
    assert middles == {"living": 2.75, "vehicles": 6}
    assert [line.get_label() for line in right.lines if not line.get_label().startswith("_")] == ["vehicles"]
