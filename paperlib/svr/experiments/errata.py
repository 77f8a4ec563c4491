"""Sentences of `svr` that need a correction or a reading, each with the number that decides."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from paperlib.errata import Erratum
from paperlib.models import fully_connected
from paperlib.svr.experiments import errata_checks as checks
from paperlib.svr.samples import chance_dimensions

# Convolutions between the poolings of VGG-16 and VGG-19.
_VGG16, _VGG19 = (2, 2, 3, 3, 3), (2, 2, 4, 4, 4)


def errata_numbers(images: Tensor, *, draws: int, seed: int, p: float) -> dict[str, Any]:
    """The numbers of all errata that need no trained network, by their names; ``draws`` of each simulation.

    ``images`` in [0, 1] are an example of what a network is given, ``p`` the share of random edges to be shown.
    """
    return {
        "confidence": checks.shown_rates(40, p),
        "many_tests": {"expected": 40 * 40 * p},
        "slice_variance": checks.slice_spread(5, 9, draws, seed),
        "covariance": {name: found.as_dict() for name, found in checks.mixed_moments(5, draws, seed).items()},
        "fourth_moment": checks.scaled_moments(40),
        "square": checks.inner_products(16, draws, seed),
        "convergence": checks.change_by_doubling((64, 1024), draws // 10, seed),
        "index_order": checks.planted_rectangle(3, 7, 20),
        "vgg16_sizes": {"vgg16": checks.convolution_sizes(_VGG16, 224), "vgg19": checks.convolution_sizes(_VGG19, 224)},
        "input_activation": checks.zeroed_inputs(images),
        "stray_sign": checks.planted_rectangle(30, 30, 100),
        "bar_and_tilde": checks.shapes_of_pair((64, 128, 128), seed),
        "activation": checks.activation_change(_with_activations(("relu", "tanh", "sigmoid"), seed)),
        "shared_dimension": {n: m.as_dict() for n, m in checks.mean_by_shared_dimension(16, 50, seed).items()},
        "chance": {n: _chance(n, seed) for n in (40, 100)},
        "reshape": checks.plain_reshape(seed),
        "rectangular": checks.shapes_of_pair((3, 64, 128), seed),
        "band": checks.band_of_four_deviations(1000),
    }


def _with_activations(names: Sequence[str], seed: int) -> list[nn.Module]:
    """Networks with the same weights and the activations of these names."""
    models = []
    for name in names:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            models.append(fully_connected((12, 9, 8, 5), name))
    return models


def _chance(n: int, seed: int) -> dict[str, float]:
    found = chance_dimensions(n, n, n, 200, seed)
    return {
        "d_out": found.d_out.mean().item(),
        "d_out_deviation": found.d_out.std().item(),
        "excess": found.excess.mean().item(),
        "excess_high": found.excess.quantile(0.975).item(),
    }


def _sizes(found: Mapping[str, list[int]]) -> str:
    parts = (found["vgg16"][5:11], found["vgg16"][4:10], found["vgg19"][5:11])
    words = ("VGG-16 from 0", "VGG-16 from 1", "VGG-19 from 0")
    return "; ".join(f"{word}: {', '.join(map(str, sizes))}" for word, sizes in zip(words, parts, strict=True))


ERRATA: tuple[Erratum, ...] = (
    Erratum(
        "confidence",
        "2.4, 3.1",
        "kept above $Q_n(p)$ 'with confidence p'; the figures use p = 0.15",
        "p is the share that survives in a random network: kept above $Q_n(1 - p)$",
        lambda n: (
            f"{n['confidence']:.1%} of random edges shown in the first reading, {n['survival']:.1%} in the second"
        ),
    ),
    Erratum(
        "many_tests",
        "2.4",
        "significant with probability p",
        "a statement about one coefficient; many are tested",
        lambda n: f"{n['expected']:.0f} of 1,600 edges of a 40 x 40 pair are shown by chance",
    ),
    Erratum(
        "slice_variance",
        "A.2",
        r"$\mathrm{Var}(r_1^4)$, about $\sqrt{2/c}$ times the mean",
        r"it is $\mathrm{Var}(r_1^2)$, and the factor $\sqrt{1 - 1/K^2}$ stays for any c",
        lambda n: (
            f"simulated {n['simulated']:.5f}, formula {n['formula']:.5f}; factor {n['factor_of_many_channels']:.3f} "
            "for K = 3"
        ),
    ),
    Erratum(
        "covariance",
        "A.1",
        r"$\Gamma = \mathbb E(x_1^2 x_2^2)$ 'covariance'",
        "a mixed moment; the covariance is negative",
        lambda n: f"for n = 5: moment {n['moment']['mean']:.4f}, covariance {n['covariance']['mean']:.4f}",
    ),
    Erratum(
        "fourth_moment",
        "A.1",
        r"$\frac1n \chi^2(1)$ has the fourth moment $3/n^2$",
        "that is its second moment",
        lambda n: f"second moment {n['second']:.0f} $/ n^2$, fourth {n['fourth']:.0f} $/ n^4$",
    ),
    Erratum(
        "square",
        "A.4",
        r"$\langle X, Q_z \rangle \sim \frac1c \chi^2(1)$",
        "its square is",
        lambda n: f"{n['negative']:.1%} of the products are negative; c times the mean square is {n['squared']:.3f}",
    ),
    Erratum(
        "convergence",
        "4.1, A.4",
        "convergence in distribution, in the appendix in probability",
        "in distribution alone",
        lambda n: "; ".join(f"from n = {k} to {2 * int(k)} a value changes by {v:.2f}" for k, v in n.items()),
    ),
    Erratum(
        "index_order",
        "2.2, 3.2",
        "$(d_{out}, d_{in})$ without saying which is of which layer",
        "rows, and $d_{out}$, are of the later layer; $d_{in}$ is of the earlier one's outputs",
        lambda n: f"3 neurons of the later layer that read 7 of the earlier give ({n[0]}, {n[1]})",
    ),
    Erratum(
        "input_activation",
        "2.2",
        r"$Y_i = V_i^T \psi(X_i)$ for every i",
        r"the input layer takes $V_0^T X_0$, without the activation",
        lambda n: (
            f"ReLU leaves images in [0, 1] as they are (change {n['change']:g}) and would zero {n['zeroed']:.0%} of "
            "the pixels of standardised ones"
        ),
    ),
    Erratum(
        "stray_sign",
        "B.1",
        r"$d_{out}(\epsilon)$, with a stray minus sign, is an argmax over pairs",
        "its row part",
        lambda n: f"a planted block of 30 without noise gives ({n[0]}, {n[1]})",
    ),
    Erratum(
        "vgg16_sizes",
        "Figure 5b",
        "'VGG16, layers 5 to 10'",
        "the sizes of the images decide between the numberings",
        _sizes,
    ),
    Erratum(
        "bar_and_tilde",
        "Figure 7",
        "bars and tildes mixed",
        r"$\tilde V_3$ (co-SVR) and $\bar U_2$ (SVR) alone have shapes that fit",
        lambda n: f"{tuple(n['V_co_svr'])} and {tuple(n['U_svr'])}; SVR of the later layer {tuple(n['V_svr'])}",
    ),
    Erratum(
        "activation",
        "Footnote 4",
        r"$\psi$ may be replaced by $Q \psi Q^T$",
        r"true of any $\psi$: the adjacency ignores it",
        lambda n: f"largest change of a coefficient from ReLU to others: {n:.1g}",
    ),
    Erratum(
        "shared_dimension",
        "3.2",
        "$ij / n$ without saying what n is",
        "the shared dimension; for convolutions the number of channels",
        lambda n: (
            f"mean coefficient of random convolutions: {n['channels']['mean']:.3f} $/ c$, "
            f"{n['entries']['mean']:.2f} $/ (c K^2)$"
        ),
    ),
    Erratum(
        "chance",
        "3.2",
        "internal dimensions as evidence of structure",
        "chance gives them too; the excess tells the two apart",
        lambda n: "; ".join(
            f"n = {k}: $d_{{out}}$ {v['d_out']:.0f} (deviation {v['d_out_deviation']:.0f}), excess {v['excess']:.2f}"
            for k, v in n.items()
        ),
    ),
    Erratum(
        "reshape",
        "4.4",
        r"$o \times i \times K \times K$ flattened to $o K^2 \times i$",
        "the axes have to be moved first",
        lambda n: f"error of the singular values: {n['moved']:.1g}, by a plain reshape {n['plain']:.0%}",
    ),
    Erratum(
        "rectangular",
        "5.2",
        "the SVR to co-SVR matrix is drawn square",
        "a layer that widens has fewer neurons in the co-SVR",
        lambda n: f"3 to 64 to 128 channels: {n['mixed'][0]} x {n['mixed'][1]}",
    ),
    Erratum(
        "band",
        "Figure 6",
        "'4 standard deviation interval'",
        "in the authors' code the band of the mean of 1,000 images",
        lambda n: f"{n['narrower']:.1f} times narrower; {n['probability']:.5%} of a normal law inside",
    ),
)
