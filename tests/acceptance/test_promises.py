"""What the whole promises: the same bits, no memory that grows, no compilation for a new batch size, a light start."""

import gc
import os
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

import layerkit as keras
from layerkit import layers
from layerkit.runtime import thread_count
from layerkit.runtime.kernel_cache import statistics
from tests.acceptance.scripts import cnn, compiled, mlp

SHAPES = {mlp: (784,), cnn: (28, 28, 1)}


def data(shape: tuple, samples: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(samples, *shape)).astype("float32"), rng.integers(0, 10, samples)


@pytest.fixture
def restore_threads():
    before = thread_count._threads
    yield
    thread_count._threads = before


@pytest.mark.parametrize("make", [mlp, cnn])
def test_same_seed_same_bits_twice_and_on_any_number_of_threads(make, restore_threads):
    """With dropout and shuffling; the last batch is a partial one."""
    x, y = data(SHAPES[make], 300)

    def trained() -> list[np.ndarray]:
        keras.utils.set_random_seed(7)
        model = compiled(make())
        history = model.fit(x, y, batch_size=64, epochs=2, verbose=0).history
        return [*model.get_weights(), np.array(history["loss"]), model.predict(x, verbose=0)]

    results = []
    for threads in (2, 2, 1, 3):
        keras.set_num_threads(threads)
        results.append(trained())
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


def resident_kib() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="reads the process' memory from /proc")
@pytest.mark.parametrize("make", [mlp, cnn])
def test_steps_allocate_nothing(make):
    x, y = data(SHAPES[make], 64 * 10)
    model = compiled(make())
    model.fit(x, y, batch_size=64, epochs=2, verbose=0)
    gc.collect()
    tracemalloc.start()
    model.fit(x, y, batch_size=64, epochs=1, verbose=0)
    gc.collect()
    traced, resident = tracemalloc.get_traced_memory()[0], resident_kib()
    tracemalloc.reset_peak()
    model.fit(x, y, batch_size=64, epochs=10, verbose=0)
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - traced
    tracemalloc.stop()
    # What stays: ten numbers a metric in the history; what a hundred steps would add is far more.
    assert grown < 20_000
    assert resident_kib() - resident < 2_000


def test_models_are_freed():
    import weakref

    x, y = data((784,), 64)
    model = compiled(mlp())
    model.fit(x, y, batch_size=32, verbose=0)
    model.predict(x, verbose=0)
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("make", [mlp, cnn])
def test_a_new_batch_size_compiles_nothing(make):
    x, y = data(SHAPES[make], 200)
    model = compiled(make())
    model.fit(x[:64], y[:64], batch_size=32, verbose=0)
    model.evaluate(x[:64], y[:64], batch_size=32, verbose=0)
    for _ in range(3):
        model.predict(x[:32], verbose=0)
    before = statistics.compiled
    for batch in (1, 2, 7, 50, 128):
        model.train_on_batch(x[:batch], y[:batch])
        model.test_on_batch(x[:batch], y[:batch])
        for _ in range(3):
            model.predict(x[:batch], verbose=0, batch_size=batch)
    assert statistics.compiled == before


LIGHT = """
import sys
import numpy as np
import layerkit as keras
model = keras.models.load_model(sys.argv[1])
y = model.predict(np.ones((1, 8), "float32"), verbose=0)
print([name for name in ("numba", "llvmlite") if name in sys.modules], y.tolist())
"""


def test_one_prediction_of_a_small_saved_model_needs_no_compiler(tmp_path):
    model = keras.Sequential(
        [keras.Input((8,)), layers.Dense(16, activation="relu"), layers.Dense(3, activation="softmax")]
    )
    model.save(tmp_path / "model.h5")
    found = subprocess.run(
        [sys.executable, "-c", LIGHT, str(tmp_path / "model.h5")], capture_output=True, text=True, check=True
    )
    names, values = found.stdout.strip().split("] ", 1)
    assert names == "["
    np.testing.assert_allclose(np.array(eval(values)), model(np.ones((1, 8), "float32")), rtol=1e-6)


def test_the_first_epoch_says_what_compiling_took(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("LAYERKIT_CACHE", str(tmp_path))
    rate = 0.123456  # an activation of its own, so that there is something to compile
    model = keras.Sequential([keras.Input((5,)), layers.Dense(4), layers.LeakyReLU(rate), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.ones((8, 5)), np.ones((8, 1)), epochs=2, verbose=2)
    first, second = [line for line in capsys.readouterr().out.splitlines() if "loss" in line]
    assert "compiled" in first and "kernel" in first
    assert "compiled" not in second
