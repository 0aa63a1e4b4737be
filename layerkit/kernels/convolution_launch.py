"""Which launches make a convolution over NHWC images, with their units, windows and scratch. Free of Numba.

The input gradient is a correlation too: of the output's gradient with the transposed filters, one for each phase of
the input's grid that a stride tells apart (sub-pixel decomposition), so no multiplication by an inserted zero is made.
The filter gradient is `convolution_filters_launch`'s.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from layerkit.kernels.launch import Kernel, Launch, Operand, Scratch, serial_grain

PANEL_BYTES = 128  # columns of packed filters that lie together: two vectors of 64 bytes
TILE_ROWS = 8  # of tiles; kernels for processors with 16 vector registers cut them in two
HEADER, PHASE_FIELDS = 17, 10  # of the arguments of `convolution.correlate`
WINDOW_BYTES = 256 * 1024  # of an image that a unit works on; with a panel of filters it stays in the L2 cache
MOST_PIECES = 16
PIECE_PIXELS = 512
REDUCE_ELEMENTS = 2048

Pair = tuple[int, int]
Triple = tuple[int, int, int]
Padding = tuple[Pair, Pair]


@dataclass(frozen=True)
class Taps:
    """Some taps of a filter along an axis: `first + t * step` for t < count.

    They lie at `position + t * spacing` of a window of the image.
    """

    first: int
    step: int
    count: int
    position: int
    spacing: int


@dataclass(frozen=True)
class Window:
    """What output pixels see of an image along an axis.

    The first pixel sees positions -before .. -before + extent - 1 of the image's `size`, each following one `step` on.
    """

    size: int
    before: int
    extent: int
    step: int
    pixels: int

    @property
    def length(self) -> int:
        """Positions that all pixels together see."""
        return max(0, self.pixels - 1) * self.step + self.extent

    @property
    def inside(self) -> bool:
        """Whether all of them lie in the image, from its start."""
        return self.before == 0 and self.length <= self.size


AxisPhases = Sequence[list[tuple[int, Taps]]]
"""For y and x: of each phase the number of output pixels and the taps that they see."""


@dataclass(frozen=True)
class FilterLayout:
    """Where a filter's elements lie for packing: strides of (tap y, tap x, depth, column) and of a group."""

    strides: tuple[int, int, int, int]
    group: int
    depth: int
    columns: int


def conv_launches(
    x: Operand,
    w: Operand,
    out: Operand,
    *,
    strides: Pair,
    padding: Padding,
    dilation: Pair,
    groups: int,
    bias: Operand | None = None,
    activation: str | None = None,
) -> list[Launch]:
    """Cross-correlation of x [N, H, W, C] with w [kh, kw, C / groups, F] into out [N, OH, OW, F].

    Args:
        x: images, float32 or float64, contiguous like every operand of a convolution.
        w: filters.
        out: the result, fully written.
        strides: steps of the window (y, x).
        padding: rows of zeros (top, bottom) and columns of zeros (left, right).
        dilation: distances of the taps (y, x).
        groups: channels and filters are cut into so many groups that do not mix.
        bias: [F], added to every pixel.
        activation: None or "relu", which leaves NaN as it is.

    Raises:
        ValueError: another activation is asked for.
    """
    check_activation(activation)
    if out.size == 0:
        return []
    _, _, depth, filters = w.shape
    windows = forward_windows(x, w.shape, out, strides, padding, dilation)
    taps = tuple(Taps(0, 1, w.shape[i], 0, dilation[i]) for i in (0, 1))
    layout = FilterLayout(
        (w.shape[1] * depth * filters, depth * filters, filters, 1), filters // groups, depth, filters // groups
    )
    phases = tuple([(out.shape[i + 1], taps[i])] for i in (0, 1))
    return _correlation(x, w, out, windows, (1, 1), phases, layout, groups, bias, activation == "relu")


def conv_input_gradient_launches(
    g: Operand, w: Operand, gx: Operand, *, strides: Pair, padding: Padding, dilation: Pair, groups: int
) -> list[Launch]:
    """Gradient of `conv_launches` by x: from g [N, OH, OW, F] and w to gx [N, H, W, C], fully written."""
    if gx.size == 0:
        return []
    kernel_width, depth, filters = w.shape[1:]
    windows, phases = zip(
        *(
            gradient_axis(g.shape[i + 1], gx.shape[i + 1], w.shape[i], strides[i], padding[i][0], dilation[i])
            for i in (0, 1)
        ),
        strict=True,
    )
    layout = FilterLayout(
        (kernel_width * depth * filters, depth * filters, 1, filters), filters // groups, filters // groups, depth
    )
    return _correlation(g, w, gx, windows, strides, phases, layout, groups, None, False)


def check_activation(activation: str | None) -> None:
    """Raise ValueError for an activation that the kernels do not apply."""
    if activation not in (None, "relu"):
        raise ValueError(f"A convolution kernel applies no activation or 'relu', not {activation!r}.")


