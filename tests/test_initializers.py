"""Initializers under all their names, and the kernels of Fourier transforms."""

import numpy as np
import pytest

from layerkit import initializers
from layerkit.errors import ShapeError


def test_functions_are_the_classes():
    assert initializers.he_normal is initializers.HeNormal
    assert initializers.zeros()((2,)).tolist() == [0, 0]
    assert initializers.get("OrthogonalInitializer").get_config() == {"gain": 1.0, "seed": None}
    assert type(initializers.get("stft")) is initializers.STFT


@pytest.mark.parametrize("window", [None, "hann", "hamming", "blackman"])
@pytest.mark.parametrize("periodic", [False, True])
def test_stft_kernels_transform_frames(window, periodic):
    frames = np.random.default_rng(0).normal(size=(4, 10))
    real, imag = (
        initializers.STFT(side, window, scaling=None, periodic=periodic)((10, 1, 6), "float64")[:, 0]
        for side in ("real", "imag")
    )
    weights = np.ones(10)
    if window is not None:
        places = 11 if periodic else 10
        made = {"hann": np.hanning, "hamming": np.hamming, "blackman": np.blackman}[window](places)
        weights = made[:10]
    np.testing.assert_allclose(frames @ real + 1j * (frames @ imag), np.fft.rfft(frames * weights), atol=1e-6)


def test_stft_scaling():
    window = np.arange(1.0, 5.0)
    plain = initializers.STFT(window=window, scaling=None)((4, 1, 3), "float64")
    for scaling, size in (("density", np.sqrt(30.0)), ("spectrum", 10.0)):
        scaled = initializers.STFT(window=window, scaling=scaling)((4, 1, 3), "float64")
        np.testing.assert_allclose(scaled * size, plain, rtol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"side": "left"}, "`side` is 'real' or 'imag'; got 'left'"),
        ({"scaling": "size"}, "`scaling` is 'density', 'spectrum' or None; got 'size'"),
        ({"window": "kaiser"}, "`window` is an array, None or one of 'boxcar', .*; got 'kaiser'"),
    ],
)
def test_stft_of_no_kind(arguments, message):
    with pytest.raises(ValueError, match=message):
        initializers.STFT(**arguments)


def test_stft_shapes():
    with pytest.raises(ShapeError, match=r"STFT makes kernels \(frame, 1, frequencies\); one of shape \(2, 3\)"):
        initializers.STFT()((2, 3))
    with pytest.raises(ShapeError, match=r"The window of STFT has shape \(3,\), not \(4,\)"):
        initializers.STFT(window=np.ones(3))((4, 1, 3))
