"""The relaxed Dice loss against its other form, against values by hand, and its refusals."""

import pytest
import torch

from paperlib.training.dice import relaxed_dice_loss


def draw(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(2, 3, 4, 5, 6, dtype=torch.float64, generator=generator)
    return logits, torch.randint(0, 3, (2, 4, 5, 6), generator=generator)


def test_is_one_less_the_ratio_of_inner_products():
    logits, labels = draw()
    ratios = []
    for image in range(2):
        p = logits[image].softmax(0)
        for kind in range(3):
            y = (labels[image] == kind).double()
            ratios.append(2 * (y * p[kind]).sum() / ((y * y).sum() + (p[kind] ** 2).sum()))
    expected = 1 - torch.stack(ratios).mean()
    # The small constant in the denominator, 1e-6 beside sums of some ten.
    torch.testing.assert_close(relaxed_dice_loss(logits, labels), expected, rtol=1e-6, atol=0)


def test_by_hand():
    """Two voxels, p = 1/2 everywhere, one voxel of each class: (1/4 + 1/4) / (1 + 1/2) = 1/3 for both classes."""
    loss = relaxed_dice_loss(torch.zeros(1, 2, 2, dtype=torch.float64), torch.tensor([[0, 1]]))
    assert loss.item() == pytest.approx(1 / 3, rel=1e-6)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64])
def test_ends_of_its_range(dtype):
    _, labels = draw()
    indicator = torch.nn.functional.one_hot(labels, 3).movedim(-1, 1).double()
    assert relaxed_dice_loss(200 * indicator, labels.to(dtype)).item() < 1e-12
    wrong = torch.nn.functional.one_hot((labels + 1) % 3, 3).movedim(-1, 1).double()
    assert relaxed_dice_loss(200 * wrong, labels.to(dtype)).item() == pytest.approx(1)


def test_a_class_without_voxels_costs_only_what_is_wrongly_given_to_it():
    labels = torch.zeros(1, 8, dtype=torch.long)
    right = torch.tensor([50.0, 0.0]).reshape(1, 2, 1).expand(1, 2, 8)
    assert relaxed_dice_loss(right, labels).item() < 1e-6


def test_gradient_is_the_difference_quotient():
    logits, labels = draw()
    assert torch.autograd.gradcheck(
        lambda x: relaxed_dice_loss(x, labels[:, :2, :2, :2]), logits[:, :, :2, :2, :2].clone().requires_grad_()
    )


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (torch.zeros(2, 4, 5), r"labels \(2, 4, 5\) do not fit logits \(2, 3, 4, 5, 6\)"),
        (torch.zeros(2, 1, 4, 5, 6), "do not fit"),
        (torch.full((2, 4, 5, 6), 3), "labels from 3 to 3; the logits are of classes 0 to 2"),
        (torch.full((2, 4, 5, 6), -1), "labels from -1"),
    ],
)
def test_labels_that_do_not_fit_are_refused(labels, message):
    with pytest.raises(ValueError, match=message):
        relaxed_dice_loss(draw()[0], labels)
