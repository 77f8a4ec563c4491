"""Sliding-window inference as one linear operator: a network at every window of a volume, stitched together.

>>> import torch
>>> from paperlib.models import unet
>>> from paperlib.operators import dot_test, sliding_window
>>> model = unet(1, 2, depth=2, filters=3, spatial_dims=2).double()
>>> A = sliding_window(model, torch.rand(1, 9, 12, dtype=torch.float64), (8, 8), mode="gaussian")
>>> A.range_shape, A.windows, dot_test(A) < 1e-12
((2, 9, 12), 4, True)
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from paperlib.operators.base import LinearOperator
from paperlib.operators.compiled import Compiled
from paperlib.operators.errors import ShapeError
from paperlib.operators.frozen import FrozenNetwork
from paperlib.operators.window_grid import Place, WindowGrid, window_grid

MASKS = ("bool", "bits", "recompute")

Block = tuple[Sequence[Place], FrozenNetwork]


def sliding_window(
    model: nn.Module | ExportedProgram | Compiled,
    volume: Tensor,
    roi_size: int | Sequence[int],
    *,
    overlap: float | Sequence[float] = 0.25,
    mode: str = "constant",
    sigma_scale: float | Sequence[float] = 0.125,
    windows_at_once: int = 1,
    masks: str = "bits",
) -> "SlidingWindowOperator":
    """Freeze a network at every window of ``volume`` ``(channels, *spatial)``: `generalizability`, eq. 1, of a volume.

    ``monai.inferers.sliding_window_inference`` with the same ``roi_size``, ``overlap``, ``mode`` (``"constant"`` or
    ``"gaussian"`` weights) and ``sigma_scale`` (each for all axes or for each) gives ``A x``, for a network without
    constant part; a volume smaller than the window is padded with zeros and cropped behind. ``model`` is what
    `paperlib.operators.freeze` takes, or a `Compiled`; it gives windows ``(batch, channels, *roi_size)`` an output of
    their spatial size.

    Products run through ``windows_at_once`` windows at a time, for all vectors of a block. ``masks`` says what is kept
    of each window between products: ``"bool"``, a byte for each gate, ``"bits"``, a bit, or ``"recompute"``, nothing
    but the volume: each product freezes the windows again, at the price of one more forward pass.

    Raises ``ShapeError`` for a volume of another number of axes, on another device than the model's, and for an output
    of another spatial size; ``ValueError`` for settings out of range; and what `paperlib.operators.freeze` raises.
    """
    _check(model.model if isinstance(model, Compiled) else model, volume, windows_at_once, masks)
    compiled = model if isinstance(model, Compiled) else Compiled(model)
    # A copy, because masks may be made again from it; a plain tensor, because subclasses that carry metadata along,
    # such as MONAI's, would do so for each window.
    volume = volume.detach().as_subclass(Tensor).clone()
    grid = window_grid(volume.shape[1:], roi_size, overlap, mode, sigma_scale, volume)
    blocks = [grid.places[i : i + windows_at_once] for i in range(0, len(grid.places), windows_at_once)]
    keep = masks != "recompute"
    # Masks that are made again last for one product of one block: no reason to pack them.
    networks = _Recomputed(compiled, grid, grid.pad(volume), blocks, masks if keep else "bool")
    kept: list[Block] = []
    output = grid.stitch(_outputs(networks, kept if keep else None))
    return SlidingWindowOperator(volume, output, grid, kept if keep else networks)


class SlidingWindowOperator(LinearOperator):
    """``A[x] = D^-1 sum_w R_w^T diag(g) A_w[R_w x] R_w``, see `sliding_window`.

    ``R_w`` cuts window w, ``A_w`` is the network frozen there, ``g`` the weights of a window's voxels and ``D`` their
    sum over the windows. ``output`` ``(c_out, *spatial)`` is the stitched ``F(x)``.
    """

    def __init__(self, volume: Tensor, output: Tensor, grid: WindowGrid, networks: Iterable[Block]):
        super().__init__(tuple(volume.shape), tuple(output.shape), volume.dtype, volume.device)
        self.output = output
        self._grid, self._networks = grid, networks

    @property
    def windows(self) -> int:
        """Number of windows."""
        return len(self._grid.places)

    @property
    def mask_bytes(self) -> int:
        """Bytes of the masks that are kept between products, zero where each product makes them again."""
        if isinstance(self._networks, _Recomputed):
            return 0
        return sum(network.mask_bytes for _, network in self._networks)

    @torch.no_grad()
    def offset(self) -> Tensor:
        """``b[x]`` ``(c_out, *spatial)`` of ``F(x) = A[x] x + b[x]``; zero for a network without biases."""
        return self._grid.stitch((places, network.offset()) for places, network in self._networks)

    @torch.no_grad()
    def _matmat(self, vectors: Tensor) -> Tensor:
        padded = self._grid.pad(vectors)
        return self._grid.stitch(
            (places, network.product(self._grid.cut(padded, places))) for places, network in self._networks
        )

    @torch.no_grad()
    def _rmatmat(self, vectors: Tensor) -> Tensor:
        shares = self._grid.unstitch(vectors)
        total = self._grid.add_up(
            (places, network.adjoint(self._grid.cut(shares, places) * self._grid.weight))
            for places, network in self._networks
        )
        return self._grid.crop(total).contiguous()


@dataclass(frozen=True)
class _Recomputed:
    """The blocks of windows, each frozen anew whenever its turn comes."""

    compiled: Compiled
    grid: WindowGrid
    padded: Tensor
    blocks: Sequence[Sequence[Place]]
    masks: str

    def __iter__(self) -> Iterator[Block]:
        for places in self.blocks:
            network = self.compiled.freeze(self.grid.cut(self.padded, places), masks=self.masks)
            if network.outputs.dim() != self.padded.dim() + 1 or network.outputs.shape[2:] != self.grid.weight.shape:
                raise ShapeError(
                    f"the network gives {tuple(network.outputs.shape[1:])} for a window of shape "
                    f"{tuple(network.images.shape[1:])}; stitching needs (channels, *spatial) with its spatial size"
                )
            yield places, network


def _outputs(networks: Iterable[Block], kept: list[Block] | None) -> Iterator[tuple[Sequence[Place], Tensor]]:
    """What the network gives at each block, which is then kept or let go."""
    for places, network in networks:
        outputs = network.outputs
        if kept is not None:
            kept.append((places, _masks_only(network, kept[0][1] if kept else network)))
        yield places, outputs


def _masks_only(network: FrozenNetwork, first: FrozenNetwork) -> FrozenNetwork:
    """The network without its windows and outputs, and with the weights of the first block's.

    Where windows overlap the former are several copies of the volume. The latter are the same in every block, but each
    freezing lays them out anew, and a copy for each window would outweigh its masks.
    """
    network.images, network.outputs = _shape_only(network.images), _shape_only(network.outputs)
    network.steps = tuple(
        replace(step, operation=step.operation.with_weights_of(other.operation))
        for step, other in zip(network.steps, first.steps, strict=True)
    )
    return network


def _shape_only(values: Tensor) -> Tensor:
    return values.new_zeros(()).expand(values.shape)


def _check(model: nn.Module | ExportedProgram, volume: Tensor, windows_at_once: int, masks: str) -> None:
    if volume.dim() not in (2, 3, 4):
        raise ShapeError(
            f"the volume has shape {tuple(volume.shape)}; expected (channels, *spatial) with one to three spatial "
            "axes and no batch axis"
        )
    weight = next(iter([*model.parameters(), *model.buffers()]), volume)
    if weight.device != volume.device:
        raise ShapeError(f"the volume is on {volume.device} and the model on {weight.device}; move one to the other")
    if windows_at_once < 1:
        raise ValueError(f"windows_at_once is {windows_at_once}; expected 1 or more")
    if masks not in MASKS:
        raise ValueError(f"masks is {masks!r}; expected one of {', '.join(MASKS)}")
