"""A list of calls of `keras.ops`, and the makers of their inputs."""

from __future__ import annotations

import numpy as np


class Calls:
    """Calls with inputs from one generator, in their order: new ones go to the end, or all are recorded again.

    Attributes:
        made: (name, args, kwargs) of each call; a name may have dots ("image.resize").
        tolerance: how far results may be from Keras', relative and absolute.
    """

    def __init__(self, seed: int = 0, tolerance: float = 2e-5) -> None:
        self.rng = np.random.default_rng(seed)
        self.made: list[tuple[str, tuple, dict]] = []
        self.tolerance = tolerance

    def add(self, name: str, *args: object, **kwargs: object) -> None:
        """Another call."""
        self.made.append((name, args, kwargs))

    def floats(self, *shape: int, low: float = -2.0, high: float = 2.0) -> np.ndarray:
        """Uniform float32 numbers."""
        return (low + (high - low) * self.rng.random(shape)).astype("float32")

    def positive(self, *shape: int) -> np.ndarray:
        """Numbers from 0.2 to 2."""
        return self.floats(*shape, low=0.2)

    def probabilities(self, *shape: int) -> np.ndarray:
        """Rows of positive numbers that sum to 1."""
        p = self.positive(*shape)
        return p / p.sum(-1, keepdims=True)

    def integers(self, *shape: int, high: int) -> np.ndarray:
        """int32 numbers from 0 to high - 1."""
        return self.rng.integers(0, high, shape).astype("int32")
