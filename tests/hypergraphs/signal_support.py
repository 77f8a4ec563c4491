"""Signals by the definition: explicit receptive fields, their mean, and singular triplets by NumPy."""

import numpy as np
import torch

from paperlib.unfolding import output_unfolding, receptive_fields


def unfolding_of(layer):
    weight = layer.weight.detach().double()
    return weight if weight.dim() == 2 else output_unfolding(weight, layer.groups)


def fields_of(layer, x):
    return x.reshape(len(x), -1, x.shape[-1]) if layer.weight.dim() == 2 else receptive_fields(layer, x)


def inputs_of(model, path, images):
    """What enters a layer, kept as a copy."""
    found = []
    handle = model.get_submodule(path).register_forward_pre_hook(lambda _, x: found.append(x[0].detach().clone()))
    with torch.no_grad():
        model(images)
    handle.remove()
    return found[0]


def signals_by_definition(model, path, images, V, count):
    """``S_r V_r^T`` times the mean receptive field, singular values by NumPy; ``V`` gives the signs."""
    layer = model.get_submodule(path)
    s = np.linalg.svd(unfolding_of(layer).numpy(), compute_uv=False)[:count]
    mean = fields_of(layer, inputs_of(model, path, images).double()).mean(1)
    return (mean @ V) * torch.from_numpy(s)
