"""The table of ratios: its numbers against autograd, its order, its file, and what becomes of images that fail."""

import math

import pandas as pd
import pytest
import torch
from ratio_support import jacobian_ratios, pictures, small_network
from torch import nn

import paperlib
from paperlib.operators import NotFiniteError, UnsupportedLayerError, freeze
from paperlib.projection import right_projection_ratio
from paperlib.ratios import RatioError, RatioRow, RatioTable, analyze, read_csv
from paperlib.svd import batched_svd


def row(name: str, *ratios: float, note: str = "") -> RatioRow:
    return RatioRow(name, ratios, tuple(2.0 * r for r in ratios), tuple(1e-6 * r for r in ratios), 7, 0.25, note=note)


def test_ratios_equal_those_of_the_dense_jacobian():
    images = pictures(4)
    table = analyze(small_network().double(), images.double(), k=6)
    assert [r.ratio for r in table.rows] == sorted(r.ratio for r in table.rows)
    for found in table.rows:
        ratios, values = jacobian_ratios(small_network(), images[int(found.name)], 6)
        # Dense factorisations of a 32 x 64 matrix in float64 agree to some 1e-14; well separated values here.
        assert torch.allclose(torch.tensor(found.rpr, dtype=torch.float64), ratios, atol=1e-10)
        assert torch.allclose(torch.tensor(found.singular_values, dtype=torch.float64), values, rtol=1e-12)
        assert max(found.residuals) < 1e-12 and found.products > 0 and found.seconds > 0 and found.solver == "exact"


@pytest.mark.parametrize("solver", ["lanczos", "block lanczos"])
def test_another_solver_gives_the_same_ratios(solver):
    images = pictures(2)
    network = small_network().double()
    exact = analyze(network, images.double(), k=4, solver="exact")
    other = analyze(network, images.double(), k=4, solver=solver, tol=1e-8)
    assert [r.name for r in other.rows] == [r.name for r in exact.rows] and other.rows[0].solver == solver
    for a, b in zip(exact.rows, other.rows, strict=True):
        # The angle of a vector is at most the residual over the gap of the singular values, here above 1e-3.
        assert max(abs(x - y) for x, y in zip(a.rpr, b.rpr, strict=True)) < 1e-5
        assert max(b.residuals) <= 1e-8


def test_an_exported_program_gives_the_ratios_of_its_model():
    images, network = pictures(2).double(), small_network().double()
    program = torch.export.export(network, (images[:1],))
    for found, expected in zip(analyze(program, images, k=4).rows, analyze(network, images, k=4).rows, strict=True):
        assert found.name == expected.name and found.rpr == pytest.approx(expected.rpr, abs=1e-10)


def test_the_lazy_front_is_the_same_function():
    assert paperlib.analyze is analyze and paperlib.RatioTable is RatioTable
    assert {"analyze", "RatioTable"} <= set(dir(paperlib))
    with pytest.raises(AttributeError, match="no attribute 'analyse'"):
        _ = paperlib.analyse


def test_a_window_of_the_size_of_the_image_is_the_image():
    image = pictures(1, seed=5)[0]
    network = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(), nn.Conv2d(2, 1, 3, padding=1)).eval()
    images = [("a", image)]
    whole = analyze(network, images, k=3).rows[0]
    window = analyze(network, images, k=3, roi_size=(8, 8)).rows[0]
    # Products in float32: rounding of 1e-7, enlarged by the gaps of the singular values.
    assert whole.rpr == pytest.approx(window.rpr, abs=1e-4)
    larger = analyze(network, [("b", torch.cat([image, image], -1))], k=3, roi_size=(8, 8), mode="gaussian").rows[0]
    assert not larger.note and larger.ratio > 0


def test_images_that_fail_are_rows_with_reasons():
    good, wrong = pictures(1)[0], pictures(1, channels=3)[0]
    holes = good.clone()
    holes[0, 2, 3] = torch.nan
    images = {"good": good, "nan": holes, "zero": torch.zeros_like(good), "rgb": wrong, "small": good[:, :2, :2]}
    seen = []
    table = analyze(small_network(), images.items(), k=5, on_row=seen.append)
    assert [r.name for r in seen] == list(images) and [r.name for r in table.measured] == ["good"]
    notes = {r.name: r.note for r in table.failed}
    assert "NaN" in notes["nan"] and "0/0" in notes["zero"]
    assert "layer 0 does not accept its input" in notes["rgb"]
    assert "5 singular triplets were asked for" in notes["small"]
    assert all(math.isnan(r.ratio) for r in table.failed)


