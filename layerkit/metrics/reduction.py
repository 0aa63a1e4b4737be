"""Means and sums of values, and of functions of targets and predictions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from layerkit import ops
from layerkit.errors import ShapeError
from layerkit.graph import Tensor, as_tensor
from layerkit.graph.scopes import on_memory
from layerkit.losses.loss import Loss, apply_mask, divide_no_nan, squeeze_or_expand_to_same_rank
from layerkit.metrics.metric import Metric
from layerkit.ops.reduction import size_constant
from layerkit.registry import registry
from layerkit.serialization import serialize_keras_object


def samplewise_values(values: Any, sample_weight: Any, reduce: Callable, dtype: str) -> tuple[Tensor, Tensor | None]:
    """One value and one weight for each sample.

    Args:
        values: [samples, ...]; its mask leaves steps out where there are weights.
        sample_weight: weights of samples or of their steps, or None.
        reduce: how the other axes go: `ops.mean` or `ops.sum`.
        dtype: dtype of the results.
    """
    values = as_tensor(values)
    mask = values.mask
    values = ops.cast(values, dtype)
    if sample_weight is None:
        return (reduce(values, axis=tuple(range(1, values.ndim))) if values.ndim > 1 else values), None
    weight = apply_mask(sample_weight, mask, dtype, "sum")
    values, weight = squeeze_or_expand_to_same_rank(values, weight)
    rank = weight.ndim
    if values.ndim > rank:
        values = reduce(values, axis=tuple(range(rank, values.ndim)))
    if not all(m in (1, n) for m, n in zip(weight.shape, values.shape, strict=True)):
        raise ShapeError(
            f"`sample_weight` has shape {weight.shape}, which does not fit the metric's values of shape {values.shape}."
        )
    weight = ops.broadcast_to(weight, values.shape)
    values = values * weight
    if rank > 1:
        weight = reduce(weight, axis=tuple(range(1, rank)))
    if values.ndim > 1:
        values = reduce(values, axis=tuple(range(1, values.ndim)))
    return values, weight


class Sum(Metric):
    """The weighted sum of values.

    Example:
        >>> total = Sum()
        >>> total.update_state([1.0, 3.0])
        >>> total.update_state([2.0])
        >>> total.result().item()
        6.0
    """

    def __init__(self, name: str | None = "sum", dtype: Any = None):
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), dtype=self.dtype, name="total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Add values [samples, ...]."""
        values, _ = samplewise_values(values, sample_weight, ops.sum, self.dtype)
        self.total.assign_add(ops.sum(values))

    def result(self) -> Tensor:
        """The sum."""
        return self.total.value


class Mean(Metric):
    """The weighted mean of values.

    Example:
        >>> mean = Mean()
        >>> mean.update_state([1.0, 3.0], sample_weight=[1.0, 3.0])
        >>> mean.result().item()
        2.5
    """

    def __init__(self, name: str | None = "mean", dtype: Any = None):
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), dtype=self.dtype, name="total")
        self.count = self.add_variable((), dtype=self.dtype, name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Take values [samples, ...] into account."""
        values, weight = samplewise_values(values, sample_weight, ops.mean, self.dtype)
        self.total.assign_add(ops.sum(values))
        if weight is not None:
            self.count.assign_add(ops.sum(weight))
        else:
            self.count.assign_add(size_constant(values.shape[0] if values.ndim else 1, self.count.dtype))

    def result(self) -> Tensor:
        """The mean; 0 before the first value."""
        if on_memory():
            # Read after every batch that somebody looks at: one division in place of five operations.
            total, count = self.total.array, self.count.array
            return Tensor.of(np.asarray(total / count if count else 0, self.dtype))
        return divide_no_nan(self.total.value, self.count.value)


class MeanMetricWrapper(Mean):
    """The weighted mean of a function of (y_true, y_pred) that gives a value for each sample.

    Args:
        fn: the function, or a loss.
        name, dtype: as of `Metric`.
        **kwargs: passed to the function.

    Example:
        >>> metric = MeanMetricWrapper(lambda y_true, y_pred: ops.absolute(y_true - y_pred))
        >>> metric(np.array([1.0, 2.0]), np.array([2.0, 5.0])).item()
        2.0
    """

    def __init__(self, fn: Callable, name: str | None = None, dtype: Any = None, **kwargs: Any):
        super().__init__(name=name, dtype=dtype)
        self.fn = fn
        self.fn_kwargs = kwargs
        if self._direction is None and (isinstance(fn, Loss) or fn in registry("loss function").things()):
            self._direction = "down"

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch into account.

        Args:
            y_true: targets [batch, ...].
            y_pred: predictions [batch, ...]; their mask, if they have one, leaves steps out.
            sample_weight: weights [batch] or [batch, steps].
        """
        mask = getattr(y_pred, "mask", None)
        values = self.fn(y_true, y_pred, **self.fn_kwargs)
        super().update_state(values, apply_mask(sample_weight, mask, self.dtype, "sum"))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config = super().get_config()
        if "fn" in config:
            config["fn"] = serialize_keras_object(self.fn)
        return config
