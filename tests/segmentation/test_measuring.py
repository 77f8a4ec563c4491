"""Tables of test volumes: what stands in them, which volumes fail, and what is an error of the call."""

import dataclasses
import math

import pytest
import torch
from segmentation_support import held_volumes, random_volume, tiny_recipe, tiny_volumes, untrained_network

from paperlib.operators import NotFiniteError
from paperlib.segmentation import SegmentationRecipe, load_segmentation, parts, save_segmentation, volume_dice
from paperlib.segmentation.measuring import MeasureSettings, measure_volumes
from paperlib.svd import SvdError
from paperlib.training import CheckpointError

SETTINGS = MeasureSettings(k=2)
# Windows of 8^3 over random volumes: a tenth of the phantoms' time.
SMALL = tiny_recipe(patch=(8, 8, 8), folds=2, seed=6)


def small_volumes():
    return held_volumes([random_volume(name, 2, 8, 7 + i, 6, seed=i) for i, name in enumerate("abcd")])


def small_network(volumes, **changes):
    return untrained_network(SMALL.model_copy(update=changes), volumes)


@pytest.mark.parametrize("shape", [(16, 16, 16), (24, 16, 16)])
def test_every_fold_measures_its_own_volumes(tmp_path, shape):
    volumes = tiny_volumes(count=3, shape=shape)
    networks = [untrained_network(tiny_recipe(fold=fold, seed=6), volumes) for fold in range(3)]
    table = measure_volumes(networks, volumes, SETTINGS, folder=tmp_path)
    assert sorted(table.names) == list(volumes.names) and table.folds.tolist() == [0, 1, 2] and table.k == 2
    for network, row in zip(networks, table.rows, strict=True):
        assert (row.name,) == parts(network.summary.recipe, volumes.names).test and not row.note
        # By MONAI's own inference.
        assert [row.dice] == volume_dice(network.model, volumes.select([row.name], "test"), network.summary.recipe)
        assert 0 < row.rpr[0] <= row.rpr[1] < 1 and row.singular_values[0] >= row.singular_values[1] > 0
        assert max(row.residuals) <= 1e-4 and row.products > 4 and row.seconds > 0 and row.rpr_patches == ()
        assert row.norm > 0 and row.volume == volumes.read(row.name).label.sum() and row.contrast > 0


def test_a_volume_smaller_than_the_patch_is_padded_as_for_inference(tmp_path):
    volumes = small_volumes()
    network = small_network(volumes)
    table = measure_volumes([network], volumes, SETTINGS, names=[["b", "a"]], folder=tmp_path)
    assert table.names == ("b", "a")
    assert table.column("dice").tolist() == volume_dice(network.model, volumes.select(["b", "a"], "t"), SMALL)
    assert all(0 < dice < 1 for dice in table.column("dice"))


def test_each_network_measures_the_volumes_that_are_named_for_it(tmp_path):
    volumes = small_volumes()
    networks = [small_network(volumes), small_network(volumes)]
    table = measure_volumes(networks, volumes, SETTINGS, names=[["b"], ["a", "b"]], folder=tmp_path)
    assert table.names == ("b", "a", "b")


def test_an_empty_label_and_an_empty_mask_are_no_failures(tmp_path):
    volume = random_volume("a", 2, 8, 8, 8)
    empty = dataclasses.replace(volume, name="b", label=torch.zeros_like(volume.label))
    volumes = held_volumes([volume, empty, *(random_volume(name, 2, 8, 8, 8) for name in "cd")])
    network = small_network(volumes)
    # A network whose output is twice as large for class 0 as for class 1, and never negative, sees no foreground.
    with torch.no_grad():
        last = list(network.model.parameters())[-1]
        last[0] = last[0].abs()
        last[1] = last[0] / 2
    a, b = measure_volumes([network], volumes, SETTINGS, names=[["a", "b"]], folder=tmp_path).rows
    assert (a.dice, b.dice) == (0.0, 1.0) and not a.note + b.note and a.predicted_volume == b.volume == 0
    assert math.isnan(b.contrast) and math.isnan(a.foreground_entropy) and math.isnan(a.rpr_foreground[1])
    assert a.contrast > 0 and a.rpr == b.rpr and a.rpr[0] > 0


