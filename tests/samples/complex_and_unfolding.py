"""Rows for complex numbers, unfolding, partitions and Bessel functions; `operations.py` takes them in."""

from __future__ import annotations

import numpy as np

from layerkit import ops
from layerkit.graph.operation import Operation


def _normal(*shape: int):
    return lambda rng, dtype: rng.normal(size=shape).astype(dtype)


def _complex(*shape: int):
    def make(rng: np.random.Generator, dtype: str) -> np.ndarray:
        parts = rng.normal(size=(*shape, 2)).astype(dtype)
        return parts[..., 0] + 1j * parts[..., 1]

    return make


def _unlike(*shape: int):
    """Numbers in a random order, each once."""
    return lambda rng, dtype: rng.permutation(np.arange(np.prod(shape))).reshape(shape).astype(dtype)


def rows() -> list[tuple[Operation, tuple, bool]]:
    """An operation, the makers of its inputs, and whether the law of the slope is for it, for each row.

    The slopes of operations on complex numbers are tested in tests/ops/test_complex_numbers.py.
    """
    windows = (
        ((2, 3), (1, 1), ((0, 0), (0, 0)), (1, 1)),
        ((3, 2), (2, 1), ((1, 1), (0, 0)), (1, 2)),
        ((2, 2), (3, 3), ((0, 0), (1, 1)), (2, 1)),
    )
    slopes = [
        *((ops.ModifiedBessel(order), (_normal(3, 5),)) for order in (0, 1)),
        *((ops.Unfold(*window), (_normal(2, 3, 6, 7),)) for window in windows),
        *(
            (ops.Fold(*window, (6, 7)), (_normal(2, *columns),))
            for window, columns in zip(windows, ((18, 25), (18, 15), (12, 6)), strict=True)
        ),
    ]
    others = [
        *((ops.ComplexOf(), x) for x in ((_normal(3), _normal(3)), (_normal(2, 1, 4), _normal(3, 1)))),
        *(
            (kind(), (_complex(*shape),))
            for kind in (ops.RealPart, ops.ImaginaryPart, ops.Conjugate)
            for shape in ((3, 4), (0,), ())
        ),
        (ops.Bitcast("uint8"), (_normal(2, 3),)),
        (ops.Bitcast("complex128"), (_normal(2, 4),)),
        (ops.Bitcast("bool"), (_normal(2, 3),)),
        *((ops.ArgPartition(kth, axis), (_unlike(4, 5),)) for kth, axis in (((2,), 1), ((0, -1), 0))),
    ]
    return [(*row, True) for row in slopes] + [(*row, False) for row in others]
