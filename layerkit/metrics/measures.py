"""The values of losses as metrics, and measures of how well numbers are predicted."""

from __future__ import annotations

from typing import Any

import numpy as np

from layerkit import losses, ops
from layerkit.checks import check_axis, check_numbers
from layerkit.errors import ShapeError
from layerkit.graph import Tensor, as_tensor
from layerkit.losses.loss import matched
from layerkit.metrics.metric import Metric
from layerkit.metrics.reduction import Mean, MeanMetricWrapper


class MeanSquaredError(MeanMetricWrapper, aliases=("mse", "MSE")):
    """The mean squared error.

    Example:
        >>> round(MeanSquaredError()([[1.0, 2.0]], [[2.0, 4.0]]).item(), 3)
        2.5
    """

    _direction = "down"

    def __init__(self, name: str | None = "mean_squared_error", dtype: Any = None):
        super().__init__(losses.mean_squared_error, name=name, dtype=dtype)


class MeanAbsoluteError(MeanMetricWrapper, aliases=("mae", "MAE")):
    """The mean absolute error.

    Example:
        >>> round(MeanAbsoluteError()([[1.0, 2.0]], [[2.0, 4.0]]).item(), 3)
        1.5
    """

    _direction = "down"

    def __init__(self, name: str | None = "mean_absolute_error", dtype: Any = None):
        super().__init__(losses.mean_absolute_error, name=name, dtype=dtype)


class MeanAbsolutePercentageError(MeanMetricWrapper, aliases=("mape", "MAPE")):
    """The mean absolute error in percent of the targets.

    Example:
        >>> round(MeanAbsolutePercentageError()([[1.0, 2.0]], [[2.0, 4.0]]).item(), 3)
        100.0
    """

    _direction = "down"

    def __init__(self, name: str | None = "mean_absolute_percentage_error", dtype: Any = None):
        super().__init__(losses.mean_absolute_percentage_error, name=name, dtype=dtype)


class MeanSquaredLogarithmicError(MeanMetricWrapper, aliases=("msle", "MSLE")):
    """The mean squared error of logarithms.

    Example:
        >>> round(MeanSquaredLogarithmicError()([[1.0, 2.0]], [[2.0, 4.0]]).item(), 3)
        0.213
    """

    _direction = "down"

    def __init__(self, name: str | None = "mean_squared_logarithmic_error", dtype: Any = None):
        super().__init__(losses.mean_squared_logarithmic_error, name=name, dtype=dtype)


class LogCoshError(MeanMetricWrapper, aliases=("logcosh",)):
    """The mean of log(cosh(error)).

    Example:
        >>> round(LogCoshError()([[1.0, 2.0]], [[2.0, 4.0]]).item(), 3)
        0.879
    """

    _direction = "down"

    def __init__(self, name: str | None = "logcosh", dtype: Any = None):
        super().__init__(losses.log_cosh, name=name, dtype=dtype)


class KLDivergence(MeanMetricWrapper, aliases=("kld", "KLD")):
    """The Kullback-Leibler divergence of distributions.

    Example:
        >>> round(KLDivergence()([[0.5, 0.5]], [[0.25, 0.75]]).item(), 3)
        0.144
    """

    _direction = "down"

    def __init__(self, name: str | None = "kl_divergence", dtype: Any = None):
        super().__init__(losses.kl_divergence, name=name, dtype=dtype)


class Poisson(MeanMetricWrapper):
    """The mean of y_pred - y_true * log(y_pred).

    Example:
        >>> round(Poisson()([[1.0, 2.0]], [[2.0, 4.0]]).item(), 3)
        1.267
    """

    _direction = "down"

    def __init__(self, name: str | None = "poisson", dtype: Any = None):
        super().__init__(losses.poisson, name=name, dtype=dtype)


class Hinge(MeanMetricWrapper):
    """The hinge loss of labels -1 or 1 (or 0 or 1).

    Example:
        >>> round(Hinge()([[1.0, -1.0]], [[0.5, -2.0]]).item(), 3)
        0.25
    """

    _direction = "down"

    def __init__(self, name: str | None = "hinge", dtype: Any = None):
        super().__init__(losses.hinge, name=name, dtype=dtype)


