"""Process-wide state: seeds and automatic names."""

from __future__ import annotations

import random

import numpy as np

from layerkit.random import set_seed
from layerkit.registry import reset_names


def set_random_seed(seed: int) -> None:
    """Seed Python's, NumPy's and layerkit's random numbers, so that a script gives the same results when it runs again.

    Raises ValueError for anything but a whole number from 0 to 2**32 - 1.

    >>> set_random_seed(1)
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**32:
        raise ValueError(f"seed is a whole number from 0 to 2**32 - 1; got {seed!r}.")
    random.seed(int(seed))
    np.random.seed(int(seed))  # noqa: NPY002 - scripts draw their data from NumPy's global state
    set_seed(int(seed))


def clear_session(free_memory: bool = True) -> None:
    """Start automatic layer names anew. There is no other global state: a model is freed when nothing refers to it.

    Args:
        free_memory: accepted as Keras has it; there is nothing else to free.
    """
    del free_memory
    reset_names()
