"""The learning rates that callbacks read and set."""

from __future__ import annotations

from typing import Any

from layerkit.callbacks.callback import Logs


def inner_optimizers(model: Any) -> list[tuple[Any, str]]:
    """The model's optimizer, or the several of a multi-optimizer, each with its name (empty for a single one).

    Raises:
        ValueError: an optimizer has no learning rate.
    """
    optimizer = model.optimizer
    several = getattr(optimizer, "optimizers", None)
    found = [(optimizer, "")] if several is None else [(one, one.name) for one in several]
    for one, _ in found:
        if not hasattr(one, "learning_rate"):
            raise ValueError(f'Optimizer must have a "learning_rate" attribute, {type(one).__name__} has none.')
    return found


def log_learning_rates(model: Any, logs: Logs | None) -> None:
    """Add the current learning rates to the logs of an epoch."""
    if logs is None:
        return
    for optimizer, name in inner_optimizers(model):
        logs[f"learning_rate_{name}" if name else "learning_rate"] = float(optimizer.learning_rate)
