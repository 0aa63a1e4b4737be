"""Max and average pooling over NHWC, forward and gradient, vectorised over the channels.

Every kernel is a factory of a dtype and takes sizes, pool, strides and the padding before as arguments; the padding
behind follows from the sizes. Windows are cut to the image, so padding counts neither in a maximum nor in a mean.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from llvmlite import ir
from numba.core import cgutils

from layerkit.kernels.lanes import CONTRACT, I64, Lanes, clear, emitted


def _larger(builder: ir.IRBuilder, m: ir.Value, v: ir.Value) -> ir.Value:
    """The larger of both; NaN where either is NaN."""
    return builder.select(builder.or_(builder.fcmp_ordered(">", v, m), builder.fcmp_unordered("uno", v, v)), v, m)


def _sum(builder: ir.IRBuilder, m: ir.Value, v: ir.Value) -> ir.Value:
    return builder.fadd(m, v, flags=CONTRACT)


class _Window:
    """Emits what is done with one window of an image, for a vector of channels.

    `first` is the address of its first pixel, `row` and `pixel` are the bytes to the pixel below and to the next.
    """

    def __init__(self, lanes: Lanes, first: ir.Value, row: ir.Value, pixel: ir.Value, mask: ir.Value | None) -> None:
        self.lanes, self.builder, self.mask = lanes, lanes.builder, mask
        self.first, self.row, self.pixel = first, row, pixel

    def load(self, address: ir.Value) -> ir.Value:
        """The vector at an address."""
        return self.lanes.load(self.lanes.pointer(address), self.mask)

    def store(self, value: ir.Value, address: ir.Value) -> None:
        """Write the vector at an address."""
        self.lanes.store(value, self.lanes.pointer(address), self.mask)

    def four(self) -> list[ir.Value]:
        """The offsets of the pixels of a 2 x 2 window, row by row."""
        return [I64(0), self.pixel, self.row, self.builder.add(self.row, self.pixel)]

    def for_pixels(self, rows: ir.Value, columns: ir.Value, body: Callable[[ir.Value], None]) -> None:
        """Emit `body(offset)` for the pixels, row by row."""
        builder = self.builder
        with cgutils.for_range(builder, rows) as y:
            below = builder.mul(y.index, self.row)
            with cgutils.for_range(builder, columns) as x:
                body(builder.add(below, builder.mul(x.index, self.pixel)))


def _reduce_window(
    dtype: str,
    start: float,
    combine: Callable[[ir.IRBuilder, ir.Value, ir.Value], ir.Value],
    finish: Callable[[Lanes, ir.Value, ir.Value], ir.Value],
) -> Callable:
    """`reduce(first, row, pixel, rows, columns, out, channels)`: a window's pixels combined one after the other.

    Those of a 2 x 2 window are combined by rows, then the rows. `finish(lanes, result, pixels)` makes the output.
    """

    def emit(builder, first, row, pixel, rows, columns, out, channels):
        lanes = Lanes(builder, dtype)
        pixels = builder.mul(rows, columns)
        two = builder.and_(builder.icmp_signed("==", rows, I64(2)), builder.icmp_signed("==", columns, I64(2)))

        def vector(offset, mask):
            window = _Window(lanes, builder.add(first, offset), row, pixel, mask)
            target = builder.add(out, offset)
            with builder.if_else(two) as (unrolled, looped):
                with unrolled:
                    a, b, c, d = (window.load(builder.add(window.first, at)) for at in window.four())
                    result = combine(builder, combine(builder, a, b), combine(builder, c, d))
                    window.store(finish(lanes, result, I64(4)), target)
                with looped:
                    result = cgutils.alloca_once(builder, lanes.type)
                    builder.store(lanes.constant(start), result)

                    def add(at):
                        value = window.load(builder.add(window.first, at))
                        builder.store(combine(builder, builder.load(result), value), result)

                    window.for_pixels(rows, columns, add)
                    window.store(finish(lanes, builder.load(result), pixels), target)

        lanes.for_vectors(channels, vector)

    return emitted(7, emit)


def _quotient(lanes: Lanes, total: ir.Value, pixels: ir.Value) -> ir.Value:
    """The sum of so many pixels, one at least, divided by their number."""
    builder = lanes.builder
    if isinstance(pixels, ir.Constant):
        return builder.fmul(total, lanes.constant(1 / pixels.constant), flags=CONTRACT)
    pixels = builder.select(builder.icmp_signed(">", pixels, I64(0)), pixels, I64(1))
    return builder.fdiv(total, lanes.splat(builder.sitofp(pixels, lanes.scalar)), flags=CONTRACT)


def _hit(builder: ir.IRBuilder, v: ir.Value, maximum: ir.Value) -> ir.Value:
    """Whether v is its window's maximum, of which NaN is the largest."""
    return builder.or_(builder.fcmp_ordered("==", v, maximum), builder.fcmp_unordered("uno", v, v))


