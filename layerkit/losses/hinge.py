"""Losses of margins."""

from __future__ import annotations

from layerkit import ops
from layerkit.graph import Tensor
from layerkit.losses.loss import LossFunctionWrapper, matched
from layerkit.registry import register_function


def _signs(y_true: Tensor) -> Tensor:
    """Labels of -1 and 1; where all are 0 or 1 those are converted."""
    binary = ops.all(ops.logical_or(y_true == 0, y_true == 1))
    return ops.where(binary, 2.0 * y_true - 1.0, y_true)


@register_function("loss function")
def hinge(y_true: object, y_pred: object) -> Tensor:
    """The mean of max(1 - y_true * y_pred, 0) over the last axis; labels are -1 or 1 (or 0 or 1).

    >>> hinge([[1.0, 0.0]], [[0.5, -2.0]]).tolist()
    [0.25]
    """
    y_true, y_pred = matched(y_true, y_pred)
    return ops.mean(ops.maximum(1.0 - _signs(y_true) * y_pred, 0.0), axis=-1)


class Hinge(LossFunctionWrapper):
    """The mean of max(1 - y_true * y_pred, 0); labels are -1 or 1 (or 0 or 1).

    Example:
        >>> round(Hinge()([[1.0, -1.0]], [[0.5, -2.0]]).item(), 3)
        0.25
    """

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str | None = "hinge", dtype: object = None):
        super().__init__(hinge, reduction=reduction, name=name, dtype=dtype)


@register_function("loss function")
def squared_hinge(y_true: object, y_pred: object) -> Tensor:
    """The mean of max(1 - y_true * y_pred, 0) ** 2 over the last axis; labels are -1 or 1 (or 0 or 1)."""
    y_true, y_pred = matched(y_true, y_pred)
    return ops.mean(ops.square(ops.maximum(1.0 - _signs(y_true) * y_pred, 0.0)), axis=-1)


class SquaredHinge(LossFunctionWrapper):
    """The mean of max(1 - y_true * y_pred, 0) ** 2; labels are -1 or 1 (or 0 or 1).

    Example:
        >>> round(SquaredHinge()([[1.0, -1.0]], [[0.5, -2.0]]).item(), 3)
        0.125
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "squared_hinge", dtype: object = None
    ):
        super().__init__(squared_hinge, reduction=reduction, name=name, dtype=dtype)


@register_function("loss function")
def categorical_hinge(y_true: object, y_pred: object) -> Tensor:
    """max(largest wrong score - right score + 1, 0) along the last axis; targets are one-hot."""
    y_true, y_pred = matched(y_true, y_pred)
    right = ops.sum(y_true * y_pred, axis=-1)
    wrong = ops.max((1.0 - y_true) * y_pred, axis=-1)
    return ops.maximum(wrong - right + 1.0, 0.0)


class CategoricalHinge(LossFunctionWrapper):
    """max(largest wrong score - right score + 1, 0); targets are one-hot.

    Example:
        >>> round(CategoricalHinge()([[0.0, 1.0]], [[0.25, 0.75]]).item(), 3)
        0.5
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_hinge",
        dtype: object = None,
    ):
        super().__init__(categorical_hinge, reduction=reduction, name=name, dtype=dtype)
