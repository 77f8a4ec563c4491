"""What chance gives, by simulation: laws, moments, thresholds, and how many false edges are shown."""

import pytest
import torch
from scipy import stats
from torch import nn

from paperlib.svr import adjacency, null_law, p_values, significant, spectral_neurons, threshold


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
    "flat kernels": lambda: (nn.Conv2d(8, 32, 3), nn.Conv2d(32, 24, (1, 3))),
    "flattened": lambda: (nn.Conv2d(8, 32, 3), nn.Linear(32 * 9, 20)),
}


@pytest.mark.parametrize("side", ["svr", "co_svr"])
@pytest.mark.parametrize("kind", LAYERS)
def test_random_layers_show_as_many_edges_as_the_null_model_says(kind, side):
    shares = []
    for seed in range(40):
        torch.manual_seed(seed)
        layers = LAYERS[kind]()
        for layer in layers:
            nn.init.normal_(layer.weight)
        earlier, later = (spectral_neurons(layer, side) for layer in layers)
        shares.append((p_values(adjacency(later, earlier), "beta") <= 0.15).double().mean())
    shares = torch.stack(shares)
    # Coefficients of a pair depend on each other, pairs do not: four standard errors over the pairs. Where both
    # layers have a kernel the Beta law is only near.
    slack = 0.01 if side == "co_svr" and kind == "flattened" else 0
    assert abs(shares.mean() - 0.15) < 4 * shares.std() / len(shares) ** 0.5 + slack


def planted(values):
    found = adjacency(spectral_neurons(nn.Linear(2, 40)), spectral_neurons(nn.Linear(3, 2)))
    return type(found)(torch.tensor(values, dtype=torch.float64), 40, 1)


def test_expected_false_edges_and_the_false_discovery_rate():
    values = torch.full((10, 10), 0.01, dtype=torch.float64)
    values[0, 0], values[1, 1], values[2, 2] = 0.9, 0.8, 0.11
    found = planted(values.tolist())
    alone = significant(found, 0.05)
    assert alone.expected_false == pytest.approx(5.0) and int(alone.edges.sum()) == 3
    together = significant(found, 0.05, false_discovery_rate=True)
    # The third has p = 0.036, which is above 0.05 * 3 / 100.
    assert together.edges.nonzero().tolist() == [[0, 0], [1, 1]]
    assert together.cut == pytest.approx(p_values(found)[1, 1].item()) and together.expected_false < 1e-4
    nothing = significant(planted([[0.01] * 10] * 10), 0.05, false_discovery_rate=True)
    assert not nothing.edges.any() and nothing.cut == 0


def test_false_discoveries_among_pure_chance_are_as_rare_as_asked():
    generator = torch.Generator().manual_seed(0)
    hits = 0
    for _ in range(300):
        u, v = unit(generator, 400, 40), unit(generator, 400, 40)
        found = planted((u * v).sum(1).square().reshape(20, 20).tolist())
        hits += bool(significant(found, 0.1, "beta", false_discovery_rate=True).edges.any())
    # 10 % of 300, four standard deviations of 5.2.
    assert hits < 30 + 21


@pytest.mark.parametrize("p", [0.0, 1.0, -0.1, 2, float("nan")])
def test_probabilities_out_of_range_are_refused(p):
    with pytest.raises(ValueError, match="expected a probability in"):
        threshold(40, 1, p)


def test_laws_that_do_not_exist_are_refused():
    with pytest.raises(ValueError, match="law is 'normal'; expected chi2 or beta"):
        null_law(4, 1, "normal")
    with pytest.raises(ValueError, match="with a single channel every coefficient is 1"):
        null_law(1, 9, "beta")
    with pytest.raises(ValueError, match="0 channels and 1 degrees"):
        null_law(0, 1)
