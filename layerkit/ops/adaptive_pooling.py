"""Pooling to a given size: window i of n along an axis of m goes from floor(i m / n) to ceil((i + 1) m / n)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from layerkit.errors import ShapeError
from layerkit.graph.operation import as_tensor
from layerkit.graph.tensor import SIZE_CONSTANT, Tensor
from layerkit.ops.elementwise import where
from layerkit.ops.indexing import take
from layerkit.ops.neural import as_float
from layerkit.ops.pooling import average_pool, max_pool, with_channels_last
from layerkit.ops.reduction import max as reduce_max
from layerkit.ops.reduction import sum as reduce_sum
from layerkit.ops.windows import per_axis


def adaptive_average_pool(inputs: object, output_size: int | Sequence[int], data_format: str | None = None) -> Tensor:
    """The means of windows of [N, *size, C] that are laid so that there are `output_size` of them.

    Args:
        inputs: the images, with one to three spatial axes; integers become floats.
        output_size: how many windows, a number or one for each spatial axis. They overlap where it does not divide
            the axis' size.
        data_format: where the channels are: "channels_last" or "channels_first".

    Raises ShapeError for another number of axes.

    >>> adaptive_average_pool(np.arange(5.0).reshape(1, 5, 1), 2).numpy().ravel().tolist()
    [1.0, 3.0]
    """
    return _pool(average_pool, _means, as_float(as_tensor(inputs)), output_size, data_format)


def adaptive_max_pool(inputs: object, output_size: int | Sequence[int], data_format: str | None = None) -> Tensor:
    """The largest elements of windows of [N, *size, C]; the arguments are those of `adaptive_average_pool`.

    >>> adaptive_max_pool(np.arange(5.0).reshape(1, 5, 1), 2).numpy().ravel().tolist()
    [2.0, 4.0]
    """
    return _pool(max_pool, _largest, as_tensor(inputs), output_size, data_format)


def _pool(
    even: Callable[..., Tensor],
    along: Callable[[Tensor, int, int], Tensor],
    x: Tensor,
    output_size: int | Sequence[int],
    data_format: str | None,
) -> Tensor:
    def pooled(x: Tensor) -> Tensor:
        size = x.shape[1:-1]
        counts = per_axis(output_size, len(size), "output_size")
        if None not in size and all(n and n % count == 0 for n, count in zip(size, counts, strict=True)):
            # Windows of one size that do not overlap: there are kernels for them.
            windows = tuple(n // count for n, count in zip(size, counts, strict=True))
            return even(x, windows, data_format="channels_last")
        for axis, count in enumerate(counts, 1):
            x = along(x, axis, count)
        return x

    return with_channels_last(pooled, x, data_format)


def _windows(size: int | None, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The places [count, longest] of each window's elements, and which of them count: short ones repeat their last."""
    if size is None:
        return np.zeros((count, 1), np.int32), np.ones((count, 1), bool)  # a shape is all that is asked for
    if not size:
        raise ShapeError("an axis without elements can't be pooled.")
    starts = np.arange(count) * size // count
    ends = -(-np.arange(1, count + 1) * size // count)
    places = starts[:, None] + np.arange((ends - starts).max())
    return np.minimum(places, ends[:, None] - 1).astype("int32"), places < ends[:, None]


def _means(x: Tensor, axis: int, count: int) -> Tensor:
    places, inside = _windows(x.shape[axis], count)
    rest = (1,) * (x.ndim - axis - 1)
    taken = take(x, places, axis)  # [..., count, longest, ...]
    sums = reduce_sum(where(inside.reshape(*inside.shape, *rest), taken, 0), axis + 1)
    shares = (1 / inside.sum(1)).astype(x.dtype).reshape(count, *rest)
    return sums * Tensor(shares.shape, x.dtype, shares, name=SIZE_CONSTANT)


def _largest(x: Tensor, axis: int, count: int) -> Tensor:
    places, _ = _windows(x.shape[axis], count)
    return reduce_max(take(x, places, axis), axis + 1)
