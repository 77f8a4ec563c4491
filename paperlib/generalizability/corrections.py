"""Sentences of `generalizability` that need a correction or a reading, each with the check that shows it."""

from typing import Any

import torch
from torch import nn

from paperlib.errata import Erratum
from paperlib.generalizability.errata import label_map_check, stride_check
from paperlib.generalizability.table_one import skip_mismatches


def errata_numbers(
    *, coarse: tuple[int, int, int], label_high: float, label_low: float, seed: int
) -> dict[str, dict[str, Any]]:
    """The numbers of the errata that have some, by their names.

    ``coarse`` has the sides of the coarse grid; ``label_high`` and ``label_low`` are the entries of a label vector.
    """
    printed, transposed = skip_mismatches(seed)
    return {
        "skip": {"mismatch_printed": printed, "mismatch_transposed": transposed},
        "strides": {name: check.as_dict() for name, check in stride_check(coarse).items()},
        "label_map": label_map_check(label_high, label_low, seed).as_dict(),
        "biases": {"missing": share_without_biases(seed)},
        "failures": {"share": (671 - 136) / (1135 + 1009), "images": 1135 + 1009, "more": 671 - 136},
    }


def share_without_biases(seed: int) -> float:
    """How much of the output of a small ReLU network with biases its linear part at a random input leaves out.

    The biases are those that PyTorch draws. The linear part is the derivative at the input, applied to the input.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10)).double()
        x = torch.rand(784, dtype=torch.float64)
    output, linear = torch.func.jvp(model, (x,), (x,))
    return ((output - linear).norm() / output.norm()).item()


ERRATA: tuple[Erratum, ...] = (
    Erratum(
        "skip",
        "Table 1",
        r"the adjoint of $x \mapsto [Mx; x]$ is $M y_\alpha + y_\beta$",
        r"$M^T y_\alpha + y_\beta$; for a rectangular $M$ the printed one has no meaning",
        lambda n: (
            f"mismatch of the dot-product test: {n['mismatch_printed']:.2f} as printed, "
            f"{n['mismatch_transposed']:.0e} with the transpose"
        ),
    ),
    Erratum(
        "strides",
        "Definition 1",
        "a coarse voxel's region is flattened with the strides $n$ and $mn$",
        "the fine grid has rows of $2n$ and slices of $4mn$ voxels",
        lambda n: (
            f"of {n['as printed']['total']} fine voxels {n['as printed']['covered']} are covered as printed and "
            f"{n['as printed']['double_counts']} counted again; with the right strides {n['corrected']['covered']} and "
            f"{n['corrected']['double_counts']}"
        ),
    ),
    Erratum(
        "letters",
        "Definition 1, sum pooling",
        "$m, n, d$ are the sides of the coarse grid, and then those of the fine one",
        "one name for each; here the fine grid has $2m, 2n, 2d$",
        lambda n: "reading: the two definitions are of one map",
    ),
    Erratum(
        "adjoint_argument",
        "Equations 2 and 4",
        "$A^T[x]$ is applied to $x$, and layers are numbered backwards without saying so",
        "it takes any $z$ of the output's shape; $x$ only decides the masks",
        lambda n: r"reading: for MNIST $A^T[x]$ has 10 columns, and $x$ has 784 entries",
    ),
    Erratum(
        "label_map",
        "Section 1.3",
        "labels are mapped to 2 at the label and −2 elsewhere",
        "most of such a vector is the same for every label and invisible to the softmax, so that LPR mixes 'the label "
        "can be reached' with 'a constant can be reached'; here the centred map is reported too",
        lambda n: (
            f"{n['constant_energy']:.0%} of the energy is constant; one vector along $(1, \\dots, 1)$ gives every "
            f"label an LPR of {n['lpr_constant']:.2f}, the label's own unit vector {n['lpr_label']:.2f}"
        ),
    ),
    Erratum(
        "biases",
        "Section 1.1",
        "networks 'with no bias', said of convolutions",
        "fully connected layers must have none either, or $A[x]x$ is not the output",
        lambda n: f"a small network with biases: {n['missing']:.0%} of the output is not in $A[x]x$",
    ),
    Erratum(
        "failures",
        "Section 2.1",
        "671 failures of the unbalanced network, as if they were those of digits 1 and 9",
        "ordinary errors are among them",
        lambda n: (
            f"if all {n['more']} further ones were images of 1 and 9, they would be {n['share']:.0%} of these "
            f"{n['images']:,}"
        ),
    ),
    Erratum(
        "accuracy",
        "Section 2.1",
        "98.64 % after 50 epochs",
        "less than is usual for such a network, so the value belongs to the training and is no target to tune for",
        lambda n: "our training at these settings stands in the table of claims",
    ),
    Erratum(
        "inclusion",
        "Section 1.3",
        "the cases of RPR do not say that the range of $A_k^T$ lies in that of $A^T$, those of LPR do",
        "both do; harmless",
        lambda n: "reading: the first $k$ right singular vectors are among all of them",
    ),
    Erratum(
        "symmetric",
        "Section 1.2",
        r"$A^TA = V\Lambda V^{-1}$",
        r"$V\Lambda V^T$; harmless",
        lambda n: r"reading: the matrix is symmetric, so that $V^{-1} = V^T$",
    ),
    Erratum(
        "a_priori",
        "Title",
        "an *a priori* measure",
        "it needs no label, but a decomposition for every image, with many products of the network and its adjoint; no "
        "times are reported",
        lambda n: "what it costs is measured: [the SVD of whole networks](sec-generalizability-scale)",
    ),
    Erratum(
        "correlation",
        "Section 2.2",
        "Dice and RPR are 'correlated'",
        "no coefficient is printed",
        lambda n: "here Spearman's, with intervals: [the page on scans](sec-generalizability-rho)",
    ),
    Erratum(
        "proofs",
        "Section 1.2, supplement",
        "proofs for the other rows of Table 1",
        "they are not in the text that we have",
        lambda n: "here each row is proved or tested: [the table](sec-generalizability-adjoint-table)",
    ),
    Erratum(
        "bibliography",
        "References",
        "a work on heavy tails is dated 2018",
        "the volume of the journal is of 2021",
        lambda n: "reading",
    ),
)
