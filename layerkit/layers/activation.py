"""Activations with parameters, as layers."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from layerkit import activations, constraints, initializers, ops, regularizers
from layerkit.checks import check_axis, check_numbers
from layerkit.errors import ShapeError
from layerkit.graph.tensor import Tensor
from layerkit.layers.input_spec import InputSpec
from layerkit.layers.layer import Layer

__all__ = ["ELU", "LeakyReLU", "PReLU", "ReLU", "Softmax"]

MASKED = -1e9
"""What masked elements are before a softmax: exp of it is 0."""


class ReLU(Layer):
    """x where above the threshold (at most max_value), `negative_slope * (x - threshold)` elsewhere.

    >>> ReLU(max_value=1.5)(np.array([[-1.0, 1.0, 2.0]])).tolist()
    [[0.0, 1.0, 1.5]]
    """

    def __init__(
        self, max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        check_numbers(self, "[0, inf]", optional=True, max_value=max_value)
        check_numbers(self, "[0, inf]", negative_slope=negative_slope, threshold=threshold)
        self.max_value, self.negative_slope, self.threshold = max_value, negative_slope, threshold
        self.supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        """Apply it."""
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)


class LeakyReLU(Layer):
    """x where positive, `negative_slope * x` elsewhere.

    >>> LeakyReLU(negative_slope=0.5)(np.array([[-1.0, 2.0]])).tolist()
    [[-0.5, 2.0]]
    """

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        if "alpha" in kwargs:
            negative_slope = kwargs.pop("alpha")
            warnings.warn("Argument `alpha` is deprecated. Use `negative_slope` instead.", stacklevel=3)
        super().__init__(**kwargs)
        check_numbers(self, "[0, inf]", negative_slope=negative_slope)
        self.negative_slope = negative_slope
        self.supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        """Apply it."""
        return activations.leaky_relu(inputs, negative_slope=self.negative_slope)


class ELU(Layer):
    """x where positive, `alpha * (exp(x) - 1)` elsewhere.

    >>> ELU()(np.array([[-1.0, 2.0]])).numpy().round(3)
    array([[-0.632,  2.   ]], dtype=float32)
    """

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_numbers(self, "(-inf, inf)", alpha=alpha)
        self.alpha = alpha
        self.supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        """Apply it."""
        return activations.elu(inputs, alpha=self.alpha)


class PReLU(Layer):
    """x where positive, `alpha * x` elsewhere; alpha is learnt, one for each place of an entry.

    Args:
        alpha_initializer, alpha_regularizer, alpha_constraint: of alpha.
        shared_axes: axes along which one alpha serves all, counted from 1.

    >>> PReLU(alpha_initializer="ones")(np.array([[-1.0, 2.0]])).tolist()
    [[-1.0, 2.0]]
    """

    def __init__(
        self,
        alpha_initializer: Any = "Zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: int | Sequence[int] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        if shared_axes is not None:
            shared_axes = list(shared_axes) if isinstance(shared_axes, list | tuple) else [shared_axes]
        self.shared_axes = shared_axes
        self.supports_masking = True

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make alpha."""
        shared = self.shared_axes or []
        if any(not 0 < axis < len(input_shape) for axis in shared):
            raise ShapeError(
                f"PReLU {self.name!r}: `shared_axes` counts the axes of an entry from 1: expected from 1 to "
                f"{len(input_shape) - 1} for input shape {input_shape}, got shared_axes={shared}."
            )
        shape = tuple(1 if axis in shared else size for axis, size in enumerate(input_shape[1:], 1))
        self.alpha = self.add_weight(
            shape=shape,
            initializer=self.alpha_initializer,
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
            name="alpha",
        )
        axes = {axis: size for axis, size in enumerate(input_shape[1:], 1) if shared and axis not in shared}
        self.input_spec = InputSpec(ndim=len(input_shape), axes=axes)

    def call(self, inputs: Tensor) -> Tensor:
        """Apply it."""
        return ops.relu(inputs) - self.alpha * ops.relu(-inputs)


class Softmax(Layer):
    """exp(x) over its sum along an axis (or axes); masked elements get 0.

    >>> Softmax()(np.array([[1.0, 1.0]])).tolist()
    [[0.5, 0.5]]
    """

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_axis(self, axis)
        self.axis = axis
        self.supports_masking = True

    def call(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        """Apply it."""
        axis = tuple(self.axis) if isinstance(self.axis, list | tuple) else self.axis
        if mask is None:
            return activations.softmax(inputs, axis=axis)
        mask = ops.cast(mask, "bool") if mask.dtype == "bool" else mask > 0.5
        return ops.where(mask, activations.softmax(ops.where(mask, inputs, MASKED), axis=axis), 0)
