"""Bounding boxes: their formats, changes and overlaps, as Keras has them under `keras.utils.bounding_boxes`."""

from layerkit.layers.image_preprocessing.bounding_boxes import (
    affine_transform,
    clip_to_image_size,
    convert_format,
    crop,
    decode_deltas_to_boxes,
    encode_box_to_deltas,
    pad,
)
from layerkit.layers.image_preprocessing.overlaps import compute_ciou, compute_iou

__all__ = [
    "affine_transform", "clip_to_image_size", "compute_ciou", "compute_iou", "convert_format", "crop",
    "decode_deltas_to_boxes", "encode_box_to_deltas", "pad",
]  # fmt: skip
