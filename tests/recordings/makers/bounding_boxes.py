"""Bounding boxes: what Keras' functions give, and what its layers make of boxes with what they drew.

Each backend draws its own numbers: record this family with `--alone`, on JAX.
"""

from typing import Any

import keras
import numpy as np

from .image_layers import _leaves
from .running import as_json, generator, plain

FORMATS = (
    "xyxy", "yxyx", "xywh", "center_xywh", "center_yxhw", "rel_xyxy", "rel_yxyx", "rel_xywh", "rel_center_xywh",
)  # fmt: skip
SIZE = (24, 24)  # RandomShear's boxes fit its images in Keras only where these are square
MOVING = {"seed": 3, "fill_mode": "constant"}
# Formats in which Keras' layers go right: RandomRotation and RandomPerspective know "xyxy" alone.
LAYERS: list[tuple[str, dict[str, Any]]] = [
    ("Resizing", {"height": 12, "width": 40, "bounding_box_format": "xywh"}),
    ("Resizing", {"height": 10, "width": 31, "crop_to_aspect_ratio": True, "bounding_box_format": "rel_xyxy"}),
    ("Resizing", {"height": 10, "width": 31, "pad_to_aspect_ratio": True, "bounding_box_format": "center_yxhw"}),
    ("CenterCrop", {"height": 11, "width": 14, "bounding_box_format": "yxyx"}),
    ("CenterCrop", {"height": 30, "width": 14, "bounding_box_format": "rel_center_xywh"}),
    ("RandomFlip", {"seed": 3, "bounding_box_format": "xywh"}),
    ("RandomFlip", {"mode": "vertical", "seed": 4, "bounding_box_format": "rel_xyxy"}),
    ("RandomRotation", {"factor": 0.3, "bounding_box_format": "xyxy", **MOVING}),
    ("RandomZoom", {"height_factor": 0.4, "width_factor": (0.1, 0.3), "bounding_box_format": "center_xywh", **MOVING}),
    ("RandomZoom", {"height_factor": (-0.5, -0.2), "bounding_box_format": "rel_yxyx", **MOVING}),
    ("RandomTranslation", {"height_factor": 0.4, "width_factor": 0.3, "bounding_box_format": "rel_xywh", **MOVING}),
    ("RandomShear", {"x_factor": 0.4, "bounding_box_format": "xyxy", **MOVING}),
    ("RandomShear", {"y_factor": 0.4, "bounding_box_format": "xywh", **MOVING}),
    ("RandomPerspective", {"factor": (0.7, 0.7), "scale": 0.5, "seed": 3, "bounding_box_format": "xyxy"}),
    ("RandomBrightness", {"factor": 0.3, "seed": 3, "bounding_box_format": "xyxy"}),
    ("RandomErasing", {"seed": 3, "bounding_box_format": "xyxy"}),
    ("AugMix", {"seed": 3, "bounding_box_format": "xyxy"}),
    ("MaxNumBoundingBoxes", {"max_number": 6, "bounding_box_format": "xyxy"}),
    ("MaxNumBoundingBoxes", {"max_number": 2, "fill_value": -7, "bounding_box_format": "xyxy"}),
]
LEAVING = ("RandomBrightness", "RandomErasing", "AugMix")  # the boxes, whatever they drew
HISTOGRAMS: list[tuple[tuple[int, ...], dict[str, Any]]] = [
    ((2, 16, 16, 3), {}),
    ((1, 17, 23, 2), {"tile_grid_size": (3, 4)}),
    ((2, 9, 11, 3), {"clip_limit": 0}),
    ((19, 21, 1), {"value_range": (0, 1), "tile_grid_size": (2, 2)}),
    ((2, 3, 20, 20), {"clip_limit": 1.5, "tile_grid_size": (4, 2), "data_format": "channels_first"}),
]


