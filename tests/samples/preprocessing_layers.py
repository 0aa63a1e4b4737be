"""Rows for the layers that prepare numbers; `layers.py` takes them in. Strings have tests of their own."""

from __future__ import annotations

from typing import Any

from layerkit import layers as L


def rows() -> list[tuple[type, dict[str, Any], tuple[tuple[int, ...], ...], dict[str, Any]]]:
    """Class, arguments, shapes of the inputs, and what else a sample says."""
    given = {"mean": [0.1, -0.2, 0.3], "variance": [0.5, 2.0, 1.0]}
    spectrogram = {"frame_length": 8, "frame_step": 3}
    steps = ((2, 20, 2),)
    mel = {"fft_length": 16, "sequence_stride": 5, "num_mel_bins": 4, "min_freq": 500.0}
    return [
        (L.CategoryEncoding, {"num_tokens": 6}, ((3, 4),), {"integers": 7}),
        (L.CategoryEncoding, {"num_tokens": 6, "output_mode": "count"}, ((3, 4),), {"integers": 6}),
        (L.CategoryEncoding, {"num_tokens": 6, "output_mode": "one_hot"}, ((3, 4),), {"integers": 6}),
        (
            L.Discretization, {"bin_boundaries": [-0.52, 0.04, 0.53], "output_mode": "count"}, ((3, 4),),
            {"smooth": False},
        ),
        (
            L.Discretization, {"bin_boundaries": [-0.52, 0.04, 0.53], "output_mode": "one_hot"}, ((3, 1),),
            {"smooth": False},
        ),
        (L.Hashing, {"num_bins": 5, "output_mode": "multi_hot", "salt": 7}, ((3, 4),), {"integers": 40}),
        (L.MelSpectrogram, {**mel, "power_to_db": False}, ((2, 64),), {}),
        (L.MelSpectrogram, {**mel, "sequence_length": 12, "window": "hamming"}, ((2, 64),), {}),
        (L.Normalization, given, ((2, 3),), {}),
        (L.Normalization, {**given, "axis": 1, "invert": True}, ((2, 3, 4),), {}),
        (L.Normalization, {"axis": None, "mean": 0.5, "variance": 3.0}, ((2, 3),), {}),
        (L.STFTSpectrogram, {**spectrogram, "mode": "magnitude"}, steps, {}),
        (L.STFTSpectrogram, {**spectrogram, "mode": "psd", "scaling": None, "periodic": True}, steps, {}),
        (L.STFTSpectrogram, {**spectrogram, "mode": "stft", "expand_dims": True, "padding": "same"}, steps, {}),
        (L.STFTSpectrogram, {**spectrogram, "mode": "real", "data_format": "channels_first"}, ((2, 2, 20),), {}),
        (L.STFTSpectrogram, {**spectrogram, "mode": "imag", "window": "hamming", "scaling": "spectrum"}, steps, {}),
    ]  # fmt: skip
