"""Which launches make a convolution over NHWC images, with their units, windows and scratch. Free of Numba.

The input gradient is a correlation too: of the output's gradient with the transposed filters, one for each phase of
the input's grid that a stride tells apart (sub-pixel decomposition), so no multiplication by an inserted zero is made.
The filter gradient multiplies image by gradient over pieces of the batch, whose number depends on shapes only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from layerkit.kernels.launch import Kernel, Launch, Operand, Scratch, serial_grain

PANEL_BYTES = 128
MOST_TILE_ROWS = 8
WINDOW_BYTES = 256 * 1024
UNIT_PIXELS = 512
MOST_PIECES = 16
PIECE_PIXELS = 512
BLOCK_PIXELS = 256
REDUCE_ELEMENTS = 2048

Pair = tuple[int, int]
Padding = tuple[Pair, Pair]


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
    """Cross-correlation of x [N, H, W, C] with w [kh, kw, C / groups, F] into out [N, OH, OW, F]; zero padding.

    Args:
        x: images, float32 or float64, contiguous like every operand here.
        w: filters.
        out: the result, fully written.
        strides: steps of the window (y, x).
        padding: rows of zeros (top, bottom) and columns of zeros (left, right).
        dilation: distance of the taps (y, x).
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
    kernel_height, kernel_width, depth, filters = w.shape
    axes = [
        _Axis(step=strides[i], low=padding[i][0], extent=_extent(w.shape[i], dilation[i])) for i in (0, 1)
    ]
    phase = _Phase(out.shape[1:3], _Taps(0, 1, kernel_height, 0, dilation[0]), _Taps(0, 1, kernel_width, 0, dilation[1]))
    packing = _Packing(
        strides=(kernel_width * depth * filters, depth * filters, filters, 1), group=filters // groups, depth=depth,
        columns=filters // groups,
    )  # fmt: skip
    return _correlation(x, w, out, (filters,) * 2, axes, [phase], packing, groups, bias, activation == "relu")
