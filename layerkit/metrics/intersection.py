"""Intersections over unions of classes, as of the segments of images."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from layerkit import ops
from layerkit.checks import check_integers, check_numbers, standardize_sizes, wrong_argument
from layerkit.config import epsilon
from layerkit.dtypes import is_float
from layerkit.errors import ShapeError
from layerkit.graph import Tensor, as_tensor
from layerkit.losses.loss import same_shape, squeeze_or_expand_to_same_rank
from layerkit.metrics.confusion import weight_like
from layerkit.metrics.metric import Metric


class IoU(Metric):
    """The mean, over some classes, of the elements that both say are of the class over those that either does.

    Args:
        num_classes: how many classes there are; other class numbers are left out.
        target_class_ids: the classes that count.
        name: as of `Metric`.
        dtype: of the counts; whole numbers ("int32") where None, which weights that are not whole need as a float.
        ignore_class: targets of this class are left out.
        sparse_y_true: whether targets are class numbers; else the largest along `axis` is the class.
        sparse_y_pred: whether predictions are.
        axis: where the classes are.

    Raises:
        ValueError: a target class is not below `num_classes`.

    Example:
        >>> round(IoU(num_classes=2, target_class_ids=[0])([0, 0, 1, 1], [0, 1, 0, 1]).item(), 3)
        0.333
    """

    _direction = "up"

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ):
        super().__init__(name=name, dtype=dtype or "int32")
        check_integers(self, 1, num_classes=num_classes)
        check_integers(self, -math.inf, axis=axis)
        check_integers(self, -math.inf, optional=True, ignore_class=ignore_class)
        standardize_sizes(self, "target_class_ids", target_class_ids, None, least=0)
        if max(target_class_ids, default=0) >= num_classes:
            raise wrong_argument(
                self, "target_class_ids", target_class_ids, f"from 0 to num_classes - 1 = {num_classes - 1}"
            )
        self.num_classes = num_classes
        self.target_class_ids = list(target_class_ids)
        self.ignore_class = ignore_class
        self.sparse_y_true = sparse_y_true
        self.sparse_y_pred = sparse_y_pred
        self.axis = axis
        self.total_cm = self.add_variable((num_classes, num_classes), dtype=self.dtype, name="total_confusion_matrix")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count a batch.

        Args:
            y_true: class numbers [batch, ...], or memberships with an axis of classes.
            y_pred: likewise.
            sample_weight: weights [batch], or one for each element.

        Raises:
            ShapeError: there are not as many class numbers in the one as in the other.
        """
        y_true, y_pred = as_tensor(y_true), as_tensor(y_pred)
        if not self.sparse_y_true:
            y_true = ops.argmax(y_true, axis=self.axis)
        if not self.sparse_y_pred:
            y_pred = ops.argmax(y_pred, axis=self.axis)
        self._count(ops.cast(y_true, "int32"), ops.cast(y_pred, "int32"), sample_weight)

    def _count(self, y_true: Tensor, y_pred: Tensor, sample_weight: Any) -> None:
        y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
        if not same_shape(y_true.shape, y_pred.shape):
            raise ShapeError(
                f"{type(self).__name__} expects as many targets as predictions, but the classes of the targets have "
                f"shape {y_true.shape} and those of the predictions {y_pred.shape}."
            )
        counted = ops.logical_and(self._is_class(y_true), self._is_class(y_pred))
        if self.ignore_class is not None:
            counted = ops.logical_and(counted, y_true != self.ignore_class)
        hits = ops.cast(counted, self.dtype)
        if sample_weight is not None:
            hits = hits * weight_like(self._weight(sample_weight), hits)
        places = ops.where(counted, y_true * self.num_classes + y_pred, 0)
        cells = ops.segment_sum(ops.reshape(hits, (-1,)), ops.reshape(places, (-1,)), self.num_classes**2)
        self.total_cm.assign_add(ops.reshape(cells, (self.num_classes, self.num_classes)))

    def _is_class(self, x: Tensor) -> Tensor:
        return ops.logical_and(x >= 0, x < self.num_classes)

    def _weight(self, sample_weight: Any) -> Tensor:
        weight = as_tensor(sample_weight)
        if is_float(weight.dtype) and not is_float(self.dtype):
            warnings.warn(
                f"{self.name} counts in {self.dtype}, so the fractions of its sample weights are dropped: give it "
                "dtype='float32', or whole weights.",
                stacklevel=6,
            )
        return weight

    def result(self) -> Tensor:
        """The mean over the target classes that occur; 0 where none does."""
        matrix = self.total_cm.value
        both = ops.diagonal(matrix)
        either = ops.sum(matrix, axis=0) + ops.sum(matrix, axis=1) - both
        targets = as_tensor(np.asarray(self.target_class_ids, "int32"))
        both, either = (ops.cast(ops.take(counts, targets), "float32") for counts in (both, either))
        occurs = either > 1e-9
        shares = ops.where(occurs, both / (either + epsilon()), 0.0)
        return ops.sum(shares) / (ops.sum(ops.cast(occurs, "float32")) + epsilon())


class BinaryIoU(IoU):
    """The intersection over union of two classes, of which the second is where a score reaches a threshold.

    Args:
        target_class_ids: which of the classes 0 and 1 count.
        threshold: a score of at least this is of class 1.
        name, dtype: as of `IoU`.

    Example:
        >>> round(BinaryIoU(threshold=0.3)([0, 1, 0, 1], [0.1, 0.2, 0.4, 0.7]).item(), 3)
        0.333
    """

    def __init__(
        self,
        target_class_ids: Sequence[int] = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(2, target_class_ids, name, dtype)
        check_numbers(self, "[-inf, inf]", threshold=threshold)
        self.threshold = threshold

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count a batch.

        Args:
            y_true: classes 0 or 1 [batch, ...].
            y_pred: scores of the same shape.
            sample_weight: weights [batch], or one for each element.
        """
        said = ops.cast(ops.cast(as_tensor(y_pred), "float32") >= self.threshold, "int32")
        self._count(ops.cast(as_tensor(y_true), "int32"), said, sample_weight)


class MeanIoU(IoU):
    """The mean of the intersections over unions of all classes.

    Args:
        num_classes: how many classes there are; other class numbers are left out.
        name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis: as of `IoU`.

    Example:
        >>> round(MeanIoU(num_classes=2)([0, 0, 1, 1], [0, 1, 0, 1]).item(), 3)
        0.333
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ):
        targets = range(num_classes)
        super().__init__(num_classes, targets, name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)


class OneHotIoU(IoU):
    """`IoU` of one-hot targets, and of scores of classes.

    Args:
        num_classes, target_class_ids, name, dtype, ignore_class: as of `IoU`.
        sparse_y_pred: whether predictions are class numbers.
        axis: where the classes are.

    Example:
        >>> metric = OneHotIoU(num_classes=2, target_class_ids=[1])
        >>> round(metric([[1, 0], [0, 1], [0, 1]], [[0.2, 0.8], [0.4, 0.6], [0.7, 0.3]]).item(), 3)
        0.333
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ):
        super().__init__(num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis)


class OneHotMeanIoU(MeanIoU):
    """`MeanIoU` of one-hot targets, and of scores of classes.

    Args:
        num_classes, name, dtype, ignore_class: as of `MeanIoU`.
        sparse_y_pred: whether predictions are class numbers.
        axis: where the classes are.

    Example:
        >>> metric = OneHotMeanIoU(num_classes=2)
        >>> round(metric([[1, 0], [0, 1], [0, 1]], [[0.2, 0.8], [0.4, 0.6], [0.7, 0.3]]).item(), 3)
        0.167
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ):
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)
