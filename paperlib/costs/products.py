"""Time and memory of ``A v`` and ``A^T z`` of a U-Net: the frozen network beside automatic differentiation."""

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from statistics import median

import torch
from torch import Tensor, nn
from torch.func import jvp, linearize, vjp

from paperlib.costs.apart import measured_apart
from paperlib.costs.child import forget_peak, peak_mib, resident_mib
from paperlib.models.unet import unet
from paperlib.operators import freeze

Product = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class ProductCost:
    """One way to a product ``A v`` (direction ``product``) or ``A^T z`` (``adjoint``) of one vector.

    ``seconds`` is the median over the rounds, between ``fastest`` and ``slowest``; what is made once and used again
    (the frozen network, a linearisation) is not in it. Memory is in MiB beyond the model, the image and the vector:
    ``product_mib`` the largest during a product, with what is kept from one to the next (masks, a graph);
    ``peak_mib`` the largest while that is made, too. ``difference`` is the largest of an
    entry from the frozen network's, relative to the largest entry, in float64 and at the smallest side that the network
    takes: in float32 gates of activations near zero fall by rounding.
    """

    way: str
    direction: str
    seconds: float
    fastest: float
    slowest: float
    product_mib: float
    peak_mib: float
    difference: float


def _frozen(masks: str, direction: str) -> Callable[[nn.Module, Tensor], Product]:
    def make(model: nn.Module, images: Tensor) -> Product:
        operator = freeze(model, images, masks=masks)[0]
        return operator.matvec if direction == "product" else operator.rmatvec

    return make


def _jvp(model: nn.Module, images: Tensor) -> Product:
    return lambda vector: jvp(model, (images,), (vector.unsqueeze(0),))[1].squeeze(0)


def _linearize(model: nn.Module, images: Tensor) -> Product:
    _, derivative = linearize(model, images)
    return lambda vector: derivative(vector.unsqueeze(0)).squeeze(0)


def _vjp(model: nn.Module, images: Tensor) -> Product:
    return lambda vector: vjp(model, images)[1](vector.unsqueeze(0))[0].squeeze(0)


def _kept_vjp(model: nn.Module, images: Tensor) -> Product:
    _, pull_back = vjp(model, images)
    return lambda vector: pull_back(vector.unsqueeze(0))[0].squeeze(0)


# By direction and way: from a model and its images to a product.
WAYS: dict[str, dict[str, Callable[[nn.Module, Tensor], Product]]] = {
    "product": {
        "frozen network": _frozen("bool", "product"),
        "frozen network, bits": _frozen("bits", "product"),
        "torch.func.jvp": _jvp,
        "torch.func.linearize, kept": _linearize,
    },
    "adjoint": {
        "frozen network": _frozen("bool", "adjoint"),
        "frozen network, bits": _frozen("bits", "adjoint"),
        "torch.func.vjp": _vjp,
        "torch.func.vjp, kept": _kept_vjp,
    },
}


def product_costs(
    dimensions: int = 3,
    side: int = 32,
    *,
    filters: int = 32,
    depth: int = 4,
    channels: int = 4,
    threads: int = 1,
    rounds: int = 5,
) -> list[ProductCost]:
    """Every way of `WAYS` for `paperlib.models.unet` with random weights, at one image of ``side`` to ``dimensions``.

    Times are taken in turn, round by round, in one process of ``threads`` threads; each peak in a process of its own.
    ``side`` is a multiple of ``2^(depth - 1)``. In float32 on the CPU; raises ``ApartError`` with the child's message.
    """
    network = {"dimensions": dimensions, "filters": filters, "depth": depth, "channels": channels}
    timed = measured_apart("paperlib.costs.products:times", threads=threads, side=side, rounds=rounds, **network).result
    different = measured_apart("paperlib.costs.products:differences", threads=threads, **network).result
    costs = []
    for direction, ways in WAYS.items():
        for way in ways:
            settings = {"direction": direction, "way": way, "side": side, **network}
            apart = measured_apart("paperlib.costs.products:two_products", threads=threads, **settings)
            seconds = timed[direction][way]
            product_mib, peak = apart.result["product_mib"], apart.result["peak_mib"]
            spread = median(seconds), min(seconds), max(seconds)
            difference = different[direction][way]
            costs.append(ProductCost(way, direction, *spread, product_mib, peak, difference))
    return costs


