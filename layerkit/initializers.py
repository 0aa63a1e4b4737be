"""Initializers: functions `(shape, dtype) -> array` that give the first values of variables, as in Keras 3."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from layerkit.checks import check_choice, check_numbers
from layerkit.dtypes import is_float, standardize_dtype
from layerkit.errors import ShapeError
from layerkit.random import SeedGenerator, make_default_seed
from layerkit.serialization import Configurable, get_object, serialize_keras_object
from layerkit.serialization import deserialize_keras_object as _deserialize

TRUNCATED_STDDEV = 0.87962566103423978
"""The standard deviation of a standard normal cut off at two."""


class Initializer(Configurable, kind="initializer", module="keras.initializers", registered=False):
    """The base: a subclass implements `__call__(shape, dtype=None)`."""

    def __call__(self, shape: Sequence[int], dtype: object = None) -> np.ndarray:
        """The values. Each kind states its own."""
        raise NotImplementedError(f"{type(self).__name__} must implement `__call__(self, shape, dtype=None)`.")

    def clone(self) -> Initializer:
        """Another one of the same configuration."""
        return type(self).from_config(self.get_config())


class Zeros(Initializer, aliases=("zero",)):
    """All 0."""

    def __call__(self, shape: Sequence[int], dtype: object = None) -> np.ndarray:
        """Zeros of the shape."""
        return np.zeros(shape, standardize_dtype(dtype))


class Ones(Initializer, aliases=("one",)):
    """All 1."""

    def __call__(self, shape: Sequence[int], dtype: object = None) -> np.ndarray:
        """Ones of the shape."""
        return np.ones(shape, standardize_dtype(dtype))


class Constant(Initializer):
    """One value, or an array that broadcasts to the shape."""

    def __init__(self, value: Any = 0.0) -> None:
        self.value = value

    def __call__(self, shape: Sequence[int], dtype: object = None) -> np.ndarray:
        """The value, broadcast."""
        return np.broadcast_to(np.asarray(self.value, standardize_dtype(dtype)), tuple(shape)).copy()


class Identity(Initializer, aliases=("IdentityInitializer",)):
    """`gain` times the identity matrix; for two axes only."""

    def __init__(self, gain: float = 1.0) -> None:
        check_numbers(self, "(-inf, inf)", gain=gain)
        self.gain = gain

    def __call__(self, shape: Sequence[int], dtype: object = None) -> np.ndarray:
        """The matrix. Raises ShapeError for another number of axes."""
        if len(shape) != 2:
            raise ShapeError(f"Identity makes matrices; a variable of shape {tuple(shape)} was asked for.")
        return self.gain * np.eye(*shape, dtype=standardize_dtype(dtype))


class RandomInitializer(Initializer, registered=False):
    """The base of those that draw.

    One object gives the same values at each call; without a seed it takes one from the program's stream when it is
    made.
    """

    def __init__(self, seed: Any = None) -> None:
        self._init_seed = seed
        if isinstance(seed, dict):
            seed = _deserialize(seed)
        self.seed = make_default_seed() if seed is None else seed

    def _config_value(self, name: str, given: Any) -> Any:
        return self._init_seed if name == "seed" else super()._config_value(name, given)

    def _generator(self) -> np.random.Generator:
        # A SeedGenerator moves on at each call, as in Keras.
        key = (
            int.from_bytes(self.seed.next().numpy().tobytes(), "little")
            if isinstance(self.seed, SeedGenerator)
            else self.seed
        )
        return np.random.Generator(np.random.Philox(key=int(key) % 2**64))


def _normal(random: np.random.Generator, shape: Sequence[int], dtype: object) -> np.ndarray:
    return random.standard_normal(tuple(shape)).astype(_float(dtype))


def _uniform(random: np.random.Generator, shape: Sequence[int], low: float, high: float, dtype: object) -> np.ndarray:
    dtype = standardize_dtype(dtype)
    if not is_float(dtype):
        return random.integers(int(low), int(high), tuple(shape)).astype(dtype)
    return (low + (high - low) * random.random(tuple(shape))).astype(dtype)  # `low` may be above `high`


def _truncated_normal(random: np.random.Generator, shape: Sequence[int], dtype: object) -> np.ndarray:
    """Standard normal values, those beyond 2 drawn again."""
    values = random.standard_normal(tuple(shape))
    while (beyond := np.abs(values) > 2).any():
        values[beyond] = random.standard_normal(int(beyond.sum()))
    return values.astype(_float(dtype))


def _float(dtype: object) -> str:
    dtype = standardize_dtype(dtype)
    if not is_float(dtype):
        raise ValueError(f"A normal distribution needs a float dtype; got {dtype!r}.")
    return dtype


class RandomNormal(RandomInitializer, aliases=("normal",)):
    """A normal distribution."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None) -> None:
        check_numbers(self, "(-inf, inf)", mean=mean)
        check_numbers(self, "[0, inf)", stddev=stddev)
        self.mean, self.stddev = mean, stddev
        super().__init__(seed)

    def __call__(self, shape: Sequence[int], dtype: object = None) -> np.ndarray:
        """The draws."""
        return self.mean + self.stddev * _normal(self._generator(), shape, dtype)


