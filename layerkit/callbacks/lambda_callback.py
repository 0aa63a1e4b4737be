"""A callback made of functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from layerkit.callbacks.callback import Callback
from layerkit.errors import unknown_name


class LambdaCallback(Callback):
    """Call functions in place of hooks.

    Args:
        on_epoch_begin, on_epoch_end: called with `epoch, logs`.
        on_train_begin, on_train_end: called with `logs`.
        on_train_batch_begin, on_train_batch_end: called with `batch, logs`, `logs` by keyword.
        **kwargs: functions for other hooks of `Callback`, by name.

    Raises:
        UnknownNameError: there is no such hook.
        TypeError: a value cannot be called.

    Example:
        >>> callback = LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs))
    """

    def __init__(
        self,
        on_epoch_begin: Callable | None = None,
        on_epoch_end: Callable | None = None,
        on_train_begin: Callable | None = None,
        on_train_end: Callable | None = None,
        on_train_batch_begin: Callable | None = None,
        on_train_batch_end: Callable | None = None,
        **kwargs: Any,
    ):
        super().__init__()
        functions = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
            **kwargs,
        }
        hooks = [name for name in vars(Callback) if name.startswith("on_")]
        for name, function in functions.items():
            if function is None:
                continue
            if name not in hooks:
                raise unknown_name("hook of a callback", name, hooks)
            if not callable(function):
                raise TypeError(f"`{name}` must be a function, got {function!r}.")
            setattr(self, name, function)
