"""Stop training when a metric no longer improves."""

from __future__ import annotations

from layerkit.callbacks.callback import Logs
from layerkit.callbacks.monitor import MonitorCallback
from layerkit.checks import check_numbers


class EarlyStopping(MonitorCallback):
    """Stop training when the monitored value has not improved for `patience` epochs.

    Args:
        monitor: name of a loss or metric in the logs.
        min_delta: a smaller change does not count as an improvement.
        patience: epochs without improvement after which training stops.
        verbose: 1 prints what is done.
        mode: `"min"`, `"max"` or `"auto"`.
        baseline: the patience runs on while the value is not better than this.
        restore_best_weights: give the model the weights of its best epoch when training ends, in whatever way.
        start_from_epoch: epochs before this one are not looked at.

    Attributes:
        best: the best value.
        best_epoch: its epoch, from 0.
        stopped_epoch: the epoch that training was stopped after; 0 if it was not.

    Example:
        >>> callback = EarlyStopping(monitor="loss", patience=3)
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ):
        super().__init__(monitor, mode, min_delta=min_delta)
        check_numbers(self, "[-inf, inf]", patience=patience, start_from_epoch=start_from_epoch)
        check_numbers(self, "[-inf, inf]", optional=True, baseline=baseline)
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self.wait = 0
        self.stopped_epoch = 0
        self.best_epoch = 0
        self.best_weights: list | None = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget earlier training."""
        self.wait = 0
        self.stopped_epoch = 0
        self.best = None
        self.best_epoch = 0
        self.best_weights = None

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Compare, and stop training when the patience is used up."""
        if self.monitor_op is None:
            self._set_monitor_op()
        current = self.get_monitor_value(logs)
        if current is None or epoch < self.start_from_epoch:
            return
        self.wait += 1
        if self._is_improvement(current, self.best):
            self.best = current
            self.best_epoch = epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self._is_improvement(current, self.baseline):
                self.wait = 0
            return
        if self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Report, and restore the best weights if asked."""
        if self.stopped_epoch > 0 and self.verbose > 0:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping")
        self._restore()

    def on_train_interrupted(self, error: BaseException) -> None:
        """Restore the best weights if asked."""
        self._restore()

    def get_monitor_value(self, logs: Logs | None) -> float | None:
        """The monitored value of an epoch; None, with a warning, where the logs lack it."""
        return self._monitored(logs, "Early stopping conditioned on")

    def _restore(self) -> None:
        if not self.restore_best_weights or self.best_weights is None:
            return
        if self.verbose > 0:
            print(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
        self.model.set_weights(self.best_weights)
