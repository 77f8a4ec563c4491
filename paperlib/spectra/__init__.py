"""Spectra of convolutions: all singular values of the operator matrix, their density, power laws and capacity.

>>> import torch
>>> from paperlib.spectra import circular_singular_values
>>> shift = torch.zeros(1, 1, 3, dtype=torch.float64)
>>> shift[0, 0, 2] = 1.0
>>> circular_singular_values(shift, (4,)).tolist()
[1.0, 1.0, 1.0, 1.0]
"""

from paperlib.spectra.capacity import (
    AUTHORS_CONVENTION,
    CONVENTIONS,
    Capacity,
    LayerExponent,
    alpha_hat,
    capacity,
    convention,
)
from paperlib.spectra.circular import circular_count, circular_singular_values
from paperlib.spectra.esd import Histogram, SpectralDistribution, empirical_spectral_distribution
from paperlib.spectra.lanczos import SpectrumEstimate, spectrum_estimate
from paperlib.spectra.marchenko_pastur import MarchenkoPastur, RandomDistance, distance_from_random, marchenko_pastur_of
from paperlib.spectra.matrizations import (
    MATRIZATIONS,
    Matrization,
    layer_spectra,
    layer_spectrum,
    spatial_sizes,
    weight_layers,
)
from paperlib.spectra.planted import planted_power_law, planted_random
from paperlib.spectra.power_law import RELIABLE_TAIL, PowerLaw, ShortSpectrumError, fit_power_law
from paperlib.spectra.power_law_bootstrap import BootstrapError, bootstrap_error, goodness_of_fit
from paperlib.spectra.power_law_package import ALTERNATIVES, LawComparison, compare_laws, fit_by_package
from paperlib.spectra.shuffled import shuffled, shuffled_weight
from paperlib.spectra.zero_padding import (
    BoundaryDifference,
    boundary_difference,
    largest_singular_values,
    zero_padding_estimate,
)

__all__ = [
    "ALTERNATIVES",
    "AUTHORS_CONVENTION",
    "CONVENTIONS",
    "MATRIZATIONS",
    "RELIABLE_TAIL",
    "BootstrapError",
    "BoundaryDifference",
    "Capacity",
    "Histogram",
    "LawComparison",
    "LayerExponent",
    "MarchenkoPastur",
    "Matrization",
    "PowerLaw",
    "RandomDistance",
    "ShortSpectrumError",
    "SpectralDistribution",
    "SpectrumEstimate",
    "alpha_hat",
    "bootstrap_error",
    "boundary_difference",
    "capacity",
    "circular_count",
    "circular_singular_values",
    "compare_laws",
    "convention",
    "distance_from_random",
    "empirical_spectral_distribution",
    "fit_by_package",
    "fit_power_law",
    "goodness_of_fit",
    "largest_singular_values",
    "layer_spectra",
    "layer_spectrum",
    "marchenko_pastur_of",
    "planted_power_law",
    "planted_random",
    "shuffled",
    "shuffled_weight",
    "spatial_sizes",
    "spectrum_estimate",
    "weight_layers",
    "zero_padding_estimate",
]  # fmt: skip
