"""Rows for the operations of lookups and hashes; `operations.py` takes them in."""

from __future__ import annotations

import numpy as np

from layerkit.layers.preprocessing.hashing import CrossIntegers, HashedCrossing, HashIntegers
from layerkit.layers.preprocessing.integer_lookup import FindInSorted, RequireNone
from layerkit.layers.preprocessing.strings import OfStrings


def _integers(high: int, *shape: int, low: int = 0):
    return lambda rng, dtype: rng.integers(low, high, shape)


def _constant(*values: int):
    return lambda rng, dtype: np.array(values)


def rows() -> list[tuple]:
    """An operation, the makers of its inputs, and that it has no gradient."""
    table = (_constant(2, 5, 9), _constant(1, 0, 2))
    return [
        (HashIntegers(7), (_integers(50, 3, 4, low=-50),), False),
        (HashIntegers(7, (1, 2)), (_integers(50, 5),), False),
        (CrossIntegers(11), (_integers(50, 3, 1, low=-50), _integers(9, 3, 1)), False),
        # Of integers, since the laws' plans take no strings: tests/layers/test_string_inputs.py has those.
        (OfStrings(HashedCrossing(11)), (_integers(50, 3, 1, low=-50), _integers(9, 3, 1)), False),
        (FindInSorted(-1), (_integers(10, 3, 4), *table), False),
        (RequireNone("IntegerLookup 'ids'"), (_integers(10, 3), _integers(10, 3)), False),
    ]
