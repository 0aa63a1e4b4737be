"""Losses of real numbers: squared, absolute and relative errors, and directions."""

from __future__ import annotations

import math

from layerkit import ops
from layerkit.checks import check_axis, check_numbers
from layerkit.config import epsilon
from layerkit.graph import Tensor
from layerkit.losses.loss import LossFunctionWrapper, matched
from layerkit.registry import register_function


@register_function("loss function", "mse", "MSE")
def mean_squared_error(y_true: object, y_pred: object) -> Tensor:
    """The mean of (y_true - y_pred) ** 2 over the last axis.

    >>> mean_squared_error([[0.0, 0.0]], [[1.0, 3.0]]).tolist()
    [5.0]
    """
    y_true, y_pred = matched(y_true, y_pred)
    return ops.mean(ops.square(y_true - y_pred), axis=-1)


class MeanSquaredError(LossFunctionWrapper):
    """The mean of (y_true - y_pred) ** 2.

    Example:
        >>> round(MeanSquaredError()([[1.0, 2.0]], [[2.0, 4.0]]).item(), 3)
        2.5
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_error",
        dtype: object = None,
    ):
        super().__init__(mean_squared_error, reduction=reduction, name=name, dtype=dtype)


@register_function("loss function", "mae", "MAE")
def mean_absolute_error(y_true: object, y_pred: object) -> Tensor:
    """The mean of |y_true - y_pred| over the last axis."""
    y_true, y_pred = matched(y_true, y_pred)
    return ops.mean(ops.absolute(y_true - y_pred), axis=-1)


class MeanAbsoluteError(LossFunctionWrapper):
    """The mean of |y_true - y_pred|.

    Example:
        >>> round(MeanAbsoluteError()([[1.0, 2.0]], [[2.0, 4.0]]).item(), 3)
        1.5
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_error",
        dtype: object = None,
    ):
        super().__init__(mean_absolute_error, reduction=reduction, name=name, dtype=dtype)


@register_function("loss function", "mape", "MAPE")
def mean_absolute_percentage_error(y_true: object, y_pred: object) -> Tensor:
    """100 times the mean of |y_true - y_pred| / |y_true| over the last axis; a target near 0 counts as 1e-7."""
    y_true, y_pred = matched(y_true, y_pred)
    return 100.0 * ops.mean(ops.absolute((y_true - y_pred) / ops.maximum(ops.absolute(y_true), epsilon())), axis=-1)


class MeanAbsolutePercentageError(LossFunctionWrapper):
    """100 times the mean of |y_true - y_pred| / |y_true|.

    Example:
        >>> round(MeanAbsolutePercentageError()([[1.0, 2.0]], [[2.0, 4.0]]).item(), 3)
        100.0
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_percentage_error",
        dtype: object = None,
    ):
        super().__init__(mean_absolute_percentage_error, reduction=reduction, name=name, dtype=dtype)


@register_function("loss function", "msle", "MSLE")
def mean_squared_logarithmic_error(y_true: object, y_pred: object) -> Tensor:
    """The mean of (log(y_true + 1) - log(y_pred + 1)) ** 2 over the last axis; negative values count as 1e-7."""
    y_true, y_pred = matched(y_true, y_pred)
    difference = ops.log(ops.maximum(y_pred, epsilon()) + 1.0) - ops.log(ops.maximum(y_true, epsilon()) + 1.0)
    return ops.mean(ops.square(difference), axis=-1)


class MeanSquaredLogarithmicError(LossFunctionWrapper):
    """The mean of (log(y_true + 1) - log(y_pred + 1)) ** 2.

    Example:
        >>> round(MeanSquaredLogarithmicError()([[1.0, 2.0]], [[2.0, 4.0]]).item(), 3)
        0.213
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_logarithmic_error",
        dtype: object = None,
    ):
        super().__init__(mean_squared_logarithmic_error, reduction=reduction, name=name, dtype=dtype)


@register_function("loss function", "huber_loss")
def huber(y_true: object, y_pred: object, delta: float = 1.0) -> Tensor:
    """The mean over the last axis of half the squared error, and linear where the error is over `delta`."""
    y_true, y_pred = matched(y_true, y_pred)
    error = y_pred - y_true
    size = ops.absolute(error)
    linear = delta * size - 0.5 * delta * delta
    return ops.mean(ops.where(size <= delta, 0.5 * ops.square(error), linear), axis=-1)


class Huber(LossFunctionWrapper):
    """Half the squared error, and linear where the error is over `delta`.

    Example:
        >>> round(Huber()([[1.0, 2.0]], [[2.0, 4.0]]).item(), 3)
        1.0
    """

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "huber_loss",
        dtype: object = None,
    ):
        super().__init__(huber, reduction=reduction, name=name, dtype=dtype, delta=delta)
        check_numbers(self, "(0, inf]", delta=delta)
        self.delta = delta


@register_function("loss function", "logcosh")
def log_cosh(y_true: object, y_pred: object) -> Tensor:
    """The mean of log(cosh(y_pred - y_true)) over the last axis."""
    y_true, y_pred = matched(y_true, y_pred)
    error = y_pred - y_true
    return ops.mean(error + ops.softplus(error * -2.0) - math.log(2.0), axis=-1)


class LogCosh(LossFunctionWrapper):
    """The mean of log(cosh(y_pred - y_true)).

    Example:
        >>> round(LogCosh()([[1.0, 2.0]], [[2.0, 4.0]]).item(), 3)
        0.879
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "log_cosh", dtype: object = None
    ):
        super().__init__(log_cosh, reduction=reduction, name=name, dtype=dtype)


@register_function("loss function")
def cosine_similarity(y_true: object, y_pred: object, axis: int = -1) -> Tensor:
    """Minus the cosine of the angle between targets and predictions along an axis: -1 where they agree."""
    y_true, y_pred = matched(y_true, y_pred)
    return -ops.sum(unit_length(y_true, axis) * unit_length(y_pred, axis), axis=axis)


def unit_length(x: Tensor, axis: int) -> Tensor:
    """Vectors along an axis scaled to length 1; those shorter than 1e-7 stay short."""
    return x * ops.rsqrt(ops.maximum(ops.sum(ops.square(x), axis=axis, keepdims=True), epsilon() ** 2))


class CosineSimilarity(LossFunctionWrapper):
    """Minus the cosine of the angle between targets and predictions.

    Example:
        >>> round(CosineSimilarity()([[1.0, 0.0]], [[0.6, 0.8]]).item(), 3)
        -0.6
    """

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "cosine_similarity",
        dtype: object = None,
    ):
        super().__init__(cosine_similarity, reduction=reduction, name=name, dtype=dtype, axis=axis)
        check_axis(self, axis)
        self.axis = axis


@register_function("loss function")
def poisson(y_true: object, y_pred: object) -> Tensor:
    """The mean of y_pred - y_true * log(y_pred) over the last axis: for counts."""
    y_true, y_pred = matched(y_true, y_pred)
    return ops.mean(y_pred - y_true * ops.log(y_pred + epsilon()), axis=-1)


class Poisson(LossFunctionWrapper):
    """The mean of y_pred - y_true * log(y_pred): for counts.

    Example:
        >>> round(Poisson()([[1.0, 2.0]], [[2.0, 4.0]]).item(), 3)
        1.267
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "poisson", dtype: object = None
    ):
        super().__init__(poisson, reduction=reduction, name=name, dtype=dtype)
