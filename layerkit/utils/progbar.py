"""A progress bar for loops of one's own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from layerkit.callbacks.progress import Progress


class Progbar:
    """Shows how far a loop is, and the means of values.

    Args:
        target: how many steps there are, None if unknown.
        width: characters of the bar.
        verbose: 0 shows nothing, 1 a bar (on a terminal), 2 one line at the end.
        interval: seconds between drawings.
        stateful_metrics: names of values that are shown as they are; of others the mean over steps is.
        stateless_metrics: names of values whose mean is shown; others are shown as they are. Not with the above.
        unit_name: what a step is called.

    Raises:
        ValueError: both kinds of names are given.

    Example:
        >>> bar = Progbar(2, verbose=0)
        >>> bar.update(1, [("loss", 3.0)])
        >>> bar.add(1, [("loss", 1.0)])
        >>> bar.values
        {'loss': 2.0}
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ):
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ValueError("Only one of `stateful_metrics` and `stateless_metrics` can be given.")
        self.target = target
        self.width = width
        self.verbose = verbose
        self.interval = interval
        self.unit_name = unit_name
        self.stateful_metrics = None if stateful_metrics is None else set(stateful_metrics)
        self.stateless_metrics = None if stateless_metrics is None else set(stateless_metrics)
        self._sums: dict[str, tuple[Any, int]] = {}
        self._seen_so_far = 0
        self._progress = Progress(verbose, target, label="", unit=unit_name, width=width, interval=interval)
        self._progress.begin()

    @property
    def values(self) -> dict[str, Any]:
        """The values that are shown."""
        return {name: total / count for name, (total, count) in self._sums.items()}

    def update(
        self, current: int, values: Iterable[tuple[str, Any]] | None = None, finalize: bool | None = None
    ) -> None:
        """Note that so many steps are done.

        Args:
            current: how many.
            values: pairs (name, value) of the steps since the last update.
            finalize: whether this is the end; None: where the target is reached.
        """
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        steps = max(current - self._seen_so_far, 1)
        for name, value in values or ():
            total, count = self._sums.get(name, (0.0, 0))
            averaged = self._is_averaged(name)
            self._sums[name] = (total + value * steps, count + steps) if averaged else (value, 1)
        self._seen_so_far = current
        self._progress.update(current, lambda: self.values)
        if finalize:
            self._progress.finish(self.values)

    def add(self, n: int, values: Iterable[tuple[str, Any]] | None = None) -> None:
        """Note that `n` more steps are done."""
        self.update(self._seen_so_far + n, values)

    def _is_averaged(self, name: str) -> bool:
        if self.stateless_metrics is not None:
            return name in self.stateless_metrics
        return name not in (self.stateful_metrics or ())
