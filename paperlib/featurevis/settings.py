"""How images are optimised."""

from dataclasses import dataclass, field

from paperlib.featurevis.colour import ColourTransform
from paperlib.featurevis.transformations import Transformations


@dataclass(frozen=True)
class VisualisationSettings:
    """Everything that an optimised image depends on, but for the network, its objective and the seed.

    ``size`` is (height, width) in pixels and ``channels`` 1 for grey or as many as the network takes. ``steps`` of Adam
    with learning rate ``rate`` begin at normal coefficients of standard deviation ``deviation``. ``colours`` mixes the
    channels as `colour_transform` measured it; where it is None channels are independent. ``fourier`` is False for an
    optimisation of the pixels themselves, and ``transformations`` None for one of an image that stands still.

    Raises ``ValueError`` for settings out of range and colours of another number of channels.
    """

    size: tuple[int, int] = (28, 28)
    channels: int = 1
    steps: int = 256
    rate: float = 0.05
    deviation: float = 0.01
    colours: ColourTransform | None = None
    fourier: bool = True
    transformations: Transformations | None = field(default_factory=Transformations)
    batch_size: int = 32

    def __post_init__(self) -> None:
        if len(self.size) != 2 or min(self.size) < 2:
            raise ValueError(f"size is {self.size}; expected (height, width) of at least 2 pixels each")
        for name in ("channels", "steps", "batch_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; expected at least 1")
        for name in ("rate", "deviation"):
            if not 0 < getattr(self, name) < float("inf"):
                raise ValueError(f"{name} is {getattr(self, name)}; expected a positive number")
        if self.colours is not None and self.colours.channels != self.channels:
            raise ValueError(
                f"colours has {self.colours.channels} channels (from {self.colours.source}), images have "
                f"{self.channels}; take a transform of images with {self.channels}, or None"
            )
