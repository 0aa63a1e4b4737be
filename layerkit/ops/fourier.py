"""Fourier transforms. They take and give complex numbers, as Keras' do, as pairs of floats: real, imaginary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from layerkit.dtypes import dtype_of, is_float, result_type
from layerkit.errors import DtypeError, ShapeError
from layerkit.graph.operation import Operation, Spec, as_tensor, cast_to
from layerkit.graph.tensor import Tensor
from layerkit.ops.elementwise import cast, where
from layerkit.ops.indexing import ScatterAddRows, take
from layerkit.ops.neural import as_float
from layerkit.ops.padding import pad
from layerkit.ops.shape import broadcast_to, reshape, transpose

Pair = tuple[Tensor, Tensor]

SMALLEST_WEIGHT = 1e-10
"""Where the squared windows sum to less, `istft` does not divide by it."""


class Fourier(Operation):
    """The discrete Fourier transform of a pair over the last `axes` axes; the inverse one is divided by the count."""

    axes: int = 1
    inverse: bool = False
    outputs: ClassVar[int] = 2

    def infer(self, real: Tensor, imaginary: Tensor) -> list[Spec]:
        if real.shape != imaginary.shape:
            raise ShapeError("the real and the imaginary part have to have the same shape.")
        _check(real, self.axes)
        return [(real.shape, real.dtype)] * 2

    def reference(self, real: np.ndarray, imaginary: np.ndarray) -> Sequence[np.ndarray]:
        transform = np.fft.ifftn if self.inverse else np.fft.fftn
        return _parts(transform(real + 1j * imaginary, axes=range(-self.axes, 0)), real.dtype)

    def gradient(self, g: list[Tensor | None], y: list[Tensor], real: Tensor, imaginary: Tensor) -> tuple:
        # The transpose of a linear map of pairs is its conjugate transpose: the other transform, without its scale.
        count = float(np.prod(real.shape[-self.axes :]))
        gx = Fourier(self.axes, not self.inverse)(*_both(g, y))
        return tuple(one / count if self.inverse else one * count for one in gx)


class RealFourier(Operation):
    """The first length // 2 + 1 terms, as a pair, of the transform over the last axis, cut or padded to `length`."""

    length: int
    outputs: ClassVar[int] = 2

    def infer(self, x: Tensor) -> list[Spec]:
        _check(x, 1)
        return [((*x.shape[:-1], self.length // 2 + 1), x.dtype)] * 2

    def reference(self, x: np.ndarray) -> Sequence[np.ndarray]:
        return _parts(np.fft.rfft(x, self.length), x.dtype)

    def gradient(self, g: list[Tensor | None], y: list[Tensor], x: Tensor) -> tuple:
        whole = [_resized(one, self.length) for one in _both(g, y)]
        return (_resized(Fourier(inverse=True)(*whole)[0] * float(self.length), x.shape[-1]),)


class InverseRealFourier(Operation):
    """`length` real numbers of the pair of their transform's first length // 2 + 1 terms, cut or padded to those."""

    length: int

    def infer(self, real: Tensor, imaginary: Tensor) -> Spec:
        if real.shape != imaginary.shape:
            raise ShapeError("the real and the imaginary part have to have the same shape.")
        _check(real, 1)
        return (*real.shape[:-1], self.length), real.dtype

    def reference(self, real: np.ndarray, imaginary: np.ndarray) -> np.ndarray:
        return np.fft.irfft(real + 1j * imaginary, self.length).astype(real.dtype)

    def gradient(self, g: Tensor, y: Tensor, real: Tensor, imaginary: Tensor) -> tuple:
        # A term stands for its conjugate as well, but for the first and, of an even length, the last one.
        weights = np.full(self.length // 2 + 1, 2 / self.length, g.dtype)
        weights[0] /= 2
        if self.length % 2 == 0:
            weights[-1] /= 2
        return tuple(_resized(one * weights, real.shape[-1]) for one in RealFourier(self.length)(g))


def _check(x: Tensor, axes: int) -> None:
    if x.ndim < axes:
        raise ShapeError(f"it needs at least {axes} {'axis' if axes == 1 else 'axes'}.")
    if x.dtype == "float16":
        raise DtypeError("Fourier transforms are computed in float32 or float64: cast the tensor first.")


def _parts(values: np.ndarray, dtype: np.dtype) -> tuple[np.ndarray, np.ndarray]:
    return values.real.astype(dtype), values.imag.astype(dtype)


def _both(g: Sequence[Tensor | None], y: Sequence[Tensor]) -> list[Tensor]:
    """The gradients, zeros for a missing one."""
    return [one * 0 if given is None else given for given, one in zip(g, y, strict=True)]


def _last_size(name: str, x: Tensor) -> int:
    """The size of the last axis. Raises ShapeError where there is none or it is not known."""
    if not x.ndim or x.shape[-1] is None:
        raise ShapeError(f"ops.{name} needs to know the size of the last axis; got shape {x.shape}.")
    return x.shape[-1]


def _resized(x: Tensor, size: int) -> Tensor:
    """The last axis cut, or padded with zeros at its end."""
    missing = size - x.shape[-1]
    return x[..., :size] if missing <= 0 else pad(x, [(0, 0)] * (x.ndim - 1) + [(0, missing)])


def _pair(name: str, x: object) -> Pair:
    if not isinstance(x, list | tuple) or len(x) != 2:
        raise ValueError(f"ops.{name} takes a tuple of two tensors, real and imaginary; got {type(x).__name__}.")
    real, imaginary = (as_tensor(one) for one in x)
    if not (is_float(real.dtype) and is_float(imaginary.dtype)):
        raise DtypeError(f"ops.{name} takes float tensors; got {real.dtype} and {imaginary.dtype}.")
    dtype = result_type(dtype_of(real), dtype_of(imaginary))
    return cast_to(real, dtype), cast_to(imaginary, dtype)


def fft(x: tuple) -> Pair:
    """The Fourier transform over the last axis of a pair (real [..., n], imaginary [..., n]), as a pair.

    >>> real, imaginary = fft((np.array([1.0, 0.0]), np.array([0.0, 0.0])))
    >>> real.tolist()
    [1.0, 1.0]
    """
    return tuple(Fourier()(*_pair("fft", x)))


def fft2(x: tuple) -> Pair:
    """The Fourier transform over the last two axes of a pair (real, imaginary), both [..., m, n], as a pair."""
    return tuple(Fourier(2)(*_pair("fft2", x)))


def ifft2(x: tuple) -> Pair:
    """The inverse of `fft2`."""
    return tuple(Fourier(2, True)(*_pair("ifft2", x)))


def rfft(x: object, fft_length: int | None = None) -> Pair:
    """The Fourier transform of real x [..., n] over the last axis: the pair of its first fft_length // 2 + 1 terms.

    Args:
        x: the data.
        fft_length: what the last axis is cut or padded with zeros to; None: as it is.
    """
    x = as_float(as_tensor(x))
    return tuple(RealFourier(_length("rfft", fft_length, _last_size("rfft", x)))(x))


def irfft(x: tuple, fft_length: int | None = None) -> Tensor:
    """The inverse of `rfft`: real numbers [..., fft_length].

    Args:
        x: the pair (real, imaginary), both [..., k].
        fft_length: how many numbers; None: 2 (k - 1).
    """
    real, imaginary = _pair("irfft", x)
    length = _length("irfft", fft_length, 2 * (_last_size("irfft", real) - 1))
    return InverseRealFourier(length)(real, imaginary)


def _length(name: str, given: int | None, default: int) -> int:
    length = default if given is None else int(given)
    if length < 1:
        raise ValueError(f"ops.{name}: fft_length has to be at least 1; got {length}.")
    return length


def extract_sequences(x: object, sequence_length: int, sequence_stride: int) -> Tensor:
    """The windows of x [..., n] along the last axis: [..., count, sequence_length]. What is left at the end goes.

    Raises ShapeError where x is shorter than a window.
    """
    x = as_tensor(x)
    places = np.arange(_last_size("extract_sequences", x))
    return take(x, _frames(places, sequence_length, sequence_stride), -1)


def _frames(places: np.ndarray, length: int, stride: int) -> np.ndarray:
    if length < 1 or stride < 1:
        raise ValueError(f"sequence_length and sequence_stride have to be at least 1; got {length} and {stride}.")
    if len(places) < length:
        raise ShapeError(f"a sequence of {len(places)} elements is shorter than a window of {length}.")
    return np.lib.stride_tricks.sliding_window_view(places, length)[::stride].astype("int32")


def _window(name: str, window: object, sequence_length: int, fft_length: int, dtype: str) -> Tensor:
    """The window [fft_length]: `sequence_length` weights with zeros on both sides; ones for None."""
    if fft_length < sequence_length:
        raise ValueError(
            f"ops.{name}: fft_length has to be at least sequence_length; got {fft_length} and {sequence_length}."
        )
    if window is None:
        return as_tensor(np.ones(fft_length, dtype))
    if isinstance(window, str):
        if window not in ("hann", "hamming"):
            raise ValueError(f"ops.{name}: window is 'hann', 'hamming', weights or None; got {window!r}.")
        # The periodic form: of a window that is one longer, all but the last.
        weights = {"hann": np.hanning, "hamming": np.hamming}[window](sequence_length + 1)[:-1]
        window = (weights if sequence_length > 1 else np.ones(1)).astype(dtype)
    weights = cast(window, dtype)
    if weights.shape != (sequence_length,):
        raise ShapeError(f"ops.{name}: the window has to have shape ({sequence_length},); got {weights.shape}.")
    before = (fft_length - sequence_length) // 2
    return pad(weights, [(before, fft_length - sequence_length - before)])


def stft(
    x: object,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    window: object = "hann",
    center: bool = True,
) -> Pair:
    """The short-time Fourier transform of x [..., n]: a pair, both [..., count, fft_length // 2 + 1].

    Args:
        x: the signal, float32 or float64.
        sequence_length: length of the window.
        sequence_stride: how far it moves.
        fft_length: length of the transform, at least `sequence_length`.
        window: "hann", "hamming", weights [sequence_length], or None.
        center: whether the signal is mirrored at its ends, so that window t is centred at t * sequence_stride.

    Raises DtypeError for another dtype, ValueError for other windows, ShapeError for a signal that is too short.
    """
    x = as_tensor(x)
    if x.dtype not in ("float32", "float64"):
        raise DtypeError(f"ops.stft takes float32 or float64; got {x.dtype}.")
    weights = _window("stft", window, sequence_length, fft_length, x.dtype)
    places = np.arange(_last_size("stft", x))
    if center:
        places = np.pad(places, fft_length // 2, mode="reflect")
    return rfft(take(x, _frames(places, fft_length, sequence_stride), -1) * weights)


def istft(
    x: tuple,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    length: int | None = None,
    window: object = "hann",
    center: bool = True,
) -> Tensor:
    """The inverse of `stft` by weighted overlapping sums: [..., length].

    Args:
        x: the pair (real, imaginary), both [..., count, fft_length // 2 + 1].
        sequence_length: length of the window.
        sequence_stride: how far it moves.
        fft_length: length of the transform.
        length: of the result; None: all that the windows cover, without the mirrored ends where `center`.
        window: as for `stft`; None: sums that are not divided by the windows' overlap, as in Keras.
        center: whether the signal had been mirrored at its ends.

    Raises ShapeError for pairs of fewer than 2 axes, ValueError for other windows.
    """
    real, imaginary = _pair("istft", x)
    if real.ndim < 2 or real.shape[-2] is None:
        raise ShapeError(f"ops.istft takes pairs of at least 2 axes, the last two known; got shape {real.shape}.")
    weights = _window("istft", window, sequence_length, fft_length, real.dtype)
    count = real.shape[-2]
    total = fft_length + sequence_stride * (count - 1)
    places = _frames(np.arange(total), fft_length, sequence_stride)
    sums = _overlapped(irfft((real, imaginary), fft_length) * weights, places, total)
    overlap = _overlapped(broadcast_to(weights * weights, places.shape), places, total)
    y = sums / where(overlap > SMALLEST_WEIGHT, overlap, 1)
    if window is None:
        y = y * (fft_length / sequence_stride)
    start = fft_length // 2 if center else 0
    return y[..., start : total - start if length is None else start + length]


def _overlapped(frames: Tensor, places: np.ndarray, total: int) -> Tensor:
    """The sums [..., total] of frames [..., count, n] at their places [count, n]."""
    batch = frames.shape[:-2]
    rows = transpose(reshape(frames, (-1, places.size)), (1, 0))
    sums = ScatterAddRows(total)(rows, as_tensor(places.reshape(-1)))
    return reshape(transpose(sums, (1, 0)), (*batch, total))
