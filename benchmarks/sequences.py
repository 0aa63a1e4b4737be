"""Models of sequences, text, tables and recommendations, timed against Keras on its backends.

    python -m benchmarks.sequences                                   all workloads, the peers that are installed
    python -m benchmarks.sequences --only lstm,gru --rounds 9        workloads whose name has one of these words
    python -m benchmarks.sequences --peers jax --peer-python PATH    as in python -m benchmarks

Per workload (`sequence_workloads.py`) three times are taken, in milliseconds, medians over rounds in which the
contestants take turns: a step in fit (an epoch's time over its steps, the first epoch of each fit not counted), a call
of train_on_batch, and a batch in predict. A ratio above 1 says that layerkit is that many times faster than the best
peer. One process a contestant serves all workloads (`python -m benchmarks.sequences PACKAGE CPUS`).
"""

import statistics
import sys
import time
from contextlib import ExitStack
from typing import Any

from .contestants import Contestant, WorkerFailed, WorkerPipe
from .sequence_workloads import SEQUENCES
from .sweep import best_peer_cells, chosen, started, sweep_parser
from .worker import serve

MEASURES = ("fit", "train_on_batch", "predict")


class SequenceWorker:
    """A model of one package and the times taken on it; one method a request."""

    def __init__(self, package: str):
        self.keras = __import__(package)

    def prepare(self, workload: str) -> dict[str, Any]:
        """Builds, compiles and runs everything once."""
        self.keras.utils.clear_session()
        self.keras.utils.set_random_seed(1)
        self.workload = SEQUENCES[workload]
        self.x, self.y = self.workload.data(self.workload.steps)
        several = isinstance(self.x, list)
        size = self.workload.batch_size
        self.batch = [x[:size] for x in self.x] if several else self.x[:size], self.y[:size]
        self.model, options = self.workload.build(self.keras)
        self.model.compile(**options)
        start = time.perf_counter()
        self._fit(1)
        self.model.train_on_batch(*self.batch)
        self.model.predict(self.x, batch_size=size, verbose=0)
        return {"seconds": time.perf_counter() - start}

    def _fit(self, epochs: int) -> list[float]:
        marks = []

        class Clock(self.keras.callbacks.Callback):
            def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
                marks.append(time.perf_counter())

            def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
                marks.append(time.perf_counter())

        size = self.workload.batch_size
        history = self.model.fit(self.x, self.y, batch_size=size, epochs=epochs, verbose=0, callbacks=[Clock()])
        self.loss = float(history.history["loss"][-1])
        return [end - start for start, end in zip(marks[::2], marks[1::2], strict=True)]

    def round(self, seconds: float) -> dict[str, Any]:
        """Samples of each measure: epochs of fit for about that many seconds, some calls, a prediction."""
        steps = self.workload.steps
        once = self._fit(2)[1]
        epochs = 1 + min(max(int(seconds / once), 1), 20)
        given = {"fit": statistics.median(self._fit(epochs)[1:]) / steps}
        calls = min(max(int(seconds * steps / once), 2), 40)
        given["train_on_batch"] = _median(lambda: self.model.train_on_batch(*self.batch), calls)
        predict = {"batch_size": self.workload.batch_size, "verbose": 0}
        given["predict"] = _median(lambda: self.model.predict(self.x, **predict), 2) / steps
        return {"times": given, "loss": self.loss}


def _median(run: Any, calls: int) -> float:
    times = []
    for _ in range(calls):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def _measure(name: str, workers: dict[Contestant, WorkerPipe], rounds: int, seconds: float) -> dict[str, Any]:
    """The samples of a workload by contestant and measure, and what failed."""
    samples: dict[str, dict[str, list[float]]] = {}
    ready = []
    for contestant, worker in workers.items():
        try:
            worker.ask("prepare", workload=name)
            ready.append(contestant)
        except WorkerFailed as error:
            print(f"{name}: {contestant.name}: {error}", file=sys.stderr)
    for _ in range(rounds):
        for contestant in ready:
            answer = workers[contestant].ask("round", seconds=seconds)
            for measure, value in answer["times"].items():
                samples.setdefault(contestant.name, {}).setdefault(measure, []).append(value)
            samples[contestant.name]["loss"] = [answer["loss"]]
    return samples


def main() -> None:
    """Measures and prints, a line a workload as soon as it is known."""
    parser = sweep_parser("benchmarks.sequences", __doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=0.5, help="of fit in a round")
    options = parser.parse_args()
    with ExitStack() as stack:
        workers = started(stack, options, "benchmarks.sequences")
        print(f"{'ms: layerkit, best peer, ratio':22}" + "".join(f"  {measure:32}" for measure in MEASURES))
        for name in chosen(list(SEQUENCES), options.only):
            samples = _measure(name, workers, options.rounds, options.seconds)
            cells = best_peer_cells(samples, dict.fromkeys(MEASURES, 1e3), 3)
            print("  ".join([f"{name:22}", *cells]), flush=True)


if __name__ == "__main__":
    if len(sys.argv) == 3 and not sys.argv[1].startswith("-"):
        serve(SequenceWorker)
    else:
        main()
