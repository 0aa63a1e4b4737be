"""A convolutional network on pictures of digits, in the spelling of tensorflow.keras."""

import numpy as np
import tensorflow as tf
from made_data import digits
from tensorflow import keras
from tensorflow.keras import backend as K
from tensorflow.keras import layers

tf.random.set_seed(0)
img_rows, img_cols = 20, 20
num_classes = 10

(x_train, y_train), (x_test, y_test) = digits(1500, 400, size=img_rows)

if K.image_data_format() == "channels_first":
    x_train = x_train.reshape(x_train.shape[0], 1, img_rows, img_cols)
    x_test = x_test.reshape(x_test.shape[0], 1, img_rows, img_cols)
    input_shape = (1, img_rows, img_cols)
else:
    x_train = np.expand_dims(x_train, -1)
    x_test = np.expand_dims(x_test, -1)
    input_shape = (img_rows, img_cols, 1)

x_train = x_train.astype("float32") / 255
x_test = x_test.astype("float32") / 255
y_train = keras.utils.to_categorical(y_train, num_classes)
y_test = keras.utils.to_categorical(y_test, num_classes)

model = keras.Sequential(
    [
        keras.Input(shape=input_shape),
        layers.Conv2D(16, kernel_size=(3, 3), activation="relu"),
        layers.MaxPooling2D(pool_size=(2, 2)),
        layers.Conv2D(32, kernel_size=(3, 3), activation="relu"),
        layers.MaxPooling2D(pool_size=(2, 2)),
        layers.Flatten(),
        layers.Dropout(0.3),
        layers.Dense(num_classes, activation="softmax"),
    ]
)
model.summary()
model.compile(loss=keras.losses.categorical_crossentropy, optimizer=keras.optimizers.Adam(0.002), metrics=["acc"])
history = model.fit(x_train, y_train, batch_size=32, epochs=9, validation_split=0.1)
print("validation accuracies", history.history["val_acc"])

score = model.evaluate(x_test, y_test, verbose=0)
print("Test loss:", score[0])
print(score[1])
