"""The IDX format of MNIST and its kin."""

from math import prod

import numpy as np

from paperlib.datasets.types import DataError

_UNSIGNED_BYTE = 0x08


def parse_idx(content: bytes, name: str) -> np.ndarray:
    """Array of unsigned bytes from an IDX file's content.

    Header: two zero bytes, the type code, the number of axes, then each axis as a big-endian 32-bit integer.
    Raises ``DataError`` where the header or the length is not that of such a file; ``name`` stands in the message.
    """
    if len(content) < 4 or content[:2] != b"\0\0":
        raise DataError(f"{name} is not an IDX file (it does not begin with two zero bytes)")
    if content[2] != _UNSIGNED_BYTE:
        raise DataError(f"{name} holds IDX type 0x{content[2]:02x}, expected unsigned bytes (0x08)")
    axes = content[3]
    start = 4 + 4 * axes
    if len(content) < start:
        raise DataError(f"{name} is truncated: its header of {axes} axes ends after {len(content)} of {start} bytes")
    shape = tuple(np.frombuffer(content[4:start], dtype=">u4").astype(int).tolist())
    if len(content) - start != prod(shape):
        raise DataError(f"{name} is truncated or too long: {len(content) - start} bytes for the shape {shape}")
    return np.frombuffer(content, dtype=np.uint8, offset=start).reshape(shape)
