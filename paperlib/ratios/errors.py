"""How loading a reader's model or images can fail."""


class RatioError(Exception):
    """Base of the errors of `paperlib.ratios`."""


class ModelError(RatioError):
    """A model or its weights cannot be loaded; the message says what was found, what was expected and what to do."""


class UnsafeModelError(ModelError):
    """A model file holds a pickle, compiled code or other parts that could run code, and no permission was given."""


class ImageError(RatioError, ValueError):
    """An image, or a folder of images, cannot be read or prepared."""
