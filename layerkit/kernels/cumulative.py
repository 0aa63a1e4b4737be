"""Running sums and products and linear recurrences along an axis. Every kernel is a factory of its dtype.

All go through x [outer, n, inner], from the first of n to the last or (`reverse`) the other way. Units are the outer
places times blocks of columns, each block `block` of `inner`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from layerkit.kernels.abi import POINTERS, exact


@exact
def _copy(x, out, n):
    for i in range(n):
        out[i] = x[i]


@exact
def _add(x, before, out, n):
    for i in range(n):
        out[i] = before[i] + x[i]


@exact
def _multiply(x, before, out, n):
    for i in range(n):
        out[i] = before[i] * x[i]


@exact
def _multiply_add(a, before, b, out, n):
    for i in range(n):
        out[i] = a[i] * before[i] + b[i]


@exact
def _sum_row(x, out, n, step, total):
    # Sums of 4 at a time: the chain of additions that wait for each other is a quarter as long.
    place = 0
    for _ in range(n // 4):
        a, b, c, d = x[place], x[place + step], x[place + 2 * step], x[place + 3 * step]
        ab = a + b
        out[place] = total + a
        out[place + step] = total + ab
        out[place + 2 * step] = total + (ab + c)
        total = total + (ab + (c + d))
        out[place + 3 * step] = total
        place += 4 * step
    for _ in range(n % 4):
        total = total + x[place]
        out[place] = total
        place += step


@exact
def _multiply_row(x, out, n, step, product):
    # One after the other: products of neighbours could overflow where the running one does not.
    place = 0
    for _ in range(n):
        product = product * x[place]
        out[place] = product
        place += step


_ROW = {"sum": _sum_row, "prod": _multiply_row}
_COLUMNS = {"sum": _add, "prod": _multiply}


def accumulate(dtype: str, kind: str) -> Callable:
    """Running sums or products. Arguments: x, out, n, inner, block, reverse."""
    at, size = POINTERS[dtype], np.dtype(dtype).itemsize
    start = np.dtype(dtype).type(0 if kind == "sum" else 1)
    along_row, along_columns = _ROW[kind], _COLUMNS[kind]

    def kernel(args, lo, hi, worker):
        n, inner, block, reverse = args[2], args[3], args[4], args[5]
        blocks = -(-inner // block)
        step = -inner if reverse else inner
        for unit in range(lo, hi):
            column = unit % blocks * block
            first = size * (unit // blocks * n * inner + column + (n - 1) * inner * reverse)
            x, out = args[0] + first, args[1] + first
            if inner == 1:
                along_row(at(x), at(out), n, step, start)
            else:
                length = min(block, inner - column)
                _copy(at(x), at(out), length)
                for i in range(1, n):
                    here = size * step * i
                    along_columns(at(x + here), at(out + here - size * step), at(out + here), length)

    return kernel


def recur(dtype: str) -> Callable:
    """out[i] = a[i] * out[i - 1] + b[i]; the first is b's. Arguments: a, b, out, n, inner, block, reverse."""
    at, size = POINTERS[dtype], np.dtype(dtype).itemsize

    @exact
    def along_row(a, b, out, n, step):
        last = b[0]
        out[0] = last
        place = step
        for _ in range(1, n):
            last = a[place] * last + b[place]
            out[place] = last
            place += step

    def kernel(args, lo, hi, worker):
        n, inner, block, reverse = args[3], args[4], args[5], args[6]
        blocks = -(-inner // block)
        step = -inner if reverse else inner
        for unit in range(lo, hi):
            column = unit % blocks * block
            first = size * (unit // blocks * n * inner + column + (n - 1) * inner * reverse)
            a, b, out = args[0] + first, args[1] + first, args[2] + first
            if inner == 1:
                along_row(at(a), at(b), at(out), n, step)
            else:
                length = min(block, inner - column)
                _copy(at(b), at(out), length)
                for i in range(1, n):
                    here = size * step * i
                    before = at(out + here - size * step)
                    _multiply_add(at(a + here), before, at(b + here), at(out + here), length)

    return kernel
