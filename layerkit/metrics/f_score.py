"""The harmonic mean of precision and recall."""

from __future__ import annotations

from typing import Any

from layerkit import ops
from layerkit.config import epsilon
from layerkit.errors import ShapeError
from layerkit.graph import Tensor, as_tensor
from layerkit.losses.loss import same_shape
from layerkit.metrics.metric import Metric

AVERAGES = (None, "micro", "macro", "weighted")


class FBetaScore(Metric):
    """The harmonic mean of precision and recall, in which recall weighs beta times as much, of outputs [batch, n].

    Args:
        average: None gives a score for each output, "micro" counts all outputs together, "macro" is their mean,
            "weighted" the mean weighted by how many yes labels an output has.
        beta: the weight of recall, a float.
        threshold: a score above says yes; None: the largest score of a sample does.
        name, dtype: as of `Metric`.

    Raises:
        ValueError: an argument is out of range, or `beta` or `threshold` is not a float.

    Example:
        >>> FBetaScore(beta=2.0, threshold=0.5)([[1, 1], [1, 0]], [[0.2, 0.7], [0.9, 0.8]]).numpy().round(3)
        array([0.556, 0.833], dtype=float32)
    """

    _direction = "up"

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
        dtype: Any = None,
    ):
        super().__init__(name=name, dtype=dtype)
        if average not in AVERAGES:
            raise ValueError(f"`average` must be None, 'micro', 'macro' or 'weighted', got {average!r}.")
        if not isinstance(beta, float) or beta <= 0:
            raise ValueError(f"`beta` must be a float above 0, got {beta!r}.")
        if threshold is not None and (not isinstance(threshold, float) or not 0 < threshold <= 1):
            raise ValueError(f"`threshold` must be None or a float above 0 and at most 1, got {threshold!r}.")
        self.average = average
        self.beta = beta
        self.threshold = threshold
        self._built = False

    def _build(self, outputs: int) -> None:
        shape = () if self.average == "micro" else (outputs,)
        self.true_positives = self.add_variable(shape, dtype=self.dtype, name="true_positives")
        self.false_positives = self.add_variable(shape, dtype=self.dtype, name="false_positives")
        self.false_negatives = self.add_variable(shape, dtype=self.dtype, name="false_negatives")
        self.intermediate_weights = self.add_variable(shape, dtype=self.dtype, name="intermediate_weights")
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count a batch.

        Args:
            y_true: labels 0 or 1 [batch, outputs].
            y_pred: scores of the same shape.
            sample_weight: weights [batch].

        Raises:
            ShapeError: the shapes are others.
        """
        y_true, y_pred = ops.cast(as_tensor(y_true), self.dtype), ops.cast(as_tensor(y_pred), self.dtype)
        if y_pred.ndim != 2 or not same_shape(y_true.shape, y_pred.shape):
            raise ShapeError(
                f"{type(self).__name__} expects labels and scores of shape (batch, outputs), got {y_true.shape} and "
                f"{y_pred.shape}."
            )
        if not self._built:
            self._build(y_pred.shape[1])
        if self.threshold is None:
            largest = ops.max(y_pred, axis=-1, keepdims=True)
            said_yes = ops.logical_and(y_pred >= largest, ops.absolute(y_pred) > 1e-9)
        else:
            said_yes = y_pred > self.threshold
        said_yes = ops.cast(said_yes, self.dtype)
        weight = None if sample_weight is None else ops.cast(as_tensor(sample_weight), self.dtype)
        if weight is not None and weight.ndim == 1:
            weight = ops.expand_dims(weight, 1)
        axis = None if self.average == "micro" else 0

        def counted(hits: Tensor) -> Tensor:
            return ops.sum(hits if weight is None else hits * weight, axis=axis)

        self.true_positives.assign_add(counted(said_yes * y_true))
        self.false_positives.assign_add(counted(said_yes * (1.0 - y_true)))
        self.false_negatives.assign_add(counted((1.0 - said_yes) * y_true))
        self.intermediate_weights.assign_add(counted(y_true))

    def result(self) -> Tensor:
        """The score; 0 where nothing is found."""
        if not self._built:
            return as_tensor(0.0, self.dtype)
        found = self.true_positives.value
        precision = found / (found + self.false_positives.value + epsilon())
        recall = found / (found + self.false_negatives.value + epsilon())
        square = self.beta**2
        scores = (1.0 + square) * (precision * recall / (square * precision + recall + epsilon()))
        if self.average == "weighted":
            labels = self.intermediate_weights.value
            return ops.sum(scores * (labels / (ops.sum(labels) + epsilon())))
        return scores if self.average is None else ops.mean(scores)


class F1Score(FBetaScore):
    """The harmonic mean of precision and recall of outputs [batch, n].

    Args:
        average: None gives a score for each output, "micro" counts all outputs together, "macro" is their mean,
            "weighted" the mean weighted by how many yes labels an output has.
        threshold: a score above says yes; None: the largest score of a sample does.
        name, dtype: as of `Metric`.

    Raises:
        ValueError: an argument is out of range, or `threshold` is not a float.

    Example:
        >>> F1Score(threshold=0.5)([[1, 1], [1, 0]], [[0.2, 0.7], [0.9, 0.8]]).numpy().round(3)
        array([0.667, 0.667], dtype=float32)
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
        dtype: Any = None,
    ):
        super().__init__(average, 1.0, threshold, name, dtype)
