"""Helpers over NumPy arrays."""

from __future__ import annotations

import numpy as np

from layerkit.dtypes import floatx


def to_categorical(x: object, num_classes: int | None = None) -> np.ndarray:
    """One-hot rows of class indices.

    Args:
        x: integers [...], each from 0 to num_classes - 1; a last axis of size 1 is dropped.
        num_classes: how many there are; None: the largest index and one more.

    Returns:
        Array [..., num_classes] of the default float type.

    Raises:
        ValueError: an index is not in the range.

    >>> to_categorical([0, 2], 3).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    x = np.asarray(x, dtype="int64")
    if x.ndim > 1 and x.shape[-1] == 1:
        x = x[..., 0]
    if num_classes is None:
        num_classes = int(x.max()) + 1 if x.size else 0
    if x.size and not 0 <= x.min() <= x.max() < num_classes:
        raise ValueError(
            f"Class indices have to lie from 0 to {num_classes - 1}; got values from {x.min()} to {x.max()} "
            f"with num_classes={num_classes}."
        )
    rows = np.zeros((x.size, num_classes), floatx())
    rows[np.arange(x.size), x.ravel()] = 1
    return rows.reshape(*x.shape, num_classes)


def normalize(x: object, axis: int = -1, order: int | float = 2) -> np.ndarray:
    """Divide by the norm along an axis; a vector of zeros stays.

    >>> normalize([[3.0, 4.0]]).tolist()
    [[0.6, 0.8]]
    """
    x = np.asarray(x)
    norm = np.atleast_1d(np.linalg.norm(x, order, axis, keepdims=True))
    return x / np.where(norm == 0, 1, norm)
