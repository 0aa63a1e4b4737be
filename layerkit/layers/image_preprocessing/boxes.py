"""Random rectangles in images."""

from __future__ import annotations

from typing import Any

import numpy as np

from layerkit import ops, random
from layerkit.graph.tensor import Tensor
from layerkit.layers.image_preprocessing.base import Shape
from layerkit.ops.blocks import sized
from layerkit.ops.reduction import size_constant

Span = tuple[Tensor, Tensor]


def random_span(batch: int | None, size: int | None, share: Tensor, seed: Any) -> Span:
    """Where parts of a size begin and end, [N] each, at random: each a share [N] of it."""
    length = share * size_constant(float(size or 0), share.dtype)
    start = random.uniform((batch,), seed=seed) * (size_constant(float(size or 0), share.dtype) - length)
    return start, start + length


def boxes_mask(shape: Shape, across: Span, down: Span, height_axis: int, width_axis: int) -> Tensor:
    """Which pixels of images lie in a rectangle each, with one channel; bool."""
    inside = None
    for axis, (start, end) in ((height_axis, down), (width_axis, across)):
        places = np.arange(shape[axis] or 0).reshape([-1 if at - 4 == axis else 1 for at in range(4)])
        place = sized(places, start.dtype)
        start, end = (ops.reshape(one, (-1, 1, 1, 1)) for one in (start, end))
        found = ops.logical_and(place >= start, place < end)
        inside = found if inside is None else ops.logical_and(inside, found)
    return inside
