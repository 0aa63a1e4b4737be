"""Window functions by name, as `scipy.signal.get_window` has them."""

from __future__ import annotations

from typing import Any

import numpy as np

_COSINES = {
    "boxcar": (1.0,),
    "hann": (0.5, 0.5),
    "hamming": (0.54, 0.46),
    "blackman": (0.42, 0.50, 0.08),
    "nuttall": (0.3635819, 0.4891775, 0.1365995, 0.0106411),
    "blackmanharris": (0.35875, 0.48829, 0.14128, 0.01168),
    "flattop": (0.21557895, 0.41663158, 0.277263158, 0.083578947, 0.006947368),
}
"""Coefficients of the cosines that a window is the alternating sum of."""
_ALIASES = {"rectangular": "boxcar", "ones": "boxcar", "hanning": "hann"}
NAMES = (*sorted(_COSINES), "bartlett", "cosine")


def window(given: Any, length: int, periodic: bool) -> np.ndarray:
    """The window of a name, or of an array of `length` numbers: float64 [length].

    Args:
        given: the name or the array.
        length: how many samples it has.
        periodic: whether it goes on after its end as it starts (for spectra), else it is symmetric.

    Raises ValueError for an unknown name, and for arrays of another shape.

    >>> window("bartlett", 4, periodic=True).tolist()
    [0.0, 0.5, 1.0, 0.5]
    """
    if not isinstance(given, str):
        values = np.asarray(given, "float64")
        if values.shape != (length,):
            raise ValueError(f"The shape of `window` must be ({length},), the frame's length; got {values.shape}.")
        return values
    name = _ALIASES.get(given, given)
    if name not in NAMES:
        raise ValueError(f"Unknown `window` {given!r}: known are {', '.join(NAMES)}; or pass an array of values.")
    if length == 1:
        return np.ones(1)
    steps = length if periodic else length - 1
    places = np.arange(length)
    if name == "bartlett":
        return 1 - np.abs(2 * places / steps - 1)
    if name == "cosine":
        return np.sin(np.pi * (places + 0.5) / (steps + 1))
    signs = (-1) ** np.arange(len(_COSINES[name]))
    return sum(
        sign * weight * np.cos(2 * np.pi * order * places / steps)
        for order, (sign, weight) in enumerate(zip(signs, _COSINES[name], strict=True))
    ) * np.ones(length)
