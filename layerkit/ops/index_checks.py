"""Indices as they are given: which lie outside of their axis, and the error that says so."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from layerkit.dtypes import is_inexact
from layerkit.errors import DtypeError
from layerkit.graph.graph import current_path
from layerkit.graph.operation import as_tensor
from layerkit.graph.tensor import Tensor
from layerkit.ops.elementwise import cast

INDEX_DTYPES = ("int32", "int64")


def as_indices(function: str, indices: object, argument: str = "indices") -> Tensor:
    """Indices as an int32 or int64 tensor. Raises DtypeError for floats and complex numbers."""
    indices = as_tensor(indices)
    if is_inexact(indices.dtype) and indices.size != 0:  # an empty list is one of floats
        raise DtypeError(
            f"ops.{function}: {argument} are whole numbers, but have the dtype {indices.dtype}: cast them to int32."
        )
    return indices if indices.dtype in INDEX_DTYPES else cast(indices, "int32")


def places_of(indices: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Indices counted from the start, and which of them lie outside of the axis (None: no one does)."""
    if not indices.size or (indices.min() >= 0 and indices.max() < size):
        return indices, None
    places = np.where(indices < 0, indices + size, indices)
    outside = (places < 0) | (places >= size)
    return places, outside if outside.any() else None


def inside_only(indices: np.ndarray, size: int, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The indices that do not lie outside, counted from the start, and their rows [*indices, ...]."""
    places, outside = places_of(indices, size)
    return (places, rows) if outside is None else (places[~outside], rows[~outside])


def missing_value(dtype: np.dtype, zero: bool = False) -> float:
    """What is read outside: NaN, or 0 where the dtype has none or `zero` says so."""
    return np.nan if dtype.kind in "fc" and not zero else 0


def check_indices(function: str, indices: Tensor, shape: Sequence[int | None], axis: int) -> None:
    """Raise an IndexError where an index that is known lies outside of an axis."""
    size = shape[axis]
    if indices.symbolic or size is None:
        return
    array = indices.numpy()
    _, outside = places_of(array, size)
    if outside is not None:
        raise IndexError(outside_text(function, array, outside, tuple(shape), axis))


def outside_text(function: str, indices: np.ndarray, outside: np.ndarray, shape: tuple, axis: int) -> str:
    """What the error for indices that lie outside says, with the first one."""
    first = tuple(int(at) for at in np.argwhere(outside)[0])
    place = f"indices{list(first)}" if first else "the index"
    layer = f" in layer {current_path()!r}" if current_path() else ""
    more = f", and {outside.sum() - 1} more" if outside.sum() > 1 else ""
    size = shape[axis]
    allowed = f"from {-size} to {size - 1}" if size else "none, for it is empty"
    return (
        f"ops.{function}{layer}: {place} is {indices[first]}{more}, outside of axis {axis} of shape {shape}, "
        f"which has size {size} (allowed: {allowed}). Got indices of shape {indices.shape} and dtype {indices.dtype}."
    )
