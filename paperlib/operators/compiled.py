"""From a model to its frozen networks: the order of its layers found once, then frozen at any images."""

import torch
from torch import Tensor, fx, nn
from torch.export import ExportedProgram

from paperlib.operators.errors import NotFiniteError, ShapeError, UnsupportedLayerError
from paperlib.operators.exporting import as_module, check_input, cleaned, export, input_shape, is_exported
from paperlib.operators.frozen import FrozenNetwork
from paperlib.operators.masks import check_masks
from paperlib.operators.recording import Recorder
from paperlib.operators.tracing import DifferenceError, NotTraceableError, check_weights, compare, trace


def freeze(
    model: nn.Module | ExportedProgram, images: Tensor, *, masks: str = "bool", frozen_statistics: bool = False
) -> FrozenNetwork:
    """Freeze a piecewise linear network at a batch of images ``(batch, *domain_shape)``.

    The model is any ``nn.Module`` (a single layer too) in evaluation mode, of one input and one output, made of
    supported layers (`paperlib.operators.supported_layers`) or of the functions behind them; torch.fx finds the order
    in which it applies them. A program of ``torch.export``, or its ``.module()``, is a model too. Where torch.fx cannot
    follow a forward function (it branches on shapes), the model is exported first.

    ``masks`` says how the network remembers which activations were positive: "bool" takes one byte an activation,
    "bits" one eighth of it, unpacked piece by piece during a product (`FrozenNetwork.mask_bytes`). Max pooling
    remembers one byte a window in both cases, and four where windows overlap.

    Instance, group and layer norm divide by statistics of the input, so that a network with them is not piecewise
    linear and is refused. With ``frozen_statistics=True`` the mean and the deviation at the images are kept as
    constants. ``A[x] x + b[x] = F(x)`` then still holds, but ``A[x]`` is the matrix of the network with frozen
    statistics and NOT the Jacobian, which has further terms that project the mean and the normalised values away.
    (Instance norm with running statistics in evaluation mode is linear, and needs no option.)

    Raises ``UnsupportedLayerError`` (with the layer's path) for a layer without an adjoint here or a forward function
    that depends on the input's values; ``ShapeError`` where a layer refuses the input's shape or dtype, or where a
    program was exported for another shape or batch size; ``NotFiniteError`` for NaN or infinity in weights or images;
    ``ValueError`` for another name of ``masks``.

    In the book: thm-frozen-network, thm-gated-middle.
    """
    return Compiled(model, frozen_statistics=frozen_statistics).freeze(images, masks=masks)


class Compiled:
    """A model with its graph, ready to be frozen at many batches; ``frozen_statistics`` as for `freeze`.

    ``graph`` is that of torch.fx, or None where the model must be exported: then for each shape of images, when they
    are first frozen.
    """

    def __init__(self, model: nn.Module | ExportedProgram, *, frozen_statistics: bool = False):
        self.model = as_module(model)
        self.frozen_statistics = frozen_statistics
        check_weights(self.model)
        self.graph: fx.Graph | None = None
        try:
            self.graph = trace(self.model)
        except NotTraceableError as error:
            self._failure = error
        self._exported: dict[tuple[int | None, ...], tuple[nn.Module, fx.Graph]] = {}
        self._compared: set[fx.Graph] = set()

    def freeze(self, images: Tensor, *, masks: str = "bool") -> FrozenNetwork:
        """See `freeze`."""
        check_masks(masks)
        if not torch.isfinite(images).all():
            raise NotFiniteError("the images hold NaN or infinity; RPR and the frozen network are undefined there")
        images = images.detach()
        with torch.no_grad():
            if self.graph is None:
                return self._record(*self._program(images), images, masks)
            if is_exported(self.model):
                check_input(self.graph, images)
            try:
                return self._record(self.model, self.graph, images, masks)
            except (ShapeError, DifferenceError) as error:
                # torch.fx can take another branch in silence, and does not see what a layer in place overwrites.
                if self._compared or is_exported(self.model) or not _accepts(self.model, images):
                    raise
                self.graph, self._failure = None, error
            return self._record(*self._program(images), images, masks)

    def _record(self, program: nn.Module, graph: fx.Graph, images: Tensor, masks: str) -> FrozenNetwork:
        frozen = Recorder(program, images, self.frozen_statistics, masks).run(graph)
        if graph not in self._compared:
            compare(self.model, frozen)
            self._compared.add(graph)
        return frozen

    def _program(self, images: Tensor) -> tuple[nn.Module, fx.Graph]:
        """The model as torch.export follows it, with its graph."""
        shape = tuple(images.shape)
        # A program for any batch size is found under the size None.
        for key in ((None, *shape[1:]), shape):
            if key in self._exported:
                return self._exported[key]
        try:
            program = export(self.model, images)
        except Exception as error:
            # The model's own code ran, and can fail in any way.
            why = str(error).strip().partition("\n")[0]
            raise UnsupportedLayerError(f"{self._failure}; torch.export cannot follow it either: {why}") from error
        self._exported[input_shape(program.graph)] = program, cleaned(program.graph)
        return self._exported[input_shape(program.graph)]


def _accepts(model: nn.Module, images: Tensor) -> bool:
    """Whether the model itself can be applied to images like these."""
    try:
        model(images[:1].clone())
    except Exception:
        # The model's own code ran, and can fail in any way.
        return False
    return True
