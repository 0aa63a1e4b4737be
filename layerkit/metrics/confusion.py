"""Counts of right and wrong yes-or-no predictions at thresholds, and what is made of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from layerkit import ops
from layerkit.checks import check_choice, check_integers
from layerkit.config import epsilon
from layerkit.errors import ShapeError
from layerkit.graph import Tensor, Variable, as_tensor
from layerkit.losses.loss import divide_no_nan, matched
from layerkit.metrics.metric import Metric

COUNTS = ("true_positives", "false_positives", "true_negatives", "false_negatives")
CURVES = ("ROC", "PR")
SUMMATIONS = ("interpolation", "minoring", "majoring")


def standardize_thresholds(thresholds: float | Sequence[float] | None, default: float = 0.5) -> list[float]:
    """Thresholds as a list. Raises ValueError for one that is not between 0 and 1."""
    found = [default] if thresholds is None else list(np.ravel(thresholds).astype(float))
    if thresholds is not None and any(not 0 <= threshold <= 1 for threshold in found):
        raise ValueError(f"`thresholds` must lie between 0 and 1, got {thresholds!r}.")
    return found


def confusion_counts(
    y_true: Tensor,
    y_pred: Tensor,
    thresholds: Sequence[float],
    weight: Tensor | None,
    wanted: Sequence[str],
    rows: int = 0,
) -> dict[str, Tensor]:
    """Weighted counts at each threshold.

    Args:
        y_true: labels 0 or 1 [...].
        y_pred: scores of the same shape; one above a threshold says yes.
        thresholds: the thresholds.
        weight: weights of the same shape, or None.
        wanted: which of `COUNTS`.
        rows: with 0 all elements count together; with 1 each label of [batch, labels] by itself.

    Returns:
        Name -> [thresholds], or [thresholds, labels].
    """
    shape = (-1, y_pred.shape[-1]) if rows else (-1,)
    y_true, y_pred = ops.reshape(y_true != 0, shape), ops.reshape(y_pred, shape)
    limits = as_tensor(np.asarray(thresholds, y_pred.dtype).reshape((-1,) + (1,) * y_pred.ndim))
    said_yes = ops.expand_dims(y_pred, 0) > limits
    is_yes = ops.expand_dims(y_true, 0)
    chosen = {
        "true_positives": lambda: ops.logical_and(is_yes, said_yes),
        "false_positives": lambda: ops.logical_and(ops.logical_not(is_yes), said_yes),
        "true_negatives": lambda: ops.logical_and(ops.logical_not(is_yes), ops.logical_not(said_yes)),
        "false_negatives": lambda: ops.logical_and(is_yes, ops.logical_not(said_yes)),
    }
    found = {}
    for name in wanted:
        hits = ops.cast(chosen[name](), y_pred.dtype)
        if weight is not None:
            hits = hits * ops.expand_dims(ops.reshape(weight, shape), 0)
        found[name] = ops.sum(hits, axis=1)
    return found


def batch_counts(
    y_true: Any,
    y_pred: Any,
    sample_weight: Any,
    thresholds: Sequence[float],
    wanted: Sequence[str],
    top_k: int | None = None,
    class_id: int | None = None,
) -> dict[str, Tensor]:
    """The `confusion_counts` [thresholds] of a batch, where only a sample's `top_k` scores or one class may count.

    Raises:
        ShapeError: labels and scores have different shapes, or there is no class `class_id`.
    """
    y_true, y_pred = matched(y_true, y_pred)
    weight = weight_like(sample_weight, y_pred)
    if top_k is not None:
        y_pred = only_top_k(y_pred, top_k)
    if class_id is not None:
        classes = y_pred.shape[-1] if y_pred.ndim else 0
        if not -classes <= class_id < classes:
            raise ShapeError(f"There is no class {class_id}: the predictions have shape {y_pred.shape}.")
        y_true, y_pred = y_true[..., class_id], y_pred[..., class_id]
        weight = None if weight is None else weight[..., class_id]
    return confusion_counts(y_true, y_pred, thresholds, weight, wanted)


def weight_like(sample_weight: Any, y_pred: Tensor) -> Tensor | None:
    """Sample weights with the shape of the predictions: those of samples count for all their elements."""
    if sample_weight is None:
        return None
    weight = ops.cast(as_tensor(sample_weight), y_pred.dtype)
    if weight.ndim > y_pred.ndim:
        weight = ops.reshape(weight, weight.shape[: y_pred.ndim])
    weight = ops.reshape(weight, weight.shape + (1,) * (y_pred.ndim - weight.ndim))
    return ops.broadcast_to(weight, y_pred.shape)


def only_top_k(y_pred: Tensor, k: int) -> Tensor:
    """Scores along the last axis where they are among the k largest (of equal ones the first), else -1e10."""
    a, b = ops.expand_dims(y_pred, -1), ops.expand_dims(y_pred, -2)
    places = np.arange(y_pred.shape[-1])
    earlier = as_tensor(places[:, None] > places[None, :])
    above = ops.logical_or(b > a, ops.logical_and(b == a, earlier))
    return ops.where(ops.sum(ops.cast(above, "int32"), axis=-1) < k, y_pred, -1e10)


class _Counting(Metric):
    """A metric of counts at thresholds, of which a subclass names the wanted ones."""

    _wanted: tuple[str, ...] = ()

    def __init__(
        self,
        thresholds: float | Sequence[float] | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(name=name, dtype=dtype)
        check_integers(self, 1, optional=True, top_k=top_k)
        check_integers(self, 0, optional=True, class_id=class_id)
        self.thresholds = thresholds
        self.top_k = top_k
        self.class_id = class_id
        self._limits = standardize_thresholds(thresholds, -1e10 if top_k is not None else 0.5)
        self._counts: dict[str, Variable] = {}
        for wanted in self._wanted:
            self._counts[wanted] = self.add_variable((len(self._limits),), name=wanted)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count a batch.

        Args:
            y_true: labels 0 or 1 [batch, ...].
            y_pred: scores from 0 to 1 of the same shape.
            sample_weight: weights [batch], or of the same shape.
        """
        counts = batch_counts(y_true, y_pred, sample_weight, self._limits, self._wanted, self.top_k, self.class_id)
        for name, count in counts.items():
            self._counts[name].assign_add(ops.cast(count, self._counts[name].dtype))

    def _per_threshold(self, values: Tensor) -> Tensor:
        return values[0] if len(self._limits) == 1 else values


