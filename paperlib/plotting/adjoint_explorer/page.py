"""The explorer of convolutions and their adjoints as HTML, with tables of the sums for readers without scripts."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from torch import Tensor

from paperlib.generalizability.convolution_steps import ConvolutionSteps
from paperlib.plotting.adjoint_explorer.payload import payload
from paperlib.plotting.explorers import Explorer, explorer, table

# Each needs those before it.
MODULES = ("words", "cases", "arrows", "matrix", "explorer")


def adjoint_explorer(cases: Sequence[ConvolutionSteps], *, fallback: Figure, alt: str) -> Explorer:
    """Convolutions and their adjoints, one sum after the other (`generalizability`, Table 1).

    A list chooses the convolution, two buttons the direction, a slider, buttons and arrow keys the place of the result.
    The page shows which numbers are multiplied by which weights, the row or the column of the matrix that has them,
    the sum, and both sides of the dot-product test. Paper, and readers without scripts, get ``fallback``, such as
    `draw_convolution_steps`, with the text ``alt``, and tables of the sums of the first case and of all dot products.

    Raises ``ValueError`` as `payload` does.
    """
    return explorer(
        __package__,
        MODULES,
        payload(cases),
        name="adjoint-explorer",
        fallback=fallback,
        alt=alt,
        static=_sums(cases[0]) + _products(cases),
    )


def _sums(case: ConvolutionSteps) -> str:
    rows = [
        *_rows("Av", case.matrix, case.taps, case.v, case.forward),
        *_rows("Aᵀz", case.matrix.T, case.taps.T, case.z, case.backward),
    ]
    return table(f"{case.name}: every sum", ["result", "place", "weights times numbers", "value"], rows)


def _rows(name: str, matrix: Tensor, taps: Tensor, vector: Tensor, result: Tensor) -> list[list[str]]:
    rows = []
    for place, value in enumerate(result.flatten().tolist()):
        terms = [f"{_factor(matrix[place, at])}·{_factor(vector.flatten()[at])}" for at in (taps[place] >= 0).nonzero()]
        rows.append([name, str(place), " + ".join(terms) or "none", _number(value)])
    return rows


def _number(value: float) -> str:
    # Minus nought is nought.
    return f"{value + 0:g}".replace("-", "−")


def _factor(value: Tensor) -> str:
    return f"({_number(float(value))})" if value < 0 else _number(float(value))


def _products(cases: Sequence[ConvolutionSteps]) -> str:
    rows = [[case.name, " × ".join(map(str, case.matrix.shape)), *map(_number, case.products)] for case in cases]
    return table("Dot products of all convolutions", ["convolution", "matrix", "⟨Av, z⟩", "⟨v, Aᵀz⟩"], rows)
