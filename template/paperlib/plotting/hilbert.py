"""The figure of the page on Hilbert matrices."""

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from paperlib.hilbert import UNIT_ROUNDOFF, HilbertStudy
from paperlib.plotting.style import BASELINE, NETWORK_COLOURS, style


def draw_solution_errors(study: HilbertStudy) -> Figure:
    """Relative errors of solutions by the number of rows, below the condition number times the unit roundoff."""
    with style():
        figure, axis = plt.subplots(figsize=(5.2, 3.2))
        rule = [value * UNIT_ROUNDOFF for value in study.condition]
        axis.semilogy(study.sizes, rule, label="condition number × unit roundoff", **BASELINE)
        axis.semilogy(study.sizes, study.error, "o-", color=NETWORK_COLOURS[0], label="measured")
        axis.set(xlabel="rows of the Hilbert matrix", ylabel="relative error of a solution", xticks=study.sizes)
        axis.legend()
        plt.close(figure)
    return figure
