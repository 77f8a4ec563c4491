"""Shapes of the four-layer network, counted by hand, and confusions that were planted."""

import torch
from torch import nn

from paperlib.convsvd.four_layer import confusions, layer_shapes
from paperlib.datasets import ImageData
from paperlib.models import four_layer_cnn
from paperlib.plotting.confusions import draw_confusions
from paperlib.unfolding import output_unfolding, receptive_fields


def test_shapes_of_the_papers_network():
    first, second, third, last = layer_shapes(four_layer_cnn(), torch.zeros(1, 1, 28, 28))
    assert (first.path, first.weight, first.unfolding) == ("conv1", (32, 1, 3, 3), (32, 9))
    assert (first.fields, first.output, first.values, first.parameters) == ((9, 676), (32, 26, 26), 9, 320)
    assert (second.fields, second.output, second.values) == ((288, 576), (64, 24, 24), 64)
    assert (third.weight, third.fields, third.values) == ((128, 9216), (9216, 1), 128)
    assert (last.unfolding, last.output, last.parameters) == ((10, 128), (10,), 1290)
    assert sum(one.parameters for one in (first, second, third, last)) == 1_199_882


def test_shapes_are_those_of_the_matrices_themselves():
    layer = nn.Conv2d(3, 5, (2, 3), stride=2, padding=1, bias=False)
    x = torch.rand(1, 3, 9, 8)
    (found,) = layer_shapes(nn.Sequential(layer, nn.ReLU()), x)
    assert found.unfolding == tuple(output_unfolding(layer.weight).shape)
    assert found.fields == tuple(receptive_fields(layer, x)[0].T.shape)
    assert found.output == tuple(layer(x).shape[1:])
    assert found.values == len(torch.linalg.svdvals(output_unfolding(layer.weight)))


def digits(labels: list[int], pixels: list[int]) -> ImageData:
    images = torch.eye(3)[pixels].reshape(-1, 1, 1, 3)
    return ImageData(images, torch.tensor(labels), "planted", "test", "Planted", "here", "")


def test_confusions_count_what_is_taken_for_what():
    data = digits([0, 0, 0, 1, 2, 2], [0, 0, 1, 1, 2, 0])
    # The model says which pixel is lit.
    model = nn.Sequential(nn.Flatten(), nn.Linear(3, 3, bias=False), nn.Dropout(0.9))
    with torch.no_grad():
        model[1].weight.copy_(torch.eye(3))
    found = confusions(model, data, batch_size=4)
    assert found.tolist() == [[2, 1, 0], [0, 1, 0], [1, 0, 1]]
    assert model.training


def test_the_table_is_drawn_with_all_that_is_not_zero():
    figure = draw_confusions(torch.tensor([[950, 0], [3, 1]]), ["no", "yes"])
    figure.canvas.draw()
    (axis,) = figure.axes
    assert {text.get_text(): text.get_position() for text in axis.texts} == {"950": (0, 0), "3": (0, 1), "1": (1, 1)}
    # White on the darkest blue, black on the palest.
    assert [text.get_color() for text in axis.texts] == ["white", "black", "black"]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["no", "yes"]
