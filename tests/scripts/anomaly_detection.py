"""Anomalies of a time series: what an autoencoder of usual windows cannot draw again."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(0)
TIME_STEPS = 32
rng = np.random.default_rng(0)


def series(n):
    t = np.arange(n)
    return (np.sin(2 * np.pi * t / 32) + 0.5 * np.sin(2 * np.pi * t / 16) + rng.normal(0, 0.05, n)).astype("float32")


def create_sequences(values, time_steps=TIME_STEPS):
    return np.stack([values[i : i + time_steps] for i in range(len(values) - time_steps + 1)])[..., None]


training = series(1500)
mean, std = training.mean(), training.std()
x_train = create_sequences((training - mean) / std)
print("Training input shape:", x_train.shape)

model = keras.Sequential(
    [
        layers.Input(shape=(x_train.shape[1], x_train.shape[2])),
        layers.Conv1D(filters=16, kernel_size=7, padding="same", strides=2, activation="relu"),
        layers.Dropout(rate=0.1),
        layers.Conv1D(filters=8, kernel_size=7, padding="same", strides=2, activation="relu"),
        layers.Conv1DTranspose(filters=8, kernel_size=7, padding="same", strides=2, activation="relu"),
        layers.Conv1DTranspose(filters=16, kernel_size=7, padding="same", strides=2, activation="relu"),
        layers.Conv1DTranspose(filters=1, kernel_size=7, padding="same"),
    ]
)
model.compile(optimizer=keras.optimizers.Adam(learning_rate=0.003), loss="mse")
history = model.fit(
    x_train, x_train, epochs=12, batch_size=64, validation_split=0.1, verbose=2,
    callbacks=[keras.callbacks.EarlyStopping(monitor="val_loss", patience=5, mode="min")],
)  # fmt: skip
threshold = np.max(np.mean(np.abs(model.predict(x_train, verbose=0) - x_train), axis=1))
print("Reconstruction error threshold:", threshold)

testing = series(900)
testing[400:460] *= -0.4
labels = np.zeros(900, bool)
labels[400:460] = True
x_test = create_sequences((testing - mean) / std)
errors = np.mean(np.abs(model.predict(x_test, verbose=0) - x_test), axis=1).reshape(-1)
touched = np.array([labels[i : i + TIME_STEPS].sum() >= 8 for i in range(len(x_test))])
clean = np.array([not labels[i : i + TIME_STEPS].any() for i in range(len(x_test))])
sure = touched | clean
print("Number of anomalous windows:", int((errors > threshold).sum()), "of", int(touched.sum()))
print(float(np.mean((errors > threshold)[sure] == touched[sure])))
