"""The batches of an `ImageDataGenerator`."""

# ruff: noqa: NPY002 - Keras draws from NumPy's global generator, and a seed is to give the same here.

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from layerkit.config import floatx, standardize_data_format
from layerkit.data import PyDataset
from layerkit.utils.directories import in_mode, index
from layerkit.utils.images import array_to_img, img_to_array, load_img

IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".ppm", ".tif", ".tiff")
CLASS_MODES = ("categorical", "binary", "sparse", "input", None)
CHANNELS = {"rgb": 3, "rgba": 4, "grayscale": 1}


class Iterator(PyDataset):
    """Batches of numbered samples by their numbers; as a loop it has no end, as in Keras.

    A subclass states `_get_batches_of_transformed_samples(numbers)`.

    Args:
        n: how many samples there are.
        batch_size: samples in a batch.
        shuffle: whether each epoch has them in another random order.
        seed: of the order and of all that is drawn; None: NumPy's global generator goes on.
    """

    def __init__(self, n: int, batch_size: int, shuffle: bool, seed: int | None) -> None:
        super().__init__()
        self.n, self.batch_size, self.shuffle, self.seed = n, batch_size, shuffle, seed
        self.total_batches_seen = 0
        self.index_array: np.ndarray | None = None
        self._next = 0

    def __len__(self) -> int:
        return -(-self.n // self.batch_size)

    def __getitem__(self, idx: int) -> Any:
        if idx >= len(self):
            raise ValueError(f"Asked to retrieve element {idx}, but the Sequence has length {len(self)}")
        if self.seed is not None:
            np.random.seed(self.seed + self.total_batches_seen)
        self.total_batches_seen += 1
        if self.index_array is None:
            self._choose_order()
        numbers = self.index_array[self.batch_size * idx : self.batch_size * (idx + 1)]
        return self._get_batches_of_transformed_samples(numbers)

    def __iter__(self) -> Iterator:
        return self

    def __next__(self) -> Any:
        if self._next == 0:
            self.index_array = None
        batch = self[self._next]
        self._next = (self._next + 1) % len(self)
        return batch

    next = __next__

    def reset(self) -> None:
        """Begin anew."""
        self._next = 0

    def on_epoch_end(self) -> None:
        """Choose another order."""
        self._choose_order()

    def _choose_order(self) -> None:
        self.index_array = np.random.permutation(self.n) if self.shuffle else np.arange(self.n)

    def _get_batches_of_transformed_samples(self, index_array: np.ndarray) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not state how its batches are made.")


class _ImageIterator(Iterator):
    """Keeps where images are written to."""

    def _set_saving(self, folder: Any, prefix: str, ending: str, data_format: str | None) -> None:
        self.save_to_dir, self.save_prefix, self.save_format = folder, prefix, ending
        self.data_format = standardize_data_format(data_format)

    def _changed(self, images: Sequence[np.ndarray], numbers: np.ndarray) -> np.ndarray:
        """A batch of images after the generator's changes, written to files if that is asked for."""
        generator = self.image_data_generator
        changed = []
        for image in images:
            if hasattr(generator, "random_transform"):
                image = generator.standardize(generator.random_transform(np.asarray(image, self.dtype)))
            changed.append(image)
        batch = np.stack(changed).astype(self.dtype)
        if self.save_to_dir:
            for number, image in zip(numbers, batch, strict=True):
                name = f"{self.save_prefix}_{number}_{self.total_batches_seen}.{self.save_format}"
                array_to_img(image, self.data_format, scale=True).save(os.path.join(self.save_to_dir, name))
        return batch


class NumpyArrayIterator(_ImageIterator):
    """Batches of changed images of an array.

    Args:
        x: images [N, H, W, C].
        y: labels [N, ...]; None: batches are images alone.
        image_data_generator: makes the changes.
        batch_size: images in a batch.
        shuffle: whether each epoch has them in another random order.
        sample_weight: weights [N].
        seed: of the order and the changes.
        data_format: where the channels are; None: as `layerkit.config` says.
        save_to_dir: a folder that changed images are written to.
        save_prefix: how the files' names begin.
        save_format: their ending.
        subset: "training" or "validation", where the generator has a `validation_split`: the first images validate.
        ignore_class_split: whether both parts may lack classes of the other.
        dtype: of the batches.

    Raises ValueError for arrays that do not fit.
    """

    def __init__(
        self,
        x: Any,
        y: Any,
        image_data_generator: Any,
        batch_size: int = 32,
        shuffle: bool = False,
        sample_weight: Any = None,
        seed: int | None = None,
        data_format: str | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        ignore_class_split: bool = False,
        dtype: Any = None,
    ) -> None:
        self.dtype = dtype or floatx()
        x = np.asarray(x, self.dtype)
        if x.ndim != 4:
            raise ValueError(
                f"Input data in `NumpyArrayIterator` should have rank 4. You passed an array with {x.shape}"
            )
        parts = [x, *(None if one is None else np.asarray(one) for one in (y, sample_weight))]
        for name, part in zip(("y", "sample_weight"), parts[1:], strict=True):
            if part is not None and len(part) != len(x):
                raise ValueError(f"`x` and `{name}` should have the same length. Found: {x.shape} and {part.shape}")
        if subset is not None:
            parts = _subset(parts, image_data_generator.validation_split, subset, ignore_class_split)
        self.x, self.y, self.sample_weight = parts
        self.image_data_generator = image_data_generator
        self._set_saving(save_to_dir, save_prefix, save_format, data_format)
        super().__init__(len(self.x), batch_size, shuffle, seed)

    def _get_batches_of_transformed_samples(self, index_array: np.ndarray) -> Any:
        images = self._changed(self.x[index_array], index_array)
        more = [part[index_array] for part in (self.y, self.sample_weight) if part is not None]
        return (images, *more) if self.y is not None else images


def _subset(parts: list, share: float, subset: str, ignore_classes: bool) -> list:
    if subset not in ("training", "validation"):
        raise ValueError(f'Invalid subset name: {subset}; expected "training" or "validation".')
    at = int(len(parts[0]) * share)
    y = parts[1]
    if y is not None and not ignore_classes and not np.array_equal(np.unique(y[:at]), np.unique(y[at:])):
        raise ValueError(
            "Training and validation subsets have different number of classes after the split. If your numpy arrays "
            "are sorted by the label, you might want to shuffle them."
        )
    where = slice(at) if subset == "validation" else slice(at, None)
    return [None if part is None else part[where] for part in parts]


class DirectoryIterator(_ImageIterator):
    """Batches of changed images of the files in a directory with a folder for each class.

    Args:
        directory: the path.
        image_data_generator: makes the changes.
        target_size: height and width that the images are resized to.
        color_mode: "rgb", "rgba" or "grayscale".
        classes: the folders to take, in the order of their numbers; None: all, sorted.
        class_mode: labels are "categorical" (one-hot), "binary" or "sparse" (numbers), "input" (the images themselves),
            or None.
        batch_size: images in a batch.
        shuffle: whether each epoch has them in another random order.
        seed: of the order and the changes.
        data_format: where the channels are; None: as `layerkit.config` says.
        save_to_dir: a folder that changed images are written to.
        save_prefix: how the files' names begin.
        save_format: their ending.
        follow_links: whether links to folders are followed.
        subset: "training" or "validation", where the generator has a `validation_split`: the first of each class
            validate.
        interpolation: Pillow's "nearest", "bilinear", "bicubic", "hamming", "box" or "lanczos".
        keep_aspect_ratio: whether to cut off what does not fit the shape.
        dtype: of the batches.

    Attributes:
        filepaths: of the images.
        classes: int32 [n], the number of each one's class.
        class_indices: the number of each class's name.

    Raises ValueError for other arguments.
    """

    def __init__(
        self,
        directory: Any,
        image_data_generator: Any,
        target_size: tuple[int, int] = (256, 256),
        color_mode: str = "rgb",
        classes: Sequence[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        data_format: str | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
        dtype: Any = None,
    ) -> None:
        if class_mode not in CLASS_MODES:
            raise ValueError(f"Invalid class_mode: {class_mode}; expected one of: {CLASS_MODES}")
        if color_mode not in CHANNELS:
            raise ValueError(f'Invalid color mode: {color_mode}; expected "rgb", "rgba", or "grayscale".')
        if subset not in ("training", "validation", None):
            raise ValueError(f'Invalid subset name: {subset}; expected "training" or "validation"')
        files = index(directory, "inferred", IMAGES, classes, follow_links)
        chosen = _of_subset(files.labels, image_data_generator.validation_split, subset)
        self.directory = directory
        self.filepaths = [files.paths[at] for at in chosen]
        self.filenames = [os.path.relpath(path, directory) for path in self.filepaths]
        self.classes = files.labels[chosen]
        self.class_indices = {name: at for at, name in enumerate(files.class_names)}
        self.num_classes, self.samples = len(files.class_names), len(self.filepaths)
        self.target_size, self.color_mode, self.class_mode = tuple(target_size), color_mode, class_mode
        self.interpolation, self.keep_aspect_ratio = interpolation, keep_aspect_ratio
        self.image_data_generator = image_data_generator
        self.dtype = dtype or floatx()
        self._set_saving(save_to_dir, save_prefix, save_format, data_format)
        print(f"Found {self.samples} images belonging to {self.num_classes} classes.")
        super().__init__(self.samples, batch_size, shuffle, seed)

    @property
    def labels(self) -> np.ndarray:
        """The number of each image's class."""
        return self.classes

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Of one image."""
        channels = CHANNELS[self.color_mode]
        last = self.data_format == "channels_last"
        return (*self.target_size, channels) if last else (channels, *self.target_size)

    def _read(self, path: str) -> np.ndarray:
        image = load_img(path, self.color_mode, self.target_size, self.interpolation, self.keep_aspect_ratio)
        return img_to_array(image, self.data_format)

    def _get_batches_of_transformed_samples(self, index_array: np.ndarray) -> Any:
        images = self._changed([self._read(self.filepaths[at]) for at in index_array], index_array)
        if self.class_mode is None:
            return images
        if self.class_mode == "input":
            return images, images.copy()
        labels = self.classes[index_array]
        if self.class_mode == "categorical":
            return images, in_mode(labels, "categorical", self.num_classes).astype(self.dtype)
        return images, labels.astype(self.dtype)


def _of_subset(labels: np.ndarray, share: float, subset: str | None) -> np.ndarray:
    """The numbers of the files of a subset: the first ones of each class validate."""
    if subset is None:
        return np.arange(len(labels))
    kept = []
    for one in np.unique(labels):
        numbers = np.flatnonzero(labels == one)
        at = int(share * len(numbers))
        kept.append(numbers[:at] if subset == "validation" else numbers[at:])
    return np.concatenate(kept) if kept else np.arange(0)
