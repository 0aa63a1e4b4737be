"""A smaller learning rate when a metric no longer improves."""

from __future__ import annotations

from layerkit.callbacks.callback import Logs
from layerkit.callbacks.monitor import MonitorCallback
from layerkit.callbacks.optimizers import inner_optimizers, log_learning_rates
from layerkit.checks import check_numbers


class ReduceLROnPlateau(MonitorCallback):
    """Multiply the learning rate by `factor` when the monitored value has not improved for `patience` epochs.

    Args:
        monitor: name of a loss or metric in the logs.
        factor: what the learning rate is multiplied by, below 1.
        patience: epochs without improvement after which it is reduced.
        verbose: 1 prints what is done.
        mode: `"min"`, `"max"` or `"auto"`.
        min_delta: a smaller change does not count as an improvement.
        cooldown: epochs after a reduction in which nothing is counted.
        min_lr: the learning rate does not go below this.

    Raises:
        ValueError: the factor is 1 or more.

    Example:
        >>> callback = ReduceLROnPlateau(monitor="loss", factor=0.5, patience=3, min_lr=1e-5)
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ):
        super().__init__(monitor, mode, min_delta=min_delta)
        check_numbers(self, "[0, 1)", factor=factor)
        check_numbers(self, "[-inf, inf]", patience=patience, cooldown=cooldown, min_lr=min_lr)
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.min_lr = min_lr
        self.cooldown_counter = 0
        self.wait = 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget earlier training."""
        self.best = None
        self.cooldown_counter = 0
        self.wait = 0

    def in_cooldown(self) -> bool:
        """Whether a reduction is so recent that epochs are not counted."""
        return self.cooldown_counter > 0

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Log the learning rate, compare, and reduce it when the patience is used up."""
        if self.monitor_op is None:
            self._set_monitor_op()
        log_learning_rates(self.model, logs)
        current = self._monitored(logs, "Learning rate reduction is conditioned on")
        if current is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self._is_improvement(current, self.best):
            self.best = current
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience and self._reduce(epoch):
                self.cooldown_counter = self.cooldown
                self.wait = 0

    def _reduce(self, epoch: int) -> bool:
        """Reduce every learning rate that is above `min_lr`; tells whether there was one."""
        reduced = False
        for optimizer, name in inner_optimizers(self.model):
            rate = float(optimizer.learning_rate)
            # Learning rates are stored as float32, which may round min_lr up.
            if rate <= self.min_lr * (1 + 1e-6):
                continue
            rate = max(rate * self.factor, self.min_lr)
            optimizer.learning_rate = rate
            reduced = True
            if self.verbose > 0:
                which = f"{name} " if name else ""
                print(f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing {which}learning rate to {rate}.")
        return reduced
