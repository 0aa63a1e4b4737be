"""Image and signal models timed against Keras on its own backends: a step of fit, and predict in batches of 32 and 256.

    python -m benchmarks.images                              all of `image_models.py`, the peers that are installed
    python -m benchmarks.images --only unet,vgg --rounds 7   models whose name has one of these words
    python -m benchmarks.images --peers jax --peer-python PATH --cache FOLDER

A step is an epoch's time over its steps, the better of two epochs, in milliseconds; predict is in microseconds a
sample. Medians over rounds in which the contestants take turns; a ratio above 1 says that layerkit is that many times
faster than the best peer. One process a contestant serves all models (`python -m benchmarks.images PACKAGE CPUS`).
"""

import importlib
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any

import numpy as np

from .contestants import Contestant, WorkerFailed, WorkerPipe
from .image_models import IMAGE_MODELS
from .sweep import best_peer_cells, chosen, started, sweep_parser
from .worker import serve

MEASURES = {"step": 1e3, "predict 32": 1e6, "predict 256": 1e6}
PREDICTED = 512  # samples


def _seconds(run: Callable[[], Any]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


class ImageWorker:
    """Models of one package; one method a request."""

    def __init__(self, package: str):
        self.keras = importlib.import_module(package)

    def build(self, name: str, steps: int) -> dict[str, Any]:
        """Makes the model and data of a name, and runs each measure once."""
        self.keras.utils.clear_session()
        build, batch_size = IMAGE_MODELS[name]
        self.keras.utils.set_random_seed(1)
        model, options, x_shape, y_shape = build(self.keras)
        model.compile(**options)
        rng = np.random.default_rng(0)
        x = rng.standard_normal((batch_size * steps, *x_shape), dtype="float32")
        labels = (x.reshape(len(x), -1).mean(1) > 0).astype("int32")
        y = labels
        if y_shape:
            y = np.tile(labels.astype("float32").reshape(-1, *(1 for _ in y_shape)), (1, *y_shape))
        many = rng.standard_normal((PREDICTED, *x_shape), dtype="float32")
        self.model = model, batch_size, x, y, many
        return self.round()

    def round(self) -> dict[str, Any]:
        """Seconds of a step and of a predicted sample, and the loss."""
        model, batch_size, x, y, many = self.model
        starts, ends = [], []

        class Clock(self.keras.callbacks.Callback):
            def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
                starts.append(time.perf_counter())

            def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
                ends.append(time.perf_counter())

        history = model.fit(x, y, batch_size=batch_size, epochs=3, verbose=0, callbacks=[Clock()], shuffle=False)
        step = min(ends[i] - starts[i] for i in (1, 2)) * batch_size / len(x)
        answer = {"step": step, "loss": float(history.history["loss"][-1])}
        for size in (32, 256):
            answer[f"predict {size}"] = _seconds(partial(model.predict, many, batch_size=size, verbose=0)) / len(many)
        return answer


def _measure(name: str, workers: dict[Contestant, WorkerPipe], rounds: int) -> dict[str, dict[str, list[float]]]:
    """The samples of a model by contestant and measure; a contestant that fails is told and left out."""
    samples: dict[str, dict[str, list[float]]] = {}
    ready = dict(workers)
    for turn in range(rounds + 1):
        for contestant, worker in list(ready.items()):
            try:
                answer = worker.ask("round") if turn else worker.ask("build", name=name, steps=4)
            except WorkerFailed as error:
                print(f"{name}: {contestant.name}: {error}", file=sys.stderr)
                del ready[contestant]
                continue
            if turn:
                for measure, value in answer.items():
                    samples.setdefault(contestant.name, {}).setdefault(measure, []).append(value)
    return samples


def main() -> None:
    """Measures and prints, a line a model as soon as it is known."""
    options = sweep_parser("benchmarks.images", __doc__.splitlines()[0]).parse_args()
    with ExitStack() as stack:
        workers = started(stack, options, "benchmarks.images")
        print(f"{'':14}" + "".join(f"  {measure + ': layerkit, best peer, ratio':32}" for measure in MEASURES))
        for name in chosen(list(IMAGE_MODELS), options.only):
            samples = _measure(name, workers, options.rounds)
            print("  ".join([f"{name:14}", *best_peer_cells(samples, MEASURES, 2)]), flush=True)


if __name__ == "__main__":
    if len(sys.argv) == 3 and not sys.argv[1].startswith("-"):
        serve(ImageWorker)
    else:
        main()
