"""Which page of Python's reference some words come from, by a Transformer."""

from collections import Counter

import keras
import numpy as np
from keras import layers
from reporting import Seconds, arguments, report, start_from
from transformer import TokenAndPositionEmbedding, TransformerBlock, pages, words

LENGTH, TOKENS, PAGES = 32, 3000, 8

options = arguments(epochs=5, batch=64)

longest = sorted((words(text) for _, text in pages()), key=len)[-PAGES:]
common = Counter(word for page in longest for word in page).most_common(TOKENS - 1)
# 0 is every other word.
number = {word: i + 1 for i, (word, _) in enumerate(common)}

# Blocks of 256 words, of which every fifth is for the test; windows do not leave their block.
parts = {"train": [], "test": []}
for label, page in enumerate(longest):
    coded = [number.get(word, 0) for word in page]
    for i, first in enumerate(range(0, len(coded) - LENGTH + 1, 256)):
        block = coded[first : first + 256]
        windows = [block[at : at + LENGTH] for at in range(0, len(block) - LENGTH + 1, 16)]
        parts["test" if i % 5 == 4 else "train"] += [(window, label) for window in windows]
x_train, x_test = (np.array([window for window, _ in parts[name]], "int32") for name in ("train", "test"))
y_train, y_test = (np.array([label for _, label in parts[name]], "int32") for name in ("train", "test"))
order = np.random.default_rng(options.seed).permutation(len(x_train))
x_train, y_train = x_train[order], y_train[order]
print(f"{len(x_train)} windows to learn from, {len(x_test)} to be told")

inputs = keras.Input((LENGTH,), dtype="int32")
x = TokenAndPositionEmbedding(LENGTH, TOKENS, 64)(inputs)
for _ in range(2):
    x = TransformerBlock(4, 64, 128)(x)
x = layers.GlobalAveragePooling1D()(x)
outputs = layers.Dense(PAGES, activation="softmax")(x)
model = keras.Model(inputs, outputs)
start_from(model, options.initial)

model.compile(keras.optimizers.Adam(5e-4), "sparse_categorical_crossentropy", metrics=["accuracy"])
seconds = Seconds()
# The order is that of the arrays, so that all backends see the same batches.
model.fit(x_train, y_train, options.batch, options.epochs, shuffle=False, verbose=2, callbacks=[seconds])
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
report(seconds, accuracy=accuracy, loss=loss)
