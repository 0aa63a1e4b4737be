"""The best of one rate among the thresholds at which another one is good enough."""

from __future__ import annotations

from typing import Any

import numpy as np

from layerkit import ops
from layerkit.checks import check_integers, check_numbers
from layerkit.config import epsilon
from layerkit.graph import Tensor, Variable
from layerkit.losses.loss import divide_no_nan
from layerkit.metrics.confusion import COUNTS, batch_counts
from layerkit.metrics.metric import Metric


class _BestRate(Metric):
    """Counts at evenly spaced thresholds; a subclass names the rate that is asked for and the one it depends on."""

    _direction = "up"
    _wanted: tuple[str, str] = ("", "")
    """What to maximise: a count, over itself and another one."""
    _constrained: tuple[str, str] = ("", "")
    """What has to reach the value, in the same form."""

    def __init__(self, value: float, num_thresholds: int, class_id: int | None, name: str | None, dtype: Any):
        super().__init__(name=name, dtype=dtype)
        argument = next(iter(self._constructor().parameters))
        check_numbers(self, "[0, 1]", **{argument: value})
        check_integers(self, 1, num_thresholds=num_thresholds)
        check_integers(self, 0, optional=True, class_id=class_id)
        setattr(self, argument, value)
        self.num_thresholds = num_thresholds
        self.class_id = class_id
        self._value = value
        # A score of 0 says yes at the first threshold, as in Keras: there the recall is 1.
        spaced = [-epsilon(), *np.linspace(0, 1, max(num_thresholds, 2))[1:].tolist()]
        self._limits = [0.5] if num_thresholds == 1 else spaced
        self._counts: dict[str, Variable] = {
            count: self.add_variable((len(self._limits),), name=count) for count in COUNTS
        }

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count a batch.

        Args:
            y_true: labels 0 or 1 [batch, ...].
            y_pred: scores from 0 to 1 of the same shape.
            sample_weight: weights [batch], or of the same shape.
        """
        counts = batch_counts(y_true, y_pred, sample_weight, self._limits, COUNTS, class_id=self.class_id)
        for name, count in counts.items():
            self._counts[name].assign_add(ops.cast(count, self._counts[name].dtype))

    def _rate(self, names: tuple[str, str]) -> Tensor:
        hits, misses = (self._counts[name].value for name in names)
        return divide_no_nan(hits, hits + misses)

    def result(self) -> Tensor:
        """The best rate; 0 where no threshold is good enough."""
        good = self._rate(self._constrained) >= self._value
        return ops.max(ops.where(good, self._rate(self._wanted), 0.0))


_SENSITIVITY = ("true_positives", "false_negatives")
_SPECIFICITY = ("true_negatives", "false_positives")
_PRECISION = ("true_positives", "false_positives")


class SensitivityAtSpecificity(_BestRate):
    """The best share of found yes labels at a threshold where at least so large a share of the no labels is right.

    Args:
        specificity: the share of the no labels, from 0 to 1.
        num_thresholds: how many thresholds, evenly from 0 to 1.
        class_id: look at this class only.
        name, dtype: as of `Metric`.

    Raises:
        ValueError: the share is not between 0 and 1, or there are no thresholds.

    Example:
        >>> SensitivityAtSpecificity(0.5)([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8]).item()
        0.5
    """

    _wanted, _constrained = _SENSITIVITY, _SPECIFICITY

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(specificity, num_thresholds, class_id, name, dtype)


class SpecificityAtSensitivity(_BestRate):
    """The best share of right no labels at a threshold that finds at least so large a share of the yes labels.

    Args:
        sensitivity: the share of the yes labels, from 0 to 1.
        num_thresholds: how many thresholds, evenly from 0 to 1.
        class_id: look at this class only.
        name, dtype: as of `Metric`.

    Raises:
        ValueError: the share is not between 0 and 1, or there are no thresholds.

    Example:
        >>> round(SpecificityAtSensitivity(0.5)([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8]).item(), 3)
        0.667
    """

    _wanted, _constrained = _SPECIFICITY, _SENSITIVITY

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)


class PrecisionAtRecall(_BestRate):
    """The best precision at a threshold that finds at least so large a share of the yes labels.

    Args:
        recall: the share of the yes labels, from 0 to 1.
        num_thresholds: how many thresholds, evenly from 0 to 1.
        class_id: look at this class only.
        name, dtype: as of `Metric`.

    Raises:
        ValueError: the share is not between 0 and 1, or there are no thresholds.

    Example:
        >>> PrecisionAtRecall(0.5)([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8]).item()
        0.5
    """

    _wanted, _constrained = _PRECISION, _SENSITIVITY

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(recall, num_thresholds, class_id, name, dtype)


class RecallAtPrecision(_BestRate):
    """The best share of found yes labels at a threshold of at least this precision.

    Args:
        precision: the precision, from 0 to 1.
        num_thresholds: how many thresholds, evenly from 0 to 1.
        class_id: look at this class only.
        name, dtype: as of `Metric`.

    Raises:
        ValueError: the precision is not between 0 and 1, or there are no thresholds.

    Example:
        >>> RecallAtPrecision(0.8)([0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9]).item()
        0.5
    """

    _wanted, _constrained = _SENSITIVITY, _PRECISION

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(precision, num_thresholds, class_id, name, dtype)
