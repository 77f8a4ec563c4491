"""Inner products of float32 vectors have float64's digits, whatever the pieces they are summed in."""

import pytest
import torch
from svd_support import draw, orthonormal

from paperlib.svd import inner

DTYPES = [torch.float32, torch.float64]
CPU = torch.device("cpu")


@pytest.fixture(params=[None, 64], ids=["one piece", "pieces"])
def piece(request, monkeypatch):
    """The usual pieces, larger than the tests' vectors, and such that are not."""
    if request.param:
        monkeypatch.setitem(inner._PIECE, "cpu", request.param)


def rows(count: int, size: int, dtype: torch.dtype, seed: int = 0) -> torch.Tensor:
    return orthonormal(size, count, seed).T.to(dtype).contiguous()


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_is_left_is_orthogonal_and_adds_up(dtype, piece):
    basis, block = rows(5, 101, dtype), draw(3, 101, seed=1).to(dtype)
    whole = block.double().clone()
    products, norms = inner.project_out(basis, block)
    assert products.dtype == norms.dtype == torch.float64
    torch.testing.assert_close(products, basis.double() @ whole.T, rtol=1e-13, atol=1e-13)
    torch.testing.assert_close(norms, block.double().norm(dim=1), rtol=1e-14, atol=0)
    # Vectors of norm 10 and 5 terms: a few units of rounding each.
    close = 50 * torch.finfo(dtype).eps
    torch.testing.assert_close(block.double() + products.T @ basis.double(), whole, rtol=0, atol=close)
    assert (basis.double() @ block.double().T).abs().max() < close


def test_nothing_is_subtracted_for_an_empty_basis():
    block = draw(2, 7)
    before = block.clone()
    products, norms = inner.project_out(block[:0], block)
    assert products.shape == (0, 2) and torch.equal(block, before)
    torch.testing.assert_close(norms, before.norm(dim=1))


def test_long_float32_vectors_lose_no_digits():
    """Vectors of positive entries, whose sum float32 rounds again and again."""
    basis, block = draw(2, 300_000).abs().float(), draw(2, 300_000, seed=1).abs().float()
    exact = basis.double() @ block.double().T
    torch.testing.assert_close(inner.inner_products(basis, block), exact, rtol=1e-13, atol=0)
    torch.testing.assert_close(inner.norms(block), block.double().norm(dim=1), rtol=1e-13, atol=0)
    assert ((basis @ block.T - exact) / exact).abs().max() > 1e-8


@pytest.mark.parametrize("dtype", DTYPES)
def test_combinations_may_overwrite_the_basis(dtype, piece):
    basis, weights = rows(6, 101, dtype), orthonormal(6, 4, 3).T
    expected = (weights @ basis.double()).to(dtype)
    inner.combine(weights, basis, basis[:4])
    torch.testing.assert_close(basis[:4], expected, rtol=0, atol=2 * torch.finfo(dtype).eps)


def test_pieces_cover_the_axis_once(monkeypatch):
    monkeypatch.setitem(inner._PIECE, "cpu", 10)
    covered = [i for piece in inner.pieces(23, 3, CPU) for i in range(23)[piece]]
    assert covered == list(range(23))
    assert len(list(inner.pieces(23, 100, CPU))) == 23
