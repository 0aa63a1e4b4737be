"""The progress display of `fit`, `evaluate` and `predict`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, TextIO

from layerkit import config
from layerkit.callbacks.callback import Callback, Logs

SECONDS_BETWEEN_UPDATES = 0.2
BAR_FORMAT = "{desc}: {n_fmt}/{total_fmt} |{bar:WIDTH}| {elapsed}<{remaining}{postfix}"
BAR_FORMAT_WITHOUT_TOTAL = "{desc}: {n_fmt}/? {elapsed}{postfix}"


class Progress:
    """Shows how far a loop over batches is: a bar on a terminal, one line at the end of an epoch elsewhere.

    The loop calls `begin`, then `update` after each step, then `finish`; `update` costs one look at the clock
    where nothing is due to be drawn.

    Args:
        verbose: 0 shows nothing, 1 a bar (on a terminal), 2 one line an epoch; `"auto"` is 1.
        steps: steps in an epoch, None if unknown.
        epochs: number of epochs, for the label.
        label: what stands before the numbers; by default the epoch.
        stream: where to; standard output by default, or the logger where interactive logging is off.
        unit: what a step is called.
        width: characters of the bar.
        interval: seconds between drawings of the bar; 0.2 where None.

    Raises:
        ValueError: `verbose` is something else.

    Example:
        >>> progress = Progress(verbose=0, steps=3)
        >>> progress.begin(0)
        >>> progress.update(1, {"loss": 0.5})
        >>> progress.finish({"loss": 0.5})
    """

    def __init__(
        self,
        verbose: int | str = "auto",
        steps: int | None = None,
        epochs: int = 1,
        label: str | None = None,
        stream: TextIO | None = None,
        unit: str = "step",
        width: int = 20,
        interval: float | None = None,
    ):
        if verbose not in ("auto", 0, 1, 2):
            raise ValueError(f"`verbose` must be 'auto', 0, 1 or 2, got {verbose!r}.")
        self.verbose = 1 if verbose == "auto" else int(verbose)
        self.steps = steps
        self.epochs = epochs
        self.label = label
        self.stream = stream
        self.unit = unit
        self.width = width
        self.interval = SECONDS_BETWEEN_UPDATES if interval is None else interval
        self._bar: Any = None
        self._title = ""
        self._step = 0
        self._begun = self._last_step = self._last_drawn = 0.0

    def begin(self, epoch: int = 0) -> None:
        """Start the clock of an epoch, numbered from 0."""
        self.close()
        self._title = f"Epoch {epoch + 1}/{self.epochs}" if self.label is None else self.label
        self._step = 0
        self._begun = self._last_step = self._last_drawn = time.perf_counter()
        stream = sys.stdout if self.stream is None else self.stream
        shown = self.stream is not None or config.is_interactive_logging_enabled()
        if self.verbose == 1 and shown and _is_terminal(stream):
            from tqdm import tqdm  # only where a bar is drawn

            self._bar = tqdm(
                total=self.steps,
                desc=self._title,
                file=stream,
                leave=False,
                dynamic_ncols=True,
                mininterval=self.interval,
                bar_format=BAR_FORMAT.replace("WIDTH", str(self.width)) if self.steps else BAR_FORMAT_WITHOUT_TOTAL,
            )

    def update(self, step: int, logs: Logs | Callable[[], Logs] | None = None) -> None:
        """Note that so many steps are done, and draw if the last time is long enough ago.

        Args:
            step: steps done in this epoch.
            logs: values to show, or a function that is called for them only when they are drawn.
        """
        self._step = step
        now = self._last_step = time.perf_counter()
        if self._bar is None or now - self._last_drawn < self.interval:
            return
        self._last_drawn = now
        values = logs() if callable(logs) else logs
        text = " - ".join([_duration((now - self._begun) / max(step, 1)) + f"/{self.unit}", *_values(values)])
        self._bar.set_postfix_str(text, refresh=False)
        self._bar.n = step
        self._bar.refresh()

    def finish(self, logs: Logs | None = None, compiled_kernels: int = 0, compile_seconds: float = 0.0) -> None:
        """End the epoch with one line.

        Args:
            logs: values to show.
            compiled_kernels: kernels that were compiled in the epoch's steps.
            compile_seconds: what that took; it is shown apart and not counted in the time of a step.
        """
        self.close()
        if self.verbose == 0:
            return
        total = time.perf_counter() - self._begun
        in_steps = max(self._last_step - self._begun - compile_seconds, 0.0)
        of = f"/{self.steps}" if self.steps else ""
        parts = [
            self._title,
            f"{self._step}{of} {self.unit}s",
            _duration(total),
            f"{_duration(in_steps / max(self._step, 1))}/{self.unit}",
            *_values(logs),
        ]
        if compiled_kernels:
            plural = "" if compiled_kernels == 1 else "s"
            parts.append(f"compiled {compiled_kernels} kernel{plural} in {_duration(compile_seconds)}")
        line = " - ".join(part for part in parts if part)
        if self.stream is None:
            config.say(line)
        else:
            print(line, file=self.stream, flush=True)

    def close(self) -> None:
        """Take the bar away, also when the loop was interrupted; may be called at any time."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


