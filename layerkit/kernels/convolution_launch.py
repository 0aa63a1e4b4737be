"""Which launches make a convolution over NHWC images, with their units, windows and scratch. Free of Numba.

The input gradient is a correlation too: of the output's gradient with the transposed filters, one for each phase of
the input's grid that a stride tells apart (sub-pixel decomposition), so no multiplication by an inserted zero is made.
The filter gradient multiplies image by gradient over pieces of the batch, whose number depends on shapes only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from layerkit.kernels.launch import Kernel, Launch, Operand, Scratch, serial_grain

PANEL_BYTES = 128  # columns of packed filters that lie together: two vectors of 64 bytes
MOST_TILE_ROWS = 8  # and the least, of processors with 16 vector registers
LEAST_TILE_ROWS = 4
TILE_FIELDS = 7
WINDOW_BYTES = 256 * 1024  # of an image that a unit works on; with a panel of filters it stays in the L2 cache
UNIT_PIXELS = 512
BLOCK_PIXELS = 256  # of a gradient that all tiles of the filter gradient read before the next
MOST_PIECES = 16
PIECE_PIXELS = 512
REDUCE_ELEMENTS = 2048

Pair = tuple[int, int]
Padding = tuple[Pair, Pair]


@dataclass(frozen=True)
class Taps:
    """Some taps of a filter along an axis: `first + t * step` for t < count, which lie at `position + t * spacing`
    of a window of the image."""

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


@dataclass(frozen=True)
class Phase:
    """Output pixels (grid rows x columns, from element `out_offset`) that see the same taps."""

    grid: Pair
    taps: tuple[Taps, Taps]
    out_offset: int


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
    if activation not in (None, "relu"):
        raise ValueError(f"A convolution kernel applies no activation or 'relu', not {activation!r}.")
    if out.size == 0:
        return []
    _, _, depth, filters = w.shape
    windows = _forward_windows(x, w, out, strides, padding, dilation)
    taps = tuple(Taps(0, 1, w.shape[i], 0, dilation[i]) for i in (0, 1))
    layout = FilterLayout(
        (w.shape[1] * depth * filters, depth * filters, filters, 1), filters // groups, depth, filters // groups
    )
    phases = [Phase((out.shape[1], out.shape[2]), taps, 0)]
    return _correlation(x, w, out, windows, (1, 1), phases, layout, groups, bias, activation == "relu")


def conv_input_gradient_launches(
    g: Operand, w: Operand, gx: Operand, *, strides: Pair, padding: Padding, dilation: Pair, groups: int
) -> list[Launch]:
    """Gradient of `conv_launches` by x: from g [N, OH, OW, F] and w to gx [N, H, W, C], fully written."""
    if gx.size == 0:
        return []
    _, width, channels = gx.shape[1:]
    kernel_width, depth, filters = w.shape[1:]
    axes = [
        _gradient_axis(g.shape[i + 1], gx.shape[i + 1], w.shape[i], strides[i], padding[i][0], dilation[i])
        for i in (0, 1)
    ]
    phases = [
        Phase((rows, columns), (taps_y, taps_x), (y * width + x) * channels)
        for y, (rows, taps_y) in enumerate(axes[0][1])
        for x, (columns, taps_x) in enumerate(axes[1][1])
    ]
    layout = FilterLayout(
        (kernel_width * depth * filters, depth * filters, 1, filters), filters // groups, filters // groups, depth
    )
    return _correlation(g, w, gx, (axes[0][0], axes[1][0]), strides, phases, layout, groups, None, False)


def conv_filter_gradient_launches(
    x: Operand, g: Operand, gw: Operand, *, strides: Pair, padding: Padding, dilation: Pair, groups: int
) -> list[Launch]:
    """Gradient of `conv_launches` by w: from x and g [N, OH, OW, F] to gw [kh, kw, C / groups, F], fully written."""
    if gw.size == 0:
        return []
    images, out_rows, out_columns, filters = g.shape
    kernel_height, kernel_width, depth, _ = gw.shape
    itemsize = gw.dtype.itemsize
    windows = _forward_windows(x, gw, g, strides, padding, dilation)
    clipped = _fills_tiles(depth)
    window_width = windows[1].size if clipped else windows[1].length
    in_place = clipped and kernel_height * kernel_width == 1  # a copy would be read just once
    wide = _aligned(depth, MOST_TILE_ROWS) if clipped else depth
    images_per_block, rows_per_block, row_blocks = _blocks(
        images, windows[0], out_columns, window_width * wide * itemsize, BLOCK_PIXELS
    )
    blocks = -(-images // images_per_block) * row_blocks if g.size else 0
    if blocks == 0:
        return [_add_pieces(gw, gw, 0)]
    pieces = max(1, min(MOST_PIECES, blocks, images * out_rows * out_columns // PIECE_PIXELS))
    parts = gw if pieces == 1 else Scratch(pieces * gw.size * itemsize, name="filter gradient parts")
    table = 8 * (kernel_height * kernel_width * depth + 2 * MOST_TILE_ROWS)
    window_bytes = images_per_block * _window_rows(windows[0], rows_per_block) * window_width * wide * itemsize
    scratch, offsets = _worker_scratch(
        table, table, 0 if in_place else window_bytes, images_per_block * rows_per_block * out_columns * PANEL_BYTES
    )
    args = [
        x, g, parts, scratch, scratch.nbytes, *offsets, int(clipped),
        out_rows, out_columns, images, images_per_block, rows_per_block, row_blocks,
        *x.shape[1:], windows[0].step, windows[1].step, windows[0].before, windows[1].before, windows[0].extent,
        window_width, groups, depth, filters // groups,
        blocks, pieces, kernel_height, kernel_width, *dilation,
    ]  # fmt: skip
    kernel = _kernel("filter_gradient", gw, panel=_panel(filters // groups, itemsize))
    work = images * out_rows * out_columns * gw.size / pieces
    launches = [Launch(kernel, args, pieces, serial_grain(work / 8))]
    return launches if pieces == 1 else [*launches, _add_pieces(parts, gw, pieces)]


def _add_pieces(parts: Scratch | Operand, out: Operand, pieces: int) -> Launch:
    args = [parts, out, out.size, pieces, REDUCE_ELEMENTS]
    units = -(-out.size // REDUCE_ELEMENTS)
    return Launch(_kernel("add_pieces", out), args, units, serial_grain(REDUCE_ELEMENTS * (pieces + 1)))


def _forward_windows(
    x: Operand, w: Operand, out: Operand, strides: Pair, padding: Padding, dilation: Pair
) -> tuple[Window, Window]:
    y, x_axis = (
        Window(x.shape[i + 1], padding[i][0], (w.shape[i] - 1) * dilation[i] + 1, strides[i], out.shape[i + 1])
        for i in (0, 1)
    )
    return y, x_axis


def _gradient_axis(
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
    phases: list[Phase],
    layout: FilterLayout,
    groups: int,
    bias: Operand | None,
    relu: bool,
) -> list[Launch]:
    images, height, width, channels = source.shape
    itemsize = out.dtype.itemsize
    out_channels = out.shape[3]
    out_line, line = out.shape[2] * out_channels, width * channels
    panel = _panel(layout.columns, itemsize)
    pack, packed, offsets = _pack_launch(w, phases, layout, groups, bias, panel)
    y_axes = {phase.taps[0]: phase.grid[0] for phase in phases}
def _pack_launch(
    w: Operand, phases: list[Phase], layout: FilterLayout, groups: int, bias: Operand | None, panel: int
) -> tuple[Launch, Scratch, list[int]]:
    """The launch that packs filters, the memory that it fills, and the offset of each phase's panels in it."""
    panels = -(-layout.columns // panel)
    fields, offsets, at = [], [], 0
    for phase in phases:
        y, x = phase.taps
        fields += [y.first, y.step, y.count, x.first, x.step, x.count, at]
        offsets.append(at)
        at += groups * panels * (y.count * x.count * layout.depth + 1) * panel
    packed = Scratch(at * w.dtype.itemsize, name="packed filters")
    has_bias = int(bias is not None)
    args = [
        w, 0 if bias is None else bias, packed, *layout.strides, layout.group, groups, layout.depth, layout.columns,
        has_bias, *fields,
    ]  # fmt: skip
    units = len(phases) * groups * panels
    return Launch(_kernel("pack_filters", w, panel=panel), args, units, serial_grain(at / units)), packed, offsets


def _blocks(images: int, window: Window, columns: int, line_bytes: int, pixels: int) -> tuple[int, int, int]:
    """Images a unit, rows a unit and units an image: several whole images, or some rows of one."""
    rows = window.pixels
    if rows * columns <= pixels and window.length * line_bytes <= WINDOW_BYTES:
        fitting = min(pixels // max(1, rows * columns), WINDOW_BYTES // max(1, window.length * line_bytes))
        return max(1, min(fitting, -(-images // MOST_PIECES))), max(1, rows), 1
    fitting = (WINDOW_BYTES // max(1, line_bytes) - window.extent) // window.step + 1
    units = -(-rows // max(1, min(rows, fitting, -(-pixels // max(1, columns)))))
    rows_per_unit = -(-rows // units)
    return 1, rows_per_unit, -(-rows // rows_per_unit)


def _rows_per_unit(images: int, window: Window, line_bytes: int) -> int:
    """Rows of a unit of `MOST_TILE_ROWS` images: few enough to stay in the cache, and to make units for all threads."""
    fitting = (WINDOW_BYTES // max(1, line_bytes * MOST_TILE_ROWS) - window.extent) // window.step + 1
    units = -(-MOST_PIECES // -(-images // MOST_TILE_ROWS))
    return max(1, min(fitting, -(-window.pixels // units)))


def _fills_tiles(rows: int) -> bool:
    """Whether tiles of so many rows would be filled by four fifths."""
    return rows >= 0.8 * MOST_TILE_ROWS * -(-rows // MOST_TILE_ROWS)


def _window_rows(window: Window, rows: int) -> int:
    return (rows - 1) * window.step + window.extent


def _worker_scratch(*sizes: int) -> tuple[Scratch, list[int]]:
    """Memory of each worker for parts of so many bytes, and the offset of each but the first; 0 for an empty one."""
    offsets = [0]
    for size in sizes:
        offsets.append(offsets[-1] + _aligned(size))
    starts = [offset if size else 0 for offset, size in zip(offsets, sizes, strict=False)]
    return Scratch(offsets[-1], per_worker=True, name="convolution window"), starts[1:]


def _aligned(size: int, multiple: int = 64) -> int:
    return -(-size // multiple) * multiple


def _panel(columns: int, itemsize: int) -> int:
    """Columns of a panel: two vectors, or one where that holds all."""
    whole = PANEL_BYTES // itemsize
    return whole if columns > whole // 2 else whole // 2


def _kernel(function: str, operand: Operand, **constants: int) -> Kernel:
    return Kernel("convolution", function, (("dtype", operand.dtype.name), *constants.items()))
