"""The projection table of a data set against one image at a time by autograd and `torch.linalg.svd`."""

import pytest
import torch
from torch import nn
from torch.autograd.functional import jacobian

from paperlib.analysis import ProjectionTable, projection_pictures, projection_table
from paperlib.datasets import ImageData
from paperlib.layers import SumPool
from paperlib.projection import ZeroVectorError
from paperlib.svd import RankError

CLASSES, COUNT = 5, 13
ROUNDING = 1e-13
# Singular vectors of a float64 matrix whose gaps are about a hundredth of its norm.
CLOSE = dict(rtol=1e-8, atol=1e-9)


def small_network(bias: bool = False, seed: int = 0) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers = nn.Conv2d(1, 4, 3, padding=1, bias=bias), nn.ReLU(), SumPool(2), nn.Flatten()
        head = nn.Linear(36, 40, bias=bias), nn.ReLU(), nn.Linear(40, CLASSES, bias=bias)
        return nn.Sequential(*layers, *head).double().eval()


@pytest.fixture
def data() -> ImageData:
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(COUNT, 1, 6, 6, dtype=torch.float64, generator=generator)
    labels = torch.randint(CLASSES, (COUNT,), generator=generator)
    return ImageData(images, labels, "synthetic", "test", "Synthetic", "made here", "")


def reference(model: nn.Module, data: ImageData, high: float = 2.0, low: float = -2.0) -> list[dict]:
    """Every column of the table, one image after the other, with nothing of the library."""
    rows = []
    for image, label in zip(data.images, data.labels, strict=True):
        x = image.flatten()
        logits = model(image.unsqueeze(0))[0].detach()
        A = jacobian(model, image.unsqueeze(0)).reshape(CLASSES, -1)
        offset = logits - A @ x
        U, S, Vh = torch.linalg.svd(A, full_matrices=False)
        y = torch.full((CLASSES,), low, dtype=torch.float64)
        y[label] = high
        centred = y - y.mean()
        ranks = range(1, CLASSES + 1)
        outputs = torch.stack([(U[:, :k] * S[:k]) @ (Vh[:k] @ x) + offset for k in ranks])
        top = logits.sort(descending=True).values
        rows.append(
            {
                "rpr": torch.stack([(Vh[:k] @ x).square().sum() / x.square().sum() for k in ranks]),
                "lpr": torch.stack([(U[:, :k].T @ y).square().sum() / y.square().sum() for k in ranks]),
                "lpr_centred": torch.stack(
                    [(U[:, :k].T @ centred).square().sum() / centred.square().sum() for k in ranks]
                ),
                "rank_k_classes": outputs.argmax(1),
                "rank_k_confidence": outputs.softmax(1).max(1).values,
                "full_classes": logits.argmax(),
                "full_confidence": logits.softmax(0).max(),
                "margins": (top[0] - top[1]) / logits.norm(),
                "singular_values": S,
            }
        )
    return rows


@pytest.mark.parametrize("bias", [False, True], ids=["without biases", "with biases"])
def test_table_is_that_of_one_image_after_the_other(data, bias):
    model = small_network(bias)
    table = projection_table(model, data, k_max=CLASSES, batch_size=4)
    for index, row in enumerate(reference(model, data)):
        for name, expected in row.items():
            torch.testing.assert_close(
                getattr(table, name)[index], expected, **CLOSE, msg=lambda m, n=name: f"{n}: {m}"
            )
    assert torch.equal(table.labels, data.labels)
    assert table.largest_residual < 1e-11
    assert table.shape == (CLASSES, 36)


def test_last_rank_is_the_network_itself(data):
    """generalizability.prop.11: the network of full rank, and LPR = 1."""
    table = projection_table(small_network(), data, k_max=CLASSES)
    assert torch.equal(table.rank_k_classes[:, -1], table.full_classes)
    assert torch.equal(table.rank_k_correct[:, -1], table.full_correct)
    torch.testing.assert_close(table.rank_k_confidence[:, -1], table.full_confidence, **CLOSE)
    for ratios in (table.lpr, table.lpr_centred):
        torch.testing.assert_close(ratios[:, -1], torch.ones(COUNT, dtype=torch.float64), **CLOSE)
    for ratios in (table.rpr, table.lpr, table.lpr_centred):
        assert (ratios.diff(dim=1) >= 0).all() and (ratios >= 0).all() and (ratios <= 1 + ROUNDING).all()
    assert (table.singular_values.diff(dim=1) <= 0).all()


