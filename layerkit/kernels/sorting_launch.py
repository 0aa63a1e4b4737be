"""Which kernels to launch for sorting, the largest k and searching in order. All operands are contiguous."""

from __future__ import annotations

import math

import numpy as np

from layerkit.kernels.launch import Kernel, Launch, Operand, Scratch, serial_grain

SORTABLE = ("float32", "float64", "int32", "int64", "bool")
LONGEST_INSERTED = 48  # elements that are sorted by insertion; radix sort has to clear and sum its counts
SMALL_DIGIT, LARGE_DIGIT = 8, 11  # bits
LARGE_FROM = 6000  # elements from which fewer passes pay for more counts
LANES = 16  # rows that a network sorts together: the number of `sorting_networks`
LONGEST_TOGETHER = {"sort": 4096, "argsort": 512}  # elements of rows that a network sorts faster than radix sort
FEWEST_TOGETHER = 6  # rows; it takes as long for one as for all its lanes
LONGEST_ROW = 2**31 - 1  # places are int32
LONGEST_SELECTED = 64  # the k from which a row is sorted whole
SEARCH_BLOCK = 256


def sort_launches(x: Operand, out: Operand, axis: int) -> list[Launch]:
    """The elements in ascending order along an axis, NaN last. Raises ValueError where shapes or dtypes do not fit."""
    _check(x, (out, x.shape, x.dtype))
    return _row_launches("sort", x, out, axis)


def argsort_launches(x: Operand, out: Operand, axis: int) -> list[Launch]:
    """The int32 indices that sort along an axis, NaN last; equal elements (-0 and 0 too, and all NaN) keep their order.

    Raises ValueError where shapes or dtypes do not fit.
    """
    _check(x, (out, x.shape, np.dtype("int32")))
    return _row_launches("argsort", x, out, axis)


def top_k_launches(x: Operand, values: Operand, indices: Operand) -> list[Launch]:
    """The largest k along the last axis, the largest (NaN) first, of equals the first; and their int32 indices.

    Raises ValueError where shapes or dtypes do not fit.
    """
    k = values.shape[-1]
    _check(x, (values, (*x.shape[:-1], k), x.dtype), (indices, values.shape, np.dtype("int32")))
    n, rows = x.shape[-1], math.prod(x.shape[:-1])
    if not rows or not k:
        return []
    size, dtype = x.dtype.itemsize, (("dtype", x.dtype.name),)
    kernels = Kernel("sorting", "top_k_by_selection", dtype), Kernel("sorting", "top_k_by_sorting", dtype)
    if k <= LONGEST_SELECTED:
        nbytes = _aligned(size * k)
        args = (x, values, indices, n, k, Scratch(nbytes, per_worker=True, name="largest keys"), nbytes)
        return [Launch(kernels[0], args, rows, serial_grain(n / 2 + k * k), companions=kernels[1:])]
    bits, nbytes = _digits(size, n, order=True)
    scratch = Scratch(nbytes, per_worker=True, name="keys")
    args = (x, values, indices, n, k, bits, LONGEST_INSERTED, scratch, nbytes)
    return [Launch(kernels[1], args, rows, serial_grain(_work(size, n)), companions=kernels[:1])]


def search_sorted_launches(ordered: Operand, values: Operand, out: Operand, right: bool) -> list[Launch]:
    """Where each value goes into an ascending vector, before its equals or (`right`) behind them; int32.

    Raises ValueError where shapes or dtypes do not fit.
    """
    _check(values, (ordered, ordered.shape[:1], values.dtype), (out, values.shape, np.dtype("int32")))
    if not out.size:
        return []
    n = ordered.shape[0]
    args = (ordered, values, out, n, out.size, SEARCH_BLOCK)
    kernel = Kernel("sorting", "search_sorted", (("dtype", values.dtype.name), ("right", bool(right))))
    grain = serial_grain(SEARCH_BLOCK * 8 * (1 + n.bit_length()))
    return [Launch(kernel, args, -(-out.size // SEARCH_BLOCK), grain)]


def _row_launches(name: str, x: Operand, out: Operand, axis: int) -> list[Launch]:
    if not x.size:
        return []
    n, inner, size = x.shape[axis], math.prod(x.shape[axis + 1 :]), x.dtype.itemsize
    rows, order, dtype = x.size // n, name == "argsort", (("dtype", x.dtype.name),)
    alone, together = Kernel("sorting", f"{name}_rows", dtype), Kernel("sorting_networks", f"{name}_lanes", dtype)
    if rows >= FEWEST_TOGETHER and n <= LONGEST_TOGETHER[name]:
        nbytes = LANES * n * (size + 4 * order)
        args = (x, out, rows, n, inner, Scratch(nbytes, per_worker=True, name="keys"), nbytes)
        grain = serial_grain(LANES * n * (4 + n.bit_length() ** 2 / 8))
        return [Launch(together, args, -(-rows // LANES), grain, companions=(alone,))]
    bits, nbytes = _digits(size, n, order)
    args = (x, out, n, inner, bits, LONGEST_INSERTED, Scratch(nbytes, per_worker=True, name="keys"), nbytes)
    return [Launch(alone, args, rows, serial_grain(_work(size, n)), companions=(together,))]


def _digits(size: int, n: int, order: bool) -> tuple[int, int]:
    """Bits of a digit, and bytes of scratch for keys, places and counts."""
    bits = SMALL_DIGIT if n < LARGE_FROM else LARGE_DIGIT
    counts = 4 * -(-8 * size // bits) << bits
    return bits, _aligned(2 * size * n) + (_aligned(8 * n) if order else 0) + counts


def _work(size: int, n: int) -> float:
    return n * n / 8 + 4 * n if n <= LONGEST_INSERTED else (n + 512) * 4 * size


def _aligned(nbytes: int) -> int:
    return (nbytes + 63) & -64


def _check(x: Operand, *others: tuple[Operand, tuple[int, ...], np.dtype]) -> None:
    if x.dtype.name not in SORTABLE or any(n > LONGEST_ROW for n in x.shape):
        raise ValueError(f"Rows of {', '.join(SORTABLE)} are sorted, not {x.dtype.name}{list(x.shape)}.")
    for operand, shape, dtype in others:
        if operand.shape != shape or operand.dtype != dtype or not operand.contiguous or not x.contiguous:
            raise ValueError(
                f"Expected a contiguous {dtype.name}{list(shape)}, got {operand.dtype.name}{list(operand.shape)}."
            )
