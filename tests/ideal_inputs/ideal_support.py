"""Small networks and the plain loop with which the batched optimisation is compared."""

import torch
from torch import Tensor, nn


class SmallNet(nn.Module):
    """Every kind of convolution that is rewritten or left, with batch norms, a skip connection and work in place."""

    def __init__(self, channels: int = 1) -> None:
        super().__init__()
        self.stem = nn.Conv2d(channels, 6, 3, stride=2, padding=1)
        self.norm1 = nn.BatchNorm2d(6)
        self.act = nn.ReLU(inplace=True)
        self.same = nn.Conv2d(6, 6, 3, padding="same", bias=False)
        self.norm2 = nn.BatchNorm2d(6)
        self.pool = nn.MaxPool2d(2)
        self.grouped = nn.Conv2d(6, 8, 3, stride=2, padding=1, groups=2)
        self.norm3 = nn.BatchNorm2d(8)
        self.small = nn.Conv2d(8, 8, 3, padding=1, bias=False)
        self.dilated = nn.Conv2d(8, 4, 2, padding=2, dilation=2)
        self.head = nn.Linear(4 * 16, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.act(self.norm1(self.stem(x)))
        y = self.norm2(self.same(x))
        y += x
        x = self.norm3(self.grouped(self.pool(self.act(y))))
        x = self.small(torch.tanh(x))
        return self.head(self.dilated(x).flatten(1))


def seeded(model: nn.Module, dtype: torch.dtype = torch.float64, seed: int = 0) -> nn.Module:
    """The model in evaluation mode with random weights and random statistics of its batch norms."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * parameter[0].numel() ** -0.5)
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.copy_(torch.randn(len(module.running_mean), generator=generator))
                module.running_var.copy_(0.5 + torch.rand(len(module.running_var), generator=generator))
                module.weight.copy_(0.5 + torch.rand(len(module.weight), generator=generator))
    return model.to(dtype).eval()


def small_net(channels: int = 1, dtype: torch.dtype = torch.float64) -> nn.Module:
    return seeded(SmallNet(channels), dtype)


def fully_connected_net(dtype: torch.dtype = torch.float64) -> nn.Module:
    return seeded(nn.Sequential(nn.Flatten(), nn.Linear(144, 7), nn.SELU(), nn.Linear(7, 3), nn.SELU()), dtype)


def problem(count: int = 5, channels: int = 1, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    """Images of 12 x 12 pixels and targets of three outputs."""
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(count, channels, 12, 12, generator=generator, dtype=dtype)
    return images, torch.randn(count, 3, generator=generator, dtype=dtype)


def loop(model: nn.Module, starts: Tensor, targets: Tensor, steps: int, make_optimiser) -> tuple[Tensor, Tensor]:
    """Losses ``(steps + 1, N)`` and images, one image at a time through the plain model."""
    losses, images = torch.empty(steps + 1, len(starts), dtype=targets.dtype), []
    for index in range(len(starts)):
        image = starts[index : index + 1].clone().requires_grad_(True)
        optimiser = make_optimiser([image])
        for step in range(steps + 1):
            loss = nn.functional.mse_loss(model(image), targets[index : index + 1])
            losses[step, index] = loss.detach()
            if step < steps:
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
        images.append(image.detach())
    return losses, torch.cat(images)
