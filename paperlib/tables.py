"""Small tables in Markdown for notebook pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

# The engine's tables are made without the second that it takes to load torch.
if TYPE_CHECKING:
    from torch import Tensor


def matrix_formula(matrix: Tensor) -> str:
    """A small matrix ``(rows, columns)`` as an inline TeX formula."""
    rows = r" \\ ".join(" & ".join(f"{value + 0:g}" for value in row) for row in matrix.tolist())
    return rf"$\begin{{bmatrix}} {rows} \end{{bmatrix}}$"


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table; cells are turned into text, and bars inside them are escaped."""

    def line(cells: Sequence[object]) -> str:
        return "| " + " | ".join(str(cell).replace("|", r"\|") for cell in cells) + " |"

    return "\n".join([line(header), line(["---"] * len(header)), *map(line, rows)])