def _boxes(name: str, shape: tuple[int, ...], size: tuple[int, int] = SIZE) -> np.ndarray:
    """Boxes (left, top, right, bottom) in images of a height and width."""
    draw = generator(name)
    first, second = (draw.random((*shape, 2)) for _ in range(2))
    corners = np.concatenate([np.minimum(first, second), np.maximum(first, second) + 0.05], -1)
    return (corners * [size[1], size[0], size[1], size[0]]).astype("float32")


def _called(function: str, **arguments: Any) -> dict[str, Any]:
    made = getattr(keras.utils.bounding_boxes, function)(**arguments)
    kept = {name: list(value) if isinstance(value, tuple) else value for name, value in arguments.items()}
    return {"function": function, "arguments": kept, "output": _leaves(made)}


def _functions() -> list[dict[str, Any]]:
    boxes, others = _boxes("first", (2, 3)), _boxes("second", (2, 4))
    labels = np.arange(6, dtype="int32").reshape(2, 3)
    outside = boxes * np.float32(1.5) - np.float32(6)
    turned = {
        name: np.array(values, "float32")
        for name, values in (
            ("angle", [20, -70]), ("translate_x", [0.1, -0.2]), ("translate_y", [0, 0.3]), ("scale", [0.8, 1.2]),
            ("shear_x", [5, 0]), ("shear_y", [-10, 15]),
        )
    }  # fmt: skip
    relative = keras.ops.convert_to_numpy(keras.utils.bounding_boxes.convert_format(boxes, "xyxy", "rel_yxyx", 24, 20))
    padded = np.concatenate([boxes[0], np.full((2, 4), -1, "float32")])
    found = [_called("convert_format", boxes=boxes, source="xyxy", target=one, height=24, width=20) for one in FORMATS]
    for one in FORMATS:
        given = {"source": one, "target": "xyxy", "height": 24, "width": 20}
        found.append(_called("convert_format", boxes=np.array(found[FORMATS.index(one)]["output"]), **given))
    given = {"source": "rel_xywh", "target": "rel_yxyx", "height": 24, "width": 20}
    found.append(_called("convert_format", boxes=relative, **given))
    found += [
        _called("clip_to_image_size", bounding_boxes={"boxes": outside, "labels": labels}, height=20, width=18),
        _called(
            "clip_to_image_size",
            bounding_boxes={"boxes": outside / np.float32(20), "labels": labels},
            bounding_box_format="rel_xyxy",
        ),
        _called("affine_transform", boxes=boxes, height=24, width=20, **turned),
        _called("affine_transform", boxes=boxes, height=24, width=20, center_x=0.2, center_y=0.9, **turned),
        _called("crop", boxes=boxes, top=3, left=5, height=12, width=10),
        _called("pad", boxes=boxes, top=3, left=5),
    ]
    coded = {"anchor_format": "xyxy", "box_format": "xywh"}
    more = {
        "anchor_format": "rel_xyxy",
        "box_format": "xyxy",
        "variance": [0.1, 0.1, 0.2, 0.2],
        "image_shape": (24, 20, 3),
    }
    deltas = generator("deltas").normal(0, 0.3, (2, 3, 4)).astype("float32")
    for pair in (coded, {**more, "encoding_format": "center_xywh"}):
        anchors = _boxes("anchors", (3,)) / np.float32(1 if pair is coded else 24)
        found.append(_called("encode_box_to_deltas", anchors=anchors, boxes=boxes, **pair))
        renamed = {("encoded_format" if name == "encoding_format" else name): one for name, one in pair.items()}
        found.append(_called("decode_deltas_to_boxes", anchors=anchors, boxes_delta=deltas, **renamed))
    shaped, masked = {"image_shape": (24, 20, 3)}, {"use_masking": True, "mask_val": -3}
    overlapping = [(boxes, others), (boxes[0], others), (boxes, others[0]), (boxes[0], others[1])]
    found += [_called("compute_iou", boxes1=a, boxes2=b, bounding_box_format="xyxy") for a, b in overlapping]
    found += [
        _called("compute_iou", boxes1=relative, boxes2=relative[:, :2], bounding_box_format="rel_yxyx", **shaped),
        _called("compute_iou", boxes1=padded, boxes2=padded[1:], bounding_box_format="xyxy", **masked),
        _called("compute_ciou", boxes1=boxes, boxes2=others[:, :3], bounding_box_format="xyxy"),
        _called("compute_ciou", boxes1=boxes, boxes2=boxes, bounding_box_format="center_xywh"),
    ]  # fmt: skip
    return found


