"""Random tensors: the functions of `keras.random`, and the generators of their keys.

Every draw is a function of a key, two words: a seed and a count of the draws made with it. A `SeedGenerator` holds the
key in a Variable, so draws inside a compiled step follow each other there as they do outside.
"""

from __future__ import annotations

import random as python_random
from collections.abc import Sequence
from typing import Any

import numpy as np

from layerkit.graph.tensor import Tensor
from layerkit.graph.variable import Variable
from layerkit.ops import distributions
from layerkit.ops import random as draws
from layerkit.ops.image import elastic

__all__ = [
    "SeedGenerator", "beta", "binomial", "categorical", "dropout", "gamma", "normal", "randint", "set_seed", "shuffle",
    "truncated_normal", "uniform",
]  # fmt: skip

_seeds = python_random.Random()
_global: SeedGenerator | None = None


class SeedGenerator:
    """Gives a new key for every draw, the same sequence for the same seed.

    Args:
        seed: an integer; None: one that `set_seed` makes predictable.
        name: for messages.

    Attributes:
        state: the Variable, uint32 [2]: the seed and the count of draws.
    """

    def __init__(self, seed: int | None = None, name: str | None = None, **kwargs: object) -> None:
        if kwargs:
            raise TypeError(f"SeedGenerator takes seed and name; got {', '.join(kwargs)}.")
        if seed is None:
            seed = make_default_seed()
        if not isinstance(seed, (int, np.integer)) or isinstance(seed, bool):
            raise ValueError(f"SeedGenerator: seed has to be an integer; got {seed!r} ({type(seed).__name__}).")
        self.seed = int(seed)
        self.name = name or "seed_generator"
        self.state = Variable(
            np.array([self.seed & 0xFFFFFFFF, 0], np.uint32), trainable=False, name=f"{self.name}_state"
        )

    def next(self, ordered: bool = True) -> Tensor:
        """The next key, uint32 [2]; the count of draws goes on by one, inside a trace as a node."""
        key = self.state.value
        self.state.assign(key + np.array([0, 1], np.uint32))
        return key

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"seed": self.seed}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> SeedGenerator:
        """Make a generator from its config."""
        return cls(**config)


def make_default_seed() -> int:
    """A seed for what was given none; `set_seed` makes the sequence of them predictable."""
    return _seeds.randrange(1, 10**9)


def set_seed(seed: int) -> None:
    """Start anew all randomness that was given no seed of its own."""
    global _global
    _seeds.seed(int(seed))
    if _global is None:
        _global = SeedGenerator(seed)
    else:  # a compiled step may hold its Variable
        _global.seed = int(seed)
        _global.state.assign(np.array([int(seed) & 0xFFFFFFFF, 0], np.uint32))


def global_seed_generator() -> SeedGenerator:
    """The generator of draws that were given no seed."""
    global _global
    if _global is None:
        _global = SeedGenerator(name="global_seed_generator")
    return _global


def draw_key(seed: int | SeedGenerator | None) -> Tensor:
    """The key for one draw: of a generator its next, of an integer always the same, of None the global generator's.

    Raises ValueError for anything else.
    """
    if isinstance(seed, SeedGenerator):
        return seed.next()
    if seed is None:
        return global_seed_generator().next()
    if isinstance(seed, (int, np.integer)) and not isinstance(seed, bool):
        return Tensor.of(np.array([int(seed) & 0xFFFFFFFF, 0], np.uint32))
    raise ValueError(f"seed is an integer, a SeedGenerator or None; got {seed!r}.")


# Operations stand below and draw too.
elastic.Keys.draw = staticmethod(draw_key)


def uniform(
    shape: Sequence[int],
    minval: float = 0.0,
    maxval: float = 1.0,
    dtype: object = None,
    seed: int | SeedGenerator | None = None,
) -> Tensor:
    """Numbers of the uniform distribution on [minval, maxval).

    >>> uniform((2, 3), seed=1).shape
    (2, 3)
    """
    return draws.random_uniform(shape, draw_key(seed), minval, maxval, dtype)


def normal(
    shape: Sequence[int],
    mean: float = 0.0,
    stddev: float = 1.0,
    dtype: object = None,
    seed: int | SeedGenerator | None = None,
) -> Tensor:
    """Numbers of the normal distribution."""
    return draws.random_normal(shape, draw_key(seed), mean, stddev, dtype)


def truncated_normal(
    shape: Sequence[int],
    mean: float = 0.0,
    stddev: float = 1.0,
    dtype: object = None,
    seed: int | SeedGenerator | None = None,
) -> Tensor:
    """Numbers of the normal distribution without those further than two deviations from the mean."""
    return draws.random_truncated_normal(shape, draw_key(seed), mean, stddev, dtype)


def randint(
    shape: Sequence[int],
    minval: int,
    maxval: int,
    dtype: object = "int32",
    seed: int | SeedGenerator | None = None,
) -> Tensor:
    """Integers of the uniform distribution from minval to below maxval."""
    return draws.random_integers(shape, draw_key(seed), minval, maxval, dtype)


def categorical(
    logits: object, num_samples: int, dtype: object = "int32", seed: int | SeedGenerator | None = None
) -> Tensor:
    """Class indices [N, num_samples], drawn with the probabilities softmax(logits [N, C])."""
    return draws.random_categorical(logits, num_samples, draw_key(seed), dtype)


def dropout(
    inputs: object,
    rate: float,
    noise_shape: Sequence[int | None] | None = None,
    seed: int | SeedGenerator | None = None,
) -> Tensor:
    """A share `rate` of the elements set to 0, the others scaled so that the expected sum stays."""
    return draws.dropout(inputs, rate, draw_key(seed), noise_shape)


def shuffle(x: object, axis: int = 0, seed: int | SeedGenerator | None = None) -> Tensor:
    """The slices along an axis in random order."""
    return draws.random_permutation(x, draw_key(seed), axis)


def gamma(shape: Sequence[int], alpha: object, dtype: object = None, seed: int | SeedGenerator | None = None) -> Tensor:
    """Numbers of the gamma distribution with shape parameter `alpha`, which broadcasts to the shape, and scale 1.

    It has no gradient by alpha. A negative alpha gives NaN, 0 gives 0.
    """
    return distributions.random_gamma(shape, draw_key(seed), alpha, dtype)


def beta(
    shape: Sequence[int],
    alpha: object,
    beta: object,
    dtype: object = None,
    seed: int | SeedGenerator | None = None,
) -> Tensor:
    """Numbers of the beta distribution with parameters `alpha` and `beta`, which broadcast to the shape.

    It has no gradient by them. A parameter that is not positive gives NaN.
    """
    return distributions.random_beta(shape, draw_key(seed), alpha, beta, dtype)


def binomial(
    shape: Sequence[int],
    counts: object,
    probabilities: object,
    dtype: object = None,
    seed: int | SeedGenerator | None = None,
) -> Tensor:
    """How many of `counts` trials succeed, each with a probability; both broadcast to the shape. Floats.

    Negative counts and probabilities outside [0, 1] give NaN.
    """
    return distributions.random_binomial(shape, draw_key(seed), counts, probabilities, dtype)
