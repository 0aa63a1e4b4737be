"""Convolution kernels over NHWC images: forward, input gradient and filter gradient.

All read the image in place, or a zero-padded window of it that the unit copies to its worker's scratch first, so
the innermost loop knows nothing of borders. The sums are those of `convolution_microkernel`. The arguments are
explained where they are made, in `convolution_launch`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

from layerkit.kernels.abi import POINTERS, inline, int64_at, vector_length
from layerkit.kernels.convolution_microkernel import ROWS, tile_multiply

ITEMSIZE = {"float32": 4, "float64": 8}
PACK_FIELDS = 7
PACK_HEADER = 12
PHASE_FIELDS = 10
PHASE_HEADER = 28


def tile_vectors(dtype: str, panel: int) -> int:
    """Vectors in a row of the tile for panels of so many columns."""
    return max(1, min(2, panel // vector_length(dtype)))


@functools.cache
def _copy_window(dtype: str) -> Callable:
    """The function that copies rows of images, with zeros where they lie outside of the images.

    The window's first row is row -`top` of an image, its first column is column -`left`; both may be negative.
    """
    at, itemsize = POINTERS[dtype], ITEMSIZE[dtype]

    @inline
    def copy_window(source, window, images, height, width, channels, top, left, window_rows, window_width):
        first = min(max(left, 0), window_width) * channels
        last = max(min(width + left, window_width) * channels, first)
        line = window_width * channels
        for image in range(images):
            for row in range(window_rows):
                to = window + (image * window_rows + row) * line * itemsize
                y = row - top
                if y < 0 or y >= height:
                    whole = at(to)
                    for i in range(line):
                        whole[i] = 0
                    continue
                before, middle, behind = at(to), at(to + first * itemsize), at(to + last * itemsize)
                here = at(source + (((image * height + y) * width - left) * channels + first) * itemsize)
                for i in range(first):
                    before[i] = 0
                for i in range(last - first):
                    middle[i] = here[i]
                for i in range(line - last):
                    behind[i] = 0

    return copy_window


@inline
def fill_offsets(table, out_table, images, rows, columns, start, out_start, strides, out_strides, padded):
    """Offsets of the pixels of an (images, rows, columns) grid; the last is repeated up to `padded` entries."""
    a, out = int64_at(table), int64_at(out_table)
    count = 0
    for image in range(images):
        for row in range(rows):
            at = start + image * strides[0] + row * strides[1]
            out_at = out_start + image * out_strides[0] + row * out_strides[1]
            for column in range(columns):
                a[count] = at + column * strides[2]
                out[count] = out_at + column * out_strides[2]
                count += 1
    for i in range(count, padded):
        a[i] = a[count - 1]
        out[i] = out[count - 1]


def pack_filters(dtype: str, panel: int) -> Callable:
    """Kernel: filters to panels of `panel` columns, zeros behind the last, each after a row of bias.

    A unit is a panel of a group of a phase; see `convolution_launch._pack_launch`.
    """
    at, itemsize = POINTERS[dtype], ITEMSIZE[dtype]

    def kernel(args, lo, hi, worker):
        w, bias, packed = at(args[0]), at(args[1]), args[2]
        w_y, w_x, w_row, w_column, w_group = args[3], args[4], args[5], args[6], args[7]
        groups, depth, columns = args[8], args[9], args[10]
        panels = (columns + panel - 1) // panel
        for unit in range(lo, hi):
            phase, rest = unit // (groups * panels), unit % (groups * panels)
            group, first = rest // panels, rest % panels * panel
            p = PACK_HEADER + PACK_FIELDS * phase
            y0, y_step, n_y, x0, x_step, n_x = args[p], args[p + 1], args[p + 2], args[p + 3], args[p + 4], args[p + 5]
            size = (n_y * n_x * depth + 1) * panel
            to = packed + (args[p + 6] + rest * size) * itemsize
            width = min(panel, columns - first)
            line = at(to)
            for j in range(panel):
                line[j] = 0
            if args[11]:
                for j in range(width):
                    line[j] = bias[group * columns + first + j]
            for y in range(n_y):
                for x in range(n_x):
                    source = group * w_group + first * w_column + (y0 + y * y_step) * w_y + (x0 + x * x_step) * w_x
                    for k in range(depth):
                        to += panel * itemsize
                        line = at(to)
                        for j in range(width):
                            line[j] = w[source + k * w_row + j * w_column]
                        for j in range(width, panel):
                            line[j] = 0

    return kernel


def correlate(dtype: str, panel: int) -> Callable:
    """Kernel: out = act(bias + sum over taps of image x filters), for each phase of the output's grid.

    A unit is a block of images or of one image's rows; see `convolution_launch._correlate_launch`.
    """
    itemsize = ITEMSIZE[dtype]
    vectors = tile_vectors(dtype, panel)
    step = vectors * vector_length(dtype)
    tile = tile_multiply(dtype, vectors, True)
    copy_window = _copy_window(dtype)

    def kernel(args, lo, hi, worker):
        source, packed, out = args[0], args[1], args[2]
        table = args[3] + worker * args[4]
        out_table, window = table + args[5], table + args[6]
        height, width, channels = args[11], args[12], args[13]
        step_y, step_x, top, left, extent_y, window_width = args[14], args[15], args[16], args[17], args[18], args[19]
        groups, depth, columns, relu = args[20], args[21], args[22], args[26]
        out_strides = (args[23], args[24], args[25])
        line = window_width * channels
        panels = (columns + panel - 1) // panel
        for unit in range(lo, hi):
            image, row = unit // args[10] * args[8], unit % args[10] * args[9]
            images = min(args[8], args[7] - image)
            begin = source + image * height * line * itemsize
            if args[6]:
                window_rows = (min(args[9], args[PHASE_HEADER] - row) - 1) * step_y + extent_y
                begin = source + image * height * width * channels * itemsize
                copy_window(
                    begin, window, images, height, width, channels, top - row * step_y, left, window_rows, window_width
                )
                begin = window
                strides = (window_rows * line, step_y * line, step_x * channels)
            else:
                begin += row * step_y * line * itemsize
                strides = (height * line, step_y * line, step_x * channels)
            for phase in range(args[27]):
                p = PHASE_HEADER + PHASE_FIELDS * phase
                rows = min(args[9], args[p] - row)
                pixels = images * rows * args[p + 1]
                if rows <= 0 or pixels <= 0:
                    continue
                n1, stride1, n2, stride2, n3 = args[p + 2], args[p + 3], args[p + 4], args[p + 5], args[p + 6]
                out_start = args[p + 9] + image * out_strides[0] + row * out_strides[1]
                fill_offsets(
                    table, out_table, images, rows, args[p + 1], args[p + 7], out_start, strides, out_strides,
                    pixels + ROWS,
                )  # fmt: skip
                b = packed + args[p + 8] * itemsize
                b_size = (n1 * n2 * n3 + 1) * panel * itemsize
                for group in range(groups):
                    a = begin + group * depth * itemsize
                    for first in range(0, panels * panel, panel):
                        for column in range(0, min(panel, columns - first), step):
                            to = out + (group * columns + first + column) * itemsize
                            for pixel in range(0, pixels, ROWS):
                                tile(
                                    a, table + pixel * 8, b + column * itemsize, n1, stride1, n2, stride2, n3, 1, panel,
                                    to, out_table + pixel * 8, pixels - pixel, columns - first - column, relu,
                                )  # fmt: skip
                        b += b_size

    return kernel


def filter_gradient(dtype: str, panel: int) -> Callable:
    """Kernel: each piece's share of the sum over pixels of image x gradient, by taps, channels and filters.

    A unit is a piece, a run of blocks of images or of one image's rows; see
    `convolution_launch.conv_filter_gradient_launches`.
    """
    itemsize = ITEMSIZE[dtype]
    vectors = tile_vectors(dtype, panel)
    step = vectors * vector_length(dtype)
    tile = tile_multiply(dtype, vectors, False)
    copy_window = _copy_window(dtype)

    def kernel(args, lo, hi, worker):
        x, g = args[0], args[1]
        table = args[3] + worker * args[4]
        out_table, window = table + args[5], table + args[6]
        height, width, channels = args[11], args[12], args[13]
        step_y, step_x, top, left, extent_y, window_width = args[14], args[15], args[16], args[17], args[18], args[19]
        groups, depth, columns = args[20], args[21], args[22]
        out_rows, out_columns, blocks, pieces = args[23], args[24], args[25], args[26]
        kernel_height, kernel_width, dilation_y, dilation_x = args[27], args[28], args[29], args[30]
        filters = groups * columns
        line = window_width * channels
        taps = kernel_height * kernel_width * depth
        fill_offsets(
            table, out_table, kernel_height, kernel_width, depth, 0, 0, (dilation_y * line, dilation_x * channels, 1),
            (kernel_width * depth * filters, depth * filters, filters), taps + ROWS,
        )  # fmt: skip
        for piece in range(lo, hi):
            out = args[2] + piece * taps * filters * itemsize
            started = 0
            for block in range(piece * blocks // pieces, (piece + 1) * blocks // pieces):
                image, row = block // args[10] * args[8], block % args[10] * args[9]
                images, rows = min(args[8], args[7] - image), min(args[9], out_rows - row)
                begin = x + image * height * width * channels * itemsize
                if args[6]:
                    window_rows = (rows - 1) * step_y + extent_y
                    copy_window(
                        begin, window, images, height, width, channels,
                        top - row * step_y, left, window_rows, window_width,
                    )  # fmt: skip
                    begin = window
                    image_stride = window_rows * line
                else:
                    begin += row * step_y * line * itemsize
                    image_stride = height * line
                pixels = g + (image * out_rows + row) * out_columns * filters * itemsize
                for group in range(groups):
                    for first in range(0, columns, step):
                        at = (group * columns + first) * itemsize
                        for tap in range(0, taps, ROWS):
                            tile(
                                begin + group * depth * itemsize, table + tap * 8, pixels + at,
                                images, image_stride, rows, step_y * line, out_columns, step_x * channels, filters,
                                out + at, out_table + tap * 8, taps - tap, columns - first, started,
                            )  # fmt: skip
                started = 1

    return kernel


def add_pieces(dtype: str) -> Callable:
    """Kernel: out = sum over pieces, in order. Arguments: parts, out, size, pieces, elements a unit."""
    at, itemsize = POINTERS[dtype], ITEMSIZE[dtype]

    def kernel(args, lo, hi, worker):
        size, pieces = args[2], args[3]
        first = lo * args[4]
        count = min(hi * args[4], size) - first
        out = at(args[1] + first * itemsize)
        for i in range(count):
            out[i] = 0
        for piece in range(pieces):
            part = at(args[0] + (piece * size + first) * itemsize)
            for i in range(count):
                out[i] += part[i]

    return kernel