class TruncatedNormal(RandomInitializer):
    """A normal distribution without what lies beyond two standard deviations."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None) -> None:
        check_numbers(self, "(-inf, inf)", mean=mean)
        check_numbers(self, "[0, inf)", stddev=stddev)
        self.mean, self.stddev = mean, stddev
        super().__init__(seed)

    def __call__(self, shape: Sequence[int], dtype: object = None) -> np.ndarray:
        """The draws."""
        return self.mean + self.stddev * _truncated_normal(self._generator(), shape, dtype)


class RandomUniform(RandomInitializer, aliases=("uniform",)):
    """A uniform distribution from minval to maxval (excluded)."""

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Any = None) -> None:
        check_numbers(self, "(-inf, inf)", minval=minval, maxval=maxval)
        self.minval, self.maxval = minval, maxval
        super().__init__(seed)

    def __call__(self, shape: Sequence[int], dtype: object = None) -> np.ndarray:
        """The draws."""
        return _uniform(self._generator(), shape, self.minval, self.maxval, dtype)


class VarianceScaling(RandomInitializer):
    """A variance of `scale / n`, n being the inputs, the outputs or their mean.

    Args:
        scale: positive.
        mode: "fan_in", "fan_out" or "fan_avg".
        distribution: "truncated_normal", "untruncated_normal" or "uniform".
        seed: an int, a SeedGenerator, or None.
        input_axes, output_axes: which axes of the shape are inputs and outputs, where it is not as in kernels.
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Any = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        distribution = str(distribution).lower()
        distribution = "truncated_normal" if distribution == "normal" else distribution
        check_numbers(self, "(0, inf)", scale=scale)
        check_choice(self, ("fan_in", "fan_out", "fan_avg"), mode=mode)
        check_choice(self, ("truncated_normal", "untruncated_normal", "uniform"), distribution=distribution)
        self.scale, self.mode, self.distribution = scale, mode, distribution
        self.input_axes, self.output_axes = input_axes, output_axes
        super().__init__(seed)

    def __call__(self, shape: Sequence[int], dtype: object = None) -> np.ndarray:
        """The draws."""
        fan_in, fan_out = compute_fans(shape, self.input_axes, self.output_axes)
        count = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, count)
        random = self._generator()
        if self.distribution == "uniform":
            limit = math.sqrt(3 * variance)
            return _uniform(random, shape, -limit, limit, dtype)
        if self.distribution == "truncated_normal":
            return math.sqrt(variance) / TRUNCATED_STDDEV * _truncated_normal(random, shape, dtype)
        return math.sqrt(variance) * _normal(random, shape, dtype)


class _Scaled(VarianceScaling, registered=False):
    """The base of the named ones: what they fix is in `fixed`."""

    fixed: tuple[float, str, str] = (1.0, "fan_in", "uniform")

    def __init__(
        self, seed: Any = None, input_axes: Sequence[int] | None = None, output_axes: Sequence[int] | None = None
    ) -> None:
        super().__init__(*self.fixed, seed=seed, input_axes=input_axes, output_axes=output_axes)


class GlorotUniform(_Scaled):
    """Uniform within sqrt(6 / (inputs + outputs)) (Glorot and Bengio 2010)."""

    fixed = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Scaled):
    """Truncated normal of variance 2 / (inputs + outputs) (Glorot and Bengio 2010)."""

    fixed = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_Scaled):
    """Uniform within sqrt(6 / inputs) (He et al. 2015)."""

    fixed = (2.0, "fan_in", "uniform")


class HeNormal(_Scaled):
    """Truncated normal of variance 2 / inputs (He et al. 2015)."""

    fixed = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_Scaled):
    """Uniform within sqrt(3 / inputs) (LeCun et al. 1998)."""

    fixed = (1.0, "fan_in", "uniform")


class LecunNormal(_Scaled):
    """Truncated normal of variance 1 / inputs (LeCun et al. 1998)."""

    fixed = (1.0, "fan_in", "truncated_normal")


