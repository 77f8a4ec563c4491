"""How each layer and function of torch is frozen: its output at the images, its linear part, its constant part.

A rule takes the layer (or nothing, for a function) and the evaluated arguments, and returns `Frozen`. The tables
``MODULE_RULES`` and ``FUNCTION_RULES`` say what is supported; a layer of one's own joins by `register_module`.
"""

from paperlib.operators.rules import aten, layout, normalisation, piecewise, pointwise, pooling, structure, weighted
from paperlib.operators.rules.refusals import reason
from paperlib.operators.rules.table import (
    CONSTANT_RULES,
    FUNCTION_RULES,
    MODULE_RULES,
    WEIGHTED,
    Frozen,
    UnsupportedSetting,
    known,
    register_function,
    register_module,
    supported_layers,
)

__all__ = [
    "CONSTANT_RULES", "FUNCTION_RULES", "MODULE_RULES", "WEIGHTED", "Frozen", "UnsupportedSetting", "aten", "known",
    "layout", "normalisation", "piecewise", "pointwise", "pooling", "reason", "register_function", "register_module",
    "structure", "supported_layers", "weighted",
]  # fmt: skip
