"""Parts of cross validation: everything is tested once, nothing leaks, smaller training sets lie in larger ones."""

from itertools import pairwise

import pytest
from segmentation_support import tiny_recipe

from paperlib.segmentation import parts

NAMES = tuple(f"scan_{number:03d}" for number in range(23))


def split(names=NAMES, **changes):
    return parts(tiny_recipe(**({"folds": 5} | changes)), names)


def test_every_volume_is_tested_exactly_once():
    tested = [name for fold in range(5) for name in split(fold=fold).test]
    assert sorted(tested) == list(NAMES)
    # Sizes of the folds differ by one at most.
    assert {len(split(fold=fold).test) for fold in range(5)} == {4, 5}


@pytest.mark.parametrize("fold", range(5))
def test_no_volume_is_in_two_parts_and_none_is_lost(fold):
    found = split(fold=fold)
    assert sorted(found.train + found.validation + found.test) == list(NAMES)


@pytest.mark.parametrize(("share", "count"), [(0.1, 2), (0.01, 1), (0.5, 9)])
def test_a_share_of_what_is_not_tested_chooses_the_model(share, count):
    # 18 volumes of fold 0 are not tested; at least one of them chooses.
    assert len(split(validation_share=share).validation) == count


def test_smaller_training_sets_lie_in_larger_ones():
    sizes = (1, 3, 8, 16)
    found = [split(train_count=size) for size in sizes]
    assert [len(one.train) for one in found] == list(sizes)
    for smaller, larger in pairwise(found):
        assert set(smaller.train) < set(larger.train)
        assert (smaller.validation, smaller.test) == (larger.validation, larger.test)
    assert found[-1].train == split().train


def test_the_first_few_are_a_random_choice():
    chosen = split(train_count=5).train
    assert chosen != split().train[:5] and chosen == tuple(sorted(chosen))


def test_parts_follow_from_the_seed_of_the_folds_alone():
    assert split(seed=4, epochs=9) == split()
    assert split(fold_seed=1).test != split().test


def test_named_volumes_train_in_the_order_of_the_data():
    free = split().train
    named = (free[7], free[2], free[4])
    found = split(train_names=named)
    assert found.train == (free[2], free[4], free[7])
    assert (found.validation, found.test) == (split().validation, split().test)


@pytest.mark.parametrize("part", ["validation", "test"])
def test_a_named_volume_that_is_not_free_is_refused(part):
    taken = getattr(split(), part)[0]
    with pytest.raises(ValueError, match=f"'{taken}' in train_names is no volume that is free to train in fold 0"):
        split(train_names=(taken,))


def test_a_named_volume_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="'scan_999' in train_names"):
        split(train_names=("scan_999",))


def test_a_volume_named_twice_is_refused():
    name = split().train[0]
    with pytest.raises(ValueError, match="'" + name + "' is twice in train_names"):
        split(train_names=(name, name))


def test_too_few_volumes_are_refused():
    with pytest.raises(ValueError, match="4 volumes cannot be dealt into 5 folds"):
        split(NAMES[:4])
    with pytest.raises(ValueError, match="16 volumes of fold 0 are left to train, expected 17; lower train_count"):
        split(train_count=17)
    with pytest.raises(ValueError, match="0 volumes of fold 0 are left to train, expected one or more"):
        split(NAMES[:2], folds=2)
