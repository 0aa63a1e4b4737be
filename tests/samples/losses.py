"""One row or more per loss class: the arguments to make it, and targets and predictions that suit it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from layerkit import losses


def real(random: np.random.Generator, shape: tuple) -> tuple[np.ndarray, np.ndarray]:
    """Numbers whose errors are not near 0 or 1, where some losses have kinks."""
    y_true = random.uniform(-1, 1, shape)
    return y_true, y_true + random.choice([-1, 1], shape) * random.uniform(0.2, 0.7, shape)


def positive(random: np.random.Generator, shape: tuple) -> tuple[np.ndarray, np.ndarray]:
    return random.uniform(0.5, 2, shape), random.uniform(0.5, 2, shape)


def binary(random: np.random.Generator, shape: tuple) -> tuple[np.ndarray, np.ndarray]:
    return random.integers(0, 2, shape).astype(float), random.uniform(0.1, 0.9, shape)


def one_hot(random: np.random.Generator, shape: tuple) -> tuple[np.ndarray, np.ndarray]:
    scores = random.uniform(0.2, 1, shape)
    return np.eye(shape[-1])[random.integers(0, shape[-1], shape[:-1])], scores / scores.sum(-1, keepdims=True)


def labels(random: np.random.Generator, shape: tuple) -> tuple[np.ndarray, np.ndarray]:
    y_true, y_pred = one_hot(random, shape)
    return y_true.argmax(-1), y_pred


@dataclass(frozen=True)
class Sample:
    """How to try a loss."""

    cls: type
    data: Callable
    arguments: dict[str, Any] = field(default_factory=dict)

    def make(self, **more: Any) -> losses.Loss:
        return self.cls(**self.arguments, **more)

    def arrays(self, shape: tuple = (4, 3)) -> tuple[np.ndarray, np.ndarray]:
        return self.data(np.random.default_rng(7), shape)

    def __str__(self) -> str:
        return f"{self.cls.__name__}{self.arguments or ''}"


SAMPLES = [
    Sample(losses.MeanSquaredError, real),
    Sample(losses.MeanAbsoluteError, real),
    Sample(losses.MeanAbsolutePercentageError, positive),
    Sample(losses.MeanSquaredLogarithmicError, positive),
    Sample(losses.Huber, real, {"delta": 0.45}),
    Sample(losses.LogCosh, real),
    Sample(losses.CosineSimilarity, real),
    Sample(losses.Poisson, positive),
    Sample(losses.Hinge, binary),
    Sample(losses.SquaredHinge, binary),
    Sample(losses.CategoricalHinge, one_hot),
    Sample(losses.KLDivergence, one_hot),
    Sample(losses.BinaryCrossentropy, binary),
    Sample(losses.BinaryCrossentropy, binary, {"from_logits": True, "label_smoothing": 0.1}),
    Sample(losses.BinaryFocalCrossentropy, binary, {"apply_class_balancing": True}),
    Sample(losses.CategoricalCrossentropy, one_hot),
    Sample(losses.CategoricalCrossentropy, one_hot, {"from_logits": True, "label_smoothing": 0.1}),
    Sample(losses.CategoricalFocalCrossentropy, one_hot),
    Sample(losses.SparseCategoricalCrossentropy, labels),
    Sample(losses.SparseCategoricalCrossentropy, labels, {"from_logits": True, "ignore_class": 0}),
    Sample(losses.LossFunctionWrapper, real, {"fn": losses.mean_squared_error}),
]
