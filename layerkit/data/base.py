"""What every source of batches has in common."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Batch = tuple[Any, Any, Any]
"""(x, y, sample_weight): structures of NumPy arrays [batch, ...]; y and sample_weight may be None."""


class Adapter:
    """A source of batches that can be read once an epoch.

    Attributes:
        num_batches: batches in an epoch; None when unknown before the data end, or endless.
        batch_size: samples in a batch but the last; None when the data decide.
        num_samples: samples in an epoch; None when unknown.
    """

    num_batches: int | None = None
    batch_size: int | None = None
    num_samples: int | None = None

    def batches(self, epoch: int = 0, start: int = 0) -> Iterator[Batch]:
        """The batches of an epoch, from the one numbered `start`.

        The arrays may be buffers that the next batch overwrites: whoever keeps one has to copy it.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define `batches`.")

    def on_epoch_begin(self) -> None:
        """Called by the training loop before an epoch's first batch."""

    def on_epoch_end(self) -> None:
        """Called by the training loop after an epoch's last batch."""
