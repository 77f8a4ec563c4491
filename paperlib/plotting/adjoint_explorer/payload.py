"""Convolutions with their sums as JSON that `static/cases.js` reads."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from paperlib.generalizability.convolution_steps import ConvolutionSteps

# Places of a vector: more cannot be read on a page.
MOST_PLACES = 49


def payload(cases: Sequence[ConvolutionSteps]) -> dict[str, Any]:
    """All that the explorer shows, as a JSON value: ``cases``, one or more of different names.

    A case has ``name``, ``stride``, ``padding``, the vectors ``v``, ``z``, ``forward``, ``backward`` and the ``kernel``
    as a shape of two sides (one row for a signal) with values in row-major order, the matrix as ``taps`` row by row
    (places in the kernel, -1 for none), and both ``products``.

    Raises ``ValueError`` for no case, for two of one name, and for a vector of more than ``MOST_PLACES`` places.
    """
    names = [case.name for case in cases]
    if not names or len(set(names)) < len(names):
        raise ValueError(f"the convolutions are named {names}; expected one or more, of different names")
    return {"cases": [_case(case) for case in cases]}


def _case(case: ConvolutionSteps) -> dict[str, Any]:
    places = max(case.matrix.shape)
    if places > MOST_PLACES:
        raise ValueError(f"{case.name}: a vector has {places} places; the page shows at most {MOST_PLACES}")
    vectors = {name: _vector(getattr(case, name)) for name in ("v", "z", "forward", "backward", "kernel")}
    return {
        "name": case.name,
        "stride": case.stride,
        "padding": case.padding,
        **vectors,
        "taps": case.taps.tolist(),
        "products": list(case.products),
    }


def _vector(values: Tensor) -> dict[str, Any]:
    rows = values.shape[0] if values.dim() == 2 else 1
    return {"shape": [rows, values.shape[-1]], "values": values.flatten().tolist()}
