"""Training that goes on after it was killed."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from layerkit.callbacks.callback import Callback, Logs


class BackupAndRestore(Callback):
    """Save weights, the optimizer's state and the epoch's number, and go on from them when `fit` is called again.

    A run that was killed goes on at the start of the epoch of the last backup. Files appear whole, so a kill while one
    is written leaves the one before.

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
        self._weights = Path(self.backup_dir) / "latest.weights.h5"
        self._metadata = Path(self.backup_dir) / "training_metadata.json"
        self._epoch = 0
        self._batches_since_save = 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Take the backup, if there is one. Raises ValueError for a model that is not built."""
        if not self.model.built:
            raise ValueError(f"BackupAndRestore needs a built model: build {self.model.name!r}, or call it on a batch.")
        try:
            self._restore(self._weights, self._metadata)
        except (OSError, ValueError):
            if not _previous(self._weights).exists():
                raise
            self._restore(_previous(self._weights), _previous(self._metadata))

    def _restore(self, weights: Path, metadata: Path) -> None:
        if not weights.exists():
            return
        optimizer = self.model.optimizer
        if optimizer is not None and not optimizer.built:
            optimizer.build(self.model.trainable_variables)
        self.model.load_weights(os.fspath(weights))
        if metadata.exists():
            self._epoch = int(json.loads(metadata.read_text())["epoch"])
            self.model._initial_epoch = self._epoch

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Note the epoch that a backup of batches belongs to."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Save after so many batches."""
        if self.save_freq == "epoch":
            return
        self._batches_since_save += 1
        if self._batches_since_save >= self.save_freq:
            self._batches_since_save = 0
            self._save(batch)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Save, if `save_freq` is "epoch"."""
        self._epoch = epoch + 1
        if self.save_freq == "epoch":
            self._save(0)

    def _save(self, batch: int) -> None:
        os.makedirs(self.backup_dir, exist_ok=True)
        if self.double_checkpoint:
            for path in (self._weights, self._metadata):
                if path.exists():
                    shutil.copy(path, _previous(path))
        self.model.save_weights(os.fspath(self._weights), overwrite=True)
        # Renamed when it is whole: after a kill the metadata are the old ones, and the epoch is trained again.
        new = self._metadata.with_name(f"{self._metadata.name}.new")
        new.write_text(json.dumps({"epoch": self._epoch, "batch": batch}))
        os.replace(new, self._metadata)

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Remove the folder, if that was asked for."""
        if self.delete_checkpoint and os.path.isdir(self.backup_dir):
            shutil.rmtree(self.backup_dir)


def _previous(path: Path) -> Path:
    """Where the backup before the last one is."""
    return path.with_name(f"previous.{path.name}")
