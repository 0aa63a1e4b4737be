"""Spectrograms of sounds: STFTSpectrogram, whose transform is a convolution, and MelSpectrogram."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from layerkit import ops
from layerkit.checks import check_integers, check_numbers
from layerkit.config import epsilon, standardize_data_format
from layerkit.errors import DtypeError
from layerkit.graph.tensor import Tensor
from layerkit.layers.input_spec import InputSpec
from layerkit.layers.layer import Layer
from layerkit.layers.preprocessing.encoding import one_of
from layerkit.layers.preprocessing.windows import window as window_of

__all__ = ["MelSpectrogram", "STFTSpectrogram"]

MODES = ("log", "magnitude", "psd", "real", "imag", "angle", "stft")
_MEL_BREAK_HERTZ, _MEL_FACTOR = 700.0, 1127.0


class STFTSpectrogram(Layer):
    """The short-time Fourier transform of signals, as a convolution whose kernels can be trained.

    Args:
        mode: "log" or linear "magnitude", "psd" (power), "real", "imag", "angle", or "stft" (real and imaginary parts
            one after the other along the frequencies).
        frame_length: how many samples a frame has.
        frame_step: how far the frames lie apart; half a frame by default.
        fft_length: of the transform; the next power of two by default.
        window: its name, or an array of `frame_length` numbers; None for none.
        periodic: whether a window of a name is periodic, else it is symmetric.
        scaling: "density" (by the root of the window's squares), "spectrum" (by its sum) or None.
        padding: "valid", or "same" with zeros at the ends.
        expand_dims: whether channels keep an axis of their own.
        data_format: "channels_last" or "channels_first"; by default what is configured.

    Input [N, samples, C], output [N, frames, C * frequencies], or [N, frames, frequencies, C] with `expand_dims`. With
    channels first input [N, C, samples], output [N, C * frequencies, frames] or [N, C, frames, frequencies].

    >>> STFTSpectrogram(frame_length=8, frame_step=4)(np.ones((1, 16, 1))).shape
    (1, 3, 5)
    """

    def __init__(
        self,
        mode: str = "log",
        frame_length: int = 256,
        frame_step: int | None = None,
        fft_length: int | None = None,
        window: Any = "hann",
        periodic: bool = False,
        scaling: str | None = "density",
        padding: str = "valid",
        expand_dims: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        kind = "STFTSpectrogram"
        if frame_step is not None and not 1 <= frame_step <= frame_length:
            raise ValueError(
                f"{kind}: `frame_step` should be a positive integer not greater than `frame_length`. Received "
                f"frame_step={frame_step}, frame_length={frame_length}"
            )
        if fft_length is not None and fft_length < frame_length:
            raise ValueError(
                f"{kind}: `fft_length` should be not less than `frame_length`. Received fft_length={fft_length}, "
                f"frame_length={frame_length}"
            )
        if fft_length is not None and fft_length & -fft_length != fft_length:
            warnings.warn(
                f"`fft_length` is recommended to be a power of two. Received fft_length={fft_length}", stacklevel=3
            )
        super().__init__(**kwargs)
        self.mode = one_of(kind, "mode", mode, MODES)
        self.scaling = one_of(kind, "scaling", scaling, (None, "density", "spectrum"))
        self.padding = one_of(kind, "padding", padding, ("valid", "same"))
        check_integers(self, 1, frame_length=frame_length)
        check_integers(self, 1, optional=True, frame_step=frame_step, fft_length=fft_length)
        self.frame_length, self.frame_step, self.fft_length = frame_length, frame_step, fft_length
        self._step = frame_step or frame_length // 2
        self._transform_length = fft_length or 2 ** math.ceil(math.log2(frame_length))
        self.window = np.asarray(window).tolist() if isinstance(window, np.ndarray | tuple | Tensor) else window
        if window is not None:
            window_of(window, frame_length, periodic)  # raises here for one that is not known
        self.periodic = periodic
        self.expand_dims = expand_dims
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=3)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the kernels [frame_length, 1, frequencies]."""
        shape = (self.frame_length, 1, self._transform_length // 2 + 1)
        for part, left_out in (("real", "imag"), ("imag", "real")):
            if self.mode != left_out:
                kernel = self.add_weight(
                    shape=shape,
                    initializer=lambda shape, dtype, part=part: self._transform(part).astype(dtype),
                    name=f"{part}_kernel",
                )
                setattr(self, f"{part}_kernel", kernel)

    def _transform(self, part: str) -> np.ndarray:
        """The windowed cosines or sines of all frequencies, float64 [frame_length, 1, frequencies]."""
        frequencies = np.arange(self._transform_length // 2 + 1) / self._transform_length
        angles = -2 * np.pi * np.arange(self.frame_length)[:, None, None] * frequencies
        kernel = np.cos(angles) if part == "real" else np.sin(angles)
        if self.window is None:
            return kernel
        weights = window_of(self.window, self.frame_length, self.periodic)
        scale = {"density": np.sqrt(np.sum(weights**2)), "spectrum": np.sum(np.abs(weights)), None: 1}[self.scaling]
        return kernel * weights[:, None, None] / scale

    def call(self, inputs: Tensor) -> Tensor:
        """The spectrogram. Raises DtypeError for inputs that are no floats."""
        if not inputs.dtype.startswith("float"):
            raise DtypeError(f"STFTSpectrogram {self.name!r}: expected floats. Received: dtype {inputs.dtype}")
        signals = inputs if self.data_format == "channels_first" else ops.transpose(inputs, (0, 2, 1))
        channels, samples = signals.shape[1:]
        signals = ops.reshape(signals, (-1, samples, 1))
        real = None if self.mode == "imag" else self._frames(signals, self.real_kernel, channels)
        imag = None if self.mode == "real" else self._frames(signals, self.imag_kernel, channels)
        return self._arranged(self._in_mode(real, imag))

    def _frames(self, signals: Tensor, kernel: Any, channels: int) -> Tensor:
        """One part of the transform: [N, C, frames, frequencies]."""
        y = ops.conv(signals, kernel, strides=self._step, padding=self.padding, data_format="channels_last")
        return ops.reshape(y, (-1, channels, y.shape[1], y.shape[2]))

    def _in_mode(self, real: Tensor | None, imag: Tensor | None) -> Tensor:
        if self.mode in ("real", "imag"):
            return real if imag is None else imag
        if self.mode == "angle":
            return ops.arctan2(imag, real)
        if self.mode == "stft":
            return ops.concatenate([real, imag], axis=-1)
        power = ops.square(real) + ops.square(imag)
        if self.mode == "psd":  # of real signals: all frequencies but the first and the last stand for two
            return power + ops.pad(power[..., 1:-1], ((0, 0), (0, 0), (0, 0), (1, 1)))
        magnitude = ops.sqrt(ops.maximum(power, epsilon()))
        return magnitude if self.mode == "magnitude" else ops.log(ops.maximum(magnitude, epsilon()))

    def _arranged(self, y: Tensor) -> Tensor:
        """[N, C, frames, frequencies] in the order that the data format asks for."""
        channels, frames, frequencies = y.shape[1:]
        if self.data_format == "channels_first":
            if self.expand_dims:
                return y
            return ops.reshape(ops.transpose(y, (0, 1, 3, 2)), (-1, channels * frequencies, frames))
        if self.expand_dims:
            return ops.transpose(y, (0, 2, 3, 1))
        return ops.reshape(ops.transpose(y, (0, 2, 1, 3)), (-1, frames, channels * frequencies))


class MelSpectrogram(Layer):
    """The power of signals in bands of the mel scale, over time.

    Args:
        fft_length: of the transform.
        sequence_stride: how far the frames lie apart.
        sequence_length: how many samples a frame has; `fft_length` by default.
        window: "hann", "hamming" or an array.
        sampling_rate: samples in a second.
        num_mel_bins: how many bands there are.
        min_freq, max_freq: where the bands start and end, in hertz; half the sampling rate by default.
        power_to_db: whether to give decibels.
        top_db: how many decibels below the largest value of all the smallest is cut off.
        mag_exp: the power that magnitudes are raised to: 2 for power, 1 for energy.
        min_power: the smallest power that a logarithm is taken of.
        ref_power: the power that is 0 decibels.

    Input [samples] or [N, samples], output [num_mel_bins, frames] or [N, num_mel_bins, frames].

    >>> MelSpectrogram(fft_length=16, sequence_stride=8, num_mel_bins=4)(np.ones((2, 64), "float32")).shape
    (2, 4, 9)
    """

    def __init__(
        self,
        fft_length: int = 2048,
        sequence_stride: int = 512,
        sequence_length: int | None = None,
        window: Any = "hann",
        sampling_rate: int = 16000,
        num_mel_bins: int = 128,
        min_freq: float = 20.0,
        max_freq: float | None = None,
        power_to_db: bool = True,
        top_db: float = 80.0,
        mag_exp: float = 2.0,
        min_power: float = 1e-10,
        ref_power: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_integers(self, 1, fft_length=fft_length, num_mel_bins=num_mel_bins)
        check_integers(self, 1, optional=True, sequence_stride=sequence_stride)
        check_integers(self, 0, optional=True, sequence_length=sequence_length)
        check_numbers(self, "(0, inf)", sampling_rate=sampling_rate)
        check_numbers(self, "(-inf, inf)", min_freq=min_freq, mag_exp=mag_exp)
        check_numbers(self, "(-inf, inf)", optional=True, max_freq=max_freq)
        self.fft_length, self.sequence_stride = fft_length, sequence_stride
        self.sequence_length = sequence_length or fft_length
        if fft_length < self.sequence_length:
            raise ValueError(
                "MelSpectrogram: `fft_length` must be greater than or equal to `sequence_length`. Received: "
                f"sequence_length={self.sequence_length}, fft_length={fft_length}"
            )
        self.window = window
        self.sampling_rate, self.num_mel_bins = sampling_rate, num_mel_bins
        self.min_freq, self.max_freq = min_freq, max_freq or int(sampling_rate / 2)
        self.power_to_db, self.top_db = power_to_db, top_db
        self.mag_exp, self.min_power, self.ref_power = mag_exp, min_power, ref_power

    def call(self, inputs: Tensor) -> Tensor:
        """The spectrogram."""
        real, imag = ops.stft(
            ops.cast(inputs, self.compute_dtype),
            sequence_length=self.sequence_length,
            sequence_stride=self.sequence_stride,
            fft_length=self.fft_length,
            window=self.window,
            center=True,
        )
        magnitude = ops.sqrt(ops.square(real) + ops.square(imag))
        bands = ops.matmul(ops.power(magnitude, self.mag_exp), self._band_weights(magnitude.shape[-1]))
        if self.power_to_db:
            bands = self._decibels(bands)
        return ops.swapaxes(bands, -1, -2)

    def _band_weights(self, frequencies: int) -> np.ndarray:
        weights = self.linear_to_mel_weight_matrix(
            self.num_mel_bins, frequencies, self.sampling_rate, self.min_freq, self.max_freq
        )
        return np.asarray(weights, self.compute_dtype)

    def _decibels(self, power: Tensor) -> Tensor:
        decibels = 10.0 * ops.log10(ops.maximum(power, self.min_power))
        decibels = decibels - 10.0 * math.log10(max(abs(self.ref_power), self.min_power))
        return ops.maximum(decibels, ops.max(decibels) - self.top_db)

    def linear_to_mel_weight_matrix(
        self,
        num_mel_bins: int = 20,
        num_spectrogram_bins: int = 129,
        sampling_rate: float = 8000,
        lower_edge_hertz: float = 125.0,
        upper_edge_hertz: float = 3800.0,
        dtype: str = "float32",
    ) -> Tensor:
        """What each frequency counts for in each band, triangles of equal width in mels: [frequencies, bands]."""
        frequencies = np.linspace(0.0, sampling_rate / 2, num_spectrogram_bins)[1:]  # not the constant part
        edges = np.linspace(_mels(lower_edge_hertz), _mels(upper_edge_hertz), num_mel_bins + 2)
        lower, center, upper = edges[:-2], edges[1:-1], edges[2:]
        mels = _mels(frequencies)[:, None]
        rising, falling = (mels - lower) / (center - lower), (upper - mels) / (upper - center)
        weights = np.maximum(0, np.minimum(rising, falling))
        return ops.convert_to_tensor(np.pad(weights, ((1, 0), (0, 0))).astype(dtype))


def _mels(hertz: Any) -> Any:
    return _MEL_FACTOR * np.log(1 + hertz / _MEL_BREAK_HERTZ)
