"""Linear operators: the frozen CNN ``A[x]`` of any piecewise linear network, its adjoint, and their test."""

from paperlib.operators.base import CountingOperator, LinearOperator, MatrixOperator
from paperlib.operators.bridges import to_petsc, to_scipy
from paperlib.operators.compiled import Compiled, freeze
from paperlib.operators.dot_test import dot_test
from paperlib.operators.errors import NotFiniteError, OperatorError, ShapeError, UnsupportedLayerError
from paperlib.operators.frozen import FrozenNetwork
from paperlib.operators.rules import Frozen, register_function, register_module, supported_layers
from paperlib.operators.sliding_window import SlidingWindowOperator, sliding_window

__all__ = [
    "Compiled", "CountingOperator", "Frozen", "FrozenNetwork", "LinearOperator", "MatrixOperator", "NotFiniteError",
    "OperatorError", "ShapeError", "SlidingWindowOperator", "UnsupportedLayerError", "dot_test", "freeze",
    "register_function", "register_module", "sliding_window", "supported_layers", "to_petsc", "to_scipy",
]  # fmt: skip
