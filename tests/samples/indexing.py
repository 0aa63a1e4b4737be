"""Rows for indexing, sorting, running sums and products, segments and joining; `operations.py` takes them in."""

from __future__ import annotations

import numpy as np

from layerkit import ops


def _floats(*shape: int, special: bool = False):
    """Floats apart from each other and from 0; with `special` ties, zeros of both signs, infinities and NaN."""

    def make(rng: np.random.Generator, dtype: str) -> np.ndarray:
        count = int(np.prod(shape))
        x = rng.permutation(np.linspace(0.4, 2.1, count)) * rng.choice([-1, 1], count)
        if special:
            x[: count // 2] = rng.choice([0.0, -0.0, 1.0, np.nan, np.inf, -np.inf], count // 2)
        return x.reshape(shape).astype(dtype)

    return make


def _with_zeros(*shape: int):
    """Floats with an exact 0 in the first row and two in the second."""

    def make(rng: np.random.Generator, dtype: str) -> np.ndarray:
        x = _floats(*shape)(rng, dtype)
        x[0, 1] = x[1, 0] = x[1, 2] = 0
        return x

    return make


def _integers(*shape: int, low: int = 0, high: int = 5, dtype: str = "int32"):
    return lambda rng, _: rng.integers(low, high, shape).astype(dtype)


def _bools(*shape: int):
    return lambda rng, _: rng.random(shape) < 0.5


def _some_equal(count: int):
    """Row numbers of which one stands twice."""
    return lambda rng, _: np.array([*rng.permutation(count), 0], "int32")


def _every_index(count: int, rows: int):
    """Row numbers, each at least once."""
    return lambda rng, _: rng.permutation(np.arange(count) % rows).astype("int32")


def rows() -> list[tuple]:
    """(operation, makers of inputs, whether the gradient is checked[, whether the gradient's is]) of each row."""
    outside = _integers(3, 4, low=-9, high=9)
    return [
        (ops.TakeRows(), (_integers(5, 3), _integers(2, 4, low=-5)), True),
        (ops.TakeRows(), (_bools(5, 3), outside), True),
        (ops.TakeRows(zero_outside=True), (_floats(5, 2), outside), True),
        (ops.TakeRows(axis=1), (_floats(2, 5, 3), _integers(2, 4, low=-5)), True),
        (ops.TakeRows(zero_outside=True, axis=2), (_floats(2, 3, 5), outside), True),
        (ops.TakeRows(axis=1), (_floats(2, 5, 3), _integers(low=-5)), True),
        (ops.ScatterAddRows(5), (_floats(3, 4, 2), outside), True),
        (ops.ScatterAddRows(1), (_integers(6, low=-3), _integers(6, low=-1, high=1, dtype="int64")), True),
        (ops.UpdateRows(), (_floats(4, 3), _some_equal(4), _floats(5, 3)), True),
        (ops.UpdateRows(), (_bools(5), _integers(3, 4, low=-9, high=9, dtype="int64"), _bools(3, 4)), True),
        (ops.UpdateRows(), (_floats(5, 2), _integers(0), _floats(0, 2)), True),
        (ops.TakeAlongAxis(0), (_floats(5, 3), _integers(7, 3, low=-5)), True),
        (ops.TakeAlongAxis(1, zero_outside=True), (_floats(3, 5, 2), _integers(3, 4, 2, low=-9, high=9)), True),
        (ops.TakeAlongAxis(1), (_bools(3, 5), _integers(3, 1, dtype="int64")), True),
        (ops.TakeAlongAxis(0), (_floats(0), _integers(0)), True),
        (ops.AddAlongAxis(0, 5), (_floats(6, 3), _integers(6, 3, low=-5)), True),
        (ops.AddAlongAxis(1, 4), (_floats(2, 5, 3), _integers(2, 5, 3, low=-9, high=9, dtype="int64")), True),
        (ops.AddAlongAxis(0, 3), (_floats(0), _integers(0)), True),
        (ops.ArgSort(0), (_floats(60, 3, special=True),), False),
        (ops.ArgSort(1), (_integers(2, 200),), False),
        (ops.ArgSort(0), (_bools(100),), False),
        (ops.Sort(1), (_floats(3, 9),), True),
        (ops.Sort(0), (_floats(7, 2),), True),
        (ops.Sort(1), (_floats(2, 300, special=True),), False),
        (ops.Sort(1), (_integers(2, 200, low=-(2**31), high=2**31 - 1),), False),
        (ops.Sort(0), (_floats(0, 2),), False),
        (ops.Sort(0), (_floats(1),), True),
        (ops.TopK(3), (_floats(2, 90, special=True),), False),
        (ops.TopK(100), (_integers(2, 150),), False),
        (ops.TopK(0), (_floats(2, 3),), False),
        (ops.TopK(1), (_floats(1),), True),
        (ops.SearchSorted(), (_ascending_integers(20), _integers(3, 5, low=-5, high=30)), False),
        (ops.SearchSorted(right=True), (_floats(0), _floats(3)), False),
        (ops.CumSum(0), (_floats(9),), True),
        (ops.CumSum(2, True), (_floats(2, 3, 9),), True),
        (ops.CumSum(1), (_integers(3, 7, 2),), True),
        (ops.CumSum(0), (_floats(0, 2),), True),
        (ops.CumProd(1), (_floats(3, 5),), True),
        (ops.CumProd(1, True), (_with_zeros(3, 5),), True),
        (ops.CumProd(1), (_with_zeros(3, 5),), True),
        (ops.CumProd(0), (_floats(4, 3),), True),
        (ops.CumProd(0), (_integers(9, low=1, dtype="int64"),), True),
        (ops.CumProd(0), (_floats(1),), True),
        (ops.CumProd(0), (_floats(0),), True),
        (ops.LinearRecurrence(1), (_with_zeros(3, 5), _floats(3, 5)), True),
        (ops.LinearRecurrence(0, True), (_floats(5, 3), _floats(5, 3)), True),
        (ops.SegmentMax(3), (_floats(7, 2), _every_index(7, 3)), True),
        (ops.SegmentMax(2), (_integers(3, 4, low=-5), outside), True),
        (ops.SegmentMin(3), (_floats(7), _every_index(7, 3)), True),
        (ops.SegmentProd(4), (_floats(6, 2), _integers(6, high=3)), True),
        (ops.SegmentProd(2), (_floats(3, 4), outside), True),
        (ops.Pad(((1, 2), (0, 0), (2, 0)), -1.5), (_floats(2, 3, 4),), True),
        (ops.Pad(((0, 0), (1, 1)), 1), (_bools(2, 3),), True),
        (ops.Pad(((2, 3),)), (_integers(0),), True),
        (ops.SliceGradient((3, 0), (-2, 1), (4, 7)), (_floats(2, 3),), True),
        (ops.SliceGradient((1, 2), (1, 1), (4, 7)), (_integers(2, 3),), True),
        (ops.Concatenate(0), (_floats(2, 3), _floats(0, 3), _floats(1, 3)), True),
        (ops.Concatenate(2), (_bools(2, 3, 1), _bools(2, 3, 4)), True),
        (ops.Stack(0), (_floats(2, 3), _floats(2, 3)), True),
        (ops.Stack(2), (_integers(2, 3), _integers(2, 3), _integers(2, 3)), True),
        (ops.ArgMax(0), (_floats(7, 3, special=True),), False),
        (ops.ArgMin(0), (_floats(7, 3, special=True),), False),
        (ops.ArgMin(1), (_integers(3, 7, low=-(2**31), high=2**31 - 1),), False),
    ]


def _ascending_integers(count: int):
    return lambda rng, _: np.sort(rng.integers(0, 25, count)).astype("int32")
