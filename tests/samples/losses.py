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


def memberships(random: np.random.Generator, shape: tuple) -> tuple[np.ndarray, np.ndarray]:
    return random.uniform(0.1, 0.9, shape), random.uniform(0.1, 0.9, shape)


def embeddings(random: np.random.Generator, shape: tuple) -> tuple[np.ndarray, np.ndarray]:
    """Two samples or more of each of two classes, with vectors of norm 1."""
    vectors = random.normal(size=shape)
    return np.arange(shape[0]) % 2, vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def sequences(random: np.random.Generator, shape: tuple) -> tuple[np.ndarray, np.ndarray]:
    """Labels, and logits of steps enough for them."""
    return random.integers(1, 4, shape), random.normal(size=(shape[0], 2 * shape[1] + 2, 4))


@dataclass(frozen=True)
class Sample:
    """How to try a loss."""

    cls: type
    data: Callable
    arguments: dict[str, Any] = field(default_factory=dict)
    compares: bool = False
    """Whether it compares the samples of a batch with each other."""

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
    Sample(losses.Dice, memberships, {"axis": (1,)}),
    Sample(losses.Tversky, memberships, {"alpha": 0.3, "beta": 0.8, "axis": [1]}),
    Sample(losses.Circle, embeddings, {"gamma": 2.0}, compares=True),
    Sample(losses.CTC, sequences),
    Sample(losses.CategoricalGeneralizedCrossEntropy, labels, {"q": 0.7}),
    Sample(losses.LossFunctionWrapper, real, {"fn": losses.mean_squared_error}),
]
