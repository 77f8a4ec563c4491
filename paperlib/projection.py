"""Right and left projection ratios and the rank-k CNN (`generalizability`, Sections 2.2 and 2.3).

>>> import torch
>>> from paperlib.projection import right_projection_ratio
>>> Vh = torch.eye(4, dtype=torch.float64)[:2]
>>> right_projection_ratio(Vh, torch.tensor([1.0, 1.0, 1.0, 1.0], dtype=torch.float64)).tolist()
[0.25, 0.5]
"""

import torch
from torch import Tensor

from paperlib.svd import SingularTriplets
from paperlib.svd.inner import inner_products


class ZeroVectorError(ValueError):
    """A projection ratio of the zero vector was asked for; 0/0 has no value."""


def right_projection_ratio(Vh: Tensor, x: Tensor) -> Tensor:
    """``RPR(x; k) = |V_k^T x|^2 / |x|^2`` for k = 1, 2, ... (equation 10).

    ``Vh`` ``(..., k, n)`` with orthonormal rows, ``x`` ``(..., n)`` flattened images; returns ``(..., k)`` float64 in
    [0, 1] up to rounding, never decreasing along the last axis. A uniformly random k-dimensional subspace has the mean
    ``k / n``.

    Raises ``ZeroVectorError`` for an all-zero image.

    In the book: thm-energies, thm-chance-ratio, thm-dropped.
    """
    return _ratio(Vh, x, "image")


def left_projection_ratio(U: Tensor, y: Tensor) -> Tensor:
    """``LPR(y; k) = |U_k^T y|^2 / |y|^2`` for k = 1, 2, ... (equation 13).

    ``U`` ``(..., m, k)`` with orthonormal columns, ``y`` ``(..., m)`` label vectors (see `label_vectors`); returns
    ``(..., k)`` in [0, 1] up to rounding, never decreasing. A uniformly random subspace has the mean ``k / m``.

    Raises ``ZeroVectorError`` for an all-zero label vector.

    In the book: thm-chance-ratio, thm-label-map, thm-dropped.
    """
    return _ratio(U.mT, y, "label vector")


def label_vectors(
    labels: Tensor, classes: int, *, high: float = 2.0, low: float = -2.0, centred: bool = False
) -> Tensor:
    """Label vectors ``(count, classes)`` in float64: ``high`` at the label, ``low`` elsewhere (Section 2.3).

    The paper's 2 and -2 make the softmax about 0.86 at the label and 0.016 elsewhere. 64 % of their energy lies along
    (1, ..., 1), a direction that softmax ignores; ``centred`` removes it, which leaves the softmax as it is.

    In the book: thm-label-map.
    """
    vectors = torch.full((len(labels), classes), low, dtype=torch.float64)
    vectors[torch.arange(len(labels)), labels.cpu()] = high
    return vectors - vectors.mean(1, keepdim=True) if centred else vectors


def constant_energy(y: Tensor) -> Tensor:
    """Share of each vector's energy along (1, ..., 1): ``(..., m)`` to ``(...)``, in [0, 1].

    In the book: thm-label-map.
    """
    return y.sum(-1).square() / (y.shape[-1] * y.square().sum(-1))


def rank_k_outputs(triplets: SingularTriplets, x: Tensor, offset: Tensor | None = None) -> Tensor:
    """Outputs ``A_k[x] x`` of the rank-k CNN for k = 1, 2, ... (equation 8).

    ``x`` ``(..., n)`` flattened images; returns ``(..., k, m)`` in float64, the softmax not applied. ``offset``
    ``(..., m)`` is ``b[x]`` of a network with biases, added to each.

    In the book: thm-left-out.
    """
    coefficients = triplets.S * (triplets.Vh @ x.double().unsqueeze(-1)).squeeze(-1)
    outputs = (coefficients.unsqueeze(-1) * triplets.U.mT).cumsum(-2)
    return outputs if offset is None else outputs + offset.double().unsqueeze(-2)


def _ratio(rows: Tensor, vector: Tensor, name: str) -> Tensor:
    energy = vector.double().square().sum(-1, keepdim=True)
    if not (energy > 0).all():
        raise ZeroVectorError(f"the projection ratio of an all-zero {name} is undefined (0/0); leave it out")
    if rows.dim() == 2 and vector.dim() == 1:
        # Vectors of whole volumes, in single precision as a rule: summed in float64 without a copy of them.
        coefficients = inner_products(rows, vector.to(rows.dtype).unsqueeze(0)).squeeze(1)
    else:
        coefficients = (rows.double() @ vector.double().unsqueeze(-1)).squeeze(-1)
    return coefficients.square().cumsum(-1) / energy
