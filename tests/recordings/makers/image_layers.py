"""Layers that change images: what Keras draws, and what it makes of images with that.

Each backend draws its own numbers: record this family with `--alone`, on JAX.
"""

from typing import Any

import keras
import numpy as np

from .running import as_json, generator, plain

RANGE = {"value_range": (0, 255)}
MOVING = {"seed": 3, "interpolation": "bilinear"}
LAYERS: list[tuple[str, dict[str, Any]]] = [
    ("Resizing", {"height": 5, "width": 4}),
    ("Resizing", {"height": 9, "width": 11, "interpolation": "bicubic", "crop_to_aspect_ratio": True}),
    ("Resizing", {"height": 9, "width": 6, "interpolation": "nearest", "pad_to_aspect_ratio": True, "fill_value": 7.0}),
    ("CenterCrop", {"height": 3, "width": 4}),
    ("CenterCrop", {"height": 12, "width": 4}),
    ("RandomCrop", {"height": 3, "width": 4, "seed": 3}),
    ("RandomFlip", {"seed": 3}),
    ("RandomFlip", {"mode": "horizontal", "seed": 4}),
    ("RandomRotation", {"factor": 0.3, **MOVING}),
    ("RandomRotation", {"factor": (0.1, 0.2), "fill_mode": "constant", "fill_value": 5.0, "seed": 1}),
    ("RandomZoom", {"height_factor": 0.4, **MOVING}),
    ("RandomZoom", {"height_factor": (-0.5, 0.1), "width_factor": 0.3, "fill_mode": "wrap", "seed": 2}),
    ("RandomTranslation", {"height_factor": 0.4, "width_factor": (0.1, 0.3), **MOVING}),
    ("RandomTranslation", {"height_factor": 0.4, "width_factor": 0.2, "fill_mode": "nearest", "seed": 6}),
    ("RandomShear", {"x_factor": 0.4, "y_factor": 0.2, **MOVING}),
    ("RandomPerspective", {"factor": (1.0, 1.0), "scale": 0.5, **MOVING}),
    ("RandomBrightness", {"factor": 0.3, "seed": 3}),
    ("RandomContrast", {"factor": 0.5, "seed": 3}),
    ("RandomHue", {"factor": 0.5, "seed": 3}),
    ("RandomSaturation", {"factor": (0.2, 0.8), "seed": 3, "value_range": (0, 1)}),
    ("RandomSharpness", {"factor": 0.8, "seed": 3}),
    ("RandomColorDegeneration", {"factor": 0.8, "seed": 3}),
    ("RandomGrayscale", {"factor": 0.5, "seed": 3}),
    ("RandomGaussianBlur", {"factor": (1.0, 1.0), "sigma": (0.4, 1.0), "kernel_size": (5, 3), "seed": 3}),
    ("RandomInvert", {"factor": 0.9, "seed": 3}),
    ("RandomPosterization", {"factor": (2, 6), "seed": 3}),
    ("RandomErasing", {"factor": (1.0, 1.0), "scale": (0.2, 0.5), "seed": 3}),
    ("RandomErasing", {"factor": (1.0, 1.0), "fill_value": 9.0, "seed": 4}),
    ("AutoContrast", {}),
    ("Equalization", {"bins": 256}),
    ("Solarization", {"addition_factor": 0.5, "threshold_factor": (0.1, 0.8), "seed": 3}),
    ("RandAugment", {"seed": 5, "factor": 0.4}),
    ("AugMix", {"seed": 3}),
    ("MixUp", {"seed": 3}),
    ("CutMix", {"seed": 3}),
]
BATCHES_ALONE = ("MixUp", "CutMix", "RandAugment", "AugMix")
NOT_KERAS_OWN = ("input_shape", "seed")


def _leaves(value: Any) -> Any:
    """A drawn transformation with arrays in the place of tensors."""
    if isinstance(value, dict):
        return {name: _leaves(part) for name, part in value.items() if name not in NOT_KERAS_OWN}
    if isinstance(value, list | tuple):
        return [_leaves(part) for part in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return np.asarray(keras.ops.convert_to_numpy(value))


def _images(name: str, class_name: str, single: bool) -> np.ndarray:
    shape = (7, 8, 3) if single else (3, 7, 8, 3)
    images = generator(name).integers(0, 256, shape).astype("float32")
    return images / np.float32(255) if class_name == "RandomSaturation" else images


def _case(name: str, class_name: str, kwargs: dict[str, Any], single: bool) -> dict[str, Any]:
    keras.utils.clear_session()
    keras.utils.set_random_seed(7)  # AugMix chooses with Python's generator
    layer = getattr(keras.layers, class_name)(**kwargs)
    images = _images(name, class_name, single)
    transformation = layer.get_random_transformation(keras.ops.convert_to_tensor(images), training=True)
    change = layer.transform_single_image if single else layer.transform_images
    return {
        "name": name,
        "class": class_name,
        "kwargs": as_json(kwargs),
        "images": images,
        "transformation": _leaves(transformation),
        "output": plain(change(keras.ops.convert_to_tensor(images), transformation, training=True)),
        "config": as_json(layer.get_config()),
    }


def make() -> list[dict[str, Any]]:
    """Every layer on a batch, and most on a single image."""
    found = []
    for at, (class_name, kwargs) in enumerate(LAYERS):
        for single in (False, True) if class_name not in BATCHES_ALONE else (False,):
            name = f"{class_name}-{at:02d}{'-single' if single else ''}"
            found.append(_case(name, class_name, kwargs, single))
    return found
