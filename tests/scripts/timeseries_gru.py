"""A forecast by stacked GRUs from windows of a series, against the naive forecast."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)
steps = np.arange(2400)
temperature = 10 * np.sin(2 * np.pi * steps / 48) + 3 * np.sin(2 * np.pi * steps / 17) + rng.normal(0, 0.4, 2400)
pressure = np.roll(temperature, 5) * 0.2 + 1000 + rng.normal(0, 0.1, 2400)
raw_data = np.stack([temperature, pressure], axis=-1)

num_train, num_val = 1400, 500
mean = raw_data[:num_train].mean(axis=0)
std = raw_data[:num_train].std(axis=0)
raw_data = ((raw_data - mean) / std).astype("float32")

sequence_length, ahead, batch_size = 24, 6, 64
delay = sequence_length + ahead - 1


def dataset(start, end, shuffle):
    return keras.utils.timeseries_dataset_from_array(
        raw_data[:-delay], targets=raw_data[delay:, 0], sequence_length=sequence_length, shuffle=shuffle,
        batch_size=batch_size, start_index=start, end_index=end, seed=1,
    )  # fmt: skip


train_dataset = dataset(0, num_train, True)
val_dataset = dataset(num_train, num_train + num_val, False)
test_dataset = dataset(num_train + num_val, None, False)
for samples, targets in train_dataset:
    print("samples shape:", samples.shape)
    print("targets shape:", targets.shape)
    break

inputs = keras.Input(shape=(sequence_length, raw_data.shape[-1]))
x = layers.GRU(24, return_sequences=True)(inputs)
x = layers.GRU(24)(x)
x = layers.Dropout(0.1)(x)
outputs = layers.Dense(1)(x)
model = keras.Model(inputs, outputs)
model.compile(optimizer=keras.optimizers.Adam(0.005), loss="mse", metrics=["mae"])
history = model.fit(train_dataset, epochs=8, validation_data=val_dataset, verbose=2)
naive = np.mean([abs(np.array(x)[:, -1, 0] - np.array(y)).mean() for x, y in test_dataset])
print("naive error:", float(naive))
print(model.evaluate(test_dataset, verbose=0)[1])
