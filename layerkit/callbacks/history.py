"""The record that `fit` returns."""

from __future__ import annotations

import math
from typing import Any

from layerkit.callbacks.callback import Callback, Logs


class History(Callback):
    """Records the logs of each epoch; `fit` adds one and returns it.

    Attributes:
        epoch: numbers of the epochs, from 0.
        history: name of a loss or metric -> its value after each epoch.
        params: what the loop was called with.

    Example:
        >>> history = History()
        >>> history.on_epoch_end(0, {"loss": 0.5})
        >>> history.on_epoch_end(1, {"loss": 0.25})
        >>> history.history
        {'loss': [0.5, 0.25]}
    """

    def __init__(self):
        super().__init__()
        self.epoch: list[int] = []
        self.history: dict[str, list[Any]] = {}

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Start a new list of epochs."""
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Record an epoch."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
        if self.model is not None:
            self.model.history = self

    def best_epoch(self, monitor: str = "val_loss", mode: str = "min") -> int:
        """The number of the epoch with the best value; the first of equal ones, NaN never.

        Args:
            monitor: name of a loss or metric.
            mode: `"min"` or `"max"`: which values are good.

        Raises:
            KeyError: nothing of that name was recorded.
            ValueError: the mode is unknown, or all values are NaN.
        """
        if mode not in ("min", "max"):
            raise ValueError(f"`mode` must be 'min' or 'max', got {mode!r}.")
        if monitor not in self.history:
            raise KeyError(f"No {monitor!r} in the history, which has {', '.join(self.history) or 'nothing'}.")
        # `history` goes on over several calls of fit, `epoch` starts again with each.
        values = self.history[monitor][-len(self.epoch) :]
        pairs = [(float(v), e) for v, e in zip(values, self.epoch, strict=True) if not math.isnan(float(v))]
        if not pairs:
            raise ValueError(f"All values of {monitor!r} are NaN.")
        sign = 1 if mode == "min" else -1
        return min(pairs, key=lambda pair: sign * pair[0])[1]
