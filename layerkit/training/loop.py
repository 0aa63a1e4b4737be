"""The loops of `fit`, `evaluate` and `predict`.

A loop costs what it is asked for: no call of a callback without a hook, no bar without a terminal, and the metrics are
read from their variables only where somebody looks at them.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from layerkit import config
from layerkit.callbacks import CallbackList, History, ProgbarLogger, Progress
from layerkit.data import EpochIterator, get_adapter, split_validation, unpack_x_y_sample_weight
from layerkit.data.arrays import ArrayAdapter
from layerkit.dtypes import floatx
from layerkit.random import make_default_seed
from layerkit.runtime.kernel_cache import statistics
from layerkit.training.checks import check_batch
from layerkit.training.steps import Collected, copied

IN_VALIDATION_DATA = "In `validation_data`: expected (x, y), (x, y, sample_weight), a PyDataset or an iterable."


@dataclass
class FitArguments:
    """The arguments of `fit`."""

    x: Any
    y: Any
    batch_size: int | None
    epochs: int
    verbose: int | str
    callbacks: Any
    validation_split: float
    validation_data: Any
    shuffle: bool | str
    class_weight: dict[int, float] | None
    sample_weight: Any
    initial_epoch: int
    steps_per_epoch: int | None
    validation_steps: int | None
    validation_batch_size: int | None
    validation_freq: int | list[int]

    def check(self) -> None:
        """Raises ValueError for numbers out of range, and caps the epochs where the settings say so."""
        for name in ("epochs", "initial_epoch"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
                raise ValueError(f"`{name}` must be an integer of at least 0, got {value!r}.")
        cap = config.max_epochs()
        if cap is not None and cap < self.epochs:
            warnings.warn(f"fit runs {cap} of {self.epochs} epochs, for config.set_max_epochs says so.", stacklevel=4)
            self.epochs = cap
        freq = self.validation_freq
        if not isinstance(freq, list | tuple | set) and (not isinstance(freq, int) or freq < 1):
            raise ValueError(f"`validation_freq` must be a positive integer or a list of epochs, got {freq!r}.")

    def validates_after(self, epoch: int) -> bool:
        """Whether an epoch, counted from 0, is followed by an evaluation."""
        freq = self.validation_freq
        return (epoch + 1) % freq == 0 if isinstance(freq, int) else epoch + 1 in freq


def _with_random(**arguments: Any) -> Any:
    """An adapter whose shuffling follows the program's seed."""
    rng = np.random.default_rng(make_default_seed()) if arguments.get("shuffle") else None
    return get_adapter(**arguments, rng=rng, floatx=floatx())


def fit(model: Any, given: FitArguments) -> History:
    """Train a model; see `Trainer.fit`."""
    given.check()
    x, y, sample_weight = given.x, given.y, given.sample_weight
    validation = given.validation_data
    if given.validation_split and validation is None:
        (x, y, sample_weight), validation = split_validation(x, y, sample_weight, given.validation_split, floatx())
    adapter = _with_random(
        x=x,
        y=y,
        sample_weight=sample_weight,
        batch_size=given.batch_size,
        steps_per_epoch=given.steps_per_epoch,
        shuffle=given.shuffle,
        class_weight=given.class_weight,
    )
    evaluation = None if validation is None else _validation_batches(given, validation)
    epochs = EpochIterator(adapter, given.steps_per_epoch)
    batches = _prepared(model, epochs, given.initial_epoch, training=True)
    if evaluation is not None:
        _check_validation(model, evaluation)
    callbacks = _callbacks(
        given.callbacks,
        model,
        history=True,
        verbose=_verbosity(given.verbose),
        epochs=given.epochs,
        steps=epochs.num_batches,
    )
    progress = Progress(_shown(given.verbose, callbacks), epochs.num_batches, given.epochs)
    model.stop_training = False
    logs: dict[str, Any] = {}
    model._initial_epoch = None
    callbacks.on_train_begin()
    first = given.initial_epoch if model._initial_epoch is None else model._initial_epoch
    if first != given.initial_epoch:
        batches = None  # those of another epoch
    try:
        for epoch in range(first, given.epochs):
            model.reset_metrics()
            callbacks.on_epoch_begin(epoch)
            progress.begin(epoch)
            if batches is None:
                batches = epochs.epoch(epoch)
            kernels, seconds = statistics.compiled, statistics.seconds
            logs = _run_epoch(model, "train", batches, callbacks, progress)
            kernels, seconds = statistics.compiled - kernels, statistics.seconds - seconds
            batches = None
            if evaluation is not None and given.validates_after(epoch):
                found = _evaluated(model, evaluation, callbacks, None)
                logs.update({f"val_{name}": value for name, value in found.items()})
            progress.finish(logs, kernels, seconds)
            callbacks.on_epoch_end(epoch, logs)
            if model.stop_training:
                break
    except KeyboardInterrupt:
        # The last whole step stands; what was trained can be used, saved and trained on.
        progress.close()
        callbacks.on_train_end(logs)
        raise
    except BaseException as error:
        progress.close()
        callbacks.on_train_interrupted(error)
        raise
    if model.optimizer is not None and hasattr(model.optimizer, "finalize_variable_values"):
        model.optimizer.finalize_variable_values(model.trainable_variables)
    callbacks.on_train_end(logs)
    return model.history


