"""Cases for the functions with weights as arguments, the operations of exported programs, and the rarer layers."""

import torch
import torch.nn.functional as F
from operator_cases import Applied, Case
from torch import Tensor, nn

aten = torch.ops.aten

LINE, PLANE, SPACE = (2, 7), (2, 4, 6), (2, 4, 2, 5)


def numbers(*shape: int, seed: int = 5) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def case(name: str, function, shape: tuple[int, ...] = PLANE, **buffers: Tensor) -> Case:
    return Case(name, lambda: Applied(function, **buffers), shape)


def _own(x: Tensor) -> Tensor:
    # A value of the network's own, so that the reference can be run on a leaf tensor that needs a gradient.
    return x * 1.0


def _convolutions() -> list[Case]:
    one = {
        F.conv1d: F.conv_transpose1d, torch.conv1d: torch.conv_transpose1d,
        aten.conv1d.default: aten.conv_transpose1d.default,
    }  # fmt: skip
    two = {
        F.conv2d: F.conv_transpose2d, torch.conv2d: torch.conv_transpose2d,
        aten.conv2d.default: aten.conv_transpose2d.input,
    }  # fmt: skip
    three = {
        F.conv3d: F.conv_transpose3d, torch.conv3d: torch.conv_transpose3d,
        aten.conv3d.default: aten.conv_transpose3d.input,
    }  # fmt: skip
    cases = []
    for axes, shape, functions in ((1, LINE, one), (2, PLANE, two), (3, SPACE, three)):
        weight, bias = numbers(3, 2, *(2,) * axes), numbers(3)
        for number, (forward, transposed) in enumerate(functions.items()):
            cases += [
                case(f"convolution {axes}d by function {number}",
                     lambda s, x, f=forward, n=axes: f(x, s.w, s.b, [1] * n, [1] * n), shape, w=weight, b=bias),
                case(f"transposed convolution {axes}d by function {number}",
                     lambda s, x, f=transposed, n=axes: f(x, s.w, s.b, [2] * n, [1] * n, [1] * n), shape,
                     w=weight.transpose(0, 1).contiguous(), b=bias),
            ]  # fmt: skip
        cases += [
            case(f"aten.convolution {axes}d", lambda s, x, n=axes: aten.convolution.default(
                x, s.w, None, [2] * n, [0] * n, [1] * n, False, [0] * n, 1), shape, w=weight),
            case(f"aten.convolution {axes}d transposed", lambda s, x, n=axes: aten.convolution.default(
                x, s.w, s.b, [2] * n, [0] * n, [1] * n, True, [0] * n, 1), shape,
                w=weight.transpose(0, 1).contiguous(), b=bias),
        ]  # fmt: skip
        cases += [
            Case(f"conv{axes}d padding {mode}", lambda k=kind, mode=mode: k(2, 3, 3, 2, 1, padding_mode=mode), shape)
            for kind in (getattr(nn, f"Conv{axes}d"),)
            for mode in ("reflect", "replicate", "circular")
        ]
    cases += [
        case("F.conv2d without bias, by words", lambda s, x: F.conv2d(input=x, weight=s.w, padding="same"),
             w=numbers(2, 2, 3, 3)),
        Case("conv2d padding reflect same", lambda: nn.Conv2d(
            2, 3, (3, 2), padding="same", padding_mode="reflect"), PLANE),
        case("F.conv2d of groups, one number for both axes",
             lambda s, x: F.conv2d(x, s.w, stride=(2,), groups=2), w=numbers(4, 1, 2, 2)),
    ]  # fmt: skip
    return cases


