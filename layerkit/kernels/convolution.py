"""Convolution kernels over NHWC images: forward, input gradient and filter gradient.

All read the image in place, or a zero-padded window of it that the unit copies to its worker's scratch first, so
the innermost loop knows nothing of borders. The sums are those of `convolution_microkernel`. The arguments are
explained where they are made, in `convolution_launch`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

from layerkit.kernels.abi import POINTERS, inline, int64_at, vector_length
from layerkit.kernels.convolution_microkernel import ROWS, copy_elements, tile_multiply

ITEMSIZE = {"float32": 4, "float64": 8}
PACK_FIELDS = 7
PACK_HEADER = 12
PHASE_FIELDS = 10
PHASE_HEADER = 17
Y_FIELDS = 4
X_FIELDS = 6
TABLE = 8


def tile_vectors(dtype: str, panel: int) -> int:
    """Vectors in a row of the tile for panels of so many columns."""
    return max(1, min(2, panel // vector_length(dtype)))


@functools.cache
def _copy_window(dtype: str) -> Callable:
    """The function that copies a window of images, with zeros where it lies outside of them, by blocks of channels.

    The window begins at row -`top` and column -`left` of each image, which may be negative or positive. The copy is
    [block of `wide` channels, image, row, column, channel of the block]; behind the last channel it is not written.
    """
    at, itemsize = POINTERS[dtype], ITEMSIZE[dtype]
    copy_block = copy_elements(dtype, ROWS)

    @inline
    def fill_zeros(to, count):
        line = at(to)
        for i in range(count):
            line[i] = 0

    @inline
    def copy_window(source, to, images, sizes, channels, depth, wide, top, left, rows, columns):
        height, width = sizes
        start = min(max(left, 0), columns)
        inside = max(min(width + left, columns) - start, 0)
        for number in range((depth + wide - 1) // wide):
            first = number * wide
            block = min(wide, depth - first)
            for image_row in range(images * rows):
                image, y = image_row // rows, image_row % rows - top
                if y < 0 or y >= height:
                    fill_zeros(to, columns * wide)
                else:
                    fill_zeros(to, start * wide)
                    address = source + (((image * height + y) * width + start - left) * channels + first) * itemsize
                    here, line = at(address), at(to + start * wide * itemsize)
                    if block == channels:
                        for i in range(inside * channels):
                            line[i] = here[i]
                    elif block == ROWS:
                        a, b = address, to + start * wide * itemsize
                        for x in range(inside):
                            copy_block(a + x * channels * itemsize, b + x * wide * itemsize)
                    else:
                        for x in range(inside):
                            for i in range(block):
                                line[x * wide + i] = here[x * channels + i]
                    fill_zeros(to + (start + inside) * wide * itemsize, (columns - start - inside) * wide)
                to += columns * wide * itemsize

    return copy_window


@functools.cache
def _pack_columns(dtype: str, width: int) -> Callable:
    """The function that copies `count` columns of rows `stride` apart to rows of `width`, with zeros behind them."""
    at, itemsize = POINTERS[dtype], ITEMSIZE[dtype]
    copy_row = copy_elements(dtype, width)

    @inline
    def pack_columns(source, to, rows, stride, count):
        for row in range(rows):
            here, line = at(source + row * stride * itemsize), at(to + row * width * itemsize)
            if count >= width:
                copy_row(source + row * stride * itemsize, to + row * width * itemsize)
            else:
                for j in range(count):
                    line[j] = here[j]
                for j in range(count, width):
                    line[j] = 0

    return pack_columns


@inline
def first_inside(position, step):
    """The first n >= 0 with position + n * step >= 0."""
    return 0 if position >= 0 else (step - 1 - position) // step


@inline
def end_inside(position, step, count, size):
    """The number n <= count behind the last with position + (n - 1) * step < size; may be negative."""
    return min(count, (size - position + step - 1) // step)


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

    A unit is some images and some of their rows. Which pixels make a tile, and which taps each sees inside of the image, is
    in the tables of the arguments; see `convolution_launch._correlation`.
    """
    itemsize = ITEMSIZE[dtype]
    vectors = tile_vectors(dtype, panel)
    step = vectors * vector_length(dtype)
    multiply = tile_multiply(dtype, vectors, packed=True)

    def kernel(args, lo, hi, worker):
        images, images_per_unit, rows_per_unit, row_units = args[3], args[4], args[5], args[6]
        groups, depth, columns, relu = args[9], args[10], args[11], args[12]
        row_stride, out_row_stride, tables = args[13], args[14], args[15]
        tap = depth * panel
        for unit in range(lo, hi):
            image, row = unit // row_units * images_per_unit, unit % row_units * rows_per_unit
            source, out = args[0] + image * args[7] * itemsize, args[2] + image * args[8] * itemsize
            for phase in range(args[16]):
                p = PHASE_HEADER + PHASE_FIELDS * phase
                line_of_taps, filters = args[p + 4], args[1] + args[p + 5] * itemsize
                for group_panel in range(groups * args[p + 6]):
                    group, first = group_panel // args[p + 6], group_panel % args[p + 6] * panel
                    a, b = source + group * depth * itemsize, filters + group_panel * args[p + 7] * itemsize
                    for column in range(0, min(panel, columns - first), step):
                        initial = b + column * itemsize
                        to = out + (group * columns + first + column) * itemsize
                        for y in range(args[p] + row * Y_FIELDS, min(args[p] + (row + rows_per_unit) * Y_FIELDS, args[p + 1]), Y_FIELDS):
                            b_row = initial + (args[y + 1] * line_of_taps + panel) * itemsize
                            for x in range(args[p + 2], args[p + 3], X_FIELDS):
                                a_tile = a + (args[y] + args[x]) * itemsize
                                out_tile = to + (args[y + 2] + args[x + 2]) * itemsize
                                rows = min(args[x + 5], images - image) if images_per_unit > 1 else args[x + 5]
                                for i in range(0, rows, ROWS):
                                    multiply(
                                        a_tile + i * row_stride * itemsize, args, tables + TABLE * min(rows - i, ROWS),
                                        b_row + args[x + 1] * itemsize,
                                        args[y + 3], args[p + 8], line_of_taps, args[x + 3], args[p + 9], tap,
                                        args[x + 4], 1, panel, initial, out_tile + i * out_row_stride * itemsize, tables,
                                        rows - i, columns - first - column, relu,
                                    )

    return kernel


