"""Projection ratios on planted subspaces, label maps, and the rank-k network."""

import math

import pytest
import torch
from torch import Tensor

from paperlib.models import mnist_cnn
from paperlib.operators import freeze
from paperlib.projection import (
    ZeroVectorError,
    constant_energy,
    label_vectors,
    left_projection_ratio,
    rank_k_outputs,
    right_projection_ratio,
)
from paperlib.svd import batched_svd, dense_svd

# Sums of at most 784 squares in float64.
CLOSE = dict(rtol=1e-12, atol=1e-12)


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def orthonormal(n: int, k: int, seed: int = 0) -> Tensor:
    return torch.linalg.qr(draw(n, k, seed=seed)).Q


@pytest.fixture(scope="module")
def network():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return mnist_cnn().double().eval()


def images(count: int, seed: int = 1) -> Tensor:
    return torch.rand(count, 1, 28, 28, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


# Both ratios of a subspace given by the orthonormal columns of Q.
RATIOS = {"right": lambda Q, x: right_projection_ratio(Q.mT, x), "left": left_projection_ratio}


@pytest.fixture(params=RATIOS)
def ratio(request):
    return RATIOS[request.param]


def test_ratio_is_one_in_the_subspace_zero_beside_it_and_between_in_general(ratio):
    """generalizability.prop.12."""
    identity = torch.eye(6, dtype=torch.float64)
    Q = identity[:, :3]
    assert ratio(Q, identity[0]).tolist() == [1.0, 1.0, 1.0]
    assert ratio(Q, identity[2]).tolist() == [0.0, 0.0, 1.0]
    assert ratio(Q, identity[5]).tolist() == [0.0, 0.0, 0.0]
    assert ratio(Q, torch.tensor([2.0, 0.0, 2.0, 0.0, 2.0, 2.0])).tolist() == [0.25, 0.25, 0.5]
    assert ratio(Q, torch.tensor([3.0, 0.0, 0.0, 0.0, 0.0, 4.0])).tolist() == [0.36, 0.36, 0.36]


def test_ratio_of_a_planted_part(ratio):
    Q = orthonormal(50, 7)
    outside = draw(50, seed=2)
    outside -= Q @ (Q.T @ outside)
    inside = Q @ draw(7, seed=3)
    inside, outside = inside / inside.norm(), outside / outside.norm()
    for share in (0.0, 0.1, 0.5, 0.9, 1.0):
        x = math.sqrt(share) * inside + math.sqrt(1 - share) * outside
        assert abs(ratio(Q, x)[-1] - share) < 1e-13


def test_ratio_is_that_of_the_projection_itself(ratio):
    Q, x = orthonormal(30, 5), draw(30, seed=1)
    expected = torch.stack([(Q[:, :k] @ Q[:, :k].T @ x).norm() ** 2 / x.norm() ** 2 for k in range(1, 6)])
    torch.testing.assert_close(ratio(Q, x), expected, **CLOSE)


def test_ratio_never_decreases_and_stays_between_zero_and_one(ratio):
    Q, x = torch.stack([orthonormal(20, 20, seed) for seed in range(40)]), draw(40, 20)
    found = ratio(Q, x)
    assert found.shape == (40, 20)
    assert (found.diff(dim=1) >= 0).all()
    # The sum of twenty squares may pass their whole by rounding.
    assert (found >= 0).all() and (found <= 1 + 1e-14).all()
    torch.testing.assert_close(found[:, -1], torch.ones(40, dtype=torch.float64), **CLOSE)


def test_ratio_does_not_depend_on_scale_or_sign(ratio):
    Q, x = orthonormal(30, 5), draw(30)
    for factor in (1e-20, 1e-3, -1.0, 7.0, 1e20):
        torch.testing.assert_close(ratio(Q, factor * x), ratio(Q, x), **CLOSE)
        torch.testing.assert_close(ratio(-Q, x), ratio(Q, x), rtol=0, atol=0)


def test_float32_vectors_are_projected_in_float64(ratio):
    Q, x = orthonormal(30, 5), draw(30).float()
    assert ratio(Q, x).dtype == torch.float64
    torch.testing.assert_close(ratio(Q, x), ratio(Q, x.double()), rtol=0, atol=0)


def test_all_zero_vectors_have_no_ratio():
    Q = orthonormal(6, 2).expand(3, 6, 2)
    x = draw(3, 6)
    x[1] = 0
    with pytest.raises(ZeroVectorError, match="all-zero image is undefined"):
        right_projection_ratio(Q.mT, x)
    with pytest.raises(ZeroVectorError, match="all-zero label vector is undefined"):
        left_projection_ratio(Q, x)


@pytest.mark.parametrize(("ratio", "size"), [(RATIOS["right"], 784), (RATIOS["left"], 10)], ids=["right", "left"])
def test_mean_over_random_subspaces_is_their_share_of_the_dimensions(ratio, size):
    trials, x = 400, draw(size, seed=9)
    generator = torch.Generator().manual_seed(4)
    Q = torch.linalg.qr(torch.randn(trials, size, 5, dtype=torch.float64, generator=generator)).Q
    found = ratio(Q, x.expand(trials, size))
    expected = torch.arange(1, 6) / size
    standard_error = found.std(0) / math.sqrt(trials)
    # A fixed seed; a mean beyond four standard errors would be one in sixteen thousand.
    assert ((found.mean(0) - expected).abs() < 4 * standard_error).all()


def test_a_network_without_an_image_in_its_row_space_sees_nothing_of_it():
    """generalizability.prop.12: an image in the null space of a fixed matrix has the ratio 0, one in the range 1."""
    A = draw(4, 20)
    found = dense_svd(A)
    Vh = found.Vh
    x = draw(20, seed=1)
    inside = Vh.T @ (Vh @ x)
    assert right_projection_ratio(Vh, x - inside)[-1] < 1e-28
    assert abs(right_projection_ratio(Vh, inside)[-1] - 1) < 1e-13
    # RPR(x; r) = 1 - |x_N|^2 / |x|^2.
    share = 1 - (x - inside).norm() ** 2 / x.norm() ** 2
    assert abs(right_projection_ratio(Vh, x)[-1] - share) < 1e-13


def test_label_map_of_the_paper():
    y = label_vectors(torch.tensor([3, 0]), 10)
    assert y.dtype == torch.float64 and y.shape == (2, 10)
    assert y[0].tolist() == [-2.0] * 3 + [2.0] + [-2.0] * 6
    assert y.square().sum(1).tolist() == [40.0, 40.0]
    scores = y[0].softmax(0)
    assert abs(scores[3] - 0.8585) < 5e-5
    assert (scores[torch.arange(10) != 3] - 0.01572).abs().max() < 5e-6
    assert torch.nn.functional.cosine_similarity(y[:1], y[1:]).item() == pytest.approx(0.6, abs=1e-15)


def test_constant_energy_of_the_label_maps():
    labels = torch.arange(10)
    torch.testing.assert_close(
        constant_energy(label_vectors(labels, 10)), torch.full((10,), 0.64, dtype=torch.float64), **CLOSE
    )
    assert constant_energy(label_vectors(labels, 10, centred=True)).max() < 1e-30
    one_hot = constant_energy(label_vectors(labels, 10, high=4, low=0))
    torch.testing.assert_close(one_hot, torch.full((10,), 0.1, dtype=torch.float64), **CLOSE)
    assert constant_energy(label_vectors(labels, 10, high=3.6, low=-0.4)).max() < 1e-30
    constant = torch.ones(10, dtype=torch.float64)
    assert constant_energy(constant) == 1


def test_centring_removes_what_softmax_ignores():
    plain, centred = label_vectors(torch.tensor([7]), 10), label_vectors(torch.tensor([7]), 10, centred=True)
    torch.testing.assert_close(plain.softmax(1), centred.softmax(1), **CLOSE)
    torch.testing.assert_close(centred, label_vectors(torch.tensor([7]), 10, high=3.6, low=-0.4), **CLOSE)


def test_a_constant_left_vector_alone_holds_64_percent_of_every_label():
    constant = torch.full((10, 1), 10**-0.5, dtype=torch.float64)
    for label in range(10):
        y = label_vectors(torch.tensor([label]), 10)[0]
        assert left_projection_ratio(constant, y).item() == pytest.approx(0.64, abs=1e-14)
        own = torch.eye(10, dtype=torch.float64)[:, label : label + 1]
        assert left_projection_ratio(own, y).item() == pytest.approx(0.1, abs=1e-14)


def test_ten_left_vectors_hold_every_label(network):
    """generalizability.prop.12: LPR(y; 10) = 1."""
    triplets = batched_svd(freeze(network, images(4)))
    y = label_vectors(torch.tensor([0, 3, 9, 5]), 10)
    ratios = left_projection_ratio(triplets.U, y)
    torch.testing.assert_close(ratios[:, 9], torch.ones(4, dtype=torch.float64), **CLOSE)
    assert (ratios[:, 0] < 1).all()


@pytest.mark.parametrize("factor", [0.03, 1.7, 100.0])
def test_ratio_of_a_scaled_image_is_the_same(network, factor):
    """generalizability.prop.10: A[c x] = A[x], so RPR(c x) = RPR(x)."""
    x = images(3)
    here, there = (batched_svd(freeze(network, scaled)) for scaled in (x, factor * x))
    before = right_projection_ratio(here.Vh, x.flatten(1))
    after = right_projection_ratio(there.Vh, factor * x.flatten(1))
    torch.testing.assert_close(after, before, rtol=1e-9, atol=1e-10)


def test_rank_k_outputs_are_those_of_the_truncated_matrix(network):
    x = images(3)
    frozen = freeze(network, x)
    found = rank_k_outputs(batched_svd(frozen), x.flatten(1))
    assert found.shape == (3, 10, 10)
    for index in range(3):
        U, S, Vh = torch.linalg.svd(frozen[index].dense(), full_matrices=False)
        for k in range(1, 11):
            truncated = (U[:, :k] * S[:k]) @ Vh[:k]
            torch.testing.assert_close(found[index, k - 1], truncated @ x[index].flatten(), rtol=1e-9, atol=1e-11)
            # generalizability.prop.11: the spectral norm of what is left out is the next singular value.
            left_out = torch.linalg.matrix_norm(frozen[index].dense() - truncated, 2)
            assert abs(left_out - (S[k] if k < 10 else 0.0)) < 1e-12
    torch.testing.assert_close(found[:, 9], network(x).detach(), rtol=1e-10, atol=1e-12)


def test_rank_k_outputs_of_a_network_with_biases_end_at_its_output():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 6), torch.nn.ReLU(), torch.nn.Linear(6, 4))
    model, x = model.double().eval(), draw(3, 1, 3, 4)
    frozen = freeze(model, x)
    triplets = batched_svd(frozen)
    with_offset = rank_k_outputs(triplets, x.flatten(1), frozen.offset())
    torch.testing.assert_close(with_offset[:, -1], model(x).detach(), **CLOSE)
    without = rank_k_outputs(triplets, x.flatten(1))
    torch.testing.assert_close(with_offset - without, frozen.offset().unsqueeze(1).expand(3, 4, 4), **CLOSE)


def test_zero_logits_give_uniform_scores_and_the_first_class(network):
    """generalizability.prop.15: an image in the null space is classified as the first class."""
    zeros = network(torch.zeros(1, 1, 28, 28, dtype=torch.float64))[0].detach()
    assert torch.equal(zeros, torch.zeros(10, dtype=torch.float64))
    assert zeros.softmax(0).tolist() == [0.1] * 10
    assert zeros.argmax() == 0 and zeros.numpy().argmax() == 0
    triplets = dense_svd(draw(10, 30))
    x = draw(30, seed=1)
    hidden = x - triplets.Vh.T @ (triplets.Vh @ x)
    assert rank_k_outputs(triplets, hidden).abs().max() < 1e-13


def test_single_precision_vectors_of_a_volume_are_summed_in_double():
    """A million equal entries: sums in float32 would err by 1e-4, one rounding of each entry by 1e-7."""
    size = 1_000_003
    Vh = torch.full((1, size), size**-0.5)
    ratio = right_projection_ratio(Vh, torch.full((size,), 0.1))
    assert ratio.dtype == torch.float64
    assert abs(ratio.item() - 1) < 5e-7
