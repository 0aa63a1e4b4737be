"""What `compile` notes on a model."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from layerkit import optimizers
from layerkit.metrics import Mean, Metric
from layerkit.serialization import serialize_keras_object
from layerkit.training.compiled_loss import CompiledLoss
from layerkit.training.compiled_metrics import CompiledMetrics


@dataclass
class Compilation:
    """The settings of `compile` and the state that belongs to them."""

    optimizer: Any
    loss: CompiledLoss | None
    metrics: CompiledMetrics | None
    run_eagerly: bool
    jit_compile: bool
    arguments: dict[str, Any]
    loss_tracker: Mean = field(default_factory=lambda: Mean(name="loss"))
    trainable: tuple[bool, ...] = ()
    warned: bool = False

    def own_metrics(self) -> list[Metric]:
        """The mean loss, the metrics, and the mean of each loss."""
        found: list[Metric] = [self.loss_tracker]
        if self.metrics is not None:
            found.append(self.metrics)
        if self.loss is not None:
            found.extend(self.loss.metrics)
        return found

    def config(self) -> dict[str, Any]:
        """The arguments of `compile`, as JSON can hold them."""
        return {name: serialize_keras_object(value) for name, value in self.arguments.items()}


def make_compilation(model: Any, arguments: dict[str, Any], auto_scale_loss: bool) -> Compilation:
    """Check the arguments of `compile` and make what they name.

    Raises:
        ValueError, TypeError: an argument is of no use; the message says which.
    """
    steps = arguments["steps_per_execution"]
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
        raise ValueError(f"`steps_per_execution` must be a positive integer, got {steps!r}.")
    run_eagerly, jit_compile = arguments["run_eagerly"], arguments["jit_compile"]
    if jit_compile not in (True, False, "auto", None):
        raise ValueError(f"`jit_compile` must be True, False or 'auto', got {jit_compile!r}.")
    if run_eagerly and jit_compile is True:
        warnings.warn("`run_eagerly=True` switches compiling off: `jit_compile=True` has no effect.", stacklevel=4)
    # Keras writes jit_compile=False into files where it means "without XLA": that is no wish to run slowly.
    jit_compile = not run_eagerly if jit_compile in ("auto", None) else bool(jit_compile) and not run_eagerly

    def names() -> Sequence[str] | None:
        # Not before the model is built: a Sequential without an Input has no outputs until then.
        return getattr(model, "output_names", None)

    loss, metrics, weighted = arguments["loss"], arguments["metrics"], arguments["weighted_metrics"]
    if auto_scale_loss and getattr(getattr(model, "dtype_policy", None), "name", "") == "mixed_float16":
        raise ValueError("The dtype policy mixed_float16 is not supported, so there is no loss to scale.")
    return Compilation(
        optimizer=optimizers.get(arguments["optimizer"]),
        loss=None if loss is None else CompiledLoss(loss, arguments["loss_weights"], names),
        metrics=None if metrics is None and weighted is None else CompiledMetrics(metrics, weighted, names),
        run_eagerly=bool(run_eagerly),
        jit_compile=jit_compile,
        arguments={**arguments, "run_eagerly": bool(run_eagerly), "jit_compile": jit_compile},
    )
