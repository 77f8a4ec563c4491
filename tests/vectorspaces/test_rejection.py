"""Rejected energy against misread images, with planted separation."""

import pytest
import torch

from paperlib.subspaces import LayerRejection, split_input
from paperlib.vectorspaces.rejection import gallery, rejection_statistics

LABELS = torch.arange(400) % 4
MISREAD = torch.arange(400) % 5 == 0
PREDICTED = torch.where(MISREAD, (LABELS + 1) % 4, LABELS)


def layer(rejected, rank=2, columns=10):
    return LayerRejection("a", "Linear", (columns,), (4, columns), rank, 1.5, rejected.double())


def noise(seed):
    return torch.rand(400, generator=torch.Generator().manual_seed(seed))


def test_a_share_that_tells_misread_images_is_found_and_chance_is_not():
    found = rejection_statistics(
        {"telling": layer(MISREAD + 0.1 * noise(0)), "idle": layer(noise(1)), "full": layer(torch.zeros(400), 10)},
        LABELS,
        PREDICTED,
    )
    assert found["telling"]["within_class"]["area"] == 1
    assert found["telling"]["adjusted_p_value"] < 1e-6
    idle = found["idle"]
    assert idle["within_class"]["low"] < 0.5 < idle["within_class"]["high"] and idle["adjusted_p_value"] > 0.05
    assert "within_class" not in found["full"] and "adjusted_p_value" not in found["full"]
    assert found["telling"]["chance"] == pytest.approx(0.8)
    assert found["telling"]["mean_misread"] > 1


def test_a_difference_between_digits_alone_is_no_separation_within_them():
    # The share depends on the predicted class only, and one class is misread more often.
    predicted = torch.where(LABELS == 0, 1, LABELS)
    rejected = predicted.double() / 4 + 1e-3 * noise(2)
    found = rejection_statistics({"a": layer(rejected)}, LABELS, predicted)["a"]
    assert abs(found["auroc"]["area"] - 0.5) > 0.1
    assert found["within_class"]["low"] < 0.5 < found["within_class"]["high"]


def test_means_by_class_and_no_areas_without_misread_images():
    rejected = LABELS.double() / 10
    found = rejection_statistics({"a": layer(rejected)}, LABELS, LABELS)["a"]
    assert found["by_class"] == pytest.approx([0, 0.1, 0.2, 0.3])
    assert found["mean_misread"] is None and "auroc" not in found


def test_gallery_shows_images_their_parts_and_shares():
    model = torch.nn.Sequential(torch.nn.Flatten())
    model.add_module("linear1", torch.nn.Linear(16, 3, bias=False))
    with torch.no_grad():
        model.linear1.weight.copy_(torch.eye(3, 16))
    images = torch.zeros(2, 1, 4, 4)
    images[0, 0, 0, 0], images[1, 0, 3, 3] = 1, 2
    rows = gallery(images, {"net": split_input(model, images, "linear1")}, {"net": "Net"})
    assert [len(row.images) for row in rows] == [2, 2, 2]
    assert rows[2].titles == ["0%", "100%"]
    assert torch.equal(rows[1].images + rows[2].images, images[:, 0].double())
