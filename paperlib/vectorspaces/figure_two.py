"""The data of Figure 2 of `vectorspaces`: signal vectors of a convolution, beside those of random kernels."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from paperlib.plotting.spaces import ImageRow
from paperlib.subspaces import FourSpaces, Reading, four_spaces, layer_matrix, linear_layer
from paperlib.training import Recipe, TrainedNetwork, initial_network
from paperlib.vectorspaces.statements import mean_random_cosine, vector_agreement


def trained_and_fresh(
    networks: Mapping[int, TrainedNetwork], recipes: Mapping[int, Recipe], path: str, reading: Reading
) -> tuple[dict[int, FourSpaces], dict[int, FourSpaces]]:
    """Spaces of the layer at ``path`` by seed: in the trained networks, and as their training began."""

    def spaces(model: nn.Module) -> FourSpaces:
        return four_spaces(layer_matrix(linear_layer(model, path), reading))

    trained = {seed: spaces(network.model) for seed, network in networks.items()}
    return trained, {seed: spaces(initial_network(recipe)) for seed, recipe in recipes.items()}


def signal_rows(spaces: FourSpaces, model: nn.Module, path: str, count: int, scale: str) -> list[ImageRow]:
    """The first ``count`` signal vectors times their singular values, nine a row, for `draw_image_rows`.

    A vector over several input channels is shown by its channel of largest energy, or as one line of pixels where the
    layer has no kernel.
    """
    scaled = (spaces.Vh * spaces.S.unsqueeze(1))[:count]
    layer = linear_layer(model, path)
    kernel = getattr(layer, "kernel_size", (scaled.shape[1],))
    images = scaled.unflatten(1, (-1, *kernel))
    strongest = images.flatten(2).square().sum(2).argmax(1)
    images = images[torch.arange(len(images)), strongest]
    images = images.flatten(1, -2) if images.dim() > 2 else images.unsqueeze(1)
    titles = [f"{value:.2f}" for value in spaces.S[:count]]
    starts = range(0, len(images), 9)
    return [ImageRow("$s_i v_i$", images[i : i + 9], titles[i : i + 9], scale=scale) for i in starts]


def random_spectra(rows: int, columns: int, draws: int, generator: torch.Generator, law: str) -> Tensor:
    """Singular values ``(draws, min(rows, columns))`` of matrices of independent entries around zero.

    ``law`` is ``"normal"`` or ``"uniform"``; the spectrum is meaningful up to a common factor.
    """
    return torch.stack([torch.linalg.svdvals(_triangle(rows, columns, generator, law)) for _ in range(draws)])


def agreement_table(
    trained: FourSpaces, fresh: FourSpaces
) -> tuple[list[str], list[list[object]], dict[str, float | list[float]]]:
    """Header and rows of the table that compares signal vectors one by one, and its numbers by name."""
    count = min(trained.rank, fresh.rank)
    agreement = vector_agreement(trained.Vh[:count], fresh.Vh[:count]).tolist()
    chance = mean_random_cosine(trained.shape[1])
    header = ["signal vector", "singular value", "with the one before training", "of two random directions, mean"]
    rows: list[list[object]] = [
        [i, f"{trained.S[i]:.3f}", f"{agreement[i]:.2f}", f"{chance:.2f}"] for i in range(count)
    ]
    return header, rows, {"before_training": agreement, "chance": chance}


def _triangle(rows: int, columns: int, generator: torch.Generator, law: str) -> Tensor:
    """The triangular factor of a random matrix or of its transpose, which has its singular values and is smaller."""
    laws = {"normal": torch.randn, "uniform": torch.rand}
    if law not in laws:
        raise ValueError(f"law is {law!r}; expected one of {', '.join(laws)}")
    shift = 0.5 if law == "uniform" else 0.0
    matrix = laws[law](rows, columns, generator=generator, dtype=torch.float64) - shift
    return torch.linalg.qr(matrix if rows >= columns else matrix.mT, mode="r").R
