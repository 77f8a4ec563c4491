"""Images that show what singular directions of a layer respond to (`convsvd`, Section 6).

>>> import torch
>>> from torch import nn
>>> model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU())
>>> settings = VisualisationSettings(size=(12, 12), steps=20)
>>> found = optimise(model, "0", [0, 1], settings=settings, seed=0)
>>> found.images.shape, bool((found.final > found.start).all())
(torch.Size([2, 1, 12, 12]), True)
"""

from paperlib.featurevis.colour import ColourTransform, colour_transform
from paperlib.featurevis.exemplars import Exemplars, exemplary_images
from paperlib.featurevis.heat_maps import projection_heat_maps
from paperlib.featurevis.objectives import Objective, channel_objective, objective, objective_values
from paperlib.featurevis.optimise import FeatureImages, optimise
from paperlib.featurevis.settings import VisualisationSettings
from paperlib.featurevis.similarity import image_similarities, similarity_maps, spatial_activations
from paperlib.featurevis.transformations import Transformations

__all__ = [
    "ColourTransform", "Exemplars", "FeatureImages", "Objective", "Transformations", "VisualisationSettings",
    "channel_objective", "colour_transform", "exemplary_images", "image_similarities", "objective", "objective_values",
    "optimise", "projection_heat_maps", "similarity_maps", "spatial_activations",
]  # fmt: skip
