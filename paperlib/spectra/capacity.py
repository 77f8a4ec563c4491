"""The capacity metric alpha-hat, with the convention in its name (`convsvd`, eq. 12)."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from math import log
from types import MappingProxyType
from typing import Literal

from torch import Tensor, nn

from paperlib.spectra.esd import SpectralDistribution
from paperlib.spectra.matrizations import Matrization, layer_spectra, spatial_sizes
from paperlib.spectra.power_law import PowerLaw, ShortSpectrumError, fit_power_law

Aggregate = Literal["mean", "sum"]
Base = Literal["natural", "decimal"]

# Eigenvalues below which a layer has no part in the metric: those of the narrowest networks in use here have so many.
FEWEST_EIGENVALUES = 8


@dataclass(frozen=True)
class Convention:
    """One reading of ``alpha-hat = sum over layers of alpha log(lambda_max)``.

    ``aggregate`` is a sum or a mean over layers, ``base`` that of the logarithm; with ``scaled`` eigenvalues are
    divided by the number of rows of the layer's matrix. ``source`` says who computes it so, or that nobody is known to.
    """

    aggregate: Aggregate
    base: Base
    scaled: bool
    source: str

    @property
    def name(self) -> str:
        """Such as ``"mean_natural_scaled"``."""
        return convention_name(self.aggregate, self.base, self.scaled)


def convention_name(aggregate: Aggregate, base: Base, scaled: bool) -> str:
    """The name of the convention of these three choices."""
    return f"{aggregate}_{base}_{'scaled' if scaled else 'unscaled'}"


_SOURCES = {
    ("mean", "natural", True): "the authors' code, DeepDataProfiler",
    ("mean", "decimal", False): "the WeightWatcher package, with slices",
    ("sum", "natural", False): "convsvd, eq. 12 as printed, with the natural logarithm",
    ("sum", "decimal", False): "convsvd, eq. 12 as printed, with the decimal logarithm",
}


def _conventions() -> dict[str, Convention]:
    found = {}
    for aggregate, base, scaled in product(("mean", "sum"), ("natural", "decimal"), (True, False)):
        source = _SOURCES.get((aggregate, base, scaled), "none known")
        one = Convention(aggregate, base, scaled, source)
        found[one.name] = one
    return found


# All eight by name.
CONVENTIONS: Mapping[str, Convention] = MappingProxyType(_conventions())
AUTHORS_CONVENTION = "mean_natural_scaled"


def convention(name: str) -> Convention:
    """A convention by its name; raises ``ValueError`` with the names there are."""
    if name not in CONVENTIONS:
        raise ValueError(f"unknown convention {name!r}; known: {', '.join(CONVENTIONS)}")
    return CONVENTIONS[name]


@dataclass(frozen=True)
class LayerExponent:
    """Power law of one layer's spectrum, its largest eigenvalue (unscaled) and the rows of its matrix."""

    path: str
    fit: PowerLaw
    largest: float
    rows: int

    def term(self, chosen: Convention) -> float:
        """``alpha log(lambda_max)`` in a convention."""
        largest = self.largest / self.rows if chosen.scaled else self.largest
        return self.fit.alpha * log(largest) / (1 if chosen.base == "natural" else log(10))


@dataclass(frozen=True)
class Capacity:
    """Exponents of a network's layers in one matrization; ``left_out`` says by path which have none, and why."""

    layers: tuple[LayerExponent, ...]
    left_out: Mapping[str, str]

    def alpha_hat(self, name: str) -> float:
        """The capacity metric in the convention of this name; the mean is over the layers that have an exponent."""
        chosen = convention(name)
        total = sum(layer.term(chosen) for layer in self.layers)
        return total / len(self.layers) if chosen.aggregate == "mean" else total

    @property
    def mean_alpha(self) -> float:
        """Mean exponent over the layers, in which no convention plays a part."""
        return sum(layer.fit.alpha for layer in self.layers) / len(self.layers)


def capacity(
    spectra: Mapping[str, SpectralDistribution], *, fewest: int = FEWEST_EIGENVALUES, smallest_tail: int = 3
) -> Capacity:
    """Fit a power law to each spectrum; those of fewer than ``fewest`` non-zero eigenvalues are left out.

    ``spectra`` are unscaled, as `paperlib.spectra.layer_spectra` gives them: the exponent is the same either way, and
    the convention scales the largest eigenvalue. Raises ``ValueError`` for scaled ones, and where no layer is left.
    """
    layers, left_out = [], {}
    for path, found in spectra.items():
        if found.scaled:
            raise ValueError(f"the spectrum of {path!r} is scaled; the convention scales it, expected the unscaled one")
        if len(found.eigenvalues) < fewest:
            left_out[path] = f"{len(found.eigenvalues)} eigenvalues, fewer than {fewest}"
            continue
        try:
            fit = fit_power_law(found.eigenvalues, smallest_tail=smallest_tail)
        except ShortSpectrumError as error:
            left_out[path] = str(error)
            continue
        layers.append(LayerExponent(path, fit, found.largest, found.rows))
    if not layers:
        raise ValueError(f"no layer has a spectrum to fit: {left_out or 'there are none'}")
    return Capacity(tuple(layers), MappingProxyType(left_out))


def alpha_hat(
    model: nn.Module,
    convention_name: str,
    matrization: Matrization = "W1",
    *,
    example: Tensor | None = None,
    fewest: int = FEWEST_EIGENVALUES,
) -> float:
    """The capacity metric of a network, all convolutions and fully connected layers together.

    ``example`` ``(1, channels, *spatial)`` is an image of the right size, which ``"W2"`` needs. Raises ``ValueError``
    for an unknown convention or matrization, ``"W2"`` without an example, and a network without a layer to fit.

    In the book: thm-eight-conventions.
    """
    convention(convention_name)
    sizes = None if example is None else spatial_sizes(model, example)
    spectra = layer_spectra(model, matrization, input_sizes=sizes)
    return capacity(spectra, fewest=fewest).alpha_hat(convention_name)
