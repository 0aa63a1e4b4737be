"""The program's source of seeds: what `set_random_seed` sets and everything that is random without a seed of its own draws from."""

from __future__ import annotations

import threading

import numpy as np

SEED_LIMIT = 2**31 - 1

_lock = threading.Lock()
_stream = np.random.Generator(np.random.Philox())


def seed_stream(seed: int) -> None:
    """Start the stream of default seeds anew."""
    global _stream
    with _lock:
        _stream = np.random.Generator(np.random.Philox(key=int(seed)))


def make_default_seed() -> int:
    """The next seed for something that was given none."""
    with _lock:
        return int(_stream.integers(1, SEED_LIMIT))


def generator(seed: int) -> np.random.Generator:
    """NumPy's counter-based generator for a seed."""
    return np.random.Generator(np.random.Philox(key=int(seed) % 2**64))