def filter_gradient(dtype: str, panel: int) -> Callable:
    """Kernel: each piece's share of the sum over pixels of image x gradient, by taps, channels and filters.

    A unit is a piece, a run of blocks of images or of one image's rows; see
    `convolution_launch.conv_filter_gradient_launches`. Image and gradient of a block are copied, so that a tile reads
    runs of memory. A tile is `ROWS` channels of all taps in a row or, "clipped", of one tap: then the pixels that do not
    see the image through it are left out.
    """
    itemsize = ITEMSIZE[dtype]
    vectors = tile_vectors(dtype, panel)
    step = vectors * vector_length(dtype)
    multiply = tile_multiply(dtype, vectors, packed=False)
    copy_window, pack_columns = _copy_window(dtype), _pack_columns(dtype, step)

    def kernel(args, lo, hi, worker):
        x, g = args[0], args[1]
        window = args[3] + worker * args[4]
        packed, tables, out_tables, clipped = window + args[5], args[6], args[7], args[8]
        out_rows, out_columns = args[9], args[10]
        height, width, channels = args[15], args[16], args[17]
        step_y, step_x, top, left, extent_y, window_width = args[18], args[19], args[20], args[21], args[22], args[23]
        groups, depth, columns = args[24], args[25], args[26]
        blocks, pieces = args[27], args[28]
        kernel_height, kernel_width, dilation_y, dilation_x = args[29], args[30], args[31], args[32]
        filters = groups * columns
        taps, tile_rows, wide = (1, 1), kernel_height * kernel_width * depth, depth
        if clipped:
            taps, tile_rows, wide = (kernel_height, kernel_width), depth, ROWS
        pixel = wide if args[33] else channels
        line = window_width * pixel
        for piece in range(lo, hi):
            out = args[2] + piece * kernel_height * kernel_width * depth * filters * itemsize
            started = 0
            for block in range(piece * blocks // pieces, (piece + 1) * blocks // pieces):
                image, row = block // args[14] * args[12], block % args[14] * args[13]
                images, rows = min(args[12], args[11] - image), min(args[13], out_rows - row)
                begin = x + image * height * width * channels * itemsize
                gradient = g + (image * out_rows + row) * out_columns * filters * itemsize
                first_row = row * step_y - top
                window_rows, window_left = (rows - 1) * step_y + extent_y, left
                if args[33] == 0:
                    first_row, window_rows = 0, height
                elif clipped:
                    end_row = min(first_row + window_rows, height)
                    first_row = max(first_row, 0)
                    window_rows, window_left = max(end_row - first_row, 0), 0
                # From a block of channels to the next; tiles of all taps stay in their only block.
                block_size = 0
                if clipped:
                    block_size = images * window_rows * line if args[33] else ROWS
                for group in range(groups):
                    image_group = begin + group * depth * itemsize
                    if args[33]:
                        copy_window(
                            image_group, window, images, (height, width), channels, depth, wide,
                            -first_row, window_left, window_rows, window_width,
                        )  # fmt: skip
                        image_group = window
                    for first in range(0, columns, step):
                        at = (group * columns + first) * itemsize
                        b, b_step = gradient + at, filters
                        if filters != step:
                            pack_columns(b, packed, images * rows * out_columns, filters, columns - first)
                            b, b_step = packed, step
                        for tap in range(taps[0] * taps[1]):
                            y, y0, y1 = 0, 0, rows
                            x_at, x0, x1 = 0, 0, out_columns
                            if clipped:
                                y = row * step_y - top + tap // kernel_width * dilation_y - first_row
                                y0, y1 = first_inside(y, step_y), end_inside(y, step_y, rows, window_rows)
                                x_at = tap % kernel_width * dilation_x - left
                                x0, x1 = first_inside(x_at, step_x), end_inside(x_at, step_x, out_columns, width)
                            a = (y + y0 * step_y) * line + (x_at + x0 * step_x) * pixel
                            b_at = (y0 * out_columns + x0) * b_step
                            to = out + at + tap * depth * filters * itemsize
                            for k in range(0, tile_rows, ROWS):
                                multiply(
                                    image_group + (a + k // ROWS * block_size) * itemsize, args, tables + (0 if clipped else k),
                                    b + b_at * itemsize,
                                    images, window_rows * line, rows * out_columns * b_step,
                                    y1 - y0, step_y * line, out_columns * b_step,
                                    x1 - x0, step_x * pixel, b_step,
                                    0, to, out_tables + k, tile_rows - k, columns - first, started,
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
