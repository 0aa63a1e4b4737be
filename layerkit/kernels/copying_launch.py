"""Which kernels to launch for joining, padding and placing: boxes of memory copied or filled.

Source and target may have any strides, so what is joined may be a slice, and what is padded a transpose.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from layerkit.kernels.launch import Kernel, Launch, Operand, serial_grain

BLOCK = 4096  # elements of a unit: 16 KiB of float32, half of a first-level cache
OUTER_AXES = 3
SHORT_ROW = 16  # elements; below that a loop along the longest axis is faster, whatever its stride


def copy_launches(source: Operand, target: Operand) -> list[Launch]:
    """`target[...] = source[...]`, of one shape and dtype with any strides.

    Raises ValueError where shapes or dtypes differ.
    """
    if source.shape != target.shape or source.dtype != target.dtype:
        raise ValueError(
            f"{source.dtype.name}{list(source.shape)} cannot be copied to {target.dtype.name}{list(target.shape)}."
        )
    axes = list(zip(source.shape, source.strides, target.strides, strict=True))
    return _box_launches("copy_box", source, source, target, axes)


def fill_launches(target: Operand, value: float) -> list[Launch]:
    """`target[...] = value`, of any strides."""
    bits = int(np.asarray(value).astype(target.dtype).view(f"int{8 * target.dtype.itemsize}"))
    axes = [(n, 0, stride) for n, stride in zip(target.shape, target.strides, strict=True)]
    return _box_launches("fill_box", bits, None, target, axes)


def concatenate_launches(inputs: Sequence[Operand], out: Operand, axis: int) -> list[Launch]:
    """The inputs one after the other along an axis of out. Raises ValueError where the sizes do not fit."""
    launches, first = [], 0
    for x in inputs:
        launches += copy_launches(x, box_of(out, {axis: (first, x.shape[axis])}))
        first += x.shape[axis]
    if first != out.shape[axis]:
        raise ValueError(f"{first} elements along axis {axis} do not fill {out.dtype.name}{list(out.shape)}.")
    return launches


def stack_launches(inputs: Sequence[Operand], out: Operand, axis: int) -> list[Launch]:
    """The inputs along a new axis of out."""
    launches = []
    for at, x in enumerate(inputs):
        place = box_of(out, {axis: (at, 1)})
        shape, strides = _without(place.shape, axis), _without(place.strides, axis)
        launches += copy_launches(x, replace(place, shape=shape, strides=strides))
    return launches


def pad_launches(x: Operand, out: Operand, before: Sequence[int], value: float) -> list[Launch]:
    """A value everywhere in out but where x lies, `before` elements from the start of each axis."""
    launches, inside = [], {}
    for axis, (start, n) in enumerate(zip(before, x.shape, strict=True)):
        # The border at both ends of this axis, as long as x along the axes before it: every corner is filled once.
        end = start + n
        for first, count in ((0, start), (end, out.shape[axis] - end)):
            launches += fill_launches(box_of(out, {**inside, axis: (first, count)}), value)
        inside[axis] = (start, n)
    return launches + copy_launches(x, box_of(out, inside))


def place_launches(g: Operand, out: Operand, start: Sequence[int], step: Sequence[int]) -> list[Launch]:
    """Zeros in out, with g from `start` on at distances of `step`, which may be negative."""
    if all(one == 1 for one in step):
        return pad_launches(g, out, start, 0)
    offset = out.offset + sum(first * stride for first, stride in zip(start, out.strides, strict=True))
    strides = tuple(stride * one for stride, one in zip(out.strides, step, strict=True))
    return fill_launches(out, 0) + copy_launches(g, replace(out, shape=g.shape, strides=strides, offset=offset))


def box_of(operand: Operand, ranges: dict[int, tuple[int, int]]) -> Operand:
    """A part of an operand: for some axes the first element and the number of elements."""
    shape = tuple(ranges[axis][1] if axis in ranges else n for axis, n in enumerate(operand.shape))
    offset = operand.offset + sum(first * operand.strides[axis] for axis, (first, _) in ranges.items())
    return replace(operand, shape=shape, offset=offset)


def _box_launches(
    name: str, first: Operand | int, source: Operand | None, target: Operand, axes: list[tuple[int, int, int]]
) -> list[Launch]:
    if target.size == 0:
        return []
    kernel = Kernel("copying", name, (("width", target.dtype.itemsize),))
    axes = _merged(axes)
    axes = [(1, 0, 0)] * (OUTER_AXES + 2 - len(axes)) + axes
    more, outer = axes[: -OUTER_AXES - 2], axes[-OUTER_AXES - 2 : -2]
    rows, columns = axes[-2][0], axes[-1][0]
    column_block = columns if columns <= 2 * BLOCK else BLOCK
    row_block = max(1, BLOCK // column_block)
    units = math.prod(n for n, *_ in outer) * -(-rows // row_block) * -(-columns // column_block)
    grain = serial_grain(min(rows, row_block) * (column_block / 2 + 4))
    strides = [axis[which] for which in (1, 2) for axis in axes[-OUTER_AXES - 2 :]]
    sizes = [outer[1][0], outer[2][0], rows, columns, row_block, column_block]
    launches = []
    for place in itertools.product(*(range(n) for n, *_ in more)):
        moved = [sum(i * axis[which] for i, axis in zip(place, more, strict=True)) for which in (1, 2)]
        from_ = first if source is None else replace(source, offset=source.offset + moved[0])
        to = replace(target, offset=target.offset + moved[1])
        launches.append(Launch(kernel, (from_, to, *sizes, *strides), units, grain))
    return launches


def _merged(axes: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """The axes (size, stride of the source, stride of the target) with neighbours that walk as one made one."""
    merged: list[tuple[int, int, int]] = []
    for n, s, t in axes:
        if n == 1:
            continue
        if merged and merged[-1][1:] == (n * s, n * t):
            merged[-1] = (merged[-1][0] * n, s, t)
        else:
            merged.append((n, s, t))
    if merged and merged[-1][0] < SHORT_ROW:
        longest = max(range(len(merged)), key=lambda at: merged[at][0])
        merged.append(merged.pop(longest))
    return merged


def _without(sizes: tuple[int, ...], axis: int) -> tuple[int, ...]:
    return sizes[:axis] + sizes[axis + 1 :]
