"""ResNet18."""

from torch import nn


def resnet18(channels: int = 1, classes: int = 10) -> nn.Module:
    """ResNet18 of He et al. (2016) for 2-D images, ``(batch, channels, height, width)`` to ``(batch, classes)``.

    MONAI's, with the stem (7x7, stride 2, max pooling) and the layer names of torchvision, so that
    ``layer1.0.conv1`` is the first convolution of the first block, and torchvision's state dicts fit but for a first
    convolution of other channels and a last layer of other classes. Weights are drawn at random.
    """
    # MONAI takes a second to import, which no one should pay who wants another network.
    from monai.networks.nets import resnet18 as monai_resnet18

    return monai_resnet18(
        spatial_dims=2, n_input_channels=channels, num_classes=classes, conv1_t_stride=2, bias_downsample=False
    )