def add_pieces_launch(parts: Scratch | Operand, out: Operand | Scratch, pieces: int, dtype: np.dtype) -> Launch:
    """The launch that adds the pieces of a sum in their order; no piece makes zeros."""
    size = out.nbytes // dtype.itemsize if isinstance(out, Scratch) else out.size
    units = -(-size // REDUCE_ELEMENTS)
    grain = serial_grain(REDUCE_ELEMENTS * (pieces + 1))
    return Launch(convolution_kernel("add_pieces", dtype), [parts, out, size, pieces, REDUCE_ELEMENTS], units, grain)


def forward_windows(
    x: Operand, taps: Sequence[int], out: Operand, strides: Pair, padding: Padding, dilation: Pair
) -> tuple[Window, Window]:
    """What output pixels see of the images, by rows and by columns."""
    rows, columns = (
        Window(x.shape[i + 1], padding[i][0], (taps[i] - 1) * dilation[i] + 1, strides[i], out.shape[i + 1])
        for i in (0, 1)
    )
    return rows, columns


def gradient_axis(
    g_size: int, size: int, kernel: int, stride: int, before: int, dilation: int
) -> tuple[Window, list[tuple[int, Taps]]]:
    """The window on g along an axis, and the pixels and taps of each phase (input position modulo stride).

    Input position p + i * stride got tap k of output position i + (p + before - k * dilation) / stride, where that
    is whole.
    """
    phases = range(min(stride, size))
    shifts = [
        {k: (p + before - k * dilation) // stride for k in range(kernel) if (p + before - k * dilation) % stride == 0}
        for p in phases
    ]
    every = [shift for phase in shifts for shift in phase.values()] or [0]
    first = min(every)
    step = stride // math.gcd(stride, dilation)
    spacing = dilation // math.gcd(stride, dilation)
    taps = [
        (
            -(-(size - p) // stride),
            Taps(max(found, default=0), -step, len(found), min(found.values(), default=first) - first, spacing),
        )
        for p, found in zip(phases, shifts, strict=True)
    ]
    return Window(g_size, -first, max(every) - first + 1, 1, -(-size // stride)), taps


def _correlation(
    source: Operand,
    w: Operand,
    out: Operand,
    windows: tuple[Window, Window],
    out_steps: Pair,
    phases: AxisPhases,
    layout: FilterLayout,
    groups: int,
    bias: Operand | None,
    relu: bool,
) -> list[Launch]:
    """The launches that pack the filters and correlate; phase (i, j) makes the pixels from (i, j) on in `out_steps`.

    A tile of the kernel is up to `TILE_ROWS` pixels that see the same taps: one pixel of as many images ("across"), or
    for a small batch a run of pixels of a row. Taps outside of the image are left out: padding costs nothing. Tables:
      of each y phase by rows: offset in the source, first tap, offset in `out`, taps;
      of each x phase by tiles: offset in the source, first tap's offset in the filters, offset in `out`, lengths of the
        two inner loops, pixels;
      offsets of a tile's pixels in `out`, then in the source for each number of pixels (the last is repeated).
    """
    images, height, width, channels = source.shape
    out_channels = out.shape[3]
    line, out_line = width * channels, out.shape[2] * out_channels
    image, out_image = height * line, out.shape[1] * out_line
    panel = panel_columns(layout.columns, out.dtype.itemsize)
    if _few_columns(w, layout, phases, out.dtype.itemsize):
        panel = 1
    runs = [tile_runs(windows[1], pixels, taps, TILE_ROWS) for pixels, taps in phases[1]]
    across = -(-images // TILE_ROWS) * sum(pixels for pixels, _ in phases[1]) < images * sum(map(len, runs))
    if across:
        runs = [tile_runs(windows[1], pixels, taps, 1) for pixels, taps in phases[1]]
    images_per_unit = TILE_ROWS if across else 1
    rows_per_unit = _rows_per_unit(images, images_per_unit, windows[0], line * out.dtype.itemsize)
    row_units = -(-windows[0].pixels // rows_per_unit)
    row_stride, out_row_stride = (
        (image, out_image) if across else (windows[1].step * channels, out_steps[1] * out_channels)
    )

    begin = HEADER + PHASE_FIELDS * len(phases[0]) * len(phases[1])
    records: list[int] = []
    spans: list[list[Pair]] = [[], []]
    for number, (pixels, taps) in enumerate(phases[0]):
        start = begin + len(records)
        for y in range(pixels):
            at, first, count = clip_taps(windows[0], taps, y)
            records += [at * line, first, (number + y * out_steps[0]) * out_line, count]
        spans[0].append((start, begin + len(records)))
    for number, (_, taps) in enumerate(phases[1]):
        start = begin + len(records)
        for x, length, (at, first, count) in runs[number]:
            # Neighbouring taps of all channels are one run of the image.
            loops = (1, count * channels) if taps.spacing == 1 and layout.depth == channels else (count, layout.depth)
            out_at = (number + x * out_steps[1]) * out_channels
            records += [at * channels, first * layout.depth * panel, out_at, *loops, TILE_ROWS if across else length]
        spans[1].append((start, begin + len(records)))
    tables = begin + len(records)
    records += [i * out_row_stride for i in range(TILE_ROWS)]
    records += [min(i, last) * row_stride for last in range(TILE_ROWS) for i in range(TILE_ROWS)]

    pack, packed, panels = _pack_launch(w, phases, layout, groups, bias, panel)
    args: list[int | Operand | Scratch] = [
        source, packed, out, images, images_per_unit, rows_per_unit, row_units, image, out_image,
        groups, layout.depth, layout.columns, int(relu), row_stride, out_row_stride, tables, len(panels),
    ]  # fmt: skip
    grid = [(i, j) for i in range(len(phases[0])) for j in range(len(phases[1]))]
    for (i, j), (offset, size) in zip(grid, panels, strict=True):
        y, x = phases[0][i][1], phases[1][j][1]
        args += [
            *spans[0][i], *spans[1][j], x.count * layout.depth * panel, offset, -(-layout.columns // panel), size,
            y.spacing * line, x.spacing * channels,
        ]  # fmt: skip
    units = -(-images // images_per_unit) * row_units
    work = source.size * w.size / groups / units
    return [
        pack,
        Launch(
            convolution_kernel("correlate", out.dtype, panel=panel), [*args, *records], units, serial_grain(work / 8)
        ),
    ]


def clip_taps(window: Window, taps: Taps, pixel: int) -> Triple:
    """The taps of a pixel inside of the image: where the first one lies, its number, and how many there are."""
    at = pixel * window.step - window.before + taps.position
    first = max(0, -(at // taps.spacing))
    count = min(taps.count, -((at - window.size) // taps.spacing)) - first
    return (at + first * taps.spacing, first, count) if count > 0 else (0, 0, 0)


def tile_runs(window: Window, pixels: int, taps: Taps, most: int) -> list[tuple[int, int, Triple]]:
    """Runs of at most `most` pixels that see the same taps: first pixel, length, and `clip_taps` of the first."""
    runs: list[tuple[int, int, Triple]] = []
    for pixel in range(pixels):
        clip = clip_taps(window, taps, pixel)
        if runs and runs[-1][1] < most and runs[-1][2][1:] == clip[1:]:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1, runs[-1][2])
        else:
            runs.append((pixel, 1, clip))
    return runs


def _pack_launch(
    w: Operand, phases: AxisPhases, layout: FilterLayout, groups: int, bias: Operand | None, panel: int
) -> tuple[Launch, Scratch, list[Pair]]:
    """The launch that packs filters, the memory that it fills, and each phase's offset and panel size in it."""
    panels = groups * -(-layout.columns // panel)
    fields, places, at = [], [], 0
    for _, y in phases[0]:
        for _, x in phases[1]:
            size = (y.count * x.count * layout.depth + 1) * panel
            fields += [y.first, y.step, y.count, x.first, x.step, x.count, at]
            places.append((at, size))
            at += panels * size
    packed = Scratch(at * w.dtype.itemsize, name="packed filters")
    args = [
        w, 0 if bias is None else bias, packed, *layout.strides, layout.group, groups, layout.depth, layout.columns,
        int(bias is not None), *fields,
    ]  # fmt: skip
    units = len(places) * panels
    return (
        Launch(convolution_kernel("pack_filters", w.dtype, panel=panel), args, units, serial_grain(at / units)),
        packed,
        places,
    )


def _rows_per_unit(images: int, images_per_unit: int, window: Window, line_bytes: int) -> int:
    """Rows of a unit: few enough to stay in the cache, and to make units for all threads."""
    fitting = (WINDOW_BYTES // max(1, line_bytes * images_per_unit) - window.extent) // window.step + 1
    units = -(-MOST_PIECES // -(-images // images_per_unit))
    return max(1, min(fitting, -(-window.pixels // units)))


def _few_columns(w: Operand, layout: FilterLayout, phases: AxisPhases, itemsize: int) -> bool:
    """Whether panels of one column, with the depth in the lanes, take fewer cycles for a pixel than whole panels.

    A vector of the depth was measured to take 2 cycles (0.6, were the images in the L1 cache) and a sum over lanes 4.5;
    a row of a panel with one vector of columns takes half a cycle. So it is for one to three filters.
    """
    lanes = PANEL_BYTES // 2 // itemsize
    taps_y, taps_x = (w.shape[i] / max(1, len(phases[i])) for i in (0, 1))
    vectors = taps_y * math.ceil(taps_x * layout.depth / lanes)
    return layout.columns * (2 * vectors + 4.5) < 0.5 * taps_y * taps_x * layout.depth


def panel_columns(columns: int, itemsize: int) -> int:
    """Columns of a panel: two vectors, or one where that holds all."""
    whole = PANEL_BYTES // itemsize
    return whole if columns > whole // 2 else whole // 2


def convolution_kernel(function: str, dtype: np.dtype, **constants: int) -> Kernel:
    return Kernel("convolution", function, (("dtype", dtype.name), *constants.items()))
