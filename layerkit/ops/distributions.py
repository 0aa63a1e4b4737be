"""Random numbers of the gamma, beta and binomial distributions: by rejection, so without kernels of their own.

Element i is a function of the key, of i, and of its own parameters: each round of a rejection has a key of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from layerkit.dtypes import is_float, standardize_dtype
from layerkit.errors import DtypeError, ShapeError
from layerkit.graph.operation import Operation, Spec, as_tensor, cast_to
from layerkit.graph.tensor import Shape, Tensor
from layerkit.kernels.threefry import threefry2x32, uniform_float64

FEW_TRIALS = 16
"""Binomials of so many trials are counted one by one."""


class _Distribution(Operation, abstract=True):
    """Draws of a shape from a key (uint32 [2]) and parameters that broadcast to the shape; it has no gradient."""

    shape: tuple[int, ...]
    dtype: str = "float32"
    names: ClassVar[tuple[str, ...]] = ()

    def prepare(self, inputs: Sequence[object]) -> list[Tensor]:
        key, *parameters = inputs
        return [as_tensor(key), *(cast_to(as_tensor(x), "float64") for x in parameters)]

    def infer(self, key: Tensor, *parameters: Tensor) -> Spec:
        if key.shape != (2,) or key.dtype != "uint32":
            raise ShapeError("a key is two words of dtype uint32.")
        for name, x in zip(self.names, parameters, strict=True):
            if not _fits(x.shape, self.shape):
                raise ShapeError(f"{name} of shape {x.shape} does not broadcast to shape {self.shape}.")
        return self.shape, self.dtype

    def reference(self, key: np.ndarray, *parameters: np.ndarray) -> np.ndarray:
        flat = [np.broadcast_to(x, self.shape).reshape(-1) for x in parameters]
        return self.draw((int(key[0]), int(key[1])), *flat).reshape(self.shape).astype(self.dtype)

    def draw(self, key: tuple[int, int], *parameters: np.ndarray) -> np.ndarray:
        """The draws, float64 [n], by parameters [n]."""
        raise NotImplementedError(f"{type(self).__name__} states no draws")


class RandomGamma(_Distribution):
    """Numbers of the gamma distribution with shape parameter alpha and scale 1."""

    names = ("alpha",)

    def draw(self, key: tuple[int, int], alpha: np.ndarray) -> np.ndarray:
        return np.where(alpha == 0, 0, np.exp(_log_gamma(key, alpha)))


class RandomBeta(_Distribution):
    """Numbers of the beta distribution with parameters alpha and beta."""

    names = ("alpha", "beta")

    def draw(self, key: tuple[int, int], alpha: np.ndarray, beta: np.ndarray) -> np.ndarray:
        return _beta(key, alpha, beta)


class RandomBinomial(_Distribution):
    """How many of `counts` trials succeed, each with a probability."""

    names = ("counts", "probabilities")

    def draw(self, key: tuple[int, int], counts: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
        # L. Devroye, "Non-Uniform Random Variate Generation", 1986, X.4.3: which of n uniform numbers is the i-th
        # smallest is a beta variate; those on one side of it are decided, and half of the trials are left.
        n, p = np.floor(counts), probabilities.astype(np.float64)
        bad = ~((n >= 0) & (n < np.inf) & (p >= 0) & (p <= 1))
        n = np.where(bad, 0, n)
        successes = np.zeros(n.shape)
        rounds = 0
        while np.any(n > FEW_TRIALS):
            many = np.flatnonzero(n > FEW_TRIALS)
            size, chance = n[many], p[many]
            middle = np.floor((size + 1) / 2)
            split = _beta(_subkey(key, rounds), middle, size + 1 - middle, many)
            below = split <= chance
            with np.errstate(divide="ignore", invalid="ignore"):  # of the branch that is not taken
                p[many] = np.clip(np.where(below, (chance - split) / (1 - split), chance / split), 0, 1)
            successes[many] += np.where(below, middle, 0)
            n[many] = np.where(below, size - middle, middle - 1)
            rounds += 1
        every = np.arange(n.size)
        for trial in range(FEW_TRIALS):
            successes += (trial < n) & (_uniform(_subkey(key, rounds + trial), every) < p)
        return np.where(bad, np.nan, successes)


def _fits(given: Shape, shape: tuple[int, ...]) -> bool:
    """Whether a shape broadcasts to another."""
    pairs = zip(reversed(given), reversed(shape), strict=False)
    return len(given) <= len(shape) and all(m in (1, n, None) for m, n in pairs)


def _subkey(key: tuple[int, int], at: int) -> tuple[int, int]:
    """A key of a stream of its own; the counters of its making are not those of elements."""
    first, second = threefry2x32(key, np.array([at], np.uint32), np.array([0xFFFFFFFF], np.uint32))
    return int(first[0]), int(second[0])


def _uniform(key: tuple[int, int], places: np.ndarray) -> np.ndarray:
    """Numbers in [0, 1) of the places' counters, float64."""
    places = places.astype(np.uint64)
    low, high = (places & np.uint64(0xFFFFFFFF)).astype(np.uint32), (places >> np.uint64(32)).astype(np.uint32)
    return uniform_float64(*threefry2x32(key, low, high))


