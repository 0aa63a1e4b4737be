"""Regularizers: functions of a variable (or an output) that give a loss to add, as in Keras 3."""

from __future__ import annotations

from typing import Any

import numpy as np

from layerkit import ops
from layerkit.checks import check_choice, check_numbers
from layerkit.errors import ShapeError
from layerkit.graph.tensor import Tensor
from layerkit.serialization import Configurable, get_object, serialize_keras_object
from layerkit.serialization import deserialize_keras_object as _deserialize


class Regularizer(Configurable, kind="regularizer", module="keras.regularizers", registered=False):
    """The base: a subclass implements `__call__(x)` and gives a scalar."""

    def __call__(self, x: Any) -> Tensor:
        """The loss of a variable."""
        raise NotImplementedError(f"{type(self).__name__} must implement `__call__(self, x)`.")


class L1L2(Regularizer):
    """`l1 * sum(|x|) + l2 * sum(x^2)`."""

    def __init__(self, l1: float | None = 0.0, l2: float | None = 0.0) -> None:
        check_numbers(self, "[0, inf)", optional=True, l1=l1, l2=l2)
        self.l1 = 0.0 if l1 is None else float(l1)
        self.l2 = 0.0 if l2 is None else float(l2)

    def __call__(self, x: Any) -> Tensor:
        """The loss of a variable."""
        loss = ops.zeros((), dtype=x.dtype)
        if self.l1:
            loss = loss + self.l1 * ops.sum(ops.absolute(x))
        if self.l2:
            loss = loss + self.l2 * ops.sum(ops.square(x))
        return loss


class L1(Regularizer):
    """`l1 * sum(|x|)`."""

    def __init__(self, l1: float | None = 0.01) -> None:
        check_numbers(self, "[0, inf)", optional=True, l1=l1)
        self.l1 = 0.01 if l1 is None else float(l1)

    def __call__(self, x: Any) -> Tensor:
        """The loss of a variable."""
        return self.l1 * ops.sum(ops.absolute(x))


class L2(Regularizer):
    """`l2 * sum(x^2)`."""

    def __init__(self, l2: float | None = 0.01) -> None:
        check_numbers(self, "[0, inf)", optional=True, l2=l2)
        self.l2 = 0.01 if l2 is None else float(l2)

    def __call__(self, x: Any) -> Tensor:
        """The loss of a variable."""
        return self.l2 * ops.sum(ops.square(x))


class OrthogonalRegularizer(Regularizer):
    """`factor` times the mean |cosine| between each two rows (or columns) of a matrix."""

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        check_numbers(self, "[0, inf)", factor=factor)
        check_choice(self, ("rows", "columns"), mode=mode)
        self.factor = float(factor)
        self.mode = mode

    def __call__(self, x: Any) -> Tensor:
        """The loss of a matrix. Raises ShapeError for another number of axes."""
        if len(x.shape) != 2:
            raise ShapeError(f"OrthogonalRegularizer needs a matrix; got shape {tuple(x.shape)}.")
        rows = ops.transpose(x) if self.mode == "columns" else x
        length = ops.sqrt(ops.maximum(ops.sum(ops.square(rows), axis=1, keepdims=True), 1e-12))
        unit = rows / length
        cosines = ops.matmul(unit, ops.transpose(unit))
        count = rows.shape[0]
        others = 1.0 - np.eye(count, dtype=x.dtype)
        pairs = count * (count - 1) / 2
        return self.factor * 0.5 * ops.sum(ops.absolute(cosines * others)) / pairs


def get(identifier: Any) -> Any:
    """The regularizer that a name, a config, a class or a function stands for; None stays.

    >>> get("l2").l2
    0.01
    """
    return get_object("regularizer", identifier)


def serialize(regularizer: Regularizer) -> dict[str, Any]:
    """A regularizer as Keras 3's serialized form."""
    return serialize_keras_object(regularizer)


def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
    """The regularizer of a serialized form or name."""
    return _deserialize(config, custom_objects, kind="regularizer")


# Keras' names in lower case, used as functions: `regularizers.l2(0.01)`.
l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer
