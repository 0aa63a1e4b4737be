"""Prices by a network on normalized columns, stopped early; the best checkpoint is read again."""

import os

import keras
import numpy as np
from keras import layers
from keras.callbacks import EarlyStopping, ModelCheckpoint
from made_data import houses

keras.utils.set_random_seed(0)
x, y = houses()
x_train, y_train, x_test, y_test = x[:900], y[:900], x[900:], y[900:]

normalizer = layers.Normalization(axis=-1)
normalizer.adapt(x_train)
print("means:", np.array(normalizer.mean).ravel()[:3])


def build_model():
    model = keras.Sequential(
        [
            normalizer,
            layers.Dense(64, activation="relu"),
            layers.Dense(64, activation="relu", kernel_regularizer=keras.regularizers.l2(1e-4)),
            layers.Dense(1),
        ]
    )
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss="mse", metrics=["mae", "mse"])
    return model


model = build_model()
callbacks = [
    EarlyStopping(monitor="val_loss", patience=8, restore_best_weights=True, verbose=1),
    ModelCheckpoint("best.h5", monitor="val_loss", save_best_only=True),
]
history = model.fit(x_train, y_train, epochs=40, validation_split=0.2, callbacks=callbacks, verbose=0)
print("epochs:", len(history.history["loss"]), "best:", min(history.history["val_mae"]))
assert os.path.exists("best.h5")

best = keras.models.load_model("best.h5", compile=False)
best.compile(loss="mse", metrics=["mae", "mse"])
np.testing.assert_allclose(best.predict(x_test, verbose=0), model.predict(x_test, verbose=0), rtol=1e-4, atol=1e-4)
loss, mae, mse = best.evaluate(x_test, y_test, verbose=0)
print("Testing set mean abs error:")
print(mae)
