"""Trainer: what makes a model trainable."""

from __future__ import annotations

import warnings
from typing import Any

from layerkit.callbacks import History
from layerkit.data import class_weight_to_sample_weight
from layerkit.data.convert import as_arrays
from layerkit.dtypes import floatx
from layerkit.errors import NotCompiledError
from layerkit.serialization import deserialize_keras_object
from layerkit.training import loop
from layerkit.training.checks import build_model, check_batch, unknown_arguments
from layerkit.training.compilation import make_compilation
from layerkit.training.compiled_metrics import CompiledMetrics
from layerkit.training.former import FormerMethods
from layerkit.training.stepping import Stepping
from layerkit.training.steps import python_logs


class Trainer(FormerMethods, Stepping):
    """`compile`, `fit`, `evaluate` and `predict`, mixed into models.

    A step (forward, loss, gradients, optimizer, metrics) is traced into one graph, which runs as one native call. It is
    traced again for batches of other shapes or dtypes, after `compile`, and when a `trainable` flag has changed.
    """

    _flags: tuple | None = None
    _checked: tuple | None = None
    loss: Any = None
    stop_training = False
    steps_per_execution = 1
    history: History | None = None

    def __init__(self) -> None:
        """Nothing: a model that was not compiled yet has no state for training."""

    # Compiling

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: bool | str = "auto",
        auto_scale_loss: bool = True,
        **unknown: Any,
    ) -> None:
        """Say how the model is trained. State of an earlier `compile` (metrics, compiled steps) goes.

        Args:
            optimizer: a name or an `Optimizer`.
            loss: a name, a `Loss` or a function of (y_true, y_pred); for several outputs a list by place or a
                dictionary by output names, with None for outputs without a loss.
            loss_weights: what the losses are multiplied by in the sum that is minimized; by place or name.
            metrics: a list of names, `Metric`s or functions; for several outputs by place or name. Sample weights do
                not count for them.
            weighted_metrics: metrics that sample weights and class weights count for.
            run_eagerly: run the Python code of each step on arrays, without compiling: for debugging. Tensors have
                values then, in `call` and in a `train_step`.
            steps_per_execution: the hooks of batches are called once for so many batches.
            jit_compile: accepted as Keras has it, where False means graphs without XLA: steps are compiled unless
                `run_eagerly` is set.
            auto_scale_loss: accepted as Keras has it; it concerns float16, which is not trained in.
            **unknown: raises TypeError.

        Raises:
            TypeError: an argument is not known.
            ValueError, UnknownNameError: an argument is of no use.
        """
        if unknown:
            raise unknown_arguments("compile", unknown, Trainer.compile)
        arguments = {
            "optimizer": optimizer,
            "loss": loss,
            "loss_weights": loss_weights,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
            "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution,
            "jit_compile": jit_compile,
        }
        made = make_compilation(self, arguments, auto_scale_loss)
        # What is saved is the optimizer itself, not the name that it was made of.
        made.arguments["optimizer"] = made.optimizer
        made.trainable = self._trainable_flags()
        object.__setattr__(self, "_compilation", made)
        self.optimizer = made.optimizer
        self.loss = loss
        self.steps_per_execution = steps_per_execution
        self.stop_training = False
        self._forget_steps()
        object.__setattr__(self, "_checked", None)

    @property
    def run_eagerly(self) -> bool:
        """Whether the Python code of each step runs on arrays instead of being compiled."""
        return self.compiled and self._compilation.run_eagerly

    @run_eagerly.setter
    def run_eagerly(self, value: bool) -> None:
        self._require_compiled("run_eagerly")
        self._compilation.run_eagerly = bool(value)
        self._forget_steps()

    @property
    def jit_compile(self) -> bool:
        """What `compile` got for it; steps are compiled unless `run_eagerly` is set."""
        return not self.compiled or self._compilation.jit_compile

    def _require_compiled(self, method: str) -> None:
        if not self.compiled:
            raise NotCompiledError(
                f"Model {self.name!r} is not compiled: call `model.compile(optimizer, loss)` before `{method}()`."
            )

    def get_compile_config(self) -> dict[str, Any]:
        """The arguments of `compile`, as JSON can hold them; empty before it."""
        return self._compilation.config() if self.compiled else {}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Call `compile` with what `get_compile_config` gave; the optimizer gets its state where the model is built."""
        if type(self).compile is not Trainer.compile:
            warnings.warn(
                f"{type(self).__name__} has a `compile()` of its own, so loading did not call it. Define "
                "`get_compile_config()` and `compile_from_config(config)` with it, or call `compile()` yourself.",
                stacklevel=2,
            )
            return
        self.compile(**{name: deserialize_keras_object(value) for name, value in config.items()})
        if self.optimizer is not None and self.built:
            self.optimizer.build(self.trainable_variables)

    # Preparation

    def _trainable_flags(self) -> tuple[bool, ...]:
        layers = self._flatten_layers()
        return tuple([(id(layer), layer._trainable, len(layer._trainable_variables)) for layer in layers])

    def _refresh(self) -> None:
        """Trace the steps again where a `trainable` flag or the layers have changed since they were."""
        flags = self._trainable_flags()
        if flags == self._flags:
            return
        changed = self._flags is not None
        object.__setattr__(self, "_flags", flags)
        if changed:
            self._forget_steps()
            object.__setattr__(self, "_checked", None)

    def _warn_of_changed_flags(self) -> None:
        made = self._compilation
        then = {key: trainable for key, trainable, _ in made.trainable}
        changed = [
            layer.name for layer in self._flatten_layers() if then.get(id(layer), layer._trainable) != layer._trainable
        ]
        if changed and not made.warned:
            made.warned = True
            warnings.warn(
                f"`trainable` of {', '.join(changed)} changed after `compile()`. Training goes by the flags as they "
                "are now; an optimizer whose state was made already has none for weights that became trainable: call "
                "`compile()` again with a new one.",
                stacklevel=4,
            )

    def _prepare(self, x: Any, y: Any, sample_weight: Any, training: bool, adapter: Any = None) -> None:
        """Build what is not built yet, by the shapes of a batch, and check that the batch fits the model.

        Raises:
            ShapeError, DtypeError, ValueError: it does not; the message says what was expected.
        """
        self._warn_of_changed_flags()
        check_batch(self, x, y, sample_weight, adapter)
        if training and self.optimizer is not None:
            self.optimizer.build(self.trainable_variables)
        self._refresh()

    def _prepare_prediction(self, x: Any) -> None:
        """Build what is not built yet, by the shapes of a batch."""
        if not self.built:
            build_model(self, x)
        self._refresh()

    # Loops

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int | str = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool | str = True,
        class_weight: dict[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | list[int] = 1,
        **unknown: Any,
    ) -> History:
        """Train for a number of epochs.

        Args:
            x: inputs: arrays [samples, ...], structures of them, a `PyDataset`, or an iterable of batches.
            y: targets, where x holds arrays.
            batch_size: samples in a batch, 32 by default.
            epochs: the number of the last epoch.
            verbose: 0 shows nothing, 1 (and "auto") a bar, 2 one line an epoch.
            callbacks: callbacks to call on the way.
            validation_split: the share of the samples, from the end, to evaluate on after each epoch.
            validation_data: (x, y) or (x, y, sample_weight), a `PyDataset` or an iterable, to evaluate on.
            shuffle: whether samples come in a new order each epoch; "batch" shuffles inside batches.
            class_weight: class number -> weight.
            sample_weight: weights [samples], or [samples, steps] for sequences.
            initial_epoch: the number of the first epoch, for training that goes on.
            steps_per_epoch: batches in an epoch.
            validation_steps: batches of an evaluation.
            validation_batch_size: samples in a batch of the evaluation; as `batch_size` where None.
            validation_freq: evaluate after every so many epochs, or after the epochs (from 1) of a list.
            **unknown: raises TypeError.

        Returns:
            A `History` with the values of each epoch.

        Raises:
            NotCompiledError: `compile` was not called.
            ShapeError, DtypeError, ValueError, TypeError: the data do not fit the model, or an argument is of no use.
                These come before the first step.
        """
        if unknown:
            raise unknown_arguments("fit", unknown, Trainer.fit)
        self._require_compiled("fit")
        arguments = loop.FitArguments(
            x, y, batch_size, epochs, verbose, callbacks, validation_split, validation_data, shuffle, class_weight,
            sample_weight, initial_epoch, steps_per_epoch, validation_steps, validation_batch_size, validation_freq,
        )  # fmt: skip
        return loop.fit(self, arguments)

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
        **unknown: Any,
    ) -> Any:
        """The loss and the metrics over data.

        Args:
            x: inputs, as of `fit`.
            y: targets, where x holds arrays.
            batch_size: samples in a batch, 32 by default.
            verbose: 0 shows nothing, 1 (and "auto") a bar, 2 a line.
            sample_weight: weights [samples], or [samples, steps] for sequences.
            steps: how many batches to take.
            callbacks: callbacks to call on the way.
            return_dict: give name -> value in place of a list in the order of `metrics_names`.
            **unknown: raises TypeError.

        Returns:
            The loss, or a list of the loss and the metrics, or a dictionary.
        """
        if unknown:
            raise unknown_arguments("evaluate", unknown, Trainer.evaluate)
        self._require_compiled("evaluate")
        logs = loop.evaluate(self, x, y, batch_size, verbose, sample_weight, steps, callbacks)
        return logs if return_dict else self._as_list(logs)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """The model's outputs for data, as arrays [samples, ...] in the structure of its outputs.

        Args:
            x: inputs, as of `fit`.
            batch_size: samples in a batch, 32 by default.
            verbose: 0 shows nothing, 1 (and "auto") a bar, 2 a line.
            steps: how many batches to take.
            callbacks: callbacks to call on the way.
        """
        return loop.predict(self, x, batch_size, verbose, steps, callbacks)

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: dict[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """One step of training; gives the loss and the metrics of this batch alone."""
        self._require_compiled("train_on_batch")
        x, y, sample_weight = self._batch(x, y, sample_weight, class_weight)
        return self._run_on_batch("train", x, y, sample_weight, return_dict)

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """One step of evaluation; gives the loss and the metrics of this batch alone."""
        self._require_compiled("test_on_batch")
        x, y, sample_weight = self._batch(x, y, sample_weight)
        return self._run_on_batch("test", x, y, sample_weight, return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """The model's outputs for one batch, as arrays."""
        x, _, _ = self._batch(x, None, None)
        self._prepare_prediction(x)
        return self._step("predict").run_copied(x)

    def _batch(
        self, x: Any, y: Any, sample_weight: Any, class_weight: dict[int, float] | None = None
    ) -> tuple[Any, Any, Any]:
        x, y = as_arrays(x, "x", floatx()), as_arrays(y, "y", floatx())
        if class_weight is not None:
            if sample_weight is not None:
                raise ValueError("You cannot pass `class_weight` and `sample_weight` at the same time.")
            return x, y, class_weight_to_sample_weight(y, class_weight, floatx())
        return x, y, as_arrays(sample_weight, "sample_weight", floatx())

    def _run_on_batch(self, kind: str, x: Any, y: Any, sample_weight: Any, return_dict: bool) -> Any:
        if self._steps is None or kind not in self._steps:
            self._prepare(x, y, sample_weight, training=kind == "train")
        self._refresh()
        self.reset_metrics()
        logs = self._logs(self._step(kind).run(x, y, sample_weight), of_batch=True)
        return logs if return_dict else self._as_list(logs)

    def _logs(self, given: Any, of_batch: bool = False) -> dict[str, Any]:
        """The logs as Python numbers: what a step of the user's gave, else the results of the metrics.

        For a whole epoch the metrics count where the step's logs have the same names, but for a "loss" that the step
        gave without letting the tracker of `compile` know, whose mean over no batches is 0.
        """
        if not isinstance(given, dict):
            return python_logs(self.get_metrics_result())
        if of_batch:
            return python_logs(given)
        results = self.get_metrics_result()
        if set(results) != set(given):
            return python_logs(given)
        tracker = self._compilation.loss_tracker if self.compiled else None
        if [metric for metric in self.metrics if metric.name == "loss"] == [tracker] and not tracker.count.numpy():
            results["loss"] = given["loss"]
        return python_logs(results)

    def _as_list(self, logs: dict[str, Any]) -> Any:
        """The values in the order of the metrics, then the others by name; a single one by itself."""
        names = []
        for metric in self.metrics:
            names += [one.name for one in metric.metrics] if isinstance(metric, CompiledMetrics) else [metric.name]
        values = [logs[name] for name in names if name in logs]
        values += [logs[name] for name in sorted(logs) if name not in names]
        return values[0] if len(values) == 1 else values
