"""Signals: how strongly the images of a sample pass through each singular direction of a layer (`convsvd`, Section 4).

>>> import torch
>>> from torch import nn
>>> model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(4 * 36, 3))
>>> found = signal_vectors(model, torch.rand(5, 1, 8, 8))
>>> {path: tuple(layer.signals.shape) for path, layer in found.items()}
{'0': (5, 4), '3': (5, 3)}
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from paperlib.models import evaluating
from paperlib.subspaces.layers import LayerError
from paperlib.svr.neurons import spectral_neurons
from paperlib.unfolding import Convolution


@dataclass(frozen=True)
class LayerSignals:
    """The signal vectors of a sample at one layer, with the singular triplets that they belong to.

    ``signals`` ``(images, r)``: entry i is the mean of ``s_i <v, v_i>`` over an image's receptive fields v, in the
    network's precision and at least float32.
    ``singular_values`` float64 ``(r,)``, those that are not zero, decreasing; ``U`` float64 ``(c_out, r)`` and ``V``
    float64 ``(c_in k, r)`` the left and right singular vectors of the output unfolding. The signs of a pair are
    arbitrary; here the entry of V's column of largest magnitude is positive.
    """

    path: str
    signals: Tensor
    singular_values: Tensor
    U: Tensor
    V: Tensor

    def __len__(self) -> int:
        return len(self.signals)


def signal_layers(model: nn.Module) -> dict[str, nn.Module]:
    """The layers of a model that have signals, by path: fully connected ones and convolutions, grouped or not."""
    return {path: module for path, module in model.named_modules() if isinstance(module, nn.Linear | Convolution)}


def signal_vectors(
    model: nn.Module, images: Tensor, layers: Sequence[str] | None = None, *, batch_size: int = 250
) -> dict[str, LayerSignals]:
    """The signal vectors of ``images`` ``(count, ...)`` at some layers, by path, in one pass over the images.

    All fully connected layers and convolutions by default. The mean of ``s_i <v, v_i> = u_i^T (W v)`` over receptive
    fields is ``u_i^T`` times the mean of the layer's output without its bias, so that no receptive field is ever
    formed. Outputs are reduced where they arise, before a ReLU behind them may overwrite them. Images go to the
    model's device batch by batch; the model's mode is left as it is.

    Raises ``LayerError`` for an unknown layer and one that the model does not run exactly once, ``ValueError`` for an
    empty sample and for signals that are not finite.

    In the book: thm-signal-mean.
    """
    chosen = _chosen(model, layers)
    if not len(images):
        raise ValueError("the sample has no images; expected at least one")
    neurons = {path: spectral_neurons(layer) for path, layer in chosen.items()}
    means = _mean_outputs(model, images, chosen, batch_size)
    found = {}
    for path, layer in chosen.items():
        U, V = neurons[path].U.flatten(0, 1).cpu(), neurons[path].V.flatten(0, 1).cpu()
        bias = 0 if layer.bias is None else layer.bias.detach().cpu().double()
        precision = torch.promote_types(layer.weight.dtype, torch.float32)
        signals = ((means[path] - bias) @ U).to(precision)
        _check_finite(path, signals)
        found[path] = LayerSignals(path, signals, neurons[path].S.cpu(), U, V)
    return found


def _chosen(model: nn.Module, layers: Sequence[str] | None) -> dict[str, nn.Module]:
    known = signal_layers(model)
    for path in known if layers is None else layers:
        if path not in known:
            raise LayerError(
                f"{type(model).__name__} has no fully connected layer or convolution {path!r}; it has: "
                f"{', '.join(known) or 'none'}"
            )
    if not known:
        raise LayerError(f"{type(model).__name__} has no fully connected layer and no convolution")
    return known if layers is None else {path: known[path] for path in layers}


def _mean_outputs(model: nn.Module, images: Tensor, layers: dict[str, nn.Module], batch_size: int) -> dict[str, Tensor]:
    """Outputs of each layer, averaged over their positions: float64 ``(images, c_out)``."""
    device = next(model.parameters()).device
    parts: dict[str, list[Tensor]] = {path: [] for path in layers}
    with evaluating(model), torch.no_grad(), _reducing(layers, parts):
        for number, batch in enumerate(images.split(batch_size), start=1):
            model(batch.to(device))
            for path, found in parts.items():
                if len(found) != number:
                    raise LayerError(
                        f"layer {path!r} ran {len(found) - number + 1} times in one pass; signals need a layer that "
                        "runs once"
                    )
    return {path: torch.cat(found) for path, found in parts.items()}


@contextmanager
def _reducing(layers: dict[str, nn.Module], parts: dict[str, list[Tensor]]) -> Iterator[None]:
    with ExitStack() as stack:
        for path, layer in layers.items():
            handle: RemovableHandle = layer.register_forward_hook(partial(_reduce, parts[path]))
            stack.callback(handle.remove)
        yield


def _reduce(found: list[Tensor], layer: nn.Module, _: tuple, output: Tensor) -> None:
    """Keep the mean of an output over its positions: a copy, whatever the next module does to the output itself."""
    # Half precision cannot add up a map.
    output = output.to(torch.promote_types(output.dtype, torch.float32))
    if isinstance(layer, nn.Linear):
        mean = output.reshape(len(output), -1, layer.out_features).mean(1)
    else:
        mean = output.flatten(2).mean(2)
    found.append(mean.cpu().double())


def _check_finite(path: str, signals: Tensor) -> None:
    wrong = (~torch.isfinite(signals)).any(1)
    if wrong.any():
        raise ValueError(
            f"{int(wrong.sum())} of {len(signals)} images have signals at layer {path!r} that are NaN or infinite, the "
            f"first image {int(wrong.nonzero()[0])}; check the images and the weights"
        )
