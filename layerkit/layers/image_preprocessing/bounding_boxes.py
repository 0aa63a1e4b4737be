"""Bounding boxes: their formats, and how they follow the pixels of images that are cut, moved and turned."""

from __future__ import annotations

import math
from typing import Any

from layerkit import ops
from layerkit.config import epsilon
from layerkit.dtypes import floatx, is_inexact
from layerkit.errors import ShapeError
from layerkit.graph.operation import as_tensor
from layerkit.graph.tensor import Tensor

__all__ = [
    "affine_transform", "clip_to_image_size", "convert_format", "crop", "decode_deltas_to_boxes",
    "encode_box_to_deltas", "pad",
]  # fmt: skip

SUPPORTED_FORMATS = (
    "xyxy", "yxyx", "xywh", "center_xywh", "center_yxhw", "rel_xyxy", "rel_yxyx", "rel_xywh", "rel_center_xywh",
)  # fmt: skip
DELTA_FORMATS = ("center_xywh", "center_yxhw")
NO_CLASS = -1
"""The label of a box that is none: padding, or one that has left the image."""


def convert_format(
    boxes: Any, source: str, target: str, height: Any = None, width: Any = None, dtype: str = "float32"
) -> Any:
    """Boxes in another format.

    Args:
        boxes: [..., 4], or a dictionary with such "boxes", of which the rest stays.
        source: their format: "xyxy" (left, top, right, bottom), "yxyx", "xywh" (left, top, width, height),
            "center_xywh", "center_yxhw", or "rel_" and one of the first four, for shares of the image's size.
        target: the wanted format.
        height: of the image; needed where one format is relative.
        width: of the image.
        dtype: of the result.

    Raises ValueError for other formats and without a needed size, ShapeError for other shapes.

    >>> convert_format([[10, 20, 30, 60]], "xyxy", "center_xywh").tolist()
    [[20.0, 40.0, 20.0, 40.0]]
    >>> convert_format([[10, 20, 30, 60]], "xyxy", "rel_yxyx", height=80, width=40).tolist()
    [[0.25, 0.25, 0.75, 0.75]]
    """
    if isinstance(boxes, dict):
        return {**boxes, "boxes": convert_format(boxes["boxes"], source, target, height, width, dtype)}
    boxes, source, target = as_tensor(boxes), source.lower(), target.lower()
    _require_four(boxes)
    unknown = [name for name in (source, target) if name not in SUPPORTED_FORMATS]
    if unknown:
        raise ValueError(f"convert_format: unknown format {unknown[0]!r}. Supported formats: {SUPPORTED_FORMATS}")
    relative = [name.startswith("rel_") for name in (source, target)]
    if any(relative) and (height is None or width is None):
        raise ValueError(
            "convert_format() must receive `height` and `width` transforming between relative and absolute formats. "
            f"Received source={source!r}, target={target!r}, height={height}, width={width}."
        )
    boxes = ops.cast(boxes, dtype)
    if source == target:
        return boxes
    corners = _corners(boxes, source.removeprefix("rel_"))
    if relative[0] != relative[1]:
        sizes = [ops.cast(size, dtype) for size in (width, height)] * 2
        corners = [x * size if relative[0] else x / size for x, size in zip(corners, sizes, strict=True)]
    return ops.concatenate(_from_corners(corners, target.removeprefix("rel_")), axis=-1)


def _require_four(boxes: Tensor) -> None:
    if not boxes.ndim or boxes.shape[-1] != 4:
        raise ShapeError(
            f"`boxes` must be a tensor with the last dimension of 4. Received: boxes.shape={tuple(boxes.shape)}"
        )


def _corners(boxes: Tensor, style: str) -> list[Tensor]:
    """Left, top, right, bottom, [..., 1] each."""
    a, b, c, d = ops.split(boxes, 4, axis=-1)
    if style == "xyxy":
        return [a, b, c, d]
    if style == "yxyx":
        return [b, a, d, c]
    if style == "xywh":
        return [a, b, a + c, b + d]
    x, y, width, height = (a, b, c, d) if style == "center_xywh" else (b, a, d, c)
    return [x - width / 2.0, y - height / 2.0, x + width / 2.0, y + height / 2.0]


