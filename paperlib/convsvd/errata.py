"""Sentences of `convsvd` that need a correction or a reading, each with the number that decides."""

from typing import Any

import torch
from torch import Tensor, nn

from paperlib.convsvd import errata_checks as checks
from paperlib.convsvd.hypergraph_study import mean_size_bound
from paperlib.errata import Erratum
from paperlib.unfolding import output_unfolding


def errata_numbers(network: nn.Sequential, images: Tensor, *, seed: int) -> dict[str, Any]:
    """The numbers of all errata by their names.

    ``network`` is the trained four-layer network and ``images`` ``(images, 1, 28, 28)`` some that it knows.
    """
    conv2 = network[: list(dict(network.named_children())).index("conv2")](images)
    shares = checks.cancellation(network.conv2, conv2)
    counts = checks.vgg_counts()
    return {
        "counts": counts,
        "first_layer": checks.first_layer_counts(),
        "exponents": checks.printed_exponents(),
        "average": 1 + len(counts["W1"]),
        "map_sizes": checks.map_sizes(),
        "last_index": len(torch.linalg.svdvals(output_unfolding(network.conv1.weight.detach()))),
        "expansion": checks.expansion(5, 27, seed),
        "bounds": checks.value_counts(3, 3, 2, 4),
        "embedding": checks.embedding(seed),
        "signs": checks.sign_conventions(),
        "sizes": mean_size_bound(0.85, 75, len(network.conv2.weight)),
        "cancellation": {"least": min(shares), "median": sorted(shares)[len(shares) // 2], "first": shares[0]},
    }


def _in_millions(counts: list[int]) -> str:
    return ", ".join(f"{count / 1e6:.2f}" for count in counts)


ERRATA: tuple[Erratum, ...] = (
    Erratum(
        "counts",
        "Figure 3",
        "$W_2$ of convolutions 2 to 13 has 3.21, 3.21, 6.42, 1.61, 3.21, 3.21, 3.21, 6.42, 1.61, 1.61, 1.61, 1.61 "
        "million singular values",
        "the maps are smaller; the printed numbers follow if the number of the convolution is taken for a position in "
        "the list of all modules, poolings and ReLUs included",
        lambda n: (
            f"in millions, with the true sizes {_in_millions(n['W2'])}; by position {_in_millions(n['W2_by_module'])}"
        ),
    ),
    Erratum(
        "first_layer",
        "Figure 3",
        "of the first convolution $W_1$ is heavy-tailed and $W_2$ is not",
        "a tail cannot be told from so few values",
        lambda n: f"{n['W1']} eigenvalues beside {n['W2']:,}",
    ),
    Erratum(
        "exponents",
        "Figure 3",
        "the exponents of $W_1$ are to be preferred",
        "the table does not show it: an exponent is lower for $W_1$ in less than half of the layers",
        lambda n: (
            f"lower in {n['lower_for_W1']} of {n['layers']}; means {n['mean_W1']:.2f} and {n['mean_W2']:.2f}; "
            f"{n['below_2']} of $W_1$ below 2"
        ),
    ),
    Erratum(
        "average",
        "4.1, (12)",
        r"$\hat\alpha = \sum \alpha \log\lambda^{\max}$, a 'weighted average'",
        "it is a sum, and the base of the logarithm is open; the authors' code divides by the number of layers",
        lambda n: f"for VGG-16's {n} convolutions the one is {n} times the other",
    ),
    Erratum(
        "map_sizes",
        "6.1",
        r"heat maps of conv2 are $26\times26$",
        r"a $3\times3$ convolution without padding takes two more pixels",
        lambda n: "sides " + ", ".join(map(str, n)),
    ),
    Erratum(
        "last_index",
        "4.2",
        r"$s_0 \ge \dots \ge s_r$ with $r = \min(d, ck^2)$",
        "counted from 0 the last one is $s_{r-1}$",
        lambda n: f"conv1: {n} values, the last is $s_{n - 1}$",
    ),
    Erratum(
        "expansion",
        "4.2",
        r"$v = \sum_{i<r} \langle v, v_i\rangle v_i$",
        "not for $d < ck^2$: the null space is missing. (16) holds all the same",
        lambda n: (
            f"for $d = 5$, $ck^2 = 27$ {n['left_out']:.0%} of the length is left out; (16) errs by {n['product']:.0e}"
        ),
    ),
    Erratum(
        "bounds",
        "3",
        "up to $ck^2$ and up to $cm^2$ singular values",
        "the smaller side: $\\min(d, ck^2)$ and $\\min(dn^2, cm^2)$",
        lambda n: (
            f"Figure 2 with $m = 4$: {n['W1']} and {n['W2']} values, the printed bounds are {n['ck2']} and {n['cm2']}"
        ),
    ),
    Erratum(
        "embedding",
        "3",
        r"$\psi^{-1}$ embeds a receptive field",
        "it is the adjoint of $\\psi$ and a right inverse; $\\psi$ has no inverse",
        lambda n: (
            f"$\\psi\\psi^T T$ is $T$ (change {n['field_again']:.0f}); $\\psi^T\\psi X$ lacks "
            f"{n['image_again']:.0%} of the length of $X$; adjoint to {n['adjoint']:.0e}"
        ),
    ),
    Erratum(
        "signs",
        "5",
        "only positive signals count",
        "the signs of $u_i$ and $v_i$ are arbitrary, and with them which signals are positive; a convention is needed",
        lambda n: (
            f"two decompositions of one matrix, both right to {n['error']:.0e}: {n['significant']} and "
            f"{n['significant_turned']} significant directions for one image"
        ),
    ),
    Erratum(
        "sizes",
        "6.1",
        "conv2 has 10 nodes at 85 % and 75 %",
        "the two thresholds allow a class of images few directions on average, whatever the network is",
        lambda n: f"at most {n:.1f} of the 64 directions",
    ),
    Erratum(
        "cancellation",
        "5",
        "the mean signal over receptive fields",
        "signals of both signs cancel in the mean, as the authors say; by how much depends on the direction",
        lambda n: (
            f"conv2, $|$mean$|$ over mean of $|$signal$|$: {n['first']:.2f} for $v_0$, median {n['median']:.2f}, least "
            f"{n['least']:.2f}"
        ),
    ),
    Erratum(
        "index_range",
        "3",
        r"sums that run to and include the number of rows or columns",
        "indices are counted from 0, so the last one is one less",
        lambda n: "reading: with as many terms as the sides have places, the bound itself is outside",
    ),
    Erratum(
        "single_class",
        "5",
        "a direction that is significant for a single class shows what *those* classes have in common",
        "for several classes",
        lambda n: "reading: 'those classes' and 'in common' speak of more than one",
    ),
    Erratum(
        "share_of_images",
        "5.2",
        "significant for 75 % of the *classes*",
        "for 75 % of the images of a class, as in the definition",
        lambda n: "reading: the definition counts images, class by class",
    ),
    Erratum(
        "citations",
        "4.1, Figure 9",
        "the references for CIFAR-10 and for MeNet",
        "the first is that of MNIST; the second is a network for gaze, where the family of that name trained on "
        "ImageNet is the one of merging and evolution",
        lambda n: "reading: the titles of the cited works",
    ),
    Erratum(
        "psi",
        "4.2",
        r"$SV^T\psi(X)$",
        r"$SV^T\Psi(X)$, with the matrix of all receptive fields",
        lambda n: r"reading: $\psi$ takes one receptive field, and the images that are drawn have all",
    ),
    Erratum(
        "third_matrix",
        "4.1, Figure 4",
        "the 'original' matrices of earlier works, of which no panel shows one",
        "either the single kernels or the slices of one kernel position; both are offered here",
        lambda n: "reading: the words fit both",
    ),
)
