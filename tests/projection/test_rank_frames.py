"""Images at every rank against `torch.linalg.svd` of the Jacobian; and which images are chosen to be shown."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.autograd.functional import jacobian

from paperlib.analysis import ProjectionTable, projection_table
from paperlib.datasets import ImageData
from paperlib.layers import SumPool
from paperlib.rank_frames import rank_frames, settling_ranks, telling_images
from paperlib.svd import RankError

CLASSES = 4
CLOSE = dict(rtol=1e-8, atol=1e-9)


def network(bias: bool) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        layers = nn.Conv2d(1, 8, 3, padding=1, bias=bias), nn.ReLU(), SumPool(2), nn.Flatten()
        return nn.Sequential(*layers, nn.Linear(48, CLASSES, bias=bias)).double().eval()


@pytest.fixture
def data() -> ImageData:
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(9, 1, 4, 6, dtype=torch.float64, generator=generator)
    return ImageData(images, torch.arange(9) % CLASSES, "synthetic", "test", "Synthetic", "made here", "")


@pytest.mark.parametrize("bias", [False, True])
def test_every_frame_is_that_of_the_decomposed_jacobian(data, bias):
    model, chosen = network(bias), [7, 0, 4]
    frames = rank_frames(model, data, chosen, label_map=(1.0, 0.0))
    assert frames.indices == (7, 0, 4) and frames.k_max == CLASSES
    assert frames.labels.tolist() == [3, 0, 0]
    for place, index in enumerate(chosen):
        x = data.images[index]
        logits = model(x.unsqueeze(0))[0].detach()
        A = jacobian(model, x.unsqueeze(0)).reshape(CLASSES, -1)
        U, S, Vh = torch.linalg.svd(A, full_matrices=False)
        # Else the vectors would not be determined.
        assert min(*(S[:-1] - S[1:]), S[-1]) > 1e-3
        assert torch.equal(frames.images[place], x[0])
        torch.testing.assert_close(frames.full_scores[place], logits, **CLOSE)
        torch.testing.assert_close(frames.singular_values[place], S, **CLOSE)
        for k in range(1, CLASSES + 1):
            kept = Vh[:k].T @ (Vh[:k] @ x.flatten())
            truncated = (U[:, :k] * S[:k]) @ Vh[:k] @ x.flatten() + (logits - A @ x.flatten())
            torch.testing.assert_close(frames.projections[place, k - 1].flatten(), kept, **CLOSE)
            torch.testing.assert_close(frames.scores[place, k - 1], truncated, **CLOSE)
            torch.testing.assert_close(frames.rpr[place, k - 1], kept.norm() ** 2 / x.norm() ** 2, **CLOSE)
            # With 1 at the label and 0 elsewhere, LPR is what the label's row of U has in k columns.
            torch.testing.assert_close(frames.lpr[place, k - 1], U[data.labels[index], :k].square().sum(), **CLOSE)


def test_classes_follow_from_the_scores_and_agree_with_the_table(data):
    model = network(bias=True)
    frames, table = rank_frames(model, data, range(9)), projection_table(model, data, k_max=CLASSES)
    assert torch.equal(frames.rank_k_classes, table.rank_k_classes)
    assert torch.equal(frames.full_classes, table.full_classes)
    torch.testing.assert_close(frames.rpr, table.rpr, **CLOSE)
    torch.testing.assert_close(frames.lpr, table.lpr, **CLOSE)


def test_fewer_ranks_are_the_first_of_all(data):
    few, every = (rank_frames(network(False), data, [2], k_max=k) for k in (2, None))
    assert few.k_max == 2
    torch.testing.assert_close(few.projections, every.projections[:, :2], **CLOSE)


def test_what_cannot_be_shown_is_an_error(data):
    with pytest.raises(IndexError, match="image 9 is not in synthetic"):
        rank_frames(network(False), data, [0, 9])
    with pytest.raises(RankError):
        rank_frames(network(False), data, [0], k_max=CLASSES + 1)
    with pytest.raises(ValueError, match="2 channels; expected 1"):
        rank_frames(network(False), replace(data, images=data.images.expand(-1, 2, -1, -1)), [0])


def table_of(rank_k_classes: list[list[int]], full: list[int], labels: list[int]) -> ProjectionTable:
    """Of a table only what is read here matters."""
    empty = torch.zeros(0)
    columns = dict.fromkeys(
        ("rpr", "lpr", "lpr_centred", "rank_k_confidence", "full_confidence", "margins", "singular_values"), empty
    )
    return ProjectionTable(
        **columns,
        rank_k_classes=torch.tensor(rank_k_classes),
        full_classes=torch.tensor(full),
        labels=torch.tensor(labels),
        largest_residual=0.0,
        shape=(3, 9),
    )


SAID = [[1, 1, 1], [0, 1, 1], [1, 0, 1], [0, 0, 0], [2, 2, 2], [2, 0, 2]]


def test_an_image_settles_where_the_answer_no_longer_changes():
    table = table_of(SAID, [1, 1, 1, 1, 2, 2], [1, 1, 1, 1, 0, 0])
    # The fourth never says what the network says.
    assert settling_ranks(table).tolist() == [1, 2, 3, 4, 1, 3]


def test_chosen_are_the_first_and_the_last_to_settle_of_right_and_wrong_ones():
    table = table_of(SAID, [1, 1, 1, 1, 2, 2], [1, 1, 1, 1, 0, 0])
    assert telling_images([table]) == [0, 3, 4, 5]
    assert telling_images([table], each=1) == [0, 4]
    assert telling_images([table], each=4) == [0, 1, 2, 3, 4, 5]


def test_an_image_is_chosen_once_and_a_network_without_mistakes_has_fewer():
    first = table_of(SAID, [1, 1, 1, 1, 2, 2], [1, 1, 1, 1, 0, 0])
    second = table_of([[0], [1], [0]], [0, 1, 0], [0, 1, 0])
    assert telling_images([first, second]) == [0, 3, 4, 5, 2]
    assert telling_images([second]) == [0, 2]
