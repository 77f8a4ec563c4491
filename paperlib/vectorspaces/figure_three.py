"""Figure 3 of `vectorspaces`: which algorithm its caption names for each digit and network, and what stands here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from paperlib.ideal_inputs import ALGORITHMS, NAMES, DistanceTable, TrainedInputs

_AVG, _MIN, _AVG_MIN = NAMES.values()
PAPER_WINNERS: dict[str, dict[str, tuple[int, ...]]] = {
    "one_layer": {f"{_AVG}+training": (0, 1, 4, 5, 6, 8, 9), f"{_MIN}+training": (2, 3, 7)},
    "five_layer": {f"{_AVG}+training": (1, 2, 6, 7), f"{_MIN}+training": (0, 3, 4, 5, 8, 9)},
    # Digit 4 is named twice: eleven assignments for ten digits.
    "resnet18": {_AVG: (1, 4, 5, 6, 7, 9), _MIN: (0, 2, 3, 8), _AVG_MIN: (4,)},
}


def paper_winners(network: str) -> list[tuple[str, ...]]:
    """The algorithms that the caption names for each digit of a network: one, but two for digit 4 of ResNet18.

    Raises ``KeyError`` for a network that the figure does not show.
    """
    return [tuple(name for name, digits in PAPER_WINNERS[network].items() if digit in digits) for digit in range(10)]


def agreement(network: str, winners: Sequence[str]) -> tuple[int, float]:
    """Digits for which ``winners`` are those of the caption, and how many would be if they were dealt at random.

    The second is the mean over all orders of the same ten winners: what remains of the first if the two have the
    choice of algorithms in common but not the digits.
    """
    printed = paper_winners(network)
    same = sum(winner in names for winner, names in zip(winners, printed, strict=True))
    return same, sum(winner in names for winner in winners for names in printed) / len(printed)


@dataclass(frozen=True)
class InputRow:
    """A row of the figure: for each class an image ``(height, width)``, its algorithm and its distance."""

    images: Sequence[Tensor]
    names: Sequence[str]
    distances: Sequence[float]

    def as_lists(self) -> dict[str, list]:
        """The row for a result file; images in grey levels 0 to 255, beyond which they are cut off."""
        levels = [(image.clamp(0, 1) * 255).round().int().tolist() for image in self.images]
        return {"levels": levels, "names": list(self.names), "distances": list(self.distances)}

    @classmethod
    def from_lists(cls, lists: Mapping[str, list]) -> "InputRow":
        """What `as_lists` gave, but for what it cut off."""
        return cls([torch.tensor(image) / 255 for image in lists["levels"]], lists["names"], lists["distances"])


def best_row(starts: Mapping[str, Tensor], trained: Mapping[str, TrainedInputs], table: DistanceTable) -> InputRow:
    """For each class the image of the best of the six algorithms.

    ``starts`` ``(C, 1, height, width)`` and what became of them, by ``"avg"``, ``"min"`` and ``"avg_min"``.
    """
    return _row(starts, trained, table, table.best.tolist())


def caption_row(
    network: str, starts: Mapping[str, Tensor], trained: Mapping[str, TrainedInputs], table: DistanceTable
) -> InputRow:
    """For each class the image of the algorithm that the paper's caption names, the first of two; as `best_row`."""
    return _row(starts, trained, table, [ALGORITHMS.index(names[0]) for names in paper_winners(network)])


def _row(
    starts: Mapping[str, Tensor], trained: Mapping[str, TrainedInputs], table: DistanceTable, chosen: Sequence[int]
) -> InputRow:
    found = [*(starts[name] for name in NAMES), *(trained[name].images for name in NAMES)]
    images = [found[row][digit].squeeze(0) for digit, row in enumerate(chosen)]
    distances = [table.distances[row, digit].item() for digit, row in enumerate(chosen)]
    return InputRow(images, [ALGORITHMS[row] for row in chosen], distances)


def mean_curve(trained: TrainedInputs) -> list[float]:
    """Distance after each step relative to that of the start, mean over the images; ``steps + 1`` numbers."""
    return (trained.losses / trained.losses[0]).sqrt().mean(dim=1).tolist()
