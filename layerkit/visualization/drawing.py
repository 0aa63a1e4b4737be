"""Bounding boxes and segmentation masks drawn into images, by NumPy; letters by Pillow (the extra `visualization`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from layerkit.config import standardize_data_format
from layerkit.errors import ShapeError
from layerkit.utils.bounding_boxes import convert_format
from layerkit.utils.extras import optional_module

Colour = Sequence[int]
LETTERS = 22
"""How many rows letters have at a font scale of 1."""


def images_last(images: Any, data_format: str | None) -> np.ndarray:
    """Images [N, H, W, C] as an array, of either data format. Raises ShapeError unless they have four axes."""
    images = np.asarray(images)
    if images.ndim != 4:
        raise ShapeError(f"`images` must be batched 4D tensor. Received: images.shape={images.shape}")
    return np.moveaxis(images, 1, -1) if standardize_data_format(data_format) == "channels_first" else images


def draw_bounding_boxes(
    images: Any,
    bounding_boxes: Mapping[str, Any],
    bounding_box_format: str,
    class_mapping: Mapping[int, str] | None = None,
    color: Colour = (128, 128, 128),
    line_thickness: int = 2,
    text_thickness: int = 1,
    font_scale: float = 1.0,
    data_format: str | None = None,
) -> np.ndarray:
    """Images with the frames of boxes, and the names of their classes.

    Args:
        images: [N, H, W, C]; floats are from 0 to 1 if none is larger, else from 0 to 255.
        bounding_boxes: "boxes" [N, M, 4], "labels" [N, M], where -1 is no box, and perhaps "confidences" [N, M].
        bounding_box_format: of the boxes, see `utils.bounding_boxes.convert_format`.
        class_mapping: label -> the name to write; for this Pillow is needed (the extra `visualization`).
        color: of frames and names, a number for each channel.
        line_thickness: of frames, in pixels.
        text_thickness: of letters; 0 or None: as the frames'.
        font_scale: how large letters are.
        data_format: where the channels are; None: as `layerkit.config` says.

    Returns:
        uint8 of the images' shape.

    Raises ShapeError for images without four axes, TypeError and ValueError for what are no boxes, ImportError where
    names are to be written without Pillow.

    >>> boxes = {"boxes": np.array([[[1, 1, 3, 3]]]), "labels": np.array([[0]])}
    >>> draw_bounding_boxes(np.zeros((1, 4, 5, 1)), boxes, "xyxy", color=(9,), line_thickness=1)[0, ..., 0].tolist()
    [[0, 0, 0, 0, 0], [0, 9, 9, 9, 0], [0, 9, 0, 9, 0], [0, 9, 9, 9, 0]]
    """
    drawn = images_last(images, data_format)
    if not isinstance(bounding_boxes, Mapping):
        raise TypeError(f"`bounding_boxes` should be a dict. Received: {bounding_boxes} of type {type(bounding_boxes)}")
    if not {"boxes", "labels"} <= bounding_boxes.keys():
        raise ValueError(
            f"`bounding_boxes` should be a dict containing 'boxes' and 'labels' keys. Received: {bounding_boxes}"
        )
    if line_thickness < 1:
        raise ValueError(f"`line_thickness` must be at least 1, got {line_thickness}.")
    height, width = drawn.shape[1:3]
    corners = np.asarray(convert_format(bounding_boxes["boxes"], bounding_box_format, "xyxy", height, width))
    labels, confidences = np.asarray(bounding_boxes["labels"]), bounding_boxes.get("confidences")
    drawn = _as_bytes(drawn)
    paint = np.array(color[: drawn.shape[-1]], "uint8")
    for at, image in enumerate(drawn):
        for number, (box, label) in enumerate(zip(corners[at].astype(int), labels[at].astype(int), strict=True)):
            if label == -1:
                continue
            _frame(image, box, line_thickness, paint)
            name = (class_mapping or {}).get(int(label))
            if name is not None:
                text = name if confidences is None else f"{name} | {float(np.asarray(confidences)[at][number]):.2f}"
                _write(image, text, box[:2], text_thickness or line_thickness, font_scale, paint)
    return np.moveaxis(drawn, -1, 1) if standardize_data_format(data_format) == "channels_first" else drawn


def _as_bytes(images: np.ndarray) -> np.ndarray:
    """A copy in uint8."""
    if images.dtype.kind == "f" and images.size:
        images = np.clip(images, 0, 1) * 255 if images.max() <= 1 else np.clip(images, 0, 255)
    return images.astype("uint8")


def _frame(image: np.ndarray, box: np.ndarray, thickness: int, paint: np.ndarray) -> None:
    """Lines whose middle is at the box's first and last rows and columns."""
    left, top, right, bottom = (int(place) - (thickness - 1) // 2 for place in box)
    rows = slice(max(top, 0), max(bottom + thickness, 0))
    columns = slice(max(left, 0), max(right + thickness, 0))
    for place in (top, bottom):
        image[max(place, 0) : max(place + thickness, 0), columns] = paint
    for place in (left, right):
        image[rows, max(place, 0) : max(place + thickness, 0)] = paint


def _write(image: np.ndarray, text: str, place: np.ndarray, thickness: int, scale: float, paint: np.ndarray) -> None:
    """Letters above a box's upper left corner; inside where there is no room."""
    inked = _letters(text, thickness, scale)
    left, bottom = int(place[0]), int(place[1]) - 8
    if bottom - len(inked) < 0:
        left, bottom = left + 3, int(place[1]) + len(inked) + thickness + 3
    top = bottom - len(inked)
    inked = inked[max(-top, 0) :, max(-left, 0) :]
    part = image[max(top, 0) : max(bottom, 0), max(left, 0) :]
    inked = inked[: part.shape[0], : part.shape[1]]
    part[: inked.shape[0], : inked.shape[1]][inked] = paint


def _letters(text: str, thickness: int, scale: float) -> np.ndarray:
    """Which pixels letters cover; bool [H, W]."""
    drawing, fonts, pictures = (
        optional_module(f"PIL.{name}", "pillow", "visualization", "draw_bounding_boxes with class_mapping")
        for name in ("ImageDraw", "ImageFont", "Image")
    )
    font = fonts.load_default()
    left, top, right, bottom = (int(end) for end in font.getbbox(text))
    picture = pictures.new("L", (max(right - left, 1), max(bottom - top, 1)))
    drawing.Draw(picture).text((-left, -top), text, fill=255, font=font)
    rows = max(round(LETTERS * scale), 1)
    inked = np.asarray(picture.resize((max(picture.width * rows // picture.height, 1), rows))) > 127
    wide = np.zeros((inked.shape[0] + thickness - 1, inked.shape[1] + thickness - 1), bool)
    for down in range(thickness):
        for across in range(thickness):
            wide[down : down + inked.shape[0], across : across + inked.shape[1]] |= inked
    return wide


def draw_segmentation_masks(
    images: Any,
    segmentation_masks: Any,
    num_classes: int | None = None,
    color_mapping: Mapping[int, Colour] | None = None,
    alpha: float = 0.8,
    blend: bool = True,
    ignore_index: int = -1,
    data_format: str | None = None,
) -> np.ndarray:
    """Images with their pixels' classes in colours.

    Args:
        images: [N, H, W, 3] from 0 to 255.
        segmentation_masks: the classes, integers [N, H, W] or [N, H, W, 1].
        num_classes: classes from 0 to before this one are drawn; None: all.
        color_mapping: class -> colour; a class that is not in it is not drawn. None: a colour for each.
        alpha: the colours' share, from 0 to 1.
        blend: whether the rest is the image's; False: the colours alone.
        ignore_index: a class that is not drawn.
        data_format: where the images' channels are; None: as `layerkit.config` says.

    Returns:
        [N, H, W, 3], uint8, or float32 where `blend` is False.

    Raises ShapeError for images without four axes, TypeError for masks that are no integers.

    >>> masks = np.array([[[0, 1]]])
    >>> draw_segmentation_masks(np.zeros((1, 1, 2, 3)), masks, color_mapping={1: (10, 20, 30)}).tolist()
    [[[[0, 0, 0], [8, 16, 24]]]]
    """
    x = images_last(images, data_format).astype("float32")
    masks = np.asarray(segmentation_masks)
    if masks.dtype.kind not in "iu":
        raise TypeError(
            f"`segmentation_masks` must be in integer dtype. Received: segmentation_masks.dtype={masks.dtype}"
        )
    if masks.ndim == 4:
        masks = masks[:, 0] if standardize_data_format(data_format) == "channels_first" else masks[..., 0]
    count = int(masks.max(initial=-1)) + 1 if num_classes is None else num_classes
    colours = _palette(count) if color_mapping is None else color_mapping
    painted = x.copy()
    for number in range(count):
        if number in colours and number != ignore_index:
            painted[masks == number] = np.array(colours[number], "float32")
    if not blend:
        return painted
    return (x * np.float32(1 - alpha) + painted * np.float32(alpha)).astype("uint8")


def _palette(count: int) -> dict[int, list[int]]:
    """Keras' colours: multiples of three large numbers, which lie far apart."""
    steps = np.array([2**25 - 1, 2**15 - 1, 2**21 - 1])
    return {number: ((number * steps) % 255).tolist() for number in range(count)}
