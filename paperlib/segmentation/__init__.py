"""Segmentation of volumes with the U-Net of `generalizability`: training by folds and a table of every test volume."""

from paperlib.segmentation.checkpoints import (
    find_segmentation,
    load_segmentation,
    save_segmentation,
    segmentation_network,
)
from paperlib.segmentation.folds import Parts, parts, recipe_volumes
from paperlib.segmentation.inference import logits, volume_dice, window_settings
from paperlib.segmentation.measuring import MeasureSettings, measure_volumes
from paperlib.segmentation.normalisation import Normalisation, normalised
from paperlib.segmentation.patches import prepared
from paperlib.segmentation.prediction import Prediction, prediction
from paperlib.segmentation.recipe import SegmentationNetwork, SegmentationRecipe, SegmentationSummary
from paperlib.segmentation.rows import VolumeRow, VolumeTable, read_volume_table
from paperlib.segmentation.training import train_segmentation

__all__ = [
    "MeasureSettings", "Normalisation", "Parts", "Prediction", "SegmentationNetwork", "SegmentationRecipe",
    "SegmentationSummary", "VolumeRow", "VolumeTable", "find_segmentation", "load_segmentation", "logits",
    "measure_volumes", "normalised", "parts", "prediction", "prepared", "read_volume_table", "recipe_volumes",
    "save_segmentation", "segmentation_network", "train_segmentation", "volume_dice", "window_settings",
]  # fmt: skip
