"""Raw strings in: words are looked up in the model's own vocabulary."""

import re

import keras
import numpy as np
from keras import layers
from made_data import news

keras.utils.set_random_seed(1)
texts, labels = news(topics=4, seed=8)
texts = np.array(texts, dtype=object)
split = 900

vectorize_layer = layers.TextVectorization(max_tokens=600, output_mode="int", output_sequence_length=40)
vectorize_layer.adapt(list(texts[:split]))
vocabulary = vectorize_layer.get_vocabulary()
print("first words:", vocabulary[:5], "of", len(vocabulary))
first = np.array(vectorize_layer([texts[0]]))[0]
words = re.sub(r"[^\w ]", "", texts[0].lower()).split()
assert [vocabulary[i] for i in first[: len(words)]] == [w if w in vocabulary else "[UNK]" for w in words]

x_train = np.array(vectorize_layer(list(texts[:split])))
x_test = np.array(vectorize_layer(list(texts[split:])))
model = keras.Sequential(
    [
        keras.Input((40,), dtype="int64"),
        layers.Embedding(len(vocabulary), 32),
        layers.Dropout(0.3),
        layers.GlobalAveragePooling1D(),
        layers.Dense(32, activation="relu"),
        layers.Dense(4),
    ]
)
model.compile(
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    optimizer=keras.optimizers.Adam(0.005),
    metrics=[keras.metrics.SparseCategoricalAccuracy(name="acc")],
)
history = model.fit(x_train, labels[:split], epochs=14, validation_split=0.1, verbose=2)
print("validation:", history.history["val_acc"][-1])
print(model.evaluate(x_test, labels[split:], verbose=0)[1])
