"""What leaving triplets out of a layer costs."""

import torch
from torch import nn

from paperlib.operators import freeze
from paperlib.projection import rank_k_outputs
from paperlib.subspaces import four_spaces
from paperlib.svd import batched_svd


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def test_what_is_left_out_has_the_energy_of_its_signals_and_bounds_the_change_of_the_answer():
    spaces, x = four_spaces(draw(6, 40)), draw(500, 40, seed=1)
    signals = x @ spaces.row_space * spaces.S
    outputs = signals @ spaces.U.mT
    top = outputs.topk(2).values
    sure = []
    for left_out in ([5], [0], [1, 4], [0, 2, 3]):
        d = signals[:, left_out] @ spaces.U[:, left_out].mT
        torch.testing.assert_close(d.square().sum(1), signals[:, left_out].square().sum(1))
        bound = 2**0.5 * (d - d.mean(1, keepdim=True)).norm(dim=1)
        safe = top[:, 0] - top[:, 1] > bound
        assert torch.equal((outputs - d).argmax(1)[safe], outputs.argmax(1)[safe])
        sure.append(safe.double().mean().item())
    # The bound says something, and does not say everything.
    assert 0 < max(sure) < 1


def test_a_constant_output_direction_never_changes_an_answer():
    # Rows that add up to a vector at right angles to their differences: the last output direction is constant.
    rows = torch.linalg.qr(draw(30, 4, seed=2)).Q.mT
    centred = draw(4, 3, seed=3)
    centred -= centred.mean(0)
    W = 5 * centred @ rows[:3] + torch.full((4, 1), 0.1).double() @ rows[3:]
    spaces, x = four_spaces(W), draw(300, 30, seed=4)
    constant = torch.full((4,), 0.5, dtype=torch.float64)
    assert (spaces.U[:, -1] @ constant).abs() > 1 - 1e-9
    layer = nn.Linear(30, 4, bias=False).double()
    with torch.no_grad():
        layer.weight.copy_(W)
    outputs = rank_k_outputs(batched_svd(freeze(layer, x)), x)
    without, whole = (outputs[:, k].argmax(1) for k in (-2, -1))
    assert torch.equal(without, whole)
    assert torch.equal(whole, (x @ W.mT).argmax(1))
