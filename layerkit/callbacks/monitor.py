"""What the callbacks that watch a metric have in common."""

from __future__ import annotations

import math
import operator
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from layerkit.callbacks.callback import Callback, Logs
from layerkit.checks import check_numbers, wrong_argument
from layerkit.errors import ArgumentKindError

RISING_NAMES = ("accuracy", "acc", "auc")


class MonitorCallback(Callback):
    """Base of callbacks that compare a monitored value with the best so far.

    Args:
        monitor: name of a loss or metric in the logs.
        mode: `"min"` or `"max"`, which values are good; `"auto"` asks the model's metric of that name.
        baseline: the best value to start from.
        min_delta: a smaller change does not count as an improvement.
    """

    def __init__(
        self, monitor: str = "val_loss", mode: str = "auto", baseline: float | None = None, min_delta: float = 0
    ):
        super().__init__()
        if mode not in ("auto", "min", "max"):
            warnings.warn(f"{type(self).__name__} mode '{mode}' is unknown, fallback to auto mode.", stacklevel=3)
            mode = "auto"
        if not isinstance(monitor, str | None):
            raise wrong_argument(self, "monitor", monitor, "the name of a loss or metric", kind=ArgumentKindError)
        check_numbers(self, "[-inf, inf]", min_delta=min_delta)
        self.monitor = monitor
        self.mode = mode
        self.best = baseline
        self.min_delta = abs(min_delta)
        self.monitor_op: Callable[[float, float], bool] | None = None

    def _set_monitor_op(self) -> Callable[[float, float], bool]:
        """Find out which values are good: sets and gives the comparison "is better than".

        Raises:
            ValueError: the mode is auto, and neither the metric nor its name tells.
        """
        direction = {"min": "down", "max": "up"}.get(self.mode) or self._direction()
        if direction is None:
            raise ValueError(
                f"{type(self).__name__} callback received monitor={self.monitor!r}, but whether that metric should be "
                "maximized or minimized is not known. Pass `mode='max'` where the highest value is the best, or "
                "`mode='min'`."
            )
        self.monitor_op = operator.gt if direction == "up" else operator.lt
        return self.monitor_op

    def _direction(self) -> str | None:
        name = self.monitor.removeprefix("val_")
        for metric in _all_metrics(self.model):
            if getattr(metric, "name", None) == name and getattr(metric, "_direction", None) in ("up", "down"):
                return metric._direction
        last_word = name.rpartition("_")[2]
        if last_word == "loss":
            return "down"
        return "up" if last_word in RISING_NAMES else None

    def _is_improvement(self, value: float, reference: float | None) -> bool:
        """Whether a value is better than a reference by more than `min_delta`; anything is better than None."""
        if reference is None:
            return True
        if math.isnan(reference):
            return not math.isnan(value)
        better = self.monitor_op or self._set_monitor_op()
        step = self.min_delta if better is operator.gt else -self.min_delta
        return bool(better(value - step, reference))

    def _monitored(self, logs: Logs | None, purpose: str) -> float | None:
        """The monitored value, or None with a warning that says what there is."""
        logs = logs or {}
        value = logs.get(self.monitor)
        if value is None:
            warnings.warn(
                f"{purpose} metric `{self.monitor}` which is not available. Available metrics are: {','.join(logs)}",
                stacklevel=5,
            )
        return value


def _all_metrics(owner: Any) -> Iterator[Any]:
    """The metrics of a model, and those that its containers of metrics hold."""
    for metric in getattr(owner, "metrics", None) or ():
        yield metric
        yield from _all_metrics(metric)
