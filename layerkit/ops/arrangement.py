"""Turning, cutting, joining and picking parts of tensors, and products over arrangements of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from layerkit.dtypes import is_inexact
from layerkit.errors import ShapeError, UnknownNameError
from layerkit.graph.operation import as_tensor
from layerkit.graph.tensor import Tensor
from layerkit.ops.arrays import flip, moveaxis
from layerkit.ops.comparison import less, not_equal
from layerkit.ops.contraction import of_common_dtype, sum_over_last
from layerkit.ops.elementwise import clip, floor_divide, mod, where
from layerkit.ops.index_checks import as_indices
from layerkit.ops.indexing import take
from layerkit.ops.padding import pad
from layerkit.ops.reduction import normalize_axes
from layerkit.ops.shape import (
    GetItem,
    concatenate,
    expand_dims,
    reshape,
    split,
    stack,
    swapaxes,
    transpose,
    zeros,
    zeros_like,
)


def empty(shape: Sequence[int], dtype: object = None) -> Tensor:
    """A tensor whose values do not matter: zeros, so that runs repeat."""
    return zeros(shape, dtype)


def empty_like(x: object, dtype: object = None) -> Tensor:
    """A tensor of the shape (and dtype) of another one whose values do not matter: zeros, so that runs repeat."""
    return zeros_like(x, dtype)


def fliplr(x: object) -> Tensor:
    """The second axis in reverse order."""
    return flip(x, 1)


def flipud(x: object) -> Tensor:
    """The first axis in reverse order."""
    return flip(x, 0)


def rot90(array: object, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Tensor:
    """The plane of two axes turned k times by 90 degrees, from the first towards the second."""
    x = as_tensor(array)
    if len(axes) != 2 or axes[0] % x.ndim == axes[1] % x.ndim:
        raise ValueError(f"ops.rot90 turns the plane of two different axes; got axes={axes!r}.")
    first, second = (axis % x.ndim for axis in axes)
    k %= 4
    if k == 2:
        return flip(x, (first, second))
    if k == 1:
        return swapaxes(flip(x, second), first, second)
    return flip(swapaxes(x, first, second), second) if k == 3 else x


def hsplit(x: object, indices_or_sections: int | Sequence[int]) -> list[Tensor]:
    """Parts along the second axis, of a vector along its only one; see `split`."""
    x = as_tensor(x)
    return split(x, indices_or_sections, 0 if x.ndim == 1 else 1)


def vsplit(x: object, indices_or_sections: int | Sequence[int]) -> list[Tensor]:
    """Parts along the first axis; see `split`."""
    return split(x, indices_or_sections, 0)


def dsplit(x: object, indices_or_sections: int | Sequence[int]) -> list[Tensor]:
    """Parts along the third axis; see `split`."""
    return split(x, indices_or_sections, 2)


def array_split(x: object, indices_or_sections: int, axis: int = 0) -> list[Tensor]:
    """So many parts along an axis, whose sizes may differ by one: the first ones are the larger.

    Raises TypeError for places to cut at, which `split` takes.

    >>> [part.shape[0] for part in array_split(np.arange(7), 3)]
    [3, 2, 2]
    """
    x = as_tensor(x)
    if not isinstance(indices_or_sections, int):
        raise TypeError(f"ops.array_split takes a number of parts; got {indices_or_sections!r}.")
    n = x.shape[axis]
    size, larger = divmod(n, indices_or_sections)
    cuts = [at * size + min(at, larger) for at in range(indices_or_sections + 1)]
    before = (slice(None),) * (axis % x.ndim)
    return [GetItem.at(x, (*before, slice(a, b))) for a, b in pairwise(cuts)]


def dstack(xs: Sequence[object]) -> Tensor:
    """Tensors one after the other along the third axis; a vector [n] counts as [1, n, 1]."""

    def with_depth(x: Tensor) -> Tensor:
        if x.ndim < 2:
            return reshape(x, (1, -1, 1))
        return expand_dims(x, 2) if x.ndim == 2 else x

    return concatenate([with_depth(as_tensor(x)) for x in xs], 2)


def append(x1: object, x2: object, axis: int | None = None) -> Tensor:
    """x2 after x1 along an axis, or both flattened (None)."""
    a, b = of_common_dtype(x1, x2)
    if axis is None:
        return concatenate([reshape(a, (-1,)), reshape(b, (-1,))], 0)
    return concatenate([a, b], axis)


def diagonal(x: object, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """A diagonal of two axes, along a new last axis in their place."""
    x = as_tensor(x)
    if x.ndim < 2:
        raise ShapeError(f"ops.diagonal takes two axes or more; got shape {x.shape}.")
    x = moveaxis(x, (axis1, axis2), (-2, -1))
    m, n = x.shape[-2:]
    rows = np.arange(m)
    inside = (rows + offset >= 0) & (rows + offset < n)
    places = (rows * n + rows + offset)[inside].astype("int32")
    return take(reshape(x, (*x.shape[:-2], m * n)), places, -1)


def diagflat(x: object, k: int = 0) -> Tensor:
    """A matrix with the flattened x on diagonal k and zeros elsewhere."""
    x = reshape(x, (-1,))
    n = x.shape[0]
    # With n zeros after each element, every one starts n + 1 after the one before: a step down the diagonal.
    spread = reshape(pad(expand_dims(x, 1), ((0, 0), (0, n))), (-1,))
    matrix = reshape(GetItem.at(spread, slice(0, n * n)), (n, n))
    return pad(matrix, ((max(-k, 0), max(k, 0)), (max(k, 0), max(-k, 0))))


def diff(a: object, n: int = 1, axis: int = -1) -> Tensor:
    """The differences of neighbours along an axis, n times over; of bools whether they differ."""
    x = as_tensor(a)
    if n < 0:
        raise ValueError(f"ops.diff takes differences n >= 0 times; got n={n}.")
    before = (slice(None),) * normalize_axes(axis, x.ndim)[0]
    for _ in range(n):
        later, earlier = GetItem.at(x, (*before, slice(1, None))), GetItem.at(x, (*before, slice(None, -1)))
        x = not_equal(later, earlier) if x.dtype == "bool" else later - earlier
    return x


def kron(x1: object, x2: object) -> Tensor:
    """Kronecker's product: each element of x1 replaced by its product with x2."""
    a, b = of_common_dtype(x1, x2)
    rank = max(a.ndim, b.ndim)
    a, b = (reshape(x, (1,) * (rank - x.ndim) + x.shape) for x in (a, b))
    apart = reshape(a, tuple(n for size in a.shape for n in (size, 1)))
    inside = reshape(b, tuple(n for size in b.shape for n in (1, size)))
    sizes = zip(a.shape, b.shape, strict=True)
    return reshape(apart * inside, tuple(None if None in (m, n) else m * n for m, n in sizes))


