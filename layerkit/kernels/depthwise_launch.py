"""Which launches make a depthwise convolution over NHWC images. Free of Numba.

Several filters a channel are one filter a channel of an image whose channels are repeated.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from layerkit.kernels.convolution_launch import (
    MOST_PIECES,
    PIECE_PIXELS,
    TILE_ROWS,
    AxisPhases,
    Padding,
    Pair,
    Taps,
    Triple,
    Window,
    add_pieces_launch,
    check_activation,
    clip_taps,
    forward_windows,
    gradient_axis,
    tile_runs,
)
from layerkit.kernels.launch import Kernel, Launch, Operand, Scratch, serial_grain

HEADER, PHASE_FIELDS = 13, 9  # of the arguments of `depthwise.depthwise`
TILE_TAPS = 9  # of a tile of the filter gradient, at most
GRADIENT_HEADER = 21  # of the arguments of `depthwise.depthwise_filter_gradient`


def depthwise_launches(
    x: Operand,
    w: Operand,
    out: Operand,
    *,
    strides: Pair,
    padding: Padding,
    dilation: Pair,
    bias: Operand | None = None,
    activation: str | None = None,
) -> list[Launch]:
    """Cross-correlation of x [N, H, W, C] with w [kh, kw, C, D] into out [N, OH, OW, C * D], channel by channel.

    Output channel c * D + d is input channel c seen through w[:, :, c, d]. The arguments are those of
    `convolution_launch.conv_launches`.

    Raises:
        ValueError: another activation than None or "relu" is asked for.
    """
    check_activation(activation)
    if out.size == 0:
        return []
    windows = forward_windows(x, w.shape, out, strides, padding, dilation)
    phases = tuple([(out.shape[i + 1], Taps(0, 1, w.shape[i], 0, dilation[i]))] for i in (0, 1))
    launches, source = _repeated(x, w.shape[3])
    relu = activation == "relu"
    return [*launches, _depthwise(source, x.shape, w, out, out.shape, windows, (1, 1), phases, bias, relu)]


def depthwise_input_gradient_launches(
    g: Operand, w: Operand, gx: Operand, *, strides: Pair, padding: Padding, dilation: Pair
) -> list[Launch]:
    """Gradient of `depthwise_launches` by x: from g [N, OH, OW, C * D] and w to gx [N, H, W, C], fully written."""
    if gx.size == 0:
        return []
    windows, phases = zip(
        *(
            gradient_axis(g.shape[i + 1], gx.shape[i + 1], w.shape[i], strides[i], padding[i][0], dilation[i])
            for i in (0, 1)
        ),
        strict=True,
    )
    times = w.shape[3]
    if times == 1:
        return [_depthwise(g, g.shape, w, gx, gx.shape, windows, strides, phases, None, False)]
    if times == 0:
        return [add_pieces_launch(gx, gx, 0, gx.dtype)]
    shape = (*gx.shape[:3], g.shape[3])
    wide = Scratch(gx.size * times * gx.dtype.itemsize, name="gradient by repeated channels")
    return [
        _depthwise(g, g.shape, w, wide, shape, windows, strides, phases, None, False),
        Launch(_kernel("sum_channels", gx.dtype), [wide, gx, times], gx.size, serial_grain(times + 1)),
    ]


def depthwise_filter_gradient_launches(
    x: Operand, g: Operand, gw: Operand, *, strides: Pair, padding: Padding, dilation: Pair
) -> list[Launch]:
    """Gradient of `depthwise_launches` by w: from x and g [N, OH, OW, C * D] to gw [kh, kw, C, D], fully written."""
    if gw.size == 0:
        return []
    if g.size == 0:
        return [add_pieces_launch(gw, gw, 0, gw.dtype)]
    images, out_rows, out_columns, channels = g.shape
    kernel_height, kernel_width = gw.shape[:2]
    windows = forward_windows(x, gw.shape, g, strides, padding, dilation)
    launches, source = _repeated(x, gw.shape[3])
    height, width = x.shape[1:3]
    line, image = width * channels, height * width * channels
    padding: list[int | Scratch] = [0] * 7
    if not (windows[0].inside and windows[1].inside):
        rows, padded_line = windows[0].length, windows[1].length * channels
        # A cache line more than the image, so that no two workers write to one.
        scratch = Scratch(rows * padded_line * x.dtype.itemsize + 64, per_worker=True, name="padded image")
        top, before = windows[0].before, windows[1].before * channels
        lines, elements = max(0, min(height, rows - top)), max(0, min(line, padded_line - before))
        padding = [scratch, scratch.nbytes, top * padded_line + before, lines, elements, line, padded_line]
        line = padded_line
    pieces = max(1, min(MOST_PIECES, images, images * out_rows * out_columns // PIECE_PIXELS))
    parts = gw if pieces == 1 else Scratch(pieces * gw.size * gw.dtype.itemsize, name="filter gradient parts")
    offsets = [
        y * dilation[0] * line + column * dilation[1] * channels
        for y in range(kernel_height)
        for column in range(kernel_width)
    ]
    taps = len(offsets)
    offsets += offsets[-1:] * TILE_TAPS
    args = [
        source, g, parts, images, pieces, taps, channels, image, out_rows, out_columns,
        strides[0] * line, strides[1] * channels, GRADIENT_HEADER, GRADIENT_HEADER + len(offsets), *padding,
        *offsets, *(i * channels for i in range(taps + TILE_TAPS)),
    ]  # fmt: skip
    grain = serial_grain(g.size * taps / 8 / pieces)
    launches.append(Launch(_kernel("depthwise_filter_gradient", gw.dtype), args, pieces, grain))
    return launches if pieces == 1 else [*launches, add_pieces_launch(parts, gw, pieces, gw.dtype)]


def _repeated(x: Operand, times: int) -> tuple[list[Launch], Operand | Scratch]:
    """The launches that repeat each channel, and their result."""
    if times == 1:
        return [], x
    wide = Scratch(x.size * times * x.dtype.itemsize, name="repeated channels")
    return [Launch(_kernel("repeat_channels", x.dtype), [x, wide, times], x.size, serial_grain(times + 1))], wide


def _depthwise(
    source: Operand | Scratch,
    shape: tuple[int, ...],
    w: Operand,
    out: Operand | Scratch,
    out_shape: tuple[int, ...],
    windows: tuple[Window, Window],
    out_steps: Pair,
    phases: AxisPhases,
    bias: Operand | None,
    relu: bool,
) -> Launch:
    """The launch of `depthwise.depthwise`; phase (i, j) makes the pixels from (i, j) on in `out_steps`.

    A tile is a run of up to `TILE_ROWS` pixels of a row that see the same taps. The tables in the arguments are
      a row of each y phase: offset in the source, first tap, offset in `out`, taps;
      a run of each x phase: the same and the number of pixels;
      offsets of a tile's pixels in `out`, then in the source for each number of pixels (the last is repeated).
    """
    images, height, width, _ = shape
    channels = out_shape[3]
    line, out_line = width * channels, out_shape[2] * channels
    begin = HEADER + PHASE_FIELDS * len(phases[0]) * len(phases[1])
    records: list[int] = []
    spans: list[list[Pair]] = [[], []]
    for number, (pixels, taps) in enumerate(phases[0]):
        start = begin + len(records)
        for y in range(pixels):
            at, first, count = clip_taps(windows[0], taps, y)
            records += [at * line, first, (number + y * out_steps[0]) * out_line, count]
        spans[0].append((start, begin + len(records)))
    for number, (pixels, taps) in enumerate(phases[1]):
        start = begin + len(records)
        for x, length, (at, first, count) in _whole_tiles(
            tile_runs(windows[1], pixels, taps, TILE_ROWS), windows[1].step
        ):
            records += [at * channels, first, (number + x * out_steps[1]) * channels, count, length]
        spans[1].append((start, begin + len(records)))
    tables = begin + len(records)
    pixel, out_pixel = windows[1].step * channels, out_steps[1] * channels
    records += [i * out_pixel for i in range(TILE_ROWS)]
    records += [min(i, last) * pixel for last in range(TILE_ROWS) for i in range(TILE_ROWS)]
    rows = windows[0].pixels
    args: list[int | Operand | Scratch] = [
        source, w, out, 0 if bias is None else bias, channels, rows, height * line, out_shape[1] * out_line, int(relu),
        pixel, out_pixel, tables, len(phases[0]) * len(phases[1]),
    ]  # fmt: skip
    kernel_width = w.shape[1]
    for (_, y), y_span in zip(phases[0], spans[0], strict=True):
        for (_, x), x_span in zip(phases[1], spans[1], strict=True):
            args += [
                *y_span, *x_span, (y.first * kernel_width + x.first) * channels,
                y.spacing * line, y.step * kernel_width * channels, x.spacing * channels, x.step * channels,
            ]  # fmt: skip
    units = images * rows
    work = images * out_shape[1] * out_line * w.shape[0] * kernel_width / 8 / units
    return Launch(_kernel("depthwise", w.dtype), [*args, *records], units, serial_grain(work))


def _whole_tiles(runs: Sequence[tuple[int, int, Triple]], step: int) -> list[tuple[int, int, Triple]]:
    """The tiles with a small one moved over its forerunner's pixels, where that sees the same taps.

    A whole tile shares what it loads and is faster for it; pixels that two tiles compute come out the same.
    """
    tiles: list[tuple[int, int, Triple]] = []
    for x, length, (at, first, count) in runs:
        back = TILE_ROWS - length
        if back and tiles and tiles[-1][:2] == (x - TILE_ROWS, TILE_ROWS) and tiles[-1][2][1:] == (first, count):
            x, length, at = x - back, TILE_ROWS, at - back * step
        tiles.append((x, length, (at, first, count)))
    return tiles


def _kernel(function: str, dtype: np.dtype) -> Kernel:
    return Kernel("depthwise", function, (("dtype", dtype.name),))
