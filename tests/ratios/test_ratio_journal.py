"""The table that grows on disk: cut-off lines, other questions, two processes, and the step to the finished file."""

import json

import pytest

from paperlib.ratios import RatioRow, read_csv
from paperlib.ratios.journal import BusyError, Journal, OtherQuestionError

QUESTION = {"model": "abc", "k": 1}


def row(name: str, ratio: float, note: str = "") -> RatioRow:
    return RatioRow(name, *[()] * 3, note=note) if note else RatioRow(name, (ratio,), (2.0,), (1e-9,), 3, 0.5, "exact")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "deep" / "ratios.csv"


def finished(out, names: dict[str, float]) -> None:
    with Journal(out, QUESTION, 1) as journal:
        for name, ratio in names.items():
            journal.add(row(name, ratio))
        journal.finish(list(names))


def test_rows_are_on_disk_at_once_and_the_file_appears_at_the_end(out):
    with Journal(out, QUESTION, 1) as journal:
        journal.add(row("b", 0.75))
        assert b"b,0.75," in journal.part.read_bytes() and not out.exists()
        journal.add(row("a", 0.5))
        table = journal.finish(["a", "b"])
    assert read_csv(out) == table and [r.name for r in table.rows] == ["a", "b"]
    assert sorted(path.name for path in out.parent.iterdir()) == ["ratios.csv", "ratios.csv.json"]
    assert json.loads((out.parent / "ratios.csv.json").read_text())["question"] == QUESTION


@pytest.mark.parametrize("cut", range(1, 22, 4))
def test_a_line_that_was_cut_off_is_computed_again(out, cut):
    with Journal(out, QUESTION, 1) as journal:
        journal.add(row("a", 0.5))
        journal.add(row("b", 0.75))
    part = out.parent / "ratios.csv.part"
    part.write_bytes(part.read_bytes()[:-cut])
    with Journal(out, QUESTION, 1) as journal:
        assert set(journal.done) == {"a"}
        journal.add(row("b", 0.75))
        table = journal.finish(["a", "b"])
    assert read_csv(out) == table and table.rows == (row("a", 0.5), row("b", 0.75))


def test_a_file_that_was_cut_in_its_first_line_starts_afresh(out):
    Journal(out, QUESTION, 1).close()
    part = out.parent / "ratios.csv.part"
    part.write_bytes(part.read_bytes()[:-5])
    with pytest.raises(OtherQuestionError, match="is no part of a table of ratios; --restart"):
        Journal(out, QUESTION, 1)
    with Journal(out, QUESTION, 1, restart=True) as journal:
        assert journal.done == {}


def test_another_question_is_refused_and_named(out):
    with Journal(out, QUESTION, 1) as journal:
        journal.add(row("a", 0.5))
    other = {"model": "abd", "k": 1, "tol": 0.1}
    with pytest.raises(OtherQuestionError, match=r"model: 'abc' there, 'abd' now; tol: None there, 0\.1 now"):
        Journal(out, other, 1)
    with Journal(out, QUESTION, 1) as journal:
        assert set(journal.done) == {"a"}
        journal.finish(["a"])
    with pytest.raises(OtherQuestionError, match=r"ratios\.csv answers another question"):
        Journal(out, other, 1)
    assert not (out.parent / "ratios.csv.part").exists() and set(read_csv(out).rows) == {row("a", 0.5)}


def test_new_images_join_a_finished_table_and_lost_ones_leave(out):
    finished(out, {"a": 0.5, "b": 0.25})
    with Journal(out, QUESTION, 1) as journal:
        assert set(journal.done) == {"a", "b"}
        journal.add(row("c", 0.125))
        table = journal.finish(["a", "c"])
    assert [r.name for r in table.rows] == ["c", "a"]


def test_a_file_of_other_making_is_not_touched(out):
    finished(out, {"a": 0.5})
    text = out.read_text() + "x"
    out.write_text(text)
    with pytest.raises(OtherQuestionError, match="was changed since or was not written by this command"):
        Journal(out, QUESTION, 1)
    assert out.read_text() == text
    (out.parent / "ratios.csv.json").unlink()
    with pytest.raises(OtherQuestionError, match="was changed since"):
        Journal(out, QUESTION, 1)


def test_a_restart_forgets_the_old_table_even_when_it_is_interrupted(out):
    finished(out, {"a": 0.5, "b": 0.25})
    with Journal(out, QUESTION, 1, restart=True) as journal:
        assert journal.done == {}
        journal.add(row("a", 0.75))
    assert {r.name for r in read_csv(out).rows} == {"a", "b"}
    with Journal(out, QUESTION, 1) as journal:
        assert set(journal.done) == {"a"}
        journal.add(row("b", 0.5))
        assert journal.finish(["a", "b"]).rows == (row("b", 0.5), row("a", 0.75))


def test_two_processes_do_not_write_one_table(out):
    with Journal(out, QUESTION, 1) as journal:
        journal.add(row("a", 0.5))
        with pytest.raises(BusyError, match="another process is writing"):
            Journal(out, QUESTION, 1, restart=True)
        journal.add(row("b", 0.25))
        assert len(journal.finish(["a", "b"])) == 2
