"""Making tensors and arranging them, as functions over the other operations."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from layerkit.dtypes import dtype_of, floatx, is_inexact, result_type, standardize_dtype
from layerkit.errors import ShapeError
from layerkit.graph.operation import as_tensor
from layerkit.graph.tape import taping
from layerkit.graph.tensor import Shape, Tensor
from layerkit.ops.comparison import equal, isnan, logical_and, logical_or
from layerkit.ops.elementwise import absolute, cast, where
from layerkit.ops.indexing import take
from layerkit.ops.neural import IndexAlong
from layerkit.ops.reduction import all as reduce_all
from layerkit.ops.reduction import mean, normalize_axes
from layerkit.ops.reduction import sum as reduce_sum
from layerkit.ops.shape import (
    GetItem,
    Pad,
    Slice,
    _place,
    broadcast_to,
    concatenate,
    expand_dims,
    full,
    reshape,
    swapaxes,
    transpose,
)


def convert_to_tensor(
    x: object, dtype: object = None, sparse: bool | None = None, ragged: bool | None = None
) -> Tensor:
    """A tensor of anything that holds numbers (in a dtype where one is given) or texts (of dtype "string").

    Raises ValueError where a sparse or a ragged tensor is asked for.
    """
    if sparse or ragged:
        raise ValueError("ops.convert_to_tensor gives dense tensors; got sparse=True or ragged=True.")
    listed = isinstance(x, (list, tuple))
    x = as_tensor(x, dtype)
    if dtype is None and listed and x.dtype == "int64":
        dtype = "int32"  # of Python's integers, as of a single one
    return x if dtype is None or (isinstance(dtype, str) and dtype == x.dtype) else cast(x, dtype)


def array(x: object, dtype: object = None) -> Tensor:
    """A tensor of an array, a number or nested lists."""
    return convert_to_tensor(x, dtype)


def convert_to_numpy(x: object) -> np.ndarray:
    """The array of an eager tensor. Raises GraphError for a symbolic one."""
    return np.asarray(as_tensor(x).numpy())


def is_tensor(x: object) -> bool:
    """Whether it is a tensor."""
    return isinstance(x, Tensor)


def copy(x: object) -> Tensor:
    """The same values in memory of their own."""
    x = as_tensor(x)
    if taping() or x.symbolic:
        return reshape(x, x.shape)  # a tensor of its own that a tape follows
    return Tensor.of(x.numpy().copy())


def shape(x: object) -> Shape:
    """The sizes; None for one that is not known."""
    return as_tensor(x).shape


def ndim(x: object) -> int:
    """The number of axes."""
    return as_tensor(x).ndim


def size(x: object) -> int | None:
    """The number of elements; None where a size is not known."""
    return as_tensor(x).size


def dtype(x: object) -> str:
    """The dtype's name."""
    return as_tensor(x).dtype


def get_item(x: object, key: object) -> Tensor:
    """`x[key]` with NumPy's basic indexing."""
    return GetItem.at(as_tensor(x), key)


def arange(start: float, stop: float | None = None, step: float | None = None, dtype: object = None) -> Tensor:
    """Numbers from start (0 where only stop is given) to below stop, a step apart."""
    if stop is None:
        start, stop = 0, start
    step = 1 if step is None else step
    if dtype is None:
        dtype = result_type(*(dtype_of(v) if hasattr(v, "dtype") else type(v) for v in (start, stop, step)))
    return Tensor.of(np.arange(start, stop, step).astype(standardize_dtype(dtype)))


def linspace(
    start: object,
    stop: object,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: object = None,
    axis: int = 0,
) -> Tensor | tuple[Tensor, Tensor]:
    """Evenly spaced numbers from start to stop; with `retstep` their distance too."""
    start, stop = as_tensor(start, floatx()), as_tensor(stop, floatx())
    parts = num - 1 if endpoint else num
    step = (stop - start) / parts if parts > 0 else (stop - start) * math.nan
    rank = max(start.ndim, stop.ndim)
    axis %= rank + 1
    places = np.arange(num, dtype=step.dtype).reshape([-1 if at == axis else 1 for at in range(rank + 1)])
    values = expand_dims(broadcast_to(start, step.shape), axis)
    if num > 1:
        values = values + places * expand_dims(step, axis)
    values = broadcast_to(values, (*step.shape[:axis], num, *step.shape[axis:]))
    values = cast(values, step.dtype if dtype is None else dtype)
    return (values, step) if retstep else values


def eye(N: int, M: int | None = None, k: int = 0, dtype: object = None) -> Tensor:
    """A matrix [N, M] of ones on diagonal k and zeros elsewhere."""
    return Tensor.of(np.eye(N, M, k, dtype=standardize_dtype(dtype)))