def _from_corners(corners: list[Tensor], style: str) -> list[Tensor]:
    left, top, right, bottom = corners
    if style == "xyxy":
        return corners
    if style == "yxyx":
        return [top, left, bottom, right]
    width, height = right - left, bottom - top
    if style == "xywh":
        return [left, top, width, height]
    x, y = left + width / 2.0, top + height / 2.0
    return [x, y, width, height] if style == "center_xywh" else [y, x, height, width]


def clip_to_image_size(
    bounding_boxes: dict[str, Any], height: Any = None, width: Any = None, bounding_box_format: str = "xyxy"
) -> dict[str, Any]:
    """Boxes cut at the image's borders; what has no area left gets the label -1.

    Args:
        bounding_boxes: "boxes" [..., N, 4] and, if given, "labels" [..., N] or [..., N, C].
        height: of the image; needed for "xyxy".
        width: of the image.
        bounding_box_format: "xyxy" or "rel_xyxy".

    Raises NotImplementedError for other formats, ValueError without a needed size.

    >>> found = clip_to_image_size({"boxes": np.array([[-5, 2, 3, 9], [7, 1, 9, 2]]), "labels": np.array([4, 5])}, 8, 6)
    >>> found["boxes"].tolist(), found["labels"].tolist()
    ([[0, 2, 3, 8], [6, 1, 6, 2]], [4, -1])
    """
    if bounding_box_format not in ("xyxy", "rel_xyxy"):
        raise NotImplementedError(
            f"Boxes are clipped in the formats 'xyxy' and 'rel_xyxy', not {bounding_box_format!r}."
        )
    if bounding_box_format == "xyxy" and (height is None or width is None):
        raise ValueError("`height` and `width` must be set if `bounding_box_format='xyxy'`.")
    boxes = as_tensor(bounding_boxes["boxes"])
    _require_four(boxes)
    if bounding_box_format == "rel_xyxy":
        height = width = 1
    ends = [ops.cast(size, boxes.dtype) for size in (width, height)] * 2
    found = [ops.maximum(0, ops.minimum(x, end)) for x, end in zip(ops.split(boxes, 4, axis=-1), ends, strict=True)]
    clipped = {**bounding_boxes, "boxes": ops.concatenate(found, axis=-1)}
    if bounding_boxes.get("labels") is not None:
        labels = as_tensor(bounding_boxes["labels"])
        inside = (found[2] - found[0]) * (found[3] - found[1]) > 0
        inside = inside if labels.ndim == boxes.ndim else ops.squeeze(inside, axis=-1)
        clipped["labels"] = ops.where(inside, labels, NO_CLASS)
    return clipped


def affine_transform(
    boxes: Any,
    angle: Any,
    translate_x: Any,
    translate_y: Any,
    scale: Any,
    shear_x: Any,
    shear_y: Any,
    height: Any,
    width: Any,
    center_x: float | None = None,
    center_y: float | None = None,
    bounding_box_format: str = "xyxy",
) -> Tensor:
    """The boxes around what boxes of an image become where it is turned, moved, scaled and slanted.

    Args:
        boxes: [B, N, 4], or [N, 4] of one image.
        angle: in degrees, [B] or a number, as all that follow.
        translate_x: shares of the width less 1.
        translate_y: shares of the height less 1.
        scale: factors.
        shear_x: angles in degrees.
        shear_y: angles in degrees.
        height: of the images, a number.
        width: of the images.
        center_x: what is turned around, as a share of the width less 1; None: 0.5.
        center_y: the same of the height.
        bounding_box_format: "xyxy".

    Raises NotImplementedError for another format.

    >>> affine_transform(np.array([[1, 0, 2, 2]]), 0, 0.25, 0.5, 1, 0, 0, height=5, width=5).tolist()
    [[2.0, 2.0, 3.0, 4.0]]
    """
    _require_corners("affine_transform", bounding_box_format)
    boxes = as_tensor(boxes)
    _require_four(boxes)
    angle = as_tensor(angle)
    dtype = angle.dtype if is_inexact(angle.dtype) else floatx()
    given = (angle, translate_x, translate_y, scale, shear_x, shear_y)
    angle, translate_x, translate_y, scale, shear_x, shear_y = (_each(x, dtype) for x in given)
    across, down = (ops.cast(size, dtype) - 1 for size in (width, height))
    x, y = across * (0.5 if center_x is None else center_x), down * (0.5 if center_y is None else center_y)
    turn, slant_x, slant_y = (-degrees * (math.pi / 180) for degrees in (angle, shear_x, shear_y))
    a = ops.cos(turn - slant_y) / ops.cos(slant_y)
    b = a * ops.tan(slant_x) + ops.sin(turn)
    c = -ops.sin(turn - slant_y) / ops.cos(slant_y)
    d = ops.cos(turn) - c * ops.tan(slant_x)
    from_x, from_y = x - translate_x * across, y - translate_y * down
    a0, a1, b0, b1 = d * scale, -b * scale, -c * scale, a * scale
    rows = (a0, a1, x - a0 * from_x - a1 * from_y), (b0, b1, y - b0 * from_x - b1 * from_y)
    found = around_corners(ops.cast(boxes if boxes.ndim == 3 else boxes[None], dtype), *rows)
    return found if boxes.ndim == 3 else found[0]