def test_volumes_that_fail_are_rows_with_a_reason_and_do_not_stop_the_others(tmp_path):
    good, flat, nan = (random_volume(name, 2, 8, 8, 8) for name in ("good", "flat", "nan"))
    flat.image[1] = 3.0
    nan.image[0, 1, 2, 3] = math.nan
    plane = random_volume("plane", 2, 8, 8)
    volumes = held_volumes([flat, good, nan, plane], unreadable=["lost"])
    network = small_network(volumes)
    table = measure_volumes([network], volumes, SETTINGS, names=[volumes.names], folder=tmp_path)
    notes = {row.name: row.note for row in table.failed}
    assert table.names == ("good",) and set(notes) == {"flat", "nan", "plane", "lost"}
    assert notes["lost"] == "folder/lost.nii.gz cannot be read"
    assert "no scale" in notes["flat"] and "NaN" in notes["nan"] and "2 spatial axes" in notes["plane"]
    assert all(row.rpr == () and math.isnan(row.dice) and row.fold == 0 for row in table.failed)


def test_an_svd_that_fails_is_a_failure_of_the_volume(tmp_path, monkeypatch):
    def failing(*arguments, **options):
        raise SvdError("the residual\n  stays above tol")

    monkeypatch.setattr("paperlib.segmentation.measuring.truncated_svd", failing)
    volumes = small_volumes()
    table = measure_volumes([small_network(volumes)], volumes, SETTINGS, names=[["a"]], folder=tmp_path)
    assert [row.note for row in table.rows] == ["the residual stays above tol"]


def test_errors_of_the_call_are_raised(tmp_path):
    volumes = small_volumes()
    network = small_network(volumes)
    with pytest.raises(KeyError, match="held has no volume 'e'"):
        measure_volumes([network], volumes, SETTINGS, names=[["e"]], folder=tmp_path)
    with pytest.raises(ValueError, match="names of 1 networks are given for 2"):
        measure_volumes([network, network], volumes, SETTINGS, names=[["a"]], folder=tmp_path)
    other = untrained_network(tiny_recipe(modalities=1, folds=2), volumes)
    with pytest.raises(ValueError, match=r"held has 2 modalities, but segmentation_unet-.* was made for 1"):
        measure_volumes([other], volumes, SETTINGS, folder=tmp_path)
    with torch.no_grad():
        next(network.model.parameters()).fill_(math.nan)
    with pytest.raises(NotFiniteError, match="weight"):
        measure_volumes([network], volumes, SETTINGS, folder=tmp_path)
    for wrong in ({"k": 0}, {"tol": 0.0}, {"tol": math.nan}):
        with pytest.raises(ValueError, match="expected 1 triplet or more, and a positive tolerance"):
            MeasureSettings(**wrong)
    with pytest.raises(ValueError, match="patch"):
        SegmentationRecipe(data="phantoms", patch=(16, 16))


@pytest.mark.parametrize("damage", ["missing", "of another architecture"])
def test_a_fold_without_its_checkpoint_is_an_error_and_leaves_the_finished_volumes(tmp_path, damage, monkeypatch):
    volumes = small_volumes()
    networks = [small_network(volumes, fold=fold) for fold in (0, 1)]
    paths = [save_segmentation(network, tmp_path) for network in networks]
    first = measure_volumes([load_segmentation(paths[0])], volumes, SETTINGS, folder=tmp_path / "rows")
    if damage == "missing":
        paths[1].unlink()
    else:
        other = untrained_network(SMALL.model_copy(update={"filters": 5}), volumes)
        paths[1].write_bytes(save_segmentation(other, tmp_path / "other").read_bytes())
    with pytest.raises(CheckpointError, match=paths[1].name):
        measure_volumes([load_segmentation(path) for path in paths], volumes, SETTINGS, folder=tmp_path / "rows")
    monkeypatch.setattr("paperlib.segmentation.measuring.measured_volume", None)
    again = measure_volumes([load_segmentation(paths[0])], volumes, SETTINGS, folder=tmp_path / "rows")
    assert again.as_dict() == first.as_dict()
