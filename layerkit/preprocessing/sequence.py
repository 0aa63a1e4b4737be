"""Sequences, as `keras.preprocessing.sequence` has it."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any

import numpy as np

from layerkit.data import PyDataset
from layerkit.utils.sequences import pad_sequences

__all__ = ["TimeseriesGenerator", "make_sampling_table", "pad_sequences", "skipgrams"]

EULER = 0.577  # Keras' value of the Euler-Mascheroni constant


class TimeseriesGenerator(PyDataset):
    """Batches of windows of a series, each with the target of the step after its window.

    New programs use `layerkit.utils.timeseries_dataset_from_array`.

    Args:
        data: the series [steps, ...]: an array, or a list.
        targets: a target for each step, [steps, ...].
        length: steps that a window reaches back.
        sampling_rate: each how many steps of a window are taken.
        stride: steps from one window to the next.
        start_index: the first step that windows take.
        end_index: the last step whose target is taken; None: the last one of all.
        shuffle: whether windows are drawn at random, by NumPy's global generator, in place of in order.
        reverse: whether the steps of a window run backwards.
        batch_size: windows in a batch; the last batch may have fewer.
        **kwargs: those of PyDataset.

    Raises:
        ValueError: data and targets differ in length, no window fits, or a number is out of range.

    >>> batches = TimeseriesGenerator(np.arange(6), np.arange(6) * 10, length=3, batch_size=2)
    >>> x, y = batches[0]
    >>> x.tolist(), y.tolist(), len(batches)
    ([[0, 1, 2], [1, 2, 3]], [30, 40], 2)
    """

    def __init__(
        self,
        data: Any,
        targets: Any,
        length: int,
        sampling_rate: int = 1,
        stride: int = 1,
        start_index: int = 0,
        end_index: int | None = None,
        shuffle: bool = False,
        reverse: bool = False,
        batch_size: int = 128,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if len(data) != len(targets):
            raise ValueError(
                f"Data and targets have to be of same length. Data length is {len(data)} while target length is "
                f"{len(targets)}"
            )
        numbers = {"length": length, "sampling_rate": sampling_rate, "stride": stride, "batch_size": batch_size}
        for name, value in numbers.items():
            if value < 1:
                raise ValueError(f"TimeseriesGenerator: `{name}` must be at least 1. Received: {name}={value}")
        self.data, self.targets = data, targets
        self.length, self.sampling_rate, self.stride = length, sampling_rate, stride
        self.start_index = start_index + length  # the first step whose target is taken
        self.end_index = len(data) - 1 if end_index is None else end_index
        self.shuffle, self.reverse, self.batch_size = shuffle, reverse, batch_size
        if self.start_index > self.end_index:
            raise ValueError(
                f"`start_index+length={self.start_index} > end_index={self.end_index}` is disallowed, as no part of "
                "the sequence would be left to be used as current step."
            )
        if self.end_index >= len(data):
            raise ValueError(
                f"TimeseriesGenerator: `end_index` must be below the {len(data)} steps of the data. "
                f"Received: end_index={end_index}"
            )

    def __len__(self) -> int:
        steps = self.batch_size * self.stride
        return (self.end_index - self.start_index + steps) // steps

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        if self.shuffle:
            ends = np.random.randint(self.start_index, self.end_index + 1, size=self.batch_size)  # noqa: NPY002
        else:
            steps = self.batch_size * self.stride
            first = self.start_index + steps * index
            ends = np.arange(first, min(first + steps, self.end_index + 1), self.stride)
        windows = np.array([self.data[end - self.length : end : self.sampling_rate] for end in ends])
        targets = np.array([self.targets[end] for end in ends])
        return (windows[:, ::-1] if self.reverse else windows), targets

    def get_config(self) -> dict[str, Any]:
        """The arguments; data and targets as texts of JSON. Raises TypeError where those cannot be."""
        return {
            "data": _json(self.data, "Data"), "targets": _json(self.targets, "Targets"), "length": self.length,
            "sampling_rate": self.sampling_rate, "stride": self.stride, "start_index": self.start_index - self.length,
            "end_index": self.end_index, "shuffle": self.shuffle, "reverse": self.reverse,
            "batch_size": self.batch_size,
        }  # fmt: skip

    def to_json(self, **kwargs: Any) -> str:
        """Class and configuration as JSON; the arguments are those of `json.dumps`."""
        return json.dumps({"class_name": type(self).__name__, "config": self.get_config()}, **kwargs)


def _json(values: Any, what: str) -> str:
    try:
        return json.dumps(values.tolist() if isinstance(values, np.ndarray | np.generic) else values)
    except TypeError as error:
        raise TypeError(f"{what} not JSON Serializable: {values}") from error


def make_sampling_table(size: int, sampling_factor: float = 1e-5) -> np.ndarray:
    """The chance of each word to be kept, by its rank among the words from the most frequent on: float64 [size].

    Frequencies are taken to follow Zipf's law: that of rank r is about 1 / (r (log(r) + 0.577) + 1/2 - 1/(12 r)). A
    word of frequency f is kept with the chance min(1, sqrt(sampling_factor / f)), as Mikolov et al. have it
    (Distributed Representations of Words and Phrases, 2013). Rank 0, which stands for no word, is as rank 1.

    >>> make_sampling_table(4, sampling_factor=0.01).round(3).tolist()
    [0.1, 0.1, 0.173, 0.235]
    """
    rank = np.maximum(np.arange(size), 1)
    times_rarer = rank * (np.log(rank) + EULER) + 0.5 - 1 / (12 * rank)
    return np.minimum(1.0, np.sqrt(sampling_factor * times_rarer))


def skipgrams(
    sequence: Sequence[int],
    vocabulary_size: int,
    window_size: int = 4,
    negative_samples: float = 1.0,
    shuffle: bool = True,
    categorical: bool = False,
    sampling_table: np.ndarray | None = None,
    seed: int | None = None,
) -> tuple[list[list[int]], list]:
    """Pairs (word, word beside it) of a sequence, and pairs with words drawn at random, with their labels.

    Args:
        sequence: numbers of words; 0 stands for no word, and is in no pair.
        vocabulary_size: words are drawn from 1 to this number, less one.
        window_size: how far apart the words of a pair are at most.
        negative_samples: how many drawn pairs there are for each real one.
        shuffle: whether the pairs are put into a random order.
        categorical: whether labels are [0, 1] for real pairs and [1, 0] for drawn ones, in place of 1 and 0.
        sampling_table: the chance of each word to be kept (`make_sampling_table`), [vocabulary_size].
        seed: of all that is drawn; None: another one each time.

    >>> skipgrams([5, 2, 7], vocabulary_size=10, window_size=1, negative_samples=0, shuffle=False)
    ([[5, 2], [2, 5], [2, 7], [7, 2]], [1, 1, 1, 1])
    """
    generator = random.Random(seed)
    pairs = []
    for place, word in enumerate(sequence):
        if not word or (sampling_table is not None and sampling_table[word] < generator.random()):
            continue
        first = max(0, place - window_size)
        beside = [*sequence[first:place], *sequence[place + 1 : place + window_size + 1]]
        pairs += [[word, other] for other in beside if other]
    real, drawn = ([0, 1], [1, 0]) if categorical else (1, 0)
    labels = [real] * len(pairs)
    if negative_samples > 0 and pairs:
        words = [word for word, _ in pairs]
        generator.shuffle(words)
        count = int(len(pairs) * negative_samples)
        pairs += [[words[n % len(words)], generator.randint(1, vocabulary_size - 1)] for n in range(count)]
        labels += [drawn] * count
    if shuffle:
        order = list(range(len(pairs)))
        generator.shuffle(order)
        pairs, labels = [pairs[n] for n in order], [labels[n] for n in order]
    return pairs, labels
