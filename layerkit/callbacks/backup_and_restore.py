"""Training that goes on after it was killed."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

from layerkit.callbacks.callback import Callback, Logs

_FINGERPRINT_BYTES = 20


class BackupAndRestore(Callback):
    """Save weights, the optimizer's state and the epoch's number, and go on from them when `fit` is called again.

    A run that was killed goes on at the start of the epoch of the last backup, with the weights of that backup: after
    backups of epochs as if nothing had been, while after a backup of a batch that epoch is trained anew. A kill at
    any moment, that of a save too, leaves a backup whose weights and epoch belong together.

    Args:
        backup_dir: a folder for this training alone.
        save_freq: "epoch", or a number of batches.
        double_checkpoint: keep the backup before the last one too, and take it where the last one cannot be read.
        delete_checkpoint: remove the folder when training has ended.

    Raises:
        ValueError: no folder, or another `save_freq`.

    Example:
        >>> callback = BackupAndRestore("backup", save_freq=100)
    """

    def __init__(
        self,
        backup_dir: str | os.PathLike,
        save_freq: str | int = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ):
        super().__init__()
        if not backup_dir:
            raise ValueError("`backup_dir` must name a folder, got an empty name.")
        is_number = isinstance(save_freq, int) and not isinstance(save_freq, bool) and save_freq > 0
        if save_freq != "epoch" and not is_number:
            raise ValueError(f"`save_freq` must be 'epoch' or a number of batches, got {save_freq!r}.")
        self.backup_dir = os.fspath(backup_dir)
        self.save_freq = save_freq
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        folder = Path(self.backup_dir)
        self._weights, self._metadata = folder / "latest.weights.h5", folder / "training_metadata.json"
        self._epoch = 0
        self._batch = 0  # the last one of this epoch that was seen
        self._batches_since_save = 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Take the backup, if there is one. Raises ValueError for a model that is not built."""
        if not self.model.built:
            raise ValueError(f"BackupAndRestore needs a built model: build {self.model.name!r}, or call it on a batch.")
        try:
            self._restore()
        except (OSError, ValueError):
            if not _kept(self._weights).exists():
                raise
            _copy(_kept(self._weights), self._weights)
            _pending(self._metadata).unlink(missing_ok=True)
            if _kept(self._metadata).exists():
                _copy(_kept(self._metadata), self._metadata)
            else:
                self._metadata.unlink(missing_ok=True)
            self._restore()

    def _restore(self) -> None:
        if not self._weights.exists():
            return
        metadata = self._read_metadata()
        optimizer = self.model.optimizer
        if optimizer is not None and not optimizer.built:
            optimizer.build(self.model.trainable_variables)
        self.model.load_weights(os.fspath(self._weights))
        if metadata is not None:
            self._epoch = int(metadata["epoch"])
            self.model._initial_epoch = self._epoch

    def _read_metadata(self) -> dict[str, Any] | None:
        """Those of the weights that are there: a kill between two renames leaves them under their pending name."""
        pending = _pending(self._metadata)
        if pending.exists():
            with contextlib.suppress(ValueError):  # cut off: then the weights are those from before it
                metadata = json.loads(pending.read_text())
                if metadata["weights"] == _fingerprint(self._weights):
                    return metadata
        return json.loads(self._metadata.read_text()) if self._metadata.exists() else None

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Note the epoch that a backup of batches belongs to."""
        self._epoch = epoch
        self._batch = -1

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Save after so many batches, of which one call of this stands for `steps_per_execution`."""
        if self.save_freq == "epoch":
            return
        self._batches_since_save += batch - self._batch
        self._batch = batch
        if self._batches_since_save >= self.save_freq:
            self._batches_since_save = 0
            self._save()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Save, if `save_freq` is "epoch"."""
        self._epoch, self._batch = epoch + 1, 0
        if self.save_freq == "epoch":
            self._save()

    def _save(self) -> None:
        """Write all under other names first; then two renames, between which `_read_metadata` knows what belongs."""
        os.makedirs(self.backup_dir, exist_ok=True)
        if self.double_checkpoint and self._weights.exists():
            for path in (self._weights, self._metadata):
                if path.exists():
                    _copy(path, _kept(path))
        new_weights = self._weights.with_name(f"new.{self._weights.name}")
        self.model.save_weights(os.fspath(new_weights), overwrite=True)
        metadata = {"epoch": self._epoch, "batch": self._batch, "weights": _fingerprint(new_weights)}
        pending = _pending(self._metadata)
        with open(pending, "w") as file:
            json.dump(metadata, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new_weights, self._weights)
        os.replace(pending, self._metadata)

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Remove the folder, if that was asked for."""
        if self.delete_checkpoint and os.path.isdir(self.backup_dir):
            shutil.rmtree(self.backup_dir)


def _kept(path: Path) -> Path:
    """Where the backup before the last one is, as Keras names it."""
    return path.with_name(f"{path.name}.bkp")


def _pending(path: Path) -> Path:
    """Where metadata wait until the weights that they belong to are in place."""
    return path.with_name(f"{path.name}.new")


def _copy(source: Path, target: Path) -> None:
    """A copy that appears whole."""
    part = target.with_name(f"{target.name}.part")
    shutil.copyfile(source, part)
    os.replace(part, target)


def _fingerprint(weights: Path) -> str:
    """The end of a file of weights: there stand its length and the checksum of its content."""
    with open(weights, "rb") as file:
        file.seek(max(0, os.path.getsize(weights) - _FINGERPRINT_BYTES))
        return file.read().hex()
