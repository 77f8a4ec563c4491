"""The corrections to `convsvd`: each with its number, by a second way where there is one."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from paperlib.convsvd import errata_checks as checks
from paperlib.convsvd.errata import ERRATA, errata_numbers
from paperlib.convsvd.hypergraph_study import mean_size_bound
from paperlib.errata import errata_rows
from paperlib.models import four_layer_cnn, vgg

PRINTED_W2 = [3.21e6, 3.21e6, 6.42e6, 1.61e6, 3.21e6, 3.21e6, 3.21e6, 6.42e6, 1.61e6, 1.61e6, 1.61e6, 1.61e6]


@pytest.fixture(scope="module")
def numbers():
    torch.manual_seed(0)
    return errata_numbers(four_layer_cnn(), torch.rand(4, 1, 28, 28), seed=0)


def test_every_number_has_a_correction_and_every_correction_a_check(numbers):
    assert set(numbers) <= {one.name for one in ERRATA}
    by_reading = {"index_range", "single_class", "share_of_images", "citations", "psi", "third_matrix"}
    assert {one.name for one in ERRATA} - set(numbers) == by_reading
    rows = errata_rows(ERRATA, numbers)
    assert all(len(row) == 4 and all(row) for row in rows)


def test_printed_counts_follow_from_positions_among_all_modules_and_not_from_the_maps():
    counts = checks.vgg_counts()
    by_module = torch.tensor(counts["W2_by_module"], dtype=torch.float64)
    # Three printed digits.
    assert ((by_module / torch.tensor(PRINTED_W2) - 1).abs() < 0.005).all()
    differ = [a != b for a, b in zip(counts["W2"], counts["W2_by_module"], strict=True)]
    assert differ == [False] + [True] * 11


def test_sizes_of_maps_are_those_of_the_network():
    network = vgg(16, width=1 / 64, hidden=4).eval()
    entering = []
    for module in network.features:
        if isinstance(module, nn.Conv2d):
            module.register_forward_pre_hook(lambda _, x: entering.append(x[0].shape[-1]))
    with torch.no_grad():
        network(torch.zeros(1, 3, 64, 64))
    assert checks.vgg_counts(64)["sizes"] == entering[1:]


def test_the_sizes_behind_the_first_modules_are_those_of_a_run():
    features = vgg(16, width=1 / 64, hidden=4).features
    with torch.no_grad():
        sizes = [features[:number](torch.zeros(1, 3, 64, 64)).shape[-1] for number in range(2, 14)]
    assert checks.vgg_counts(64)["module_sizes"] == sizes


def test_numbers_of_singular_values_are_ranks_of_matrices(numbers):
    torch.manual_seed(0)
    W = torch.randn(3, 3, 2, 2, dtype=torch.float64)
    images = torch.eye(48, dtype=torch.float64).reshape(48, 3, 4, 4)
    W2 = F.conv2d(images, W).flatten(1).T
    found = numbers["bounds"]
    assert found["W1"] == torch.linalg.matrix_rank(W.flatten(1)) == 3
    assert found["W2"] == torch.linalg.matrix_rank(W2) == 27
    assert (found["ck2"], found["cm2"]) == (12, 48)


def test_printed_exponents(numbers):
    found = numbers["exponents"]
    assert (found["lower_for_W1"], found["layers"], found["below_2"]) == (5, 12, 3)
    assert found["mean_W1"] == pytest.approx(3.45, abs=0.005)
    assert found["mean_W2"] == pytest.approx(3.27, abs=0.005)


def test_maps_of_the_four_layer_network(numbers):
    assert numbers["map_sizes"] == [28, 26, 24, 12]


def test_expansion_lacks_the_null_space(numbers):
    # The share of the energy is 1 - 5/27 on average, and every draw is far from none at all.
    assert 0.5 < numbers["expansion"]["left_out"] < 1
    assert numbers["expansion"]["product"] < 1e-14


def test_embedding_is_adjoint_and_right_inverse_alone(numbers):
    found = numbers["embedding"]
    assert found["field_again"] == 0
    assert found["adjoint"] < 1e-14
    assert found["image_again"] > 0.5


def test_signs_are_a_convention(numbers):
    found = numbers["signs"]
    # One quarter of sixteen signals has the larger magnitudes.
    assert found["significant"] + found["significant_turned"] == 4
    assert found["significant"] != found["significant_turned"]
    assert found["error"] < 1e-13


def test_the_bound_on_sizes_is_that_of_the_study(numbers):
    assert numbers["sizes"] == pytest.approx(mean_size_bound(0.85, 75, 64)) == pytest.approx(12.8)


def test_signals_of_one_sign_do_not_cancel_and_opposite_ones_do():
    layer = nn.Conv2d(1, 1, (1, 2), bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[[[-1.0, 1.0]]]]))
    rising, alternating = torch.arange(6.0).expand(1, 1, 3, 6), torch.tensor([0.0, 1, 0, 1, 0]).expand(1, 1, 3, 5)
    assert checks.cancellation(layer, rising) == pytest.approx([1])
    assert checks.cancellation(layer, alternating) == pytest.approx([0], abs=1e-12)