class SquaredHinge(MeanMetricWrapper):
    """The squared hinge loss of labels -1 or 1 (or 0 or 1).

    Example:
        >>> round(SquaredHinge()([[1.0, -1.0]], [[0.5, -2.0]]).item(), 3)
        0.125
    """

    _direction = "down"

    def __init__(self, name: str | None = "squared_hinge", dtype: Any = None):
        super().__init__(losses.squared_hinge, name=name, dtype=dtype)


class CategoricalHinge(MeanMetricWrapper):
    """The hinge loss of one-hot targets.

    Example:
        >>> round(CategoricalHinge()([[0.0, 1.0]], [[0.25, 0.75]]).item(), 3)
        0.5
    """

    _direction = "down"

    def __init__(self, name: str | None = "categorical_hinge", dtype: Any = None):
        super().__init__(losses.categorical_hinge, name=name, dtype=dtype)


class RootMeanSquaredError(Mean, aliases=("rmse", "RMSE")):
    """The root of the mean squared error over all batches.

    Example:
        >>> round(RootMeanSquaredError()([[1.0, 2.0]], [[2.0, 4.0]]).item(), 3)
        1.581
    """

    _direction = "down"

    def __init__(self, name: str | None = "root_mean_squared_error", dtype: Any = None):
        super().__init__(name=name, dtype=dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch of targets and predictions into account."""
        y_true, y_pred = matched(y_true, y_pred)
        super().update_state(ops.square(y_pred - y_true), sample_weight)

    def result(self) -> Tensor:
        """The root of the mean."""
        return ops.sqrt(super().result())


def _cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Tensor:
    """The cosine of the angle: as a metric it is positive where targets and predictions agree."""
    return -losses.cosine_similarity(y_true, y_pred, axis)


class CosineSimilarity(MeanMetricWrapper):
    """The cosine of the angle between targets and predictions along an axis: 1 where they agree.

    Example:
        >>> round(CosineSimilarity()([[1.0, 0.0]], [[0.6, 0.8]]).item(), 3)
        0.6
    """

    _direction = "up"

    def __init__(self, name: str | None = "cosine_similarity", dtype: Any = None, axis: int = -1):
        super().__init__(_cosine_similarity, name=name, dtype=dtype, axis=axis)
        check_axis(self, axis)
        self.axis = axis


class BinaryCrossentropy(MeanMetricWrapper, aliases=("bce", "BCE")):
    """The cross-entropy of yes-or-no labels.

    Example:
        >>> round(BinaryCrossentropy()([[0.0], [1.0]], [[0.1], [0.8]]).item(), 3)
        0.164
    """

    _direction = "down"

    def __init__(
        self,
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ):
        options = {"from_logits": from_logits, "label_smoothing": label_smoothing}
        super().__init__(losses.binary_crossentropy, name=name, dtype=dtype, **options)
        self.from_logits = from_logits
        check_numbers(self, "(-inf, 1]", optional=True, label_smoothing=label_smoothing)
        self.label_smoothing = label_smoothing


class CategoricalCrossentropy(MeanMetricWrapper):
    """The cross-entropy of one-hot labels.

    Example:
        >>> round(CategoricalCrossentropy()([[0.0, 1.0]], [[0.25, 0.75]]).item(), 3)
        0.288
    """

    _direction = "down"

    def __init__(
        self,
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ):
        options = {"from_logits": from_logits, "label_smoothing": label_smoothing, "axis": axis}
        super().__init__(losses.categorical_crossentropy, name=name, dtype=dtype, **options)
        self.from_logits = from_logits
        check_numbers(self, "(-inf, 1]", optional=True, label_smoothing=label_smoothing)
        self.label_smoothing = label_smoothing
        check_axis(self, axis)
        self.axis = axis


class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """The cross-entropy of labels that are class numbers.

    Example:
        >>> round(SparseCategoricalCrossentropy()([1, 0], [[0.25, 0.75], [0.5, 0.5]]).item(), 3)
        0.49
    """

    _direction = "down"

    def __init__(
        self,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ):
        options = {"from_logits": from_logits, "ignore_class": ignore_class, "axis": axis}
        super().__init__(losses.sparse_categorical_crossentropy, name=name, dtype=dtype, **options)
        self.from_logits = from_logits
        self.ignore_class = ignore_class
        check_axis(self, axis)
        self.axis = axis


class R2Score(Metric):
    """1 minus the squared error over the targets' variance (the coefficient of determination), of outputs [batch, n].

    Args:
        class_aggregation: "uniform_average", "variance_weighted_average" or None (a score for each output).
        num_regressors: number of inputs, for the adjusted score; 0 for the plain one.
        name, dtype: as of `Metric`.

    Example:
        >>> round(R2Score()([[1.0], [2.0], [3.0]], [[1.0], [2.0], [2.0]]).item(), 3)
        0.5
    """

    _direction = "up"

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = "r2_score",
        dtype: Any = None,
    ):
        super().__init__(name=name, dtype=dtype)
        if class_aggregation not in (None, "uniform_average", "variance_weighted_average"):
            raise ValueError(
                "`class_aggregation` must be 'uniform_average', 'variance_weighted_average' or None, got "
                f"{class_aggregation!r}."
            )
        if num_regressors < 0:
            raise ValueError(f"`num_regressors` must be at least 0, got {num_regressors!r}.")
        self.class_aggregation = class_aggregation
        self.num_regressors = num_regressors
        self.num_samples = self.add_variable((), name="num_samples")
        self._built = False

    def _build(self, outputs: int) -> None:
        self.squared_sum = self.add_variable((outputs,), name="squared_sum")
        self.sum = self.add_variable((outputs,), name="sum")
        self.total_mse = self.add_variable((outputs,), name="residual")
        self.count = self.add_variable((outputs,), name="count")
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch of targets and predictions [batch, outputs] into account."""
        y_true, y_pred = matched(y_true, y_pred)
        if y_pred.ndim != 2:
            raise ShapeError(f"R2Score expects predictions of shape (batch, outputs), got {y_pred.shape}.")
        if not self._built:
            self._build(y_pred.shape[1])
        weight = ops.cast(as_tensor(1.0 if sample_weight is None else sample_weight), self.dtype)
        weight = ops.expand_dims(weight, 1) if weight.ndim == 1 else weight
        weight = ops.broadcast_to(weight, y_true.shape)
        self.sum.assign_add(ops.sum(y_true * weight, axis=0))
        self.squared_sum.assign_add(ops.sum(y_true * y_true * weight, axis=0))
        self.total_mse.assign_add(ops.sum(ops.square(y_true - y_pred) * weight, axis=0))
        self.count.assign_add(ops.sum(weight, axis=0))
        self.num_samples.assign_add(float(np.prod(y_true.shape)))

    def result(self) -> Tensor:
        """The score; 0 where the targets do not vary."""
        if not self._built:
            return as_tensor(0.0)
        mean = self.sum.value / self.count.value
        total = self.squared_sum.value - self.sum.value * mean
        scores = 1.0 - self.total_mse.value / total
        scores = ops.where(ops.logical_and(ops.logical_not(ops.isfinite(scores)), scores == scores), 0.0, scores)
        if self.class_aggregation == "uniform_average":
            scores = ops.mean(scores)
        elif self.class_aggregation == "variance_weighted_average":
            scores = ops.sum(total * scores) / ops.sum(total)
        if not self.num_regressors:
            return scores
        samples = self.num_samples.value
        rest = samples - float(self.num_regressors) - 1.0
        # With as many inputs as samples there is no adjusted score, and the plain one stands.
        return ops.where(rest > 0, 1.0 - (1.0 - scores) * (samples - 1.0) / ops.where(rest > 0, rest, 1.0), scores)
