"""A network whose layers grow comes back layer by layer too."""

import pytest
from inverse_support import ACTIVATIONS, draw, linear, planted, relative_error
from torch import nn

from paperlib.inverse import invert


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_layers_of_full_column_rank_return_the_input(name):
    matrices = [planted(6, 4, [1.2, 1.1, 1.0, 0.9], 1), planted(9, 6, [1.2, 1.1, 1.0, 0.9, 0.8, 0.7], 2)]
    model = nn.Sequential(
        linear(matrices[0], 0.3 * draw(6, seed=3)), ACTIVATIONS[name], linear(matrices[1], draw(9, seed=4))
    )
    inputs = 0.5 * draw(20, 4, seed=9)
    found = invert(model, model(inputs), (4,))
    assert [step.kind for step in found.linear_steps] == ["pseudoinverse"] * 2
    assert relative_error(found.inputs, inputs) < 1e-9
    assert max(float(step.unreachable.max()) for step in found.linear_steps) < 1e-20
