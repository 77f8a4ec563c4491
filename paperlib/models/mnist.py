"""The papers' convolutional classifiers of MNIST."""

from collections import OrderedDict
from typing import Literal

from torch import nn

from paperlib.layers import SumPool


def mnist_cnn(padding: Literal["same", "valid"] = "same") -> nn.Sequential:
    """The MNIST classifier of `generalizability` (Section 2.1): ``(batch, 1, 28, 28)`` to ten logits, no bias anywhere.

    Two bias-free 5x5 convolutions (32 and 64 filters), each with ReLU and sum pooling by 2, then linear layers
    to 512, 256 and 10. The paper says 'zero padding', which can be read in two ways: ``"same"`` pads with zeros
    to keep the size (1,791,264 weights; the reading that fits the paper's adjoint), ``"valid"`` pads nothing.
    """
    sides = {"same": 7, "valid": 4}
    if padding not in sides:
        raise ValueError(f"padding is {padding!r}; expected one of {sorted(sides)}")
    pad = 2 if padding == "same" else 0
    features = 64 * sides[padding] ** 2
    layers = OrderedDict(
        conv1=nn.Conv2d(1, 32, 5, padding=pad, bias=False),
        relu1=nn.ReLU(),
        pool1=SumPool(2),
        conv2=nn.Conv2d(32, 64, 5, padding=pad, bias=False),
        relu2=nn.ReLU(),
        pool2=SumPool(2),
        flatten=nn.Flatten(),
        linear1=nn.Linear(features, 512, bias=False),
        relu3=nn.ReLU(),
        linear2=nn.Linear(512, 256, bias=False),
        relu4=nn.ReLU(),
        linear3=nn.Linear(256, 10, bias=False),
    )
    return nn.Sequential(layers)


def four_layer_cnn() -> nn.Sequential:
    """The MNIST classifier of `convsvd` (Section 4.2): ``(batch, 1, 28, 28)`` to ten logits, with biases.

    Two 3x3 convolutions without padding, 32 and 64 filters, each with ReLU, max pooling by 2, then linear layers to
    128 and 10. The paper gives conv1 alone, ``(32, 1, 3, 3)`` to maps of 26 x 26; the rest are the sizes of the example
    that PyTorch's own repository has for MNIST, less its dropout (1,199,882 parameters).
    """
    layers = OrderedDict(
        conv1=nn.Conv2d(1, 32, 3),
        relu1=nn.ReLU(),
        conv2=nn.Conv2d(32, 64, 3),
        relu2=nn.ReLU(),
        pool=nn.MaxPool2d(2),
        flatten=nn.Flatten(),
        fc1=nn.Linear(64 * 12**2, 128),
        relu3=nn.ReLU(),
        fc2=nn.Linear(128, 10),
    )
    return nn.Sequential(layers)
