"""A functional model of two named inputs and two named outputs, with losses, weights and metrics by name."""

import keras
import numpy as np
from keras import layers
from reporting import Seconds, arguments, report, start_from

WORDS, LENGTH, NUMBERS = 200, 12, 8

options = arguments(epochs=10, batch=64)

# A word has a price and a topic; numbers have a weight: the rate needs both inputs, and so does the kind.
rng = np.random.default_rng(options.seed)
price, topic = rng.normal(size=WORDS), rng.normal(size=(WORDS, 3))
weight, turn = rng.normal(size=NUMBERS), rng.normal(size=(NUMBERS, 3))
words = rng.integers(0, WORDS, (12000, LENGTH)).astype("int32")
numbers = rng.normal(size=(12000, NUMBERS)).astype("float32")
rate = price[words].mean(1) * 3 + np.tanh(numbers @ weight) + rng.normal(scale=0.1, size=12000)
kind = np.argmax(topic[words].sum(1) + numbers @ turn, 1)
x = {"words": words, "numbers": numbers}
y = {"rate": rate[:, None].astype("float32"), "kind": kind.astype("int32")}


def part(of, rows):
    return {name: value[rows] for name, value in of.items()}


inputs = {
    "words": keras.Input((LENGTH,), dtype="int32", name="words"),
    "numbers": keras.Input((NUMBERS,), name="numbers"),
}
read = layers.GlobalAveragePooling1D()(layers.Embedding(WORDS, 32)(inputs["words"]))
joined = layers.concatenate([read, layers.Dense(32, activation="relu")(inputs["numbers"])])
joined = layers.Dense(64, activation="relu")(joined)
outputs = {
    "rate": layers.Dense(1, name="rate")(joined),
    "kind": layers.Dense(3, activation="softmax", name="kind")(joined),
}
model = keras.Model(inputs, outputs)
start_from(model, options.initial)

model.compile(
    keras.optimizers.Adam(3e-3),
    loss={"rate": "mse", "kind": "sparse_categorical_crossentropy"},
    loss_weights={"rate": 0.5, "kind": 1.0},
    metrics={"rate": ["mae"], "kind": ["accuracy"]},
)
seconds = Seconds()
# In the order of the arrays, so that all backends see the same batches.
train, test = slice(10000), slice(10000, None)
model.fit(part(x, train), part(y, train), options.batch, options.epochs, shuffle=False, verbose=2, callbacks=[seconds])
found = model.evaluate(part(x, test), part(y, test), verbose=0, return_dict=True)
report(seconds, **found)
