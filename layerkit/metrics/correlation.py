"""Correlations of targets and predictions."""

from __future__ import annotations

from typing import Any

from layerkit import ops
from layerkit.checks import check_axis
from layerkit.config import epsilon
from layerkit.graph import Tensor
from layerkit.losses.loss import matched
from layerkit.metrics.reduction import MeanMetricWrapper
from layerkit.registry import register_function


def _centred(x: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """The mean along an axis, and the differences from it."""
    mean = ops.mean(x, axis=axis, keepdims=True)
    return mean, x - mean


@register_function("metric function")
def pearson_correlation(y_true: object, y_pred: object, axis: int = -1) -> Tensor:
    """The Pearson correlation along an axis, from -1 to 1; NaN where one of the two does not vary.

    >>> pearson_correlation([[0.0, 1.0, 0.5]], [[0.1, 0.9, 0.3]]).numpy().round(3)
    array([0.961], dtype=float32)
    """
    y_true, y_pred = matched(y_true, y_pred)
    _, t = _centred(y_true, axis)
    _, p = _centred(y_pred, axis)
    lengths = ops.sqrt(ops.mean(t * t, axis=axis)) * ops.sqrt(ops.mean(p * p, axis=axis))
    return ops.mean(t * p, axis=axis) / lengths


@register_function("metric function")
def concordance_correlation(y_true: object, y_pred: object, axis: int = -1) -> Tensor:
    """Lin's concordance correlation along an axis: 1 only where targets and predictions are equal.

    >>> concordance_correlation([[0.0, 1.0, 0.5]], [[0.1, 0.9, 0.3]]).numpy().round(3)
    array([0.93], dtype=float32)
    """
    y_true, y_pred = matched(y_true, y_pred)
    true_mean, t = _centred(y_true, axis)
    pred_mean, p = _centred(y_pred, axis)
    apart = ops.squeeze(ops.square(true_mean - pred_mean), axis)
    spread = ops.mean(t * t, axis=axis) + ops.mean(p * p, axis=axis) + apart
    return 2.0 * ops.mean(t * p, axis=axis) / (spread + epsilon())


class PearsonCorrelation(MeanMetricWrapper):
    """The mean Pearson correlation of each sample's targets and predictions.

    Args:
        name, dtype: as of `Metric`.
        axis: along which they are correlated.

    Example:
        >>> round(PearsonCorrelation()([[0.0, 1.0, 0.5]], [[0.1, 0.9, 0.3]]).item(), 3)
        0.961
    """

    _direction = "up"

    def __init__(self, name: str | None = "pearson_correlation", dtype: Any = None, axis: int = -1):
        super().__init__(pearson_correlation, name=name, dtype=dtype, axis=axis)
        check_axis(self, axis)
        self.axis = axis


class ConcordanceCorrelation(MeanMetricWrapper):
    """The mean concordance correlation of each sample's targets and predictions.

    Args:
        name, dtype: as of `Metric`.
        axis: along which they are correlated.

    Example:
        >>> round(ConcordanceCorrelation()([[0.0, 1.0, 0.5]], [[0.1, 0.9, 0.3]]).item(), 3)
        0.93
    """

    _direction = "up"

    def __init__(self, name: str | None = "concordance_correlation", dtype: Any = None, axis: int = -1):
        super().__init__(concordance_correlation, name=name, dtype=dtype, axis=axis)
        check_axis(self, axis)
        self.axis = axis
