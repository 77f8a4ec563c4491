"""The Jacobian of a network by automatic differentiation: what one multiplies with who has no adjoint network."""

import torch
from torch import Tensor, nn

from paperlib.operators import LinearOperator


class AutogradOperator(LinearOperator):
    """``A[x]`` by `torch.func` at one image ``(1, *domain_shape)``.

    ``A v`` by `torch.func.jvp`, which runs the network anew for each vector; ``A^T z`` by the closure of one
    `torch.func.vjp`, which keeps the activations of all layers.
    """

    def __init__(self, model: nn.Module, image: Tensor):
        self._model, self._image = model, image
        output, self._pull_back = torch.func.vjp(model, image)
        super().__init__(tuple(image.shape[1:]), tuple(output.shape[1:]), image.dtype, image.device)

    def _matmat(self, vectors: Tensor) -> Tensor:
        pushed = [torch.func.jvp(self._model, (self._image,), (v.unsqueeze(0),))[1] for v in vectors]
        return torch.cat(pushed)

    def _rmatmat(self, vectors: Tensor) -> Tensor:
        return torch.cat([self._pull_back(z.unsqueeze(0))[0] for z in vectors])
