"""What `generalizability` says in words of its Figures 2 and 3, as numbers that can be judged."""

from collections.abc import Mapping, Sequence

import numpy as np


def figure_statements(
    balanced: Mapping[str, object], unbalanced: Mapping[str, object], ranks: Sequence[int], removed: Sequence[int]
) -> dict[str, object]:
    """Numbers behind the statements, from two results of `paperlib.summaries.ratio_statistics`.

    Lists have one entry for each rank, unless said otherwise. ``position_of_8_balanced``: place of digit 8 when the
    digits are sorted by median RPR, 1 the lowest. ``nine_minus_eight_*``: difference of the median RPRs.
    ``digit_that_changes_most``: by the mean of |difference of the two networks' median RPRs| over the ranks.
    ``slowest_unbalanced``: the three digits of lowest mean median RPR, sorted by name. ``lpr_margin_unbalanced``:
    lowest median LPR of the kept digits less the highest of the removed. ``auroc_lpr_minus_rpr``: how much better a
    low LPR tells the removed digits. ``auroc_failure_above_chance``: how much better than chance a low RPR tells the
    balanced network's failures. ``more_vectors_needed``: for each removed digit, how many more vectors it needs in
    the unbalanced network than in the balanced one; ``more_vectors_than_kept``: how many more than the median kept
    digit, in the unbalanced network.
    """
    rpr = {name: _matrix(values["rpr_median"], ranks) for name, values in _both(balanced, unbalanced)}
    lpr = _matrix(unbalanced["lpr_median"], ranks)
    kept = [digit for digit in range(lpr.shape[1]) if digit not in removed]
    change = np.abs(rpr["unbalanced"] - rpr["balanced"]).mean(0)
    needed = {name: np.array(values["vectors_needed"]["rpr"]) for name, values in _both(balanced, unbalanced)}
    auroc = unbalanced["auroc"]
    return {
        "position_of_8_balanced": [positions[8] for positions in balanced["positions"]["rpr"]],
        "nine_minus_eight_balanced": (rpr["balanced"][:, 9] - rpr["balanced"][:, 8]).tolist(),
        "nine_minus_eight_unbalanced": (rpr["unbalanced"][:, 9] - rpr["unbalanced"][:, 8]).tolist(),
        "digit_that_changes_most": int(change.argmax()),
        "change_by_digit": change.tolist(),
        "slowest_unbalanced": sorted(rpr["unbalanced"].mean(0).argsort()[:3].tolist()),
        "lpr_margin_unbalanced": (lpr[:, kept].min(1) - lpr[:, list(removed)].max(1)).tolist(),
        "auroc_lpr_minus_rpr": [auroc["lpr"][rank] - auroc["rpr"][rank] for rank in ranks],
        "auroc_failure_above_chance": [balanced["auroc_failure"]["rpr"][rank] - 0.5 for rank in ranks],
        "more_vectors_needed": (needed["unbalanced"] - needed["balanced"])[list(removed)].tolist(),
        "more_vectors_than_kept": (
            needed["unbalanced"][list(removed)] - np.median(needed["unbalanced"][kept])
        ).tolist(),
    }


def _both(balanced, unbalanced):
    return (("balanced", balanced), ("unbalanced", unbalanced))


def _matrix(by_rank: Mapping[int, Sequence[float]], ranks: Sequence[int]) -> np.ndarray:
    return np.array([by_rank[rank] for rank in ranks])