def _each(x: Any, dtype: str) -> Tensor:
    """One number for each image, [B, 1], to stand next to the boxes of each."""
    return ops.reshape(ops.cast(x, dtype), (-1, 1))


def around_corners(boxes: Tensor, of_x: tuple, of_y: tuple, of_depth: tuple | None = None) -> Tensor:
    """The boxes [B, N, 4] around the four corners of boxes, each mapped by a projection.

    Args:
        boxes: left, top, right, bottom, [B, N, 4].
        of_x: what the column, the row and 1 are multiplied by for the new column: [B, 1] each.
        of_y: the same for the new row.
        of_depth: the same for what both are divided by; None: nothing.
    """
    left, top, right, bottom = (boxes[..., at] for at in range(4))
    places = [(left, top), (right, top), (right, bottom), (left, bottom)]
    mapped = []
    for x, y in places:
        found = [row[0] * x + row[1] * y + row[2] for row in (of_x, of_y)]
        if of_depth is not None:
            depth = of_depth[0] * x + of_depth[1] * y + of_depth[2]
            found = [one / depth for one in found]
        mapped.append(found)
    xs, ys = (ops.stack([found[at] for found in mapped], axis=-1) for at in range(2))
    ends = (ops.min(xs, axis=-1), ops.min(ys, axis=-1), ops.max(xs, axis=-1), ops.max(ys, axis=-1))
    return ops.stack(ends, axis=-1)


def carried(boxes: Tensor, transforms: Tensor) -> Tensor:
    """The boxes [B, N, 4] around where boxes come to in images that were transformed.

    Args:
        boxes: left, top, right, bottom, [B, N, 4].
        transforms: as those of `ops.image.affine_transform`, from a place of the result to one in the image, [B, 8].
    """
    a0, a1, a2, b0, b1, b2, c0, c1 = (transforms[:, at : at + 1] for at in range(8))
    # The adjugate: the inverse but for a factor, which falls out of a projection.
    return around_corners(
        boxes,
        (b1 - b2 * c1, a2 * c1 - a1, a1 * b2 - a2 * b1),
        (b2 * c0 - b0, a0 - a2 * c0, a2 * b0 - a0 * b2),
        (b0 * c1 - b1 * c0, a1 * c0 - a0 * c1, a0 * b1 - a1 * b0),
    )


def crop(boxes: Any, top: Any, left: Any, height: Any, width: Any, bounding_box_format: str = "xyxy") -> Tensor:
    """Boxes [..., 4] as seen in a part of the image, cut at its borders.

    Args:
        boxes: left, top, right, bottom.
        top: the part's first row.
        left: the part's first column.
        height: of the part.
        width: of the part.
        bounding_box_format: "xyxy".

    Raises NotImplementedError for another format.

    >>> crop(np.array([[10, 20, 50, 60]]), top=10, left=20, height=40, width=25).tolist()
    [[0, 10, 25, 40]]
    """
    _require_corners("crop", bounding_box_format)
    moved = _moved(boxes, -left, -top)
    return ops.concatenate(
        [ops.clip(x, 0, end) for x, end in zip(moved, (width, height, width, height), strict=True)], axis=-1
    )


