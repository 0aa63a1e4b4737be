"""Taking elements of several adjacent axes at once, by places that come from sizes."""

from __future__ import annotations

import numpy as np

from layerkit.graph.tensor import SIZE_CONSTANT, Tensor
from layerkit.ops.indexing import TakeRows
from layerkit.ops.shape import reshape


def sized(array: np.ndarray, dtype: str) -> Tensor:
    """An array that comes from sizes (places on a grid, weights) as a constant: see `reduction.size_constant`."""
    return Tensor(array.shape, dtype, np.ascontiguousarray(array, dtype), name=SIZE_CONSTANT)


def index_dtype(count: int) -> str:
    """The integers that number so many elements."""
    return "int32" if count < 2**31 else "int64"


def take_block(x: Tensor, axis: int, end: int, numbers: np.ndarray) -> Tensor:
    """The elements of a block of axes, from `axis` to before `end`, by their row-major numbers in it.

    One gather, in place of one for each axis. The numbers are a constant of the block alone: those of the axes before
    it are added in the plan, which keeps no index as large as the batch.

    Returns the shape of x with that of the numbers in the place of the block.

    >>> take_block(Tensor.of(np.array([[5, 6, 7], [8, 9, 10]])), 1, 2, np.array([2, 0])).tolist()
    [[7, 5], [10, 8]]
    """
    before, block, after = (
        int(np.prod(part, dtype=np.int64)) for part in (x.shape[:axis], x.shape[axis:end], x.shape[end:])
    )
    dtype = index_dtype(before * block)
    rows = sized(numbers, dtype)
    if axis:
        rows = sized(np.arange(before).reshape(-1, *(1,) * numbers.ndim) * block, dtype) + rows
    taken = TakeRows()(reshape(x, (before * block, after)), rows)
    return reshape(taken, (*x.shape[:axis], *numbers.shape, *x.shape[end:]))
