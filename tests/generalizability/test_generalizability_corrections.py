"""The corrections to `generalizability`: each with its number, and a network whose missing share is known."""

import pytest
import torch
from torch import nn

from paperlib.errata import errata_rows
from paperlib.generalizability.corrections import ERRATA, errata_numbers, share_without_biases


def test_every_number_has_a_correction_and_every_correction_a_check():
    numbers = errata_numbers(coarse=(2, 3, 2), label_high=2.0, label_low=-2.0, seed=0)
    assert set(numbers) <= {one.name for one in ERRATA}
    assert len({one.name for one in ERRATA}) == len(ERRATA)
    rows = {one.name: row for one, row in zip(ERRATA, errata_rows(ERRATA, numbers), strict=True)}
    assert all(len(row) == 4 and all(row) for row in rows.values())
    # The numbers that are worked out by hand: 2 x 3 x 2 coarse voxels and ten labels.
    assert "of 96 fine voxels 33" in rows["strides"][3] and "63 counted again" in rows["strides"][3]
    assert "64% of the energy" in rows["label_map"][3] and "25% of these 2,144" in rows["failures"][3]


def test_biases_are_what_the_linear_part_leaves_out():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        model = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10)).double()
        x = torch.rand(784, dtype=torch.float64)
    # By the masks: the second layer's weights times those of the first that are on.
    first, second = model[0], model[2]
    on = first(x) > 0
    linear = second.weight @ (on.double().unsqueeze(1) * first.weight) @ x
    expected = ((model(x) - linear).norm() / model(x).norm()).item()
    assert share_without_biases(3) == pytest.approx(expected, rel=1e-12)
    assert expected > 0.01