def _weighted() -> list[Case]:
    w, b = numbers(4, 6), numbers(4)
    four = dict(weight=numbers(2), bias=numbers(2), mean=numbers(2), var=numbers(2).abs() + 0.5)
    return [
        case("F.linear", lambda s, x: F.linear(x, s.w, s.b), w=w, b=b),
        case("aten.linear", lambda s, x: aten.linear.default(x, s.w), (6,), w=w),
        case("torch.matmul with a matrix", lambda s, x: torch.matmul(x, s.w), w=w.T),
        case("matmul() with a matrix", lambda s, x: x.matmul(s.w), w=w.T),
        case("@ with a matrix", lambda s, x: x @ s.w, (6,), w=w.T),
        case("aten.matmul", lambda s, x: aten.matmul.default(x, s.w), w=w.T),
        case("aten.mm", lambda s, x: aten.mm.default(x, s.w), (6,), w=w.T),
        case("torch.addmm", lambda s, x: torch.addmm(s.b, x, s.w), (6,), w=w.T, b=b),
        case("aten.addmm", lambda s, x: aten.addmm.default(s.b, x, s.w), (6,), w=w.T, b=b),
        case("F.batch_norm", lambda s, x: F.batch_norm(x, s.mean, s.var, s.weight, s.bias), **four),
        case("F.batch_norm without weights", lambda s, x: F.batch_norm(x, s.mean, s.var), **four),
        case("torch.batch_norm", lambda s, x: torch.batch_norm(
            x, s.weight, s.bias, s.mean, s.var, False, 0.1, 1e-3, False), **four),
        case("aten.batch_norm", lambda s, x: aten.batch_norm.default(
            x, s.weight, s.bias, s.mean, s.var, False, 0.1, 1e-3, False), **four),
        case("aten batch norm of a decomposed program", lambda s, x: aten._native_batch_norm_legit_no_training.default(
            x, s.weight, s.bias, s.mean, s.var, 0.1, 1e-3)[0], **four),
        case("F.prelu", lambda s, x: F.prelu(x, s.w), w=numbers(2)),
        case("torch.prelu with one slope", lambda s, x: torch.prelu(x, s.w), w=numbers(1)),
        case("prelu() of a vector", lambda s, x: x.prelu(s.w), (3,), w=numbers(3)),
        case("aten.prelu", lambda s, x: aten.prelu.default(x, s.w), SPACE, w=numbers(2)),
        Case("sync batch norm", lambda: nn.SyncBatchNorm(2), PLANE),
        *(Case(f"instance norm {axes}d with running statistics", lambda kind=kind: _running(kind(2, affine=True,
          track_running_stats=True)), shape) for axes, (kind, shape) in enumerate(
            ((nn.InstanceNorm1d, LINE), (nn.InstanceNorm2d, PLANE), (nn.InstanceNorm3d, SPACE)), 1)),
        case("F.instance_norm with running statistics", lambda s, x: F.instance_norm(
            x, s.mean, s.var, s.weight, s.bias, use_input_stats=False), **four),
    ]  # fmt: skip


def _running(norm: nn.Module) -> nn.Module:
    norm.running_mean = numbers(2)
    norm.running_var = numbers(2).abs() + 0.5
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    return norm


def _piecewise() -> list[Case]:
    return [
        *(Case(f"PReLU {words} of {len(shape)} axes", lambda words=words: _drawn(nn.PReLU(**words)), shape)
          for shape in ((2,), LINE, PLANE, SPACE) for words in (dict(), dict(num_parameters=2))),
        *(Case(f"{name} of {len(shape)} axes", build, shape) for shape in (LINE, PLANE, SPACE) for name, build in {
            "ReLU6": lambda: nn.Sequential(Applied(lambda x: 5 * x), nn.ReLU6()),
            "Hardtanh": nn.Hardtanh, "Threshold": lambda: nn.Threshold(0.3, -2.0)}.items()),
        Case("ReLU6, then sum pool", lambda: nn.Sequential(nn.ReLU6(), nn.AvgPool2d(2)), PLANE),
        case("F.hardtanh", lambda x: F.hardtanh(x, -0.5, 0.7)),
        case("aten.hardtanh", lambda x: aten.hardtanh.default(x, -0.5, 0.7)),
        case("aten.hardtanh_", lambda x: aten.hardtanh_.default(_own(x), -0.5, 0.7)),
        case("F.relu6", lambda x: F.relu6(4 * x)),
        case("torch.clamp", lambda x: torch.clamp(x, -0.5, 0.7)),
        case("torch.clamp at its bound", lambda x: torch.clamp(x.relu(), min=0)),
        case("clamp()", lambda x: x.clamp(max=0.3)),
        case("clamp_()", lambda x: _own(x).clamp_(-0.2)),
        case("aten.clamp", lambda x: aten.clamp.default(x, -0.5, 0.7)),
        case("aten.clamp_", lambda x: aten.clamp_.default(_own(x), None, 0.7)),
        case("aten.clamp_min", lambda x: aten.clamp_min.default(x, -0.5)),
        case("aten.clamp_min_", lambda x: aten.clamp_min_.default(_own(x), -0.5)),
        case("F.threshold", lambda x: F.threshold(x, 0.1, 0.5)),
        case("torch.threshold", lambda x: torch.threshold(x, 0.1, 0.5)),
        case("torch.where", lambda x: torch.where(x > 0, -x, 3 * x)),
        case("aten.where", lambda x: aten.where.self(aten.le.Scalar(x, 0.1), x, x.relu())),
        case("aten.threshold", lambda x: aten.threshold.default(x, 0.1, 0.5)),
        case("aten.threshold_", lambda x: aten.threshold_.default(_own(x), 0.1, 0.5)),
    ]  # fmt: skip


