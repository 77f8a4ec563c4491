"""Spectra, families and exponents: what is drawn is what was computed."""

import pytest
import torch

from paperlib.convsvd.exponent_study import POWER_LAW, RANDOM, UPPER_HALF, exponent_samples, sample_summary
from paperlib.convsvd.trends import trend
from paperlib.plotting.families import draw_capacity, draw_conventions, draw_family_accuracies
from paperlib.plotting.spectra import SpectrumPanel, draw_exponent_samples, draw_spectra
from paperlib.spectra.esd import empirical_spectral_distribution
from paperlib.spectra.marchenko_pastur import marchenko_pastur_of
from paperlib.spectra.power_law import fit_power_law

X, Y = [1.0, 2.0, 3.5, 4.0], [0.5, 0.6, 0.55, 0.8]


def spectrum(rows=60, columns=90, seed=0):
    matrix = torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return matrix, empirical_spectral_distribution(torch.linalg.svdvals(matrix), (rows, columns))


def test_a_full_panel_has_all_its_parts():
    matrix, found = spectrum()
    fit, law = fit_power_law(found.eigenvalues), marchenko_pastur_of(matrix)
    figure = draw_spectra({"a": SpectrumPanel(found, fit, law, spectrum(seed=1)[1]), "b": SpectrumPanel(found)})
    first, second = figure.axes
    labels = {text.get_text() for text in figure.legends[0].get_texts()}
    assert labels == {"spectrum", "weights shuffled", "Marchenko-Pastur", "power law"}
    assert f"{fit.alpha:.2f}" in first.texts[0].get_text()
    assert (first.get_xscale(), first.get_yscale()) == ("log", "log")
    assert not second.texts
    line = next(one for one in first.lines if one.get_label() == "power law")
    assert line.get_xdata()[0] == pytest.approx(fit.x_min)
    share = fit.tail / fit.count
    assert line.get_ydata()[0] == pytest.approx(share * (fit.alpha - 1) / fit.x_min)


def test_the_drawn_densities_are_those_of_the_spectrum():
    _, found = spectrum(300, 400)
    (axis,) = draw_spectra({"a": SpectrumPanel(found)}, columns=1, bins=20).axes
    drawn = axis.patches[0].get_data()
    torch.testing.assert_close(torch.from_numpy(drawn.edges), found.histogram(20).edges)
    seen = found.histogram(20).density > 0
    torch.testing.assert_close(torch.from_numpy(drawn.values)[seen], found.histogram(20).density[seen])


def test_far_smaller_eigenvalues_are_out_of_the_picture():
    values = torch.cat([torch.linspace(1, 2, 30), torch.full((5,), 1e-7)])
    found = empirical_spectral_distribution(values, (35, 40))
    (axis,) = draw_spectra({"a": SpectrumPanel(found)}, columns=1).axes
    assert axis.get_xlim()[0] > 1e-7
    drawn = axis.patches[0].get_data()
    # The density is still one of all eigenvalues, of which 30 of 35 are shown.
    heights = [h for h, low in zip(drawn.values, drawn.edges, strict=False) if low >= 0.99]
    assert len(heights) == len(drawn.values)


def test_every_family_has_its_points_and_its_line():
    found = trend(X, Y)
    figure = draw_capacity({"W1": {"one": (X, Y, found), "two": (Y, X, trend(Y, X))}, "W2": {"one": (X, Y, found)}})
    first = figure.axes[0]
    points = next(line for line in first.lines if line.get_label() == "one")
    assert (points.get_xdata().tolist(), points.get_ydata().tolist()) == (X, Y)
    fitted = first.lines[0]
    assert fitted.get_ydata()[0] == pytest.approx(found.intercept + found.slope * 1.0)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["one", "two"]


def test_a_heat_map_for_each_family_with_its_numbers():
    values = {"mean_natural_scaled": {"W1": -0.75, "W2": 0.1}, "sum_natural_scaled": {"W1": 0.9, "W2": 0.0}}
    figure = draw_conventions({"one": values, "two": values})
    maps = [axis for axis in figure.axes if axis.images]
    assert [axis.get_title() for axis in maps] == ["one", "two"]
    assert [text.get_text() for text in maps[0].texts] == ["−0.75", "0.10", "0.90", "0.00"]
    assert maps[0].images[0].get_clim() == (-1, 1)


def test_accuracies_of_families():
    (axis,) = draw_family_accuracies({"one": [(1000, 0.5), (5000, 0.7)], "two": [(2000, 0.6)]}).axes
    assert axis.lines[0].get_xdata().tolist() == [1000, 5000]
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["one", "two"]


def test_exponents_of_known_laws_as_boxes_and_numbers():
    samples = exponent_samples([30, 60], 3.0, draws=20, seed=0)
    assert set(samples) == {POWER_LAW, UPPER_HALF, RANDOM}
    again = exponent_samples([60], 3.0, draws=20, seed=0)
    assert torch.equal(samples[RANDOM][60], again[RANDOM][60])
    summary = sample_summary(samples)
    assert summary[RANDOM]["60"]["median"] > summary[POWER_LAW]["60"]["median"]
    assert summary[POWER_LAW]["60"]["low"] < 3 < summary[POWER_LAW]["60"]["high"]
    figure = draw_exponent_samples(samples, {POWER_LAW: 3.0})
    dashed = [sum(list(line.get_ydata()) == [3.0, 3.0] for line in axis.lines) for axis in figure.axes]
    assert dashed == [1, 0, 0]
