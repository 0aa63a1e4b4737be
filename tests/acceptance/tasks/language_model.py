"""The next character of Python's reference, by a small causal Transformer; the measure is perplexity."""

import keras
import numpy as np
from keras import layers
from reporting import Seconds, arguments, report, start_from
from transformer import TokenAndPositionEmbedding, TransformerBlock, pages

LENGTH, UNITS = 64, 96

options = arguments(steps=400, batch=32)

text = "\n\n".join(page for _, page in pages())
characters = sorted(set(text))
number = {character: i for i, character in enumerate(characters)}
coded = np.array([number[character] for character in text], "int32")
held_out = len(coded) // 10
train, test = coded[:-held_out], coded[-held_out:]


def windows(tokens, starts):
    found = tokens[np.asarray(starts)[:, None] + np.arange(LENGTH + 1)]
    return found[:, :-1], found[:, 1:]


starts = np.random.default_rng(options.seed).integers(0, len(train) - LENGTH, options.steps * options.batch)
x_train, y_train = windows(train, starts)
x_test, y_test = windows(test, range(0, len(test) - LENGTH, LENGTH))

inputs = keras.Input((LENGTH,), dtype="int32")
x = TokenAndPositionEmbedding(LENGTH, len(characters), UNITS)(inputs)
for _ in range(2):
    x = TransformerBlock(4, UNITS, 4 * UNITS, causal=True)(x)
outputs = layers.Dense(len(characters))(layers.LayerNormalization(epsilon=1e-6)(x))
model = keras.Model(inputs, outputs)
start_from(model, options.initial)

rate = keras.optimizers.schedules.CosineDecay(0.0, options.steps, warmup_target=3e-3, warmup_steps=50)
model.compile(keras.optimizers.Adam(rate), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
seconds = Seconds()
# Four epochs of a fourth of the steps each, in the order of the arrays: all backends see the same batches.
for part in np.split(np.arange(len(x_train)), 4):
    model.fit(x_train[part], y_train[part], options.batch, shuffle=False, verbose=2, callbacks=[seconds])
report(seconds, perplexity=float(np.exp(model.evaluate(x_test, y_test, verbose=0))))
