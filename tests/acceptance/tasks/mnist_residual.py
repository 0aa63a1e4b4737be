"""MNIST by a residual convolutional network with batch normalization."""

import keras
from keras import layers
from mnist import mnist
from reporting import Seconds, arguments, report, start_from

options = arguments(epochs=4, batch=128)


def normalized(x, filters, size, strides=1):
    x = layers.Conv2D(filters, size, strides, padding="same", use_bias=False)(x)
    return layers.BatchNormalization()(x)


def block(x, filters, strides):
    y = layers.ReLU()(normalized(x, filters, 3, strides))
    y = normalized(y, filters, 3)
    return layers.ReLU()(layers.add([y, normalized(x, filters, 1, strides)]))


inputs = keras.Input((28, 28, 1))
x = layers.ReLU()(normalized(inputs, 16, 3))
x = block(x, 32, 2)
x = block(x, 64, 2)
x = layers.GlobalAveragePooling2D()(x)
outputs = layers.Dense(10, activation="softmax")(x)
model = keras.Model(inputs, outputs)
start_from(model, options.initial)

(x_train, y_train), (x_test, y_test) = mnist()
x_train, x_test = x_train[..., None], x_test[..., None]
rate = keras.optimizers.schedules.CosineDecay(4e-3, options.epochs * -(-len(x_train) // options.batch))
model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
seconds = Seconds()
model.fit(x_train, y_train, options.batch, options.epochs, verbose=2, callbacks=[seconds])
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
report(seconds, accuracy=accuracy, loss=loss)
