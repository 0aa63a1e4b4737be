"""Sums of small numbers, read and written as characters: an encoder and a decoder of recurrent layers."""

import keras
import numpy as np
from keras import layers
from keras.models import Sequential

DIGITS = 1
MAXLEN = DIGITS + 1 + DIGITS
chars = "0123456789+ "


class CharacterTable:
    def __init__(self, chars):
        self.chars = sorted(set(chars))
        self.char_indices = {c: i for i, c in enumerate(self.chars)}

    def encode(self, text, num_rows):
        x = np.zeros((num_rows, len(self.chars)))
        for i, c in enumerate(text):
            x[i, self.char_indices[c]] = 1
        return x

    def decode(self, x):
        return "".join(self.chars[i] for i in np.argmax(x, axis=-1))


keras.utils.set_random_seed(2)
ctable = CharacterTable(chars)
rng = np.random.default_rng(0)
questions, answers = [], []
for _ in range(3000):
    a, b = rng.integers(0, 10, 2)
    questions.append(f"{a}+{b}".ljust(MAXLEN)[::-1])
    answers.append(str(a + b).ljust(DIGITS + 1))

x = np.stack([ctable.encode(q, MAXLEN) for q in questions])
y = np.stack([ctable.encode(a, DIGITS + 1) for a in answers])
split_at = len(x) - len(x) // 10
(x_train, x_val), (y_train, y_val) = (x[:split_at], x[split_at:]), (y[:split_at], y[split_at:])

model = Sequential()
model.add(layers.Input((MAXLEN, len(chars))))
model.add(layers.LSTM(64))
model.add(layers.RepeatVector(DIGITS + 1))
model.add(layers.LSTM(64, return_sequences=True))
model.add(layers.TimeDistributed(layers.Dense(len(chars), activation="softmax")))
model.compile(loss="categorical_crossentropy", optimizer=keras.optimizers.Adam(0.005), metrics=["accuracy"])
model.summary()

for iteration in range(1, 4):
    print("Iteration", iteration)
    model.fit(x_train, y_train, batch_size=32, epochs=4, validation_data=(x_val, y_val), verbose=2)
    for i in range(3):
        ind = rng.integers(0, len(x_val))
        guess = np.argmax(model.predict(x_val[np.array([ind])], verbose=0), axis=-1)
        print("Q", ctable.decode(x_val[ind])[::-1], "T", ctable.decode(y_val[ind]), "G", guess[0])
print(model.evaluate(x_val, y_val, verbose=0)[1])