def pad(
    boxes: Any, top: Any, left: Any, height: Any = None, width: Any = None, bounding_box_format: str = "xyxy"
) -> Tensor:
    """Boxes [..., 4] as seen in an image with rows and columns added before it.

    Args:
        boxes: left, top, right, bottom.
        top: how many rows.
        left: how many columns.
        height: accepted as Keras has it: nothing depends on it.
        width: accepted as Keras has it.
        bounding_box_format: "xyxy".

    Raises NotImplementedError for another format.

    >>> pad(np.array([[10, 20, 50, 60]]), top=1, left=2).tolist()
    [[12, 21, 52, 61]]
    """
    _require_corners("pad", bounding_box_format)
    return ops.concatenate(_moved(boxes, left, top), axis=-1)


def _require_corners(name: str, bounding_box_format: str) -> None:
    if bounding_box_format != "xyxy":
        raise NotImplementedError(
            f"{name} takes boxes in the format 'xyxy', got {bounding_box_format!r}: see `convert_format`."
        )


def _moved(boxes: Any, right: Any, down: Any) -> list[Tensor]:
    boxes = as_tensor(boxes)
    _require_four(boxes)
    return [x + move for x, move in zip(ops.split(boxes, 4, axis=-1), (right, down, right, down), strict=True)]


def encode_box_to_deltas(
    anchors: Any,
    boxes: Any,
    anchor_format: str,
    box_format: str,
    encoding_format: str = "center_yxhw",
    variance: Any = None,
    image_shape: tuple | None = None,
) -> Tensor:
    """How boxes differ from anchors: the centres' distance in anchor sizes, and the logarithms of the sizes' ratios.

    Args:
        anchors: [N, 4].
        boxes: [N, 4] or [B, N, 4].
        anchor_format: see `convert_format`.
        box_format: see `convert_format`.
        encoding_format: "center_yxhw" or "center_xywh", the order of the differences.
        variance: four numbers that the differences are divided by.
        image_shape: (height, width, channels), for relative formats.

    Raises ValueError for another encoding or variance.

    >>> encode_box_to_deltas([[0.0, 0, 4, 4]], [[2.0, 0, 6, 4]], "xyxy", "xyxy").tolist()
    [[0.0, 0.5, 0.0, 0.0]]
    """
    variance = _checked_deltas("encoding_format", encoding_format, variance)
    height, width = (None, None) if image_shape is None else image_shape[:2]
    anchors = convert_format(anchors, anchor_format, encoding_format, height, width)
    boxes = convert_format(boxes, box_format, encoding_format, height, width)
    anchor_sizes, sizes = (ops.maximum(one[..., 2:], epsilon()) for one in (anchors, boxes))
    away = (boxes[..., :2] - anchors[..., :2]) / anchor_sizes
    ratios = ops.log(sizes / anchor_sizes)
    deltas = ops.concatenate([away, ops.broadcast_to(ratios, away.shape)], axis=-1)
    return deltas if variance is None else deltas / variance


