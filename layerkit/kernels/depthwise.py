"""Depthwise convolution kernels over NHWC images: one filter (or a few) for each channel, vectors over channels.

The arguments are explained where they are made, in `depthwise_launch`.
"""

from __future__ import annotations

from collections.abc import Callable

from layerkit.kernels.abi import POINTERS, vector_length
from layerkit.kernels.convolution_microkernel import ROWS, tile_multiply
from layerkit.kernels.lanes import ITEMSIZE, clear
from layerkit.kernels.packing import line_copier

HEADER, PHASE_FIELDS = 13, 9
Y_FIELDS = 4
X_FIELDS = 5
TABLE = 8
VECTORS = 2
TAPS = 9 if ROWS == 8 else 3  # of a tile of the filter gradient: those of a 3 x 3 filter, or of a row of it


def depthwise(dtype: str) -> Callable:
    """Kernel: out = act(bias + sum over taps of image x filter) by channels, for each phase of the output's grid.

    A unit is a row of an image in the coarsest phase; see `depthwise_launch._depthwise`.
    """
    itemsize, step = ITEMSIZE[dtype], VECTORS * vector_length(dtype)
    multiply = tile_multiply(dtype, VECTORS, packed=True, lanewise=True)

    def kernel(args, lo, hi, worker):
        channels, rows, relu, pixel, out_pixel, tables = args[4], args[5], args[8], args[9], args[10], args[11]
        for unit in range(lo, hi):
            image, row = unit // rows, unit % rows
            source, out = args[0] + image * args[6] * itemsize, args[2] + image * args[7] * itemsize
            for phase in range(args[12]):
                p = HEADER + phase * PHASE_FIELDS
                y = args[p] + row * Y_FIELDS
                if y >= args[p + 1]:
                    continue
                y_stride, w_y, x_stride, w_x = args[p + 5], args[p + 6], args[p + 7], args[p + 8]
                for channel in range(0, channels, step):
                    bias = args[3] + channel * itemsize if args[3] else 0
                    for x in range(args[p + 2], args[p + 3], X_FIELDS):
                        a = args[y] + args[x] + channel
                        w = args[p + 4] + args[y + 1] * w_y + args[x + 1] * w_x + channel
                        to = args[y + 2] + args[x + 2] + channel
                        for i in range(0, args[x + 4], ROWS):
                            pixels = args[x + 4] - i
                            multiply(
                                source + (a + i * pixel) * itemsize, args, tables + TABLE * min(pixels, ROWS),
                                args[1] + w * itemsize,
                                1, 0, 0, args[y + 3], y_stride, w_y, args[x + 3], x_stride, w_x,
                                bias, out + (to + i * out_pixel) * itemsize, tables, pixels, channels - channel, relu,
                            )  # fmt: skip

    return kernel


def depthwise_filter_gradient(dtype: str) -> Callable:
    """Kernel: each piece's share of the sum over pixels of image x gradient, by taps and channels.

    A unit is a piece, a run of images; a tile is some taps. An image that needs padding is copied, zeros around it.
    See `depthwise_launch.depthwise_filter_gradient_launches`.
    """
    itemsize, step = ITEMSIZE[dtype], VECTORS * vector_length(dtype)
    multiply = tile_multiply(dtype, VECTORS, packed=False, lanewise=True, height=TAPS)
    copy_lines = line_copier(dtype)

    def kernel(args, lo, hi, worker):
        images, pieces, taps, channels = args[3], args[4], args[5], args[6]
        image, out_rows, out_columns = args[7], args[8], args[9]
        step_y, pixel, tables, out_tables = args[10], args[11], args[12], args[13]
        padded, inside, lines, line = args[14], args[16], args[17], args[18]
        if padded:
            padded += worker * args[15]
            clear(padded, args[15])
        for piece in range(lo, hi):
            first, end = piece * images // pieces, (piece + 1) * images // pieces
            out = args[2] + piece * taps * channels * itemsize
            for i in range(first, end):
                source = args[0] + i * image * itemsize
                if padded:
                    copy_lines(lines, line, source, args[19], padded + inside * itemsize, args[20])
                    source = padded
                gradient = args[1] + i * out_rows * out_columns * channels * itemsize
                for channel in range(0, channels, step):
                    at = channel * itemsize
                    for tap in range(0, taps, TAPS):
                        multiply(
                            source + at, args, tables + tap, gradient + at,
                            1, 0, 0, out_rows, step_y, out_columns * channels, out_columns, pixel, channels,
                            0, out + at, out_tables + tap, taps - tap, channels - channel, 1 if i > first else 0,
                        )  # fmt: skip

    return kernel


def repeat_channels(dtype: str) -> Callable:
    """Kernel: each element `times` times in a row. Arguments: x, out, times; a unit is an element of x."""
    at, itemsize = POINTERS[dtype], ITEMSIZE[dtype]

    def kernel(args, lo, hi, worker):
        x, times = at(args[0] + lo * itemsize), args[2]
        out = at(args[1] + lo * times * itemsize)
        for i in range(hi - lo):
            for j in range(times):
                out[i * times + j] = x[i]

    return kernel


def sum_channels(dtype: str) -> Callable:
    """Kernel: sums of `times` elements in a row. Arguments: x, out, times; a unit is an element of out."""
    at, itemsize = POINTERS[dtype], ITEMSIZE[dtype]

    def kernel(args, lo, hi, worker):
        times = args[2]
        x, out = at(args[0] + lo * times * itemsize), at(args[1] + lo * itemsize)
        for i in range(hi - lo):
            total = x[i * times]
            for j in range(1, times):
                total += x[i * times + j]
            out[i] = total

    return kernel
