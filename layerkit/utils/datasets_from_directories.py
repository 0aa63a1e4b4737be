"""Data sets of the images, texts and sounds in a directory."""

from __future__ import annotations

import wave
from collections.abc import Sequence
from typing import Any

import numpy as np

from layerkit import ops
from layerkit.config import standardize_data_format
from layerkit.utils.directories import Request
from layerkit.utils.images import img_to_array, load_img
from layerkit.utils.samples import SampleDataset, check_format

__all__ = ["audio_dataset_from_directory", "image_dataset_from_directory", "text_dataset_from_directory"]

IMAGES = (".bmp", ".gif", ".jpeg", ".jpg", ".png")
INTERPOLATIONS = ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5")
COLOURS = ("rgb", "rgba", "grayscale")


def image_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    color_mode: str = "rgb",
    batch_size: int | None = 32,
    image_size: int | Sequence[int] = (256, 256),
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    interpolation: str = "bilinear",
    follow_links: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    data_format: str | None = None,
    format: str = "tf",  # noqa: A002
    verbose: bool = True,
) -> SampleDataset | list[SampleDataset]:
    """Batches of the images (.bmp, .gif, .jpeg, .jpg, .png) in a directory: float32 [N, H, W, C] and labels.

    Reading them takes Pillow (the extra `images`).

    Args:
        directory: with a folder for each class, unless labels are given.
        labels: "inferred" from the folders; a list with one for each file, in the order of the sorted paths; or None.
        label_mode: "int", "categorical" (one-hot), "binary" ([N, 1]) or None.
        class_names: the folders to take, in the order of their numbers; None: all, sorted.
        color_mode: "rgb", "rgba" or "grayscale".
        batch_size: None: images come one by one.
        image_size: height and width that the images are resized to.
        shuffle: whether they come in random order, another one in each epoch of `fit`; else sorted by path.
        seed: of the order.
        validation_split: the share that is kept for validation.
        subset: "training", "validation", or "both" for a list of two data sets.
        interpolation: "bilinear", "nearest", "bicubic", "lanczos3" or "lanczos5".
        follow_links: whether links to folders are followed.
        crop_to_aspect_ratio: whether what does not fit the shape is cut off, so that nothing is distorted.
        pad_to_aspect_ratio: whether images are filled up to the shape with zeros instead.
        data_format: where the channels are; None: as `layerkit.config` says.
        format: has no effect; Keras' "tf" or "grain".
        verbose: whether to print how many files there are.

    Returns a data set that `fit` takes, with `class_names` and `file_paths`. Raises ValueError for other arguments.
    """
    if color_mode not in COLOURS:
        raise ValueError(
            f'`color_mode` must be one of {{"rgb", "rgba", "grayscale"}}. Received: color_mode={color_mode}'
        )
    size = (image_size, image_size) if isinstance(image_size, int) else tuple(image_size)
    if len(size) != 2:
        raise ValueError(
            f"Invalid `image_size` value. Expected a tuple of 2 integers. Received: image_size={image_size}"
        )
    if interpolation.lower() not in INTERPOLATIONS:
        raise ValueError(
            f"Argument `interpolation` should be one of {INTERPOLATIONS}. Received: interpolation={interpolation}"
        )
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError("Only one of `pad_to_aspect_ratio`, `crop_to_aspect_ratio` can be set to `True`.")
    check_format(format)
    data_format = standardize_data_format(data_format)

    def load(paths: list[str]) -> np.ndarray:
        images = []
        for path in paths:
            image = img_to_array(load_img(path, color_mode), "channels_last", "float32")
            resized = ops.image.resize(
                image, size, interpolation.lower(), crop_to_aspect_ratio=crop_to_aspect_ratio,
                pad_to_aspect_ratio=pad_to_aspect_ratio, data_format="channels_last",
            )  # fmt: skip
            images.append(resized.numpy())
        batch = np.stack(images)
        return batch if data_format == "channels_last" else np.moveaxis(batch, -1, 1)

    request = Request(
        directory, labels, label_mode, class_names, batch_size, shuffle, seed, validation_split, subset, follow_links,
        verbose,
    )  # fmt: skip
    made = request.datasets(IMAGES, "images", load)
    return made if subset == "both" else made[0]


