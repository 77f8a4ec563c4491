"""Projection ratios of the reader's own model at the reader's own images, as a table sorted for labelling.

`analyze` computes the table; `load_model` and `image_source` bring in files; `read_csv` reads a table back.

>>> import paperlib
>>> import torch
>>> model = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.ReLU(), torch.nn.Conv2d(2, 1, 3)).eval()
>>> table = paperlib.analyze(model, torch.rand(3, 1, 8, 8), k=5)
>>> [row.ratio for row in table.rows] == sorted(row.ratio for row in table.rows)
True
"""

from paperlib.ratios.analysis import analyze, analyze_items
from paperlib.ratios.errors import ImageError, ModelError, RatioError
from paperlib.ratios.images import Item, image_source
from paperlib.ratios.loading import LoadedModel, load_model
from paperlib.ratios.preparation import Preparation
from paperlib.ratios.table import RatioRow, RatioTable, read_csv

__all__ = [
    "ImageError", "Item", "LoadedModel", "ModelError", "Preparation", "RatioError", "RatioRow", "RatioTable",
    "analyze", "analyze_items", "image_source", "load_model", "read_csv",
]  # fmt: skip
