"""Families of networks, their capacity metrics, and how these go with test accuracy (`convsvd`, Section 4.1)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from tqdm import tqdm

from paperlib.convsvd.imagenet import imagenet_families, imagenet_network
from paperlib.convsvd.networks import family_recipes
from paperlib.convsvd.trends import Trend, trend
from paperlib.spectra.capacity import FEWEST_EIGENVALUES, Capacity, capacity
from paperlib.spectra.matrizations import Matrization, layer_spectra, spatial_sizes
from paperlib.spectra.shuffled import shuffled
from paperlib.training import initial_network, trained_network
from paperlib.training.recipe import Recipe

State = Literal["trained", "shuffled", "untrained"]


@dataclass(frozen=True)
class Candidate:
    """A network that is not loaded yet: ``load`` and ``initial`` give it trained and as training begins.

    ``example`` ``(1, channels, height, width)`` is an image of zeros of the size it was trained on; ``accuracy`` is on
    test images, in [0, 1].
    """

    name: str
    accuracy: float
    load: Callable[[], nn.Module]
    initial: Callable[[], nn.Module]
    example: Tensor


@dataclass(frozen=True)
class Member:
    """A network of a family with its test accuracy in [0, 1] and its exponents in each matrization."""

    name: str
    accuracy: float
    capacities: Mapping[Matrization, Capacity]


Families = Mapping[str, Sequence[Member]]


def small_families(
    blocks: Sequence[int], widths: Sequence[int], *, data: str, epochs: int, seed: int = 0, progress: bool = False
) -> dict[str, list[Candidate]]:
    """The stand-ins of `paperlib.convsvd.networks.family_recipes`, loaded where they are here and else trained.

    Raises what `paperlib.training.trained_network` raises.
    """
    recipes = family_recipes(blocks, widths, data=data, epochs=epochs, seed=seed)
    return {
        family: [_small(name, recipe, progress) for name, recipe in members.items()]
        for family, members in recipes.items()
    }


def _small(name: str, recipe: Recipe, progress: bool) -> Candidate:
    found = trained_network(recipe, progress=progress)
    initial = partial(initial_network, recipe)
    return Candidate(name, found.summary.test_accuracy, lambda: found.model, initial, torch.zeros(1, 3, 32, 32))


def large_families() -> dict[str, list[Candidate]]:
    """The paper's families by title, with ImageNet weights and the accuracies that pytorchcv documents.

    Nothing is loaded before it is needed; then `paperlib.convsvd.imagenet.imagenet_network` raises what it raises.
    """
    registry = imagenet_families()
    example = torch.zeros(1, 3, registry.crop, registry.crop)
    return {
        family.title: [
            Candidate(
                name,
                1 - error / 100,
                partial(imagenet_network, module, name),
                partial(imagenet_network, module, name, trained=False),
                example,
            )
            for name, error in family.top1_error.items()
        ]
        for module, family in registry.families.items()
    }


def measure(
    families: Mapping[str, Sequence[Candidate]],
    matrizations: Sequence[Matrization],
    *,
    state: State = "trained",
    fewest: int = FEWEST_EIGENVALUES,
    dense: bool = True,
    seed: int = 0,
    device: str = "cpu",
    progress: bool = False,
) -> dict[str, list[Member]]:
    """Exponents of every network in every matrization; networks are loaded one after the other.

    ``state`` ``"shuffled"`` takes the trained weights of each layer in random order (drawn by ``seed``), and
    ``"untrained"`` those that training begins with: the controls. The accuracy is that of the trained network. Fully
    connected layers count where ``dense``, layers of less than ``fewest`` eigenvalues never.

    Raises ``ValueError`` for another state, and what loading and `paperlib.spectra.capacity` raise.
    """
    if state not in get_args(State):
        raise ValueError(f"state is {state!r}; expected one of {', '.join(get_args(State))}")
    total = sum(len(members) for members in families.values())
    with tqdm(total=total, desc=f"spectra, {state}", disable=not progress) as bar:
        result: dict[str, list[Member]] = {}
        for family, members in families.items():
            result[family] = []
            for one in members:
                model = _in_state(one, state, seed)
                sizes = spatial_sizes(model, one.example) if "W2" in matrizations else None
                settings = {"input_sizes": sizes, "dense": dense, "device": device}
                capacities = {
                    name: capacity(layer_spectra(model, name, **settings), fewest=fewest) for name in matrizations
                }
                result[family].append(Member(one.name, one.accuracy, capacities))
                bar.update()
    return result


def _in_state(one: Candidate, state: State, seed: int) -> nn.Module:
    if state == "untrained":
        return one.initial()
    return shuffled(one.load(), seed) if state == "shuffled" else one.load()


def trends(
    families: Families, matrizations: Sequence[Matrization], convention: str, *, draws: int = 2000, seed: int = 0
) -> dict[str, dict[Matrization, Trend]]:
    """The trend of accuracy with alpha-hat in a convention, for each family and matrization.

    Raises what `paperlib.convsvd.trends.trend` raises, for families of fewer than three networks for example.
    """
    return {
        family: {
            name: trend(alpha_hats(members, name, convention), accuracies(members), draws=draws, seed=seed)
            for name in matrizations
        }
        for family, members in families.items()
    }


def alpha_hats(members: Sequence[Member], matrization: Matrization, convention: str) -> list[float]:
    """The capacity metric of each network of a family."""
    return [member.capacities[matrization].alpha_hat(convention) for member in members]


def accuracies(members: Sequence[Member]) -> list[float]:
    """The test accuracy of each network of a family, in [0, 1]."""
    return [member.accuracy for member in members]
