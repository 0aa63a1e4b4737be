"""Real MNIST: the accuracy that a Keras user expects, and a file that another process reads to the same bits."""

import subprocess
import sys

import numpy as np
import pytest

import layerkit as keras
from tests.acceptance.scripts import MNIST, cnn, compiled, lstm, mlp, mnist

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not MNIST.exists(), reason="set LAYERKIT_MNIST to the folder of MNIST's four .gz files"),
]
EPOCHS, BATCH = 6, 128

PREDICT = """
import sys
import numpy as np
import layerkit as keras
model = keras.models.load_model(sys.argv[1])
np.save(sys.argv[3], model.predict(np.load(sys.argv[2]), verbose=0))
"""


def flat(images: np.ndarray) -> np.ndarray:
    return (images.reshape(len(images), -1) / 255).astype("float32")


def rows(images: np.ndarray) -> np.ndarray:
    return (images / 255).astype("float32")


def with_channel(images: np.ndarray) -> np.ndarray:
    return (images[..., None] / 255).astype("float32")


@pytest.mark.parametrize(
    ("make", "prepare", "expected"), [(mlp, flat, 0.98), (cnn, with_channel, 0.99), (lstm, rows, 0.98)]
)
def test_accuracy_and_reload(make, prepare, expected, tmp_path):
    (x_train, y_train), (x_test, y_test) = mnist()
    x_train, x_test = prepare(x_train), prepare(x_test)
    keras.utils.set_random_seed(1)
    rate = keras.optimizers.schedules.CosineDecay(4e-3, EPOCHS * -(-len(x_train) // BATCH))
    model = compiled(make(), keras.optimizers.Adam(rate))
    model.fit(x_train, y_train, batch_size=BATCH, epochs=EPOCHS, verbose=2)
    _, accuracy = model.evaluate(x_test, y_test, verbose=0)
    assert accuracy >= expected

    model.save(tmp_path / "model.h5")
    np.save(tmp_path / "x.npy", x_test)
    arguments = [str(tmp_path / name) for name in ("model.h5", "x.npy", "y.npy")]
    subprocess.run([sys.executable, "-c", PREDICT, *arguments], check=True)
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), model.predict(x_test, verbose=0))
