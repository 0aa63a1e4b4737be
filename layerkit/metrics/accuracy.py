"""How often predictions are right."""

from __future__ import annotations

from typing import Any

from layerkit import ops
from layerkit.checks import check_integers, check_numbers
from layerkit.dtypes import floatx
from layerkit.graph import Tensor, as_tensor
from layerkit.losses.loss import matched, squeeze_or_expand_to_same_rank
from layerkit.metrics.reduction import MeanMetricWrapper
from layerkit.registry import register_function


@register_function("metric function")
def accuracy(y_true: Any, y_pred: Any) -> Tensor:
    """1 where label and prediction are equal, else 0."""
    y_pred = as_tensor(y_pred)
    y_true, y_pred = squeeze_or_expand_to_same_rank(ops.cast(as_tensor(y_true), y_pred.dtype), y_pred)
    return ops.cast(y_true == y_pred, floatx())


class Accuracy(MeanMetricWrapper):
    """How often predictions equal labels.

    Example:
        >>> round(Accuracy()([1, 2, 3, 4], [1, 2, 3, 0]).item(), 3)
        0.75
    """

    _direction = "up"

    def __init__(self, name: str | None = "accuracy", dtype: Any = None):
        super().__init__(accuracy, name=name, dtype=dtype)


@register_function("metric function")
def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Tensor:
    """1 where a label of 0 or 1 is on the side of the threshold that the prediction is on, else 0."""
    y_true, y_pred = matched(y_true, y_pred)
    return ops.cast(y_true == ops.cast(y_pred > threshold, y_true.dtype), floatx())


class BinaryAccuracy(MeanMetricWrapper):
    """How often predictions are on the right side of a threshold.

    Example:
        >>> round(BinaryAccuracy()([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9]).item(), 3)
        0.5
    """

    _direction = "up"

    def __init__(self, name: str | None = "binary_accuracy", dtype: Any = None, threshold: float = 0.5):
        check_numbers(self, "[-inf, inf]", threshold=threshold)
        super().__init__(binary_accuracy, name=name, dtype=dtype, threshold=threshold)
        self.threshold = threshold


@register_function("metric function")
def categorical_accuracy(y_true: Any, y_pred: Any) -> Tensor:
    """1 where the largest of one-hot targets and the largest of predictions [..., classes] are the same class."""
    y_true, y_pred = matched(y_true, y_pred)
    return ops.cast(ops.argmax(y_true, axis=-1) == ops.argmax(y_pred, axis=-1), floatx())


class CategoricalAccuracy(MeanMetricWrapper):
    """How often the class of the largest prediction is that of the one-hot target.

    Example:
        >>> round(CategoricalAccuracy()([[0, 1], [1, 0]], [[0.2, 0.8], [0.4, 0.6]]).item(), 3)
        0.5
    """

    _direction = "up"

    def __init__(self, name: str | None = "categorical_accuracy", dtype: Any = None):
        super().__init__(categorical_accuracy, name=name, dtype=dtype)


def _labels(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Class numbers without a last axis of size 1 that the predictions' classes stand in."""
    if y_true.ndim == y_pred.ndim and y_true.shape[-1] == 1:
        y_true = ops.squeeze(y_true, -1)
    return ops.cast(y_true, "int32")


@register_function("metric function")
def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Tensor:
    """1 where the largest of predictions [..., classes] is the class whose number [...] or [..., 1] is given."""
    y_true, y_pred = as_tensor(y_true), as_tensor(y_pred)
    return ops.cast(_labels(y_true, y_pred) == ops.argmax(y_pred, axis=-1), floatx())


class SparseCategoricalAccuracy(MeanMetricWrapper):
    """How often the largest prediction is that of the class given by its number.

    Example:
        >>> round(SparseCategoricalAccuracy()([1, 0], [[0.2, 0.8], [0.4, 0.6]]).item(), 3)
        0.5
    """

    _direction = "up"

    def __init__(self, name: str | None = "sparse_categorical_accuracy", dtype: Any = None):
        super().__init__(sparse_categorical_accuracy, name=name, dtype=dtype)


@register_function("metric function")
def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Tensor:
    """1 where the class of the one-hot target is among the k largest predictions; equal ones count as larger."""
    return sparse_top_k_categorical_accuracy(ops.argmax(as_tensor(y_true), axis=-1), y_pred, k)


class TopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the class of the one-hot target is among the k largest predictions.

    Example:
        >>> round(TopKCategoricalAccuracy(k=2)([[0, 0, 1], [1, 0, 0]], [[0.1, 0.6, 0.3], [0.1, 0.6, 0.3]]).item(), 3)
        0.5
    """

    _direction = "up"

    def __init__(self, k: int = 5, name: str | None = "top_k_categorical_accuracy", dtype: Any = None):
        super().__init__(top_k_categorical_accuracy, name=name, dtype=dtype, k=k)
        check_integers(self, 1, k=k)
        self.k = k


@register_function("metric function")
def sparse_top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False) -> Tensor:
    """1 where the class whose number is given is among the k largest predictions [..., classes].

    Args:
        y_true: class numbers [...] or [..., 1].
        y_pred: scores of classes, or with `from_sorted_ids` numbers of classes, the likeliest first.
        k: how many predictions count.
        from_sorted_ids: what y_pred holds.
    """
    y_true, y_pred = as_tensor(y_true), as_tensor(y_pred)
    labels = ops.expand_dims(_labels(y_true, y_pred), -1)
    if from_sorted_ids:
        hit = ops.any(ops.cast(y_pred, "int32")[..., :k] == labels, axis=-1)
    else:
        own = ops.one_hot(labels[..., 0], y_pred.shape[-1], dtype="bool")
        score = ops.sum(ops.where(own, y_pred, 0.0), axis=-1, keepdims=True)
        larger = ops.sum(ops.cast(y_pred > score, "int32"), axis=-1)
        hit = ops.logical_and(larger < k, ops.isfinite(score[..., 0]))
    return ops.cast(hit, floatx())


class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the class given by its number is among the k largest predictions.

    Example:
        >>> round(SparseTopKCategoricalAccuracy(k=2)([2, 0], [[0.1, 0.6, 0.3], [0.1, 0.6, 0.3]]).item(), 3)
        0.5
    """

    _direction = "up"

    def __init__(
        self,
        k: int = 5,
        name: str | None = "sparse_top_k_categorical_accuracy",
        dtype: Any = None,
        from_sorted_ids: bool = False,
    ):
        super().__init__(
            sparse_top_k_categorical_accuracy, name=name, dtype=dtype, k=k, from_sorted_ids=from_sorted_ids
        )
        check_integers(self, 1, k=k)
        self.k = k
        self.from_sorted_ids = from_sorted_ids

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments; Keras names `from_sorted_ids` only where it is set."""
        config = super().get_config()
        if not self.from_sorted_ids:
            config.pop("from_sorted_ids")
        return config
