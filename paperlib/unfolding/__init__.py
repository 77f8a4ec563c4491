"""A convolution's weights as matrices, and the vectors that they act on.

``k`` stands for the number of entries of the kernel of one channel, such as 9 for 3x3; kernels need not be square.

>>> import torch
>>> from torch import nn
>>> layer, x = nn.Conv2d(3, 4, 3, padding=1, bias=False), torch.rand(1, 3, 5, 5)
>>> fields = receptive_fields(layer, x)
>>> fields.shape
torch.Size([1, 25, 27])
>>> y = fields @ output_unfolding(layer.weight).T
>>> torch.allclose(y.mT.unflatten(2, (5, 5)), layer(x), atol=1e-6)
True
>>> W2 = convolution_matrices(layer).operator_matrix((5, 5), "zero")
>>> torch.allclose((W2 @ x.flatten()).reshape(4, 5, 5), layer(x)[0], atol=1e-6)
True
>>> torch.allclose(tensor_svd(layer)(x), layer(x), atol=1e-6)
True
"""

from paperlib.unfolding.convolution import ConvolutionMatrices, convolution_matrices
from paperlib.unfolding.matrices import input_unfolding, kernel_stack, output_unfolding, slices
from paperlib.unfolding.operator_matrix import Boundary, ConvolutionOperator, UnfoldingError
from paperlib.unfolding.receptive_fields import Convolution, embedded_fields, receptive_fields
from paperlib.unfolding.tensor_svd import tensor_svd

__all__ = [
    "Boundary", "Convolution", "ConvolutionMatrices", "ConvolutionOperator", "UnfoldingError", "convolution_matrices",
    "embedded_fields", "input_unfolding", "kernel_stack", "output_unfolding", "receptive_fields", "slices",
    "tensor_svd",
]  # fmt: skip
