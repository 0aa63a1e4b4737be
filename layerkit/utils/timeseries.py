"""Windows of series, and data sets cut in two."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from layerkit import tree
from layerkit.utils.samples import SampleDataset, check_format, random_seed

__all__ = ["split_dataset", "timeseries_dataset_from_array"]


def timeseries_dataset_from_array(
    data: Any,
    targets: Any,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int | None = 128,
    shuffle: bool = False,
    seed: int | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
    format: str = "tf",  # noqa: A002
) -> SampleDataset:
    """Windows of a series of data, each with the target of its first step.

    Args:
        data: [T, ...].
        targets: [T, ...]; None: windows without targets.
        sequence_length: steps in a window.
        sequence_stride: steps from one window's beginning to the next one's.
        sampling_rate: steps from one taken step to the next one.
        batch_size: None: windows are given one by one.
        shuffle: whether windows come in random order, each epoch in another one.
        seed: of the order.
        start_index: the first step that is used.
        end_index: the first step that is not used any more.
        format: has no effect; Keras' "tf" or "grain".

    Raises ValueError for numbers that do not fit the data.

    >>> windows = timeseries_dataset_from_array(np.arange(6), np.arange(6) * 10, sequence_length=3, batch_size=2)
    >>> [(x.tolist(), y.tolist()) for x, y in windows]
    [([[0, 1, 2], [1, 2, 3]], [0, 10]), ([[2, 3, 4], [3, 4, 5]], [20, 30])]
    """
    length = len(data)
    _check_span(length, start_index, end_index)
    for name, value in (("sampling_rate", sampling_rate), ("sequence_stride", sequence_stride)):
        if value <= 0:
            raise ValueError(f"`{name}` must be higher than 0. Received: {name}={value}")
        if value >= length:
            raise ValueError(
                f"`{name}` must be lower than the length of the data. Received: {name}={value}, for data of length "
                f"{length}"
            )
    check_format(format)
    start, end = start_index or 0, length if end_index is None else end_index
    count = end - start - (sequence_length - 1) * sampling_rate
    count = count if targets is None else min(count, len(targets))
    first = np.arange(0, max(count, 0), sequence_stride)
    if shuffle:
        seed = random_seed() if seed is None else seed
        np.random.RandomState(seed).shuffle(first)
    steps = np.arange(sequence_length) * sampling_rate
    x = np.asarray(data)[start:end]
    y = None if targets is None else np.asarray(targets)[start:end]

    def load(numbers: np.ndarray) -> Any:
        window = x[first[numbers][:, None] + steps]
        return window if y is None else (window, y[first[numbers]])

    return SampleDataset(len(first), load, batch_size, shuffle, seed)


def _check_span(length: int, start: int | None, end: int | None) -> None:
    if start is not None and start < 0:
        raise ValueError(f"`start_index` must be 0 or greater. Received: start_index={start}")
    if start is not None and start >= length:
        raise ValueError(
            f"`start_index` must be lower than the length of the data. Received: start_index={start}, for data of "
            f"length {length}"
        )
    if end is None:
        return
    if end <= (start or 0):
        raise ValueError(
            f"`end_index` must be higher than `start_index`. Received: start_index={start}, and end_index={end}"
        )
    if end >= length:
        raise ValueError(
            f"`end_index` must be lower than the length of the data. Received: end_index={end}, for data of length "
            f"{length}"
        )


def split_dataset(
    dataset: Any,
    left_size: float | None = None,
    right_size: float | None = None,
    shuffle: bool = False,
    seed: int | None = None,
    preferred_backend: str | None = None,
) -> tuple[SampleDataset, SampleDataset]:
    """Data cut in two, as for training and validation. What comes is sample by sample: see `SampleDataset.batch`.

    Args:
        dataset: an array, a list or tuple of arrays with as many rows each, or any loop of samples.
        left_size: a share from 0 to 1, or a number of samples; None: what the right one leaves.
        right_size: the same of the other part.
        shuffle: whether samples are shuffled before.
        seed: of the order.
        preferred_backend: has no effect; Keras' name of a kind of data set.

    Raises ValueError for sizes that do not fit.

    >>> left, right = split_dataset(np.arange(10), left_size=0.8)
    >>> [int(x) for x in right]
    [8, 9]
    """
    samples = _samples(dataset)
    left, right = _sizes(len(samples), left_size, right_size)
    order = list(range(len(samples)))
    if shuffle:
        random.Random(random_seed() if seed is None else seed).shuffle(order)

    def part(numbers: list[int]) -> SampleDataset:
        def load(chosen: np.ndarray) -> Any:
            return tree.map_structure(lambda *x: np.stack(x), *(samples[numbers[at]] for at in chosen))

        return SampleDataset(len(numbers), load)

    return part(order[:left]), part(order[len(order) - right :] if left + right < len(order) else order[left:])


def _samples(dataset: Any) -> list:
    if isinstance(dataset, list | tuple) and dataset and all(isinstance(one, np.ndarray) for one in dataset):
        if len({len(one) for one in dataset}) > 1:
            raise ValueError(
                "Received a list of NumPy arrays with different lengths: " + ", ".join(str(len(one)) for one in dataset)
            )
        return [type(dataset)(rows) for rows in zip(*dataset, strict=True)]
    if isinstance(dataset, np.ndarray | list | tuple) or hasattr(dataset, "__iter__"):
        return list(dataset)
    if hasattr(dataset, "__getitem__") and hasattr(dataset, "__len__"):
        return [dataset[at] for at in range(len(dataset))]
    raise TypeError(
        f"The `dataset` argument must be an array, a list or tuple of arrays, or a loop of samples; got "
        f"{type(dataset)}."
    )


def _sizes(total: int, left: float | None, right: float | None) -> tuple[int, int]:
    if left is None and right is None:
        raise ValueError("At least one of the `left_size` or `right_size` must be specified. Received: both None")
    counts = []
    for name, size in (("left_size", left), ("right_size", right)):
        if size is not None and not isinstance(size, int | float):
            raise TypeError(f"Invalid `{name}` type. Expected int or float or None. Received: {type(size)}.")
        if size is not None and not (0 < size < total if isinstance(size, int) else 0 < size < 1):
            raise ValueError(
                f"`{name}` should be a positive integer below the number of samples, {total}, or a float between 0 and "
                f"1. Received: {name}={size}"
            )
        counts.append(size if size is None or isinstance(size, int) else round(size * total))
    left_count, right_count = counts
    left_count = total - right_count if left_count is None else left_count
    right_count = total - left_count if right_count is None else right_count
    if left_count + right_count > total:
        raise ValueError(
            f"The sum of `left_size` and `right_size` should be at most the number of samples, {total}. Received: "
            f"left_size={left}, right_size={right}"
        )
    if not left_count or not right_count:
        raise ValueError(f"Of {total} samples one part would be empty: left_size={left}, right_size={right}.")
    return left_count, right_count