def _drawn(layer: nn.PReLU) -> nn.PReLU:
    nn.init.uniform_(layer.weight, -0.5, 1.5)
    return layer


def _layout() -> list[Case]:
    shapes = {1: LINE, 2: PLANE, 3: SPACE}
    pads = {
        "Zero": ((1, 2), (0, 1, 2, 3), (1, 0, 0, 2, 1, 1)), "Constant": ((1, 2), (0, 1, 2, 3), (1, 0, 0, 2, 1, 1)),
        "Reflection": ((1, 2), (0, 1, 2, 3), (1, 0, 0, 1, 3, 1)),
        "Circular": ((1, 2), (0, 1, 2, 3), (1, 0, 0, 2, 1, 1)),
        "Replication": ((1, 2), (0, 5, 2, 3), (1, 0, 0, 2, 1, 1)),
    }  # fmt: skip
    cases = [
        Case(f"{kind}Pad{axes}d", lambda kind=kind, axes=axes, sides=sides: getattr(nn, f"{kind}Pad{axes}d")(
            sides, *((2.0,) if kind == "Constant" else ())), shapes[axes])
        for kind, settings in pads.items() for axes, sides in enumerate(settings, 1)
    ]  # fmt: skip
    cases += [
        Case("pixel shuffle", lambda: nn.PixelShuffle(2), (8, 2, 3)),
        Case("pixel unshuffle", lambda: nn.PixelUnshuffle(2), (2, 4, 6)),
        case("F.pixel_shuffle", lambda x: F.pixel_shuffle(x, 2), (8, 2, 3)),
        case("aten.pixel_shuffle", lambda x: aten.pixel_shuffle.default(x, 2), (8, 2, 3)),
        case("F.pixel_unshuffle", lambda x: F.pixel_unshuffle(x, 2)),
        case("aten.pixel_unshuffle", lambda x: aten.pixel_unshuffle.default(x, 2)),
        case("F.pad", lambda x: F.pad(x, (1, -2, 0, 3))),
        case("F.pad of the channels, by words", lambda x: F.pad(x, (0, 0, 0, 0, 1, 1, 0, 0), value=3.0)),
        case("aten.pad", lambda x: aten.pad.default(x, [1, 1, 2, 0], "replicate")),
        case("aten.constant_pad_nd", lambda x: aten.constant_pad_nd.default(x, [1, 1, 2, 0], 1.5)),
        case("torch.permute", lambda x: torch.permute(x, (0, 2, 3, 1))),
        case("permute()", lambda x: x.permute(0, -1, 2, 1)),
        case("aten.permute", lambda x: aten.permute.default(x, [0, 2, 1, 3])),
        case("torch.transpose", lambda x: torch.transpose(x, 1, -1)),
        case("transpose()", lambda x: x.transpose(2, 3)),
        case("aten.transpose", lambda x: aten.transpose.int(x, 1, 2)),
        case("a slice", lambda x: x[:, 1:, :-1, ::2]),
        case("a slice with ...", lambda x: x[..., 1:3]),
        case("an index and a new axis", lambda x: x[:, 0, None, -1]),
        case("torch.narrow", lambda x: torch.narrow(x, 2, 1, 2)),
        case("narrow()", lambda x: x.narrow(-1, 1, 2)),
        case("aten.narrow", lambda x: aten.narrow.default(x, 1, 1, 1)),
        case("aten.slice", lambda x: aten.slice.Tensor(aten.slice.Tensor(x, 0, 0, 9223372036854775807), 3, 1, 5, 2)),
        case("torch.select", lambda x: torch.select(x, 1, 1)),
        case("select()", lambda x: x.select(-1, 2)),
        case("aten.select", lambda x: aten.select.int(x, 2, -1)),
        case("torch.chunk", lambda x: torch.chunk(x, 2, 1)[1]),
        case("split() into uneven pieces", lambda x: _swapped(*_pair(x.split([1, 3], dim=2)))),
        case("aten.split", lambda x: aten.split.Tensor(x, 4, 3)[1]),
        case("repeat()", lambda x: x.repeat(1, 3, 1, 2)),
        case("aten.repeat", lambda x: aten.repeat.default(x, [1, 1, 2, 1])),
        case("expand()", lambda x: x[:, :1].expand(-1, 4, -1, -1)),
        case("aten.expand", lambda x: aten.expand.default(x[:, :, :1], [-1, -1, 3, -1])),
        case("torch.flip", lambda x: torch.flip(x, (1, 3))),
        case("flip()", lambda x: x.flip(-1)),
        case("aten.flip", lambda x: aten.flip.default(x, [2])),
        case("aten.index", lambda s, x: aten.index.Tensor(x, [None, None, s.rows, s.columns]),
             rows=torch.tensor([[0], [2], [2]]), columns=torch.tensor([5, -6])),
        case("aten._unsafe_index", lambda s, x: aten._unsafe_index.Tensor(x, [None, None, None, s.columns]),
             columns=torch.tensor([5, 0, 5])),
        case("aten.reshape", lambda x: aten.reshape.default(x, [x.shape[0], -1])),
        case("aten.view", lambda x: aten.view.default(x, [x.shape[0], 8, 6])),
        case("aten._unsafe_view", lambda x: aten._unsafe_view.default(x, [x.shape[0], 8, 6])),
        case("aten.flatten", lambda x: aten.flatten.using_ints(x, 2)),
        case("unflatten()", lambda x: x.unflatten(3, (2, 3))),
        case("aten.unflatten", lambda x: aten.unflatten.int(x, 3, [2, 3])),
        case("torch.squeeze", lambda x: torch.squeeze(x[:, :1], 1)),
        case("squeeze()", lambda x: x[:, :1].squeeze(1)),
        case("aten.squeeze", lambda x: aten.squeeze.dim(x[:, :1], 1)),
        case("torch.unsqueeze", lambda x: torch.unsqueeze(x, 1)),
        case("unsqueeze()", lambda x: x.unsqueeze(-1)),
        case("aten.unsqueeze", lambda x: aten.unsqueeze.default(x, 2)),
    ]  # fmt: skip
    return cases


