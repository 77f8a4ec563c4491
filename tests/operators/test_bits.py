"""Booleans packed eight to a byte come back as they were."""

import pytest
import torch

from paperlib.operators.bits import pack, unpack


def drawn(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(3)) < 0.4


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 15, 16, 64, 1001])
@pytest.mark.parametrize("leading", [(), (3,), (2, 5)])
def test_round_trip_in_an_eighth_of_the_bytes(leading: tuple[int, ...], count: int):
    mask = drawn(*leading, count)
    packed = pack(mask)
    assert packed.dtype == torch.uint8
    assert packed.shape == (*leading, -(-count // 8))
    assert torch.equal(unpack(packed, count), mask)


def test_every_byte_round_trips():
    packed = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(pack(unpack(packed, 8 * 256)), packed)


def test_bits_stand_for_powers_of_two():
    assert [pack(torch.eye(8, dtype=torch.bool))[place].item() for place in range(8)] == [2**i for i in range(8)]


def test_memory_that_is_not_contiguous_is_packed_in_the_order_of_its_axes():
    mask = drawn(9, 6).T
    assert torch.equal(pack(mask), pack(mask.contiguous()))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_unpacked_as_two_numbers(dtype: torch.dtype):
    mask, values = drawn(2, 21), torch.tensor([-0.25, 1.0], dtype=dtype)
    found = unpack(pack(mask), 21, values)
    assert found.dtype == dtype
    assert torch.equal(found, torch.where(mask, 1.0, -0.25).to(dtype))
