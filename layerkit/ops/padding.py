"""Padding: values before and after each axis, constant ones or made of the tensor's own."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from layerkit.dtypes import is_float, is_int
from layerkit.errors import ShapeError
from layerkit.graph.operation import as_tensor
from layerkit.graph.tensor import Tensor
from layerkit.ops.blocks import take_block
from layerkit.ops.elementwise import cast, floor
from layerkit.ops.elementwise import round as nearest_whole
from layerkit.ops.neural import as_float
from layerkit.ops.quantiles import median
from layerkit.ops.reduction import max as reduce_max
from layerkit.ops.reduction import mean
from layerkit.ops.reduction import min as reduce_min
from layerkit.ops.shape import GetItem, Pad, broadcast_to, concatenate

__all__ = ["pad"]

Widths = tuple[tuple[int, int], ...]

_REPEATING = {mode: mode for mode in ("edge", "reflect", "symmetric", "wrap")} | {"circular": "wrap"}
"""Modes that repeat elements, by NumPy's names."""
_STATISTICS: dict[str, Callable[..., Tensor]] = {
    "maximum": reduce_max,
    "mean": mean,
    "median": median,
    "minimum": reduce_min,
}
MODES = ("constant", "empty", "linear_ramp", *_REPEATING, *_STATISTICS)


def pad(x: object, pad_width: object, mode: str = "constant", constant_values: float | None = None) -> Tensor:
    """Values before and after each axis.

    Args:
        x: any shape and dtype.
        pad_width: how many: a number, (before, after), or such a pair for each axis.
        mode: "constant"; of the elements themselves "edge" (the outer one), "reflect" (mirrored at the outer one),
            "symmetric" (mirrored at its edge), "wrap" and "circular" (from the other end); of all along the axis
            "maximum", "mean", "median", "minimum"; "linear_ramp" (down to 0); "empty" (here zeros).
        constant_values: the value of "constant", 0 where it is not given.

    Raises ValueError for an unknown mode, or constant values in another mode; ShapeError for other pad widths.

    >>> pad([1, 2, 3], 2, mode="reflect").tolist()
    [3, 2, 1, 2, 3, 2, 1]
    """
    x = as_tensor(x)
    if mode not in MODES:
        raise ValueError(f"ops.pad: mode is one of {', '.join(map(repr, MODES))}; got {mode!r}.")
    if constant_values is not None and mode != "constant":
        raise ValueError(f"ops.pad takes constant_values in mode 'constant' only; got mode={mode!r}.")
    widths = _widths(pad_width, x.ndim)
    if mode in ("constant", "empty"):
        return Pad(widths, constant_values or 0)(x)
    if None in x.shape:
        sizes = (None if n is None else n + sum(pair) for n, pair in zip(x.shape, widths, strict=True))
        return Tensor(tuple(sizes), x.dtype)  # a shape is all that a symbolic call with unknown sizes is asked for
    empty = [axis for axis, n in enumerate(x.shape) if n == 0 and widths[axis] != (0, 0)]
    if empty:
        raise ShapeError(f"ops.pad: mode {mode!r} has no element to take along axis {empty[0]} of shape {x.shape}.")
    if mode in _REPEATING:
        return _repeated(x, widths, _REPEATING[mode])
    for axis, (before, after) in enumerate(widths):
        if (before, after) != (0, 0):
            x = _ramped(x, axis, before, after) if mode == "linear_ramp" else _filled(x, axis, before, after, mode)
    return x


def _widths(pad_width: object, rank: int) -> Widths:
    try:
        pairs = np.broadcast_to(np.asarray(pad_width), (rank, 2))
    except ValueError:
        pairs = None
    if pairs is None or pairs.dtype.kind not in "iu" or (pairs < 0).any():
        raise ShapeError(
            f"ops.pad: pad_width is a number, a pair, or a pair for each of the {rank} axes, none negative; "
            f"got {pad_width!r}."
        )
    return tuple((int(before), int(after)) for before, after in pairs)


def _repeated(x: Tensor, widths: Widths, mode: str) -> Tensor:
    padded = [axis for axis, pair in enumerate(widths) if pair != (0, 0)]
    if not padded or not x.size:
        return Pad(widths)(x) if padded else x
    axis, end = padded[0], padded[-1] + 1
    block = x.shape[axis:end]
    numbers = np.pad(np.arange(np.prod(block, dtype=np.int64)).reshape(block), widths[axis:end], mode=mode)
    return take_block(x, axis, end, numbers)


def _filled(x: Tensor, axis: int, before: int, after: int, mode: str) -> Tensor:
    value = _STATISTICS[mode](x, axis, keepdims=True)
    if is_int(x.dtype) and is_float(value.dtype):
        value = nearest_whole(value)
    return _between(cast(value, x.dtype), x, cast(value, x.dtype), axis, before, after)


def _ramped(x: Tensor, axis: int, before: int, after: int) -> Tensor:
    def ramp(edge: Tensor, count: int, backwards: bool) -> Tensor:
        steps = np.arange(count).reshape([-1 if at == axis else 1 for at in range(x.ndim)]) / max(count, 1)
        steps = np.flip(steps, axis) if backwards else steps
        line = as_float(edge) * Tensor.of(np.ascontiguousarray(steps, as_float(edge).dtype))
        return cast(floor(line) if is_int(x.dtype) else line, x.dtype)

    first, last = (GetItem.at(x, (slice(None),) * axis + (slice(at, at + 1),)) for at in (0, x.shape[axis] - 1))
    return _between(ramp(first, before, False), x, ramp(last, after, True), axis, before, after)


def _between(first: Tensor, x: Tensor, last: Tensor, axis: int, before: int, after: int) -> Tensor:
    """X with so many of the first before it and of the last after it; both broadcast along the axis."""

    def shape(count: int) -> tuple[int, ...]:
        return tuple(count if at == axis else n for at, n in enumerate(x.shape))

    parts = [(before, first), (after, last)]
    made = [broadcast_to(part, shape(count)) if count else None for count, part in parts]
    return concatenate([part for part in (made[0], x, made[1]) if part is not None], axis)
