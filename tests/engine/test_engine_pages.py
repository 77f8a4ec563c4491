"""The sentence about the data that a caption ends with."""

import pytest

from paperlib.engine.pages import data_sentence
from paperlib.engine.results import Result

MNIST = {"name": "mnist", "title": "MNIST", "part": "train", "count": 60000}


def result(*data: dict, profile: str = "laptop") -> Result:
    fields = dict(parameters={}, seeds={}, values={}, residuals={}, versions={}, threads=1, device="cpu", commit="")
    return Result(id="toy/first", profile=profile, data=list(data), seconds=1.0, date="2026-01-01", **fields)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ([], "Profile laptop."),
        ([MNIST], "Data: MNIST (60,000 training images; profile laptop)."),
        ([MNIST | {"part": "all"}], "Data: MNIST (60,000 images; profile laptop)."),
        (
            [MNIST | {"part": "all", "selection": "first half"}],
            "Data: MNIST (60,000 images: first half; profile laptop).",
        ),
        ([MNIST, {"title": "Noise"}], "Data: MNIST (60,000 training images), Noise (profile laptop)."),
        ([MNIST, MNIST], "Data: MNIST (60,000 training images; profile laptop)."),
    ],
)
def test_the_data_are_named_with_their_parts(data, sentence):
    assert data_sentence(result(*data)) == sentence
