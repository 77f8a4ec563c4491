"""What the sliding-window operator keeps between products: masks as bytes, as bits or not at all."""

import gc

import pytest
import torch
from sliding_window_support import CLOSE, draw, network
from torch import nn

from paperlib.operators import Compiled, sliding_window


@pytest.mark.parametrize("bias", [False, True])
def test_storages_of_masks_and_block_sizes_give_one_operator(bias):
    model, volume = network(3, bias=bias), draw(2, 6, 7, 5)
    settings = dict(overlap=0.5, mode="gaussian")
    first = sliding_window(Compiled(model), volume, 4, masks="bool", **settings)
    v, z = draw(3, *first.domain_shape, seed=1), draw(3, *first.range_shape, seed=2)
    for masks, windows_at_once in (("bool", 5), ("bits", 1), ("bits", 100), ("recompute", 5)):
        other = sliding_window(model, volume, 4, masks=masks, windows_at_once=windows_at_once, **settings)
        assert other.windows == first.windows == 12
        torch.testing.assert_close(other.output, first.output, **CLOSE)
        torch.testing.assert_close(other.matmat(v), first.matmat(v), **CLOSE)
        torch.testing.assert_close(other.rmatmat(z), first.rmatmat(z), **CLOSE)
        torch.testing.assert_close(other.offset(), first.offset(), **CLOSE)


def test_bytes_of_masks():
    """Gates of the U-Net of two levels with 3 filters: four layers at the window's 64 voxels, two at its 16."""
    gates = 3 * (4 * 64 + 2 * 16)
    model, volume = network(2), draw(2, 12, 20)
    for masks, windows_at_once in (("bool", 1), ("bits", 1), ("bits", 4), ("recompute", 1)):
        operator = sliding_window(model, volume, 8, overlap=0.5, masks=masks, windows_at_once=windows_at_once)
        assert operator.windows == 8
        assert operator.mask_bytes == {"bool": 8 * gates, "bits": gates, "recompute": 0}[masks]


@pytest.mark.parametrize("masks", ["bool", "bits", "recompute"])
def test_nothing_is_kept_but_masks_and_some_volumes(masks):
    """Neither the windows, which at this overlap are seven volumes, nor a copy of the weights for each."""
    model, volume = Compiled(nn.Sequential(network(2), nn.ConvTranspose2d(3, 3, 1)).double()), draw(2, 16, 20)
    before = _storages()
    operator = sliding_window(model, volume, 8, overlap=0.7, masks=masks)
    after = _storages()
    kept = sum(size for address, size in after.items() if address not in before)
    # Output, weights and count map, and to make masks again the volume.
    allowed = (3 * 320 + 8**2 + 320 + (2 * 320 if masks == "recompute" else 0)) * 8
    allowed += 8 * sum(weight.numel() for weight in model.model.parameters())
    # A number for each of the two shapes of each window.
    assert operator.mask_bytes <= kept <= operator.mask_bytes + allowed + operator.windows * 2 * 8


def _storages() -> dict[int, int]:
    """Address and bytes of all tensors' memory."""
    gc.collect()
    tensors = [item for item in gc.get_objects() if type(item) is torch.Tensor]
    return {tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes() for tensor in tensors}


@pytest.mark.parametrize("masks", ["bits", "recompute"])
def test_operator_does_not_follow_its_volume(masks):
    model, volume, v = network(2), draw(2, 9, 13), draw(1, 2, 9, 13, seed=1)
    operator = sliding_window(model, volume, (6, 4), masks=masks)
    before = operator.matmat(v)
    volume.neg_()
    assert torch.equal(operator.matmat(v), before)
    assert (sliding_window(model, volume, (6, 4)).matmat(v) - before).norm() > 1e-3 * before.norm()
