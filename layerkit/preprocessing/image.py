"""Images for training, as scripts of Keras 2 have them: `ImageDataGenerator`, and files as arrays.

New scripts use the layers of `layerkit.layers` and `utils.image_dataset_from_directory`.
"""

# ruff: noqa: NPY002 - Keras draws from NumPy's global generator, and a seed is to give the same here.

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from layerkit.config import floatx, standardize_data_format
from layerkit.preprocessing.image_changes import (
    FILL_MODES,
    apply_affine_transform,
    apply_brightness_shift,
    apply_channel_shift,
    random_brightness,
    random_channel_shift,
    random_rotation,
    random_shear,
    random_shift,
    random_zoom,
)
from layerkit.preprocessing.image_iterators import DirectoryIterator, Iterator, NumpyArrayIterator
from layerkit.utils.images import array_to_img, img_to_array, load_img, save_img, smart_resize

__all__ = [
    "DirectoryIterator", "ImageDataGenerator", "Iterator", "NumpyArrayIterator", "apply_affine_transform",
    "apply_brightness_shift", "apply_channel_shift", "array_to_img", "img_to_array", "load_img", "random_brightness",
    "random_channel_shift", "random_rotation", "random_shear", "random_shift", "random_zoom", "save_img",
    "smart_resize",
]  # fmt: skip


