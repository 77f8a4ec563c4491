"""Inputs that bring a trained classifier to the ideal output of each class (`vectorspaces`, Section 2.4)."""

from paperlib.ideal_inputs.algorithms import ALGORITHMS, NAMES, DistanceTable, distance_table
from paperlib.ideal_inputs.frozen import rewritten
from paperlib.ideal_inputs.outputs import OutputRanges, ideal_outputs, output_ranges
from paperlib.ideal_inputs.starts import start_images
from paperlib.ideal_inputs.study import drop_by_rate, mean_drop, relative_drop, train_starts
from paperlib.ideal_inputs.training import InputTrainingError, TrainedInputs, train_inputs

__all__ = [
    "ALGORITHMS",
    "NAMES",
    "DistanceTable",
    "InputTrainingError",
    "OutputRanges",
    "TrainedInputs",
    "distance_table",
    "drop_by_rate",
    "ideal_outputs",
    "mean_drop",
    "output_ranges",
    "relative_drop",
    "rewritten",
    "start_images",
    "train_inputs",
    "train_starts",
]
