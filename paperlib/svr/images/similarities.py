"""How like an edge detector spectral neurons are: cosines of spectral images with Sobel's (`svr`, Figures 6, 14)."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from paperlib.subspaces.layers import LayerError, linear_layer
from paperlib.svr.images.filters import Padding, random_filters, spectral_filters, with_filters
from paperlib.svr.images.layer_inputs import visit_inputs
from paperlib.svr.images.sobel import sobel_proxy
from paperlib.svr.images.spectral_images import check_maps

_FIELDS = ("mean", "half_width", "deviation")


@dataclass(frozen=True)
class SobelSimilarity:
    """Cosines in [-1, 1] between the spectral images of one layer and the Sobel proxy, ``(images, M)`` float64.

    ``spectral``: spectral image m of an image and the proxy of that image. Two baselines: ``random_filters``, with
    random orthonormal filters in the place of the spectral ones, and ``other_images``, where each image's spectral
    images meet the proxy of another image. ``map_size`` is that of the spectral images.
    """

    path: str
    map_size: tuple[int, int]
    spectral: Tensor
    random_filters: Tensor
    other_images: Tensor


@dataclass(frozen=True)
class MeanSimilarity:
    """Means ``(M,)`` over images with the interval ``mean - half_width`` to ``mean + half_width`` of the *mean*.

    ``deviation`` is the standard deviation over the images: the spread of single images, ``sqrt(images) / z`` times
    the half width.
    """

    mean: Tensor
    half_width: Tensor
    deviation: Tensor
    images: int


def mean_similarity(values: Tensor, z: float = 4.0) -> MeanSimilarity:
    """Mean over the rows of ``values`` ``(images, M)``, with ``z`` standard errors to each side; float64.

    Four, as in the authors' figures, make an interval of 99.994 %. Raises ``ValueError`` for fewer than two images.
    """
    if len(values) < 2:
        raise ValueError(f"{len(values)} images have no spread; expected at least two")
    deviation = values.double().std(0)
    return MeanSimilarity(values.double().mean(0), z * deviation / len(values) ** 0.5, deviation, len(values))


@dataclass(frozen=True)
class SimilarityCurves:
    """What a figure of `SobelSimilarity` shows: means over the images against the spectral neuron, ``(M,)`` each.

    ``own`` compares with the edges of the image, ``other`` with those of another one; ``random`` holds the quantiles
    0.05, 0.5 and 0.95 of the means of random filters.
    """

    own: MeanSimilarity
    other: MeanSimilarity
    random: tuple[float, float, float]

    def as_lists(self, digits: int) -> dict:
        """Plain numbers with so many decimals; `from_lists` reads them."""
        means = {name: getattr(self, name) for name in ("own", "other")}
        kept = {
            name: {field: torch.round(getattr(one, field), decimals=digits).tolist() for field in _FIELDS}
            for name, one in means.items()
        }
        return kept | {"images": self.own.images, "random": [round(value, digits) for value in self.random]}

    @classmethod
    def from_lists(cls, kept: dict) -> "SimilarityCurves":
        own, other = (
            MeanSimilarity(*(torch.tensor(kept[name][field], dtype=torch.float64) for field in _FIELDS), kept["images"])
            for name in ("own", "other")
        )
        return cls(own, other, tuple(kept["random"]))


def similarity_curves(found: SobelSimilarity, z: float = 4.0) -> SimilarityCurves:
    """Means with intervals of ``z`` standard errors to each side. Raises ``ValueError`` for fewer than two images."""
    random = found.random_filters.double().mean(0).quantile(torch.tensor([0.05, 0.5, 0.95], dtype=torch.float64))
    own, other = mean_similarity(found.spectral, z), mean_similarity(found.other_images, z)
    return SimilarityCurves(own, other, tuple(random.tolist()))


def sobel_similarities(
    model: nn.Module,
    images: Tensor,
    layers: Sequence[str],
    count: int = 100,
    *,
    absolute: bool = True,
    padding: Padding = "layer",
    seed: int = 0,
    batch_size: int = 10,
) -> dict[str, SobelSimilarity]:
    """Cosine similarity of the spectral images of 2-D convolutions with the edges of the input (`svr`, Section 5.1).

    ``images`` ``(count, channels, height, width)``; of each layer the first ``count`` spectral neurons, or all where
    there are fewer. The proxy is `sobel_proxy` of the image, averaged down to the size of the layer's input and read
    where the centre of the kernel lies. With ``absolute`` it meets the magnitude of the spectral image, as in the
    appendix (B.4); else the image as it is, whose sign is a convention. ``padding`` ``"none"`` is the authors' choice.
    A cosine is 0 where the spectral image or the proxy is zero everywhere, as the proxy of a single colour is.
    ``seed`` draws the baselines' filters and their pairs of images.

    One pass over the images, with one more convolution for each layer; the spectral images of one batch and one layer
    are in memory at a time. Sums are in float64.

    Raises what `spectral_images` raises, ``LayerError`` for a layer that is no 2-D convolution, and ``ValueError`` for
    fewer than two images or maps below 3 x 3.
    """
    if len(images) < 2:
        raise ValueError(f"{len(images)} image has no other one to be compared with; expected at least two")
    check_maps(model, images, layers, padding)
    generator = torch.Generator().manual_seed(seed)
    others = _other_images(len(images), generator)
    filters = {path: _with_both(path, linear_layer(model, path), count, padding, generator) for path in layers}
    found = {path: torch.empty(3, len(images), len(f.weight) // 2, dtype=torch.float64) for path, f in filters.items()}
    sizes: dict[str, tuple[int, int]] = {}

    def compare(path: str, part: slice, x: Tensor) -> None:
        y = filters[path](x)
        sizes[path] = tuple(y.shape[2:])
        both = (y.abs() if absolute else y).double().chunk(2, dim=1)
        own, other = (
            _edges(images[rows].to(x.device), filters[path], x.shape[2:], sizes[path]) for rows in (part, others[part])
        )
        pairs = ((both[0], own), (both[1], own), (both[0], other))
        found[path][:, part] = torch.stack([_cosines(*pair) for pair in pairs]).cpu()

    visit_inputs(model, images, layers, compare, batch_size=batch_size)
    return {path: SobelSimilarity(path, sizes[path], *found[path]) for path in layers}


def _with_both(path: str, layer: nn.Module, count: int, padding: Padding, generator: torch.Generator) -> nn.Conv2d:
    """The layer with the spectral filters and as many random ones behind them."""
    if not isinstance(layer, nn.Conv2d):
        raise LayerError(f"layer {path} is a {type(layer).__name__}; edges can be compared with 2-D convolutions only")
    spectral = spectral_filters(layer, count)
    random = random_filters(layer, len(spectral), generator).to(spectral.device)
    return with_filters(layer, torch.cat([spectral, random]), padding)


def _other_images(count: int, generator: torch.Generator) -> Tensor:
    """For each image the index of another one, each used once."""
    order = torch.randperm(count, generator=generator)
    others = torch.empty_like(order)
    others[order] = order.roll(1)
    return others


def _edges(images: Tensor, layer: nn.Conv2d, input_size: tuple[int, int], map_size: tuple[int, int]) -> Tensor:
    """The proxy at the places where the layer's kernels have their centres: ``(count, *map_size)``."""
    edges = sobel_proxy(images, input_size)
    # torch keeps the padding with the last axis first, whatever form it was given in.
    left, _, top, _ = layer._reversed_padding_repeated_twice
    for axis, padding in enumerate((top, left)):
        centre = layer.dilation[axis] * (layer.kernel_size[axis] - 1) // 2 - padding
        places = torch.arange(map_size[axis], device=edges.device) * layer.stride[axis] + centre
        edges = edges.index_select(axis + 1, places.clamp(0, input_size[axis] - 1))
    return edges


def _cosines(maps: Tensor, edges: Tensor) -> Tensor:
    """Cosines ``(batch, M)`` of maps ``(batch, M, height, width)`` with edges ``(batch, height, width)``, float64."""
    products = torch.einsum("bmhw,bhw->bm", maps, edges)
    norms = torch.linalg.vector_norm(maps, dim=(2, 3)) * torch.linalg.vector_norm(edges, dim=(1, 2)).unsqueeze(1)
    return torch.where(norms == 0, 0.0, products / norms)