def test_models_that_fail_end_the_run():
    smooth = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Sequential(nn.GELU())).eval()
    with pytest.raises(UnsupportedLayerError, match=r"layer '1\.0' \(GELU\) is not supported"):
        analyze(smooth, pictures(2), k=2)
    broken = small_network()
    with torch.no_grad():
        broken[0].weight[0, 0, 0, 0] = torch.nan
    with pytest.raises(NotFiniteError, match=r"0\.weight"):
        analyze(broken, pictures(2), k=2)
    with pytest.raises(ValueError, match="at least 1; got 0"):
        analyze(small_network(), pictures(1), k=0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"solver": "no such solver"}, "no such solver"),
        ({"device": "cuda:99"}, "CUDA devices here"),
        ({"device": "quantum"}, "unknown device"),
    ],
)
def test_a_wrong_option_ends_the_run(options, message):
    with pytest.raises(ValueError, match=message):
        analyze(small_network(), pictures(1), k=2, **options)


def test_normalisation_by_the_image_needs_the_statistics_frozen():
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.InstanceNorm2d(2), nn.ReLU(), nn.Conv2d(2, 1, 3)).eval()
    with pytest.raises(UnsupportedLayerError, match=r"layer '1' \(InstanceNorm2d\)"):
        analyze(network, pictures(1), k=2)
    row = analyze(network, pictures(1), k=2, frozen_statistics=True).rows[0]
    assert not row.note and 0 < row.ratio < 1


def test_the_precision_of_the_products_is_a_copy_of_the_model():
    network, images = small_network(), pictures(1)
    found = analyze(network, images, k=3, dtype=torch.float64).rows[0]
    assert network[0].weight.dtype == torch.float32
    triplets = batched_svd(freeze(small_network().double(), images.double()), 3)
    expected = right_projection_ratio(triplets.Vh, images.double().flatten(1))[0]
    assert found.rpr == pytest.approx(expected.tolist(), abs=1e-12)


def test_lowest_first_and_failures_last():
    rows = [row("b", 0.1, 0.5), row("bad", note="broken"), row("d", 0.3, 0.4), row("a", 0.2, 0.5)]
    table = RatioTable.of(rows, 2)
    assert [r.name for r in table.rows] == ["d", "a", "b", "bad"] and len(table) == 4


def test_a_file_gives_back_the_table(tmp_path):
    rows = [
        row('case "1", left', 1 / 3, 0.5),
        row("ä.png", 1e-300, 0.25),
        row("bad", note="it is, so to speak, broken"),
    ]
    table = RatioTable.of(rows, 2)
    assert read_csv(table.to_csv(tmp_path / "x.csv")) == RatioTable(
        (*table.measured, RatioRow("bad", products=7, seconds=0.25, note="it is, so to speak, broken")), 2
    )
    frame = pd.read_csv(tmp_path / "x.csv")
    assert list(frame["name"]) == ["ä.png", 'case "1", left', "bad"]
    assert frame["rpr_1"][1] == 1 / 3 and frame["rpr_2"].isna().tolist() == [False, False, True]
    pd.testing.assert_frame_equal(
        table.to_pandas()[["name", "s_1", "residual_2"]], frame[["name", "s_1", "residual_2"]]
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is no table of ratios"),
        ("a,b\n1,2\n", "is no table of ratios"),
        ("name,rpr_1,s_1,residual_1,products,seconds,solver,sha256,note\nx,0.5\n", "a line has 2 cells instead of 9"),
        ("name,rpr_1,s_1,residual_1,products,seconds,solver,sha256,note\nx,y,1,1,1,1,e,,\n", "is damaged"),
    ],
)
def test_other_files_are_refused(tmp_path, text, message):
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(RatioError, match=message):
        read_csv(tmp_path / "x.csv")
