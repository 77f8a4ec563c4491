"""Training by cross-entropy leaves the sum of a last layer's rows alone."""

import pytest
import torch
from training_support import TEST, TRAIN, recipe

from paperlib.training import initial_network, train


def sums(**words) -> tuple[torch.Tensor, torch.Tensor, int]:
    """Sum of the rows before and after training, and the number of steps."""
    words = {"options": {"widths": (784, 10), "activation": "none"}, "epochs": 5} | words
    found = recipe(architecture="fully_connected", **words)
    before = initial_network(found).linear1.weight.detach().double().sum(0)
    after = train(found, TRAIN, TEST).model.linear1.weight.double().sum(0)
    return before, after, found.epochs * -(-len(TRAIN) // found.batch_size)


@pytest.mark.parametrize("batch_size", [1, 8, 40])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_descent_keeps_the_sum_of_the_rows(batch_size, momentum):
    before, after, _ = sums(batch_size=batch_size, momentum=momentum, learning_rate=0.02)
    torch.testing.assert_close(after, before, rtol=0, atol=1e-5)


def test_weight_decay_shrinks_it_by_the_same_factor_each_step():
    before, after, steps = sums(learning_rate=0.02, weight_decay=0.5)
    assert steps == 25
    torch.testing.assert_close(after, before * (1 - 0.02 * 0.5) ** steps, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    "words",
    [
        {"optimiser": "adam", "learning_rate": 0.001},
        {"options": {"widths": (784, 10), "activation": "selu", "last_activation": True}, "learning_rate": 0.02},
    ],
    ids=["adam", "selu"],
)
def test_adam_and_an_activation_behind_the_layer_move_it(words):
    before, after, _ = sums(**words)
    assert (after - before).norm() > 0.01 * before.norm()