def cross(x1: object, x2: object, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Tensor:
    """The cross product of vectors of 2 or 3 components; of two with 2 its only component that is not 0.

    x1 and x2 broadcast but for the axes of their components, `axisa` and `axisb`; the result has its components along
    `axisc`; `axis` stands for all three.
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = moveaxis(x1, axisa, -1), moveaxis(x2, axisb, -1)
    if a.shape[-1] not in (2, 3) or b.shape[-1] not in (2, 3):
        raise ShapeError(f"ops.cross takes vectors of 2 or 3 components; got {a.shape[-1]} and {b.shape[-1]}.")

    def component(x: Tensor, at: int) -> Tensor:
        return GetItem.at(x, (..., at)) if at < x.shape[-1] else zeros_like(GetItem.at(x, (..., 0)))

    def minor(i: int, j: int) -> Tensor:
        return component(a, i) * component(b, j) - component(a, j) * component(b, i)

    if a.shape[-1] == b.shape[-1] == 2:
        return minor(0, 1)
    return moveaxis(stack([minor(1, 2), minor(2, 0), minor(0, 1)], -1), -1, axisc)


def inner(x1: object, x2: object) -> Tensor:
    """The sums of products over the last axes of both; of a number the product."""
    a, b = of_common_dtype(x1, x2)
    return a * b if not a.ndim or not b.ndim else sum_over_last("inner", a, b)


def unravel_index(indices: object, shape: Sequence[int]) -> tuple[Tensor, ...]:
    """Flat row-major indices as an index for each axis of a shape; negative ones count from the end."""
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    rest = as_tensor(indices)
    if is_inexact(rest.dtype):
        as_indices("unravel_index", rest)
    total = math.prod(shape)
    rest = clip(where(less(rest, 0), rest + total, rest), 0, max(total - 1, 0))
    found = []
    for size in reversed(shape):
        found.append(mod(rest, size))
        rest = floor_divide(rest, size)
    return tuple(reversed(found))


def select(condlist: Sequence[object], choicelist: Sequence[object], default: object = 0) -> Tensor:
    """Elements of the choice whose condition is the first that holds; `default` where none does.

    >>> x = np.arange(5)
    >>> select([x < 2, x > 3], [x, x * 10], -1).tolist()
    [0, 1, -1, -1, 40]
    """
    if len(condlist) != len(choicelist) or not condlist:
        raise ValueError(
            f"ops.select takes a choice for each condition; got {len(condlist)} and {len(choicelist)} of them."
        )
    y = default
    for condition, choice in reversed(list(zip(condlist, choicelist, strict=True))):
        y = where(condition, choice, y)
    return y


def depth_to_space(x: object, block_size: int, data_format: str = "channels_last") -> Tensor:
    """Channels [N, H, W, C * b * b] moved into blocks of b x b pixels: [N, H * b, W * b, C]."""
    x, b = _as_images(x, block_size, data_format), block_size
    count, height, width, depth = x.shape
    if depth % (b * b):
        raise ShapeError(f"ops.depth_to_space: {depth} channels do not make blocks of {b} x {b}.")
    channels = depth // (b * b)
    if data_format == "channels_last":
        blocks = transpose(reshape(x, (count, height, width, b, b, channels)), (0, 1, 3, 2, 4, 5))
    else:
        blocks = transpose(reshape(x, (count, height, width, channels, b, b)), (0, 1, 4, 2, 5, 3))
    return _as_given(reshape(blocks, (count, height * b, width * b, channels)), data_format)


def space_to_depth(x: object, block_size: int, data_format: str = "channels_last") -> Tensor:
    """Blocks of b x b pixels [N, H * b, W * b, C] moved into channels: [N, H, W, C * b * b]."""
    x, b = _as_images(x, block_size, data_format), block_size
    count, height, width, channels = x.shape
    if height % b or width % b:
        raise ShapeError(f"ops.space_to_depth: {height} x {width} pixels do not make blocks of {b} x {b}.")
    blocks = reshape(x, (count, height // b, b, width // b, b, channels))
    order = (0, 1, 3, 2, 4, 5) if data_format == "channels_last" else (0, 1, 3, 5, 2, 4)
    return _as_given(reshape(transpose(blocks, order), (count, height // b, width // b, b * b * channels)), data_format)


def _as_images(x: object, block_size: int, data_format: str) -> Tensor:
    x = as_tensor(x)
    if data_format not in ("channels_last", "channels_first"):
        raise UnknownNameError(f"data_format is 'channels_last' or 'channels_first'; got {data_format!r}.")
    if x.ndim != 4 or block_size < 2:
        raise ShapeError(f"blocks of 2 or more need 4 axes; got shape {x.shape} and block_size={block_size}.")
    return x if data_format == "channels_last" else transpose(x, (0, 2, 3, 1))


def _as_given(x: Tensor, data_format: str) -> Tensor:
    return x if data_format == "channels_last" else transpose(x, (0, 3, 1, 2))
