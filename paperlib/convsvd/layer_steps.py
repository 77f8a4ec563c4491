"""Every step of one convolution's computation, and what ReLU leaves of each direction (`convsvd`, Figure 5)."""

from dataclasses import dataclass

import torch
from scipy.stats import spearmanr
from torch import Tensor, nn

from paperlib.featurevis.running import layer_at, layer_outputs
from paperlib.models import evaluating
from paperlib.subspaces.layers import LayerError
from paperlib.svr.neurons import SpectralNeurons, spectral_neurons
from paperlib.svr.samples import haar_frames
from paperlib.unfolding import receptive_fields


@dataclass(frozen=True)
class LayerSteps:
    """One image on its way through a convolution with d filters and ReLU, with its r singular values that are not zero.

    ``input`` X ``(c_in, h, w)``; on the output grid ``(., h', w')``: ``fields`` Psi(X) with ``c_in k`` rows,
    ``projections`` V^T Psi(X) and ``signals`` S V^T Psi(X) with r rows, ``output`` Y and ``activated`` ReLU(Y + B) with
    d rows, and ``returned`` U^T ReLU(Y + B), the first r rows of d. All float64 on the CPU. The bias B has no part in
    anything but the last two.
    """

    path: str
    input: Tensor
    fields: Tensor
    projections: Tensor
    signals: Tensor
    output: Tensor
    activated: Tensor
    returned: Tensor
    singular_values: Tensor


@dataclass(frozen=True)
class Survival:
    """What ReLU leaves of the signals of a layer, by direction; means over images and positions, float64.

    ``before`` ``(r,)`` is the energy of the rows of S V^T Psi(X) and ``after`` ``(d,)`` that of all rows of
    U^T ReLU(Y + B): those behind the r-th write where the layer itself never does. ``correlation`` ``(r,)`` is that
    between a row before and the same row after: energy can come from other rows, this cannot. The ranks are Spearman's
    correlations: of the singular values with ``ratio`` and with ``correlation``, 1 where a larger value always keeps
    more, and of the energies before and after, 1 where the order stays.
    """

    before: Tensor
    after: Tensor
    correlation: Tensor
    ratio_rank: float
    correlation_rank: float
    energy_rank: float

    @property
    def ranks(self) -> dict[str, float]:
        return {name: getattr(self, f"{name}_rank") for name in ("energy", "ratio", "correlation")}

    @property
    def ratio(self) -> Tensor:
        """Energy after over energy before, ``(r,)``."""
        return self.after[: len(self.before)] / self.before


def layer_steps(model: nn.Module, path: str, image: Tensor) -> LayerSteps:
    """The steps for one ``image`` ``(channels, height, width)`` of the model at the convolution at ``path``.

    Raises ``LayerError`` where there is no 2-D convolution at the path or it does not run.
    """
    layer, neurons = _convolution(model, path)
    x = _input(model, layer, path, image)
    grid = tuple(layer(x).shape[2:])
    fields = receptive_fields(layer, x)[0].double().T
    U, V, S = neurons.U.squeeze(1), neurons.V.flatten(0, 1), neurons.S
    projections = V.T @ fields
    signals = S[:, None] * projections
    output = U @ signals
    activated = (output + _bias(layer)).relu()
    maps = (fields, projections, signals, output, activated, U.T @ activated)
    return LayerSteps(path, x[0].double(), *(one.unflatten(1, grid) for one in maps), S)


def survival(model: nn.Module, path: str, images: Tensor, *, batch_size: int = 100) -> Survival:
    """What ReLU leaves of the signals of a sample of images ``(count, channels, height, width)``.

    Raises ``LayerError`` as `layer_steps`, and ``ValueError`` for no images.
    """
    layer, neurons = _convolution(model, path)
    signals = _signals(model, path, neurons, images, batch_size)
    return _survival(neurons.S, _completed(neurons.U.squeeze(1)), signals, _bias(layer))


def chance_survival(
    model: nn.Module, path: str, images: Tensor, draws: int, seed: int, *, batch_size: int = 100
) -> tuple[Survival, ...]:
    """The same with uniformly random orthonormal vectors in the place of U: ``draws`` layers U' S V^T with this bias.

    They get the very same signals, and write them into random directions. Raises what `survival` raises.
    """
    layer, neurons = _convolution(model, path)
    signals = _signals(model, path, neurons, images, batch_size)
    size = len(neurons.U)
    frames = haar_frames(draws, size, size, torch.Generator().manual_seed(seed))
    return tuple(_survival(neurons.S, frame, signals, _bias(layer)) for frame in frames)


def _survival(S: Tensor, U: Tensor, signals: Tensor, bias: Tensor) -> Survival:
    """For signals ``(r, samples)`` that a square orthogonal U writes."""
    r = len(S)
    after = U.T @ (U[:, :r] @ signals + bias).relu()
    before_energy, after_energy = signals.square().mean(1), after.square().mean(1)
    found = torch.stack([torch.corrcoef(torch.stack(pair))[0, 1] for pair in zip(signals, after, strict=False)])
    ratio = after_energy[:r] / before_energy
    ranks = (_rank_correlation(*pair) for pair in ((S, ratio), (S, found), (before_energy, after_energy[:r])))
    return Survival(before_energy, after_energy, found, *ranks)


def _rank_correlation(first: Tensor, second: Tensor) -> float:
    return float(spearmanr(first.numpy(), second.numpy()).statistic) if len(first) > 1 else 1.0


def _signals(model: nn.Module, path: str, neurons: SpectralNeurons, images: Tensor, batch_size: int) -> Tensor:
    """``U^T Y = S V^T Psi(X)`` at all positions of all images: ``(r, samples)``."""
    U = neurons.U.squeeze(1)
    maps = layer_outputs(model, path, images, batch_size)
    return torch.cat([(U.T @ y.cpu().double().movedim(1, 0).flatten(1)) for y in maps], 1)


def _completed(U: Tensor) -> Tensor:
    """U ``(d, r)`` with further orthonormal columns: ``(d, d)``."""
    return torch.cat([U, torch.linalg.svd(U)[0][:, U.shape[1] :]], 1)


def _convolution(model: nn.Module, path: str) -> tuple[nn.Conv2d, SpectralNeurons]:
    layer = layer_at(model, path)
    if not isinstance(layer, nn.Conv2d):
        known = [name for name, module in model.named_modules() if isinstance(module, nn.Conv2d)]
        raise LayerError(
            f"layer {path} is a {type(layer).__name__}; its steps are those of a 2-D convolution, and the model has: "
            f"{', '.join(known) or 'none'}"
        )
    return layer, spectral_neurons(layer)


def _bias(layer: nn.Conv2d) -> Tensor:
    """The bias as a column; zeros for a layer without one."""
    bias = torch.zeros(layer.out_channels) if layer.bias is None else layer.bias.detach().cpu()
    return bias.double().unsqueeze(1)


def _input(model: nn.Module, layer: nn.Conv2d, path: str, image: Tensor) -> Tensor:
    found: list[Tensor] = []
    handle = layer.register_forward_pre_hook(lambda _, inputs: found.append(inputs[0].detach().clone()))
    try:
        with evaluating(model), torch.no_grad():
            model(image.unsqueeze(0))
    finally:
        handle.remove()
    if not found:
        raise LayerError(f"{type(model).__name__} has a layer {path!r} but does not run it")
    return found[0]
