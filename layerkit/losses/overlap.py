"""Losses of overlaps, as between the segments of images."""

from __future__ import annotations

from collections.abc import Sequence

from layerkit import ops
from layerkit.checks import check_axis, check_numbers
from layerkit.config import epsilon
from layerkit.graph import Tensor
from layerkit.losses.loss import LossFunctionWrapper, matched
from layerkit.registry import register_function


def _axes(axis: int | Sequence[int] | None) -> int | tuple[int, ...] | None:
    """Axes as operations take them: a configuration that was read has a list."""
    return axis if axis is None or isinstance(axis, int) else tuple(axis)


@register_function("loss function")
def dice(y_true: object, y_pred: object, axis: int | Sequence[int] | None = None) -> Tensor:
    """1 - 2 * sum(y_true * y_pred) / (sum(y_true) + sum(y_pred)), the sums over some axes.

    Args:
        y_true: memberships from 0 to 1.
        y_pred: predicted ones, of the same shape.
        axis: what the sums run over; None: all axes, so that the whole batch has one value.

    Raises:
        ShapeError: the shapes differ.

    >>> round(dice([1.0, 1.0, 0.0], [1.0, 0.0, 0.0]).item(), 3)
    0.333
    """
    y_true, y_pred = matched(y_true, y_pred)
    axis = _axes(axis)
    both = ops.sum(y_true * y_pred, axis=axis)
    return 1.0 - 2.0 * both / (ops.sum(y_true, axis=axis) + ops.sum(y_pred, axis=axis) + epsilon())


class Dice(LossFunctionWrapper):
    """1 minus twice the overlap over the sum of both sizes.

    Args:
        reduction, name, dtype: as of `Loss`.
        axis: what the sums run over; None: all axes, so that the whole batch has one value.

    Example:
        >>> round(Dice()([[1.0, 1.0, 0.0]], [[1.0, 0.0, 0.0]]).item(), 3)
        0.333
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "dice",
        axis: int | Sequence[int] | None = None,
        dtype: object = None,
    ):
        super().__init__(dice, reduction=reduction, name=name, dtype=dtype, axis=axis)
        check_axis(self, axis)
        self.axis = axis


@register_function("loss function")
def tversky(
    y_true: object,
    y_pred: object,
    alpha: float = 0.5,
    beta: float = 0.5,
    axis: int | Sequence[int] | None = None,
) -> Tensor:
    """1 - both / (both + alpha * only_true + beta * only_pred) (Salehi et al., https://arxiv.org/abs/1706.05721).

    Keras calls `alpha` the weight of false positives, but what it weighs, there and here, is what y_true alone has.

    Args:
        y_true: memberships from 0 to 1.
        y_pred: predicted ones, of the same shape.
        alpha: the weight of what is in y_true and not in y_pred.
        beta: the weight of what is in y_pred and not in y_true.
        axis: what the sums run over; None: all axes, so that the whole batch has one value.

    Raises:
        ShapeError: the shapes differ.

    >>> round(tversky([1.0, 1.0, 0.0], [1.0, 0.0, 0.0], alpha=1.0, beta=0.0).item(), 3)
    0.5
    """
    y_true, y_pred = matched(y_true, y_pred)
    axis = _axes(axis)
    both = ops.sum(y_true * y_pred, axis=axis)
    only_true = ops.sum(y_true * (1.0 - y_pred), axis=axis)
    only_pred = ops.sum(y_pred * (1.0 - y_true), axis=axis)
    return 1.0 - both / (both + alpha * only_true + beta * only_pred + epsilon())


class Tversky(LossFunctionWrapper):
    """1 minus the overlap over itself and the weighted rests; `Dice` where both weights are 0.5.

    Args:
        alpha: the weight of what is in y_true and not in y_pred.
        beta: the weight of what is in y_pred and not in y_true.
        reduction, name, dtype: as of `Loss`.
        axis: what the sums run over; None: all axes, so that the whole batch has one value.

    Example:
        >>> round(Tversky(alpha=1.0, beta=0.0)([[1.0, 1.0, 0.0]], [[1.0, 0.0, 0.0]]).item(), 3)
        0.5
    """

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "tversky",
        axis: int | Sequence[int] | None = None,
        dtype: object = None,
    ):
        super().__init__(tversky, reduction=reduction, name=name, dtype=dtype, alpha=alpha, beta=beta, axis=axis)
        check_numbers(self, "(-inf, inf)", alpha=alpha, beta=beta)
        self.alpha = alpha
        self.beta = beta
        check_axis(self, axis)
        self.axis = axis
