"""The registry of layers, functions and settings on which every test of the operators runs."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from math import prod

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from paperlib.layers import SumPool

CONV = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
CONV_TRANSPOSE = {1: nn.ConvTranspose1d, 2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
MAX_POOL = {1: nn.MaxPool1d, 2: nn.MaxPool2d, 3: nn.MaxPool3d}
AVERAGE_POOL = {1: nn.AvgPool1d, 2: nn.AvgPool2d, 3: nn.AvgPool3d}
ADAPTIVE_POOL = {1: nn.AdaptiveAvgPool1d, 2: nn.AdaptiveAvgPool2d, 3: nn.AdaptiveAvgPool3d}
BATCH_NORM = {1: nn.BatchNorm1d, 2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
# Sides that no stride or window here divides on every axis, and different on every axis, so that swapped axes show.
SIDES = {1: (9,), 2: (7, 8), 3: (5, 4, 6)}
LINEAR_MODE = {1: "linear", 2: "bilinear", 3: "trilinear"}


class Applied(nn.Module):
    """A function as a module; ``layers`` and ``buffers`` become its children and buffers."""

    def __init__(self, function: Callable, layers: dict[str, nn.Module] | None = None, **buffers: Tensor):
        super().__init__()
        self.function = function
        for name, layer in (layers or {}).items():
            self.add_module(name, layer)
        for name, value in buffers.items():
            self.register_buffer(name, value)
        self.takes_self = bool(layers or buffers)

    def forward(self, x: Tensor) -> Tensor:
        return self.function(self, x) if self.takes_self else self.function(x)


@dataclass(frozen=True)
class Case:
    """A model and the shape of one of its images, channels first."""

    name: str
    build: Callable[[], nn.Module]
    shape: tuple[int, ...]

    def model(self, dtype: torch.dtype = torch.float64) -> nn.Module:
        """The model in evaluation mode, with weights, biases and running statistics drawn by a fixed seed."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            model = self.build().to(dtype).eval()
            for module in model.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    nn.init.normal_(module.running_mean)
                    nn.init.uniform_(module.running_var, 0.5, 2)
                    if module.affine:
                        nn.init.normal_(module.weight)
                        nn.init.normal_(module.bias)
        return model

    def images(self, count: int = 1, dtype: torch.dtype = torch.float64, seed: int = 1) -> Tensor:
        """Normal images ``(count, *shape)``: almost surely away from every kink."""
        return torch.randn(count, *self.shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def _convolutions(axes: int) -> list[Case]:
    conv, sides, d = CONV[axes], SIDES[axes], f"{axes}d"
    cases = []

    def add(name: str, channels: int, out: int, kernel, **settings) -> None:
        build = lambda: conv(channels, out, kernel, **settings)  # noqa: E731
        cases.append(Case(f"conv{d} {name}", build, (channels, *sides)))

    for stride, padding in product((1, 2, 3), (0, 1, 2)):
        add(f"stride {stride} padding {padding}", 2, 3, 3, stride=stride, padding=padding)
    for kernel, dilation in product((1, 2, 3, 4), (1, 2)):
        add(f"same kernel {kernel} dilation {dilation}", 2, 2, kernel, padding="same", dilation=dilation, bias=False)
    add("valid", 2, 3, 2, padding="valid")
    # Channel counts above 4 take the other of the two ways to compute the adjoint in 2-D.
    for stride, dilation in product((1, 2), (1, 2)):
        add(f"many channels stride {stride} dilation {dilation}", 5, 2, 2, stride=stride, dilation=dilation, padding=1)
    add("many channels same even kernel", 5, 2, 4, padding="same")
    add("stride beyond kernel", 2, 2, 2, stride=3)
    add("two groups", 4, 6, 3, groups=2, padding=1)
    add("depthwise", 3, 3, 3, groups=3, padding=1, bias=False)
    add("depthwise with multiplier, stride and dilation", 3, 6, 2, groups=3, stride=2, dilation=2, padding=1)
    add("grouped same even kernel", 4, 4, 2, groups=2, padding="same")
    if axes > 1:
        kernel, stride, padding = (3, 2, 1)[:axes], (1, 2, 3)[:axes], (0, 1, 0)[:axes]
        add("another setting on each axis", 2, 3, kernel, stride=stride, padding=padding, dilation=(2, 1, 1)[:axes])
        add("another same kernel on each axis", 2, 2, (4, 3, 2)[:axes], padding="same")
    return cases


def _transposed_convolutions(axes: int) -> list[Case]:
    conv, sides, d = CONV_TRANSPOSE[axes], {1: (5,), 2: (4, 5), 3: (3, 2, 4)}[axes], f"{axes}d"
    settings = [
        dict(kernel_size=2, stride=2),
        dict(kernel_size=3, stride=1, padding=1),
        dict(kernel_size=3, stride=2, padding=1, output_padding=1),
        dict(kernel_size=2, stride=3, output_padding=2, bias=False),
        dict(kernel_size=2, stride=2, dilation=2, padding=1),
    ]
    cases = [
        Case(f"transposed conv{d} {words}", lambda words=words: conv(2, 3, **words), (2, *sides)) for words in settings
    ]
    cases.append(Case(f"transposed conv{d} groups", lambda: conv(4, 6, 3, stride=2, groups=2), (4, *sides)))
    cases.append(Case(f"transposed conv{d} many out", lambda: conv(2, 6, 2, stride=2, padding=1), (2, *sides)))
    return cases


def _pooling(axes: int) -> list[Case]:
    d, sides, shape = f"{axes}d", SIDES[axes], (2, *SIDES[axes])
    max_pool, average = MAX_POOL[axes], AVERAGE_POOL[axes]
    average_settings = [
        dict(kernel_size=2),
        dict(kernel_size=3, stride=2, padding=1),
        dict(kernel_size=3, stride=2, padding=1, count_include_pad=False),
        dict(kernel_size=3, stride=2, ceil_mode=True),
        dict(kernel_size=3, stride=2, padding=1, ceil_mode=True, count_include_pad=False),
    ]
    if axes > 1:
        average_settings.append(dict(kernel_size=(3, 2, 2)[:axes], stride=(1, 2, 2)[:axes], divisor_override=5))
    max_settings = [
        dict(kernel_size=2),
        dict(kernel_size=3, stride=2, padding=1),
        dict(kernel_size=2, stride=1, dilation=2),
        dict(kernel_size=3, stride=2, ceil_mode=True),
    ]
    even = {1: (6,), 2: (4, 6), 3: (4, 2, 6)}[axes]
    return [
        Case(f"sum pool{d}", lambda: SumPool(2), (2, *even)),
        Case(f"sum pool{d} by 3", lambda: SumPool(3), (2, *(3 * (axis + 1) for axis in range(axes)))),
        *(Case(f"max pool{d} {words}", lambda words=words: max_pool(**words), shape) for words in max_settings),
        *(Case(f"average pool{d} {words}", lambda words=words: average(**words), shape) for words in average_settings),
        Case(f"adaptive average pool{d} to 1", lambda: ADAPTIVE_POOL[axes](1), shape),
        Case(f"adaptive average pool{d} to 3", lambda: ADAPTIVE_POOL[axes](3), shape),
        Case(
            f"adaptive average pool{d} axis kept",
            lambda: ADAPTIVE_POOL[axes]((*(None,) * (axes - 1), 2) if axes > 1 else 4),
            (2, *sides),
        ),
        Case(f"ReLU then sum pool{d}", lambda: nn.Sequential(nn.ReLU(), SumPool(2)), (2, *even)),
        Case(f"leaky ReLU then sum pool{d}", lambda: nn.Sequential(nn.LeakyReLU(0.2), SumPool(2)), (2, *even)),
    ]


def _upsampling(axes: int) -> list[Case]:
    d, sides = f"{axes}d", {1: (4,), 2: (3, 4), 3: (2, 3, 4)}[axes]
    uneven = tuple(2 * side + 1 for side in sides)
    settings = [
        dict(scale_factor=2),
        dict(scale_factor=2.5),
        # The output is three times the input on some axes, but torch samples by 1 / 3.2: not the windows of a factor 3.
        dict(scale_factor=3.2),
        dict(scale_factor=2.1, recompute_scale_factor=True),
        dict(scale_factor=0.5),
        dict(size=uneven),
        dict(size=tuple(3 * side for side in sides)),
        dict(scale_factor=2.5, mode="nearest-exact"),
        dict(scale_factor=2, mode=LINEAR_MODE[axes]),
        dict(scale_factor=2.5, mode=LINEAR_MODE[axes]),
        dict(size=uneven, mode=LINEAR_MODE[axes], align_corners=True),
    ]
    if axes > 1:
        settings.append(dict(scale_factor=(2, 3, 1)[:axes]))
    return [Case(f"upsample{d} {words}", lambda words=words: nn.Upsample(**words), (2, *sides)) for words in settings]


def _pointwise(axes: int) -> list[Case]:
    d, shape = f"{axes}d", (3, *SIDES[axes])
    dropout = {1: nn.Dropout1d, 2: nn.Dropout2d, 3: nn.Dropout3d}[axes]
    return [
        Case(f"ReLU {d}", nn.ReLU, shape),
        Case(f"ReLU in place {d}", lambda: nn.Sequential(nn.Identity(), nn.ReLU(inplace=True)), shape),
        Case(f"leaky ReLU {d}", lambda: nn.LeakyReLU(0.1), shape),
        Case(f"leaky ReLU with negative slope {d}", lambda: nn.LeakyReLU(-0.5), shape),
        Case(f"dropout {d}", dropout, shape),
        Case(f"batch norm {d}", lambda: BATCH_NORM[axes](3), shape),
        Case(f"batch norm without weights {d}", lambda: BATCH_NORM[axes](3, affine=False), shape),
        Case(f"flatten and linear {d}", lambda: nn.Sequential(nn.Flatten(), nn.Linear(prod(shape), 4)), shape),
    ]


def _structure() -> list[Case]:
    vector = (6,)
    return [
        Case("linear", lambda: nn.Linear(6, 4), vector),
        Case("linear without bias", lambda: nn.Linear(6, 9, bias=False), vector),
        Case("linear on the last of two axes", lambda: nn.Linear(6, 4), (3, 6)),
        Case("batch norm of a vector", lambda: nn.BatchNorm1d(6), vector),
        Case("dropout of a vector", nn.Dropout, vector),
        Case("alpha dropout of a vector", nn.AlphaDropout, vector),
        Case("identity", nn.Identity, vector),
        Case("unflatten", lambda: nn.Sequential(nn.Unflatten(1, (2, 3)), nn.Conv1d(2, 2, 2)), vector),
        Case("flatten two of three axes", lambda: nn.Flatten(1, 2), (2, 3, 4)),
        Case("nearest up-sampling layer of 2-D", lambda: nn.UpsamplingNearest2d(scale_factor=2), (2, 3, 4)),
    ]


def _function(name: str, function: Callable, shape: tuple[int, ...] = (2, 4, 6), **kept) -> Case:
    return Case(name, lambda: Applied(function, **kept), shape)


def _in_place(x: Tensor) -> Tensor:
    # A value of the network's own, so that the reference can be run on a leaf tensor that needs a gradient.
    return x * 1.0


def _functions() -> list[Case]:
    def same_operator(operation: str) -> Callable:
        def function(x):
            y = _in_place(x)
            if operation == "add":
                y += x.relu()
            elif operation == "sub":
                y -= x.relu()
            elif operation == "constant add":
                y += 2.0
            elif operation == "constant sub":
                y -= 2.0
            elif operation == "constant mul":
                y *= 3.0
            else:
                y /= 3.0
            return y

        return function

    buffer = torch.arange(1.0, 7.0)
    return [
        _function("F.relu", F.relu),
        _function("F.relu in place", lambda x: F.relu(_in_place(x), inplace=True)),
        _function("torch.relu", torch.relu),
        _function("torch.relu_", lambda x: torch.relu_(_in_place(x))),
        _function("relu()", lambda x: x.relu()),
        _function("relu_()", lambda x: _in_place(x).relu_()),
        _function("F.leaky_relu", lambda x: F.leaky_relu(x, 0.3)),
        _function("F.dropout", lambda x: F.dropout(x, 0.5, training=False)),
        _function("F.dropout2d", lambda x: F.dropout2d(x, 0.5, training=False)),
        _function("F.dropout3d", lambda x: F.dropout3d(x, 0.5, training=False), (2, 3, 4, 2)),
        _function("contiguous()", lambda x: x.contiguous()),
        _function("clone()", lambda x: x.clone()),
        _function("torch.clone", torch.clone),
        _function("F.max_pool1d", lambda x: F.max_pool1d(x, 2), (2, 7)),
        _function("F.max_pool2d", lambda x: F.max_pool2d(x, 2, stride=1)),
        _function("F.max_pool3d", lambda x: F.max_pool3d(x, 2), (2, 4, 2, 5)),
        _function("torch.max_pool1d", lambda x: torch.max_pool1d(x, 2), (2, 7)),
        _function("torch.max_pool2d", lambda x: torch.max_pool2d(x, 2)),
        _function("torch.max_pool3d", lambda x: torch.max_pool3d(x, 2), (2, 4, 2, 5)),
        _function("F.avg_pool1d", lambda x: F.avg_pool1d(x, 3, 2), (2, 7)),
        _function("F.avg_pool2d", lambda x: F.avg_pool2d(x, 3, 2, padding=1)),
        _function("F.avg_pool3d", lambda x: F.avg_pool3d(x, 2), (2, 4, 2, 5)),
        _function("F.adaptive_avg_pool1d", lambda x: F.adaptive_avg_pool1d(x, 3), (2, 7)),
        _function("F.adaptive_avg_pool2d", lambda x: F.adaptive_avg_pool2d(x, (3, None))),
        _function("F.adaptive_avg_pool3d", lambda x: F.adaptive_avg_pool3d(x, 2), (2, 4, 3, 5)),
        _function("F.interpolate", lambda x: F.interpolate(x, size=(5, 9), mode="bilinear")),
        _function("mean() kept", lambda x: x.mean((2, 3), keepdim=True)),
        _function("mean() of negative axes", lambda x: x.mean([-1, -2])),
        _function("mean() of one axis", lambda x: x.mean(2), (3, 5)),
        _function("torch.mean", lambda x: torch.mean(x, dim=(2, 3))),
        _function("torch.flatten", lambda x: torch.flatten(x, 1)),
        _function("flatten()", lambda x: x.flatten(1)),
        _function("torch.reshape", lambda x: torch.reshape(x, (x.shape[0], -1))),
        _function("reshape()", lambda x: x.reshape(x.shape[0], 4, 12)),
        _function("view()", lambda x: x.view(x.size(0), -1)),
        _function("torch.cat", lambda x: torch.cat([x, x.relu()], dim=1)),
        _function("torch.cat of a repeated value", lambda x: torch.cat([x, x, x.relu()], 1)),
        _function("torch.concat along the last axis", lambda x: torch.concat([x.relu(), x], dim=-1)),
        _function("torch.cat by axis", lambda x: torch.cat([x.relu(), x], axis=2)),
        _function("+", lambda x: x + x.relu()),
        _function("x + x", lambda x: x + x),
        _function("+=", same_operator("add")),
        _function("torch.add", lambda x: torch.add(x, x.relu())),
        _function("add()", lambda x: x.add(x.relu())),
        _function("add_()", lambda x: _in_place(x).add_(x.relu())),
        _function("-", lambda x: x - x.relu()),
        _function("x - x", lambda x: x - x),
        _function("-=", same_operator("sub")),
        _function("torch.sub", lambda x: torch.sub(x, x.relu())),
        _function("sub()", lambda x: x.relu().sub(x)),
        _function("sub_()", lambda x: _in_place(x).sub_(x.relu())),
        _function("constant +", lambda s, x: x + s.buffer, buffer=buffer),
        _function("+ constant with a batch axis", lambda s, x: s.one + x, one=torch.ones(1, 2, 1, 1)),
        _function("constant +=", same_operator("constant add")),
        _function("torch.add constant", lambda x: torch.add(x, 2.0)),
        _function("add() constant", lambda x: x.add(2.0)),
        _function("add_() constant", lambda x: _in_place(x).add_(2.0)),
        _function("constant -", lambda s, x: x / 2 - s.buffer, buffer=buffer),
        _function("1 - x", lambda x: 1 - x),
        _function("constant -=", same_operator("constant sub")),
        _function("torch.sub constant", lambda x: torch.sub(x, 2.0)),
        _function("torch.sub from a constant", lambda s, x: torch.sub(s.buffer, x), buffer=buffer),
        _function("sub() constant", lambda x: x.sub(2.0)),
        _function("sub_() constant", lambda x: _in_place(x).sub_(2.0)),
        _function("constant *", lambda s, x: s.buffer * x, buffer=buffer),
        _function("constant *=", same_operator("constant mul")),
        _function("torch.mul constant", lambda x: torch.mul(x, -2.0)),
        _function("mul() constant", lambda x: x.mul(2.0)),
        _function("mul_() constant", lambda x: _in_place(x).mul_(2.0)),
        _function("constant /", lambda s, x: x / s.buffer, buffer=buffer),
        _function("constant /=", same_operator("constant div")),
        _function("torch.div constant", lambda x: torch.div(x, 4.0)),
        _function("div() constant", lambda x: x.div(4.0)),
        _function("div_() constant", lambda x: _in_place(x).div_(4.0)),
    ]


def _registry() -> list[Case]:
    makers = (_convolutions, _transposed_convolutions, _pooling, _upsampling, _pointwise)
    cases = [case for axes in (1, 2, 3) for make in makers for case in make(axes)]
    return cases + _structure() + _functions()


REGISTRY = _registry()
