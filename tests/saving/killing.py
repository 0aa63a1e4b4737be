"""Forks children that save two models in turn to one path, and kills each at a random moment; see test_atomic.py.

Run as: killing.py FOLDER CHILDREN SEED. Prints how many loads gave the first and the second model, and how many kills
left a temporary file behind.
"""

import os
import random
import signal
import sys
import time

import numpy as np

from layerkit.layers import Dense, Input
from layerkit.models import Sequential
from layerkit.saving import load_model


def make_model(value):
    model = Sequential([Input((64,)), Dense(300, name="first"), Dense(64, name="second")])
    model.compile("adam", "mse", run_eagerly=True)
    model.optimizer.build(model.trainable_variables)
    for variable in [*model.weights, *model.optimizer.variables]:
        variable.assign(np.full(variable.shape, value, variable.dtype))
    return model


def save_in_turn(models, path, started):
    os.write(started, b".")
    while True:
        for model in models:
            model.save(path)


def values(path):
    """The distinct values in all of the saved state."""
    model = load_model(path)
    return {float(value) for v in [*model.weights, *model.optimizer.variables] for value in np.unique(v.numpy())}


def main(folder, children, seed):
    path = os.path.join(folder, "model.h5")
    models = [make_model(1.0), make_model(2.0)]
    models[0].save(path)
    begin = time.perf_counter()
    models[0].save(path)
    a_save = time.perf_counter() - begin
    rng, counts, leftovers = random.Random(seed), {1.0: 0, 2.0: 0}, 0
    for _ in range(children):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            save_in_turn(models, path, writing)
        os.read(reading, 1)
        time.sleep(rng.uniform(0, 4 * a_save))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(reading)
        os.close(writing)
        found = values(path)
        if len(found) != 1:
            sys.exit(f"the file is a mixture: {found}")
        counts[found.pop()] += 1
        others = [name for name in os.listdir(folder) if name != "model.h5"]
        leftovers += len(others)
        if len(others) > 1:
            sys.exit(f"temporary files pile up: {others}")
    models[0].save(path)
    if os.listdir(folder) != ["model.h5"]:
        sys.exit(f"temporary files stay: {os.listdir(folder)}")
    print(counts[1.0], counts[2.0], leftovers)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