def ratios(costs: list[ProductCost], quantity: str) -> dict[str, float]:
    """How many times as much of a quantity (``"seconds"``, ``"product_mib"``) each way takes as the frozen network.

    By the way's function, ``jvp``, ``linearize``, ``vjp``, ``kept_vjp``, and for masks as bits ``bits_product`` and
    ``bits_adjoint``.
    """
    ours = {c.direction: getattr(c, quantity) for c in costs if c.way == "frozen network"}
    names = {
        ("product", "frozen network, bits"): "bits_product",
        ("adjoint", "frozen network, bits"): "bits_adjoint",
        ("product", "torch.func.jvp"): "jvp",
        ("product", "torch.func.linearize, kept"): "linearize",
        ("adjoint", "torch.func.vjp"): "vjp",
        ("adjoint", "torch.func.vjp, kept"): "kept_vjp",
    }
    found = {(c.direction, c.way): getattr(c, quantity) / ours[c.direction] for c in costs}
    return {name: found[key] for key, name in names.items()}


def times(*, side: int, rounds: int, **network: int) -> dict[str, dict[str, list[float]]]:
    """Seconds of one product in each round, by direction and way; the first product of each is not counted."""
    model, images, vectors = _network(side, torch.float32, **network)
    products = {(d, way): make(model, images) for d, ways in WAYS.items() for way, make in ways.items()}
    for (direction, _), multiply in products.items():
        multiply(vectors[direction])
    seconds = {direction: {way: [] for way in ways} for direction, ways in WAYS.items()}
    for _ in range(rounds):
        for (direction, way), multiply in products.items():
            start = time.perf_counter()
            multiply(vectors[direction])
            seconds[direction][way].append(time.perf_counter() - start)
    return seconds


def differences(*, depth: int, **network: int) -> dict[str, dict[str, float]]:
    """Largest difference from the frozen network's product, relative to its largest entry, in float64."""
    model, images, vectors = _network(2**depth, torch.float64, depth=depth, **network)
    found: dict[str, dict[str, float]] = {}
    for direction, ways in WAYS.items():
        results = {way: make(model, images)(vectors[direction]) for way, make in ways.items()}
        ours = results["frozen network"]
        found[direction] = {
            way: float((theirs - ours).abs().max() / ours.abs().max()) for way, theirs in results.items()
        }
    return found


def two_products(*, direction: str, way: str, side: int, **network: int) -> Generator[None, None, dict[str, float]]:
    """The measured part: whatever a way makes once, and two products; the result is the memory of the second one.

    To be run in a process of its own (`paperlib.costs.measured_apart`), whose peak it sets back.
    """
    model, images, vectors = _network(side, torch.float32, **network)
    yield
    before = resident_mib()
    multiply = WAYS[direction][way](model, images)
    multiply(vectors[direction])
    whole = peak_mib()
    forget_peak()
    multiply(vectors[direction])
    return {"product_mib": peak_mib() - before, "peak_mib": max(whole, peak_mib()) - before}


def _network(
    side: int, dtype: torch.dtype, *, dimensions: int, filters: int, depth: int, channels: int
) -> tuple[nn.Module, Tensor, dict[str, Tensor]]:
    """The model, one image, and a vector for each direction."""
    spatial = (side,) * dimensions
    # The model's weights come from torch's global generator, which is left as it was.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = unet(channels, 2, depth=depth, filters=filters, spatial_dims=dimensions).to(dtype).eval()
        images = torch.randn(1, channels, *spatial, dtype=dtype)
        vectors = {"product": torch.randn_like(images[0]), "adjoint": torch.randn(2, *spatial, dtype=dtype)}
    return model.requires_grad_(False), images, vectors