def _pair(parts) -> tuple[Tensor, Tensor]:
    return parts[0], parts[1]


def _swapped(first: Tensor, second: Tensor) -> Tensor:
    return torch.cat([second, first], 2)


def _aten() -> list[Case]:
    grid = numbers(2, 4, 6)
    return [
        case("aten.relu", lambda x: aten.relu.default(x)),
        case("aten.relu_", lambda x: aten.relu_.default(_own(x))),
        case("aten.leaky_relu", lambda x: aten.leaky_relu.default(x, 0.3)),
        case("aten.leaky_relu_", lambda x: aten.leaky_relu_.default(_own(x))),
        case("aten.dropout", lambda x: aten.dropout.default(x, 0.5, False)),
        case("aten.feature_dropout", lambda x: aten.feature_dropout.default(x, 0.5, False)),
        case("aten.alpha_dropout", lambda x: aten.alpha_dropout.default(x, 0.5, False)),
        case("aten.max_pool1d", lambda x: aten.max_pool1d.default(x, [2], [2]), LINE),
        case("aten.max_pool2d", lambda x: aten.max_pool2d.default(x, [2, 2], [1, 2])),
        case("aten.max_pool3d", lambda x: aten.max_pool3d.default(x, [2, 2, 2]), SPACE),
        case("aten.max_pool2d_with_indices", lambda x: aten.max_pool2d_with_indices.default(x, [2, 2])[0]),
        case("aten.max_pool3d_with_indices", lambda x: aten.max_pool3d_with_indices.default(x, [2, 2, 2])[0], SPACE),
        case("aten.avg_pool1d", lambda x: aten.avg_pool1d.default(x, [2]), LINE),
        case("aten.avg_pool2d", lambda x: aten.avg_pool2d.default(x, [3, 3], [2, 2], [1, 1], False, False)),
        case("aten.avg_pool3d", lambda x: aten.avg_pool3d.default(x, [2, 2, 2]), SPACE),
        case("aten.adaptive_avg_pool1d", lambda x: aten.adaptive_avg_pool1d.default(x, [3]), LINE),
        case("aten.adaptive_avg_pool2d", lambda x: aten.adaptive_avg_pool2d.default(x, [3, 1])),
        case("aten.adaptive_avg_pool3d", lambda x: aten.adaptive_avg_pool3d.default(x, [1, 1, 2]), SPACE),
        case("aten._adaptive_avg_pool2d", lambda x: aten._adaptive_avg_pool2d.default(x, [3, 1])),
        case("aten._adaptive_avg_pool3d", lambda x: aten._adaptive_avg_pool3d.default(x, [1, 1, 2]), SPACE),
        case("aten.mean", lambda x: aten.mean.dim(x, [-1, -2], True)),
        case("aten.clone", lambda x: aten.clone.default(x)),
        case("aten.contiguous", lambda x: aten.contiguous.default(x)),
        case("aten.upsample_nearest1d", lambda x: aten.upsample_nearest1d.vec(x, None, [2.0]), LINE),
        case("aten.upsample_nearest2d", lambda x: aten.upsample_nearest2d.vec(x, [8, 12], None)),
        case("aten.upsample_nearest2d of given size and scales",
             lambda x: aten.upsample_nearest2d.default(x, [10, 15], 2.5, 2.5)),
        case("aten.upsample_nearest3d", lambda x: aten.upsample_nearest3d.vec(x, None, [2.0, 1.0, 3.0]), SPACE),
        case("aten._upsample_nearest_exact1d", lambda x: aten._upsample_nearest_exact1d.vec(x, [9], None), LINE),
        case("aten._upsample_nearest_exact2d", lambda x: aten._upsample_nearest_exact2d.vec(x, [7, 9], None)),
        case("aten._upsample_nearest_exact3d", lambda x: aten._upsample_nearest_exact3d.vec(x, [3, 3, 7], None), SPACE),
        case("aten.upsample_linear1d", lambda x: aten.upsample_linear1d.vec(x, None, False, [2.0]), LINE),
        case("aten.upsample_bilinear2d", lambda x: aten.upsample_bilinear2d.vec(x, [7, 9], True, None)),
        case("aten.upsample_trilinear3d", lambda x: aten.upsample_trilinear3d.vec(x, [3, 3, 7], False, None), SPACE),
        case("aten.alias", lambda x: aten.alias.default(x)),
        case("to()", lambda x: x.to(torch.device("cpu"))),
        case("aten.to", lambda x: aten.to.device(x, torch.device("cpu"), x.dtype)),
        case("aten._to_copy", lambda x: aten._to_copy.default(x, device=torch.device("cpu"))),
        case("aten.cat", lambda x: aten.cat.default([x, x.relu()], 1)),
        case("-x", lambda x: -x),
        case("torch.neg", lambda x: torch.neg(x)),
        case("neg()", lambda x: x.neg()),
        case("aten.neg", lambda x: aten.neg.default(x)),
        case("aten.add", lambda x: aten.add.Tensor(x, x.relu())),
        case("aten.add_", lambda x: aten.add_.Tensor(_own(x), x)),
        case("aten.sub", lambda x: aten.sub.Tensor(x, x.relu())),
        case("aten.sub_", lambda x: aten.sub_.Tensor(_own(x), x.relu())),
        case("aten.add constant", lambda s, x: aten.add.Tensor(x, s.grid), grid=grid),
        case("aten.add_ constant", lambda s, x: aten.add_.Tensor(_own(x), 2.0), grid=grid),
        case("aten.sub constant", lambda s, x: aten.sub.Tensor(s.grid, x), grid=grid),
        case("aten.sub_ constant", lambda x: aten.sub_.Tensor(_own(x), 2.0)),
        case("torch.rsub constant", lambda x: torch.rsub(x, 1)),
        case("aten.rsub constant", lambda x: aten.rsub.Scalar(x, 1)),
        case("aten.mul constant", lambda s, x: aten.mul.Tensor(s.grid, x), grid=grid),
        case("aten.mul_ constant", lambda s, x: aten.mul_.Tensor(_own(x), s.grid), grid=grid),
        case("aten.div constant", lambda x: aten.div.Tensor(x, 3.0)),
        case("aten.div_ constant", lambda x: aten.div_.Tensor(_own(x), 3.0)),
    ]  # fmt: skip


FUNCTION_CASES = [*_convolutions(), *_weighted(), *_piecewise(), *_layout(), *_aten()]
