"""Max and average pooling over NHWC, forward and gradient, vectorised over the channels.

Every kernel is a factory of a dtype and takes sizes, pool, strides and the padding before as arguments; the padding
behind follows from the sizes. Windows are cut to the image, so padding counts neither in a maximum nor in a mean.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from layerkit.kernels.abi import LLVM_TYPES, POINTERS, vector_length
from layerkit.kernels.vector_primitives import exact, like, select


@exact
def _larger(m, v):
    """The larger of both; NaN where either is NaN."""
    return select((v > m) | (v != v), v, m)


@exact
def _is_maximum(v, m):
    """Whether v is the maximum m of its window, of which NaN is the largest."""
    return (v == m) | (v != v)


@exact
def _fill(out, n, value):
    for i in range(n):
        out[i] = value


@exact
def _copy(x, out, n):
    for i in range(n):
        out[i] = x[i]


@exact
def _raise_to(x, out, n):
    for i in range(n):
        out[i] = _larger(out[i], x[i])


@exact
def _add(x, out, n):
    for i in range(n):
        out[i] = out[i] + x[i]


@exact
def _add_quotient(x, divisor, out, n):
    for i in range(n):
        out[i] = out[i] + x[i] / divisor


@exact
def _divide(out, n, divisor):
    for i in range(n):
        out[i] = out[i] / divisor


@exact
def _maximum_of_four(a, b, c, d, out, n):
    for i in range(n):
        out[i] = _larger(_larger(a[i], b[i]), _larger(c[i], d[i]))


@exact
def _mean_of_four(a, b, c, d, out, n):
    for i in range(n):
        s = (a[i] + b[i]) + (c[i] + d[i])
        out[i] = s * like(0.25, s)


def _split_among_four(dtype: str, lanes: int) -> Callable:
    """A function that gives g to the first maximum of a 2 x 2 window and 0 to the others, for `lanes` channels.

    It takes addresses of x, out, g, gx and the bytes from a pixel to the one below and the one beside. Written in
    vectors because LLVM's own vectoriser would check eight addresses for overlaps before every window.
    """
    vector = ir.VectorType(LLVM_TYPES[dtype], lanes)
    align = np.dtype(dtype).itemsize

    @intrinsic
    def split(typing, x, out, g, gx, below, beside):
        def codegen(context, builder, signature, values):
            x, out, g, gx, below, beside = values

            def load(address):
                return builder.load(builder.inttoptr(address, vector.as_pointer()), align=align)

            maximum, rest = load(out), load(g)
            zero = ir.Constant(vector, [ir.Constant(vector.element, 0.0)] * lanes)
            diagonal = builder.add(below, beside)
            for step in (ir.Constant(below.type, 0), beside, below, diagonal):
                v = load(builder.add(x, step))
                share = rest
                if step is not diagonal:  # what is left is the last one's
                    hit = builder.or_(builder.fcmp_ordered("==", v, maximum), builder.fcmp_unordered("uno", v, v))
                    share, rest = builder.select(hit, rest, zero), builder.select(hit, zero, rest)
                target = builder.inttoptr(builder.add(gx, step), vector.as_pointer())
                builder.store(share, target, align=align)
            return context.get_dummy_value()

        return types.void(*(types.intp,) * 6), codegen

    return split


@exact
def _take_by_maximum(x, y, left, gx, n):
    """Add what is left of a window's gradient to gx where x is the maximum y, and take it from `left`."""
    for i in range(n):
        zero = like(0.0, left[i])
        hit = _is_maximum(x[i], y[i])
        gx[i] = gx[i] + select(hit, left[i], zero)
        left[i] = select(hit, zero, left[i])


def max_pool(dtype: str) -> Callable:
    """Units: output rows [n * oh]. Arguments: x, out, h, w, c, oh, ow, pool, strides, padding before (a pair each)."""
    at, size = POINTERS[dtype], np.dtype(dtype).itemsize
    lowest = np.dtype(dtype).type(-math.inf)

    def kernel(args, lo, hi, worker):
        x, out, h, w, c, oh, ow = args[0], args[1], args[2], args[3], args[4], args[5], args[6]
        kh, kw, sh, sw, top, left = args[7], args[8], args[9], args[10], args[11], args[12]
        pixel, row = size * c, size * c * w
        for unit in range(lo, hi):
            image, oy = unit // oh, unit % oh
            y0, y1 = max(oy * sh - top, 0), min(oy * sh - top + kh, h)
            for ox in range(ow):
                x0, x1 = max(ox * sw - left, 0), min(ox * sw - left + kw, w)
                target = at(out + pixel * (unit * ow + ox))
                first = x + row * (image * h + y0) + pixel * x0
                if y1 - y0 == 2 and x1 - x0 == 2:
                    below = first + row
                    _maximum_of_four(at(first), at(first + pixel), at(below), at(below + pixel), target, c)
                    continue
                if y1 <= y0 or x1 <= x0:
                    _fill(target, c, lowest)
                    continue
                _copy(at(first), target, c)
                for y in range(y1 - y0):
                    for k in range(x1 - x0):
                        if y + k > 0:
                            _raise_to(at(first + row * y + pixel * k), target, c)

    return kernel