def evaluate(
    model: Any,
    x: Any,
    y: Any,
    batch_size: int | None,
    verbose: int | str,
    sample_weight: Any,
    steps: int | None,
    callbacks: Any,
) -> dict[str, Any]:
    """The logs of an evaluation; see `Trainer.evaluate`."""
    adapter = _with_random(x=x, y=y, sample_weight=sample_weight, batch_size=batch_size, steps_per_epoch=steps)
    epochs = EpochIterator(adapter, steps)
    called = _callbacks(callbacks, model, verbose=_verbosity(verbose), epochs=1, steps=epochs.num_batches)
    return _evaluated(model, epochs, called, Progress(_shown(verbose, called), epochs.num_batches, label="Evaluate"))


def _evaluated(model: Any, epochs: EpochIterator, callbacks: CallbackList, progress: Progress | None) -> dict[str, Any]:
    batches = _prepared(model, epochs, 0, training=False)
    callbacks.on_test_begin()
    model.reset_metrics()
    if progress is not None:
        progress.begin()
    with nullcontext() if progress is None else _closing(progress):
        logs = _run_epoch(model, "test", batches, callbacks, progress)
    if progress is not None:
        progress.finish(logs)
    callbacks.on_test_end(logs)
    return logs


def predict(model: Any, x: Any, batch_size: int | None, verbose: int | str, steps: int | None, callbacks: Any) -> Any:
    """The outputs for all samples; see `Trainer.predict`."""
    if verbose == 0 and callbacks is None and steps is None and _is_small(x, batch_size):
        # One batch that nobody watches.
        model._prepare_prediction(x)
        return model._step("predict").run_copied(x)
    adapter = _with_random(x=x, batch_size=batch_size, steps_per_epoch=steps)
    epochs = EpochIterator(adapter, steps)
    called = _callbacks(callbacks, model, verbose=_verbosity(verbose), epochs=1, steps=epochs.num_batches)
    progress = Progress(_shown(verbose, called), epochs.num_batches, label="Predict")
    hooks = called.has_predict_batch_hooks
    collected = Collected(adapter.num_samples if steps is None else None)
    called.on_predict_begin()
    progress.begin()
    run = None
    with _closing(progress):
        for number, (inputs, _, _) in enumerate(epochs.epoch(0)):
            if run is None:
                model._prepare_prediction(inputs)
                run = model._step("predict").run
            if hooks:
                called.on_predict_batch_begin(number)
            outputs = run(inputs)
            collected.add(outputs)
            if hooks:
                called.on_predict_batch_end(number, {"outputs": copied(outputs)})
            progress.update(number + 1)
    progress.finish()
    called.on_predict_end()
    return collected.result()


def _is_small(x: Any, batch_size: int | None) -> bool:
    return type(x) is np.ndarray and x.dtype == np.float32 and x.ndim > 1 and 0 < len(x) <= (batch_size or 32)


