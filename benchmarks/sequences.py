"""Models of sequences, text, tables and recommendations, timed against Keras on its backends.

    python -m benchmarks.sequences                                   all workloads, the peers that are installed
    python -m benchmarks.sequences --only lstm,gru --rounds 9        workloads whose name has one of these words
    python -m benchmarks.sequences --peers jax --peer-python PATH    as in python -m benchmarks

Per workload (`sequence_workloads.py`) three times are taken, in milliseconds, medians over rounds in which the
contestants take turns: a step in fit (an epoch's time over its steps, the first epoch of each fit not counted), a call
of train_on_batch, and a batch in predict. A ratio above 1 says that layerkit is that many times faster than the best
peer. One process a contestant serves all workloads (`python -m benchmarks.sequences PACKAGE CPUS`).
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from .contestants import BACKENDS, Contestant, WorkerFailed, WorkerPipe, layerkit, peer
from .sequence_workloads import SEQUENCES
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


def _row(name: str, samples: dict[str, dict[str, list[float]]], peers: list[str]) -> str:
    cells = [f"{name:22}"]
    for measure in MEASURES:
        times = {who: 1e3 * statistics.median(given[measure]) for who, given in samples.items()}
        ours = times.get("layerkit", float("nan"))
        best = min((times[who], who) for who in peers if who in times) if any(p in times for p in peers) else None
        cells.append(f"{ours:9.3f}" + (f" {best[0]:9.3f} {best[1][:5]:5} {best[0] / ours:6.2f}" if best else ""))
    return "  ".join(cells)


def main() -> None:
    """Measures and prints, a line a workload as soon as it is known."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sequences", description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="words, comma separated: workloads that have one in their name")
    parser.add_argument("--peers", default=",".join(BACKENDS), help="comma separated; empty for layerkit alone")
    parser.add_argument("--peer-python", default=sys.executable, metavar="PATH", help="the peers' interpreter")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5, help="of fit in a round")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--cache", type=Path, help="folder of layerkit's compiled kernels (default: a new one)")
    options = parser.parse_args()
    words = [word for word in options.only.split(",") if word]
    chosen = [name for name in SEQUENCES if not words or any(word in name for word in words)]
    peers = [peer(name, options.peer_python) for name in options.peers.split(",") if name]
    with ExitStack() as stack:
        cache = str(options.cache or stack.enter_context(tempfile.TemporaryDirectory()))
        contestants = [one for one in (layerkit(sys.executable), *peers) if one.installed()]
        workers = {
            one: stack.enter_context(closing(WorkerPipe(one, options.threads, cache, "benchmarks.sequences")))
            for one in contestants
        }
        print(f"{'ms: layerkit, best peer, ratio':22}" + "".join(f"  {measure:32}" for measure in MEASURES))
        for name in chosen:
            samples = _measure(name, workers, options.rounds, options.seconds)
            print(_row(name, samples, [one.name for one in contestants[1:]]), flush=True)


if __name__ == "__main__":
    if len(sys.argv) == 3 and not sys.argv[1].startswith("-"):
        serve(SequenceWorker)
    else:
        main()
