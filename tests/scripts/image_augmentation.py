"""A convolutional network whose pictures are flipped, turned, zoomed and moved while it trains."""

import keras
import numpy as np
from keras import layers
from made_data import shapes

keras.utils.set_random_seed(0)
x, y = shapes(900, seed=2)
x_train, y_train, x_val, y_val = x[:600], y[:600], x[600:], y[600:]

data_augmentation = keras.Sequential(
    [
        layers.RandomFlip("horizontal_and_vertical", seed=1),
        layers.RandomRotation(0.05, seed=2),
        layers.RandomZoom(0.1, seed=3),
        layers.RandomTranslation(0.1, 0.1, seed=4),
        layers.RandomContrast(0.2, seed=5),
    ],
    name="data_augmentation",
)
once = np.array(data_augmentation(x_train[:4], training=True))
print("augmented:", once.shape, "changed by", float(np.abs(once - x_train[:4]).mean()))
assert np.allclose(np.array(data_augmentation(x_train[:4], training=False)), x_train[:4])

inputs = keras.Input(shape=(16, 16, 3))
h = data_augmentation(inputs)
h = layers.Rescaling(1.0 / 255)(h)
for filters in [12, 24]:
    h = layers.SeparableConv2D(filters, 3, padding="same", use_bias=False)(h)
    h = layers.BatchNormalization(momentum=0.8)(h)
    h = layers.Activation("relu")(h)
    h = layers.Conv2D(filters, 3, padding="same", activation="relu")(h)
    h = layers.MaxPooling2D(2)(h)
h = layers.Flatten()(h)
h = layers.Dropout(0.3)(h)
outputs = layers.Dense(4, activation="softmax")(h)
model = keras.Model(inputs, outputs)
model.compile(loss="sparse_categorical_crossentropy", optimizer=keras.optimizers.Adam(4e-3), metrics=["accuracy"])
history = model.fit(x_train, y_train, batch_size=32, epochs=10, validation_data=(x_val, y_val), verbose=2)
print(model.evaluate(x_val, y_val, verbose=0)[1])
