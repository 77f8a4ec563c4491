"""How building or applying an operator can fail."""


class OperatorError(Exception):
    """Base of the errors of `paperlib.operators`."""


class UnsupportedLayerError(OperatorError):
    """A layer has no adjoint here; the message names its path in the model and the supported layers."""


class ShapeError(OperatorError, ValueError):
    """A tensor has another shape, dtype or device than the operator works on."""


class NotFiniteError(OperatorError, ValueError):
    """Weights or images hold NaN or infinity."""
