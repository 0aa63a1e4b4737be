"""From indices to one-hot, multi-hot and count vectors, and the checks of arguments that the lookups share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from layerkit import ops
from layerkit.graph.tensor import Shape, Tensor

_DEPRECATED_MODES = {"binary": "multi_hot", "tf-idf": "tf_idf"}
"""Names that Keras 2 had for output modes."""


def output_mode_of(layer: str, mode: Any, allowed: Sequence[str]) -> str:
    """The output mode that a name stands for. Raises ValueError with those that the class `layer` has."""
    mode = _DEPRECATED_MODES.get(mode, mode) if isinstance(mode, str) else mode
    return one_of(layer, "output_mode", mode, allowed)


def one_of(layer: str, argument: str, value: Any, allowed: Sequence[Any]) -> Any:
    """The value. Raises ValueError where it is none of those allowed."""
    if value not in allowed:
        raise ValueError(
            f"{layer}: `{argument}` must be one of {', '.join(map(repr, allowed))}. Received: {argument}={value!r}"
        )
    return value


def salt_of(layer: str, salt: Any) -> list[int] | None:
    """The two numbers of a salt, given as two or as one for both. Raises ValueError for anything else."""
    pair = [salt, salt] if isinstance(salt, int) else list(salt) if isinstance(salt, list | tuple) else salt
    if pair is None or (isinstance(pair, list) and len(pair) == 2 and all(isinstance(part, int) for part in pair)):
        return pair
    raise ValueError(f"{layer}: `salt` must be an integer, or a tuple of 2 integers. Received: salt={salt!r}")


def encode(indices: Tensor, mode: str, depth: int, dtype: str, count_weights: Any = None) -> Tensor:
    """Indices [..., tokens] as the output mode has them; those outside of 0 to `depth - 1` leave no trace.

    "int" casts them; "one_hot" gives [..., tokens, depth] (an axis of one token goes); "multi_hot" and "count" give
    [..., depth]. `count_weights` [..., tokens] are what tokens count for.
    """
    if mode == "int":
        return ops.cast(indices, dtype)
    if not indices.shape:
        indices = ops.expand_dims(indices, -1)
    if mode == "one_hot":
        if len(indices.shape) > 1 and indices.shape[-1] == 1:
            indices = ops.squeeze(indices, -1)
        return ops.one_hot(indices, depth, dtype=dtype)
    encoded = ops.one_hot(indices, depth, dtype=dtype)
    if mode == "multi_hot":
        return ops.max(encoded, axis=-2)
    if count_weights is not None:
        encoded = encoded * ops.expand_dims(count_weights, -1)
    return ops.sum(encoded, axis=-2)


def encoded_shape(shape: Shape, mode: str, depth: int) -> Shape:
    """The shape of `encode_rows` for indices of a shape, whose sizes may be None."""
    if mode == "int":
        return shape
    if mode != "one_hot":
        return (*shape[:-1], depth)
    if len(shape) > 1 and shape[-1] == 1:
        shape = shape[:-1]
    return (*(shape or (1,)), depth)


def encode_rows(indices: np.ndarray, mode: str, depth: int, dtype: str) -> np.ndarray:
    """What `encode` gives, in NumPy and without the one-hot vectors of all tokens in between."""
    if mode == "int":
        return indices.astype(dtype)
    if indices.ndim == 0:
        indices = indices[None]
    if mode == "one_hot":
        if indices.ndim > 1 and indices.shape[-1] == 1:
            indices = indices[..., 0]
        rows, shape = indices.reshape(-1, 1), indices.shape
    else:
        rows, shape = indices.reshape(-1, indices.shape[-1]), indices.shape[:-1]
    valid = (rows >= 0) & (rows < depth)
    counts = np.zeros((len(rows), depth), dtype)
    np.add.at(counts, (np.nonzero(valid)[0], rows[valid]), 1)
    if mode != "count":
        np.minimum(counts, 1, out=counts)
    return counts.reshape(*shape, depth)