def text_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    max_length: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    format: str = "tf",  # noqa: A002
    verbose: bool = True,
) -> SampleDataset | list[SampleDataset]:
    """Batches of the texts (.txt, in UTF-8) in a directory: arrays [N] of strings, and labels.

    Args:
        directory: with a folder for each class, unless labels are given.
        labels: "inferred" from the folders; a list with one for each file, in the order of the sorted paths; or None.
        label_mode: "int", "categorical" (one-hot), "binary" ([N, 1]) or None.
        class_names: the folders to take, in the order of their numbers; None: all, sorted.
        batch_size: None: texts come one by one.
        max_length: how many characters of a text are kept.
        shuffle: whether they come in random order, another one in each epoch of `fit`; else sorted by path.
        seed: of the order.
        validation_split: the share that is kept for validation.
        subset: "training", "validation", or "both" for a list of two data sets.
        follow_links: whether links to folders are followed.
        format: has no effect; Keras' "tf" or "grain".
        verbose: whether to print how many files there are.

    Raises ValueError for other arguments.
    """
    check_format(format)

    def load(paths: list[str]) -> np.ndarray:
        texts = np.empty(len(paths), object)
        for at, path in enumerate(paths):
            with open(path, encoding="utf-8") as file:
                texts[at] = file.read(-1 if max_length is None else max_length)
        return texts

    request = Request(
        directory, labels, label_mode, class_names, batch_size, shuffle, seed, validation_split, subset, follow_links,
        verbose,
    )  # fmt: skip
    made = request.datasets((".txt",), "text files", load)
    return made if subset == "both" else made[0]


def audio_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    sampling_rate: int | None = None,
    output_sequence_length: int | None = None,
    ragged: bool = False,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    verbose: bool = True,
) -> SampleDataset | tuple[SampleDataset, ...]:
    """Batches of the sounds (.wav, PCM) in a directory: float32 [N, T, channels] from -1 to 1, and labels.

    Args:
        directory: with a folder for each class, unless labels are given.
        labels: "inferred" from the folders; a list with one for each file, in the order of the sorted paths; or None.
        label_mode: "int", "categorical" (one-hot), "binary" ([N, 1]) or None.
        class_names: the folders to take, in the order of their numbers; None: all, sorted.
        batch_size: None: sounds come one by one.
        sampling_rate: in Hz, which the files have to have: they are not resampled.
        output_sequence_length: how many steps of a sound are kept, zeros behind; None: those of a batch's longest.
        ragged: must be False: tensors have one length.
        shuffle: whether they come in random order, another one in each epoch of `fit`; else sorted by path.
        seed: of the order.
        validation_split: the share that is kept for validation.
        subset: "training", "validation", or "both" for two data sets.
        follow_links: whether links to folders are followed.
        verbose: whether to print how many files there are.

    Raises ValueError for other arguments, NotImplementedError for ragged tensors and where a file has another rate.
    """
    if ragged:
        raise NotImplementedError("audio_dataset_from_directory: there are no ragged tensors; leave `ragged` False.")
    if sampling_rate is not None and (not isinstance(sampling_rate, int) or sampling_rate <= 0):
        raise ValueError(f"`sampling_rate` should be a positive integer. Received: sampling_rate={sampling_rate}")

    def load(paths: list[str]) -> np.ndarray:
        sounds = [read_wave(path, sampling_rate) for path in paths]
        length = output_sequence_length or max(len(sound) for sound in sounds)
        batch = np.zeros((len(sounds), length, sounds[0].shape[1]), "float32")
        for row, sound in zip(batch, sounds, strict=True):
            row[: len(sound)] = sound[:length]
        return batch

    request = Request(
        directory, labels, label_mode, class_names, batch_size, shuffle, seed, validation_split, subset, follow_links,
        verbose,
    )  # fmt: skip
    made = request.datasets((".wav",), "audio files", load)
    return tuple(made) if subset == "both" else made[0]


def read_wave(path: str, sampling_rate: int | None = None) -> np.ndarray:
    """The sound of a .wav file, float32 [T, channels] from -1 to 1.

    Raises NotImplementedError for a rate other than the file's; wave.Error for what is no PCM file.
    """
    with wave.open(path, "rb") as file:
        if sampling_rate not in (None, file.getframerate()):
            raise NotImplementedError(
                f"{path} has {file.getframerate()} Hz; layerkit does not resample it to sampling_rate={sampling_rate}."
            )
        width, channels = file.getsampwidth(), file.getnchannels()
        data = np.frombuffer(file.readframes(file.getnframes()), np.uint8).reshape(-1, channels, width)
    if width == 1:  # unsigned, by the format's definition
        return (data[..., 0].astype("float32") - 128) / 128
    # The bytes as the upper ones of 32 bits, whose top one is the sign.
    whole = np.zeros((*data.shape[:2], 4), np.uint8)
    whole[..., 4 - width :] = data
    return (whole.view("<i4")[..., 0] / np.float64(2**31)).astype("float32")
