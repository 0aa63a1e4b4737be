"""Support tickets: a title, a text and tags in, a priority and a department out; data, losses and weights by name."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(0)
num_words, num_tags, num_departments = 300, 6, 4

rng = np.random.default_rng(0)
samples = 1600
departments = rng.integers(0, num_departments, samples)
title_data = rng.integers(40, num_words, (samples, 8))
title_data[:, 3] = departments * 5 + rng.integers(0, 5, samples)
urgent = rng.integers(0, 2, samples)
body_data = rng.integers(40, num_words, (samples, 20))
body_data[:, 10] = np.where(urgent == 1, rng.integers(20, 30, samples), rng.integers(30, 40, samples))
tags_data = rng.integers(0, 2, (samples, num_tags)).astype("float32")
priority_targets = (urgent * (0.5 + tags_data[:, 0] / 2)).astype("float32")[:, None]
dept_targets = keras.utils.to_categorical(departments, num_departments)

title_input = keras.Input(shape=(None,), name="title")
body_input = keras.Input(shape=(None,), name="body")
tags_input = keras.Input(shape=(num_tags,), name="tags")
title_features = layers.GlobalAveragePooling1D()(layers.Embedding(num_words, 32)(title_input))
body_features = layers.GlobalMaxPooling1D()(layers.Embedding(num_words, 32)(body_input))
x = layers.concatenate([title_features, body_features, tags_input])
x = layers.Dense(64, activation="relu")(x)
priority_pred = layers.Dense(1, name="priority", activation="sigmoid")(x)
department_pred = layers.Dense(num_departments, name="department", activation="softmax")(x)
model = keras.Model(
    inputs=[title_input, body_input, tags_input],
    outputs={"priority": priority_pred, "department": department_pred},
)
model.compile(
    optimizer=keras.optimizers.RMSprop(2e-3),
    loss={"priority": keras.losses.MeanSquaredError(), "department": "categorical_crossentropy"},
    loss_weights={"priority": 1.0, "department": 0.2},
    metrics={"department": ["accuracy"], "priority": ["mae"]},
)
history = model.fit(
    {"title": title_data, "body": body_data, "tags": tags_data},
    {"priority": priority_targets, "department": dept_targets},
    epochs=12,
    batch_size=32,
    validation_split=0.25,
    verbose=2,
)
print("recorded:", sorted(history.history))
print("error of priorities:", history.history["val_priority_mae"][-1])
print(history.history["val_department_accuracy"][-1])
