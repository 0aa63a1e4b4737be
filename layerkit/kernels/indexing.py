"""Rows by index: gather, scatter-add, one-hot, argmax. Every kernel is a factory of its dtypes."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from layerkit.kernels.abi import POINTERS, exact, select


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


def gather_rows(dtype: str, index: str) -> Callable:
    """Units: rows of out. Arguments: table, indices, out, rows of the table, row length."""
    at, index_at, size = POINTERS[dtype], POINTERS[index], np.dtype(dtype).itemsize
    missing = _scalar(dtype)(math.nan if np.dtype(dtype).kind == "f" else 0)

    def kernel(args, lo, hi, worker):
        table, out, rows, length = args[0], args[2], args[3], args[4]
        indices = index_at(args[1])
        for unit in range(lo, hi):
            row = np.int64(indices[unit])
            if row < 0:
                row += rows
            target = at(out + size * length * unit)
            if 0 <= row < rows:
                _copy(at(table + size * length * row), target, length)
            else:
                _fill(target, length, missing)

    return kernel


def fill_zero(dtype: str) -> Callable:
    """Units: blocks of out. Arguments: out, elements, elements a block."""
    at, size = POINTERS[dtype], np.dtype(dtype).itemsize
    zero = _scalar(dtype)(0)

    def kernel(args, lo, hi, worker):
        first, last = lo * args[2], min(hi * args[2], args[1])
        _fill(at(args[0] + size * first), last - first, zero)

    return kernel


def scatter_add_rows(dtype: str, index: str) -> Callable:
    """Units: the rows of out dealt to `row_blocks` in turn, times `column_blocks`; each goes through all indices.

    So an element's sum has the order of the indices however out is cut. Rows are dealt like cards because the
    frequent ones often lie together. Arguments: g, indices, out, number of indices, rows of out, row length,
    row_blocks (a power of two), column_blocks.
    """
    at, index_at, size = POINTERS[dtype], POINTERS[index], np.dtype(dtype).itemsize

    def kernel(args, lo, hi, worker):
        g, out, count, rows, length = args[0], args[2], args[3], args[4], args[5]
        row_blocks, column_blocks = args[6], args[7]
        indices = index_at(args[1])
        for unit in range(lo, hi):
            down, across = unit // column_blocks, unit % column_blocks
            column0, column1 = across * length // column_blocks, (across + 1) * length // column_blocks
            for i in range(count):
                row = np.int64(indices[i])
                if row < 0:
                    row += rows
                if row & (row_blocks - 1) == down and 0 <= row < rows:
                    source = at(g + size * (length * i + column0))
                    _add(source, at(out + size * (length * row + column0)), column1 - column0)

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
def _largest_key(x, n):
    largest = order_key(x[0])
    for i in range(n):
        key = order_key(x[i])
        largest = select(key > largest, key, largest)
    return largest


@exact
def _first_of_key(x, n, key):
    first = n
    for i in range(n):
        place = select(order_key(x[i]) == key, i, n)
        first = select(place < first, place, first)
    return first


def argmax_rows(dtype: str, index: str) -> Callable:
    """Units: rows. Arguments: x, out, row length, at least 1."""
    at, index_at, size = POINTERS[dtype], POINTERS[index], np.dtype(dtype).itemsize

    def kernel(args, lo, hi, worker):
        x, out, length = args[0], index_at(args[1]), args[2]
        for unit in range(lo, hi):
            row = at(x + size * length * unit)
            out[unit] = _first_of_key(row, length, _largest_key(row, length))

    return kernel
