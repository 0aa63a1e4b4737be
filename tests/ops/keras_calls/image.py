"""Calls of the operations on images, and of `pad` in all its modes."""

from __future__ import annotations

import numpy as np

from tests.ops.keras_calls.calls import Calls

CALLS = Calls(seed=11, tolerance=5e-5)
call, floats, integers = CALLS.add, CALLS.floats, CALLS.integers


def unit(*shape: int) -> np.ndarray:
    return floats(*shape, low=0.0, high=1.0)


def bytes_of(*shape: int) -> np.ndarray:
    return integers(*shape, high=256).astype("uint8")


def colors() -> None:
    x, first = unit(2, 4, 5, 3), unit(2, 3, 4, 5)
    x[0, 0, 0], x[0, 0, 1], x[0, 0, 2], x[0, 0, 3] = 0, 0.5, (0.5, 0.5, 0.2), (0.2, 0.5, 0.5)
    for name in ("image.rgb_to_grayscale", "image.rgb_to_hsv", "image.hsv_to_rgb"):
        call(name, x)
        call(name, x[0])
        call(name, first, data_format="channels_first")
    call("image.hsv_to_rgb", floats(2, 4, 5, 3))
    call("image.rgb_to_grayscale", bytes_of(2, 4, 5, 3))
    call("image.rgb_to_grayscale", unit(2, 4, 5, 1))


def resizing() -> None:
    x, larger = unit(2, 5, 7, 3), unit(9, 8, 2)
    for method in ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5"):
        for antialias in (False, True):
            for size in ((8, 9), (3, 4), (5, 3), (10, 7)):
                call("image.resize", x, size, interpolation=method, antialias=antialias)
        call("image.resize", larger, (3, 5), method, data_format="channels_first")
        call("image.resize", bytes_of(1, 6, 5, 2), (4, 9), method)
    for option in ("crop_to_aspect_ratio", "pad_to_aspect_ratio"):
        for size in ((4, 4), (8, 3), (3, 11)):
            call("image.resize", x, size, **{option: True})
            call("image.resize", larger, size, data_format="channels_first", **{option: True})
    call("image.resize", x, (6, 6), pad_to_aspect_ratio=True, fill_value=0.7)
    call("image.resize", bytes_of(4, 9, 3), (6, 6), "nearest", pad_to_aspect_ratio=True, fill_value=7.0)
    call("image.resize", integers(4, 9, 3, high=1000), (7, 3), "bicubic")
    call("image.resize", unit(1, 1, 1, 2), (4, 3), "bicubic")


def scaling() -> None:
    x = unit(2, 6, 5, 3)
    for method in ("linear", "bilinear", "trilinear", "cubic", "bicubic", "tricubic", "lanczos3", "lanczos5"):
        for antialias in (True, False):
            call(
                "image.scale_and_translate", x, (2, 9, 4, 3), np.array([1.4, 0.7], "float32"),
                np.array([0.3, -0.4], "float32"), (1, 2), method, antialias,
            )  # fmt: skip
    scale, translation = np.array([0.5], "float32"), np.array([1.3], "float32")
    call("image.scale_and_translate", x, (2, 6, 7, 3), scale, translation, (-2,), "linear")
    call("image.scale_and_translate", integers(6, 5, high=9), (6, 7), scale, translation, (1,), "linear")


def sampling() -> None:
    x, places = unit(4, 5), floats(2, 6, 3, low=-7, high=12)
    halves = np.array([[0.5, 1.5, 2.5, -0.5, 3.5], [0.0, 4.5, -1.5, 1.0, 2.0]], "float32")
    for fill_mode in ("constant", "nearest", "wrap", "mirror", "reflect"):
        for order in (0, 1):
            call("image.map_coordinates", x, places, order, fill_mode, 0.3)
            call("image.map_coordinates", x, halves, order, fill_mode)
            call("image.map_coordinates", integers(4, 5, high=50), places, order, fill_mode, 7)
    call("image.map_coordinates", unit(3, 4, 2), floats(3, 5, low=-1, high=4), 1)
    call("image.map_coordinates", unit(7), floats(1, 5, low=-1, high=8), 1)


