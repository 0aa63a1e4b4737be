"""Save the model while it is trained."""

from __future__ import annotations

import os
import warnings
from typing import Any

import numpy as np

from layerkit.callbacks.callback import Logs
from layerkit.callbacks.monitor import MonitorCallback
from layerkit.checks import check_numbers


class ModelCheckpoint(MonitorCallback):
    """Save the model or its weights at intervals.

    Args:
        filepath: where to; a format string with `epoch` (from 1), `batch` and the names in the logs, for
            example `"model_{epoch:02d}_{val_loss:.2f}.h5"`. Ends in `.weights.h5` for weights, else `.keras` or `.h5`;
            `.h5` for weights, and `.hdf5`, give files of Keras 2's layout.
        monitor: name of a loss or metric, for `save_best_only`.
        verbose: 1 prints what is done.
        save_best_only: save only when the monitored value improved.
        save_weights_only: save weights, not the whole model.
        mode: `"min"`, `"max"` or `"auto"`.
        save_freq: `"epoch"`, or a number of batches.
        initial_value_threshold: the value that the first save has to be better than.

    Raises:
        ValueError: the path's ending or `save_freq` is not as above.

    Example:
        >>> callback = ModelCheckpoint("epoch-{epoch:02d}.weights.h5", save_weights_only=True)
    """

    def __init__(
        self,
        filepath: str | os.PathLike,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
    ):
        super().__init__(monitor, mode, initial_value_threshold)
        check_numbers(self, "[-inf, inf]", optional=True, initial_value_threshold=initial_value_threshold)
        self.filepath = os.fspath(filepath)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        self._batches_since_save = 0
        self._last_batch = -1
        self._epoch = 0
        if save_freq != "epoch" and (not isinstance(save_freq, int) or save_freq < 1):
            raise ValueError(
                f"Unrecognized save_freq: {save_freq!r}. Expected 'epoch' or a positive number of batches."
            )
        if save_weights_only and not self.filepath.endswith((".h5", ".hdf5")):
            raise ValueError(
                "When using `save_weights_only=True` in `ModelCheckpoint`, the filepath provided must end in "
                f"`.weights.h5`. Received: filepath={self.filepath}"
            )
        if not save_weights_only and not self.filepath.endswith((".keras", ".h5", ".hdf5")):
            raise ValueError(f"The filepath provided must end in `.keras` or `.h5`. Received: filepath={self.filepath}")

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Note the epoch, for file names."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Save when `save_freq` batches have passed since the last time."""
        if isinstance(self.save_freq, str):
            return
        # Batches may be reported in strides, where one call trains several of them.
        last = self._last_batch if batch > self._last_batch else -1
        self._batches_since_save += batch - last
        self._last_batch = batch
        if self._batches_since_save >= self.save_freq:
            self._batches_since_save = 0
            self._save(self._epoch, batch, logs or {})

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Save if `save_freq` is `"epoch"`."""
        if self.save_freq == "epoch":
            self._save(epoch, None, logs or {})

    def _save(self, epoch: int, batch: int | None, logs: Logs) -> None:
        path = self._path(epoch, batch, logs)
        if not self._worth_saving(epoch, logs, path):
            return
        if os.path.isdir(path):
            raise OSError(
                "Please specify a non-directory filepath for ModelCheckpoint. Filepath used is an existing "
                f"directory: {path}"
            )
        folder = os.path.dirname(path)
        if folder:
            os.makedirs(folder, exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path, overwrite=True)
        else:
            self.model.save(path, overwrite=True)
        self._say(epoch, f"finished saving model to {path}")

    def _worth_saving(self, epoch: int, logs: Logs, path: str) -> bool:
        if not self.save_best_only:
            self._say(epoch, f"saving model to {path}")
            return True
        current = logs.get(self.monitor)
        if current is None:
            warnings.warn(f"Can save best model only with {self.monitor} available.", stacklevel=5)
            return True
        if np.ndim(current) > 0:
            warnings.warn(
                f"Can save best model only when `monitor` is a scalar value. Received: {current}. Falling back to "
                "`save_best_only=False`.",
                stacklevel=5,
            )
            return True
        if self.monitor_op is None:
            self._set_monitor_op()
        before = "None" if self.best is None else f"{self.best:.5f}"
        if not self._is_improvement(current, self.best):
            self._say(epoch, f"{self.monitor} did not improve from {before}")
            return False
        self._say(epoch, f"{self.monitor} improved from {before} to {current:.5f}, saving model to {path}")
        self.best = current
        return True

    def _path(self, epoch: int, batch: int | None, logs: Logs) -> str:
        fields: dict[str, Any] = {"epoch": epoch + 1, **({} if batch is None else {"batch": batch + 1}), **logs}
        try:
            return self.filepath.format(**fields)
        except KeyError as error:
            raise KeyError(
                f'Failed to format this callback filepath: "{self.filepath}". Reason: no value for '
                f"{error.args[0]}; there are {', '.join(fields)}."
            ) from error

    def _say(self, epoch: int, text: str) -> None:
        if self.verbose > 0:
            print(f"\nEpoch {epoch + 1}: {text}")
