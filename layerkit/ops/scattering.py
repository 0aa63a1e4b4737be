"""Values put at index vectors: scatter and its relatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from layerkit.errors import ShapeError, unknown_name
from layerkit.graph.operation import as_tensor
from layerkit.graph.tensor import Shape, Tensor
from layerkit.ops.comparison import logical_and
from layerkit.ops.elementwise import add, cast, maximum, minimum, multiply, where
from layerkit.ops.index_checks import as_indices, check_indices
from layerkit.ops.indexing import ScatterAddRows, UpdateRows
from layerkit.ops.reduction import all as reduce_all
from layerkit.ops.reduction import sum as reduce_sum
from layerkit.ops.segments import SegmentMax, SegmentMin, SegmentProd
from layerkit.ops.shape import reshape

# How updates are combined with one another, by rows, and then with what is there.
REDUCTIONS: dict[str, tuple[type, Callable]] = {
    "add": (ScatterAddRows, add),
    "max": (SegmentMax, maximum),
    "min": (SegmentMin, minimum),
    "mul": (SegmentProd, multiply),
}


def check_vectors(function: str, indices: Tensor, name: str, given: Shape, shape: Shape) -> None:
    """Raise ShapeError where index vectors do not fit into a shape, or what they place does not fit to both."""
    depth = indices.shape[-1] if indices.ndim else None
    if depth is None or depth > len(shape):
        raise ShapeError(
            f"ops.{function}: indices are vectors along their last axis, of a number for each leading axis of shape "
            f"{tuple(shape)}; got indices of shape {indices.shape}."
        )
    expected = (*indices.shape[:-1], *shape[depth:])
    if len(given) != len(expected) or any(None not in pair and pair[0] != pair[1] for pair in zip(given, expected)):  # noqa: B905
        raise ShapeError(
            f"ops.{function}: {name} have to have shape {expected}, for indices of shape {indices.shape} into shape "
            f"{tuple(shape)}; got shape {given}."
        )


def flat_places(function: str, indices: Tensor, shape: Sequence[int]) -> Tensor:
    """Index vectors [..., d] into the leading axes of a shape, as row-major numbers [...].

    A vector with a component outside of its axis becomes a number outside. Raises IndexError where one is known.
    """
    depth = indices.shape[-1]
    parts = [indices[..., axis] for axis in range(depth)]
    for axis, part in enumerate(parts):
        check_indices(function, part, shape, axis)
    if depth == 1:
        return parts[0]
    sizes = np.asarray(shape[:depth], np.int64)
    total = int(np.prod(sizes))
    dtype = indices.dtype if total < 2**31 else "int64"
    strides = np.cumprod(np.append(sizes[1:], 1)[::-1])[::-1].astype(dtype)
    at = cast(indices, dtype)
    at = where(at < 0, at + sizes.astype(dtype), at)
    inside = reduce_all(logical_and(at >= 0, at < sizes.astype(dtype)), -1)
    return where(inside, reduce_sum(at * strides, -1), total)


def scatter(indices: object, values: object, shape: Sequence[int]) -> Tensor:
    """Zeros of a shape with values [..., *rest] added at index vectors [..., d] into its leading axes.

    Raises IndexError for a known index outside of its axis; in compiled code that adds nothing.
    """
    indices, values, shape = as_indices("scatter", indices), as_tensor(values), tuple(shape)
    check_vectors("scatter", indices, "values", values.shape, shape)
    depth = indices.shape[-1]
    rows = int(np.prod(shape[:depth], dtype=np.int64))
    return reshape(ScatterAddRows(rows)(values, flat_places("scatter", indices, shape)), shape)


def scatter_update(inputs: object, indices: object, updates: object, reduction: str | None = None) -> Tensor:
    """The inputs with updates [..., *rest] put at index vectors [..., d] into the leading axes.

    Args:
        inputs: a tensor.
        indices: index vectors; a negative number counts from the end of its axis.
        updates: what to put there.
        reduction: None replaces what is there, of equal indices by the last one; "add", "max", "min" and "mul" combine
            it with all of theirs.

    Raises IndexError for a known index outside of its axis (in compiled code that changes nothing), ShapeError where
    shapes do not fit, and UnknownNameError for another reduction.

    >>> scatter_update(np.array([1.0, 2.0, 3.0]), [[2], [0], [2]], np.array([5.0, 6.0, 7.0]), "max").tolist()
    [6.0, 2.0, 7.0]
    """
    x, indices, updates = as_tensor(inputs), as_indices("scatter_update", indices), as_tensor(updates)
    if reduction is not None and reduction not in REDUCTIONS:
        raise unknown_name("reduction of ops.scatter_update", reduction, REDUCTIONS)
    updates = cast(updates, x.dtype)
    check_vectors("scatter_update", indices, "updates", updates.shape, x.shape)
    depth = indices.shape[-1]
    places = flat_places("scatter_update", indices, x.shape)
    rows = reshape(x, (int(np.prod(x.shape[:depth], dtype=np.int64)), *x.shape[depth:]))
    if reduction is None:
        return reshape(UpdateRows()(rows, places, updates), x.shape)
    combine, join = REDUCTIONS[reduction]
    return reshape(join(rows, combine(rows.shape[0])(updates, places)), x.shape)