def decode_deltas_to_boxes(
    anchors: Any,
    boxes_delta: Any,
    anchor_format: str,
    box_format: str,
    encoded_format: str = "center_yxhw",
    variance: Any = None,
    image_shape: tuple | None = None,
) -> Any:
    """The boxes of differences from anchors: what `encode_box_to_deltas` does, undone.

    Args:
        anchors: [N, 4], or a dictionary of such.
        boxes_delta: [N, 4] or [B, N, 4], or a dictionary of such with the same keys.
        anchor_format: see `convert_format`.
        box_format: of the result.
        encoded_format: "center_yxhw" or "center_xywh", the order of the differences.
        variance: four numbers that the differences are multiplied by.
        image_shape: (height, width, channels), for relative formats.

    Raises ValueError for another encoding or variance.

    >>> decode_deltas_to_boxes([[0.0, 0, 4, 4]], np.array([[0.0, 0.5, 0.0, 0.0]]), "xyxy", "xyxy").tolist()
    [[2.0, 0.0, 6.0, 4.0]]
    """
    variance = _checked_deltas("encoded_format", encoded_format, variance)
    height, width = (None, None) if image_shape is None else image_shape[:2]

    def decoded(anchors: Any, deltas: Any) -> Tensor:
        anchors = convert_format(anchors, anchor_format, encoded_format, height, width)
        deltas = ops.cast(deltas, anchors.dtype)
        deltas = deltas if variance is None else deltas * variance
        centers = deltas[..., :2] * anchors[..., 2:] + anchors[..., :2]
        sizes = ops.exp(deltas[..., 2:]) * anchors[..., 2:]
        return convert_format(ops.concatenate([centers, sizes], axis=-1), encoded_format, box_format, height, width)

    if isinstance(anchors, dict) and isinstance(boxes_delta, dict):
        return {level: decoded(anchor, boxes_delta[level]) for level, anchor in anchors.items()}
    return decoded(anchors, boxes_delta)


def _checked_deltas(name: str, encoding: str, variance: Any) -> Tensor | None:
    if encoding not in DELTA_FORMATS:
        raise ValueError(f"`{name}` should be one of 'center_xywh' or 'center_yxhw', got {encoding!r}.")
    if variance is None:
        return None
    variance = ops.cast(variance, "float32")
    if variance.shape[-1:] != (4,):
        raise ValueError(f"`variance` must be length 4, got shape {tuple(variance.shape)}.")
    return variance


def as_bounding_boxes(bounding_boxes: Any) -> dict[str, Any]:
    """A dictionary of boxes for a layer: "boxes" in float32, "labels" in their dtype, and what else there is.

    Lists of images with different numbers of boxes are filled up with boxes of 0 and labels of -1.

    Raises ValueError where "boxes" or "labels" is missing, or where their numbers of axes do not fit.
    """
    if not isinstance(bounding_boxes, dict) or not {"boxes", "labels"} <= bounding_boxes.keys():
        raise ValueError(
            "Expected `bounding_boxes` to be a dict with keys 'boxes' and 'labels'. "
            f"Received: bounding_boxes={bounding_boxes}"
        )
    boxes, labels = bounding_boxes["boxes"], bounding_boxes["labels"]
    if isinstance(boxes, list):
        boxes, labels = _filled_up(boxes, labels)
    boxes, labels = ops.cast(boxes, "float32"), as_tensor(labels)
    if boxes.ndim not in (2, 3):
        raise ValueError(
            "Expected `bounding_boxes['boxes']` to have rank 2 or 3, with shape (num_boxes, 4) or "
            f"(batch_size, num_boxes, 4). Received: bounding_boxes['boxes'].shape={tuple(boxes.shape)}"
        )
    if labels.ndim not in (boxes.ndim - 1, boxes.ndim):
        raise ValueError(
            f"Found bounding_boxes['boxes'].shape={tuple(boxes.shape)} and expected bounding_boxes['labels'] to have "
            f"rank {boxes.ndim - 1} or {boxes.ndim}, but received: "
            f"bounding_boxes['labels'].shape={tuple(labels.shape)}"
        )
    return {**bounding_boxes, "boxes": boxes, "labels": labels}


def _filled_up(boxes: list, labels: Any) -> tuple[list, list]:
    if not isinstance(labels, list) or len(labels) != len(boxes):
        raise ValueError(
            "If `bounding_boxes['boxes']` is a list, `bounding_boxes['labels']` must be one of the same length. "
            f"Received: {len(boxes)} boxes, bounding_boxes['labels']={labels}"
        )
    if not boxes or not isinstance(boxes[0], list) or (boxes[0] and not isinstance(boxes[0][0], list)):
        return boxes, labels
    most = max(map(len, boxes))
    return (
        [[*one, *[[0.0] * 4] * (most - len(one))] for one in boxes],
        [[*one, *[NO_CLASS] * (most - len(one))] for one in labels],
    )
