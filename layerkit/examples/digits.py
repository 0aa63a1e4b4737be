"""Train a classifier of handwritten digits, save it, load it and compare.

Run it with `python -m layerkit.examples.digits`; it takes a few seconds and leaves `digits.h5` in the current folder.
The import below is the only line that differs from the same program for Keras.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import layerkit as keras
from layerkit.datasets import digits

FILE = Path("digits.h5")
EPOCHS = 15


def load_images() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Images float32 [samples, 8, 8, 1] with values 0 to 1, and labels, for training and for the test."""
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    scale = np.float32(1 / 16)
    return x_train[..., None] * scale, y_train, x_test[..., None] * scale, y_test


def build_model() -> keras.Model:
    """A small convolutional network from images [8, 8, 1] to the scores of ten digits."""
    model = keras.Sequential(
        [
            keras.layers.Input((8, 8, 1)),
            keras.layers.Conv2D(32, 3, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(64, 3, padding="same", activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(10),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(2e-3),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


def main() -> None:
    """Train, test, save, load, compare."""
    keras.utils.set_random_seed(0)
    x_train, y_train, x_test, y_test = load_images()
    print(f"Training on {len(x_train)} digits, {len(x_test)} are held out for the test.")
    model = build_model()
    model.fit(x_train, y_train, batch_size=32, epochs=EPOCHS, validation_split=0.1)

    _, accuracy = model.evaluate(x_test, y_test, verbose=0)
    print(f"Accuracy on the held-out digits: {accuracy:.1%}")

    model.save(FILE)
    before = model.predict(x_test, verbose=0)
    after = keras.models.load_model(FILE).predict(x_test, verbose=0)
    if before.tobytes() != after.tobytes():
        raise SystemExit(f"The model loaded from {FILE} predicts something else than the one saved.")
    print(f"Saved to {FILE.resolve()} ({FILE.stat().st_size / 1024:.0f} kB); loaded again, it predicts the same bits.")


if __name__ == "__main__":
    main()
