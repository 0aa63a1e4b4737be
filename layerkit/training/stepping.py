"""The steps of training, evaluation and prediction: forward, loss, gradients, optimizer, metrics."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

from layerkit import ops, tree
from layerkit.data import unpack_x_y_sample_weight
from layerkit.dtypes import floatx
from layerkit.graph import Tensor
from layerkit.metrics import Metric
from layerkit.ops.reduction import size_constant
from layerkit.tracing import GradientTape
from layerkit.training.compilation import Compilation
from layerkit.training.compiled_metrics import CompiledMetrics
from layerkit.training.steps import EagerStep, Step


class Stepping:
    """What a step computes, in methods that a model may override, and the compiled steps."""

    _compilation: Compilation | None = None
    _steps: dict[str, Step | EagerStep] | None = None
    optimizer: Any = None

    @property
    def compiled(self) -> bool:
        """Whether `compile` was called."""
        return self._compilation is not None

    # Metrics

    @property
    def metrics(self) -> list[Metric]:
        """The mean loss, the metrics of `compile`, the mean of each loss, then those of the model and its layers."""
        found: list[Metric] = self._compilation.own_metrics() if self.compiled else []
        found.extend(self._metrics)
        for layer in self._flatten_layers(include_self=False):
            # What an inner model was compiled with does not count here.
            found.extend(metric for metric in layer._metrics if not any(metric is known for known in found))
        return found

    @property
    def metrics_names(self) -> list[str]:
        """The names of `metrics`."""
        return [metric.name for metric in self.metrics]

    def reset_metrics(self) -> None:
        """Let all metrics forget their batches."""
        for metric in self.metrics:
            metric.reset_state()

    def get_metrics_result(self) -> dict[str, Any]:
        """Name -> value of all metrics: tensors, so that a `train_step` can give it."""
        found: dict[str, Any] = {}
        for metric in self.metrics:
            if isinstance(metric, CompiledMetrics) and not metric.built:
                continue
            result = metric.result()
            found.update(result if isinstance(result, dict) else {metric.name: result})
        return found

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """Update the metrics of `compile` with a batch and give all results; a subclass may do otherwise."""
        self._update_metrics(y, y_pred, sample_weight)
        return self.get_metrics_result()

    def _update_metrics(self, y: Any, y_pred: Any, sample_weight: Any) -> None:
        if self._compilation.metrics is not None:
            self._compilation.metrics.update_state(y, y_pred, sample_weight)

    # Loss

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Tensor:
        """The total loss of a batch: what `compile` got, and the losses of layers and regularizers. May be overridden.

        Raises:
            ValueError: there is no loss at all.
        """
        parts = []
        if self._compilation.loss is not None:
            value = self._compilation.loss(y, y_pred, sample_weight)
            if value is not None:
                parts.append(value)
        parts.extend(ops.sum(ops.cast(loss, floatx())) for loss in self.losses)
        if not parts:
            raise ValueError(f"Model {self.name!r} has no loss: pass `loss` to `compile()`, or use `add_loss`.")
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        return total

    def _loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: bool) -> Tensor:
        given = {"x": x, "y": y, "y_pred": y_pred, "sample_weight": sample_weight}
        if "training" in inspect.signature(self.compute_loss).parameters:
            given["training"] = training
        return self.compute_loss(**given)

    # Steps

    def train_step(self, data: Any) -> dict[str, Any]:
        """One step of training: what `fit` compiles. A subclass may override it.

        Args:
            data: x, (x, y) or (x, y, sample_weight).

        Returns:
            Name -> value, shown as the step's logs.
        """
        return self._train(data) or self.get_metrics_result()

    def _train(self, data: Any) -> dict[str, Any] | None:
        """The step. Gives logs where `compute_metrics` is the user's; others are read from the metrics when wanted."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        variables = self.trainable_variables
        with GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self._loss(x, y, y_pred, sample_weight, training=True)
            scaled = self.optimizer.scale_loss(loss) if variables else loss
        self._compilation.loss_tracker.update_state(loss, sample_weight=_batch_size(x))
        if variables:
            self.optimizer.apply(tape.gradient(scaled, variables), variables)
        else:
            warnings.warn(f"Model {self.name!r} has no trainable weights.", stacklevel=2)
        return self._metrics_of_step(x, y, y_pred, sample_weight)

    def _metrics_of_step(self, x: Any, y: Any, y_pred: Any, sample_weight: Any) -> dict[str, Any] | None:
        if type(self).compute_metrics is not Stepping.compute_metrics:
            return self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)
        self._update_metrics(y, y_pred, sample_weight)
        return None

    def test_step(self, data: Any) -> dict[str, Any]:
        """One step of evaluation: what `evaluate` compiles. A subclass may override it."""
        return self._test(data) or self.get_metrics_result()

    def _test(self, data: Any) -> dict[str, Any] | None:
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        y_pred = self(x, training=False)
        loss = self._loss(x, y, y_pred, sample_weight, training=False)
        self._compilation.loss_tracker.update_state(loss, sample_weight=_batch_size(x))
        return self._metrics_of_step(x, y, y_pred, sample_weight)

    def predict_step(self, data: Any) -> Any:
        """One step of prediction: what `predict` compiles. A subclass may override it."""
        x, _, _ = unpack_x_y_sample_weight(data)
        return self(x, training=False)

    def _step(self, kind: str) -> Step | EagerStep:
        """The step, compiled unless `run_eagerly` is set: "train", "test" or "predict"."""
        if self._steps is None:
            object.__setattr__(self, "_steps", {})
        step = self._steps.get(kind)
        if step is None:
            function = self._step_function(kind)
            made = EagerStep(function) if self.run_eagerly else Step(function, f"{kind}_step", lazy=kind == "predict")
            step = self._steps[kind] = made
        return step

    def _step_function(self, kind: str) -> Any:
        cls = type(self)
        # A step of the library gives nothing where its logs are in the metrics.
        if kind == "train" and cls.train_step is Stepping.train_step:
            return self._train
        if kind == "test" and cls.test_step is Stepping.test_step:
            return self._test
        return getattr(self, f"{kind}_step")

    def _forget_steps(self) -> None:
        object.__setattr__(self, "_steps", None)

    def make_train_function(self, force: bool = False) -> Any:
        """The compiled training step, made anew if `force`."""
        return self._made("train", force)

    def make_test_function(self, force: bool = False) -> Any:
        """The compiled evaluation step, made anew if `force`."""
        return self._made("test", force)

    def make_predict_function(self, force: bool = False) -> Any:
        """The compiled prediction step, made anew if `force`."""
        return self._made("predict", force)

    def _made(self, kind: str, force: bool) -> Any:
        if force and self._steps is not None:
            self._steps.pop(kind, None)
        return self._step(kind).run


def _batch_size(x: Any) -> Tensor:
    sizes = [leaf.shape[0] if leaf.shape else 1 for leaf in tree.flatten(x) if leaf is not None]
    return size_constant(sizes[0] if sizes else 1, floatx())
