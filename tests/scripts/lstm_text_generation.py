"""An LSTM that learns a text letter by letter and writes on."""

import random

import keras
import numpy as np
from keras.callbacks import LambdaCallback
from keras.layers import LSTM, Dense
from keras.models import Sequential
from keras.optimizers import RMSprop

keras.utils.set_random_seed(5)
text = "the cat sat on the mat and the dog lay on the log while the rain fell in spain. " * 12
chars = sorted(list(set(text)))
print("total chars:", len(chars))
char_indices = dict((c, i) for i, c in enumerate(chars))
indices_char = dict((i, c) for i, c in enumerate(chars))

maxlen = 12
step = 1
sentences = [text[i : i + maxlen] for i in range(0, len(text) - maxlen, step)]
next_chars = [text[i + maxlen] for i in range(0, len(text) - maxlen, step)]

x = np.zeros((len(sentences), maxlen, len(chars)), dtype="bool")
y = np.zeros((len(sentences), len(chars)), dtype="bool")
for i, sentence in enumerate(sentences):
    for t, char in enumerate(sentence):
        x[i, t, char_indices[char]] = 1
    y[i, char_indices[next_chars[i]]] = 1

model = Sequential()
model.add(LSTM(48, input_shape=(maxlen, len(chars))))
model.add(Dense(len(chars), activation="softmax"))
model.compile(loss="categorical_crossentropy", optimizer=RMSprop(learning_rate=0.01))


def sample(preds, temperature=1.0):
    preds = np.asarray(preds).astype("float64")
    exp_preds = np.exp(np.log(preds + 1e-9) / temperature)
    return np.argmax(np.random.multinomial(1, exp_preds / (np.sum(exp_preds) * (1 + 1e-7)), 1))


def on_epoch_end(epoch, logs):
    if epoch % 4 != 3:
        return
    start_index = random.randint(0, len(text) - maxlen - 1)
    sentence = text[start_index : start_index + maxlen]
    generated = sentence
    for _ in range(20):
        x_pred = np.zeros((1, maxlen, len(chars)))
        for t, char in enumerate(sentence):
            x_pred[0, t, char_indices[char]] = 1.0
        next_char = indices_char[int(sample(model.predict(x_pred, verbose=0)[0], 0.5))]
        sentence = sentence[1:] + next_char
        generated += next_char
    print("----- epoch", epoch, "loss", logs["loss"], "generated:", generated)


print_callback = LambdaCallback(on_epoch_end=on_epoch_end)
model.fit(x, y, batch_size=64, epochs=12, callbacks=[print_callback], verbose=0)
print(float(np.mean(np.argmax(model.predict(x, verbose=0), -1) == np.argmax(y, -1))))
