"""A training that keeps the network between its epochs."""

import torch
from training_support import recipe, weights

from paperlib.training import initial_network, trained_network
from paperlib.training.snapshots import snapshots


def test_the_first_is_untrained_and_the_last_is_the_trained_network():
    settings = recipe(epochs=2, data="mnist_5000", batch_size=500)
    trained, kept = snapshots(settings)
    assert len(kept) == 3
    expected = [initial_network(settings).state_dict(), None, weights(trained)]
    for model, other in zip(kept, expected, strict=True):
        assert not model.training and not any(parameter.requires_grad for parameter in model.parameters())
        if other is not None:
            assert all(torch.equal(value, other[name]) for name, value in model.state_dict().items())
    one_epoch = trained_network(settings.model_copy(update={"epochs": 1}))
    assert all(torch.equal(value, weights(one_epoch)[name]) for name, value in kept[1].state_dict().items())
