"""One row or more per optimizer class: the arguments to make it, with a rate at which it descends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from layerkit import optimizers


@dataclass(frozen=True)
class Sample:
    """How to try an optimizer."""

    cls: type
    arguments: dict[str, Any] = field(default_factory=dict)
    elementwise: bool = True
    """Whether an element's update depends on that element alone."""
    rests: bool = True
    """Whether nothing moves at a learning rate of 0."""
    inner: Callable[[], dict[str, Any]] = dict
    """Makes the arguments that are optimizers; such a one leaves the options of the base to those."""

    @property
    def wraps(self) -> bool:
        return self.inner is not dict

    def make(self, **more: Any) -> optimizers.Optimizer:
        return self.cls(**{**self.arguments, **self.inner(), **more})

    def __str__(self) -> str:
        return f"{self.cls.__name__}{self.arguments}"


def in_a_scale() -> dict[str, Any]:
    return {"inner_optimizer": optimizers.SGD(0.1, name="inner")}


def in_a_map() -> dict[str, Any]:
    first, rest = optimizers.SGD(0.1, name="first"), optimizers.Adam(0.1, name="rest")
    return {"optimizer_map": optimizers.OptimizerMap(rest, {"v": first})}


SAMPLES = [
    Sample(optimizers.SGD, {"learning_rate": 0.05}),
    Sample(optimizers.SGD, {"learning_rate": 0.02, "momentum": 0.8, "nesterov": True}),
    Sample(optimizers.RMSprop, {"learning_rate": 0.05}),
    Sample(optimizers.RMSprop, {"learning_rate": 0.05, "centered": True, "momentum": 0.3}),
    Sample(optimizers.Adam, {"learning_rate": 0.1}),
    Sample(optimizers.Adam, {"learning_rate": 0.1, "amsgrad": True}),
    Sample(optimizers.AdamW, {"learning_rate": 0.1}),
    Sample(optimizers.Adamax, {"learning_rate": 0.1}),
    Sample(optimizers.Nadam, {"learning_rate": 0.1}),
    Sample(optimizers.Adagrad, {"learning_rate": 0.5}),
    Sample(optimizers.Adadelta, {"learning_rate": 20.0}),
    Sample(optimizers.Ftrl, {"learning_rate": 0.5}),
    Sample(optimizers.Lion, {"learning_rate": 0.05}),
    Sample(optimizers.Adafactor, {"learning_rate": 0.5}, elementwise=False),
    Sample(optimizers.Lamb, {"learning_rate": 0.2}, elementwise=False),
    Sample(optimizers.Muon, {"learning_rate": 0.2}, elementwise=False),
    Sample(optimizers.ScheduleFreeAdamW, {"learning_rate": 0.1}, rests=False),
    Sample(optimizers.LossScaleOptimizer, {"initial_scale": 1.0}, elementwise=False, inner=in_a_scale),
    Sample(optimizers.MultiOptimizer, inner=in_a_map),
]