class Precision(_Counting):
    """The share of right ones among the predictions that say yes.

    Args:
        thresholds: a score above says yes; 0.5 by default. Several give a result each.
        top_k: let only the k largest scores of a sample say yes.
        class_id: look at this class only.
        name, dtype: as of `Metric`.

    Example:
        >>> round(Precision()([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9]).item(), 3)
        0.5
    """

    _direction = "up"
    _wanted = ("true_positives", "false_positives")

    def __init__(
        self,
        thresholds: float | Sequence[float] | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(thresholds, top_k, class_id, name, dtype)

    def result(self) -> Tensor:
        """The share; 0 where nothing says yes."""
        right, wrong = (self._counts[name].value for name in self._wanted)
        return self._per_threshold(divide_no_nan(right, right + wrong))


class Recall(_Counting):
    """The share of the yes labels that the predictions find.

    Args:
        thresholds: a score above says yes; 0.5 by default. Several give a result each.
        top_k: let only the k largest scores of a sample say yes.
        class_id: look at this class only.
        name, dtype: as of `Metric`.

    Example:
        >>> round(Recall()([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9]).item(), 3)
        0.5
    """

    _direction = "up"
    _wanted = ("true_positives", "false_negatives")

    def __init__(
        self,
        thresholds: float | Sequence[float] | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(thresholds, top_k, class_id, name, dtype)

    def result(self) -> Tensor:
        """The share; 0 where there is no yes label."""
        found, missed = (self._counts[name].value for name in self._wanted)
        return self._per_threshold(divide_no_nan(found, found + missed))


class _Count(_Counting):
    """One of the four counts."""

    def __init__(self, thresholds: float | Sequence[float] | None = None, name: str | None = None, dtype: Any = None):
        super().__init__(thresholds, name=name, dtype=dtype)

    def result(self) -> Tensor:
        """The count."""
        return self._per_threshold(self._counts[self._wanted[0]].value)


class TruePositives(_Count):
    """How many yes labels the predictions find.

    Example:
        >>> round(TruePositives()([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9]).item(), 3)
        1.0
    """

    _direction = "up"
    _wanted = ("true_positives",)


class TrueNegatives(_Count):
    """How many no labels the predictions find.

    Example:
        >>> round(TrueNegatives()([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9]).item(), 3)
        1.0
    """

    _direction = "up"
    _wanted = ("true_negatives",)


class FalsePositives(_Count):
    """How many predictions say yes where the label is no.

    Example:
        >>> round(FalsePositives()([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9]).item(), 3)
        1.0
    """

    _direction = "down"
    _wanted = ("false_positives",)


class FalseNegatives(_Count):
    """How many predictions say no where the label is yes.

    Example:
        >>> round(FalseNegatives()([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9]).item(), 3)
        1.0
    """

    _direction = "down"
    _wanted = ("false_negatives",)


class AUC(Metric):
    """The area under the ROC or precision-recall curve, summed over thresholds.

    Args:
        num_thresholds: how many thresholds, evenly from 0 to 1.
        curve: "ROC" or "PR".
        summation_method: "interpolation", "minoring" or "majoring"; for PR the first is that of Davis and Goadrich,
            ICML 2006.
        name, dtype: as of `Metric`.
        thresholds: the thresholds between 0 and 1, in place of their number.
        multi_label: a curve for each label of [batch, labels], of which the mean is taken.
        num_labels: how many labels; by default what the first batch has.
        label_weights: weights of labels.
        from_logits: whether predictions are logits.

    Example:
        >>> round(AUC()([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9]).item(), 3)
        0.75
    """

    _direction = "up"

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Sequence[float] | None = None,
        from_logits: bool = False,
    ):
        super().__init__(name=name, dtype=dtype)
        check_choice(self, CURVES, curve=curve)
        check_choice(self, SUMMATIONS, summation_method=summation_method)
        if thresholds is None:
            check_integers(self, 2, num_thresholds=num_thresholds)
        check_integers(self, 0, optional=True, num_labels=num_labels)
        if num_labels is not None and not multi_label:
            raise ValueError("`num_labels` is needed only with `multi_label=True`.")
        inner = (
            [i / (num_thresholds - 1) for i in range(1, num_thresholds - 1)]
            if thresholds is None
            else sorted(standardize_thresholds(thresholds))
        )
        # The outer ones are beyond all scores, so that the curve reaches its ends.
        self._limits = [-epsilon(), *inner, 1 + epsilon()]
        self.num_thresholds = len(self._limits)
        self.thresholds = None if thresholds is None else inner
        self.curve = curve
        self.summation_method = summation_method
        self.multi_label = multi_label
        self.num_labels = num_labels
        self.label_weights = None if label_weights is None else list(label_weights)
        self.from_logits = from_logits
        self._counts: dict[str, Variable] = {}
        if not multi_label or num_labels:
            self._build(num_labels)

    def _build(self, labels: int | None) -> None:
        shape = (self.num_thresholds, labels) if self.multi_label else (self.num_thresholds,)
        for name in COUNTS:
            self._counts[name] = self.add_variable(shape, name=name)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count a batch.

        Args:
            y_true: labels 0 or 1 [batch, ...].
            y_pred: scores from 0 to 1 (or logits) of the same shape.
            sample_weight: weights [batch], or of the same shape.
        """
        y_true, y_pred = matched(y_true, y_pred)
        if self.multi_label and y_pred.ndim != 2:
            raise ShapeError(
                f"AUC with multi_label=True expects predictions of shape (batch, labels), got {y_pred.shape}."
            )
        if not self._counts:
            self._build(y_pred.shape[1])
        if self.from_logits:
            y_pred = ops.sigmoid(y_pred)
        weight = weight_like(sample_weight, y_pred)
        if self.label_weights is not None and not self.multi_label:
            labels = as_tensor(np.asarray(self.label_weights, y_pred.dtype))
            weight = ops.broadcast_to(labels, y_pred.shape) if weight is None else weight * labels
        counts = confusion_counts(y_true, y_pred, self._limits, weight, COUNTS, rows=int(self.multi_label))
        for name, count in counts.items():
            self._counts[name].assign_add(ops.cast(count, self._counts[name].dtype))

    def result(self) -> Tensor:
        """The area."""
        if not self._counts:
            return as_tensor(0.0)
        if self.curve == "PR" and self.summation_method == "interpolation":
            return self._mean_of_labels(self._interpolated_areas())
        tp, fp, tn, fn = (self._counts[name].value for name in COUNTS)
        recall = divide_no_nan(tp, tp + fn)
        if self.curve == "ROC":
            x, y = divide_no_nan(fp, fp + tn), recall
        else:
            x, y = recall, divide_no_nan(tp, tp + fp)
        if self.summation_method == "interpolation":
            heights = (y[:-1] + y[1:]) / 2.0
        else:
            heights = (ops.minimum if self.summation_method == "minoring" else ops.maximum)(y[:-1], y[1:])
        return self._mean_of_labels((x[:-1] - x[1:]) * heights)

    def _interpolated_areas(self) -> Tensor:
        """Areas between thresholds, where the true positives grow linearly with all positives between two of them."""
        tp, fp, fn = (self._counts[name].value for name in ("true_positives", "false_positives", "false_negatives"))
        p = tp + fp
        slope = divide_no_nan(tp[:-1] - tp[1:], ops.maximum(p[:-1] - p[1:], 0.0))
        intercept = tp[1:] - slope * p[1:]
        both = ops.logical_and(p[:-1] > 0, p[1:] > 0)
        ratio = ops.where(both, divide_no_nan(p[:-1], ops.maximum(p[1:], 0.0)), 1.0)
        area = slope * (tp[:-1] - tp[1:] + intercept * ops.log(ratio))
        return divide_no_nan(area, ops.maximum(tp[1:] + fn[1:], 0.0))

    def _mean_of_labels(self, areas: Tensor) -> Tensor:
        if not self.multi_label:
            return ops.sum(areas)
        by_label = ops.sum(areas, axis=0)
        if self.label_weights is None:
            return ops.mean(by_label)
        weights = as_tensor(np.asarray(self.label_weights, self.dtype))
        return divide_no_nan(ops.sum(by_label * weights), ops.sum(weights))
