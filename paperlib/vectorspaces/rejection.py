"""Whether what a layer rejects of an image tells that the network misreads it."""

from collections.abc import Mapping

import torch
from scipy.stats import false_discovery_control
from torch import Tensor

from paperlib.plotting.spaces import ImageRow
from paperlib.subspaces import LayerRejection, SplitInput, energy
from paperlib.summaries import separation_with_interval


def rejection_statistics(
    rejections: Mapping[str, LayerRejection], labels: Tensor, predicted: Tensor
) -> dict[str, dict[str, object]]:
    """For each layer the mean rejected share by class, and how well the share tells the misread images.

    ``labels`` and ``predicted`` are int64 ``(images,)``. ``auroc`` is the area under the ROC curve for telling a
    misread image by a high share, ``within_class`` the same after each predicted class's mean share is taken off, so
    that digits that are both harder and more rejected do not count; ``adjusted_p_value`` is that of ``within_class``
    by Benjamini and Hochberg over all layers that reject anything. Layers that reject nothing have no areas.
    """
    misread = labels != predicted
    classes = range(int(labels.max()) + 1)
    statistics: dict[str, dict[str, object]] = {}
    for path, layer in rejections.items():
        statistics[path] = {
            "kind": layer.kind,
            "shape": list(layer.shape),
            "rank": layer.rank,
            "condition_number": layer.condition_number,
            "chance": layer.chance,
            "mean": layer.rejected.mean().item(),
            "by_class": [layer.rejected[labels == c].mean().item() for c in classes],
            "mean_misread": layer.rejected[misread].mean().item() if misread.any() else None,
        }
        if layer.rank < layer.shape[1] and 2 <= int(misread.sum()) <= len(misread) - 2:
            statistics[path] |= _separations(layer.rejected, predicted, misread)
    tested = [row for row in statistics.values() if "within_class" in row]
    if tested:
        adjusted = false_discovery_control([row["within_class"]["p_value"] for row in tested])
        for row, p_value in zip(tested, adjusted, strict=True):
            row["adjusted_p_value"] = float(p_value)
    return statistics


def gallery(images: Tensor, parts: Mapping[str, SplitInput], titles: Mapping[str, str]) -> list[ImageRow]:
    """Rows of `draw_image_rows`: grey images ``(count, 1, height, width)``, and below what each network's layer makes.

    ``parts[network]`` splits the flattened images; over each rejected part stands its share of the energy.
    """
    shape = images.shape[-2:]
    rows = [ImageRow("image", images[:, 0], [""] * len(images), signed=False)]
    for name, part in parts.items():
        shares = energy(part.rejected) / energy(part.inputs)
        rows += [
            ImageRow(f"{titles[name]}:\nread", part.kept.unflatten(1, shape), [""] * len(images)),
            ImageRow("rejected", part.rejected.unflatten(1, shape), [f"{share:.0%}" for share in shares]),
        ]
    return rows


def _separations(rejected: Tensor, predicted: Tensor, misread: Tensor) -> dict[str, object]:
    means = torch.zeros(int(predicted.max()) + 1, dtype=rejected.dtype)
    for c in predicted.unique():
        means[c] = rejected[predicted == c].mean()
    return {
        "auroc": vars(separation_with_interval(rejected, misread)),
        "within_class": vars(separation_with_interval(rejected - means[predicted], misread)),
    }
