"""The next frame of a film of a moving square, by convolutional LSTMs."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)


def movies(count, frames=6, size=10):
    noisy = np.zeros((count, frames + 1, size, size, 1), "float32")
    for film in noisy:
        y, x = rng.integers(1, size - 4, 2)
        dy, dx = rng.integers(-1, 2, 2)
        for frame in film:
            frame[y : y + 3, x : x + 3] = 1
            dy = -dy if not 0 <= y + dy <= size - 3 else dy
            dx = -dx if not 0 <= x + dx <= size - 3 else dx
            y, x = y + dy, x + dx
    return noisy[:, :-1], noisy[:, 1:]


x_train, y_train = movies(96)
x_val, y_val = movies(40)
print("films:", x_train.shape)

seq = keras.Sequential()
seq.add(keras.Input(shape=(None, 10, 10, 1)))
seq.add(layers.ConvLSTM2D(filters=8, kernel_size=(3, 3), padding="same", return_sequences=True))
seq.add(layers.BatchNormalization())
seq.add(layers.ConvLSTM2D(filters=8, kernel_size=(3, 3), padding="same", return_sequences=True))
seq.add(layers.TimeDistributed(layers.Conv2D(1, (3, 3), activation="sigmoid", padding="same")))
seq.compile(loss="binary_crossentropy", optimizer=keras.optimizers.Adam(0.02))
seq.fit(x_train, y_train, batch_size=16, epochs=6, validation_data=(x_val, y_val), verbose=2)
print("frames:", seq.predict(x_val[:1], verbose=0).shape)
print(seq.evaluate(x_val, y_val, verbose=0))