def _layer(name: str, class_name: str, kwargs: dict[str, Any], single: bool) -> dict[str, Any]:
    keras.utils.clear_session()
    layer = getattr(keras.layers, class_name)(**kwargs)
    images = np.zeros((*(() if single else (3,)), *SIZE, 3), "float32")
    shape = (4,) if single else (3, 4)
    boxes = _boxes(name, shape)
    if class_name == "RandomFlip":  # which does not cut boxes at the right and at the bottom in Keras
        boxes = np.minimum(boxes, SIZE[0])
    given = keras.utils.bounding_boxes.convert_format(boxes, "xyxy", kwargs["bounding_box_format"], *SIZE)
    boxes = np.array(keras.ops.convert_to_numpy(given))
    if class_name == "Resizing":  # padding
        boxes[..., 0, :], boxes[..., 1, :] = 0, -1
    labels = np.arange(int(np.prod(shape)), dtype="int32").reshape(shape)
    transformation = layer.get_random_transformation(keras.ops.convert_to_tensor(images), training=True)
    change = layer.transform_single_bounding_box if single else layer.transform_bounding_boxes
    given = {"boxes": keras.ops.convert_to_tensor(boxes), "labels": keras.ops.convert_to_tensor(labels)}
    output = change(given, transformation, training=True)
    return {
        "layer": class_name,
        "kwargs": as_json(kwargs),
        "shape": list(images.shape),
        "boxes": boxes,
        "labels": labels,
        "transformation": None if class_name in LEAVING else _leaves(transformation),
        "output": _leaves(output),
        "config": as_json(layer.get_config()),
    }


def _histogram(name: str, shape: tuple[int, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    images = generator(name).integers(0, 256, shape).astype("float32")
    if kwargs.get("value_range") == (0, 1):
        images /= np.float32(255)
    layer = keras.layers.ContrastLimitedAdaptiveHistogramEqualization(**kwargs)
    return {
        "histogram": type(layer).__name__,
        "kwargs": as_json(kwargs),
        "images": images,
        "output": plain(layer(images)),
        "config": as_json(layer.get_config()),
    }


def _drawn(name: str, kwargs: dict[str, Any]) -> dict[str, Any]:
    rng = generator(name)
    images = rng.integers(0, 256, (2, 6, 7, 3)).astype("float32")
    masks = rng.integers(-1, 4, (2, 6, 7, 1)).astype("int32")
    output = keras.visualization.draw_segmentation_masks(images, masks, num_classes=4, **kwargs)
    return {"masks": masks, "images": images, "kwargs": kwargs, "output": np.array(output)}


def make() -> list[dict[str, Any]]:
    """Functions, then layers on batches and on single images, then equalized images, then drawn masks."""
    found = [{"name": f"{case['function']}-{at:02d}", **case} for at, case in enumerate(_functions())]
    for at, (class_name, kwargs) in enumerate(LAYERS):
        for single in (False, True):
            name = f"{class_name}-{at:02d}{'-single' if single else ''}"
            found.append({"name": name, **_layer(name, class_name, kwargs, single)})
    for at, (shape, kwargs) in enumerate(HISTOGRAMS):
        found.append({"name": f"histogram-{at}", **_histogram(f"histogram-{at}", shape, kwargs)})
    for at, kwargs in enumerate(({}, {"alpha": 0.3, "ignore_index": 2}, {"blend": False})):
        found.append({"name": f"masks-{at}", **_drawn(f"masks-{at}", kwargs)})
    return found
