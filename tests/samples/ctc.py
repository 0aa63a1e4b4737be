"""Rows for connectionist temporal classification; `operations.py` takes them in."""

from __future__ import annotations

import numpy as np

from layerkit import ops


def _integers(values: list) -> object:
    return lambda rng, dtype: np.array(values, "int32")


def _normal(*shape: int):
    return lambda rng, dtype: rng.normal(size=shape).astype(dtype)


def rows() -> list[tuple]:
    """An operation, the makers of its inputs, whether it has a gradient, and whether that has one."""
    # Repeated labels, targets and rows that end early, an empty target, and one that is too long for its row.
    several = (
        _integers([[1, 2, 2], [3, 3, 1], [2, 1, 0], [1, 1, 2], [0, 0, 0]]), _normal(5, 7, 4),
        _integers([3, 3, 2, 3, 0]), _integers([7, 6, 5, 3, 4]),
    )  # fmt: skip
    single = (_integers([[1]]), _normal(1, 1, 3), _integers([1]), _integers([1]))
    last = (_integers([[1, 0], [0, 0]]), _normal(2, 5, 3), _integers([2, 2]), _integers([5, 9]))
    feasible = (several[0], several[1], several[2], _integers([7, 6, 5, 4, 4]))
    searches = [
        (ops.CTCBeamSearch(width, paths, 0), (_normal(3, 6, 4), _integers([6, 4, 2])))
        for width, paths in ((5, 1), (9, 3))
    ]
    return [
        *((ops.CTCLoss(0), inputs, True, False) for inputs in (feasible, single)),
        (ops.CTCLoss(2), last, True, False),
        *((ops.CTCOccupancy(0), inputs, False, False) for inputs in (several, single)),
        (ops.CTCOccupancy(2), last, False, False),
        *((search, inputs, False, False) for search, inputs in searches),
    ]
