"""Data sets whose samples are computed by their number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from layerkit import tree
from layerkit.data import PyDataset

__all__: list[str] = []


class SampleDataset(PyDataset):
    """Batches of numbered samples; `fit` takes it, and loops over it give the batches.

    The first epoch has the samples in their order; where it shuffles, each epoch of `fit` that follows has another one.

    Args:
        count: how many samples there are.
        load: the batch of the samples with some numbers, int64 [n].
        batch_size: None: samples are given one by one, without a batch axis.
        shuffle: whether epochs differ.
        seed: of the shuffling; None: another one in each run.
        workers: threads that compute batches ahead.

    Attributes:
        class_names: of data sets made from directories.
        file_paths: of data sets made from directories.

    >>> squares = SampleDataset(5, lambda numbers: (numbers, numbers**2), batch_size=2)
    >>> [y.tolist() for x, y in squares]
    [[0, 1], [4, 9], [16]]
    """

    class_names: list[str] | None = None
    file_paths: list[str] | None = None

    def __init__(
        self,
        count: int,
        load: Callable[[np.ndarray], Any],
        batch_size: int | None = None,
        shuffle: bool = False,
        seed: int | None = None,
        workers: int = 1,
    ) -> None:
        super().__init__(workers=workers)
        if batch_size is not None and batch_size < 1:
            raise ValueError(f"`batch_size` must be at least 1, or None; got {batch_size}.")
        self.batch_size = batch_size
        self._load, self._shuffle = load, shuffle
        self._order = np.arange(count)
        self._random = np.random.default_rng(seed)

    def __len__(self) -> int:
        return -(-len(self._order) // (self.batch_size or 1))

    def __getitem__(self, index: int) -> Any:
        if not -len(self) <= index < len(self):
            raise IndexError(f"There is no batch {index}: the data set has {len(self)}.")
        size, first = self.batch_size or 1, index % len(self)
        batch = self._load(self._order[first * size : (first + 1) * size])
        return batch if self.batch_size else tree.map_structure(lambda x: x[0], batch)

    def on_epoch_end(self) -> None:
        """Shuffle."""
        if self._shuffle:
            self._order = self._random.permutation(self._order)

    def batch(self, batch_size: int) -> SampleDataset:
        """The same samples in batches of another size."""
        made = SampleDataset(0, self._load, batch_size, self._shuffle, workers=self.workers)
        made._order, made._random = self._order, self._random
        made.class_names, made.file_paths = self.class_names, self.file_paths
        return made


def random_seed() -> int:
    """A seed from NumPy's generator, which `set_random_seed` makes predictable."""
    return int(np.random.randint(1_000_000))  # noqa: NPY002 - the generator that users seed


def check_format(format: str) -> None:  # noqa: A002 - Keras' name
    """Raises ValueError for a `format` that Keras does not have; here there is one kind of data set."""
    if format not in ("tf", "grain"):
        raise ValueError(f'`format` should be either "tf" or "grain". Received: format={format}')
