"""The table of volumes: what it gives to an analysis, and its way through JSON, CSV and pandas."""

import json
import math

import numpy as np
import pytest

from paperlib.segmentation.rows import VolumeRow, VolumeTable, read_volume_table

GOOD = VolumeRow(
    "a", 0, 1 / 3, (0.1, 0.2), (), (0.3, 0.4), (3.0, 2.0), (1e-5, 2e-6), 40, 1.5, 0.7, 0.6, 0.8, 12.0, 9.0, 11.0, 0.5
)
# Nothing predicted and nothing labelled: a good row with what is undefined left out.
EMPTY = VolumeRow(
    "NA", 1, 1.0, (0.5, 0.6), (), (math.nan,) * 2, (1.0, 0.1), (1e-9, 1e-9), 4, 0.5, 0.1, predicted_volume=0.0,
    norm=2.0, volume=0.0,
)  # fmt: skip
FAILED = VolumeRow("c, d", 1, note='not "good", 3 voxels\tof NaN')
TABLE = VolumeTable((GOOD, FAILED, EMPTY), 2)


def test_columns_are_those_of_the_measured_volumes():
    assert TABLE.names == ("a", "NA") and TABLE.folds.tolist() == [0, 1] and len(TABLE) == 3
    assert TABLE.failed == (FAILED,)
    np.testing.assert_array_equal(TABLE.column("foreground_entropy"), [0.6, math.nan])
    np.testing.assert_array_equal(TABLE.column("products"), [40.0, 4.0])
    np.testing.assert_array_equal(TABLE.ratios(), [[0.1, 0.2], [0.5, 0.6]])
    np.testing.assert_array_equal(TABLE.ratios("rpr_foreground"), [[0.3, 0.4], [math.nan, math.nan]])
    np.testing.assert_array_equal(TABLE.column("singular_values"), [[3.0, 2.0], [1.0, 0.1]])
    assert TABLE.column("dice").dtype == np.float64


def test_a_table_without_a_measured_volume_has_empty_columns():
    table = VolumeTable((FAILED,), 2)
    assert table.column("dice").shape == (0,) and table.ratios().shape == (0, 2) and table.folds.dtype == np.int64


def test_what_is_not_there_is_named():
    with pytest.raises(ValueError, match="no number 'dcie'; it has fold, dice, rpr"):
        TABLE.column("dcie")
    with pytest.raises(ValueError, match="no number 'note'"):
        TABLE.column("note")
    with pytest.raises(ValueError, match="reading is 'dice'; expected one of rpr, rpr_patches, rpr_foreground"):
        TABLE.ratios("dice")
    with pytest.raises(ValueError, match=r"rpr_patches was not measured; .* MeasureSettings\(patches=True\)"):
        TABLE.ratios("rpr_patches")


def test_json_holds_the_whole_table():
    text = json.dumps(TABLE.as_dict(), allow_nan=False)
    again = VolumeTable.from_dict(json.loads(text))
    assert again.as_dict() == TABLE.as_dict() and again.k == 2
    assert again.rows[0] == GOOD
    assert math.isnan(again.rows[2].rpr_foreground[1]) and math.isnan(again.rows[1].dice) and again.rows[1].rpr == ()


def test_csv_holds_the_whole_table(tmp_path):
    again = read_volume_table(TABLE.to_csv(tmp_path / "deep" / "table.csv"))
    assert again.as_dict() == TABLE.as_dict() and again.rows[0] == GOOD


def test_csv_holds_the_patches_too(tmp_path):
    rows = tuple(VolumeRow(f"v{i}", i, 0.5, *[(0.1 * i, 0.2)] * 5, 3, 0.1) for i in range(3))
    table = VolumeTable(rows, 2)
    assert read_volume_table(table.to_csv(tmp_path / "table.csv")).ratios("rpr_patches")[2].tolist() == [0.2, 0.2]


def test_pandas_has_a_line_for_each_volume():
    frame = TABLE.to_pandas()
    assert frame["rpr_2"].tolist()[::2] == [0.2, 0.6] and math.isnan(frame["rpr_2"][1])
    assert frame["note"].tolist() == ["", FAILED.note, ""] and frame["dice"].dtype == np.float64


@pytest.mark.parametrize("damage", [("rpr_2", "rpr_9"), ("0.2,", "O.2,"), ("a,0,", "a,zero,")])
def test_a_damaged_csv_is_refused_with_its_name(tmp_path, damage):
    path = TABLE.to_csv(tmp_path / "table.csv")
    path.write_text(path.read_text().replace(*damage))
    with pytest.raises(ValueError, match=r"table\.csv cannot be read as a table of volumes"):
        read_volume_table(path)


def test_other_json_is_refused():
    with pytest.raises(ValueError, match="a volume's row has the entries name, fold"):
        VolumeRow.from_dict({"name": "a"})
    with pytest.raises(ValueError, match="dice of a volume's row is 'high'"):
        VolumeRow.from_dict(GOOD.as_dict() | {"dice": "high"})
    with pytest.raises(ValueError, match=r"rpr of a volume's row is 0\.5"):
        VolumeRow.from_dict(GOOD.as_dict() | {"rpr": 0.5})
    with pytest.raises(ValueError, match="a table of volumes has k and the columns"):
        VolumeTable.from_dict({"k": 2})
