"""Rows of the layers that change images. By default they train, when most draw: the laws call them with training off,
and tests/layers/test_image_layers.py tries them with it on."""

from __future__ import annotations

from typing import Any

from layerkit import layers as L

IMAGES = ((2, 7, 6, 3),)


def rows() -> list[tuple[type, dict[str, Any], tuple, dict[str, Any]]]:
    """(class, arguments, shapes, more of a sample)."""
    arguments: list[tuple[type, dict[str, Any]]] = [
        (L.Resizing, {"height": 4, "width": 9}),
        (L.Resizing, {"height": 9, "width": 9, "interpolation": "lanczos3", "crop_to_aspect_ratio": True}),
        (L.CenterCrop, {"height": 4, "width": 3}),
        (L.CenterCrop, {"height": 9, "width": 3}),
        (L.RandomCrop, {"height": 4, "width": 3, "seed": 1}),
        (L.RandomFlip, {"mode": "vertical", "seed": 1}),
        (L.RandomRotation, {"factor": 0.2}),
        (L.RandomZoom, {"height_factor": (-0.2, 0.3), "width_factor": 0.1}),
        (L.RandomTranslation, {"height_factor": 0.2, "width_factor": 0.1}),
        (L.RandomShear, {"x_factor": 0.2, "y_factor": (0.1, 0.3)}),
        (L.RandomPerspective, {"scale": 0.3}),
        (L.RandomElasticTransform, {"value_range": (0, 1)}),
        (L.RandomBrightness, {"factor": 0.1}),
        (L.RandomContrast, {"factor": (0.1, 0.3)}),
        (L.RandomHue, {"factor": 0.2}),
        (L.RandomSaturation, {"factor": (0.1, 0.6)}),
        (L.RandomColorDegeneration, {"factor": 0.5}),
        (L.RandomGrayscale, {"factor": 0.3}),
        (L.RandomColorJitter, {"brightness_factor": 0.1, "hue_factor": 0.3, "seed": 2}),
        (L.RandomGaussianBlur, {"kernel_size": (3, 5), "sigma": 0.5}),
        (L.RandomSharpness, {"factor": 0.5}),
        (L.RandomInvert, {}),
        (L.RandomPosterization, {"factor": 4}),
        (L.Solarization, {"addition_factor": 0.2, "threshold_factor": (0.1, 0.2)}),
        (L.RandomErasing, {"fill_value": 0.5}),
        (L.AutoContrast, {"value_range": (-1, 1)}),
        (L.Equalization, {}),
        (L.ContrastLimitedAdaptiveHistogramEqualization, {"tile_grid_size": (2, 3), "value_range": (-999, 999)}),
        (L.MaxNumBoundingBoxes, {"max_number": 3}),
        (L.RandAugment, {"factor": 0.3, "seed": 1}),
        (L.AugMix, {"num_chains": 2, "chain_depth": 1, "all_ops": False}),
        (L.MixUp, {"alpha": 0.3}),
        (L.CutMix, {"factor": 0.7}),
    ]
    return [(cls, given, IMAGES, {}) for cls, given in arguments]