def _give_to_maximum(dtype: str) -> Callable:
    """`give(x, row, pixel, rows, columns, out, g, gx, channels)`: g is added to gx at the window's first maximum."""

    def emit(builder, x, row, pixel, rows, columns, out, g, gx, channels):
        lanes = Lanes(builder, dtype)

        def vector(offset, mask):
            window = _Window(lanes, builder.add(x, offset), row, pixel, mask)
            maximum, here = window.load(builder.add(out, offset)), builder.add(gx, offset)
            rest = cgutils.alloca_once_value(builder, window.load(builder.add(g, offset)))

            def take(at):
                hit, left = _hit(builder, window.load(builder.add(window.first, at)), maximum), builder.load(rest)
                target = builder.add(here, at)
                given = builder.select(hit, left, lanes.zero)
                window.store(builder.fadd(window.load(target), given, flags=CONTRACT), target)
                builder.store(builder.select(hit, lanes.zero, left), rest)

            window.for_pixels(rows, columns, take)

        lanes.for_vectors(channels, vector)

    return emitted(9, emit)


def _split_among_four(dtype: str) -> Callable:
    """`split(x, row, pixel, out, g, gx, channels)`: gx is g at a 2 x 2 window's first maximum, 0 at the others."""

    def emit(builder, x, row, pixel, out, g, gx, channels):
        lanes = Lanes(builder, dtype)

        def vector(offset, mask):
            window = _Window(lanes, builder.add(x, offset), row, pixel, mask)
            maximum, rest = window.load(builder.add(out, offset)), window.load(builder.add(g, offset))
            *others, last = window.four()
            for at in others:
                hit = _hit(builder, window.load(builder.add(window.first, at)), maximum)
                share, rest = builder.select(hit, rest, lanes.zero), builder.select(hit, lanes.zero, rest)
                window.store(share, builder.add(builder.add(gx, offset), at))
            window.store(rest, builder.add(builder.add(gx, offset), last))  # what is left is the last one's

        lanes.for_vectors(channels, vector)

    return emitted(7, emit)


def _add_quotient(dtype: str, width: int | None = None) -> Callable:
    """`add(x, divisor, out, channels)`: x / divisor is added to out, by vectors of so many channels."""

    def emit(builder, x, divisor, out, channels):
        lanes = Lanes(builder, dtype, width)
        divisor = lanes.splat(builder.sitofp(divisor, lanes.scalar))

        def vector(offset, mask):
            target = lanes.pointer(builder.add(out, offset))
            share = builder.fdiv(lanes.load(lanes.pointer(builder.add(x, offset)), mask), divisor, flags=CONTRACT)
            lanes.store(_sum(builder, lanes.load(target, mask), share), target, mask)

        lanes.for_vectors(channels, vector)

    return emitted(4, emit)


