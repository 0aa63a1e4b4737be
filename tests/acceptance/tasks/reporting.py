"""What the scripts of this folder share: how they start, what they measure, how they say it."""

import argparse
import json
import os
import time

import keras


def arguments(**options):
    """The command line: `--name VALUE` for each option, with its default, `--seed` and `--initial`."""
    parser = argparse.ArgumentParser()
    for name, default in {"seed": 1, **options}.items():
        parser.add_argument(f"--{name}", type=type(default), default=default)
    parser.add_argument("--initial", help="a .weights.h5 file to start from; written where there is none")
    found = parser.parse_args()
    keras.utils.set_random_seed(found.seed)
    return found


def start_from(model, path):
    """Let runs of several backends begin with the same weights: the first one writes them, the others read them."""
    if path is None:
        return
    if os.path.exists(path):
        model.load_weights(path)
    else:
        model.save_weights(path)


class Seconds(keras.callbacks.Callback):
    """Seconds of the fits that it was given to, on the clock and of all threads; epochs but the first, which compiles.

    The seconds of the threads say more where other programs run too.
    """

    def __init__(self):
        super().__init__()
        self.fit = self.cpu = 0.0
        self.epochs = []

    def on_train_begin(self, logs=None):
        self._begin = time.perf_counter(), time.process_time()

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        if epoch:
            self.epochs.append(time.perf_counter() - self._epoch)

    def on_train_end(self, logs=None):
        self.fit += time.perf_counter() - self._begin[0]
        self.cpu += time.process_time() - self._begin[1]


def report(seconds, **numbers):
    """Print what a run gave as one line of JSON, the last one of its output."""
    times = {"seconds": seconds.fit, "cpu_seconds": seconds.cpu, "best_epoch": min(seconds.epochs, default=0.0)}
    found = {"backend": keras.backend.backend(), **{name: round(value, 2) for name, value in times.items()}, **numbers}
    print(json.dumps(found))
