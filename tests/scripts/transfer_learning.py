"""Transfer: the convolutions learnt on digits 0 to 4 stay as they are, and a new end learns digits 5 to 9."""

import numpy as np
from made_data import digits
from tensorflow import keras
from tensorflow.keras.layers import Activation, Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from tensorflow.keras.models import Sequential

keras.utils.set_random_seed(0)
filters, kernel_size, pool_size, num_classes = 12, 3, 2, 5
input_shape = (16, 16, 1)


def train_model(model, train, test, num_classes, epochs):
    x_train = train[0].reshape((-1,) + input_shape).astype("float32") / 255
    x_test = test[0].reshape((-1,) + input_shape).astype("float32") / 255
    y_train = keras.utils.to_categorical(train[1], num_classes)
    y_test = keras.utils.to_categorical(test[1], num_classes)
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    model.fit(x_train, y_train, batch_size=32, epochs=epochs, verbose=2, validation_data=(x_test, y_test))
    return model.evaluate(x_test, y_test, verbose=0)


(x_train, y_train), (x_test, y_test) = digits(1800, 500, size=16)
feature_layers = [
    Conv2D(filters, kernel_size, padding="valid", input_shape=input_shape),
    Activation("relu"),
    Conv2D(filters, kernel_size),
    Activation("relu"),
    MaxPooling2D(pool_size=pool_size),
    Dropout(0.1),
    Flatten(),
]
classification_layers = [Dense(64), Activation("relu"), Dropout(0.1), Dense(num_classes), Activation("softmax")]
model = Sequential(feature_layers + classification_layers)
low, low_test = y_train < 5, y_test < 5
score = train_model(model, (x_train[low], y_train[low]), (x_test[low_test], y_test[low_test]), num_classes, 9)
print("accuracy on 0 to 4:", score[1])

before = [w.copy() for w in feature_layers[0].get_weights()]
for l in feature_layers:
    l.trainable = False
print("weights to train:", len(model.trainable_weights), "of", len(model.weights))
high, high_test = ~low, ~low_test
score = train_model(
    model, (x_train[high], y_train[high] - 5), (x_test[high_test], y_test[high_test] - 5), num_classes, 9
)
assert all(np.array_equal(a, b) for a, b in zip(before, feature_layers[0].get_weights()))
print(score[1])