class Orthogonal(RandomInitializer, aliases=("OrthogonalInitializer",)):
    """`gain` times a random orthogonal matrix: rows are all axes but the last, columns the last (Saxe et al. 2014)."""

    def __init__(self, gain: float = 1.0, seed: Any = None) -> None:
        check_numbers(self, "(-inf, inf)", gain=gain)
        self.gain = gain
        super().__init__(seed)

    def __call__(self, shape: Sequence[int], dtype: object = None) -> np.ndarray:
        """The matrix. Raises ShapeError for fewer than two axes."""
        if len(shape) < 2:
            raise ShapeError(f"Orthogonal needs at least two axes; a variable of shape {tuple(shape)} was asked for.")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        drawn = self._generator().standard_normal((max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(drawn)
        q = q * np.sign(np.diag(r))  # makes it uniform over the orthogonal matrices
        q = q.T if rows < columns else q
        return (self.gain * q).reshape(shape).astype(_float(dtype))


# Windows [length] as sums of cosines; the periodic ones are symmetric ones of one more place, without the last.
_WINDOWS = {
    "boxcar": (1.0,),
    "rectangular": (1.0,),
    "hann": (0.5, 0.5),
    "hanning": (0.5, 0.5),
    "hamming": (0.54, 0.46),
    "blackman": (0.42, 0.5, 0.08),
}


def _window(name: str, length: int, periodic: bool) -> np.ndarray:
    if length == 1:
        return np.ones(1)
    angle = 2 * np.pi * np.arange(length) / (length if periodic else length - 1)
    return sum((-1) ** k * weight * np.cos(k * angle) for k, weight in enumerate(_WINDOWS[name]))


class STFT(Initializer, aliases=("STFTInitializer",)):
    """Kernels (frame, 1, frequencies) of convolutions that compute a Fourier transform of each frame.

    Args:
        side: "real" (cosines) or "imag" (minus the sines).
        window: "boxcar", "hann", "hamming" or "blackman", an array [frame], or None.
        scaling: "density" divides by the root of the sum of the window's squares, "spectrum" by the sum of its sizes;
            None does not divide.
        periodic: whether the window is periodic, not symmetric.
    """

    def __init__(
        self, side: str = "real", window: Any = "hann", scaling: str | None = "density", periodic: bool = False
    ) -> None:
        if side not in ("real", "imag"):
            raise ValueError(f"`side` is 'real' or 'imag'; got {side!r}.")
        if scaling not in (None, "density", "spectrum"):
            raise ValueError(f"`scaling` is 'density', 'spectrum' or None; got {scaling!r}.")
        if isinstance(window, str) and window not in _WINDOWS:
            raise ValueError(f"`window` is an array, None or one of {', '.join(map(repr, _WINDOWS))}; got {window!r}.")
        self.side, self.window, self.scaling, self.periodic = side, window, scaling, periodic

    def __call__(self, shape: Sequence[int], dtype: object = None) -> np.ndarray:
        """The kernel. Raises ShapeError for another number of axes, or a window of another length."""
        if len(shape) != 3:
            raise ShapeError(f"STFT makes kernels (frame, 1, frequencies); one of shape {tuple(shape)} was asked for.")
        frame, _, frequencies = shape
        # The sizes of the transform have (frequencies - 1) * 2 places; one frequency alone is the constant.
        cycles = np.outer(np.arange(frame), np.arange(frequencies)) / max((frequencies - 1) * 2, 1)
        kernel = np.cos(2 * np.pi * cycles) if self.side == "real" else -np.sin(2 * np.pi * cycles)
        if self.window is not None:
            named = isinstance(self.window, str)
            window = _window(self.window, frame, self.periodic) if named else np.asarray(self.window, float)
            if window.shape != (frame,):
                raise ShapeError(f"The window of STFT has shape {window.shape}, not ({frame},), that of a frame.")
            size = {None: 1.0, "density": np.sqrt(np.sum(window**2)), "spectrum": np.sum(np.abs(window))}[self.scaling]
            kernel = kernel * window[:, None] / size
        return np.broadcast_to(kernel[:, None, :], tuple(shape)).astype(_float(dtype))


def compute_fans(
    shape: Sequence[int], input_axes: Sequence[int] | None = None, output_axes: Sequence[int] | None = None
) -> tuple[int, int]:
    """How many inputs and outputs a kernel (..., inputs, outputs) connects; leading axes are the receptive field.

    >>> compute_fans((3, 3, 8, 16))
    (72, 144)
    """
    if input_axes is not None and output_axes is not None:
        return math.prod(shape[axis] for axis in input_axes), math.prod(shape[axis] for axis in output_axes)
    if len(shape) < 2:
        size = math.prod(shape)
        return size, size
    field = math.prod(shape[:-2])
    return shape[-2] * field, shape[-1] * field


def get(identifier: Any) -> Any:
    """The initializer that a name, a config, a class, an array or a function stands for; None stays.

    >>> get("he_normal").scale
    2.0
    """
    if isinstance(identifier, np.ndarray):
        return Constant(identifier)
    return get_object("initializer", identifier)


def serialize(initializer: Initializer) -> dict[str, Any]:
    """An initializer as Keras 3's serialized form."""
    return serialize_keras_object(initializer)


def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
    """The initializer of a serialized form or name."""
    return _deserialize(config, custom_objects, kind="initializer")


# Keras has the classes under these names too: `initializers.he_normal()` makes one.
IdentityInitializer, OrthogonalInitializer, STFTInitializer = Identity, Orthogonal, STFT
constant, identity, ones, orthogonal, stft, zeros = Constant, Identity, Ones, Orthogonal, STFT, Zeros
glorot_normal, glorot_uniform, he_normal, he_uniform = GlorotNormal, GlorotUniform, HeNormal, HeUniform
lecun_normal, lecun_uniform, variance_scaling = LecunNormal, LecunUniform, VarianceScaling
random_normal, random_uniform, truncated_normal = RandomNormal, RandomUniform, TruncatedNormal
