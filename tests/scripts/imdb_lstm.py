"""Sentiments of reviews by an LSTM on embedded words."""

from made_data import reviews
from tensorflow.keras.layers import LSTM, Dense, Embedding
from tensorflow.keras.models import Sequential
from tensorflow.keras.preprocessing import sequence
from tensorflow.keras.utils import set_random_seed

max_features = 1000
maxlen = 40
batch_size = 32

set_random_seed(0)
(x_train, y_train), (x_test, y_test) = reviews(words=max_features)
print(len(x_train), "train sequences")
print(len(x_test), "test sequences")

x_train = sequence.pad_sequences(x_train, maxlen=maxlen)
x_test = sequence.pad_sequences(x_test, maxlen=maxlen)
print("x_train shape:", x_train.shape)

model = Sequential()
model.add(Embedding(max_features, 32))
model.add(LSTM(32, dropout=0.1))
model.add(Dense(1, activation="sigmoid"))

model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(x_train, y_train, batch_size=batch_size, epochs=8, validation_data=(x_test, y_test))
score, acc = model.evaluate(x_test, y_test, batch_size=batch_size)
print("Test score:", score)
print(acc)
