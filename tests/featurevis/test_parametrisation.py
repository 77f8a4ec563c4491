"""Images by their Fourier coefficients: every image has one set of them, and gradients pass by the adjoint."""

import numpy as np
import pytest
import torch

from paperlib.featurevis.parametrisation import (
    adjoint,
    coefficients_of,
    frequency_scale,
    pixels,
    random_coefficients,
)

SIZES = [(8, 8), (7, 7), (6, 9), (9, 4), (2, 3), (28, 28)]


def drawn(size, seed=0):
    return torch.randn(3, 2, *size, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("size", SIZES)
def test_every_image_has_exactly_one_set_of_coefficients(size):
    image = drawn(size)
    torch.testing.assert_close(pixels(coefficients_of(image)), image)
    torch.testing.assert_close(coefficients_of(pixels(image)), image)


@pytest.mark.parametrize("size", SIZES)
def test_adjoint_is_that_of_the_inner_products_and_of_autograd(size):
    coefficients, image = drawn(size, 1).requires_grad_(), drawn(size, 2)
    product = (pixels(coefficients) * image).sum()
    torch.testing.assert_close(product, (coefficients * adjoint(image)).sum())
    torch.testing.assert_close(torch.autograd.grad(product, coefficients)[0], adjoint(image))


@pytest.mark.parametrize("size", [(8, 8), (5, 7)])
def test_a_coefficient_is_a_wave_of_its_frequency_and_scale(size):
    height, width = size
    for place in [(0, 0), (1, 2), (height // 2, 0), (height - 1, width - 1)]:
        coefficients = torch.zeros(1, *size, dtype=torch.float64)
        coefficients[0, *place] = 1
        down, right = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
        phase = 2 * np.pi * (place[0] * down / height + place[1] * right / width)
        cycles = np.hypot(np.fft.fftfreq(height)[place[0]], np.fft.fftfreq(width)[place[1]])
        wave = (np.cos(phase) + np.sin(phase)) / np.sqrt(height * width) / max(cycles, 1 / max(size))
        np.testing.assert_allclose(pixels(coefficients)[0].numpy(), wave, atol=1e-12)


def test_scale_falls_as_one_over_the_frequency():
    scale = frequency_scale((16, 32))
    assert scale.shape == (16, 32)
    assert scale[0, 0] == scale[0, 1] == 32
    assert scale[0, 8] == 4
    assert scale[4, 0] == 4
    torch.testing.assert_close(scale[4, 8], torch.tensor(8**0.5, dtype=torch.float64))


def test_single_precision_is_kept():
    coefficients = random_coefficients((3, 9, 10), 0.5, torch.Generator().manual_seed(0))
    assert pixels(coefficients).dtype == torch.float32
    # Some rounding errors of 6e-8, scaled by frequencies from 1/10 to 1/2.
    torch.testing.assert_close(coefficients_of(pixels(coefficients)), coefficients, atol=1e-5, rtol=0)


def test_coefficients_have_the_deviation_and_follow_from_the_generator():
    first, again = (random_coefficients((1, 200, 200), 0.1, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(first, again)
    # 40,000 draws: the standard error of the deviation is 0.1 / sqrt(80,000).
    assert abs(first.std() - 0.1) < 4 * 0.1 / 80_000**0.5
