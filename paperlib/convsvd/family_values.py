"""What is recorded of families and their trends: plain numbers for a result file, and for tables."""

from collections.abc import Mapping, Sequence

import numpy as np

from paperlib.convsvd.families import Families, Member, accuracies, alpha_hats
from paperlib.convsvd.trends import Trend
from paperlib.spectra.capacity import CONVENTIONS
from paperlib.spectra.matrizations import Matrization

Trends = Mapping[str, Mapping[Matrization, Trend]]


def family_values(families: Families, matrizations: Sequence[Matrization], convention: str) -> dict[str, dict]:
    """For each family: names, accuracies, and by matrization alpha-hats and mean exponents, a list entry a network."""
    return {
        family: {
            "names": [member.name for member in members],
            "accuracy": accuracies(members),
            "alpha_hat": {name: alpha_hats(members, name, convention) for name in matrizations},
            "mean_alpha": {name: [member.capacities[name].mean_alpha for member in members] for name in matrizations},
            "layers": {name: [_layers(member, name) for member in members] for name in matrizations},
        }
        for family, members in families.items()
    }


def _layers(member: Member, matrization: Matrization) -> dict[str, int]:
    """Layers that have an exponent, those whose tail is too short to trust it, and those left out."""
    found = member.capacities[matrization]
    short = sum(layer.fit.warning is not None for layer in found.layers)
    return {"fitted": len(found.layers), "short": short, "left_out": len(found.left_out)}


def fit_values(found: Trends) -> dict[str, dict[str, dict[str, float]]]:
    """`paperlib.convsvd.trends.Trend.summary` of each family and matrization."""
    return {family: {name: one.summary() for name, one in by_name.items()} for family, by_name in found.items()}


def correlations_by_convention(
    families: Families, matrizations: Sequence[Matrization]
) -> dict[str, dict[str, dict[Matrization, float]]]:
    """Pearson's correlation of accuracy with alpha-hat for each family, convention and matrization.

    The base of the logarithm is a factor of alpha-hat and changes none of them.
    """
    return {
        family: {
            convention: {
                name: float(np.corrcoef(alpha_hats(members, name, convention), accuracies(members))[0, 1])
                for name in matrizations
            }
            for convention in CONVENTIONS
        }
        for family, members in families.items()
    }


def statements(found: Trends) -> dict[str, int]:
    """In how many families the paper's statements hold (Section 4.1).

    ``"negative"``: accuracy falls with alpha-hat of W1; ``"interval_negative"``: so does the whole interval of the
    slope; ``"better_than_NAME"``: W1 explains more of the accuracy than matrization NAME. Empty without W1.
    """
    with_w1 = [by_name for by_name in found.values() if "W1" in by_name]
    if not with_w1:
        return {}
    others = [name for name in with_w1[0] if name != "W1"]
    return {
        "families": len(with_w1),
        "negative": sum(by_name["W1"].slope < 0 for by_name in with_w1),
        "interval_negative": sum(by_name["W1"].slope_high < 0 for by_name in with_w1),
    } | {f"better_than_{name}": sum(one["W1"].r_squared > one[name].r_squared for one in with_w1) for name in others}
