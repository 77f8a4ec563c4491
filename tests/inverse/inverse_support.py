"""Activations to invert, and networks whose inverse is known."""

import torch
from torch import Tensor, nn

ACTIVATIONS = {
    "identity": nn.Identity(),
    "leaky_relu": nn.LeakyReLU(0.1),
    "selu": nn.SELU(),
    "sigmoid": nn.Sigmoid(),
    "softplus": nn.Softplus(),
    "softplus_steep": nn.Softplus(beta=2.0),
    "tanh": nn.Tanh(),
}


def draw(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def orthonormal(rows: int, columns: int, seed: int = 0) -> Tensor:
    return torch.linalg.qr(draw(rows, columns, seed=seed)).Q


def planted(rows: int, columns: int, values: list[float], seed: int = 0) -> Tensor:
    """A float64 matrix with the singular values ``values``."""
    U, V = orthonormal(rows, len(values), 2 * seed), orthonormal(columns, len(values), 2 * seed + 1)
    return (U * torch.tensor(values, dtype=torch.float64)) @ V.T


def linear(matrix: Tensor, bias: Tensor | None = None) -> nn.Linear:
    """A frozen layer with these weights, in their dtype."""
    layer = nn.Linear(matrix.shape[1], matrix.shape[0], bias=bias is not None).to(matrix.dtype)
    with torch.no_grad():
        layer.weight.copy_(matrix)
        if bias is not None:
            layer.bias.copy_(bias)
    return layer.requires_grad_(False)


def relative_error(found: Tensor, true: Tensor) -> float:
    """Largest relative error of a sample."""
    difference = (found.double() - true.double()).flatten(1).norm(dim=1)
    return (difference / true.double().flatten(1).norm(dim=1)).max().item()
