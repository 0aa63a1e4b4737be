"""Several callbacks called as one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from layerkit import tree
from layerkit.callbacks.callback import Callback, Logs
from layerkit.callbacks.history import History
from layerkit.callbacks.progress import ProgbarLogger

_ALIASES = {"on_train_batch_begin": "on_batch_begin", "on_train_batch_end": "on_batch_end"}


class CallbackList(Callback):
    """Calls each of its callbacks, in their order.

    Args:
        callbacks: a callback or a list of them.
        add_history: add a `History` where there is none.
        add_progbar: add a `ProgbarLogger` where there is none.
        model: the model that they serve.
        **params: given to each callback's `set_params`.

    Raises:
        TypeError: an item is not a callback.

    Example:
        >>> callbacks = CallbackList(add_history=True, epochs=1)
        >>> callbacks.on_train_begin()
        >>> callbacks.on_epoch_end(0, {"loss": 0.5})
        >>> callbacks.history.history
        {'loss': [0.5]}
    """

    def __init__(
        self,
        callbacks: Callback | Iterable[Callback] | None = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ):
        super().__init__()
        self.callbacks: list[Callback] = []
        for callback in [] if callbacks is None else tree.flatten(callbacks):
            self.append(callback)
        if add_history and self.history is None:
            self.append(History())
        if add_progbar and not any(isinstance(callback, ProgbarLogger) for callback in self.callbacks):
            self.append(ProgbarLogger())
        self.set_model(model)
        self.set_params(params)

    @property
    def history(self) -> History | None:
        """The list's `History`."""
        return next((callback for callback in self.callbacks if isinstance(callback, History)), None)

    def append(self, callback: Callback) -> None:
        """Add a callback at the end."""
        if isinstance(callback, type):
            raise TypeError(f"Expected a callback, got the class {callback.__name__}: did you forget its parentheses?")
        if not isinstance(callback, Callback):
            raise TypeError(f"Expected a callback (a subclass of `Callback`), got {type(callback).__name__}.")
        self.callbacks.append(callback)

    def set_params(self, params: dict[str, Any]) -> None:
        """Pass the loop's parameters on."""
        self.params = params
        if params:
            for callback in self.callbacks:
                callback.set_params(params)

    def set_model(self, model: Any) -> None:
        """Pass the model on, which gets the history."""
        if model is None:
            return
        super().set_model(model)
        if self.history is not None:
            model.history = self.history
        for callback in self.callbacks:
            callback.set_model(model)

    def overrides(self, hook: str) -> bool:
        """Whether any callback does something in a hook.

        Example:
            >>> CallbackList([History()]).overrides("on_train_batch_end")
            False
        """
        return bool(self._defining(hook))

    @property
    def has_train_batch_hooks(self) -> bool:
        """Whether `fit` has to call the hooks of training batches."""
        return self.overrides("on_train_batch_begin") or self.overrides("on_train_batch_end")

    @property
    def has_test_batch_hooks(self) -> bool:
        """Whether `evaluate` and validation have to call the hooks of batches."""
        return self.overrides("on_test_batch_begin") or self.overrides("on_test_batch_end")

    @property
    def has_predict_batch_hooks(self) -> bool:
        """Whether `predict` has to call the hooks of batches."""
        return self.overrides("on_predict_batch_begin") or self.overrides("on_predict_batch_end")

    def _defining(self, hook: str) -> list[Callback]:
        return [callback for callback in self.callbacks if _defines(callback, hook)]

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Call the older hook of every callback."""
        logs = {} if logs is None else logs
        for callback in self.callbacks:
            callback.on_batch_begin(batch, logs=logs)

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Call the older hook of every callback."""
        logs = {} if logs is None else logs
        for callback in self.callbacks:
            callback.on_batch_end(batch, logs=logs)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Call every callback."""
        logs = {} if logs is None else logs
        for callback in self.callbacks:
            callback.on_epoch_begin(epoch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Call every callback; they share the logs, so one may add values for those after it."""
        logs = {} if logs is None else logs
        for callback in self.callbacks:
            callback.on_epoch_end(epoch, logs)

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Call every callback."""
        logs = {} if logs is None else logs
        for callback in self.callbacks:
            callback.on_train_batch_begin(batch, logs=logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Call every callback."""
        logs = {} if logs is None else logs
        for callback in self.callbacks:
            callback.on_train_batch_end(batch, logs=logs)

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Call every callback."""
        logs = {} if logs is None else logs
        for callback in self.callbacks:
            callback.on_test_batch_begin(batch, logs=logs)

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Call every callback."""
        logs = {} if logs is None else logs
        for callback in self.callbacks:
            callback.on_test_batch_end(batch, logs=logs)

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Call every callback."""
        logs = {} if logs is None else logs
        for callback in self.callbacks:
            callback.on_predict_batch_begin(batch, logs=logs)

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Call every callback."""
        logs = {} if logs is None else logs
        for callback in self.callbacks:
            callback.on_predict_batch_end(batch, logs=logs)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Call every callback."""
        logs = {} if logs is None else logs
        for callback in self.callbacks:
            callback.on_train_begin(logs)

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Call every callback."""
        logs = {} if logs is None else logs
        for callback in self.callbacks:
            callback.on_train_end(logs)

    def on_train_interrupted(self, error: BaseException) -> None:
        """Call every callback; one that fails is noted on the error and does not keep the others from it."""
        for callback in self.callbacks:
            try:
                callback.on_train_interrupted(error)
            except Exception as second:
                error.add_note(f"{type(callback).__name__}.on_train_interrupted failed too: {second!r}")

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Call every callback."""
        logs = {} if logs is None else logs
        for callback in self.callbacks:
            callback.on_test_begin(logs)

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Call every callback."""
        logs = {} if logs is None else logs
        for callback in self.callbacks:
            callback.on_test_end(logs)

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Call every callback."""
        logs = {} if logs is None else logs
        for callback in self.callbacks:
            callback.on_predict_begin(logs)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Call every callback."""
        logs = {} if logs is None else logs
        for callback in self.callbacks:
            callback.on_predict_end(logs)


def _defines(callback: Callback, hook: str) -> bool:
    """Whether a callback's class or the object itself (as of `LambdaCallback`) has its own hook."""
    if isinstance(callback, CallbackList):
        return callback.overrides(hook)
    if getattr(getattr(callback, hook), "__func__", None) is not getattr(Callback, hook):
        return True
    return hook in _ALIASES and _defines(callback, _ALIASES[hook])
