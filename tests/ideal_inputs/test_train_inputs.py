"""One batched optimisation of inputs against the loop over single images, autograd and theory."""

import pytest
import torch
from ideal_support import fully_connected_net, loop, problem, small_net
from torch import nn

from paperlib.ideal_inputs import InputTrainingError, mean_drop, relative_drop, train_inputs, train_starts
from paperlib.ideal_inputs.study import drop_by_rate

NETWORKS = {"fully connected": fully_connected_net, "convolutions": small_net}
SETTINGS = {
    "sgd": ({"learning_rate": 0.05}, lambda images: torch.optim.SGD(images, lr=0.05)),
    "momentum": (
        {"learning_rate": 0.05, "momentum": 0.9},
        lambda images: torch.optim.SGD(images, lr=0.05, momentum=0.9),
    ),
    "adam": ({"learning_rate": 0.02, "optimiser": "adam"}, lambda images: torch.optim.Adam(images, lr=0.02)),
}


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("name", SETTINGS)
def test_a_batch_takes_the_steps_of_single_images(network, name):
    model, (starts, targets) = NETWORKS[network](), problem()
    settings, make_optimiser = SETTINGS[name]
    found = train_inputs(model, starts, targets, steps=15, **settings)
    losses, images = loop(model, starts, targets, 15, make_optimiser)
    # float64: rounding of 1e-16 grows a little over the steps.
    torch.testing.assert_close(found.losses, losses, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(found.images, images, rtol=1e-10, atol=1e-10)
    assert not torch.equal(found.images, starts)


@pytest.mark.parametrize("network", NETWORKS)
def test_a_batch_takes_the_steps_of_single_images_in_float32(network):
    model, (starts, targets) = NETWORKS[network](dtype=torch.float32), problem(dtype=torch.float32)
    found = train_inputs(model, starts, targets, steps=10, learning_rate=0.01)
    losses, _ = loop(model, starts, targets, 10, lambda images: torch.optim.SGD(images, lr=0.01))
    torch.testing.assert_close(found.losses, losses, rtol=1e-4, atol=1e-6)


def test_images_are_the_same_in_whatever_company():
    model, (starts, targets) = small_net(), problem()
    together = train_inputs(model, starts, targets, steps=8, learning_rate=0.05)
    alone = train_inputs(model, starts[2:3], targets[2:3], steps=8, learning_rate=0.05)
    torch.testing.assert_close(together.images[2:3], alone.images, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("network", NETWORKS)
def test_first_step_is_the_gradient_of_each_image_alone(network):
    model, (starts, targets) = NETWORKS[network](), problem()
    found = train_inputs(model, starts, targets, steps=1, learning_rate=0.5)
    for image, target, after in zip(starts, targets, found.images, strict=True):
        gradient = torch.func.grad(lambda x, t=target: (model(x.unsqueeze(0))[0] - t).square().mean())(image)
        torch.testing.assert_close(image - after, 0.5 * gradient, rtol=1e-9, atol=1e-12)


def test_distances_are_those_of_the_model_and_belong_to_the_losses():
    model, (starts, targets) = small_net(), problem()
    found = train_inputs(model, starts, targets, steps=20, learning_rate=0.05)
    with torch.no_grad():
        torch.testing.assert_close(found.before, (model(starts) - targets).norm(dim=1))
        torch.testing.assert_close(found.after, (model(found.images) - targets).norm(dim=1))
    assert found.losses.shape == (21, 5)
    torch.testing.assert_close((3 * found.losses[0]).sqrt(), found.before)
    torch.testing.assert_close((3 * found.losses[-1]).sqrt(), found.after)
    assert (found.after < found.before).all()


def orthonormal_layer(outputs: int, inputs: int) -> nn.Linear:
    layer = nn.Linear(inputs, outputs, bias=False).double().eval()
    rows = torch.linalg.qr(
        torch.randn(inputs, outputs, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    )
    with torch.no_grad():
        layer.weight.copy_(rows.Q.mT)
    return layer


@pytest.mark.parametrize("learning_rate", [0.1, 0.7])
def test_orthonormal_rows_converge_at_the_rate_of_theory(learning_rate):
    """The gradient of the mean squared error over C outputs is (2/C) W^T e, so each step takes 1 - 2 lr / C of e."""
    layer = orthonormal_layer(4, 9)
    generator = torch.Generator().manual_seed(3)
    starts, targets = (torch.randn(6, size, dtype=torch.float64, generator=generator) for size in (9, 4))
    found = train_inputs(layer, starts, targets, steps=40, learning_rate=learning_rate)
    factor = 1 - 2 * learning_rate / 4
    expected = found.losses[0] * factor ** (2 * torch.arange(41, dtype=torch.float64)).unsqueeze(1)
    torch.testing.assert_close(found.losses, expected, rtol=1e-8, atol=1e-20)
    torch.testing.assert_close(relative_drop(found), torch.full((6,), 1 - factor**40, dtype=torch.float64))


def test_orthonormal_rows_are_reached_in_one_step_of_half_the_number_of_outputs():
    layer, starts, targets = orthonormal_layer(4, 9), torch.ones(1, 9).double(), torch.arange(4.0).double()[None]
    found = train_inputs(layer, starts, targets, steps=1, learning_rate=2.0)
    assert found.after.item() < 1e-12
    # What the rows do not see stays: the step lies in the row space.
    moved = found.images - starts
    torch.testing.assert_close(moved, moved @ layer.weight.mT @ layer.weight)


def test_model_and_starts_are_left_as_they_were():
    model, (starts, targets) = small_net(), problem()
    model.head.bias.requires_grad_(False)
    wanted = {name: parameter.requires_grad for name, parameter in model.named_parameters()}
    before = {name: value.clone() for name, value in model.state_dict().items()}
    copy = starts.clone()
    train_inputs(model, starts, targets, steps=3, learning_rate=0.1)
    assert {name: parameter.requires_grad for name, parameter in model.named_parameters()} == wanted
    assert sorted(set(wanted.values())) == [False, True]
    assert all(parameter.grad is None for parameter in model.parameters())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert torch.equal(starts, copy) and not starts.requires_grad
    with pytest.raises(InputTrainingError):
        train_inputs(
            orthonormal_layer(4, 9), torch.ones(1, 9).double(), torch.ones(1, 4), steps=2000, learning_rate=1e3
        )
    with pytest.raises(ValueError):
        train_inputs(model, starts, targets[:, :2], steps=3, learning_rate=0.1)
    assert {name: parameter.requires_grad for name, parameter in model.named_parameters()} == wanted


def test_bounds_clip_after_every_step():
    model, (starts, targets) = small_net(), problem()
    free = train_inputs(model, starts, targets, steps=10, learning_rate=2.0)
    held = train_inputs(model, starts, targets, steps=10, learning_rate=2.0, bounds=(0.0, 1.0))
    assert free.images.min() < 0 and free.images.max() > 1
    assert held.images.min() == 0 and held.images.max() <= 1
    first = train_inputs(model, starts, targets, steps=1, learning_rate=2.0).images.clamp(0, 1)
    second = train_inputs(model, first, targets, steps=1, learning_rate=2.0).images.clamp(0, 1)
    two = train_inputs(model, starts, targets, steps=2, learning_rate=2.0, bounds=(0.0, 1.0))
    torch.testing.assert_close(two.images, second, rtol=1e-10, atol=1e-10)


def test_several_starts_in_one_batch_are_taken_apart_again():
    model, (images, _) = small_net(), problem(6)
    ideal = torch.eye(3, dtype=torch.float64)
    found = train_starts(model, {"a": images[:3], "b": images[3:]}, ideal, steps=4, learning_rate=0.05)
    assert list(found) == ["a", "b"]
    for name, part in (("a", images[:3]), ("b", images[3:])):
        alone = train_inputs(model, part, ideal, steps=4, learning_rate=0.05)
        for field in ("images", "before", "after", "losses"):
            torch.testing.assert_close(getattr(found[name], field), getattr(alone, field), rtol=1e-10, atol=1e-10)
    drops = torch.cat([1 - part.after / part.before for part in found.values()])
    assert mean_drop(found) == pytest.approx(drops.mean().item())
    with pytest.raises(ValueError, match="start 'a' has 2 images; expected 3"):
        train_starts(model, {"a": images[:2]}, ideal, steps=4, learning_rate=0.05)


def test_a_rate_that_diverges_is_reported_as_none():
    layer, ideal = orthonormal_layer(4, 9), torch.eye(4, dtype=torch.float64)
    drops = drop_by_rate(layer, {"a": torch.ones(4, 9).double()}, ideal, [0.1, 1e6], steps=100)
    assert drops == {0.1: pytest.approx(1 - 0.95**100), 1e6: None}


def test_a_diverging_loss_names_image_step_and_rate():
    layer = orthonormal_layer(4, 9)
    starts = torch.zeros(2, 9).double()
    starts[1] = 1
    message = r"the loss of image 1 is inf after step \d+ at learning rate 1000000.0; lower the learning rate"
    with pytest.raises(InputTrainingError, match=message):
        train_inputs(layer, starts, torch.zeros(2, 4).double(), steps=100, learning_rate=1e6)


def test_training_mode_and_batch_statistics_are_refused():
    model, (starts, targets) = small_net(), problem()
    model.norm2.train()
    with pytest.raises(ValueError, match=r"module 'norm2' \(BatchNorm2d\) is in training mode, where batch norm would"):
        train_inputs(model, starts, targets, steps=1, learning_rate=0.1)
    with pytest.raises(ValueError, match=r"the model \(SmallNet\) is in training mode"):
        train_inputs(model.train(), starts, targets, steps=1, learning_rate=0.1)
    mixing = (
        nn.Sequential(nn.BatchNorm2d(1, track_running_stats=False), nn.Flatten(), nn.Linear(144, 3)).double().eval()
    )
    with pytest.raises(ValueError, match=r"module '0' \(BatchNorm2d\) keeps no running statistics"):
        train_inputs(mixing, starts, targets, steps=1, learning_rate=0.1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": 0}, "steps is 0; expected at least 1"),
        ({"learning_rate": 0.0}, "learning_rate is 0.0; expected a positive number"),
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
        ({"optimiser": "lbfgs"}, "optimiser is 'lbfgs'; expected one of sgd, adam"),
        ({"momentum": 1.0}, "momentum is 1.0 for sgd"),
        ({"momentum": 0.5, "optimiser": "adam"}, "momentum is 0.5 for adam"),
        ({"bounds": (1.0, 0.0)}, r"bounds are \(1.0, 0.0\)"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    starts, targets = problem()
    with pytest.raises(ValueError, match=message):
        train_inputs(small_net(), starts, targets, **({"steps": 1, "learning_rate": 0.1} | settings))


def test_wrong_shapes_and_numbers_are_refused():
    model, (starts, targets) = small_net(), problem()
    steps = {"steps": 1, "learning_rate": 0.1}
    with pytest.raises(ValueError, match=r"outputs of shape \(5, 3\) for 5 images, the targets have shape \(4, 3\)"):
        train_inputs(model, starts, targets[:4], **steps)
    for name in ("starts", "targets"):
        values = {"starts": starts.clone(), "targets": targets.clone()}
        values[name][3] = float("nan")
        with pytest.raises(ValueError, match=f"{name} of 1 images are NaN or infinite, the first of image 3"):
            train_inputs(model, values["starts"], values["targets"], **steps)
