"""Which kernels to launch for rows by index. All operands are contiguous; indices are int32 or int64."""

from __future__ import annotations

import math

from layerkit.kernels.launch import Kernel, Launch, Operand, serial_grain

NUMBERS = ("float32", "float64", "int32", "int64")
FILL_BLOCK = 4096
SCATTER_PIECES = 8  # a power of two; also the most threads that help, and how often the indices are read
SCATTER_COLUMNS = 256  # fewer in a piece cost more in calls than another thread saves


def gather_rows_launches(table: Operand, indices: Operand, out: Operand) -> list[Launch]:
    """Rows of a table: table [v, ...], indices [n] or any shape -> out [*indices, ...].

    A negative index counts from the end. One that is outside -v .. v - 1 reads nothing: its row is NaN, or 0 for
    integers and bools.

    Raises ValueError where shapes or dtypes do not fit.
    """
    _check_indices(indices)
    _check_contiguous(table, indices, out)
    if not table.shape or out.shape != (*indices.shape, *table.shape[1:]) or out.dtype != table.dtype:
        raise ValueError(
            f"Rows of {_what(table)} at {_what(indices)} are {(*indices.shape, *table.shape[1:])}, not {_what(out)}."
        )
    if out.size == 0:
        return []
    length = math.prod(table.shape[1:])
    args = (table, indices, out, table.shape[0], length)
    return [Launch(_kernel("gather_rows", table, indices), args, indices.size, serial_grain(length + 8))]


def scatter_add_rows_launches(g: Operand, indices: Operand, out: Operand) -> list[Launch]:
    """The gradient of a gather: g [*indices, ...] is added to zeros [v, ...] at the indices' rows -> out [v, ...].

    Where an index repeats, rows add up in the order of the indices, so the bits are the same for any number of
    threads. A negative index counts from the end; one that is outside -v .. v - 1 adds nothing.

    Raises ValueError where shapes or dtypes do not fit.
    """
    _check_indices(indices)
    _check_contiguous(g, indices, out)
    if not out.shape or g.shape != (*indices.shape, *out.shape[1:]) or out.dtype != g.dtype:
        raise ValueError(
            f"For {_what(out)} and {_what(indices)}, g has to be {(*indices.shape, *out.shape[1:])}, not {_what(g)}."
        )
    if out.dtype.name not in NUMBERS:
        raise ValueError(f"Rows are added in {', '.join(NUMBERS)}, not in {out.dtype.name}.")
    if out.size == 0:
        return []
    zero = Kernel("indexing", "fill_zero", (("dtype", out.dtype.name),))
    blocks = -(-out.size // FILL_BLOCK)
    launches = [Launch(zero, (out, out.size, FILL_BLOCK), blocks, serial_grain(FILL_BLOCK / 4))]
    if g.size:
        rows, length = out.shape[0], math.prod(out.shape[1:])
        column_blocks = min(SCATTER_PIECES, 1 << max(0, (length // SCATTER_COLUMNS).bit_length() - 1))
        row_blocks = SCATTER_PIECES // column_blocks
        args = (g, indices, out, indices.size, rows, length, row_blocks, column_blocks)
        work = indices.size * (2 + length / (row_blocks * column_blocks))
        kernel = _kernel("scatter_add_rows", out, indices)
        launches.append(Launch(kernel, args, row_blocks * column_blocks, serial_grain(work)))
    return launches


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


def argmax_rows_launches(x: Operand, out: Operand) -> list[Launch]:
    """Place of each row's first maximum, of which NaN is the largest: x [..., n] -> out [...], int32 or int64.

    Raises ValueError where rows are empty, or shapes or dtypes do not fit.
    """
    _check_indices(out)
    _check_contiguous(x, out)
    if x.dtype.name not in NUMBERS:
        raise ValueError(f"The largest is found among {', '.join(NUMBERS)}, not {x.dtype.name}.")
    if not x.shape or x.shape[-1] == 0 or out.shape != x.shape[:-1]:
        raise ValueError(f"The place of the largest in rows of {_what(x)} cannot be {_what(out)}.")
    if out.size == 0:
        return []
    length = x.shape[-1]
    return [Launch(_kernel("argmax_rows", x, out), (x, out, length), out.size, serial_grain(2 * length + 8))]


def _kernel(function: str, values: Operand, indices: Operand) -> Kernel:
    return Kernel("indexing", function, (("dtype", values.dtype.name), ("index", indices.dtype.name)))


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