def _log_gamma(key: tuple[int, int], alpha: np.ndarray, places: np.ndarray | None = None) -> np.ndarray:
    """Logarithms of gamma variates: those of a small alpha are too small for numbers themselves.

    G. Marsaglia and W. Tsang, "A simple method for generating gamma variables", ACM TOMS 26, 2000. NaN where alpha is
    not positive and finite.
    """
    places = np.arange(alpha.size) if places is None else places
    bad = ~((alpha > 0) & (alpha < np.inf))
    # A variate for alpha is one for alpha + 1 times u ** (1 / alpha).
    small = alpha < 1
    d = np.where(bad, 1, alpha + small) - 1 / 3
    c = 1 / np.sqrt(9 * d)
    drawn = np.zeros(alpha.shape)
    pending = np.arange(alpha.size)
    rounds = 0
    while pending.size:
        normal = _normal(_subkey(key, 2 * rounds + 1), places[pending])
        u = 1 - _uniform(_subkey(key, 2 * rounds + 2), places[pending])
        v = (1 + c[pending] * normal) ** 3
        log_v = np.log(np.where(v > 0, v, 1))
        taken = (v > 0) & (np.log(u) < normal**2 / 2 + d[pending] * (1 - v + log_v))
        drawn[pending[taken]] = (np.log(d[pending]) + log_v)[taken]
        pending = pending[~taken]
        rounds += 1
    u = 1 - _uniform(_subkey(key, 0), places)
    return np.where(bad, np.nan, drawn + np.where(small, np.log(u) / np.where(small & ~bad, alpha, 1), 0))


def _normal(key: tuple[int, int], places: np.ndarray) -> np.ndarray:
    """Numbers of the normal distribution, by Box and Muller."""
    radius = np.sqrt(-2 * np.log(1 - _uniform(_subkey(key, 0), places)))
    return radius * np.cos(2 * np.pi * _uniform(_subkey(key, 1), places))


def _beta(key: tuple[int, int], alpha: np.ndarray, beta: np.ndarray, places: np.ndarray | None = None) -> np.ndarray:
    """Ga / (Ga + Gb) of two gamma variates, by the difference of their logarithms."""
    difference = _log_gamma(_subkey(key, 1), beta, places) - _log_gamma(_subkey(key, 0), alpha, places)
    return 1 / (1 + np.exp(np.minimum(difference, 700)))  # beyond that exp overflows; the quotient is 0 before


def _dtype_of_draws(dtype: object) -> str:
    dtype = standardize_dtype(dtype)
    if not is_float(dtype):
        raise DtypeError(f"random numbers of this distribution are floats; got dtype={dtype!r}.")
    return dtype


def random_gamma(shape: Sequence[int], key: object, alpha: object, dtype: object = None) -> Tensor:
    """Numbers of the gamma distribution with shape parameter alpha and scale 1; where that is 0, 0; negative, NaN."""
    return RandomGamma(tuple(shape), _dtype_of_draws(dtype))(key, alpha)


def random_beta(shape: Sequence[int], key: object, alpha: object, beta: object, dtype: object = None) -> Tensor:
    """Numbers of the beta distribution with parameters alpha and beta; NaN where one is not positive."""
    return RandomBeta(tuple(shape), _dtype_of_draws(dtype))(key, alpha, beta)


def random_binomial(
    shape: Sequence[int], key: object, counts: object, probabilities: object, dtype: object = None
) -> Tensor:
    """How many of `counts` trials succeed, each with a probability; NaN for what is no count or no probability."""
    return RandomBinomial(tuple(shape), _dtype_of_draws(dtype))(key, counts, probabilities)
