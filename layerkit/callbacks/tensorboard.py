"""Curves, histograms and pictures of training for TensorBoard."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Iterator
from types import MethodType
from typing import Any

import numpy as np

from layerkit import config
from layerkit.callbacks.callback import Callback, Logs
from layerkit.callbacks.event_files import EventFileWriter
from layerkit.callbacks.optimizers import log_learning_rates


class TensorBoard(Callback):
    """Write losses, metrics and weights to event files that TensorBoard shows (`tensorboard --logdir logs`).

    Needs neither TensorFlow nor TensorBoard. The run `train` gets `epoch_loss`, `epoch_learning_rate` and the like,
    the run `validation` the same of validation, and after each validation or `evaluate` also
    `evaluation_loss_vs_iterations`, whose steps are the optimizer's.

    Args:
        log_dir: the folder of both runs; best one of its own for each training.
        histogram_freq: write histograms of the weights after every so many epochs, 0 for none.
        write_graph: write the architecture of a functional or sequential model, which the tab "Graphs" draws. Of a
            subclassed model nothing is written, for it is Python code; a graph of the training step, as Keras has it
            with TensorFlow alone, is never written.
        write_images: write the weights as images too, whenever histograms are written.
        write_steps_per_second: write `epoch_steps_per_second`, and where batches are written `batch_steps_per_second`.
        update_freq: "epoch"; or "batch" or a number of batches, after which `batch_loss` and the like, with the
            values since the epoch's begin, are written too. Unlike with Keras the values of epochs and evaluations
            are always written, whichever batch was last.
        profile_batch: 0. There is no profiler for TensorBoard.
        embeddings_freq: 0. There are no files for TensorBoard's projector.
        embeddings_metadata: None.
        **former: `batch_size` and `write_grads` of Keras 2, which change nothing any more: a warning says so.

    Raises:
        TypeError: an argument is not known.
        ValueError: `update_freq` is none of these.
        NotImplementedError: profiling or embeddings were asked for.

    Example:
        >>> callback = TensorBoard("logs", histogram_freq=1, update_freq=100)
    """

    def __init__(
        self,
        log_dir: str | os.PathLike = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: str | int = "epoch",
        profile_batch: int | tuple[int, int] | str = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: Any = None,
        **former: Any,
    ):
        super().__init__()
        _check_former(former)
        _refuse_what_is_not_written(profile_batch, embeddings_freq, embeddings_metadata)
        if write_images and not histogram_freq:
            warnings.warn(
                "TensorBoard: write_images=True writes images together with histograms, and histogram_freq=0 writes "
                "none. Pass histogram_freq=1 for both after every epoch.",
                stacklevel=2,
            )
        self.log_dir = os.fspath(log_dir)
        self.histogram_freq = histogram_freq
        self.write_graph = write_graph
        self.write_images = write_images
        self.write_steps_per_second = write_steps_per_second
        self.update_freq = _batches(update_freq)
        self._writers: dict[str, EventFileWriter] = {}
        self._training = False
        self._global_train_batch = 0
        self._epoch_start = (0.0, 0)  # time, iterations
        self._batch_start = 0.0
        if self.update_freq == "epoch":
            self._leave_batches_alone()

    def set_model(self, model: Any) -> None:
        """Begin new files, which are opened when there is something to write."""
        self._close()
        super().set_model(model)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Write the architecture."""
        self._training = True
        self._global_train_batch = 0
        if self.write_graph:
            self._write_model()

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Close the files."""
        self._training = False
        self._close()

    def on_train_interrupted(self, error: BaseException) -> None:
        """Close the files."""
        self._training = False
        self._close()

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Take the time."""
        if self.write_steps_per_second:
            self._epoch_start = time.perf_counter(), self._iterations()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write the epoch's values and, where it is their turn, the weights."""
        if logs:
            self._write_epoch(epoch, logs)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._write_weights(epoch)
        for writer in self._writers.values():
            writer.flush()

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Count, and take the time."""
        self._global_train_batch += 1
        self._batch_start = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Write the batch's values if it is one of those to write."""
        step = self._global_train_batch
        if self.update_freq == "epoch" or step % self.update_freq:
            return
        values = dict(logs or {})
        if self.write_steps_per_second:
            values["steps_per_second"] = 1 / max(time.perf_counter() - self._batch_start, 1e-9)
        self._write_scalars("train", "batch_{}", values, step)

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Write the evaluation's values against the optimizer's steps."""
        if logs and hasattr(self.model.optimizer, "iterations"):
            self._write_scalars("validation", "evaluation_{}_vs_iterations", logs, self._iterations())
        if self._training:
            return
        self._close()

    def _leave_batches_alone(self) -> None:
        """Take back the hooks of batches, so that `fit` need not stop for them; a subclass keeps those of its own."""
        for hook in ("on_train_batch_begin", "on_train_batch_end"):
            if getattr(type(self), hook) is getattr(TensorBoard, hook):
                setattr(self, hook, MethodType(getattr(Callback, hook), self))

    def _writer(self, run: str) -> EventFileWriter:
        if run not in self._writers:
            self._writers[run] = EventFileWriter(os.path.join(self.log_dir, run))
        return self._writers[run]

    def _close(self) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers = {}

    def _iterations(self) -> int:
        return int(np.asarray(self.model.optimizer.iterations))

    def _write_model(self) -> None:
        # By their names, as the models stand on the callbacks: a subclass's config need not be one of layers.
        if type(self.model).__name__ not in ("Functional", "Sequential"):
            return
        try:
            text = self.model.to_json()
        except (TypeError, ValueError, NotImplementedError) as error:
            warnings.warn(f"TensorBoard: the model's graph is not written, for it has no JSON: {error}", stacklevel=2)
            return
        self._writer("train").keras_model("keras", text, step=0)
        self._writer("train").flush()

    def _write_epoch(self, epoch: int, logs: Logs) -> None:
        train = {name: value for name, value in logs.items() if not name.startswith("val_")}
        validation = {name[4:]: value for name, value in logs.items() if name.startswith("val_")}
        if hasattr(self.model.optimizer, "learning_rate"):
            log_learning_rates(self.model, train)
        if self.write_steps_per_second:
            began, iterations = self._epoch_start
            train["steps_per_second"] = (self._iterations() - iterations) / max(time.perf_counter() - began, 1e-9)
        self._write_scalars("train", "epoch_{}", train, epoch)
        self._write_scalars("validation", "epoch_{}", validation, epoch)

    def _write_scalars(self, run: str, tag: str, logs: Logs, step: int) -> None:
        for name, value in logs.items():
            for part, number in _numbers(value):
                self._writer(run).scalar(tag.format(name) + part, number, step)

    def _write_weights(self, epoch: int) -> None:
        writer = self._writer("train")
        for layer in self.model.layers:
            for weight in layer.weights:
                name, values = weight.path.replace(":", "_"), np.asarray(weight)
                writer.histogram(f"{name}/histogram", values, epoch)
                images = _as_images(values) if self.write_images else None
                if images is not None:
                    writer.images(f"{name}/image", images, epoch)


def _refuse_what_is_not_written(profile_batch: Any, embeddings_freq: Any, embeddings_metadata: Any) -> None:
    if profile_batch not in (0, None, "0", (0, 0), [0, 0]):
        raise NotImplementedError(
            f"TensorBoard(profile_batch={profile_batch!r}) is not supported: a training step is one native call, in "
            "which TensorBoard's profiler sees nothing. Leave it at 0, and see how fast training is by "
            "write_steps_per_second=True, or take a system profiler (as `perf`)."
        )
    if embeddings_freq or embeddings_metadata is not None:
        raise NotImplementedError(
            "TensorBoard(embeddings_freq, embeddings_metadata) is not supported: its projector reads TensorFlow's "
            "checkpoints. Write the vectors (`layer.get_weights()[0]`) to a .tsv file by numpy.savetxt and load it "
            "in TensorBoard's projector."
        )


def _check_former(arguments: dict[str, Any]) -> None:
    unknown = sorted(arguments.keys() - {"batch_size", "write_grads"})
    if unknown:
        raise TypeError(f"TensorBoard takes no argument {unknown[0]!r}.")
    if arguments:
        warnings.warn(
            f"TensorBoard: {' and '.join(sorted(arguments))} of Keras 2 change nothing any more: gradients are not "
            "written, and histograms are of weights, for which no batches are needed.",
            stacklevel=3,
        )


def _batches(update_freq: str | int) -> str | int:
    if update_freq == "batch":
        return 1
    whole = isinstance(update_freq, int | np.integer) and not isinstance(update_freq, bool)
    if update_freq == "epoch" or (whole and update_freq > 0):
        return update_freq
    raise ValueError(
        f"TensorBoard: `update_freq` must be 'epoch', 'batch' or a positive number of batches, got {update_freq!r}."
    )


def _numbers(value: Any) -> Iterator[tuple[str, float]]:
    """The numbers of a metric's value, those of one with several (as a score for each class) by their places."""
    values = np.asarray(value)
    if values.ndim == 0:
        yield "", float(values)
        return
    for place, number in enumerate(values.ravel()):
        yield f"/{place}", float(number)


def _as_images(values: np.ndarray) -> np.ndarray | None:
    """A weight as images (batch, height, width, channels), laid out as Keras does; None where it is not one.

    A vector is a row, a matrix one image that is wider than high, a kernel of three axes an image for each filter.
    """
    values = np.squeeze(values)
    if values.ndim == 1:
        values = values[None, :, None, None]
    elif values.ndim == 2:
        values = (values.T if values.shape[0] > values.shape[1] else values)[None, :, :, None]
    elif values.ndim == 3:
        filters = values.transpose(2, 0, 1) if config.image_data_format() == "channels_last" else values
        values = filters[..., None]
    return values if values.ndim == 4 and values.shape[-1] in (1, 3, 4) and values.size else None
