"""Which launches make the filter gradient of a convolution over NHWC images. Free of Numba.

It multiplies image by gradient over pieces of the batch, whose number depends on shapes only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from layerkit.kernels.convolution_launch import (
    MOST_PIECES,
    PANEL_BYTES,
    PIECE_PIXELS,
    TILE_ROWS,
    WINDOW_BYTES,
    Padding,
    Pair,
    Triple,
    Window,
    add_pieces_launch,
    convolution_kernel,
    forward_windows,
    panel_columns,
)
from layerkit.kernels.launch import Launch, Operand, Scratch, serial_grain

FILTER_HEADER = 32  # of the arguments of `convolution.filter_gradient`
BLOCK_PIXELS = 256  # of a gradient that all tiles of the filter gradient read before the next


def conv_filter_gradient_launches(
    x: Operand, g: Operand, gw: Operand, *, strides: Pair, padding: Padding, dilation: Pair, groups: int
) -> list[Launch]:
    """Gradient of `conv_launches` by w: from x and g [N, OH, OW, F] to gw [kh, kw, C / groups, F], fully written."""
    if gw.size == 0:
        return []
    if g.size and strides == (1, 1) and groups == 1 and _faster_swapped(gw):
        swapped = [((gw.shape[i] - 1) * dilation[i] - padding[i][0],) * 2 for i in (0, 1)]
        if min(swapped)[0] >= 0:
            return _swapped_filter_gradient(x, g, gw, padding=tuple(swapped), dilation=dilation)
    return _filter_gradient(x, g, gw, gw.shape, strides, padding, dilation, groups)


def _faster_swapped(gw: Operand) -> bool:
    """Whether tiles of taps and filters by channels take clearly less time than those of taps and channels by filters.

    A tile with one vector of columns takes 0.7 of the time of one with two, and swapping costs two copies.
    """
    kernel_height, kernel_width, depth, filters = gw.shape
    taps, panel = kernel_height * kernel_width, PANEL_BYTES // gw.dtype.itemsize

    def tiles(rows: int, columns: int) -> float:
        down = taps * -(-rows // TILE_ROWS) if _fills_tiles(rows) else -(-taps * rows // TILE_ROWS)
        return down * (-(-columns // panel) if columns > panel // 2 else 0.7)

    return tiles(filters, depth) < 0.75 * tiles(depth, filters)


def _swapped_filter_gradient(x: Operand, g: Operand, gw: Operand, *, padding: Padding, dilation: Pair) -> list[Launch]:
    """The filter gradient where filters are few: g is the image and x the gradient, for the sum is the same.

    gw[k, c, f] = sum over p of x[p + k, c] g[p, f] = sum over q of g[q - k, f] x[q, c], which has taps in reverse.
    """
    kernel_height, kernel_width, channels, filters = gw.shape
    turned = Scratch(gw.size * gw.dtype.itemsize, name="filter gradient by filters")
    shape = (kernel_height, kernel_width, filters, channels)
    taps, grain = kernel_height * kernel_width, serial_grain(channels * filters)
    return [
        *_filter_gradient(g, x, turned, shape, (1, 1), padding, dilation, 1),
        Launch(convolution_kernel("turn_filters", gw.dtype), [turned, gw, taps, channels, filters], taps, grain),
    ]


def _filter_gradient(
    x: Operand,
    g: Operand,
    gw: Operand | Scratch,
    shape: tuple[int, ...],
    strides: Pair,
    padding: Padding,
    dilation: Pair,
    groups: int,
) -> list[Launch]:
    """The launches that write the filter gradient of a shape to gw."""
    images, out_rows, out_columns, filters = g.shape
    kernel_height, kernel_width, depth, _ = shape
    size, dtype, itemsize = math.prod(shape), g.dtype, g.dtype.itemsize
    windows = forward_windows(x, shape, g, strides, padding, dilation)
    taps = kernel_height * kernel_width
    # Tiles of channels of one tap leave out pixels that see padding through it; those of all taps need it written.
    by_tap = _fills_tiles(depth)
    source: Operand | Scratch = x
    height, width, channels = x.shape[1:]
    launches = []
    if not by_tap and not (windows[0].inside and windows[1].inside):
        launch, source = _pad_launch(x, x.shape, x.dtype, windows)
        launches.append(launch)
        height, width = (window.length for window in windows)
        windows = tuple(replace(window, size=window.length, before=0) for window in windows)
    copied = by_tap and taps > 1
    pixel = TILE_ROWS if copied else channels
    line = width * pixel
    images_per_block, rows_per_block, row_blocks = _blocks(
        images, windows[0], out_columns, line * itemsize, BLOCK_PIXELS
    )
    blocks = -(-images // images_per_block) * row_blocks if g.size else 0
    if blocks == 0:
        return [add_pieces_launch(gw, gw, 0, dtype)]
    pieces = max(1, min(MOST_PIECES, blocks, images * out_rows * out_columns // PIECE_PIXELS))
    parts = gw if pieces == 1 else Scratch(pieces * size * itemsize, name="filter gradient parts")
    window_bytes = (
        images_per_block * _window_rows(windows[0], rows_per_block) * line * -(-depth // TILE_ROWS) * itemsize
    )
    packed = _aligned(window_bytes) if copied else 0
    scratch = Scratch(
        packed + _aligned(images_per_block * rows_per_block * out_columns * PANEL_BYTES),
        per_worker=True,
        name="image and gradient",
    )
    y_taps = [k * dilation[0] for k in range(kernel_height)]
    x_taps = [k * dilation[1] for k in range(kernel_width)]
    if by_tap:
        offsets, tile_rows, tile_stride = list(range(TILE_ROWS)), depth, TILE_ROWS
    else:
        offsets = [
            y * line + x_tap * channels + channel for y in y_taps for x_tap in x_taps for channel in range(depth)
        ]
        tile_rows, tile_stride = len(offsets), 0
        offsets += offsets[-1:] * TILE_ROWS
        y_taps = x_taps = [0]
    records: list[int] = []
    for row in range(0, out_rows, rows_per_block):
        records += _row_block(windows[0], y_taps, row, min(rows_per_block, out_rows - row), line, out_columns)
    x_begin = FILTER_HEADER + len(records)
    for tap in x_taps:
        first, count, at = _seeing(windows[1], tap, 0, out_columns)
        records += [at * pixel, first, count]
    x_end = FILTER_HEADER + len(records)
    args = [
        source, g, parts, scratch, scratch.nbytes, packed, images, images_per_block, row_blocks, blocks, pieces,
        height * width * channels, width, channels, out_columns, groups, depth, filters // groups, taps, tile_rows,
        int(copied), windows[0].step * line, windows[1].step * pixel, len(offsets),
        FILTER_HEADER, 4 + 3 * len(y_taps), x_begin, x_end, out_rows, x_end, x_end + len(offsets),
        tile_stride,
        *records, *offsets, *(i * filters for i in range(tile_rows + TILE_ROWS)),
    ]  # fmt: skip
    kernel = convolution_kernel("filter_gradient", dtype, panel=panel_columns(filters // groups, itemsize))
    work = images * out_rows * out_columns * size / pieces
    launches.append(Launch(kernel, args, pieces, serial_grain(work / 8)))
    return launches if pieces == 1 else [*launches, add_pieces_launch(parts, gw, pieces, dtype)]


def _row_block(window: Window, taps: list[int], row: int, rows: int, line: int, out_columns: int) -> list[int]:
    """The record of some rows for `convolution.filter_gradient`.

    Row, rows, first source row and source rows; for each tap where it meets the source, the first pixel and the rows.
    """
    first_row = max(0, row * window.step - window.before)
    end_row = min(window.size, row * window.step - window.before + (rows - 1) * window.step + window.extent)
    record = [row, rows, first_row, max(0, end_row - first_row)]
    for tap in taps:
        first, count, at = _seeing(window, tap, row, rows)
        record += [(at - first_row if count else 0) * line, first * out_columns, count]
    return record


def _seeing(window: Window, tap: int, pixel: int, pixels: int) -> Triple:
    """Which of some pixels see the image through a tap: the first, counted from `pixel`, their number, and where."""
    at = pixel * window.step - window.before + tap
    first = max(0, -(at // window.step))
    count = min(pixels, -((at - window.size) // window.step)) - first
    return (first, count, at + first * window.step) if count > 0 else (0, 0, 0)


def _pad_launch(
    x: Operand | Scratch, shape: Sequence[int], dtype: np.dtype, windows: tuple[Window, Window]
) -> tuple[Launch, Scratch]:
    """The launch that copies images with zeros around them, as far as the windows reach, and the copy."""
    images, height, width, channels = shape
    rows, columns = (window.length for window in windows)
    padded = Scratch(images * rows * columns * channels * dtype.itemsize, name="padded images")
    args = [
        x, padded, height, width * channels, windows[0].before, windows[1].before * channels, rows, columns * channels
    ]  # fmt: skip
    return Launch(
        convolution_kernel("pad_images", dtype), args, images * rows, serial_grain(columns * channels)
    ), padded


def _blocks(images: int, window: Window, columns: int, line_bytes: int, pixels: int) -> Triple:
    """Images a unit, rows a unit and units an image: several whole images, or some rows of one."""
    rows = window.pixels
    if rows * columns <= pixels and window.length * line_bytes <= WINDOW_BYTES:
        fitting = min(pixels // max(1, rows * columns), WINDOW_BYTES // max(1, window.length * line_bytes))
        return max(1, min(fitting, -(-images // MOST_PIECES))), max(1, rows), 1
    fitting = (WINDOW_BYTES // max(1, line_bytes) - window.extent) // window.step + 1
    units = -(-rows // max(1, min(rows, fitting, -(-pixels // max(1, columns)))))
    rows_per_unit = -(-rows // units)
    return 1, rows_per_unit, -(-rows // rows_per_unit)


def _fills_tiles(rows: int) -> bool:
    """Whether tiles of so many rows would be filled by four fifths."""
    return rows >= 0.8 * TILE_ROWS * -(-rows // TILE_ROWS)


def _window_rows(window: Window, rows: int) -> int:
    return (rows - 1) * window.step + window.extent


def _aligned(size: int, multiple: int = 64) -> int:
    return -(-size // multiple) * multiple
