"""Every supported layer, function and setting: dot-product test, dense Jacobian, affine part."""

import pytest
import torch
from frozen_statistics_support import STATISTICS_CASES
from function_cases_support import FUNCTION_CASES
from operator_cases import REGISTRY as LAYER_CASES
from operator_cases import Case
from torch import fx
from torch.autograd.functional import jacobian

from paperlib.operators import Compiled, dot_test, freeze
from paperlib.operators.rules import CONSTANT_RULES, FUNCTION_RULES, MODULE_RULES, known

# torch says that an even kernel may need a padded copy of its input; here it is meant.
pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")

# The project's bounds on the dot-product mismatch: some hundred units of rounding, for sums of a few hundred terms.
MISMATCH = {torch.float32: 1e-5, torch.float64: 1e-12}
# A sum of a few hundred products of numbers of size one, in another order: about a hundred units of rounding.
CLOSE = {torch.float32: dict(rtol=1e-4, atol=2e-5), torch.float64: dict(rtol=1e-11, atol=1e-12)}

REGISTRY = LAYER_CASES + FUNCTION_CASES

every_case = pytest.mark.parametrize("case", REGISTRY, ids=lambda case: case.name)
both_dtypes = pytest.mark.parametrize("dtype", MISMATCH, ids=lambda dtype: str(dtype).removeprefix("torch."))


def test_names_of_the_cases_are_distinct():
    assert len({case.name for case in REGISTRY}) == len(REGISTRY)


def test_every_rule_has_a_case():
    modules, functions, with_constants = set(), set(), set()
    for case in REGISTRY + STATISTICS_CASES:
        compiled = Compiled(case.model())
        layers = dict(compiled.model.named_modules())
        for node in compiled.graph.nodes:
            if node.op == "call_module":
                # A bare layer is wrapped to be traced, and then has the name "0" that no submodule of its own has.
                modules.add(type(layers.get(node.target, compiled.model)))
            elif node.op in ("call_function", "call_method"):
                target = known(node.target)
                (with_constants if target in CONSTANT_RULES and _has_constant(node) else functions).add(target)
    assert set(MODULE_RULES) - modules == set()
    assert set(FUNCTION_RULES) - functions == set()
    assert set(CONSTANT_RULES) - with_constants == set()


def _has_constant(node: fx.Node) -> bool:
    """Whether one of two arguments does not come from the network's input."""
    return len(node.args) == 2 and sum(_depends_on_input(argument) for argument in node.args) == 1


def _depends_on_input(argument) -> bool:
    if not isinstance(argument, fx.Node):
        return False
    return argument.op == "placeholder" or any(_depends_on_input(read) for read in argument.all_input_nodes)


@both_dtypes
@every_case
def test_adjoint_passes_the_dot_product_test(case: Case, dtype: torch.dtype):
    frozen = freeze(case.model(dtype), case.images(2, dtype))
    assert max(dot_test(frozen[index]) for index in range(2)) < MISMATCH[dtype]


@every_case
def test_products_are_those_of_the_dense_jacobian(case: Case):
    model, images = case.model(), case.images()
    # A copy, because autograd does not let a layer work in place on the leaf itself.
    expected = jacobian(lambda x: model(x.clone()), images).reshape(-1, images.numel())
    operator = freeze(model, images)[0]
    assert operator.shape == expected.shape
    units = torch.eye(operator.shape[1], dtype=torch.float64).unflatten(1, operator.domain_shape)
    forward = operator.matmat(units).flatten(1).T
    units = torch.eye(operator.shape[0], dtype=torch.float64).unflatten(1, operator.range_shape)
    adjoint = operator.rmatmat(units).flatten(1)
    torch.testing.assert_close(forward, expected, **CLOSE[torch.float64])
    torch.testing.assert_close(adjoint, expected, **CLOSE[torch.float64])


@both_dtypes
@every_case
def test_linear_and_constant_part_together_are_the_layer(case: Case, dtype: torch.dtype):
    model, images = case.model(dtype), case.images(2, dtype)
    kept = images.clone()
    frozen = freeze(model, images)
    assert torch.equal(images, kept)
    expected = model(images.clone()).detach()
    linear = frozen.product(images.unsqueeze(1)).squeeze(1)
    torch.testing.assert_close(frozen.outputs, expected, **CLOSE[dtype])
    torch.testing.assert_close(linear + frozen.offset(), expected, **CLOSE[dtype])
    if not frozen.has_offset:
        torch.testing.assert_close(linear, expected, **CLOSE[dtype])


@every_case
def test_block_and_batch_are_one_by_one(case: Case):
    model, images = case.model(), case.images(3)
    frozen = freeze(model, images)
    generator = torch.Generator().manual_seed(2)
    v = torch.randn(3, 2, *frozen.domain_shape, dtype=torch.float64, generator=generator)
    z = torch.randn(3, 2, *frozen.range_shape, dtype=torch.float64, generator=generator)
    forward, adjoint = frozen.product(v), frozen.adjoint(z)
    for index in range(3):
        alone = freeze(model, images[index : index + 1])[0]
        for operator in (frozen[index], alone):
            torch.testing.assert_close(operator.matmat(v[index]), forward[index], **CLOSE[torch.float64])
            torch.testing.assert_close(operator.rmatvec(z[index, 1]), adjoint[index, 1], **CLOSE[torch.float64])