def columns(table: ProjectionTable) -> dict[str, torch.Tensor]:
    return {name: value for name, value in vars(table).items() if isinstance(value, torch.Tensor)}


@pytest.mark.parametrize("batch_size", [1, 5, 13, 100])
def test_table_does_not_depend_on_the_batch_size(data, batch_size):
    model = small_network()
    expected = columns(projection_table(model, data, k_max=4, batch_size=3))
    found = columns(projection_table(model, data, k_max=4, batch_size=batch_size))
    assert expected.keys() == found.keys()
    for name, value in found.items():
        torch.testing.assert_close(value, expected[name], **CLOSE)
    assert found["rpr"].shape == (COUNT, 4)


def test_label_map_is_that_of_the_call(data):
    model = small_network()
    table = projection_table(model, data, k_max=CLASSES, label_map=(4.0, 0.0))
    expected = torch.stack([row["lpr"] for row in reference(model, data, high=4.0, low=0.0)])
    torch.testing.assert_close(table.lpr, expected, **CLOSE)
    plain = projection_table(model, data, k_max=CLASSES)
    torch.testing.assert_close(table.lpr_centred, plain.lpr_centred, **CLOSE)


def test_correctness_compares_with_the_labels(data):
    table = projection_table(small_network(), data, k_max=2)
    assert table.rank_k_correct.shape == (COUNT, 2) and table.rank_k_correct.dtype == torch.bool
    for index in range(COUNT):
        assert table.full_correct[index] == (table.full_classes[index] == data.labels[index])
        assert table.rank_k_correct[index, 1] == (table.rank_k_classes[index, 1] == data.labels[index])


def test_an_all_zero_image_is_refused(data):
    data.images[7] = 0
    with pytest.raises(ZeroVectorError, match="all-zero image"):
        projection_table(small_network(), data, k_max=2, batch_size=4)


def test_a_rank_beyond_the_bound_is_refused(data):
    with pytest.raises(RankError, match=r"6 singular triplets.*5 x 36"):
        projection_table(small_network(), data, k_max=CLASSES + 1)


def test_a_network_that_is_dead_at_an_image_ties_there(data):
    """With every gate closed the logits are zero: no margin, and the first class."""
    model = small_network()
    with torch.no_grad():
        model[4].weight.copy_(-model[4].weight.abs())
    table = projection_table(model, data, k_max=CLASSES)
    assert torch.equal(table.margins, torch.zeros(COUNT, dtype=torch.float64))
    assert (table.full_classes == 0).all() and (table.rank_k_classes == 0).all()
    assert torch.equal(table.singular_values, torch.zeros(COUNT, CLASSES, dtype=torch.float64))
    assert table.largest_residual == 0


def test_pictures_hold_the_projection_of_their_image(data):
    model = small_network()
    pictures = projection_pictures(model, data, [3, 0], k=2)
    rows = reference(model, data)
    for picture, index in zip(pictures, (3, 0), strict=True):
        A = jacobian(model, data.images[index : index + 1]).reshape(CLASSES, -1)
        Vh = torch.linalg.svd(A, full_matrices=False).Vh[:2]
        image, projection = picture.projection
        assert (picture.index, picture.label) == (index, int(data.labels[index]))
        assert torch.equal(image, data.images[index, 0])
        torch.testing.assert_close(projection.flatten(), Vh.T @ (Vh @ image.flatten()), **CLOSE)
        assert len(picture.vectors) == 2 and picture.vectors[0].shape == (6, 6)
        torch.testing.assert_close(torch.tensor(picture.singular_values).double(), rows[index]["singular_values"][:2])
        assert picture.rpr == pytest.approx(rows[index]["rpr"][1].item(), rel=1e-8)
        assert len(picture.titles) == 2


@pytest.mark.parametrize("index", [-1, COUNT])
def test_a_picture_outside_the_data_is_refused(data, index):
    with pytest.raises(IndexError, match=rf"image {index} is not in synthetic \(test\); its places are 0..12"):
        projection_pictures(small_network(), data, [0, index])
