"""Constraints: projections of a variable after each update, as in Keras 3."""

from __future__ import annotations

from typing import Any

from layerkit import ops
from layerkit.checks import check_axis, check_numbers
from layerkit.graph.operation import as_tensor
from layerkit.graph.tensor import Tensor
from layerkit.serialization import Configurable, get_object, serialize_keras_object
from layerkit.serialization import deserialize_keras_object as _deserialize

EPSILON = 1e-7
"""Keeps a zero vector's length from dividing by zero."""


class Constraint(Configurable, kind="constraint", module="keras.constraints", registered=False):
    """The base: a subclass implements `__call__(w)` and gives the projected value."""

    def __call__(self, w: Any) -> Tensor:
        """The projection."""
        raise NotImplementedError(f"{type(self).__name__} must implement `__call__(self, w)`.")


def _length(w: Tensor, axis: int | tuple[int, ...]) -> Tensor:
    return ops.sqrt(ops.sum(ops.square(w), axis=axis, keepdims=True))


class MaxNorm(Constraint):
    """Vectors along `axis` are at most `max_value` long."""

    def __init__(self, max_value: float = 2, axis: int | tuple[int, ...] = 0) -> None:
        check_numbers(self, "[0, inf]", max_value=max_value)
        check_axis(self, axis)
        self.max_value, self.axis = max_value, axis

    def __call__(self, w: Any) -> Tensor:
        """The projection."""
        w = as_tensor(w)
        length = _length(w, self.axis)
        return w * (ops.clip(length, 0.0, self.max_value) / (length + EPSILON))


class MinMaxNorm(Constraint):
    """Vectors along `axis` are drawn by `rate` to a length between min_value and max_value."""

    def __init__(
        self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: int | tuple[int, ...] = 0
    ) -> None:
        check_numbers(self, "[0, inf]", min_value=min_value, max_value=max_value)
        check_numbers(self, "[0, 1]", rate=rate)
        check_axis(self, axis)
        self.min_value, self.max_value, self.rate, self.axis = min_value, max_value, rate, axis

    def __call__(self, w: Any) -> Tensor:
        """The projection."""
        w = as_tensor(w)
        length = _length(w, self.axis)
        wanted = self.rate * ops.clip(length, self.min_value, self.max_value) + (1 - self.rate) * length
        return w * (wanted / (length + EPSILON))


class NonNeg(Constraint):
    """Nothing is negative."""

    def __call__(self, w: Any) -> Tensor:
        """The projection."""
        return ops.maximum(w, 0.0)


class UnitNorm(Constraint):
    """Vectors along `axis` have length 1."""

    def __init__(self, axis: int | tuple[int, ...] = 0) -> None:
        check_axis(self, axis)
        self.axis = axis

    def __call__(self, w: Any) -> Tensor:
        """The projection."""
        w = as_tensor(w)
        return w / (_length(w, self.axis) + EPSILON)


def get(identifier: Any) -> Any:
    """The constraint that a name, a config, a class or a function stands for; None stays.

    >>> get("max_norm").max_value
    2
    """
    return get_object("constraint", identifier)


def serialize(constraint: Constraint) -> dict[str, Any]:
    """A constraint as Keras 3's serialized form."""
    return serialize_keras_object(constraint)


def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
    """The constraint of a serialized form or name."""
    return _deserialize(config, custom_objects, kind="constraint")


# Keras' names in lower case, used as functions: `constraints.max_norm(3)`.
max_norm, min_max_norm, non_neg, unit_norm = MaxNorm, MinMaxNorm, NonNeg, UnitNorm
