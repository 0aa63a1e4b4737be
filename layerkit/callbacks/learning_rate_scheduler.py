"""A learning rate for each epoch."""

from __future__ import annotations

import inspect
import numbers
from collections.abc import Callable

from layerkit.callbacks.callback import Callback, Logs
from layerkit.callbacks.optimizers import inner_optimizers, log_learning_rates


class LearningRateScheduler(Callback):
    """Set the learning rate at the begin of each epoch, and log it at its end.

    Args:
        schedule: called with the epoch (from 0) and the current learning rate, gives the new one; a function of
            the epoch alone will do.
        verbose: 1 prints the learning rate.

    Raises:
        ValueError: in training, the schedule gives no number.

    Example:
        >>> callback = LearningRateScheduler(lambda epoch, rate: rate if epoch < 10 else rate * 0.9)
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0):
        super().__init__()
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Set the learning rate."""
        for optimizer, name in inner_optimizers(self.model):
            rate = self._scheduled(epoch, float(optimizer.learning_rate))
            optimizer.learning_rate = rate
            if self.verbose > 0:
                which = f"{name} " if name else ""
                print(f"\nEpoch {epoch + 1}: LearningRateScheduler setting {which}learning rate to {rate}.")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Log the learning rate."""
        log_learning_rates(self.model, logs)

    def _scheduled(self, epoch: int, rate: float) -> float:
        rate = self.schedule(epoch, rate) if _takes_two(self.schedule) else self.schedule(epoch)
        if not isinstance(rate, numbers.Real) or isinstance(rate, bool):
            raise ValueError(f"The output of the `schedule` function should be a float. Got: {rate!r}")
        return float(rate)


def _takes_two(function: Callable) -> bool:
    """Whether a function can be called with two positional arguments."""
    try:
        signature = inspect.signature(function)
    except ValueError:  # some built-in functions have no signature
        return True
    try:
        signature.bind(0, 0.0)
    except TypeError:
        return False
    return True
