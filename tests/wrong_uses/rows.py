"""What a row of wrong uses is, and what the rows are made of."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import layerkit
from layerkit import layers

Row = tuple[Callable[[], object], type[BaseException], tuple[str, ...]]


def f(*shape: int) -> np.ndarray:
    return np.ones(shape, "float32")


def i(*shape: int) -> np.ndarray:
    return np.ones(shape, "int32")


def then(layer: layers.Layer, first: np.ndarray, second: object) -> object:
    """A call that builds a layer, and one that does not fit."""
    layer(first)
    return layer(second)


def variable() -> layerkit.Variable:
    return layerkit.Variable(f(3), name="w")
