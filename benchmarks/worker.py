"""One contestant in its own process: reads a JSON request a line, measures, answers with a JSON line.

Started by `contestants.py` as `python -m benchmarks.worker PACKAGE CPUS`; `import` is timed before anything else.
"""

import importlib
import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any, TextIO

import numpy as np  # before the clock starts: each of the packages needs it

from .workloads import WORKLOADS


def _seconds(run: Callable[[], Any]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def _median_seconds(run: Callable[[], Any], calls: int) -> float:
    run()  # The first call after another batch size may prepare something.
    return statistics.median(_seconds(run) for _ in range(calls))


class Worker:
    """A model of one package and the measures taken on it; one method a request."""

    def __init__(self, package: str):
        self.import_seconds = _seconds(lambda: importlib.import_module(package))
        self.keras = sys.modules[package]

    def imported(self) -> dict[str, Any]:
        """Seconds that importing took, and the package's version."""
        return {"seconds": self.import_seconds, "version": getattr(self.keras, "__version__", "")}

    def first_step(self, workload: str, steps: int, compile_options: dict[str, Any]) -> dict[str, Any]:
        """Builds and compiles the model, then fits one batch."""
        self.workload = WORKLOADS[workload]
        self.steps = steps
        self.x, self.y = self.workload.data(steps)
        x, y = self.x[: self.workload.batch_size], self.y[: self.workload.batch_size]
        self.keras.utils.set_random_seed(1)

        def first() -> None:
            self.model, options = self.workload.build(self.keras)
            self.model.compile(**options, **compile_options)
            self.model.fit(x, y, batch_size=self.workload.batch_size, verbose=0)

        return {"seconds": _seconds(first), "parameters": int(self.model.count_params())}

    def fit(self) -> dict[str, Any]:
        """Two epochs; seconds a step of the second."""
        starts, ends = [], []

        class Clock(self.keras.callbacks.Callback):
            def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
                starts.append(time.perf_counter())

            def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
                ends.append(time.perf_counter())

        history = self.model.fit(
            self.x, self.y, batch_size=self.workload.batch_size, epochs=2, verbose=0, callbacks=[Clock()]
        )
        return {"seconds": (ends[1] - starts[1]) / self.steps, "loss": float(history.history["loss"][-1])}

    def predict_one(self, calls: int) -> dict[str, Any]:
        """Median seconds of model.predict on one sample."""
        x = self.x[:1]
        return {"seconds": _median_seconds(lambda: self.model.predict(x, verbose=0), calls)}

    def call_one(self, calls: int) -> dict[str, Any]:
        """Median seconds of model(x) on one sample, until NumPy has the result."""
        x, to_numpy = self.x[:1], self.keras.ops.convert_to_numpy
        return {"seconds": _median_seconds(lambda: to_numpy(self.model(x)), calls)}

    def predict_batches(self) -> dict[str, Any]:
        """Samples a second of model.predict on all of the data."""
        predicted = []
        batch_size = self.workload.batch_size
        seconds = _seconds(lambda: predicted.append(self.model.predict(self.x, batch_size=batch_size, verbose=0)))
        if not np.isfinite(predicted[0]).all():
            raise FloatingPointError("The model predicts values that are not finite.")
        return {"rate": len(self.x) / seconds}

    def memory(self) -> dict[str, Any]:
        """The largest resident set so far, in MiB (Linux counts ru_maxrss in KiB, macOS in bytes)."""
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return {"mebibytes": peak / (2**20 if sys.platform == "darwin" else 2**10)}


def _bind(cpus: int) -> None:
    """Binds this process to that many of its CPUs, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cpus])


def _answers() -> TextIO:
    """The pipe to the parent; what libraries print goes to standard error instead."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return answers


def serve(make: Callable[[str], Any]) -> None:
    """Serves requests, each by a method of what `make` makes of the package, until the parent closes the pipe."""
    package, cpus = sys.argv[1:]
    answers = _answers()
    _bind(int(cpus))
    worker = None
    for line in sys.stdin:
        request = json.loads(line)
        method = request.pop("do")
        try:
            worker = worker or make(package)
            answer = getattr(worker, method)(**request)
        except Exception as error:  # told to the parent, whose table shows it
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    serve(Worker)
