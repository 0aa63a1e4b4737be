"""How much boxes overlap: intersection over union, alone and with the distance of centres and shapes."""

from __future__ import annotations

import math
from typing import Any

from layerkit import ops
from layerkit.config import epsilon
from layerkit.graph.operation import as_tensor
from layerkit.graph.tensor import Tensor
from layerkit.layers.image_preprocessing.bounding_boxes import convert_format

__all__ = ["compute_ciou", "compute_iou"]


def compute_iou(
    boxes1: Any,
    boxes2: Any,
    bounding_box_format: str,
    use_masking: bool = False,
    mask_val: float = -1,
    image_shape: tuple | None = None,
) -> Tensor:
    """The area that two boxes share, as a share of what they cover together, for each pair: [M, N] or [B, M, N].

    Args:
        boxes1: [M, 4] or [B, M, 4].
        boxes2: [N, 4] or [B, N, 4].
        bounding_box_format: see `convert_format`.
        use_masking: whether pairs with a box of only negative numbers (padding) get `mask_val`.
        mask_val: see `use_masking`.
        image_shape: (height, width, channels), for relative formats.

    Raises ValueError for boxes with another number of axes and without a needed shape.

    >>> compute_iou([[0, 0, 2, 2]], [[0, 0, 2, 1], [4, 4, 5, 5]], "xyxy").tolist()
    [[0.5, 0.0]]
    """
    boxes = [as_tensor(boxes1), as_tensor(boxes2)]
    for at, one in enumerate(boxes):
        if one.ndim not in (2, 3):
            raise ValueError(
                f"compute_iou() expects boxes{at + 1} of shape (N, 4) or (batch_size, N, 4), got {tuple(one.shape)}."
            )
    first, second = (_corners(one, bounding_box_format, image_shape) for one in boxes)
    left, top, right, bottom = (ops.expand_dims(x[..., 0], -1) for x in first)
    left2, top2, right2, bottom2 = (ops.expand_dims(x[..., 0], -2) for x in second)
    shared = _extent(left, right, left2, right2) * _extent(top, bottom, top2, bottom2)
    areas = (right - left) * (bottom - top) + (right2 - left2) * (bottom2 - top2)
    found = shared / (areas - shared + epsilon())
    if not use_masking:
        return found
    padding = ops.logical_or(
        ops.maximum(ops.maximum(left, top), ops.maximum(right, bottom)) < 0,
        ops.maximum(ops.maximum(left2, top2), ops.maximum(right2, bottom2)) < 0,
    )
    return ops.where(padding, ops.cast(mask_val, found.dtype), found)


def compute_ciou(boxes1: Any, boxes2: Any, bounding_box_format: str, image_shape: tuple | None = None) -> Tensor:
    """The complete intersection over union of boxes and their partners: less for distant centres and other shapes.

    Zheng et al., https://arxiv.org/abs/1911.08287.

    Args:
        boxes1: [..., 4].
        boxes2: [..., 4].
        bounding_box_format: see `convert_format`.
        image_shape: (height, width, channels), for relative formats.

    Raises ValueError without a needed shape.

    >>> round(compute_ciou([[0, 0, 2, 2]], [[1, 0, 3, 2]], "xyxy").numpy().item(), 4)
    0.2564
    """
    first, second = (_corners(as_tensor(one), bounding_box_format, image_shape) for one in (boxes1, boxes2))
    left, top, right, bottom = (x[..., 0] for x in first)
    left2, top2, right2, bottom2 = (x[..., 0] for x in second)
    width, width2 = right - left, right2 - left2
    height, height2 = bottom - top + epsilon(), bottom2 - top2 + epsilon()
    shared = _extent(left, right, left2, right2) * _extent(top, bottom, top2, bottom2)
    iou = shared / (width * height + width2 * height2 - shared + 2 * epsilon())
    around = (
        ops.square(ops.maximum(right, right2) - ops.minimum(left, left2))
        + ops.square(ops.maximum(bottom, bottom2) - ops.minimum(top, top2))
        + epsilon()
    )
    away = ops.square((left + right - left2 - right2) / 2) + ops.square((top + bottom - top2 - bottom2) / 2)
    other_shape = 4 / math.pi**2 * ops.square(ops.arctan(width2 / height2) - ops.arctan(width / height))
    weight = other_shape / (other_shape - iou + (1 + epsilon()))
    return iou - (away / around + other_shape * weight)


def _corners(boxes: Tensor, bounding_box_format: str, image_shape: tuple | None) -> list[Tensor]:
    """Left, top, right, bottom, [..., 1] each."""
    if "rel" in bounding_box_format and image_shape is None:
        raise ValueError(
            "When using relative bounding box formats (e.g. `rel_yxyx`) the `image_shape` argument must be provided. "
            f"Received `image_shape`: {image_shape}"
        )
    height, width = (None, None) if image_shape is None else image_shape[:2]
    return ops.split(convert_format(boxes, bounding_box_format, "xyxy", height, width), 4, axis=-1)


def _extent(start: Tensor, end: Tensor, start2: Tensor, end2: Tensor) -> Tensor:
    """The length that two spans share."""
    return ops.maximum(ops.minimum(end, end2) - ops.maximum(start, start2), 0)