class ProgbarLogger(Callback):
    """A `Progress` driven by the hooks of callbacks, for loops of one's own and for `callbacks=[...]`.

    Example:
        >>> callback = ProgbarLogger()
    """

    def __init__(self):
        super().__init__()
        self._progress: Progress | None = None
        self._in_fit = False

    def _begin(self, epoch: int = 0, label: str | None = None) -> None:
        params = self.params or {}
        self._progress = Progress(params.get("verbose", 1), params.get("steps"), params.get("epochs", 1), label)
        self._progress.begin(epoch)

    def _update(self, batch: int, logs: Logs | None) -> None:
        if self._progress is not None:
            self._progress.update(batch + 1, logs)

    def _finish(self, logs: Logs | None) -> None:
        if self._progress is not None:
            self._progress.finish(logs)
            self._progress = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Validation inside training is not shown."""
        self._in_fit = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Evaluation is shown again."""
        self._in_fit = False

    def on_train_interrupted(self, error: BaseException) -> None:
        """Take the bar away."""
        self._in_fit = False
        if self._progress is not None:
            self._progress.close()
            self._progress = None

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Start the display of an epoch."""
        self._begin(epoch)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Move on."""
        self._update(batch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Print the line of the epoch."""
        self._finish(logs)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Start the display of an evaluation."""
        if not self._in_fit:
            self._begin(label="Evaluate")

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Move on."""
        if not self._in_fit:
            self._update(batch, logs)

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Print the line of the evaluation."""
        if not self._in_fit:
            self._finish(logs)

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Start the display of a prediction."""
        self._begin(label="Predict")

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Move on; the results are not shown."""
        self._update(batch, None)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Print the line of the prediction."""
        self._finish(None)


def _is_terminal(stream: TextIO) -> bool:
    isatty = getattr(stream, "isatty", None)
    return bool(isatty and isatty())


def _values(logs: Logs | None) -> list[str]:
    """`name: value` for each value, small ones in scientific notation."""
    texts = []
    for name, value in (logs or {}).items():
        number = value if isinstance(value, int) else float(value)
        fixed = isinstance(number, int) or number == 0 or 1e-3 < abs(number) < 1e6 or number != number
        texts.append(
            f"{name}: {number}" if isinstance(number, int) else f"{name}: {number:{'.4f' if fixed else '.4e'}}"
        )
    return texts


def _duration(seconds: float) -> str:
    """A length of time with about two digits.

    Example:
        >>> [_duration(s) for s in (0.00002, 0.0031, 0.25, 4.2, 75, 4000)]
        ['20 us', '3.1 ms', '250 ms', '4.2 s', '1:15 min', '1:06:40 h']
    """
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f} us"
    if seconds < 1:
        return f"{seconds * 1e3:.{1 if seconds < 0.01 else 0}f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}:{rest:02} min"
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02} h"