def transforms() -> None:
    x = unit(2, 6, 7, 3)
    turned = np.array([0.8, -0.5, 2.0, 0.5, 0.9, -1.3, 0, 0], "float32")
    both = np.stack([turned, np.array([1, 0, 1.5, 0, 1, -0.25, 0, 0], "float32")])
    for fill_mode in ("constant", "nearest", "wrap", "mirror", "reflect"):
        for interpolation in ("bilinear", "nearest"):
            call("image.affine_transform", x, both, interpolation, fill_mode, 0.2)
    call("image.affine_transform", x[0], turned)
    call("image.affine_transform", unit(2, 3, 6, 7), both, data_format="channels_first")
    call("image.affine_transform", bytes_of(5, 6, 3), turned, fill_value=9)
    start = np.array([[[0, 0], [0, 6], [5, 0], [5, 6]], [[1, 0], [0, 5], [6, 1], [5, 6]]], "float32")
    end = np.array([[[1, 0.5], [0.2, 5], [5, 1], [6, 6.5]], [[0, 0], [0, 6], [5, 0], [5, 6]]], "float32")
    for interpolation in ("bilinear", "nearest"):
        call("image.perspective_transform", x, start, end, interpolation, 0.4)
    call("image.perspective_transform", x[0], start[0], end[0])
    call("image.perspective_transform", unit(2, 3, 6, 7), start, end, data_format="channels_first")


def patches() -> None:
    x, volume = unit(2, 9, 8, 3), unit(2, 6, 7, 5, 2)
    for size, options in (
        (3, {}), ((2, 3), {}), ((2, 3), {"strides": 1}), (3, {"strides": (2, 1), "padding": "same"}),
        (2, {"padding": "same", "strides": 3}), (4, {"padding": "same"}), (3, {"strides": 1, "dilation_rate": 2}),
    ):  # fmt: skip
        call("image.extract_patches", x, size, **options)
        call("image.extract_patches", x[0], size, **options)
    call("image.extract_patches", unit(2, 3, 9, 8), 3, data_format="channels_first")
    for size, options in (((2, 3, 2), {}), ((2, 3, 2), {"strides": (1, 2, 2), "padding": "same"})):
        call("image.extract_patches", volume, size, **options)
        call("image.extract_patches_3d", volume[0], size, **options)
    call("image.extract_patches_3d", volume, 2)
    call("image.extract_patches_3d", unit(2, 6, 7, 5), 2, data_format="channels_first")


def borders() -> None:
    x = unit(2, 5, 6, 3)
    call("image.pad_images", x, 1, 2, 3, 0)
    call("image.pad_images", x, 1, 2, target_height=9, target_width=10)
    call("image.pad_images", x[0], bottom_padding=1, right_padding=0, target_height=9, target_width=10)
    call("image.pad_images", x, 1, 2, 3, 0, data_format="channels_first")
    call("image.crop_images", x, 1, 2, 3, 0)
    call("image.crop_images", x, 1, 2, target_height=2, target_width=3)
    call("image.crop_images", x[0], bottom_cropping=1, right_cropping=0, target_height=2, target_width=4)
    call("image.crop_images", x, 1, 0, 1, 2, data_format="channels_first")


def filters() -> None:
    x, y, first = unit(2, 14, 13, 3), unit(2, 14, 13, 3), unit(2, 3, 9, 8)
    call("image.gaussian_blur", x, data_format="channels_last")
    call("image.gaussian_blur", x[0], (5, 5), (0.8, 2.0), "channels_last")
    call("image.gaussian_blur", first, (3, 5), (1.2, 0.7), "channels_first")
    call("image.gaussian_blur", first, (4, 2), (1.2, 0.7), "channels_first")
    call("image.sobel_edges", x)
    call("image.sobel_edges", first, data_format="channels_first")
    call("image.ssim", x, y)
    call("image.ssim", x, x * 0.9 + 0.05 * y)
    call("image.ssim", x[0], y[0], max_val=2.0, filter_size=7, filter_sigma=1.0, k1=0.02, k2=0.05)
    call("image.ssim", first, first * 0.8, filter_size=5, data_format="channels_first")


def padding() -> None:
    x = floats(3, 4, 2)
    for mode in ("edge", "reflect", "symmetric", "wrap", "linear_ramp", "maximum", "mean", "median", "minimum"):
        call("pad", x, ((1, 2), (2, 0), (1, 1)), mode)
        call("pad", integers(3, 4, high=9), 2, mode)
    for mode in ("edge", "reflect", "symmetric", "wrap"):
        call("pad", x, ((4, 7), (9, 0), (3, 5)), mode)
        call("pad", floats(1, 3), ((2, 1), (0, 1)), mode)
    call("pad", x, ((1, 2), (2, 0), (1, 1)), constant_values=1.5)
    call("pad", x, (1, 2))


for family in (colors, resizing, scaling, sampling, transforms, patches, borders, filters, padding):
    family()
