"""The base class of callbacks."""

from __future__ import annotations

from typing import Any

Logs = dict[str, Any]


class Callback:
    """Hooks into training, evaluation and prediction; a subclass defines those it needs.

    `logs` maps the names of losses and metrics to their values. `fit` skips hooks of batches that no
    callback defines, so they cost nothing when unused.

    Attributes:
        params: what the loop was called with: `verbose`, `epochs`, `steps`.
        model: the model that is trained, evaluated or predicts.

    Example:
        >>> class Rising(Callback):
        ...     def on_epoch_end(self, epoch, logs=None):
        ...         if epoch and logs["loss"] > self.before:
        ...             self.model.stop_training = True
        ...         self.before = logs["loss"]
    """

    def __init__(self):
        self.params: dict[str, Any] | None = None
        self._model: Any = None

    def set_params(self, params: dict[str, Any]) -> None:
        """Called before training with the loop's parameters."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Called before training with the model."""
        self._model = model

    @property
    def model(self) -> Any:
        """The model that the callback serves."""
        return self._model

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """An older name of `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """An older name of `on_train_batch_end`."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Called by `fit` at the start of an epoch, numbered from 0."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Called by `fit` at the end of an epoch, after validation, whose values have names with `val_`."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called by `fit` before a batch."""
        self.on_batch_begin(batch, logs=logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called by `fit` after a batch, with the metrics since the epoch's begin."""
        self.on_batch_end(batch, logs=logs)

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before a batch of `evaluate` and of validation in `fit`."""

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after a batch of `evaluate` and of validation in `fit`."""

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called by `predict` before a batch."""

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called by `predict` after a batch; `logs["outputs"]` holds its results."""

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Called by `fit` once, before the first epoch."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Called by `fit` once, after the last epoch, with that epoch's logs."""

    def on_train_interrupted(self, error: BaseException) -> None:
        """Called in place of `on_train_end` when an exception ends `fit`, and rises after it.

        To put things in order: close files, restore weights. Keras has no such hook. After Ctrl-C `on_train_end` is
        called, for what was trained until then stands.
        """

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Called before the first batch of `evaluate` or of validation."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Called after the last batch of `evaluate` or of validation."""

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Called by `predict` before the first batch."""

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Called by `predict` after the last batch."""
