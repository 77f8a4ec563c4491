"""What chance gives, by simulation: laws, moments, thresholds, and how many false edges are shown."""

import pytest
import torch
from scipy import stats
from torch import nn

from paperlib.svr import adjacency, null_law, p_values, spectral_neurons, threshold


def unit(generator, *shape):
    draws = torch.randn(*shape, generator=generator, dtype=torch.float64)
    return draws / draws.flatten(1).norm(dim=1).reshape(-1, *[1] * (len(shape) - 1))


def simulated(channels, degrees, count=40_000):
    """Squared norms of products of independent uniform directions, one of them over channels and a kernel."""
    generator = torch.Generator().manual_seed(100 * channels + degrees)
    u, v = unit(generator, count, channels), unit(generator, count, channels, degrees)
    return torch.einsum("nc,ncz->nz", u, v).square().sum(1).numpy()


CASES = [(5, 1), (40, 1), (5, 9), (16, 3), (16, 9), (8, 25), (12, 49)]


@pytest.mark.parametrize(("channels", "degrees"), CASES)
def test_the_exact_law_is_beta(channels, degrees):
    """svr.prop.02 and 06: a Kolmogorov-Smirnov test that a true law passes 999 times in 1,000."""
    assert stats.kstest(simulated(channels, degrees), null_law(channels, degrees, "beta").cdf).pvalue > 0.001


@pytest.mark.parametrize("law", ["chi2", "beta"])
@pytest.mark.parametrize(("channels", "degrees"), CASES)
def test_the_mean_is_one_over_the_channels(channels, degrees, law):
    assert null_law(channels, degrees, law).mean() == pytest.approx(1 / channels, rel=1e-12)


def test_moments_of_the_fully_connected_law():
    """svr.claim.01 to 03: E<X,Y>^2 = 1/n and E<X,Y>^4 = 3/(n^2 + 2n)."""
    for n in (5, 40, 128):
        law = null_law(n, 1, "beta")
        assert law.moment(1) == pytest.approx(1 / n, rel=1e-12)
        assert law.moment(2) == pytest.approx(3 / (n * n + 2 * n), rel=1e-12)


def test_chi_square_comes_nearer_to_the_exact_law_with_the_channels():
    """svr.prop.01: distances 0.0626, 0.0293, 0.0142, 0.0070, 0.0022 for n = 5, 10, 20, 40, 128."""
    x = torch.linspace(1e-6, 1, 200_000, dtype=torch.float64).numpy()
    expected = {5: 0.0626, 10: 0.0293, 20: 0.0142, 40: 0.0070, 128: 0.0022}
    for n, distance in expected.items():
        found = abs(null_law(n, 1).cdf(x) - null_law(n, 1, "beta").cdf(x)).max()
        assert found == pytest.approx(distance, abs=1e-4)


def test_thresholds_of_the_paper():
    """Figure 2: 15 % of the edges of a random network are shown; 2.0723 / 40 for 40 neurons."""
    assert threshold(40, 1, 0.15) == pytest.approx(2.0723 / 40, rel=1e-4)
    assert null_law(40, 1, "beta").sf(threshold(40, 1, 0.15)) == pytest.approx(0.1524, abs=1e-4)
    assert null_law(40, 1, "beta").sf(threshold(40, 1, 0.15, "beta")) == pytest.approx(0.15, rel=1e-9)


LAYERS = {
    "linear": lambda: (nn.Linear(30, 40), nn.Linear(40, 30)),
    "convolutions": lambda: (nn.Conv2d(3, 32, 5), nn.Conv2d(32, 24, 3)),
    "wide kernels": lambda: (nn.Conv2d(3, 16, 7), nn.Conv2d(16, 24, 7)),
    "flat kernels": lambda: (nn.Conv2d(8, 32, 3), nn.Conv2d(32, 24, (1, 3))),
    "flattened": lambda: (nn.Conv2d(8, 32, 3), nn.Linear(32 * 9, 20)),
    "sequences": lambda: (nn.Conv1d(8, 32, 5), nn.Conv1d(32, 24, 3)),
    "to a depthwise one": lambda: (nn.Conv2d(8, 32, 3), nn.Conv2d(32, 32, 3, groups=32)),
    "from a depthwise one": lambda: (nn.Conv2d(32, 32, 3, groups=32), nn.Conv2d(32, 24, 1)),
    "to groups": lambda: (nn.Conv2d(8, 32, 3), nn.Conv2d(32, 32, 3, groups=4)),
    "between groups": lambda: (nn.Conv2d(32, 32, 3, groups=4), nn.Conv2d(32, 32, 3, groups=4)),
}


