"""Layers and functions that normalise by statistics of their input: frozen only with ``frozen_statistics=True``."""

import torch
import torch.nn.functional as F
from function_cases_support import LINE, PLANE, SPACE, case, numbers
from operator_cases import Case
from torch import nn

aten = torch.ops.aten


def drawn(norm: nn.Module) -> nn.Module:
    """The layer with weights and biases drawn, where it has any."""
    for value in norm.parameters():
        nn.init.normal_(value)
    return norm


def _layers() -> list[Case]:
    instance = {nn.InstanceNorm1d: LINE, nn.InstanceNorm2d: PLANE, nn.InstanceNorm3d: SPACE}
    cases = [
        Case(f"{kind.__name__} affine {affine}", lambda kind=kind, affine=affine: drawn(kind(2, affine=affine)), shape)
        for kind, shape in instance.items()
        for affine in (False, True)
    ]
    for groups, shape in ((1, (4, 5)), (2, (4, 3, 5)), (4, (4, 2, 3, 2)), (2, (4,))):
        cases.append(Case(f"GroupNorm {groups} of {shape}", lambda g=groups: drawn(nn.GroupNorm(g, 4)), shape))
    for axes, shape in (((6,), (6,)), ((5,), (4, 5)), ((4, 5), (2, 4, 5)), ((2, 4, 5), (2, 4, 5))):
        cases.append(Case(f"LayerNorm over {axes} of {shape}", lambda axes=axes: drawn(nn.LayerNorm(axes)), shape))
    cases.append(Case("GroupNorm without weights", lambda: nn.GroupNorm(2, 4, affine=False), (4, 5)))
    cases.append(Case("LayerNorm without weights", lambda: nn.LayerNorm(5, elementwise_affine=False), (4, 5)))
    return cases


def _functions() -> list[Case]:
    two, last = dict(w=numbers(2), b=numbers(2)), dict(w=numbers(6), b=numbers(6))
    return [
        case("F.instance_norm", lambda s, x: F.instance_norm(x, weight=s.w, bias=s.b), **two),
        case("torch.instance_norm", lambda s, x: torch.instance_norm(
            x, s.w, s.b, None, None, True, 0.1, 1e-4, False), **two),
        case("aten.instance_norm", lambda x: aten.instance_norm.default(
            x, None, None, None, None, True, 0.1, 1e-4, False)),
        case("F.group_norm", lambda s, x: F.group_norm(x, 1, s.w, s.b), **two),
        case("torch.group_norm", lambda s, x: torch.group_norm(x, 2, s.w, s.b), **two),
        case("aten.group_norm", lambda s, x: aten.group_norm.default(x, 1, s.w, s.b, 1e-4, False), **two),
        case("aten.native_group_norm", lambda s, x: aten.native_group_norm.default(
            x, s.w, s.b, x.shape[0], 2, 24, 1, 1e-4)[0], **two),
        case("F.layer_norm", lambda s, x: F.layer_norm(x, (6,), s.w, s.b), **last),
        case("torch.layer_norm", lambda s, x: torch.layer_norm(x, (6,), s.w), **last),
        case("aten.layer_norm", lambda s, x: aten.layer_norm.default(x, [6], s.w, s.b, 1e-4, False), **last),
        case("aten.native_layer_norm", lambda s, x: aten.native_layer_norm.default(x, [6], s.w, s.b, 1e-4)[0], **last),
    ]  # fmt: skip


# How a decomposed program writes the instance norm of one image, which is all that its batch norm can freeze.
OF_ONE_IMAGE = case(
    "batch norm of one image", lambda x: aten._native_batch_norm_legit.no_stats(x, None, None, True, 0.1, 1e-4)[0]
)
STATISTICS_CASES = [*_layers(), *_functions(), OF_ONE_IMAGE]
