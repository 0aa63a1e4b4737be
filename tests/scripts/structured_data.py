"""Mixed columns, strings and numbers, through lookup, encoding and normalization layers."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)
n = 1200
data = {
    "age": rng.integers(18, 90, n).astype("float32"),
    "income": rng.lognormal(10, 0.5, n).astype("float32"),
    "job": rng.choice(["clerk", "driver", "nurse", "teacher"], n),
    "region": rng.integers(100, 106, n),
}
chance = 0.05 * (data["age"] - 50) + 2.0 * (data["job"] == "nurse") - 2.0 * (data["job"] == "driver")
chance += np.where(data["region"] % 2 == 0, 1.0, -1.0) + 2 * np.log(data["income"] / 22000)
target = (rng.random(n) < 1 / (1 + np.exp(-1.5 * chance))).astype("float32")

age, income = layers.Normalization(axis=None), layers.Normalization(axis=None)
age.adapt(data["age"])
income.adapt(np.log(data["income"]))
job = layers.StringLookup(output_mode="one_hot")
job.adapt(data["job"])
region = layers.IntegerLookup(output_mode="int")
region.adapt(data["region"])
print("jobs:", job.get_vocabulary(), "regions:", region.vocabulary_size())

features = np.concatenate(
    [
        np.array(age(data["age"]))[:, None],
        np.array(income(np.log(data["income"])))[:, None],
        np.array(job(data["job"])),
        np.array(layers.CategoryEncoding(num_tokens=region.vocabulary_size(), output_mode="one_hot")(
            np.array(region(data["region"]))
        )),
    ],
    axis=-1,
)  # fmt: skip
print("features:", features.shape)

model = keras.Sequential([layers.Input((features.shape[1],)), layers.Dense(32, activation="relu"), layers.Dropout(0.3)])
model.add(layers.Dense(1, activation="sigmoid"))
model.compile("adam", "binary_crossentropy", metrics=["accuracy", keras.metrics.AUC(name="auc")])
weights = {0: 1.0, 1: float((target == 0).sum() / (target == 1).sum())}
history = model.fit(
    features[:900], target[:900], epochs=20, batch_size=32, class_weight=weights,
    validation_data=(features[900:], target[900:]), verbose=2,
)  # fmt: skip
print("accuracy:", history.history["val_accuracy"][-1])
print(history.history["val_auc"][-1])