def max_pool_gradient(dtype: str) -> Callable:
    """Units: bands of rows, `bands` an image: one, or the output rows where windows do not overlap vertically.

    Arguments: x, out, g, gx, scratch of c elements a worker and its bytes, bands, h, w, c, oh, ow, pool, strides,
    padding before (a pair each), and whether windows tile the image without padding as 2 x 2 (then nothing is added).
    """
    at, size = POINTERS[dtype], np.dtype(dtype).itemsize
    zero = np.dtype(dtype).type(0)
    lanes = vector_length(dtype)
    split_vector, split_one = _split_among_four(dtype, lanes), _split_among_four(dtype, 1)

    def kernel(args, lo, hi, worker):
        x, out, g, gx = args[0], args[1], args[2], args[3]
        rest_address, bands = args[4] + worker * args[5], args[6]
        h, w, c, oh, ow = args[7], args[8], args[9], args[10], args[11]
        kh, kw, sh, sw, top, left, tiled = args[12], args[13], args[14], args[15], args[16], args[17], args[18]
        rest = at(rest_address)
        pixel, row = size * c, size * c * w
        for unit in range(lo, hi):
            image, band = unit // bands, unit % bands
            oy0, oy1 = band * oh // bands, (band + 1) * oh // bands
            top_row = 0 if band == 0 else min(max(oy0 * sh - top, 0), h)
            end_row = h if band == bands - 1 else min(max(oy1 * sh - top, 0), h)
            if tiled == 0:
                _fill(at(gx + row * (image * h + top_row)), (end_row - top_row) * w * c, zero)
            else:  # only what lies beside the windows
                used = 2 * ow
                for y in range(top_row, end_row):
                    begin = used if y < 2 * oh else 0
                    _fill(at(gx + row * (image * h + y) + pixel * begin), (w - begin) * c, zero)
            for oy in range(oy0, oy1):
                y0, y1 = max(oy * sh - top, 0), min(oy * sh - top + kh, h)
                for ox in range(ow):
                    x0, x1 = max(ox * sw - left, 0), min(ox * sw - left + kw, w)
                    output = pixel * ((image * oh + oy) * ow + ox)
                    first = row * (image * h + y0) + pixel * x0
                    if tiled != 0:
                        for i in range(c // lanes):
                            a, b = first + size * lanes * i, output + size * lanes * i
                            split_vector(x + a, out + b, g + b, gx + a, row, pixel)
                        for i in range(c // lanes * lanes, c):
                            a, b = first + size * i, output + size * i
                            split_one(x + a, out + b, g + b, gx + a, row, pixel)
                        continue
                    _copy(at(g + output), rest, c)
                    for y in range(y1 - y0):
                        for k in range(x1 - x0):
                            tap = first + row * y + pixel * k
                            _take_by_maximum(at(x + tap), at(out + output), rest, at(gx + tap), c)

    return kernel


def average_pool(dtype: str) -> Callable:
    """Units: output rows [n * oh]. Arguments: x, out, h, w, c, oh, ow, pool, strides, padding before (a pair each)."""
    at, size = POINTERS[dtype], np.dtype(dtype).itemsize
    number = np.dtype(dtype).type

    def kernel(args, lo, hi, worker):
        x, out, h, w, c, oh, ow = args[0], args[1], args[2], args[3], args[4], args[5], args[6]
        kh, kw, sh, sw, top, left = args[7], args[8], args[9], args[10], args[11], args[12]
        pixel, row = size * c, size * c * w
        for unit in range(lo, hi):
            image, oy = unit // oh, unit % oh
            y0, y1 = max(oy * sh - top, 0), min(oy * sh - top + kh, h)
            for ox in range(ow):
                x0, x1 = max(ox * sw - left, 0), min(ox * sw - left + kw, w)
                target = at(out + pixel * (unit * ow + ox))
                first = x + row * (image * h + y0) + pixel * x0
                if y1 - y0 == 2 and x1 - x0 == 2:
                    below = first + row
                    _mean_of_four(at(first), at(first + pixel), at(below), at(below + pixel), target, c)
                    continue
                if y1 <= y0 or x1 <= x0:
                    _fill(target, c, number(0))
                    continue
                _copy(at(first), target, c)
                for y in range(y1 - y0):
                    for k in range(x1 - x0):
                        if y + k > 0:
                            _add(at(first + row * y + pixel * k), target, c)
                _divide(target, c, number((y1 - y0) * (x1 - x0)))

    return kernel


def average_pool_gradient(dtype: str) -> Callable:
    """Units: input rows [n * h]. Arguments: g, gx, h, w, c, oh, ow, pool, strides, padding before (a pair each)."""
    at, size = POINTERS[dtype], np.dtype(dtype).itemsize
    number = np.dtype(dtype).type

    def kernel(args, lo, hi, worker):
        g, gx, h, w, c, oh, ow = args[0], args[1], args[2], args[3], args[4], args[5], args[6]
        kh, kw, sh, sw, top, left = args[7], args[8], args[9], args[10], args[11], args[12]
        pixel = size * c
        for unit in range(lo, hi):
            image, y = unit // h, unit % h
            target = gx + pixel * w * unit
            _fill(at(target), w * c, number(0))
            # The windows with oy * sh - top <= y < oy * sh - top + kh.
            oy0, oy1 = max((y + top - kh) // sh + 1, 0), min((y + top) // sh + 1, oh)
            for oy in range(oy0, oy1):
                rows = min(oy * sh - top + kh, h) - max(oy * sh - top, 0)
                for ox in range(ow):
                    x0, x1 = max(ox * sw - left, 0), min(ox * sw - left + kw, w)
                    share = at(g + pixel * ((image * oh + oy) * ow + ox))
                    for k in range(x0, x1):
                        _add_quotient(share, number(rows * (x1 - x0)), at(target + pixel * k), c)

    return kernel
