"""The three readings of a volume's ratio against Jacobians by autograd and dense SVDs."""

from functools import partial

import pytest
import torch
from monai.inferers import sliding_window_inference
from segmentation_support import random_volume, tiny_recipe

from paperlib.operators import Compiled
from paperlib.segmentation import prepared, window_settings
from paperlib.segmentation.measuring import MeasureSettings, measured_volume
from paperlib.segmentation.readings import foreground_ratio, is_one_window, patch_ratios
from paperlib.svd import truncated_svd

# Triplets to 1e-9 in float64; the ratios depend on vectors, whose error is the residual over the gaps.
CLOSE = dict(rtol=1e-6, atol=1e-9)

# A seed whose untrained network sees foreground in some voxels and not in others.
RECIPE = tiny_recipe(modalities=1, patch=(4, 4, 4), seed=6)
MODEL = RECIPE.network().double().eval().requires_grad_(False)
SETTINGS = MeasureSettings(k=4, tol=1e-9, solver="lanczos", patches=True)
WINDOWS = window_settings(RECIPE)
SVD = partial(truncated_svd, k=4, tol=1e-9, solver="lanczos")


def ratios(jacobian: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """RPR for k = 1..4 by a dense SVD."""
    Vh = torch.linalg.svd(jacobian.reshape(-1, x.numel()), full_matrices=False).Vh[:4]
    return (Vh @ x.flatten()).square().cumsum(0) / x.square().sum()


def jacobian(function, x: torch.Tensor) -> torch.Tensor:
    return torch.autograd.functional.jacobian(function, x)


def stitched(image: torch.Tensor) -> torch.Tensor:
    return sliding_window_inference(image.unsqueeze(0), sw_batch_size=1, predictor=MODEL, **WINDOWS)[0]


def measured(*spatial: int):
    volume = random_volume("v", 1, *spatial)
    image = prepared(volume, RECIPE.scale).double()
    return measured_volume(Compiled(MODEL), RECIPE, volume, SETTINGS), image


# Two windows; one in a volume that is smaller than it; one that is the volume.
@pytest.mark.parametrize("spatial", [(4, 4, 6), (4, 3, 2), (4, 4, 4)])
def test_rpr_is_that_of_the_stitched_jacobian(spatial):
    row, image = measured(*spatial)
    dense = jacobian(stitched, image)
    torch.testing.assert_close(torch.tensor(row.rpr).double(), ratios(dense, image), **CLOSE)
    S = torch.linalg.svdvals(dense.reshape(-1, image.numel()))[:4]
    torch.testing.assert_close(torch.tensor(row.singular_values).double(), S, **CLOSE)


@pytest.mark.parametrize(
    ("spatial", "padding", "starts"), [((4, 4, 6), (0,) * 6, (0, 2)), ((4, 3, 2), (1, 1, 0, 1, 0, 0), (0,))]
)
def test_rpr_of_patches_is_the_mean_over_the_windows(spatial, padding, starts):
    row, image = measured(*spatial)
    padded = torch.nn.functional.pad(image, padding)
    windows = [padded[..., start : start + 4] for start in starts]
    each = torch.stack([ratios(jacobian(lambda x: MODEL(x.unsqueeze(0)), window), window) for window in windows])
    torch.testing.assert_close(torch.tensor(row.rpr_patches).double(), each.mean(0), **CLOSE)
    assert abs(row.rpr_patches[-1] - row.rpr[-1]) > 1e-4


def test_one_window_without_padding_has_one_reading():
    row, image = measured(4, 4, 4)
    assert row.rpr_patches == row.rpr
    again = patch_ratios(Compiled(MODEL), image, WINDOWS, SVD)
    torch.testing.assert_close(again, torch.tensor(row.rpr).double(), **CLOSE)
    assert not is_one_window(torch.zeros(1, 4, 4, 3), WINDOWS)


def test_windows_without_anything_in_them_are_left_out():
    image = random_volume("v", 1, 4, 4, 10).image.double()
    image[..., 3:] = 0
    alone = image[..., :4]
    expected = ratios(jacobian(lambda x: MODEL(x.unsqueeze(0)), alone), alone)
    # Windows start at 0, 3 and 6: all but the first are zero.
    torch.testing.assert_close(patch_ratios(Compiled(MODEL), image, WINDOWS, SVD), expected, **CLOSE)


def test_rpr_of_the_foreground_is_the_energy_of_the_projection_there():
    row, image = measured(4, 4, 6)
    dense = jacobian(stitched, image).reshape(-1, image.numel())
    Vh = torch.linalg.svd(dense, full_matrices=False).Vh[:4]
    keep = (stitched(image).argmax(0) > 0).expand(image.shape).flatten()
    assert 0 < keep.sum() < keep.numel()
    x = image.flatten()
    expected = [(Vh[:k].T @ (Vh[:k] @ x))[keep].square().sum() / x[keep].square().sum() for k in (1, 2, 3, 4)]
    torch.testing.assert_close(torch.tensor(row.rpr_foreground).double(), torch.stack(expected), **CLOSE)


def test_rpr_of_the_foreground_can_exceed_one():
    """The projection of (3, 1) on (1, 1) / sqrt 2 is (2, 2): four times the energy at the second voxel."""
    Vh = torch.full((1, 2), 0.5).sqrt()
    image, foreground = torch.tensor([3.0, 1.0]).reshape(1, 2, 1, 1), torch.tensor([0, 1]).reshape(2, 1, 1)
    # Rounding of the float32 entries of Vh.
    assert foreground_ratio(Vh, image, foreground).tolist() == pytest.approx([4.0], rel=1e-6)
    whole = foreground_ratio(Vh, image, torch.ones(2, 1, 1))
    assert whole.tolist() == pytest.approx([0.8], rel=1e-6)


@pytest.mark.parametrize("foreground", [(0, 0), (1, 0)])
def test_without_energy_in_the_foreground_it_is_undefined(foreground):
    Vh, image = torch.full((1, 2), 0.5).sqrt(), torch.tensor([0.0, 1.0]).reshape(1, 2, 1, 1)
    assert foreground_ratio(Vh, image, torch.tensor(foreground).reshape(2, 1, 1)).isnan().all()