def _forward(dtype: str, reduce: Callable) -> Callable:
    """Units: output rows [n * oh]. Arguments: x, out, h, w, c, oh, ow, pool, strides, padding before (a pair each)."""
    size = np.dtype(dtype).itemsize

    def kernel(args, lo, hi, worker):
        x, out, h, w, c, oh, ow = args[0], args[1], args[2], args[3], args[4], args[5], args[6]
        kh, kw, sh, sw, top, left = args[7], args[8], args[9], args[10], args[11], args[12]
        pixel = size * c
        row = pixel * w
        for unit in range(lo, hi):
            y = unit % oh * sh - top
            y0, y1 = max(y, 0), min(y + kh, h)
            line = x + row * (unit // oh * h + y0)
            target = out + pixel * ow * unit
            for ox in range(ow):
                x0, x1 = max(ox * sw - left, 0), min(ox * sw - left + kw, w)
                reduce(line + pixel * x0, row, pixel, max(y1 - y0, 0), max(x1 - x0, 0), target, c)
                target += pixel

    return kernel


def max_pool(dtype: str) -> Callable:
    """Kernel: the largest value of each window, see `_forward`."""
    return _forward(dtype, _reduce_window(dtype, -math.inf, _larger, lambda lanes, result, pixels: result))


def average_pool(dtype: str) -> Callable:
    """Kernel: the mean of each window, see `_forward`."""
    return _forward(dtype, _reduce_window(dtype, 0.0, _sum, _quotient))


def max_pool_gradient(dtype: str) -> Callable:
    """Units: bands of rows, `bands` an image: one, or the output rows where windows do not overlap vertically.

    Arguments: x, out, g, gx, bands, h, w, c, oh, ow, pool, strides, padding before (a pair each), and whether windows
    tile the image without padding as 2 x 2 (then nothing is added).
    """
    size = np.dtype(dtype).itemsize
    give, split = _give_to_maximum(dtype), _split_among_four(dtype)

    def kernel(args, lo, hi, worker):
        x, out, g, gx, bands = args[0], args[1], args[2], args[3], args[4]
        h, w, c, oh, ow = args[5], args[6], args[7], args[8], args[9]
        kh, kw, sh, sw, top, left, tiled = args[10], args[11], args[12], args[13], args[14], args[15], args[16]
        pixel = size * c
        row = pixel * w
        for unit in range(lo, hi):
            image, band = unit // bands, unit % bands
            oy0, oy1 = band * oh // bands, (band + 1) * oh // bands
            top_row = 0 if band == 0 else min(max(oy0 * sh - top, 0), h)
            end_row = h if band == bands - 1 else min(max(oy1 * sh - top, 0), h)
            if tiled == 0:
                clear(gx + row * (image * h + top_row), (end_row - top_row) * row)
            else:  # only what lies beside the windows
                for y in range(top_row, end_row):
                    begin = 2 * ow * pixel if y < 2 * oh else 0
                    clear(gx + row * (image * h + y) + begin, row - begin)
            for oy in range(oy0, oy1):
                y0, y1 = max(oy * sh - top, 0), min(oy * sh - top + kh, h)
                for ox in range(ow):
                    x0, x1 = max(ox * sw - left, 0), min(ox * sw - left + kw, w)
                    output = pixel * ((image * oh + oy) * ow + ox)
                    first = row * (image * h + y0) + pixel * x0
                    if tiled != 0:
                        split(x + first, row, pixel, out + output, g + output, gx + first, c)
                    else:
                        give(x + first, row, pixel, y1 - y0, x1 - x0, out + output, g + output, gx + first, c)

    return kernel


def average_pool_gradient(dtype: str) -> Callable:
    """Units: input rows [n * h]. Arguments: g, gx, h, w, c, oh, ow, pool, strides, padding before (a pair each)."""
    size = np.dtype(dtype).itemsize
    add, add_few = _add_quotient(dtype), _add_quotient(dtype, 1)

    def kernel(args, lo, hi, worker):
        g, gx, h, w, c, oh, ow = args[0], args[1], args[2], args[3], args[4], args[5], args[6]
        kh, kw, sh, sw, top, left = args[7], args[8], args[9], args[10], args[11], args[12]
        pixel = size * c
        for unit in range(lo, hi):
            image, y = unit // h, unit % h
            target = gx + pixel * w * unit
            clear(target, pixel * w)
            # The windows with oy * sh - top <= y < oy * sh - top + kh.
            oy0, oy1 = max((y + top - kh) // sh + 1, 0), min((y + top) // sh + 1, oh)
            for oy in range(oy0, oy1):
                rows = min(oy * sh - top + kh, h) - max(oy * sh - top, 0)
                for ox in range(ow):
                    x0, x1 = max(ox * sw - left, 0), min(ox * sw - left + kw, w)
                    share = g + pixel * ((image * oh + oy) * ow + ox)
                    for k in range(x0, x1):
                        # A masked load right behind a masked store to the next pixel would wait for it.
                        if c < 4:
                            add_few(share, rows * (x1 - x0), target + pixel * k, c)
                        else:
                            add(share, rows * (x1 - x0), target + pixel * k, c)

    return kernel
