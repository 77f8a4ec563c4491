"""Random movements of images: identity at no strength, means of constant images, known shifts and turns, gradients."""

import pytest
import torch

from paperlib.featurevis import Transformations
from paperlib.featurevis.transformations import moved, movement_draws

STILL = Transformations(0, 0, 0, 0)


def images(*size, seed=0):
    return torch.rand(3, 2, *size, generator=torch.Generator().manual_seed(seed))


def draws(count=3, seed=0):
    return movement_draws(count, torch.Generator().manual_seed(seed))


def one(**places):
    """A draw of zeros but for the numbers named: right, down, scale, turn, again_right, again_down."""
    names = ("right", "down", "scale", "turn", "again_right", "again_down")
    return torch.tensor([[float(places.get(name, 0)) for name in names]])


@pytest.mark.parametrize("size", [(8, 8), (7, 12), (28, 28)])
def test_no_strength_is_the_identity(size):
    given = images(*size)
    # Places of pixels are rounded to single precision: errors of some 1e-7 of a side.
    torch.testing.assert_close(moved(given, STILL, draws()), given, atol=1e-5, rtol=0)


@pytest.mark.parametrize("size", [(8, 8), (9, 5), (32, 32)])
def test_constant_images_stay_what_they_are(size):
    given = torch.tensor([0.0, 0.3, 1.0]).reshape(3, 1, 1, 1).expand(3, 1, *size)
    strong = Transformations(jitter=0.4, scale=0.5, rotation=90, second_jitter=0.4)
    torch.testing.assert_close(moved(given, strong, draws()), given)


def test_jitter_is_a_share_of_the_side_and_both_add_up():
    given = images(10, 20)
    settings = Transformations(jitter=0.1, scale=0, rotation=0, second_jitter=0.2)
    found = moved(given[:1], settings, one(right=1, again_down=-1))
    # Two of twenty columns to the right, two of ten rows up.
    torch.testing.assert_close(found[:, :, :-2, 2:], given[:1, :, 2:, :-2], atol=1e-5, rtol=0)


def test_what_comes_in_is_the_reflection():
    given = images(8, 8)
    found = moved(given[:1], Transformations(0.25, 0, 0, 0), one(right=1))
    torch.testing.assert_close(found[..., :2], given[:1, :, :, :2].flip(3), atol=1e-5, rtol=0)


@pytest.mark.parametrize("size", [(9, 9), (8, 8)])
def test_rotation_turns_about_the_centre(size):
    given = images(*size)
    found = moved(given[:1], Transformations(0, 0, 90, 0), one(turn=1))
    turned = torch.rot90(given[:1], -1, (2, 3))
    torch.testing.assert_close(found, turned, atol=1e-4, rtol=0)


def test_rotation_keeps_angles_where_sides_differ():
    given = torch.zeros(1, 1, 21, 41)
    given[0, 0, 10, 16:25] = 1
    found = moved(given, Transformations(0, 0, 90, 0), one(turn=1))
    expected = torch.zeros(1, 1, 21, 41)
    expected[0, 0, 6:15, 20] = 1
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)


def test_scale_enlarges():
    given = torch.zeros(1, 1, 21, 21)
    given[0, 0, 8:13, 8:13] = 1
    found = moved(given, Transformations(0, 0.5, 0, 0), one(scale=1))
    assert found.sum() == pytest.approx(1.5**2 * 25, rel=0.1)


def test_movement_is_linear_and_differentiable():
    first, second = images(12, 12).requires_grad_(), images(12, 12, seed=1)
    settings, chosen = Transformations(), draws()
    together = moved(first + 2 * second, settings, chosen)
    apart = moved(first, settings, chosen) + 2 * moved(second, settings, chosen)
    torch.testing.assert_close(together, apart)
    (gradient,) = torch.autograd.grad(moved(first, settings, chosen).sum(), first)
    # Every movement of this strength keeps most pixels in sight.
    assert (gradient > 0).double().mean() > 0.8


def test_draws_follow_from_the_generator_and_fill_the_range():
    first = draws(1000, seed=4)
    assert torch.equal(first, draws(1000, seed=4))
    assert first.shape == (1000, 6)
    assert first.min() >= -1
    assert first.max() <= 1
    # 1,000 uniform draws: the standard error of each mean is 1 / sqrt(3,000).
    assert (first.mean(0).abs() < 5 / 3000**0.5).all()


@pytest.mark.parametrize(
    ("field", "value"), [("jitter", -0.1), ("scale", 0.6), ("rotation", 181), ("second_jitter", float("nan"))]
)
def test_strengths_out_of_range_are_errors(field, value):
    with pytest.raises(ValueError, match=field):
        Transformations(**{field: value})
