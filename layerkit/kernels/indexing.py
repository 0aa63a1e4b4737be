"""Elements by index: gather, scatter, along an axis, one-hot, argmax. Every kernel is a factory of its dtypes.

An index that is negative counts from the end. One outside of the axis reads a given value and writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from layerkit.kernels.abi import POINTERS, exact, select
from layerkit.kernels.scalar import maximum, minimum


def _scalar(dtype: str) -> type:
    """The NumPy type that a kernel stores for a dtype: a bool is a byte."""
    return np.uint8 if dtype == "bool" else np.dtype(dtype).type


@exact
def _copy(x, out, n):
    for i in range(n):
        out[i] = x[i]


@exact
def _fill(out, n, value):
    for i in range(n):
        out[i] = value


@exact
def _add(x, out, n):
    for i in range(n):
        out[i] = out[i] + x[i]


def gather_rows(width: int, index: str) -> Callable:
    """Units: rows of out [outer, count, length], of table [outer, rows, length].

    Elements are moved as integers of their width in bytes. Arguments: table, indices, out, rows, count, length, bits of
    a missing element.
    """
    at, index_at, integer = POINTERS[f"int{8 * width}"], POINTERS[index], getattr(np, f"int{8 * width}")

    @exact
    def elements(table, indices, out, rows, first, last, missing):
        for i in range(first, last):
            row = np.int64(indices[i])
            row += rows if row < 0 else 0
            out[i] = table[row] if 0 <= row < rows else missing

    @exact
    def copies(table, indices, out, rows, first, last, length, missing):
        for i in range(first, last):
            row = np.int64(indices[i])
            if row < 0:
                row += rows
            target = at(out + width * length * i)
            if 0 <= row < rows:
                _copy(at(table + width * length * row), target, length)
            else:
                _fill(target, length, missing)

    def kernel(args, lo, hi, worker):
        rows, count, length, missing = args[3], args[4], args[5], integer(args[6])
        indices = index_at(args[1])
        for outer in range(lo // count, (hi - 1) // count + 1):
            table = args[0] + width * length * rows * outer
            out = args[2] + width * length * count * outer
            first, last = max(0, lo - count * outer), min(count, hi - count * outer)
            if length == 1:
                elements(at(table), indices, at(out), rows, first, last, missing)
            else:
                copies(table, indices, out, rows, first, last, length, missing)

    return kernel


def take_along(width: int, index: str) -> Callable:
    """Units: outer places times blocks of m.

    Arguments: x [outer, n, inner], indices [outer, m, inner], out, n, m, inner, block of m, bits of a missing element.
    """
    at, index_at, integer = POINTERS[f"int{8 * width}"], POINTERS[index], getattr(np, f"int{8 * width}")
    index_size = np.dtype(index).itemsize

    def kernel(args, lo, hi, worker):
        n, m, inner, block, missing = args[3], args[4], args[5], args[6], integer(args[7])
        blocks = -(-m // block)
        for unit in range(lo, hi):
            outer, first = unit // blocks, unit % blocks * block
            x = at(args[0] + width * outer * n * inner)
            place = (outer * m + first) * inner
            indices, out = index_at(args[1] + index_size * place), at(args[2] + width * place)
            for row in range(min(block, m - first)):
                for i in range(inner):
                    source = np.int64(indices[row * inner + i])
                    source += n if source < 0 else 0
                    out[row * inner + i] = x[source * inner + i] if 0 <= source < n else missing

    return kernel


def add_along(dtype: str, index: str) -> Callable:
    """Units: outer places times blocks of columns, each zeroed and then added to in the order of m.

    Arguments: g [outer, m, inner], indices, out [outer, n, inner], n, m, inner, columns of a block.
    """
    at, index_at = POINTERS[dtype], POINTERS[index]
    size, index_size, zero = np.dtype(dtype).itemsize, np.dtype(index).itemsize, _scalar(dtype)(0)

    def kernel(args, lo, hi, worker):
        n, m, inner, block = args[3], args[4], args[5], args[6]
        blocks = -(-inner // block)
        for unit in range(lo, hi):
            outer, column = unit // blocks, unit % blocks * block
            length = min(block, inner - column)
            place = outer * m * inner + column
            g, indices = at(args[0] + size * place), index_at(args[1] + index_size * place)
            target = args[2] + size * (outer * n * inner + column)
            if length == inner:
                _fill(at(target), n * inner, zero)
            else:
                for row in range(n):
                    _fill(at(target + size * row * inner), length, zero)
            out = at(target)
            for row in range(m):
                for i in range(length):
                    to = np.int64(indices[row * inner + i])
                    to += n if to < 0 else 0
                    if 0 <= to < n:
                        out[to * inner + i] += g[row * inner + i]

    return kernel


@exact
def _set(x, out, n):
    for i in range(n):
        out[i] = x[i]


@exact
def _multiply(x, out, n):
    for i in range(n):
        out[i] = out[i] * x[i]


@exact
def _largest(x, out, n):
    for i in range(n):
        out[i] = maximum(out[i], x[i])


@exact
def _smallest(x, out, n):
    for i in range(n):
        out[i] = minimum(out[i], x[i])


_COMBINE = {"add": _add, "set": _set, "mul": _multiply, "max": _largest, "min": _smallest}


def scatter_rows(dtype: str, index: str, combine: str) -> Callable:
    """Units: the rows of out dealt to `row_blocks` in turn, times `column_blocks`; each goes through all indices.

    So an element is combined in the order of the indices however out is cut. Rows are dealt like cards because the
    frequent ones often lie together. Neighbouring units of one column block are done in one reading of the indices.
    Arguments: g, indices, out, number of indices, rows of out, row length, row_blocks (a power of two), column_blocks.
    """
    at, index_at, size = POINTERS[dtype], POINTERS[index], np.dtype(dtype).itemsize
    join = _COMBINE[combine]

    @exact
    def join_columns(g, indices, out, count, rows, length, cards, first, last, column0, column1):
        for i in range(count):
            row = np.int64(indices[i])
            if row < 0:
                row += rows
            card = row & (cards - 1)
            if first <= card < last and 0 <= row < rows:
                join(
                    at(g + size * (length * i + column0)), at(out + size * (length * row + column0)), column1 - column0
                )

    def kernel(args, lo, hi, worker):
        g, out, count, rows, length = args[0], args[2], args[3], args[4], args[5]
        row_blocks, column_blocks = args[6], args[7]
        indices = index_at(args[1])
        if length == 1:
            join_columns(g, indices, out, count, rows, 1, row_blocks, lo, hi, 0, 1)
        elif column_blocks == 1:
            join_columns(g, indices, out, count, rows, length, row_blocks, lo, hi, 0, length)
        else:
            for unit in range(lo, hi):
                down, across = unit // column_blocks, unit % column_blocks
                column0, column1 = across * length // column_blocks, (across + 1) * length // column_blocks
                join_columns(g, indices, out, count, rows, length, row_blocks, down, down + 1, column0, column1)

    return kernel


def one_hot_last(dtype: str, index: str) -> Callable:
    """Units: indices; the depth is the last axis. Arguments: indices, out, depth."""
    at, index_at, size = POINTERS[dtype], POINTERS[index], np.dtype(dtype).itemsize
    zero, one = _scalar(dtype)(0), _scalar(dtype)(1)

    def kernel(args, lo, hi, worker):
        indices, out, depth = index_at(args[0]), args[1], args[2]
        for unit in range(lo, hi):
            target = at(out + size * depth * unit)
            _fill(target, depth, zero)
            hot = np.int64(indices[unit])
            if 0 <= hot < depth:
                target[hot] = one

    return kernel


def one_hot_inner(dtype: str, index: str) -> Callable:
    """Units: [outer * depth]; behind the depth lie `inner` indices. Arguments: indices, out, depth, inner."""
    at, index_at, size = POINTERS[dtype], POINTERS[index], np.dtype(dtype).itemsize
    index_size = np.dtype(index).itemsize
    zero, one = _scalar(dtype)(0), _scalar(dtype)(1)

    @exact
    def compare(indices, position, out, inner):
        for i in range(inner):
            out[i] = select(np.int64(indices[i]) == position, one, zero)

    def kernel(args, lo, hi, worker):
        indices, out, depth, inner = args[0], args[1], args[2], args[3]
        for unit in range(lo, hi):
            outer, position = unit // depth, unit % depth
            source = index_at(indices + index_size * inner * outer)
            compare(source, position, at(out + size * inner * unit), inner)

    return kernel


@intrinsic
def order_key(typing, x):
    """An integer as wide as x that orders as x does, with NaN above all and -0 equal to 0."""
    if isinstance(x, types.Integer):
        return x(x), lambda context, builder, signature, values: values[0]
    result = types.int32 if x == types.float32 else types.int64

    def codegen(context, builder, signature, values):
        width = result.bitwidth
        integer = ir.IntType(width)
        unsigned_zero = builder.fadd(values[0], ir.Constant(values[0].type, 0.0), flags=("contract",))
        bits = builder.bitcast(unsigned_zero, integer)
        sign = builder.ashr(bits, ir.Constant(integer, width - 1))
        key = builder.xor(bits, builder.lshr(sign, ir.Constant(integer, 1)))
        is_nan = builder.fcmp_unordered("uno", values[0], values[0])
        return builder.select(is_nan, ir.Constant(integer, 2 ** (width - 1) - 1), key)

    return result(x), codegen


@exact
def largest_key(x, n):
    """The largest of the keys of elements."""
    largest = order_key(x[0])
    for i in range(n):
        key = order_key(x[i])
        largest = select(key > largest, key, largest)
    return largest


def _ranker(largest: bool) -> Callable:
    @exact
    def rank(value):
        """The key, turned round where the smallest is looked for; of NaN the largest key either way."""
        key = order_key(value)
        return key if largest else select(value != value, key, ~key)

    return rank


def arg_extreme_of_rows(dtype: str, index: str, largest: bool) -> Callable:
    """Units: the rows of x [rows, n]; n is at least 1. Arguments: x, out, n."""
    at, index_at, size, rank = POINTERS[dtype], POINTERS[index], np.dtype(dtype).itemsize, _ranker(largest)

    @exact
    def highest_rank(x, n):
        highest = rank(x[0])
        for i in range(n):
            here = rank(x[i])
            highest = select(here > highest, here, highest)
        return highest

    @exact
    def first_of_rank(x, n, wanted):
        first = n
        for i in range(n):
            place = select(rank(x[i]) == wanted, i, n)
            first = select(place < first, place, first)
        return first

    def kernel(args, lo, hi, worker):
        out, n = index_at(args[1]), args[2]
        for unit in range(lo, hi):
            row = at(args[0] + size * n * unit)
            out[unit] = first_of_rank(row, n, highest_rank(row, n))

    return kernel


def arg_extreme_of_columns(dtype: str, index: str, largest: bool) -> Callable:
    """Units: outer places of x [outer, n, inner] times blocks of columns; n is at least 1.

    Arguments: x, out, n, inner, columns of a block, scratch (a rank for each), bytes of it a worker.
    """
    at, index_at, size, rank = POINTERS[dtype], POINTERS[index], np.dtype(dtype).itemsize, _ranker(largest)
    index_size, rank_at = np.dtype(index).itemsize, POINTERS[f"int{8 * size}"]

    @exact
    def begin(x, best, out, count):
        for i in range(count):
            best[i] = rank(x[i])
            out[i] = 0

    @exact
    def compare(x, best, out, count, row):
        for i in range(count):
            here, before = rank(x[i]), best[i]
            best[i] = select(here > before, here, before)
            out[i] = select(here > before, row, np.int64(out[i]))

    def kernel(args, lo, hi, worker):
        n, inner, block, best = args[2], args[3], args[4], rank_at(args[5] + worker * args[6])
        blocks = -(-inner // block)
        for unit in range(lo, hi):
            outer, column = unit // blocks, unit % blocks * block
            count = min(block, inner - column)
            x = args[0] + size * (outer * n * inner + column)
            out = index_at(args[1] + index_size * (outer * inner + column))
            begin(at(x), best, out, count)
            for row in range(1, n):
                compare(at(x + size * inner * row), best, out, count, row)

    return kernel
