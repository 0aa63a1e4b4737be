"""MNIST's images as sequences of 28 rows, read by an LSTM or a GRU."""

import keras
from keras import layers
from mnist import mnist
from reporting import Seconds, arguments, report, start_from

options = arguments(cell="lstm", epochs=3, batch=128)
layer = {"lstm": layers.LSTM, "gru": layers.GRU}[options.cell]

model = keras.Sequential([keras.Input((28, 28)), layer(128), layers.Dense(10, activation="softmax")])
start_from(model, options.initial)

(x_train, y_train), (x_test, y_test) = mnist()
rate = keras.optimizers.schedules.CosineDecay(4e-3, options.epochs * -(-len(x_train) // options.batch))
model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
seconds = Seconds()
model.fit(x_train, y_train, options.batch, options.epochs, verbose=2, callbacks=[seconds])
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
report(seconds, accuracy=accuracy, loss=loss)
