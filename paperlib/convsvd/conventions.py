"""How much the capacity metric depends on its convention: one set of networks in all of them (`convsvd`, eq. 12)."""

from collections.abc import Mapping

from torch import nn

from paperlib.spectra.capacity import CONVENTIONS, capacity
from paperlib.spectra.matrizations import Matrization, layer_spectra


def alpha_hats(networks: Mapping[str, nn.Module], matrization: Matrization = "W1") -> dict[str, dict[str, float]]:
    """The capacity metric of each network by the name of the convention, then of the network.

    The exponents do not depend on the convention and are fitted once.
    """
    fits = {name: capacity(layer_spectra(network, matrization)) for name, network in networks.items()}
    return {one: {name: found.alpha_hat(one) for name, found in fits.items()} for one in CONVENTIONS}


def ranked(values: Mapping[str, float]) -> list[str]:
    """Names by increasing value: the network that the metric says to be the best comes first."""
    return sorted(values, key=values.__getitem__)


def convention_rows(found: Mapping[str, Mapping[str, float]]) -> list[list[str]]:
    """Rows of a table: convention, whose it is, the value of each network, and the order that follows."""
    return [
        [
            name.replace("_", " "),
            CONVENTIONS[name].source,
            ", ".join(f"{value:.1f}" for value in values.values()),
            ", ".join(ranked(values)),
        ]
        for name, values in found.items()
    ]
