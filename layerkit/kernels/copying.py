"""Boxes of memory: copied from strides to strides, or filled. Elements are moved as integers of their width."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from layerkit.kernels.abi import POINTERS, exact


@exact
def _copy(x, out, n):
    for i in range(n):
        out[i] = x[i]


@exact
def _copy_strided(x, step, out, out_step, n):
    for i in range(n):
        out[i * out_step] = x[i * step]


def copy_box(width: int) -> Callable:
    """Units: the outer places [n0, n1, n2] times blocks of rows times blocks of columns.

    Arguments: source, target, n1, n2, rows, columns, rows of a block, columns of a block, then the strides of the
    source and those of the target: three outer ones, that of rows, that of columns. Strides count elements.
    """
    at = POINTERS[f"int{8 * width}"]

    def kernel(args, lo, hi, worker):
        n1, n2, rows, columns, row_block, column_block = args[2], args[3], args[4], args[5], args[6], args[7]
        down, across = -(-rows // row_block), -(-columns // column_block)
        step, out_step = args[12], args[17]
        for unit in range(lo, hi):
            column = unit % across * column_block
            rest = unit // across
            row0 = rest % down * row_block
            rest //= down
            i2, i1, i0 = rest % n2, rest // n2 % n1, rest // n2 // n1
            source = args[0] + width * (i0 * args[8] + i1 * args[9] + i2 * args[10] + column * step)
            target = args[1] + width * (i0 * args[13] + i1 * args[14] + i2 * args[15] + column * out_step)
            length = min(column_block, columns - column)
            for row in range(row0, min(row0 + row_block, rows)):
                x, out = at(source + width * row * args[11]), at(target + width * row * args[16])
                if step == 1 and out_step == 1:
                    _copy(x, out, length)
                else:
                    _copy_strided(x, step, out, out_step, length)

    return kernel


def fill_box(width: int) -> Callable:
    """As `copy_box`, where the first argument is the value, as the integer with its bits."""
    at, integer = POINTERS[f"int{8 * width}"], getattr(np, f"int{8 * width}")

    @exact
    def fill(out, step, n, value):
        for i in range(n):
            out[i * step] = value

    def kernel(args, lo, hi, worker):
        n1, n2, rows, columns, row_block, column_block = args[2], args[3], args[4], args[5], args[6], args[7]
        down, across = -(-rows // row_block), -(-columns // column_block)
        value, step = integer(args[0]), args[17]
        for unit in range(lo, hi):
            column = unit % across * column_block
            rest = unit // across
            row0 = rest % down * row_block
            rest //= down
            i2, i1, i0 = rest % n2, rest // n2 % n1, rest // n2 // n1
            target = args[1] + width * (i0 * args[13] + i1 * args[14] + i2 * args[15] + column * step)
            length = min(column_block, columns - column)
            for row in range(row0, min(row0 + row_block, rows)):
                out = at(target + width * row * args[16])
                if step == 1:
                    fill(out, 1, length, value)
                else:
                    fill(out, step, length, value)

    return kernel
