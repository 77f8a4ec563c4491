"""Sentences of `vectorspaces` that need a correction or a reading, each with the check that shows it."""

from typing import Any

import torch

from paperlib.errata import Erratum


def noise_condition_numbers(draws: int, seed: int) -> dict[str, float]:
    """Condition numbers of random ``(4096, 9)`` matrices with normal entries: 2.5 %, median and 97.5 %."""
    generator = torch.Generator().manual_seed(seed)
    values = torch.linalg.svdvals(torch.randn(draws, 4096, 9, generator=generator))
    low, median, high = (values[:, 0] / values[:, -1]).quantile(torch.tensor([0.025, 0.5, 0.975])).tolist()
    return {"low": low, "median": median, "high": high}


def agreement_of_noise(draws: int, seed: int) -> float:
    """Mean squared cosine of the i-th right singular vectors of two random ``(4096, 9)`` matrices, over ``draws``."""
    generator = torch.Generator().manual_seed(seed)
    first, second = torch.linalg.svd(torch.randn(2, draws, 4096, 9, generator=generator), full_matrices=False).Vh
    return (first * second).sum(-1).square().mean().item()


def errata_numbers(
    caption: dict[str, Any], injective: dict[str, float], residual: dict[str, float], *, seed: int
) -> dict[str, Any]:
    """The numbers of the errata that have some, by their names.

    ``caption`` counts what the caption of Figure 3 says of ResNet18, ``injective`` has the changes of images and
    outputs in a null space, and ``residual`` the energy that is left of the class means by one row and by all.
    """
    return {
        "caption": caption,
        "noise": noise_condition_numbers(300, seed),
        "directions": {"agreement": agreement_of_noise(50, seed), "chance": 1 / 9},
        "injective": injective,
        "residual": residual,
    }


ERRATA: tuple[Erratum, ...] = (
    Erratum(
        "network_name",
        "Figure 3",
        "'ResNet128'",
        "ResNet18, as in the text",
        lambda n: "reading: no other network is described",
    ),
    Erratum(
        "caption",
        "Figure 3",
        "digit 4 of the third row is made by two algorithms",
        "one image cannot be made by both; which one is open",
        lambda n: f"{n['assignments']} assignments for {n['digits']} digits",
    ),
    Erratum(
        "noise",
        "Section 3.2",
        "a condition number of 1.07 shows that all nine signal vectors are equally important",
        "random numbers have it too: the kernels are still noise, and nothing was learned about importance",
        lambda n: (
            f"random $4096 \\times 9$ matrices: {n['low']:.3f} to {n['high']:.3f}, median {n['median']:.3f}; more on "
            "[its own page](sec-vectorspaces-noise)"
        ),
    ),
    Erratum(
        "directions",
        "Figure 2",
        "directional selectivity is read from the nine signal vectors",
        "those of random numbers look so too, and each start has others",
        lambda n: (
            f"two random matrices: mean squared cosine of their vectors {n['agreement']:.2f}, where chance gives "
            f"{n['chance']:.2f}"
        ),
    ),
    Erratum(
        "inverse",
        "Equation 6",
        "layer by layer the pseudoinverse gives the input back",
        "its pre-images leave the range of the activation, where the inverse does not exist",
        lambda n: "measured, with what works instead: [Inverting a network](sec-vectorspaces-range)",
    ),
    Erratum(
        "value_not_vector",
        "Section 2.3",
        "the singular *vector* measures the relative importance",
        "the singular value does",
        lambda n: "reading: the vectors all have length 1",
    ),
    Erratum(
        "injective",
        "Section 2.4",
        "a network with activations that can be inverted is 'invertible'",
        "not where layers narrow: only what the first layer reads can be recovered",
        lambda n: (
            f"images changed by {n['image_change']:.0%} of their length in the null space, outputs by "
            f"{n['output_change']:.0e}"
        ),
    ),
    Erratum(
        "residual",
        "Figure 1",
        "the residual of a digit's mean image is what the layer loses",
        "it is what one weight row loses; the layer reads ten directions",
        lambda n: f"energy left by the row {n['one_row']:.0%}, by the row space {n['row_space']:.0%}",
    ),
    Erratum(
        "fine_tuned",
        "Figure 3",
        "ResNet18 is 'fine-tuned'",
        "the authors' code trains it from the beginning",
        lambda n: "reading of the code: [From the beginning](sec-differences-scratch)",
    ),
    Erratum(
        "which_accuracy",
        "Section 3",
        "'accuracy'",
        "that of images kept apart for validation",
        lambda n: "both are given here: [Which accuracy](sec-differences-accuracy)",
    ),
)
