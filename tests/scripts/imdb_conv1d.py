"""Sentiments of reviews by one-dimensional convolutions."""

import keras
from keras.layers import Activation, Conv1D, Dense, Dropout, Embedding, GlobalMaxPooling1D
from keras.models import Sequential
from keras.preprocessing.sequence import pad_sequences
from made_data import reviews

max_features = 1000
maxlen = 60
filters = 48
kernel_size = 3
hidden_dims = 48

keras.utils.set_random_seed(11)
(x_train, y_train), (x_test, y_test) = reviews(words=max_features, seed=2)
x_train = pad_sequences(x_train, maxlen=maxlen)
x_test = pad_sequences(x_test, maxlen=maxlen)

model = Sequential()
model.add(Embedding(max_features, 32))
model.add(Dropout(0.2))
model.add(Conv1D(filters, kernel_size, padding="valid", activation="relu", strides=1))
model.add(GlobalMaxPooling1D())
model.add(Dense(hidden_dims))
model.add(Dropout(0.2))
model.add(Activation("relu"))
model.add(Dense(1))
model.add(Activation("sigmoid"))

model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(x_train, y_train, batch_size=32, epochs=9, validation_data=(x_test, y_test), verbose=2)
print(model.evaluate(x_test, y_test, verbose=0)[1])
