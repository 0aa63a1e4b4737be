"""Process-wide settings: the default float type, the fuzz factor, the order of an image's axes, caps of `fit`."""

from __future__ import annotations

import logging

from layerkit.dtypes import floatx, set_floatx

__all__ = [
    "backend", "disable_flash_attention", "disable_interactive_logging", "disable_traceback_filtering",
    "enable_flash_attention", "enable_interactive_logging", "enable_traceback_filtering",
    "enable_unsafe_deserialization", "epsilon", "floatx", "image_data_format",
    "is_flash_attention_enabled", "is_interactive_logging_enabled", "is_nnx_enabled",
    "is_traceback_filtering_enabled", "max_epochs",
    "max_steps_per_epoch", "set_backend", "set_epsilon", "set_floatx", "set_image_data_format", "set_max_epochs",
    "set_max_steps_per_epoch", "standardize_data_format",
]  # fmt: skip

_epsilon = 1e-7
_image_data_format = "channels_last"
_interactive_logging = True
_max_epochs: int | None = None
_max_steps_per_epoch: int | None = None


def backend() -> str:
    """The name of what computes: "layerkit"."""
    return "layerkit"


def set_backend(backend: str) -> None:
    """Does nothing for "layerkit"; raises ValueError for any other, for there is only this one."""
    if backend != "layerkit":
        raise ValueError(f"layerkit is its own backend, the only one; got {backend!r}.")


def epsilon() -> float:
    """The small number that keeps divisions and logarithms finite, 1e-7 unless set otherwise."""
    return _epsilon


def set_epsilon(value: float) -> None:
    """Change the small number that keeps divisions and logarithms finite."""
    global _epsilon
    _epsilon = float(value)


def enable_interactive_logging() -> None:
    """Show progress and messages on standard output, as from the start."""
    global _interactive_logging
    _interactive_logging = True


def disable_interactive_logging() -> None:
    """Give progress and messages to the logger "layerkit" of Python's `logging` instead of standard output."""
    global _interactive_logging
    _interactive_logging = False


def is_interactive_logging_enabled() -> bool:
    """Whether progress and messages go to standard output."""
    return _interactive_logging


def say(message: str) -> None:
    """Print a message, or give it to the logger, as `enable_interactive_logging` and its opposite say."""
    if _interactive_logging:
        print(message, flush=True)
    else:
        logging.getLogger("layerkit").info(message)


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


def max_epochs() -> int | None:
    """The most epochs that `fit` runs, whatever it is asked for; None: no cap."""
    return _max_epochs


def set_max_epochs(max_epochs: int | None) -> None:
    """Cap the epochs of every `fit`, as for a quick look whether a script runs through; None: no cap."""
    global _max_epochs
    _max_epochs = _positive("max_epochs", max_epochs)


def max_steps_per_epoch() -> int | None:
    """The most steps of an epoch, and of an evaluation or prediction; None: no cap."""
    return _max_steps_per_epoch


def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Cap the steps of every epoch, evaluation and prediction; None: no cap."""
    global _max_steps_per_epoch
    _max_steps_per_epoch = _positive("max_steps_per_epoch", max_steps_per_epoch)


def _positive(name: str, value: int | None) -> int | None:
    if value is not None and (isinstance(value, bool) or int(value) != value or value < 1):
        raise ValueError(f"{name} is a positive integer or None; got {value!r}.")
    return None if value is None else int(value)


def is_flash_attention_enabled() -> bool | None:
    """None: attention chooses its kernel itself."""
    return None


def enable_flash_attention() -> None:
    """Raises NotImplementedError: attention chooses its kernel itself."""
    raise NotImplementedError("There is no switch for flash attention: ops.dot_product_attention chooses its kernel.")


def disable_flash_attention() -> None:
    """Does nothing: there is no flash attention to be switched off."""


def is_nnx_enabled() -> bool:
    """False: there is no Flax."""
    return False


def is_traceback_filtering_enabled() -> bool:
    """False: tracebacks are shown whole."""
    return False


def disable_traceback_filtering() -> None:
    """Does nothing: tracebacks are shown whole."""


def enable_traceback_filtering() -> None:
    """Raises NotImplementedError: tracebacks are shown whole."""
    raise NotImplementedError("Tracebacks are shown whole; there is no filter to be switched on.")


def enable_unsafe_deserialization() -> None:
    """Raises ValueError: loading never runs code."""
    raise ValueError(
        "Loading never runs code that a file holds, so there is no unsafe deserialization. "
        "Pass your classes and functions as custom_objects, or register them."
    )
