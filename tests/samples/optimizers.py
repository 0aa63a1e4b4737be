"""One row or more per optimizer class: the arguments to make it, with a rate at which it descends."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from layerkit import optimizers


@dataclass(frozen=True)
class Sample:
    """How to try an optimizer."""

    cls: type
    arguments: dict[str, Any] = field(default_factory=dict)

    def make(self, **more: Any) -> optimizers.Optimizer:
        return self.cls(**{**self.arguments, **more})

    def __str__(self) -> str:
        return f"{self.cls.__name__}{self.arguments}"


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
]
