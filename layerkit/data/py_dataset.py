"""`PyDataset`: batches that user code computes by their number."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Any

import numpy as np

from layerkit.data.base import Adapter, Batch
from layerkit.data.generators import standardize_batch
from layerkit.data.prefetch import ordered_map


class PyDataset:
    """Base class of data sets that compute whole batches in Python.

    A subclass defines `__len__` (the number of batches; or the property `num_batches`, None for endless data)
    and `__getitem__`, which returns `(x,)`, `(x, y)` or `(x, y, sample_weight)`.

    Args:
        workers: threads that compute batches ahead; with 0 or 1 they are computed when they are needed.
        use_multiprocessing: must be False; worker processes are not supported yet.
        max_queue_size: batches that threads compute ahead at most.

    Raises:
        NotImplementedError: `use_multiprocessing` is true.
        ValueError: a number is negative.

    Example:
        >>> class Squares(PyDataset):
        ...     def __len__(self):
        ...         return 3
        ...     def __getitem__(self, index):
        ...         return np.full((2, 1), index), np.full((2, 1), index**2)
        >>> [int(y[0, 0]) for _, y in Squares()]
        [0, 1, 4]
    """

    # Class-level defaults serve subclasses that do not call super().__init__().
    _workers = 1
    _use_multiprocessing = False
    _max_queue_size = 10

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10):
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

    @property
    def workers(self) -> int:
        """Threads that compute batches ahead."""
        return self._workers

    @workers.setter
    def workers(self, value: int) -> None:
        if value < 0:
            raise ValueError(f"`workers` must not be negative, got {value}.")
        self._workers = value

    @property
    def use_multiprocessing(self) -> bool:
        """Always False: batches are computed by threads."""
        return self._use_multiprocessing

    @use_multiprocessing.setter
    def use_multiprocessing(self, value: bool) -> None:
        if value:
            raise NotImplementedError(
                "`use_multiprocessing=True` is not supported: batches are computed by threads. Use `workers` > 1 "
                "(NumPy and file reading release the interpreter's lock)."
            )
        self._use_multiprocessing = False

    @property
    def max_queue_size(self) -> int:
        """Batches that threads compute ahead at most."""
        return self._max_queue_size

    @max_queue_size.setter
    def max_queue_size(self, value: int) -> None:
        if value < 1:
            raise ValueError(f"`max_queue_size` must be at least 1, got {value}.")
        self._max_queue_size = value

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define `__getitem__(index)`, which returns a batch.")

    def __iter__(self) -> Iterator[Any]:
        count = self.num_batches
        for index in itertools.count() if count is None else range(count):
            yield self[index]

    @property
    def num_batches(self) -> int | None:
        """Batches in an epoch; None if the data are endless."""
        if hasattr(self, "__len__"):
            return len(self)
        raise NotImplementedError(f"{type(self).__name__} must define `__len__` or the property `num_batches`.")

    def on_epoch_begin(self) -> None:
        """Called before each epoch of `fit`."""

    def on_epoch_end(self) -> None:
        """Called after each epoch of `fit`."""


class PyDatasetAdapter(Adapter):
    """The batches of a `PyDataset`, their order shuffled each epoch if asked and not endless."""

    def __init__(
        self,
        dataset: PyDataset,
        shuffle: bool | str = False,
        class_weight: dict[int, float] | None = None,
        rng: np.random.Generator | None = None,
        floatx: str = "float32",
    ):
        self.dataset = dataset
        self.shuffle = bool(shuffle)
        self._class_weight = class_weight
        self._floatx = floatx
        self._seed = int((rng or np.random.default_rng()).integers(2**63)) if shuffle else 0
        if self.num_batches == 0:
            raise ValueError(f"The {type(dataset).__name__} has no batches: its length is 0.")

    @property
    def num_batches(self) -> int | None:  # type: ignore[override]
        """Asked anew each time: a data set may change its length between epochs."""
        return self.dataset.num_batches

    def batches(self, epoch: int = 0, start: int = 0) -> Iterator[Batch]:
        """The batches of an epoch, from the one numbered `start`."""
        dataset = self.dataset
        source = f"{type(dataset).__name__}.__getitem__"
        order = self._order(epoch, start)
        batches = (
            ordered_map(dataset.__getitem__, order, dataset.workers, dataset.max_queue_size)
            if dataset.workers > 1
            else (dataset[index] for index in order)
        )
        with closing(batches):  # ends the threads at once when the caller stops early
            for batch in batches:
                yield standardize_batch(batch, source, self._class_weight, self._floatx)

    def _order(self, epoch: int, start: int) -> Iterable[int]:
        count = self.num_batches
        if count is None:
            return itertools.count(start)
        if self.shuffle:
            return np.random.default_rng([self._seed, epoch]).permutation(count)[start:].tolist()
        return range(start, count)

    def on_epoch_begin(self) -> None:
        """Tell the data set that an epoch begins."""
        self.dataset.on_epoch_begin()

    def on_epoch_end(self) -> None:
        """Tell the data set that an epoch has ended."""
        self.dataset.on_epoch_end()
