"""How many batches an epoch has, and where it starts."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from itertools import islice

from layerkit import config
from layerkit.data.base import Adapter, Batch


class EpochIterator:
    """The batches of one epoch after another.

    Without `steps_per_epoch` an epoch is the whole of the data. With it, an epoch is that many batches, and the
    next goes on where it stopped; the data start again when an epoch ends with all of them used.
    """

    def __init__(self, adapter: Adapter, steps_per_epoch: int | None = None):
        self.adapter = adapter
        cap = config.max_steps_per_epoch()
        if cap is not None:
            steps_per_epoch = min(n for n in (steps_per_epoch or adapter.num_batches, cap) if n is not None)
        self.steps_per_epoch = steps_per_epoch
        self._running: Iterator[Batch] | None = None

    @property
    def num_batches(self) -> int | None:
        """Batches in an epoch; None if only the end of the data will tell."""
        return self.steps_per_epoch or self.adapter.num_batches

    def epoch(self, number: int, start: int = 0) -> Iterator[Batch]:
        """The batches of the epoch `number`, from the one numbered `start`.

        Warns where the data end before `steps_per_epoch` batches.

        Raises:
            ValueError: there is no batch at all.
        """
        self.adapter.on_epoch_begin()
        count = start
        for batch in self._batches(number, start):
            count += 1
            yield batch
        if count == 0:
            raise ValueError(
                f"The data yielded no batch in epoch {number + 1}. A generator can be read only once: it has to go "
                "on for all epochs (then pass `steps_per_epoch`), or pass an iterable that can be read again."
            )
        if self.steps_per_epoch is not None and count < self.steps_per_epoch:
            self._running = None
            warnings.warn(
                f"The data ended after {count} of {self.steps_per_epoch} steps (`steps_per_epoch`), and epoch "
                f"{number + 1} with them.",
                stacklevel=2,
            )
        self.adapter.on_epoch_end()

    def _batches(self, number: int, start: int) -> Iterator[Batch]:
        steps, total = self.steps_per_epoch, self.adapter.num_batches
        if steps is None:
            return self.adapter.batches(number, start)
        if total is not None:
            # No state but the epoch's number, so that training can be resumed at any place.
            data_pass, place = divmod(number, math.ceil(total / steps))
            return islice(self.adapter.batches(data_pass, place * steps + start), steps - start)
        if self._running is None:
            self._running = self.adapter.batches(number, start)
        return islice(self._running, steps - start)