class ImageDataGenerator:
    """Batches of images, changed at random each time.

    Draws come from NumPy's global generator, as in Keras, so that a seed gives the same parameters there and here.

    Args:
        featurewise_center: whether to subtract the mean of the data given to `fit`, for each channel.
        samplewise_center: whether to subtract each image's mean.
        featurewise_std_normalization: whether to divide by the deviation of the data given to `fit`.
        samplewise_std_normalization: whether to divide by each image's deviation.
        zca_whitening: whether to whiten by the data given to `fit`.
        zca_epsilon: for whitening.
        rotation_range: degrees to either side.
        width_shift_range: a share of the width below 1, pixels from 1 on, or a sequence to choose from.
        height_shift_range: the same of the height.
        brightness_range: a pair of factors.
        shear_range: degrees to either side.
        zoom_range: a number z for 1 - z to 1 + z, or a pair of them; less than 1 is a zoom in.
        channel_shift_range: what is added to all channels, at most.
        fill_mode: what counts outside: "nearest", "constant", "reflect" or "wrap".
        cval: what "constant" counts outside.
        horizontal_flip: whether half of the images are mirrored from left to right.
        vertical_flip: the same from above to below.
        rescale: what values are multiplied by, after the changes.
        preprocessing_function: called on each image [H, W, C] before that.
        data_format: where the channels are; None: as `layerkit.config` says.
        validation_split: the share that `subset="validation"` gives.
        interpolation_order: 1 for linear interpolation, 0 for the nearest pixel.
        dtype: of the arrays; None: float32, or what `layerkit.config.floatx` says.

    Raises ValueError for other arguments.

    >>> batches = ImageDataGenerator(rescale=0.5).flow(np.ones((3, 4, 4, 1)), np.arange(3), batch_size=2, shuffle=False)
    >>> x, y = batches[0]
    >>> x.shape, float(x.max()), y.tolist()
    ((2, 4, 4, 1), 0.5, [0, 1])
    """

    def __init__(
        self,
        featurewise_center: bool = False,
        samplewise_center: bool = False,
        featurewise_std_normalization: bool = False,
        samplewise_std_normalization: bool = False,
        zca_whitening: bool = False,
        zca_epsilon: float = 1e-6,
        rotation_range: float = 0,
        width_shift_range: float | Sequence[float] = 0.0,
        height_shift_range: float | Sequence[float] = 0.0,
        brightness_range: Sequence[float] | None = None,
        shear_range: float = 0.0,
        zoom_range: float | Sequence[float] = 0.0,
        channel_shift_range: float = 0.0,
        fill_mode: str = "nearest",
        cval: float = 0.0,
        horizontal_flip: bool = False,
        vertical_flip: bool = False,
        rescale: float | None = None,
        preprocessing_function: Any = None,
        data_format: str | None = None,
        validation_split: float = 0.0,
        interpolation_order: int = 1,
        dtype: Any = None,
    ) -> None:
        self.data_format = standardize_data_format(data_format)
        self.channel_axis, self.row_axis, self.col_axis = (3, 1, 2) if self._last else (1, 2, 3)
        self.dtype = dtype or floatx()
        if validation_split and not 0 < validation_split < 1:
            raise ValueError(f"`validation_split` must be strictly between 0 and 1.  Received: {validation_split}")
        if fill_mode not in FILL_MODES:
            raise ValueError(f"`fill_mode` is one of {', '.join(map(repr, FILL_MODES))}. Received: {fill_mode!r}")
        if interpolation_order not in (0, 1):
            raise NotImplementedError(
                f"ImageDataGenerator samples with interpolation_order 0 or 1. Received: {interpolation_order}"
            )
        if brightness_range is not None and len(_pair(brightness_range)) != 2:
            raise ValueError(f"`brightness_range should be tuple or list of two floats. Received: {brightness_range}")
        zooms = (1 - zoom_range, 1 + zoom_range) if isinstance(zoom_range, int | float) else _pair(zoom_range)
        if len(zooms) != 2:
            raise ValueError(f"`zoom_range` should be a float or a tuple or list of two floats. Received: {zoom_range}")
        self.zoom_range = list(zooms)
        self.validation_split = validation_split
        self.samplewise_center = samplewise_center or samplewise_std_normalization
        self.samplewise_std_normalization = samplewise_std_normalization
        self.featurewise_std_normalization = featurewise_std_normalization and not zca_whitening
        self.featurewise_center = featurewise_center or zca_whitening or featurewise_std_normalization
        self.zca_whitening, self.zca_epsilon = zca_whitening, zca_epsilon
        self.rotation_range, self.shear_range = rotation_range, shear_range
        self.width_shift_range, self.height_shift_range = width_shift_range, height_shift_range
        self.brightness_range, self.channel_shift_range = brightness_range, channel_shift_range
        self.fill_mode, self.cval, self.interpolation_order = fill_mode, cval, interpolation_order
        self.horizontal_flip, self.vertical_flip = horizontal_flip, vertical_flip
        self.rescale, self.preprocessing_function = rescale, preprocessing_function
        self.mean = self.std = self.zca_whitening_matrix = None

    @property
    def _last(self) -> bool:
        return self.data_format == "channels_last"

    def flow(
        self,
        x: Any,
        y: Any = None,
        batch_size: int = 32,
        shuffle: bool = True,
        sample_weight: Any = None,
        seed: int | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        ignore_class_split: bool = False,
        subset: str | None = None,
    ) -> NumpyArrayIterator:
        """Batches of changed images of an array; the arguments are those of NumpyArrayIterator."""
        return NumpyArrayIterator(
            x, y, self, batch_size, shuffle, sample_weight, seed, self.data_format, save_to_dir, save_prefix,
            save_format, subset, ignore_class_split, self.dtype,
        )  # fmt: skip

    def flow_from_directory(
        self,
        directory: Any,
        target_size: tuple[int, int] = (256, 256),
        color_mode: str = "rgb",
        classes: Sequence[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
    ) -> DirectoryIterator:
        """Batches of changed images of files; the arguments are those of DirectoryIterator."""
        return DirectoryIterator(
            directory, self, target_size, color_mode, classes, class_mode, batch_size, shuffle, seed,
            self.data_format, save_to_dir, save_prefix, save_format, follow_links, subset, interpolation,
            keep_aspect_ratio, self.dtype,
        )  # fmt: skip

    def standardize(self, x: np.ndarray) -> np.ndarray:
        """Normalise an image, or a batch."""
        x = self.preprocessing_function(x) if self.preprocessing_function else x
        x = x * self.rescale if self.rescale else x
        x = x - np.mean(x, keepdims=True) if self.samplewise_center else x
        x = x / (np.std(x, keepdims=True) + 1e-6) if self.samplewise_std_normalization else x
        for asked, fitted in (
            (self.featurewise_center, self.mean),
            (self.featurewise_std_normalization, self.std),
            (self.zca_whitening, self.zca_whitening_matrix),
        ):
            if asked and fitted is None:
                warnings.warn(
                    "This ImageDataGenerator normalises by its data, but it has not seen any: call `.fit(data)` first.",
                    stacklevel=2,
                )
        x = x - self.mean if self.mean is not None else x
        x = x / (self.std + 1e-6) if self.std is not None else x
        if self.zca_whitening_matrix is not None:
            x = (x.reshape(-1, math.prod(x.shape[-3:])) @ self.zca_whitening_matrix).reshape(x.shape)
        return x

    def get_random_transform(self, img_shape: tuple[int, ...], seed: int | None = None) -> dict[str, Any]:
        """Draw what `apply_transform` does to an image of a shape [H, W, C]."""
        if seed is not None:
            np.random.seed(seed)
        drawn: dict[str, Any] = {"theta": _around_zero(self.rotation_range)}
        drawn["tx"] = _shift(self.height_shift_range, img_shape[self.row_axis - 1])
        drawn["ty"] = _shift(self.width_shift_range, img_shape[self.col_axis - 1])
        drawn["shear"] = _around_zero(self.shear_range)
        still = self.zoom_range == [1, 1]
        drawn["zx"], drawn["zy"] = (1, 1) if still else np.random.uniform(*self.zoom_range, 2)
        drawn["flip_horizontal"] = bool((np.random.random() < 0.5) * self.horizontal_flip)
        drawn["flip_vertical"] = bool((np.random.random() < 0.5) * self.vertical_flip)
        reach = self.channel_shift_range
        drawn["channel_shift_intensity"] = np.random.uniform(-reach, reach) if reach else None
        drawn["brightness"] = np.random.uniform(*self.brightness_range) if self.brightness_range is not None else None
        return drawn

    def apply_transform(self, x: np.ndarray, transform_parameters: dict[str, Any]) -> np.ndarray:
        """An image [H, W, C], changed by parameters as `get_random_transform` gives them."""
        given = {
            "theta": 0, "tx": 0, "ty": 0, "shear": 0, "zx": 1, "zy": 1, "channel_shift_intensity": None,
            "brightness": None, "flip_horizontal": False, "flip_vertical": False, **transform_parameters,
        }  # fmt: skip
        row, column, channel = self.row_axis - 1, self.col_axis - 1, self.channel_axis - 1
        motion = {name: given[name] for name in ("theta", "shear", "zx", "zy")}
        # "tx" is drawn from the height's range. Keras moves columns by it; here a height's range moves rows.
        motion.update(tx=given["ty"], ty=given["tx"])
        x = apply_affine_transform(
            x, **motion, row_axis=row, col_axis=column, channel_axis=channel, fill_mode=self.fill_mode,
            cval=self.cval, order=self.interpolation_order,
        )  # fmt: skip
        if given["channel_shift_intensity"] is not None:
            x = apply_channel_shift(x, given["channel_shift_intensity"], channel)
        for name, axis in (("flip_horizontal", column), ("flip_vertical", row)):
            x = np.flip(x, axis) if given[name] else x
        if given["brightness"] is not None:
            x = apply_brightness_shift(x, given["brightness"], False)
        return x

    def random_transform(self, x: np.ndarray, seed: int | None = None) -> np.ndarray:
        """An image [H, W, C], changed at random."""
        return self.apply_transform(x, self.get_random_transform(x.shape, seed))

    def fit(self, x: Any, augment: bool = False, rounds: int = 1, seed: int | None = None) -> None:
        """Take mean, deviation and whitening, those that are asked for, from images [N, H, W, C].

        Args:
            x: the images.
            augment: whether to change them at random first.
            rounds: how often.
            seed: for that.

        Raises ValueError for another number of axes.
        """
        x = np.asarray(x, dtype=self.dtype)
        if x.ndim != 4:
            raise ValueError(f"Input to `.fit()` should have rank 4. Got array with shape: {x.shape}")
        if seed is not None:
            np.random.seed(seed)
        x = x * self.rescale if self.rescale else x
        if augment:
            x = np.stack([self.random_transform(image) for _ in range(rounds) for image in x])
        axes = (0, self.row_axis, self.col_axis)
        if self.featurewise_center:
            self.mean = x.mean(axis=axes, keepdims=True)[0]
            x = x - self.mean
        if self.featurewise_std_normalization:
            self.std = x.std(axis=axes, keepdims=True)[0]
            x = x / (self.std + 1e-6)
        if self.zca_whitening:
            u, s, _ = np.linalg.svd(x.reshape(len(x), -1).T, full_matrices=False)
            self.zca_whitening_matrix = (u * (np.sqrt(len(x)) / (s + self.zca_epsilon))) @ u.T


def _pair(values: Any) -> tuple:
    fits = isinstance(values, list | tuple) and len(values) == 2 and all(isinstance(v, int | float) for v in values)
    return tuple(values) if fits else ()


def _around_zero(reach: float) -> float:
    return np.random.uniform(-reach, reach) if reach else 0


def _shift(reach: Any, size: int) -> float:
    """Pixels to move: of a number up to that, of a whole number below that, of a sequence one of them."""
    if not np.any(reach):
        return 0
    if isinstance(reach, list | tuple | np.ndarray | int):  # as numpy.random.choice understands them
        moved = np.random.choice(reach) * np.random.choice([-1, 1])
    else:
        moved = np.random.uniform(-reach, reach)
    return moved * size if np.max(reach) < 1 else moved