def identity(n: int, dtype: object = None) -> Tensor:
    """The matrix [n, n] of ones on the diagonal and zeros elsewhere."""
    return eye(n, dtype=dtype)


def tri(N: int, M: int | None = None, k: int = 0, dtype: object = None) -> Tensor:
    """A matrix [N, M] of ones on and below diagonal k and zeros above."""
    return Tensor.of(np.tri(N, M, k, dtype=standardize_dtype(dtype)))


def full_like(x: object, fill_value: object, dtype: object = None) -> Tensor:
    """One value in the shape (and dtype) of another tensor."""
    x = as_tensor(x)
    return full(x.shape, cast(fill_value, dtype or x.dtype), dtype or x.dtype)


def _above(x: Tensor, k: int) -> Tensor:
    """How far right of diagonal k each element of the last two axes stands."""
    return IndexAlong(x.ndim - 1)(x) - IndexAlong(x.ndim - 2)(x) - k


def tril(x: object, k: int = 0) -> Tensor:
    """The last two axes with zeros above diagonal k."""
    x = as_tensor(x)
    return where(_above(x, k) <= 0, x, np.zeros((), x.dtype))


def triu(x: object, k: int = 0) -> Tensor:
    """The last two axes with zeros below diagonal k."""
    x = as_tensor(x)
    return where(_above(x, k) >= 0, x, np.zeros((), x.dtype))


def diag(x: object, k: int = 0) -> Tensor:
    """A matrix with x on diagonal k, or the diagonal k of a matrix."""
    x = as_tensor(x)
    if x.ndim == 1:
        row = Pad(((max(k, 0), max(-k, 0)),))(x)  # column j holds what stands on the diagonal in it
        matrix = broadcast_to(row, (row.shape[0], row.shape[0]))
        return where(equal(_above(matrix, k), 0), matrix, np.zeros((), x.dtype))
    if x.ndim != 2:
        raise ShapeError(f"ops.diag takes a vector or a matrix; got shape {x.shape}.")
    rows, columns = np.arange(x.shape[0]), np.arange(x.shape[0]) + k
    inside = (columns >= 0) & (columns < x.shape[1])
    return take(x, (rows * x.shape[1] + columns)[inside].astype("int32"))


