"""Signals by reduced outputs against the definition by receptive fields."""

import pytest
import torch
from signal_support import fields_of, inputs_of, signals_by_definition, unfolding_of
from torch import nn

from paperlib.hypergraphs import signal_layers, signal_vectors
from paperlib.subspaces.layers import LayerError

# The layer under test and the shape of one image; the layer reads the image itself.
CASES = {
    "same padding": (lambda: nn.Conv2d(3, 5, 3, padding=1), (3, 7, 6)),
    "stride and dilation": (lambda: nn.Conv2d(2, 4, 3, stride=2, dilation=2, padding=2), (2, 11, 9)),
    "circular": (lambda: nn.Conv2d(2, 9, 3, padding=1, padding_mode="circular"), (2, 6, 6)),
    "non-square": (lambda: nn.Conv2d(2, 3, (1, 4), bias=False), (2, 5, 8)),
    "grouped": (lambda: nn.Conv2d(6, 8, 3, groups=2), (6, 6, 6)),
    "depthwise": (lambda: nn.Conv2d(4, 8, 3, groups=4, padding=1), (4, 5, 5)),
    "one axis": (lambda: nn.Conv1d(3, 4, 5), (3, 12)),
    "three axes": (lambda: nn.Conv3d(2, 3, 2), (2, 4, 5, 4)),
    "fully connected": (lambda: nn.Linear(6, 4), (6,)),
    "fully connected at positions": (lambda: nn.Linear(6, 9), (5, 6)),
}


def network(case):
    torch.manual_seed(len(case))
    make, shape = CASES[case]
    # In place: what the hook sees must be kept before it is overwritten.
    return nn.Sequential(make(), nn.ReLU(inplace=True)).double(), torch.randn(6, *shape).double()


@pytest.mark.parametrize("case", CASES)
def test_signals_are_those_of_the_mean_receptive_field(case):
    model, images = network(case)
    found = signal_vectors(model, images, batch_size=4)["0"]
    expected = signals_by_definition(model, "0", images, found.V, len(found.singular_values))
    assert found.signals.dtype == torch.float64
    torch.testing.assert_close(found.signals, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("case", CASES)
def test_the_triplets_are_those_of_the_output_unfolding(case):
    model, _ = network(case)
    found = signal_vectors(model, network(case)[1])["0"]
    W = unfolding_of(model[0])
    torch.testing.assert_close(found.U * found.singular_values @ found.V.mT, W, rtol=0, atol=1e-10)
    largest = found.V.gather(0, found.V.abs().argmax(0, keepdim=True))
    assert (largest > 0).all() and (found.singular_values.diff() <= 0).all()


def test_a_signal_is_the_mean_over_receptive_fields_not_that_of_its_magnitude():
    model, images = network("same padding")
    found = signal_vectors(model, images)["0"]
    fields = fields_of(model[0], inputs_of(model, "0", images))
    each = fields @ found.V * found.singular_values
    torch.testing.assert_close(found.signals, each.mean(1), rtol=0, atol=1e-10)
    # Cancellation: the mean of the magnitudes is larger by far.
    assert (found.signals.abs() < each.abs().mean(1)).all()


def test_zero_singular_values_have_no_signal():
    model = nn.Sequential(nn.Linear(5, 4, bias=False))
    with torch.no_grad():
        model[0].weight[3] = model[0].weight[0]
    found = signal_vectors(model, torch.randn(3, 5))["0"]
    assert found.signals.shape == (3, 3) and found.U.shape == (4, 3) and found.V.shape == (5, 3)


def deep():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.ReLU(inplace=True), nn.Conv2d(4, 6, 3, groups=2), nn.ReLU(inplace=True),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(6 * 16, 8), nn.ReLU(inplace=True), nn.Dropout(0.5), nn.Linear(8, 3),
    )  # fmt: skip


def test_all_layers_of_one_pass_are_those_of_a_pass_each():
    model, images = deep(), torch.rand(7, 1, 12, 12)
    together = signal_vectors(model, images, batch_size=3)
    assert list(together) == ["0", "2", "6", "9"]
    for path, found in together.items():
        alone = signal_vectors(model, images, [path])[path]
        torch.testing.assert_close(found.signals, alone.signals, rtol=1e-5, atol=1e-6)
        expected = signals_by_definition(model.eval(), path, images, found.V, len(found.singular_values))
        # Single precision, sums of 96 products at most.
        torch.testing.assert_close(found.signals.double(), expected, rtol=1e-4, atol=1e-5)


def test_one_pass_runs_every_layer_once_for_each_batch_and_leaves_nothing_behind():
    model, images = deep(), torch.rand(7, 1, 12, 12)
    model.train()
    calls = []
    model[2].register_forward_hook(lambda *_: calls.append(1))
    signal_vectors(model, images, batch_size=3)
    assert len(calls) == 3 and model.training and model[8].training
    assert not model[0]._forward_hooks and len(model[2]._forward_hooks) == 1


def test_the_weights_of_half_precision_are_added_up_in_single():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3)).to(torch.bfloat16)
    found = signal_vectors(model, torch.rand(2, 1, 40, 40).to(torch.bfloat16))["0"]
    assert found.signals.dtype == torch.float32 and torch.isfinite(found.signals).all()


def test_hooks_are_gone_after_a_failure():
    model = deep()
    with pytest.raises(RuntimeError):
        signal_vectors(model, torch.rand(2, 3, 12, 12))
    assert not any(module._forward_hooks for module in model.modules())


def test_an_unknown_layer_names_those_there_are():
    with pytest.raises(LayerError, match=r"no fully connected layer or convolution 'conv9'; it has: 0, 2, 6, 9"):
        signal_vectors(deep(), torch.rand(1, 1, 12, 12), ["conv9"])


def test_a_model_without_layers_is_refused():
    with pytest.raises(LayerError, match="has no fully connected layer and no convolution"):
        signal_vectors(nn.Sequential(nn.ReLU()), torch.rand(1, 2))


@pytest.mark.parametrize(("times", "words"), [(0, "ran 0 times"), (2, "ran 2 times")])
def test_a_layer_must_run_exactly_once(times, words):
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(4, 4)

        def forward(self, x):
            for _ in range(times):
                x = self.layer(x)
            return x

    with pytest.raises(LayerError, match=words):
        signal_vectors(Odd(), torch.rand(3, 4))


def test_an_empty_sample_is_refused():
    with pytest.raises(ValueError, match="the sample has no images"):
        signal_vectors(deep(), torch.rand(0, 1, 12, 12))


def test_signals_that_are_not_finite_name_the_layer_and_the_image():
    images = torch.rand(4, 1, 12, 12)
    images[2, 0, 5, 5] = float("nan")
    with pytest.raises(ValueError, match=r"1 of 4 images have signals at layer '0' .* the first image 2"):
        signal_vectors(deep(), images)


def test_the_layers_that_have_signals():
    model = nn.Sequential(nn.Conv1d(1, 1, 1), nn.ConvTranspose1d(1, 1, 1), nn.BatchNorm1d(1), nn.Linear(1, 1))
    assert list(signal_layers(model)) == ["0", "3"]
