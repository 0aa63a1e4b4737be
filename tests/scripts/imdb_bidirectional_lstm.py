"""Sentiments of reviews by two bidirectional LSTMs, the padding masked."""

import numpy as np
import keras
from keras import layers
from keras.utils import pad_sequences
from made_data import reviews

max_features = 1000
maxlen = 50

keras.utils.set_random_seed(7)
(x_train, y_train), (x_val, y_val) = reviews(words=max_features, seed=1)
x_train = pad_sequences(x_train, maxlen=maxlen, padding="post", truncating="post")
x_val = pad_sequences(x_val, maxlen=maxlen, padding="post", truncating="post")

inputs = keras.Input(shape=(None,), dtype="int32")
x = layers.Embedding(max_features, 24, mask_zero=True)(inputs)
x = layers.Bidirectional(layers.LSTM(16, return_sequences=True))(x)
x = layers.Bidirectional(layers.LSTM(16))(x)
outputs = layers.Dense(1, activation="sigmoid")(x)
model = keras.Model(inputs, outputs)
model.summary()

model.compile(optimizer=keras.optimizers.Adam(learning_rate=0.003), loss="binary_crossentropy", metrics=["accuracy"])
history = model.fit(x_train, y_train, batch_size=32, epochs=5, validation_data=(x_val, y_val))
print("best epoch", int(np.argmax(history.history["val_accuracy"])) + 1)
print(model.evaluate(x_val, y_val, verbose=0)[1])
