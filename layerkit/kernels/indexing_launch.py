"""Which kernels to launch for elements by index. All operands are contiguous; indices are int32 or int64.

Everywhere a negative index counts from the end, and one outside of the axis reads NaN (0 for integers and bools, or
where `missing` says so) and writes nothing.
"""

from __future__ import annotations

import math

import numpy as np

from layerkit.kernels.copying_launch import copy_launches, fill_launches
from layerkit.kernels.launch import Kernel, Launch, Operand, Scratch, serial_grain

NUMBERS = ("float32", "float64", "int32", "int64")
ALONG_BLOCK = 4096  # elements of a unit
COLUMNS = 256
SCATTER_PIECES = 8  # a power of two; also the most threads that help, and how often the indices are read
SCATTER_COLUMNS = 256  # fewer in a piece cost more in calls than another thread saves


def gather_rows_launches(
    table: Operand, indices: Operand, out: Operand, axis: int = 0, missing: float | None = None
) -> list[Launch]:
    """Rows of a table: table [v, ...], indices [n] or any shape -> out [*indices, ...]; or those along another axis.

    Raises ValueError where shapes or dtypes do not fit.
    """
    _check_indices(indices)
    _check_contiguous(table, indices, out)
    shape = (*table.shape[:axis], *indices.shape, *table.shape[axis + 1 :])
    if len(table.shape) <= axis or out.shape != shape or out.dtype != table.dtype:
        raise ValueError(f"Rows of {_what(table)} along axis {axis} at {_what(indices)} are {shape}, not {_what(out)}.")
    if out.size == 0:
        return []
    rows, length = table.shape[axis], math.prod(table.shape[axis + 1 :])
    args = (table, indices, out, rows, indices.size, length, missing_bits(out.dtype, missing))
    return [Launch(_mover("gather_rows", table, indices), args, out.size // length, serial_grain(length + 8))]


def take_along_launches(
    x: Operand, indices: Operand, out: Operand, axis: int, missing: float | None = None
) -> list[Launch]:
    """Elements of x [outer, n, inner] at indices [outer, m, inner] along its middle axis -> out [outer, m, inner].

    Raises ValueError where shapes or dtypes do not fit.
    """
    _check_along(x, indices, out, axis)
    if out.size == 0:
        return []
    m, inner, outer = indices.shape[axis], math.prod(out.shape[axis + 1 :]), math.prod(out.shape[:axis])
    block = max(1, ALONG_BLOCK // inner)
    args = (x, indices, out, x.shape[axis], m, inner, block, missing_bits(out.dtype, missing))
    grain = serial_grain(min(block, m) * inner * 2)
    return [Launch(_mover("take_along", x, indices), args, outer * -(-m // block), grain)]


def add_along_launches(g: Operand, indices: Operand, out: Operand, axis: int) -> list[Launch]:
    """The gradient of `take_along`: zeros [outer, n, inner] with g [outer, m, inner] added at the indices, in order.

    Raises ValueError where shapes or dtypes do not fit.
    """
    _check_along(out, indices, g, axis)
    if out.dtype.name not in NUMBERS:
        raise ValueError(f"Elements are added in {', '.join(NUMBERS)}, not in {out.dtype.name}.")
    if out.size == 0:
        return []
    m, inner, outer = indices.shape[axis], math.prod(out.shape[axis + 1 :]), math.prod(out.shape[:axis])
    args = (g, indices, out, out.shape[axis], m, inner, COLUMNS)
    grain = serial_grain((out.shape[axis] / 4 + 2 * m) * min(inner, COLUMNS))
    return [Launch(_kernel("add_along", out, indices), args, outer * -(-inner // COLUMNS), grain)]


def scatter_add_rows_launches(g: Operand, indices: Operand, out: Operand) -> list[Launch]:
    """The gradient of a gather: g [*indices, ...] is added to zeros [v, ...] at the indices' rows -> out [v, ...].

    Where an index repeats, rows add up in the order of the indices, so the bits are the same for any number of
    threads. A negative index counts from the end; one that is outside -v .. v - 1 adds nothing.

    Raises ValueError where shapes or dtypes do not fit.
    """
    return _scatter(g, indices, out, "add", fill_launches(out, 0))


def segment_launches(x: Operand, indices: Operand, out: Operand, combine: str) -> list[Launch]:
    """Rows of x [*indices, ...] combined by "max", "min" or "mul" in the rows of out [v, ...] that the indices name.

    A row that no index names has the dtype's lowest, its highest, or 1. Raises ValueError as `scatter_add_rows`.
    """
    return _scatter(x, indices, out, combine, fill_launches(out, neutral_element(out.dtype, combine)))


def update_rows_launches(table: Operand, indices: Operand, updates: Operand, out: Operand) -> list[Launch]:
    """The table [v, ...] with rows replaced by updates [*indices, ...], of equal indices by the last -> out [v, ...].

    Raises ValueError where shapes or dtypes do not fit.
    """
    return _scatter(updates, indices, out, "set", copy_launches(table, out))


def neutral_element(dtype: np.dtype, combine: str) -> float:
    """What changes nothing: the dtype's lowest for "max", its highest for "min", 1 for "mul"."""
    if combine == "mul":
        return 1
    if dtype.kind == "f":
        return -math.inf if combine == "max" else math.inf
    if dtype.kind == "b":
        return combine == "min"
    return np.iinfo(dtype).min if combine == "max" else np.iinfo(dtype).max


def missing_bits(dtype: np.dtype, value: float | None) -> int:
    """The bits, as an integer, of what is read outside: a value, or (None) NaN for floats and 0 for others."""
    value = (math.nan if dtype.kind == "f" else 0) if value is None else value
    return int(np.asarray(value).astype(dtype).view(f"int{8 * dtype.itemsize}"))


def _scatter(g: Operand, indices: Operand, out: Operand, combine: str, before: list[Launch]) -> list[Launch]:
    _check_indices(indices)
    _check_contiguous(g, indices, out)
    if not out.shape or g.shape != (*indices.shape, *out.shape[1:]) or out.dtype != g.dtype:
        raise ValueError(
            f"For {_what(out)} and {_what(indices)}, g has to be {(*indices.shape, *out.shape[1:])}, not {_what(g)}."
        )
    if combine != "set" and out.dtype.name not in NUMBERS:
        raise ValueError(f"Rows are combined in {', '.join(NUMBERS)}, not in {out.dtype.name}.")
    if not out.size or not g.size:
        return before
    rows, length = out.shape[0], math.prod(out.shape[1:])
    column_blocks = min(SCATTER_PIECES, 1 << max(0, (length // SCATTER_COLUMNS).bit_length() - 1))
    row_blocks = SCATTER_PIECES // column_blocks
    args = (g, indices, out, indices.size, rows, length, row_blocks, column_blocks)
    grain = serial_grain(indices.size * (2 + length / (row_blocks * column_blocks)))
    dtype = f"int{8 * out.dtype.itemsize}" if combine == "set" else out.dtype.name
    constants = (("dtype", dtype), ("index", indices.dtype.name), ("combine", combine))
    return [*before, Launch(Kernel("indexing", "scatter_rows", constants), args, row_blocks * column_blocks, grain)]


def one_hot_launches(indices: Operand, out: Operand, axis: int = -1) -> list[Launch]:
    """1 at each index and 0 elsewhere: indices [...] -> out, the same with the depth inserted at `axis`.

    An index outside 0 .. depth - 1 (a negative one too) gives zeros. Raises ValueError where shapes do not fit.
    """
    _check_indices(indices)
    _check_contiguous(indices, out)
    rank = len(indices.shape) + 1
    if not -rank <= axis < rank:
        raise ValueError(f"axis is {axis}; the result has {rank} axes.")
    axis %= rank
    if len(out.shape) != rank or out.shape[:axis] + out.shape[axis + 1 :] != indices.shape:
        raise ValueError(f"One-hot of {_what(indices)} with the depth at axis {axis} cannot be {_what(out)}.")
    if out.size == 0:
        return []
    depth, inner, outer = out.shape[axis], math.prod(out.shape[axis + 1 :]), math.prod(out.shape[:axis])
    if inner == 1:
        kernel = _kernel("one_hot_last", out, indices)
        return [Launch(kernel, (indices, out, depth), outer, serial_grain(depth / 4 + 4))]
    kernel = _kernel("one_hot_inner", out, indices)
    return [Launch(kernel, (indices, out, depth, inner), outer * depth, serial_grain(inner / 2 + 4))]


def arg_extreme_launches(x: Operand, out: Operand, axis: int = -1, largest: bool = True) -> list[Launch]:
    """Place of the first largest (or smallest) along an axis, NaN before all: x -> out without it, int32 or int64.

    Raises ValueError where the axis is empty, or shapes or dtypes do not fit.
    """
    _check_indices(out)
    _check_contiguous(x, out)
    if x.dtype.name not in NUMBERS:
        raise ValueError(f"The extreme is found among {', '.join(NUMBERS)}, not {x.dtype.name}.")
    axis %= max(len(x.shape), 1)
    if not x.shape or x.shape[axis] == 0 or out.shape != x.shape[:axis] + x.shape[axis + 1 :]:
        raise ValueError(f"The place of the extreme along axis {axis} of {_what(x)} cannot be {_what(out)}.")
    if out.size == 0:
        return []
    n, inner, outer = x.shape[axis], math.prod(x.shape[axis + 1 :]), math.prod(x.shape[:axis])
    constants = (("dtype", x.dtype.name), ("index", out.dtype.name), ("largest", largest))
    if axis == len(x.shape) - 1:
        kernel = Kernel("indexing", "arg_extreme_of_rows", constants)
        return [Launch(kernel, (x, out, n), outer, serial_grain(2 * n + 8))]
    nbytes = COLUMNS * x.dtype.itemsize
    args = (x, out, n, inner, COLUMNS, Scratch(nbytes, per_worker=True, name="ranks"), nbytes)
    grain = serial_grain(n * (min(inner, COLUMNS) + 8))
    return [Launch(Kernel("indexing", "arg_extreme_of_columns", constants), args, outer * -(-inner // COLUMNS), grain)]


def argmax_rows_launches(x: Operand, out: Operand) -> list[Launch]:
    """Place of each row's first maximum, of which NaN is the largest: x [..., n] -> out [...], int32 or int64."""
    return arg_extreme_launches(x, out)


def _kernel(function: str, values: Operand, indices: Operand) -> Kernel:
    return Kernel("indexing", function, (("dtype", values.dtype.name), ("index", indices.dtype.name)))


def _mover(function: str, values: Operand, indices: Operand) -> Kernel:
    return Kernel("indexing", function, (("width", values.dtype.itemsize), ("index", indices.dtype.name)))


def _check_along(x: Operand, indices: Operand, out: Operand, axis: int) -> None:
    _check_indices(indices)
    _check_contiguous(x, indices, out)
    rest = [operand.shape[:axis] + operand.shape[axis + 1 :] for operand in (x, indices)]
    if rest[0] != rest[1] or out.shape != indices.shape or x.dtype != out.dtype:
        raise ValueError(f"{_what(x)} along axis {axis} at {_what(indices)} cannot be {_what(out)}.")


def _what(operand: Operand) -> str:
    return f"{operand.dtype.name}{list(operand.shape)}"


def _check_indices(indices: Operand) -> None:
    if indices.dtype.name not in ("int32", "int64"):
        raise ValueError(f"Indices are int32 or int64, not {indices.dtype.name}.")


def _check_contiguous(*operands: Operand) -> None:
    for operand in operands:
        if not operand.contiguous:
            raise ValueError(
                f"These kernels take contiguous arrays, not strides {operand.strides} of {_what(operand)}."
            )