def trace(x: object, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The sum along a diagonal of two axes."""
    x = as_tensor(x)
    if x.ndim < 2:
        raise ShapeError(f"a diagonal needs two axes; got shape {x.shape}.")
    first, second = _place(axis1, x.ndim), _place(axis2, x.ndim)
    on = equal(IndexAlong(second)(x) - IndexAlong(first)(x), offset)
    return reduce_sum(where(on, x, np.zeros((), x.dtype)), (first, second))


def flip(x: object, axis: int | Sequence[int] | None = None) -> Tensor:
    """The elements in reverse order along axes (all with None)."""
    x = as_tensor(x)
    axes = normalize_axes(axis, x.ndim)
    start = tuple(x.shape[at] - 1 if at in axes else 0 for at in range(x.ndim))
    return Slice(start, x.shape, tuple(-1 if at in axes else 1 for at in range(x.ndim)))(x) if x.size else x


def roll(x: object, shift: int | Sequence[int], axis: int | Sequence[int] | None = None) -> Tensor:
    """The elements moved on along axes, or through the flattened x (None), those at the end to the beginning."""
    x = as_tensor(x)
    if axis is None:
        return reshape(roll(reshape(x, (-1,)), shift, 0), x.shape)
    axes = [axis] if isinstance(axis, int) else list(axis)
    shifts = [shift] * len(axes) if isinstance(shift, int) else list(shift)
    for at, by in zip(axes, shifts, strict=True):
        (at,) = normalize_axes(at, x.ndim)
        n = x.shape[at]
        by = by % n if n else 0
        if by:
            before = (slice(None),) * at
            x = concatenate([x[(*before, slice(n - by, n))], x[(*before, slice(0, n - by))]], at)
    return x


def repeat(x: object, repeats: int | Sequence[int], axis: int | None = None) -> Tensor:
    """Each element so many times along an axis, or of the flattened x (None)."""
    x = reshape(x, (-1,)) if axis is None else as_tensor(x)
    (axis,) = normalize_axes(0 if axis is None else axis, x.ndim)
    counts = np.asarray(repeats)
    if counts.size > 1:
        return take(x, np.repeat(np.arange(x.shape[axis], dtype="int32"), counts), axis)
    count = int(counts.reshape(()))
    n = x.shape[axis]
    repeated = broadcast_to(expand_dims(x, axis + 1), (*x.shape[: axis + 1], count, *x.shape[axis + 1 :]))
    return reshape(repeated, (*x.shape[:axis], None if n is None else n * count, *x.shape[axis + 1 :]))


def tile(x: object, repeats: int | Sequence[int]) -> Tensor:
    """The whole tensor so many times along each axis; missing leading axes count once."""
    x = as_tensor(x)
    counts = [repeats] if isinstance(repeats, int) else [int(count) for count in repeats]
    rank = max(x.ndim, len(counts))
    counts = [1] * (rank - len(counts)) + counts
    x = reshape(x, (1,) * (rank - x.ndim) + x.shape)
    split = tuple(n for size in x.shape for n in (1, size))
    whole = tuple(n for count, size in zip(counts, x.shape, strict=True) for n in (count, size))
    final = tuple(None if n is None else count * n for count, n in zip(counts, x.shape, strict=True))
    return reshape(broadcast_to(reshape(x, split), whole), final)


def moveaxis(x: object, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """Axes moved to other places; the others keep their order."""
    x = as_tensor(x)
    sources = [_place(at, x.ndim) for at in ([source] if isinstance(source, int) else source)]
    places = [_place(at, x.ndim) for at in ([destination] if isinstance(destination, int) else destination)]
    if len(set(sources)) != len(set(places)):
        raise ShapeError(f"{len(sources)} axes, source {source}, cannot move to the places {destination}.")
    order = [at for at in range(x.ndim) if at not in sources]
    for place, at in sorted(zip(places, sources, strict=True)):
        order.insert(place, at)
    return transpose(x, order)


def hstack(xs: Sequence[object]) -> Tensor:
    """Tensors one after the other along the second axis; vectors along their only one."""
    tensors = [reshape(x, (1,)) if as_tensor(x).ndim == 0 else as_tensor(x) for x in xs]
    return concatenate(tensors, 0 if tensors[0].ndim == 1 else 1)


def vstack(xs: Sequence[object]) -> Tensor:
    """Tensors one after the other along the first axis; a vector is a row."""
    tensors = [reshape(x, (1, -1)) if as_tensor(x).ndim < 2 else as_tensor(x) for x in xs]
    return concatenate(tensors, 0)


def meshgrid(*x: object, indexing: str = "xy") -> list[Tensor]:
    """Coordinates of the grid over vectors. Raises ValueError for an unknown order of axes."""
    if indexing not in ("xy", "ij"):
        raise ValueError(f"ops.meshgrid: indexing is 'xy' or 'ij'; got {indexing!r}.")
    vectors = [reshape(one, (-1,)) for one in x]
    sizes = tuple(vector.shape[0] for vector in vectors)
    grids = [
        broadcast_to(reshape(vector, [-1 if place == at else 1 for place in range(len(vectors))]), sizes)
        for at, vector in enumerate(vectors)
    ]
    return [swapaxes(grid, 0, 1) for grid in grids] if indexing == "xy" and len(grids) > 1 else grids


def nonzero(x: object) -> tuple[Tensor, ...]:
    """The indices of the elements that are not 0, a tensor for each axis. x has to hold an array."""
    return where(x)


def average(x: object, axis: int | Sequence[int] | None = None, weights: object = None) -> Tensor:
    """The mean over axes, or the weighted one; weights have the shape of x or of its one axis."""
    x = as_tensor(x)
    x = x if is_inexact(x.dtype) else cast(x, floatx())
    if weights is None:
        return mean(x, axis)
    weights = cast(weights, x.dtype)
    if weights.shape != x.shape:
        (at,) = normalize_axes(axis, x.ndim)
        weights = broadcast_to(reshape(weights, [-1 if place == at else 1 for place in range(x.ndim)]), x.shape)
    return reduce_sum(x * weights, axis) / reduce_sum(weights, axis)


def isclose(x1: object, x2: object, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    """Whether |x1 - x2| is at most atol + rtol * |x2|, or both are the same infinity."""
    a, b = as_tensor(x1), as_tensor(x2)
    kind = result_type(a.dtype, b.dtype)
    kind = kind if is_inexact(kind) else floatx()
    a, b = cast(a, kind), cast(b, kind)
    finite = absolute(b) < math.inf
    close = logical_or(equal(a, b), logical_and(finite, absolute(a - b) <= absolute(b) * rtol + atol))
    return logical_or(close, logical_and(isnan(a), isnan(b))) if equal_nan else close


def allclose(x1: object, x2: object, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    """Whether all elements are close."""
    return reduce_all(isclose(x1, x2, rtol, atol, equal_nan))
