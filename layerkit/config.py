"""Process-wide settings: the default float type, the fuzz factor, the default order of an image's axes."""

from __future__ import annotations

from layerkit.dtypes import floatx, set_floatx

__all__ = [
    "backend", "epsilon", "floatx", "image_data_format", "set_epsilon", "set_floatx", "set_image_data_format",
    "standardize_data_format",
]  # fmt: skip

_epsilon = 1e-7
_image_data_format = "channels_last"


def backend() -> str:
    """The name of what computes: "layerkit"."""
    return "layerkit"


def epsilon() -> float:
    """The small number that keeps divisions and logarithms finite, 1e-7 unless set otherwise."""
    return _epsilon


def set_epsilon(value: float) -> None:
    """Change the small number that keeps divisions and logarithms finite."""
    global _epsilon
    _epsilon = float(value)


def image_data_format() -> str:
    """The order of an image's axes where none is named: "channels_last" unless set otherwise."""
    return _image_data_format


def set_image_data_format(data_format: str) -> None:
    """Make "channels_last" or "channels_first" the default. Raises ValueError for anything else."""
    global _image_data_format
    _image_data_format = standardize_data_format(data_format)


def standardize_data_format(data_format: str | None) -> str:
    """A data format, or the default for None. Raises ValueError for an unknown one.

    >>> standardize_data_format("channels_first")
    'channels_first'
    """
    if data_format is None:
        return _image_data_format
    known = str(data_format).lower()
    if known not in ("channels_last", "channels_first"):
        raise ValueError(f"data_format is 'channels_last' or 'channels_first'; got {data_format!r}.")
    return known
