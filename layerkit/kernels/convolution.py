"""Convolution kernels over NHWC images: forward, input gradient and filter gradient.

Geometry (which pixels make a tile, which taps each sees inside of the image) comes in tables behind the arguments, made
and explained in `convolution_launch` and `convolution_filters_launch`. The sums are those of `convolution_microkernel`
and `convolution_dots`. So a kernel is loops and nothing else, compiles quickly and serves every size, stride, dilation,
padding and number of groups.
"""

from __future__ import annotations

from collections.abc import Callable

from layerkit.kernels.abi import POINTERS, vector_length
from layerkit.kernels.convolution_dots import tile_dots
from layerkit.kernels.convolution_microkernel import ROWS, copy_elements, tile_multiply

ITEMSIZE = {"float32": 4, "float64": 8}
# Arguments before the tables, and lengths of the records, of `pack_filters` and `correlate`.
PACK_HEADER, PACK_FIELDS = 12, 7
PHASE_HEADER, PHASE_FIELDS, Y_FIELDS, X_FIELDS = 17, 10, 4, 6
# Pixels of a table of offsets, and channels of a block.
TABLE = BLOCK = 8


def tile_vectors(dtype: str, panel: int) -> int:
    """Vectors in a row of the tile for panels of so many columns."""
    return max(1, min(2, panel // vector_length(dtype)))


def pack_filters(dtype: str, panel: int) -> Callable:
    """Kernel: filters to panels of `panel` columns, zeros behind the last, each after a row of bias.

    A unit is a panel of a group of a phase; see `convolution_launch._pack_launch`.
    """
    at, itemsize = POINTERS[dtype], ITEMSIZE[dtype]

    def kernel(args, lo, hi, worker):
        bias, packed = at(args[1]), args[2]
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
                line[j] = bias[group * columns + first + j] if args[11] and j < width else 0
            for y in range(n_y):
                for x in range(n_x):
                    source = group * w_group + first * w_column + (y0 + y * y_step) * w_y + (x0 + x * x_step) * w_x
                    for k in range(depth):
                        to += panel * itemsize
                        line, here = at(to), at(args[0] + (source + k * w_row) * itemsize)
                        for j in range(panel):
                            line[j] = here[j * w_column] if j < width else 0

    return kernel


def correlate(dtype: str, panel: int) -> Callable:
    """Kernel: out = act(bias + sum over taps of image x filters), for each phase of the output's grid.

    A unit is some images and some of their rows; see `convolution_launch._correlation`. Panels of one column have the
    depth in the lanes.
    """
    itemsize = ITEMSIZE[dtype]
    vectors = tile_vectors(dtype, panel)
    step = vectors * vector_length(dtype)
    multiply = tile_dots(dtype) if panel == 1 else tile_multiply(dtype, vectors, packed=True)

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
                        y_end = min(args[p] + (row + rows_per_unit) * Y_FIELDS, args[p + 1])
                        for y in range(args[p] + row * Y_FIELDS, y_end, Y_FIELDS):
                            b_row = initial + (args[y + 1] * line_of_taps + panel) * itemsize
                            for x in range(args[p + 2], args[p + 3], X_FIELDS):
                                a_tile = a + (args[y] + args[x]) * itemsize
                                out_tile = to + (args[y + 2] + args[x + 2]) * itemsize
                                rows = min(args[x + 5], images - image) if images_per_unit > 1 else args[x + 5]
                                for i in range(0, rows, ROWS):
                                    multiply(
                                        a_tile + i * row_stride * itemsize, args, tables + TABLE * min(rows - i, ROWS),
                                        b_row + args[x + 1] * itemsize,
                                        args[y + 3], args[p + 8], line_of_taps,
                                        args[x + 3], args[p + 9], tap,
                                        args[x + 4], 1, panel,
                                        initial, out_tile + i * out_row_stride * itemsize, tables,
                                        rows - i, columns - first - column, relu,
                                    )  # fmt: skip

    return kernel


def pad_images(dtype: str) -> Callable:
    """Kernel: images with zeros around them. A unit is a row of the result; see `convolution_filters_launch`."""
    at, itemsize = POINTERS[dtype], ITEMSIZE[dtype]

    def kernel(args, lo, hi, worker):
        height, line, top, before, rows, out_line = args[2], args[3], args[4], args[5], args[6], args[7]
        for unit in range(lo, hi):
            image, y = unit // rows, unit % rows - top
            out, source = at(args[1] + unit * out_line * itemsize), at(args[0] + (image * height + y) * line * itemsize)
            inside = 0 <= y < height
            for i in range(out_line):
                at_x = i - before
                out[i] = source[at_x] if inside and 0 <= at_x < line else 0

    return kernel


def filter_gradient(dtype: str, panel: int) -> Callable:
    """Kernel: each piece's share of the sum over pixels of image x gradient, by taps, channels and filters.

    A unit is a piece, a run of blocks of images or of one image's rows. Image and gradient of a block are copied, so
    that a tile reads runs of memory: the image as [block of channels, image, row, column, channel of the block], the
    gradient as [pixel, filter of the panel]. A tile is some channels of one tap, or of all taps where channels are few.
    See `convolution_filters_launch.conv_filter_gradient_launches`.
    """
    itemsize = ITEMSIZE[dtype]
    vectors = tile_vectors(dtype, panel)
    step = vectors * vector_length(dtype)
    multiply = tile_multiply(dtype, vectors, packed=False)
    copy_channels, copy_columns = copy_elements(dtype, BLOCK), copy_elements(dtype, step)

    def kernel(args, lo, hi, worker):
        window = args[3] + worker * args[4]
        packed = window + args[5]
        row_blocks, blocks, pieces, channels, width = args[8], args[9], args[10], args[13], args[12]
        groups, depth, columns, taps, tile_rows, copied = args[15], args[16], args[17], args[18], args[19], args[20]
        out_columns, row_stride, column_stride, table_rows = args[14], args[21], args[22], args[23]
        x_begin, x_end = args[26], args[27]
        filters = groups * columns
        for piece in range(lo, hi):
            parts = args[2] + piece * taps * depth * filters * itemsize
            started = 0
            for block in range(piece * blocks // pieces, (piece + 1) * blocks // pieces):
                image, y = block // row_blocks * args[7], args[24] + block % row_blocks * args[25]
                images = min(args[7], args[6] - image)
                row, rows, source_row, source_rows = args[y], args[y + 1], args[y + 2], args[y + 3]
                source = args[0] + (image * args[11] + source_row * width * channels) * itemsize
                image_stride, block_stride = args[11], args[31]
                if copied:
                    image_stride = source_rows * width * BLOCK
                    block_stride = images * image_stride
                for group in range(groups):
                    a = source + group * depth * itemsize
                    if copied:
                        to = window
                        for channel in range(0, depth, BLOCK):
                            for line in range(images * source_rows):
                                at_line = line // source_rows * args[11] + line % source_rows * width * channels
                                here = a + (at_line + channel) * itemsize
                                for _ in range(width):
                                    copy_channels(here, to, depth - channel)
                                    here += channels * itemsize
                                    to += BLOCK * itemsize
                        a = window
                    for first in range(0, columns, step):
                        column = group * columns + first
                        b = args[1] + ((image * args[28] + row) * out_columns * filters + column) * itemsize
                        b_step = filters
                        if filters != step:
                            for pixel in range(images * rows * out_columns):
                                here, to = b + pixel * filters * itemsize, packed + pixel * step * itemsize
                                copy_columns(here, to, columns - first)
                            b, b_step = packed, step
                        out = parts + column * itemsize
                        for tap_y in range(y + 4, y + args[25], 3):
                            for tap_x in range(x_begin, x_end, 3):
                                a_tap = a + (args[tap_y] + args[tap_x]) * itemsize
                                b_tap = b + (args[tap_y + 1] + args[tap_x + 1]) * b_step * itemsize
                                for k in range(0, tile_rows, ROWS):
                                    multiply(
                                        a_tap + k // BLOCK * block_stride * itemsize, args, args[29] + k % table_rows,
                                        b_tap,
                                        images, image_stride, rows * out_columns * b_step,
                                        args[tap_y + 2], row_stride, out_columns * b_step,
                                        args[tap_x + 2], column_stride, b_step,
                                        0, out, args[30] + k, tile_rows - k, columns - first, started,
                                    )  # fmt: skip
                                out += depth * filters * itemsize
                started = 1

    return kernel


def turn_filters(dtype: str) -> Callable:
    """Kernel: filters [tap, filter, channel] to [tap, channel, filter], the taps in reverse.

    Arguments: filters, out, taps, channels, filters of a tap. A unit is a tap of out.
    """
    at, itemsize = POINTERS[dtype], ITEMSIZE[dtype]

    def kernel(args, lo, hi, worker):
        taps, channels, filters = args[2], args[3], args[4]
        size = channels * filters
        for tap in range(lo, hi):
            source, out = at(args[0] + (taps - 1 - tap) * size * itemsize), at(args[1] + tap * size * itemsize)
            for channel in range(channels):
                for i in range(filters):
                    out[channel * filters + i] = source[i * channels + channel]

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
