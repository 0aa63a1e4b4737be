"""Evaluation with the averages of weights."""

from __future__ import annotations

from typing import Any

from layerkit.callbacks.callback import Callback, Logs


class SwapEMAWeights(Callback):
    """Give the model the optimizer's moving averages of the weights while it is evaluated.

    The optimizer needs `use_ema=True`. When training ends the model keeps the averages.

    Args:
        swap_on_epoch: swap from the end of an epoch to the begin of the next one, so that callbacks that save the
            model then save the averages; else while it is evaluated or predicts only.

    Example:
        >>> callback = SwapEMAWeights(swap_on_epoch=True)
    """

    def __init__(self, swap_on_epoch: bool = False):
        super().__init__()
        self.swap_on_epoch = swap_on_epoch
        self._swapped = False

    def _optimizers(self) -> list[Any]:
        """Those that keep averages. Raises ValueError where none does."""
        optimizer = getattr(self.model.optimizer, "inner_optimizer", self.model.optimizer)
        found = [one for one in getattr(optimizer, "optimizers", [optimizer]) if getattr(one, "use_ema", False)]
        if not found:
            raise ValueError("SwapEMAWeights needs an optimizer with `use_ema=True`.")
        return found

    def _pairs(self) -> list[tuple[Any, Any]]:
        pairs = [
            (variable, average)
            for optimizer in self._optimizers()
            for variable, average in zip(optimizer._trainable_variables, optimizer._averages, strict=True)
        ]
        return [(variable, average) for variable, average in pairs if average is not None]

    def _swap(self) -> None:
        for variable, average in self._pairs():
            value = variable.numpy()
            variable.assign(average.numpy())
            average.assign(value)
        self._swapped = not self._swapped

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Check that there are averages."""
        self._optimizers()
        self._swapped = False

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Take the weights of training back."""
        if self._swapped:
            self._swap()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Give the model the averages; in the last epoch for good."""
        if self.swap_on_epoch and not self._swapped:
            self._swap()
            if epoch == self.params["epochs"] - 1:
                self._finish()

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Give the model the averages."""
        if not self._swapped and not self.swap_on_epoch:
            self._swap()

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Take the weights of training back."""
        if self._swapped and not self.swap_on_epoch:
            self._swap()

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Give the model the averages."""
        self.on_test_begin()

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Take the weights of training back."""
        self.on_test_end()

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Leave the averages in the model, also when training stopped early."""
        if self._swapped:
            self._finish()

    def on_train_interrupted(self, error: BaseException) -> None:
        """Take the weights of training back."""
        if self._swapped:
            self._swap()

    def _finish(self) -> None:
        """The averages stay; what they were swapped with goes, so that `fit` gives the model the averages again."""
        for variable, average in self._pairs():
            average.assign(variable.numpy())
        self._swapped = False
