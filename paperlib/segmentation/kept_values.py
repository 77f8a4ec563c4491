"""What a forward pass of a network says about volumes, on disk as soon as it is known."""

import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path

from paperlib.datasets.volumes import VolumeError, VolumeSet
from paperlib.files import write_text_atomically
from paperlib.segmentation.baselines import output_baselines
from paperlib.segmentation.inference import logits
from paperlib.segmentation.patches import prepared
from paperlib.segmentation.recipe import SegmentationNetwork
from paperlib.training.dice import dice

COLUMNS = ("dice", "foreground_entropy")


@dataclass(frozen=True)
class KeptValues:
    """Results of one network, in files of ``folder`` that its recipe names."""

    folder: Path
    network: SegmentationNetwork

    def forward(self, volumes: VolumeSet) -> dict[str, list[float]]:
        """``COLUMNS`` at each of the volumes: Dice, and the mean entropy over the predicted foreground in nats.

        NaN for an entropy without predicted foreground, and for all of a volume that cannot be used. Read where it is
        on disk, else measured and written. Raises ``ValueError`` for a damaged file.
        """
        recipe = self.network.summary.recipe
        digest = hashlib.sha256("\n".join([volumes.selection, *volumes.names]).encode()).hexdigest()[:12]
        path = self.folder / f"{recipe.name}-{digest}.json"
        if not path.is_file():
            rows = [_forward(self.network, volumes, index) for index in range(len(volumes))]
            # JSON has no NaN.
            columns = {name: [None if math.isnan(row[name]) else row[name] for row in rows] for name in COLUMNS}
            write_text_atomically(path, json.dumps(columns) + "\n")
        try:
            columns = json.loads(path.read_text(encoding="utf-8"))
            found = {name: [math.nan if value is None else value for value in columns[name]] for name in COLUMNS}
            if any(len(values) != len(volumes) for values in found.values()):
                raise ValueError("it is of other volumes")
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path} cannot be read ({error}); remove it, and it is measured anew") from error
        return found


def _forward(network: SegmentationNetwork, volumes: VolumeSet, index: int) -> dict[str, float]:
    recipe = network.summary.recipe
    try:
        volume = volumes[index]
        image = prepared(volume, recipe.scale)
    except VolumeError:
        return dict.fromkeys(COLUMNS, math.nan)
    output = logits(network.model, image.to(next(network.model.parameters()).device), recipe).cpu()
    entropy = output_baselines(output)["foreground_entropy"]
    return {"dice": dice(output.argmax(0), volume.label), "foreground_entropy": entropy}