def _run_epoch(
    model: Any, kind: str, batches: Iterator, callbacks: CallbackList, progress: Progress | None
) -> dict[str, Any]:
    """Run a step on each batch; gives the logs at the end."""
    step = model._step(kind)
    hooks = callbacks.has_train_batch_hooks if kind == "train" else callbacks.has_test_batch_hooks
    if not hooks and model.steps_per_execution == 1:
        number, given = _run_unwatched(model, step.run, batches, progress)
    else:
        begin = callbacks.on_train_batch_begin if kind == "train" else callbacks.on_test_batch_begin
        end = callbacks.on_train_batch_end if kind == "train" else callbacks.on_test_batch_end
        number, given = _run_watched(model, step.run, batches, (begin, end) if hooks else None, progress)
    if progress is not None:
        progress.update(number)
    return model._logs(given)


def _run_unwatched(model: Any, run: Callable, batches: Iterator, progress: Progress | None) -> tuple[int, Any]:
    given, number = None, 0
    if progress is None or progress.verbose != 1:
        for number, (x, y, sample_weight) in enumerate(batches, 1):  # noqa: B007 - the count is used below
            given = run(x, y, sample_weight)
        return number, given
    for number, (x, y, sample_weight) in enumerate(batches, 1):
        given = run(x, y, sample_weight)
        progress.update(number, lambda: model._logs(given, of_batch=True))  # noqa: B023 - called at once or not at all
    return number, given


def _run_watched(
    model: Any, run: Callable, batches: Iterator, hooks: tuple[Callable, Callable] | None, progress: Progress | None
) -> tuple[int, Any]:
    """Batches in strides of `steps_per_execution`, with the hooks before and after each stride."""
    stride, given, number = model.steps_per_execution, None, 0
    while True:
        first = next(batches, None)
        if first is None:
            return number, given
        if hooks:
            hooks[0](number)
        given = run(*first)
        number += 1
        for _ in range(stride - 1):
            batch = next(batches, None)
            if batch is None:
                break
            given = run(*batch)
            number += 1
        if hooks:
            hooks[1](number - 1, model._logs(given, of_batch=True))
        if progress is not None:
            progress.update(number, lambda: model._logs(given, of_batch=True))  # noqa: B023 - called at once or not at all
        if model.stop_training:
            return number, given


class _closing:
    """Takes a bar away where an error ends the loop."""

    def __init__(self, progress: Progress):
        self._progress = progress

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if error is not None:
            self._progress.close()


def _prepared(model: Any, epochs: EpochIterator, epoch: int, training: bool) -> Iterator:
    """The batches of the first epoch, after the model is built and checked by the first of them."""
    adapter = epochs.adapter
    if isinstance(adapter, ArrayAdapter):
        first = next(adapter.batches())
        model._prepare(*first, training=training, adapter=adapter)
        return epochs.epoch(epoch)
    batches = epochs.epoch(epoch)
    first = next(batches)
    model._prepare(*first, training=training)
    return chain([first], batches)


def _validation_batches(given: FitArguments, validation: Any) -> EpochIterator:
    x, y, sample_weight = validation, None, None
    try:
        if isinstance(validation, list | tuple):
            x, y, sample_weight = unpack_x_y_sample_weight(validation)
        adapter = _with_random(
            x=x,
            y=y,
            sample_weight=sample_weight,
            batch_size=given.validation_batch_size or given.batch_size,
            steps_per_epoch=given.validation_steps,
        )
    except (TypeError, ValueError) as error:
        error.add_note(IN_VALIDATION_DATA)
        raise
    return EpochIterator(adapter, given.validation_steps)


def _check_validation(model: Any, evaluation: EpochIterator) -> None:
    """Check validation data that lie in memory before training, whose work an error after an epoch would lose."""
    adapter = evaluation.adapter
    if not isinstance(adapter, ArrayAdapter):
        return
    try:
        check_batch(model, *next(adapter.batches()), adapter)
    except (TypeError, ValueError) as error:
        error.add_note(IN_VALIDATION_DATA)
        raise


def _callbacks(given: Any, model: Any, history: bool = False, **params: Any) -> CallbackList:
    if isinstance(given, CallbackList):
        given.set_model(model)
        given.set_params(params)
        return given
    return CallbackList(given, add_history=history, model=model, **params)


def _shown(verbose: int | str, callbacks: CallbackList) -> int | str:
    """What the loop itself shows: nothing where a callback does."""
    return 0 if any(isinstance(callback, ProgbarLogger) for callback in callbacks.callbacks) else verbose


def _verbosity(verbose: int | str) -> int | str:
    return 1 if verbose == "auto" else verbose