@pytest.mark.parametrize("side", ["svr", "co_svr"])
@pytest.mark.parametrize("kind", LAYERS)
def test_random_layers_show_as_many_edges_as_the_null_model_says(kind, side):
    shares = []
    for seed in range(40):
        found = drawn(LAYERS[kind], seed, side, side)
        shares.append((p_values(found, "beta") <= 0.15).double().mean() / found.share)
    shares = torch.stack(shares)
    # Coefficients of a pair depend on each other, pairs do not: four standard errors over the pairs. Where kernels or
    # groups of both layers count the Beta law is only near.
    slack = 0.01 if "groups" in kind or (side == "co_svr" and kind == "flattened") else 0
    assert abs(shares.mean() - 0.15) < 4 * shares.std() / len(shares) ** 0.5 + slack


def drawn(layers, seed, later_side, earlier_side):
    torch.manual_seed(seed)
    earlier, later = layers()
    for layer in (earlier, later):
        nn.init.normal_(layer.weight)
    return adjacency(spectral_neurons(later, later_side), spectral_neurons(earlier, earlier_side))


@pytest.mark.parametrize("kind", ["linear", "convolutions", "flattened"])
def test_svr_to_co_svr_follows_the_law_without_kernels(kind):
    matrices = [drawn(LAYERS[kind], seed, "co_svr", "svr") for seed in range(40)]
    shares = torch.stack([(p_values(found, "beta") <= 0.15).double().mean() for found in matrices])
    assert matrices[0].degrees == (9 if kind == "flattened" else 1)
    # Between two complete bases of the channels rows and columns add up to 1, so that the share hardly varies.
    assert abs(shares.mean() - 0.15) < 4 * shares.std() / len(shares) ** 0.5


@pytest.mark.parametrize("side", ["svr", "co_svr"])
def test_a_part_of_the_inputs_follows_the_law_of_all_of_them(side):
    """Two layers of 12 and 20 channels side by side: of each, chance gives 1/32, not 1/12 or 1/20."""
    shares, means = [], []
    for seed in range(60):
        torch.manual_seed(seed)
        first, second, later = nn.Conv2d(3, 12, 3), nn.Conv2d(3, 20, 3), nn.Conv2d(32, 24, 3)
        for layer in (first, second, later):
            nn.init.normal_(layer.weight)
        neurons = spectral_neurons(later, side)
        parts = [
            adjacency(neurons, spectral_neurons(layer, side), start=start, places=1)
            for layer, start in ((first, 0), (second, 12))
        ]
        assert [part.channels for part in parts] == [32, 32]
        shares.append(torch.stack([(p_values(part, "beta") <= 0.15).double().mean() for part in parts]))
        means.append(torch.stack([part.coefficients.mean() * 32 for part in parts]))
    for values, expected, slack in ((shares, 0.15, 0.01 if side == "co_svr" else 0), (means, 1, 0)):
        values = torch.stack(values)
        assert ((values.mean(0) - expected).abs() < 4 * values.std(0) / len(values) ** 0.5 + slack).all()


@pytest.mark.parametrize("p", [0.0, 1.0, -0.1, 2, float("nan")])
def test_probabilities_out_of_range_are_refused(p):
    with pytest.raises(ValueError, match="expected a probability in"):
        threshold(40, 1, p)


def test_laws_that_do_not_exist_are_refused():
    with pytest.raises(ValueError, match="law is 'normal'; expected chi2 or beta"):
        null_law(4, 1, "normal")
    with pytest.raises(ValueError, match="with a single channel every coefficient is 1"):
        null_law(1, 9, "beta")
    with pytest.raises(ValueError, match="0 channels and 1 degrees of freedom; expected at least one channel"):
        null_law(0, 1)
